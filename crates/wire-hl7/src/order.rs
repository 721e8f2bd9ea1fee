//! Infusion orders to pumps (IHE PCD-03): the message RGV^O15 from a typed order, and what the answer
//! RRG^O16 means. Nothing is sent here, and nothing is ever to be sent twice: an order without an
//! answer is in doubt, and a person looks at the pump.
//!
//! Sources: IHE PCD Technical Framework volume 2, section 3.3; HL7 v2.6 chapter 4 (RXG, RXR).

use std::fmt::Write as _;

use vitals::{Bed, DeviceId, Metric, Patient, Unit};

use crate::build::{self, Envelope};
use crate::dtm;
use crate::syntax::{Segment, Separators};

/// How far rate, dose and concentration may contradict each other: what rounding makes.
const TOLERANCE: f64 = 0.02;

/// A number with its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// Above 0.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
}

/// What a pump is to be programmed with; a person at the pump still confirms it.
#[derive(Debug, Clone, PartialEq)]
pub struct InfusionOrder {
    /// The order's number, unique: ORC-2.
    pub id: String,
    /// For whom: with an identifier, and a second one or the date of birth.
    pub patient: Patient,
    /// Where they are.
    pub bed: Option<Bed>,
    /// Which pump, or channel of one, by the name that it gives itself.
    pub pump: DeviceId,
    /// Drug: code, name, coding system.
    pub drug: [String; 3],
    /// Amount of drug in a volume, such as mg/mL.
    pub concentration: Option<Quantity>,
    /// Volume in a time.
    pub rate: Option<Quantity>,
    /// Drug in a time, by body weight or not.
    pub dose_rate: Option<Quantity>,
    /// Volume to be infused.
    pub volume: Quantity,
    /// Body weight in kg, for a dose by weight.
    pub weight_kg: Option<f64>,
    /// Who ordered it: ORC-12.
    pub ordered_by: String,
}

/// Why an order is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The patient can't be told from others.
    #[error("two identifiers of the patient are needed: a number, and a second one or the date of birth")]
    Identity,
    /// Something is not named.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A number that can't be meant.
    #[error("{0} must be a number above 0 within what pumps do")]
    Number(&'static str),
    /// A unit that measures something else.
    #[error("{0} has a unit that does not measure it")]
    Unit(&'static str),
    /// Not one of the parameters of an infusion order.
    #[error("an infusion order takes drug, volume (mL), rate (mL/h), dose-rate (ug/kg/min), concentration (mg/mL), weight (kg)")]
    Parameter,
    /// Rate, dose, concentration and weight can't all be true.
    #[error("rate, dose and concentration contradict each other")]
    Contradiction,
}

impl InfusionOrder {
    /// Checks the order.
    ///
    /// # Errors
    /// [`OrderError`], the first thing that is wrong.
    pub fn check(&self) -> Result<(), OrderError> {
        let numbers = self.patient.identifiers.iter().filter(|id| !id.value.is_empty()).count();
        if numbers < 1 || (numbers < 2 && self.patient.birth_date.is_none()) {
            return Err(OrderError::Identity);
        }
        for (name, text) in [("the order's number", &self.id), ("the drug", &self.drug[1]), ("who ordered it", &self.ordered_by)] {
            if text.trim().is_empty() {
                return Err(OrderError::Missing(name));
            }
        }
        let volume = within("the volume", self.volume, "MDC_VOL_FLUID_TBI")?;
        let rate = self.rate.map(|rate| within("the rate", rate, "MDC_FLOW_FLUID_PUMP")).transpose()?;
        if rate.is_none() && self.dose_rate.is_none() {
            return Err(OrderError::Missing("rate or dose"));
        }
        if volume > 10_000.0 || rate.is_some_and(|rate| rate > 2_000.0) {
            return Err(OrderError::Number("rate or volume"));
        }
        if self.weight_kg.is_some_and(|kg| !(0.2..=700.0).contains(&kg)) {
            return Err(OrderError::Number("the weight"));
        }
        let conc = self.concentration.map(|conc| within("the concentration", conc, "MDC_CONC_DRUG")).transpose()?;
        let Some(dose) = self.dose_rate else { return Ok(()) };
        let dose = self.dose_mg_per_h(dose)?;
        match (rate, conc) {
            (Some(rate), Some(conc)) if (rate * conc - dose).abs() > TOLERANCE * dose => {
                Err(OrderError::Contradiction)
            }
            (_, None) => Err(OrderError::Missing("the concentration, which a dose needs")),
            _ => Ok(()),
        }
    }

    /// A dose in mg/h.
    fn dose_mg_per_h(&self, dose: Quantity) -> Result<f64, OrderError> {
        if let Ok(by_weight) = within("the dose", dose, "MDC_RATE_DOSE") {
            let kg = self.weight_kg.ok_or(OrderError::Missing("the weight, which this dose needs"))?;
            // From µg/kg/min.
            return Ok(by_weight * kg * 60.0 / 1_000.0);
        }
        within("the dose", dose, "VW_RATE_DOSE_MASS")
    }

    /// The message.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn message(&self, envelope: &Envelope) -> Result<String, OrderError> {
        self.check()?;
        let mut out = String::with_capacity(1_024);
        let profile = "IHE_PCD_003^IHE PCD^1.3.6.1.4.1.19376.1.6.1.3.1^ISO";
        build::msh(&mut out, envelope, "RGV^O15^RGV_O15", profile);
        build::pid(&mut out, &self.patient);
        if let Some(bed) = &self.bed {
            let _ = write!(out, "PV1||I|{}\r", build::pl(bed));
        }
        let (id, ours) = (build::escape(&self.id), build::escape(&envelope.application));
        let at = dtm::write(envelope.at.micros());
        let _ = write!(out, "ORC|RE|{id}^{ours}|||||||{at}|||{}\r", build::escape(&self.ordered_by));
        let drug = self.drug.each_ref().map(|part| build::escape(part)).join("^");
        // A dose where there is one: the pump then computes its rate.
        let given = self.dose_rate.or(self.rate);
        let (rate, rate_unit) = given.map_or_else(Default::default, said);
        let (volume, volume_unit) = said(self.volume);
        let strength = self.concentration.map_or_else(String::new, |conc| {
            let (value, unit) = said(conc);
            format!("|{value}|{unit}")
        });
        let _ = write!(out, "RXG|1||{at}|{drug}|{volume}||{volume_unit}||||||||{rate}|{rate_unit}{strength}\r");
        out.push_str("RXR|IV^Intravenous^HL70162\r");
        let pump = build::escape(self.pump.as_str());
        let _ = write!(out, "OBX|1||69986^MDC_DEV_PUMP_INFUS_VMD^MDC|1.1.0.0|||||||X|||||||{pump}\r");
        if let Some(kg) = self.weight_kg {
            let _ = write!(out, "OBX|2|NM|68063^MDC_ATTR_PT_WEIGHT^MDC|1.1.0.1|{kg}|263875^MDC_DIM_KILO_G^MDC|||||F\r");
        }
        Ok(out)
    }
}

