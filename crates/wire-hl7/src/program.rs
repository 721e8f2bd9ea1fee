//! A command of ours as an infusion order (PCD-03), and what a pump tells of the order that it was
//! programmed with (PCD-10).
//!
//! The order carries the command's id in ORC-2, with our name as its namespace. A pump event that names
//! it in OBR-2 speaks of that command: an infusion that starts did what was asked, with the rate, volume
//! and drug that the event tells; a program that is cleared did not.
//!
//! Sources: IHE PCD Technical Framework volume 2, sections 3.3 and 3.10.

use vitals::{
    Bed, CommandId, CommandOrder, CommandStep, CommandValue, Content, DeviceId, MetricCode, Patient, TimeBase, Unit,
    Value,
};

use crate::header::Header;
use crate::order::{InfusionOrder, OrderError, Quantity};
use crate::syntax::Segment;

/// What we call ourselves: MSH-3, and the namespace of our orders' numbers.
pub const OURSELVES: &str = "VITALWIRE";

/// Parameters that are numbers, the unit that each is in, and the metrics that a pump tells it by. One
/// unit each, so that what is read back is what was asked, digit by digit.
const NUMBERS: [(&str, &str, &[&str]); 5] = [
    ("rate", "mL/h", &["MDC_FLOW_FLUID_PUMP", "MDC_FLOW_FLUID_PUMP_CURRENT"]),
    ("volume", "mL", &["MDC_VOL_FLUID_TBI"]),
    ("dose-rate", "ug/kg/min", &["MDC_RATE_DOSE"]),
    ("concentration", "mg/mL", &["MDC_CONC_DRUG"]),
    ("weight", "kg", &["MDC_MASS_BODY_ACTUAL"]),
];

/// A command as an infusion order. Its parameters are `drug` (a text, `name [code system]`), `volume`,
/// and `rate` or `dose-rate` with what that needs.
///
/// # Errors
/// [`OrderError`], when the command has other parameters, other units, or [`InfusionOrder::check`] finds
/// something wrong.
pub fn order(command: &CommandOrder, patient: Patient, bed: Option<Bed>, by: &str) -> Result<InfusionOrder, OrderError> {
    let mut numbers: [Option<Quantity>; NUMBERS.len()] = [None; NUMBERS.len()];
    let mut drug = None;
    for parameter in &command.parameters {
        match (&parameter.value, NUMBERS.iter().position(|(name, ..)| *name == parameter.name)) {
            (CommandValue::Number(value), Some(at)) => {
                let (name, unit, _) = NUMBERS[at];
                let unit = Unit::from_ucum(unit).filter(|_| parameter.unit == unit).ok_or(OrderError::Unit(name))?;
                numbers[at] = Some(Quantity { value: *value, unit });
            }
            (CommandValue::Choice(text), None) if parameter.name == "drug" => drug = Some(drug_of(text)),
            _ => return Err(OrderError::Parameter),
        }
    }
    let [rate, volume, dose_rate, concentration, weight] = numbers;
    let order = InfusionOrder {
        id: command.id.to_string(),
        patient,
        bed,
        pump: command.device.clone(),
        drug: drug.ok_or(OrderError::Missing("the drug"))?,
        concentration,
        rate,
        dose_rate,
        volume: volume.ok_or(OrderError::Missing("the volume"))?,
        weight_kg: weight.map(|weight| weight.value),
        ordered_by: by.to_owned(),
    };
    order.check()?;
    Ok(order)
}

/// `Dopamine [3628 RXNORM]` as code, name, system; a text without brackets is a code of the house's own.
fn drug_of(text: &str) -> [String; 3] {
    let coded = text.strip_suffix(']').and_then(|rest| rest.rsplit_once(" ["));
    match coded.and_then(|(name, code)| Some((name, code.split_once(' ')?))) {
        Some((name, (code, system))) => [code.to_owned(), name.to_owned(), system.to_owned()],
        None => [text.to_owned(), text.to_owned(), "L".to_owned()],
    }
}

/// The text of a drug that a message names, the other way round.
fn drug_text(field: &crate::syntax::Field<'_>) -> Option<String> {
    let [code, name, system] = [1, 2, 3].map(|at| field.component(at).into_owned());
    match (code.as_str(), system.as_str()) {
        ("", _) => None,
        (_, "" | "L") if name.is_empty() || name == code => Some(code),
        _ => Some(format!("{name} [{code} {system}]")),
    }
}

/// What a pump tells of an order of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Programmed {
    /// Which.
    pub command: CommandId,
    /// Which pump.
    pub device: DeviceId,
    /// What became of it: done with what is read back, or failed.
    pub step: CommandStep,
}

/// What an event of a pump (ORU^R42) says of an order of ours, if it names one and says anything.
pub(crate) fn read(header: &Header, segments: &[Segment<'_>], content: &[Content], time_base: TimeBase) -> Option<Programmed> {
    if header.trigger != "R42" || header.is_test() || time_base != TimeBase::Live {
        return None;
    }
    let mut orders = segments.iter().filter(|segment| segment.name == "OBR");
    let obr = orders.next()?;
    // One event is of one order.
    let number = obr.field(2);
    if orders.next().is_some() || number.component(2) != OURSELVES {
        return None;
    }
    let command = CommandId::new(&number.component(1)).ok()?;
    let readings = content.iter().filter_map(|part| match part {
        Content::Reading(reading) => Some(reading),
        _ => None,
    });
    let device = readings.clone().next()?.device.clone();
    let said: Vec<(MetricCode, &Value)> = readings
        .filter(|reading| reading.device == device)
        .flat_map(|reading| reading.measurements.iter().map(|m| (m.metric, &m.value)))
        .collect();
    let find = |refid: &str| {
        let code = vitals::Metric::by_refid(refid)?.code;
        said.iter().find(|(metric, _)| *metric == code).map(|(_, value)| *value)
    };
    let Some(Value::Enumeration(_, event)) = find("VW_PUMP_EVENT") else { return None };
    let step = match event.as_str() {
        "MDC_EVT_PUMP_DELIV_START" => {
            let number = |(name, _, refids): &(&str, &str, &[&str])| {
                let value = refids.iter().find_map(|refid| find(refid))?;
                let Value::Numeric(value) = value else { return None };
                Some(((*name).to_owned(), CommandValue::Number(*value)))
            };
            let drug = drug_text(&obr.field(4)).map(|text| ("drug".to_owned(), CommandValue::Choice(text)));
            CommandStep::Done { read_back: NUMBERS.iter().filter_map(number).chain(drug).collect() }
        }
        "MDC_EVT_PUMP_PROG_CLEARED" | "MDC_EVT_PUMP_AUTO_PROG_CLEARED" => {
            CommandStep::Failed { reason: "the program was cleared at the pump".to_owned() }
        }
        _ => return None,
    };
    Some(Programmed { command, device, step })
}