/// A quantity in the unit of the metric that it is one of.
fn within(name: &'static str, quantity: Quantity, refid: &str) -> Result<f64, OrderError> {
    if !quantity.value.is_finite() || quantity.value <= 0.0 {
        return Err(OrderError::Number(name));
    }
    let metric = Metric::by_refid(refid).ok_or(OrderError::Unit(name))?;
    quantity.unit.convert(quantity.value, metric.unit).ok_or(OrderError::Unit(name))
}

fn said(quantity: Quantity) -> (String, String) {
    (quantity.value.to_string(), build::unit(quantity.unit))
}

/// What a pump system answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderAnswer {
    /// It has the message (`CA`); whether it takes the order is to come.
    Received,
    /// It took the order (`AA`).
    Accepted,
    /// It did not (`AE`, `AR`, `CE`, `CR`), with its reason.
    Refused(String),
}

/// Where a sent order stands. An end is an end: no answer that comes later changes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OrderState {
    /// Sent; nothing was heard yet.
    #[default]
    Sent,
    /// The pump system has it.
    Received,
    /// Accepted.
    Accepted,
    /// Refused, with the reason.
    Refused(String),
    /// No answer came in time, or the line broke: whether the pump has it nobody knows. It is not
    /// sent again.
    InDoubt,
}

impl OrderState {
    /// Takes in an answer.
    #[must_use]
    pub fn answered(self, answer: OrderAnswer) -> Self {
        match (self, answer) {
            (Self::Sent | Self::Received, OrderAnswer::Accepted) => Self::Accepted,
            (Self::Sent | Self::Received, OrderAnswer::Refused(why)) => Self::Refused(why),
            (Self::Sent, OrderAnswer::Received) => Self::Received,
            (state, _) => state,
        }
    }

    /// No answer is waited for any longer.
    #[must_use]
    pub fn gave_up(self) -> Self {
        match self {
            Self::Sent | Self::Received => Self::InDoubt,
            ended => ended,
        }
    }

    /// Whether it is over.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        !matches!(self, Self::Sent | Self::Received)
    }
}

/// Reads an answer to the message with that control id (RRG^O16, or ACK); none if it is no answer, or
/// one to something else.
#[must_use]
pub fn answer(bytes: &[u8], control_id: &str) -> Option<OrderAnswer> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    let header = lines.next().filter(|line| line.starts_with("MSH"))?;
    let separators = Separators::of_header(header)?;
    let segments: Vec<Segment<'_>> = lines.filter_map(|line| Segment::parse(line, separators)).collect();
    let msa = segments.iter().find(|segment| segment.name == "MSA")?;
    if msa.field(2).text() != control_id {
        return None;
    }
    let reason = || {
        let errors = segments.iter().filter(|segment| segment.name == "ERR");
        let said = errors.flat_map(|err| [err.field(8).text().into_owned(), err.field(3).component(2).into_owned()]);
        let mut texts = std::iter::once(msa.field(3).text().into_owned()).chain(said);
        let text = texts.find(|text| !text.is_empty()).unwrap_or_default();
        text.chars().filter(|c| !c.is_control()).take(200).collect::<String>()
    };
    match msa.field(1).text().as_ref() {
        "AA" => Some(OrderAnswer::Accepted),
        "CA" => Some(OrderAnswer::Received),
        "AE" | "AR" | "CE" | "CR" => Some(OrderAnswer::Refused(reason())),
        _ => None,
    }
}
