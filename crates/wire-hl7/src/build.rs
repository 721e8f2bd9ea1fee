//! Writes messages: ORU^R01 as IHE PCD-01, ADT, merges. For virtual devices, replay and tests; what
//! is written here reads back as the same measurements.

use std::fmt::Write as _;

use vitals::{
    Bed, DeviceTime, EffectiveTime, Identifier, Measurement, MetricCode, Movement, Patient,
    PatientMovement, Quality, Reading, SampleArray, Sex, Unit, Value,
};

use crate::dtm;
use crate::syntax::Separators;

/// What the header of a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// MSH-3.
    pub application: String,
    /// MSH-4.
    pub facility: String,
    /// MSH-10: unique within the sender.
    pub control_id: String,
    /// MSH-7.
    pub at: DeviceTime,
    /// MSH-12.
    pub version: String,
    /// A recording played back: MSH-11.2 is `A`.
    pub recorded: bool,
}

impl Envelope {
    /// An envelope of version 2.6 for live data.
    #[must_use]
    pub fn new(application: &str, control_id: &str, at: DeviceTime) -> Self {
        Self {
            application: application.to_owned(),
            facility: String::new(),
            control_id: control_id.to_owned(),
            at,
            version: "2.6".to_owned(),
            recorded: false,
        }
    }
}

/// An ORU^R01 in the shape of IHE PCD-01. A compound value becomes an observation for each part.
#[must_use]
pub fn oru(
    envelope: &Envelope,
    patient: Option<&Patient>,
    bed: Option<&Bed>,
    reading: &Reading,
) -> String {
    let mut out = String::with_capacity(512 + 128 * reading.measurements.len());
    let profile = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO";
    msh(&mut out, envelope, "ORU^R01^ORU_R01", profile);
    if let Some(patient) = patient {
        pid(&mut out, patient);
    }
    if let Some(bed) = bed {
        let _ = write!(out, "PV1||I|{}\r", pl(bed));
    }
    let order = escape(&envelope.control_id);
    let _ = write!(
        out,
        "OBR|1|{order}|{order}|182777000^monitoring of patient^SCT|||{}\r",
        dtm::write(envelope.at.micros())
    );
    let device = reading.device.as_str();
    let _ = write!(
        out,
        "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||{device}\r\
         OBX|2||69854^MDC_DEV_METER_PHYSIO_MULTI_PARAM_VMD^MDC|1.1.0.0|||||||X\r\
         OBX|3||69855^MDC_DEV_METER_PHYSIO_MULTI_PARAM_CHAN^MDC|1.1.1.0|||||||X\r"
    );
    let mut rows = Rows { out: &mut out, set_id: 3 };
    for (index, measurement) in reading.measurements.iter().enumerate() {
        rows.measurement(index, measurement);
    }
    out
}

/// An ADT message of a movement.
#[must_use]
pub fn adt(envelope: &Envelope, movement: &PatientMovement) -> String {
    let (trigger, structure) = match movement.movement {
        Movement::Admit => ("A01", "ADT_A01"),
        Movement::Transfer => ("A02", "ADT_A02"),
        Movement::Discharge => ("A03", "ADT_A03"),
        Movement::Register => ("A04", "ADT_A01"),
        Movement::Update => ("A08", "ADT_A01"),
        Movement::CancelAdmit => ("A11", "ADT_A09"),
        Movement::CancelTransfer => ("A12", "ADT_A12"),
        Movement::CancelDischarge => ("A13", "ADT_A01"),
    };
    let mut out = String::with_capacity(512);
    msh(&mut out, envelope, &format!("ADT^{trigger}^{structure}"), "");
    let at = time(movement.at);
    let _ = write!(out, "EVN||{}||||{at}\r", dtm::write(envelope.at.micros()));
    pid(&mut out, &movement.patient);
    let class = match movement.class.as_str() {
        "AMB" => "O",
        "EMER" => "E",
        "PRENC" => "P",
        _ => "I",
    };
    let location = movement.location.as_ref().map(pl).unwrap_or_default();
    let prior = movement.prior_location.as_ref().map(pl).unwrap_or_default();
    let visit = movement.encounter.as_ref().map(|e| e.to_string()).unwrap_or_default();
    let _ = write!(out, "PV1|1|{class}|{location}|||{prior}{}{visit}\r", "|".repeat(13));
    out
}

/// An ADT^A40: `retired` lives on as `survivor`.
#[must_use]
pub fn merge(envelope: &Envelope, survivor: &Patient, retired: &Identifier) -> String {
    let mut out = String::with_capacity(512);
    msh(&mut out, envelope, "ADT^A40^ADT_A39", "");
    let _ = write!(out, "EVN||{}\r", dtm::write(envelope.at.micros()));
    pid(&mut out, survivor);
    let _ = write!(out, "MRG|{}\r", cx(retired));
    out
}

pub(crate) fn msh(out: &mut String, envelope: &Envelope, kind: &str, profile: &str) {
    let mode = if envelope.recorded { "P^A" } else { "P" };
    let _ = write!(
        out,
        "MSH|^~\\&|{}|{}|VITALWIRE||{}||{kind}|{}|{mode}|{}|||NE|AL||UNICODE UTF-8|||{profile}\r",
        escape(&envelope.application),
        escape(&envelope.facility),
        dtm::write(envelope.at.micros()),
        escape(&envelope.control_id),
        envelope.version,
    );
}

pub(crate) fn pid(out: &mut String, patient: &Patient) {
    let identifiers: Vec<String> = patient.identifiers.iter().map(cx).collect();
    let name = format!("{}^{}", escape(&patient.name.family), escape(&patient.name.given));
    let birth = patient.birth_date.as_deref().unwrap_or("").replace('-', "");
    let sex = match patient.sex {
        Sex::Male => "M",
        Sex::Female => "F",
        Sex::Other => "O",
        Sex::Unknown => "U",
    };
    let _ = write!(out, "PID|||{}||{name}||{birth}|{sex}", identifiers.join("~"));
    if patient.deceased {
        let _ = write!(out, "{}Y", "|".repeat(22));
    }
    out.push('\r');
}

fn cx(identifier: &Identifier) -> String {
    format!(
        "{}^^^{}^{}",
        escape(&identifier.value),
        escape(&identifier.system),
        escape(&identifier.kind)
    )
}

pub(crate) fn pl(bed: &Bed) -> String {
    format!("{}^{}^{}", escape(&bed.unit), escape(&bed.room), escape(&bed.bed))
}

fn time(at: Option<EffectiveTime>) -> String {
    at.map(|t| dtm::write(t.micros())).unwrap_or_default()
}

struct Rows<'a> {
    out: &'a mut String,
    set_id: usize,
}

impl Rows<'_> {
    fn measurement(&mut self, index: usize, m: &Measurement) {
        let path = match m.channel {
            0 => format!("1.1.1.{}", index + 1),
            c => format!("1.{}.{}.{}", (c >> 20) & 0x3ff, (c >> 10) & 0x3ff, c & 0x3ff),
        };
        match &m.value {
            Value::Numeric(n) => self.row(m, m.metric, &path, "NM", &number(*n)),
            Value::Compound(parts) => {
                for (at, (metric, n)) in parts.iter().enumerate() {
                    self.row(m, *metric, &format!("1.1.2.{}", at + 1), "NM", &number(*n));
                }
            }
            Value::Enumeration(state, text) if text.is_empty() => {
                self.row(m, m.metric, &path, "NM", &state.to_string());
            }
            Value::Enumeration(state, text) => {
                self.row(m, m.metric, &path, "CWE", &format!("{state}^{}", escape(text)));
            }
            Value::Text(text) => self.row(m, m.metric, &path, "ST", &escape(text)),
            Value::SampleArray(array) => self.waveform(m, &path, array),
        }
    }

    fn waveform(&mut self, m: &Measurement, path: &str, array: &SampleArray) {
        let values = array.values();
        let samples: Vec<String> = values
            .iter()
            .map(|s| if s.is_nan() { String::new() } else { number(*s) })
            .collect();
        self.row(m, m.metric, path, "NA", &samples.join("^"));
        self.attribute(&rate(array), &format!("{path}.1"));
        let valid = || values.iter().copied().filter(|s| !s.is_nan());
        let (low, high) = (valid().fold(f64::MAX, f64::min), valid().fold(f64::MIN, f64::max));
        if low < high {
            let range = format!(
                "NR|0^MDC_ATTR_DATA_RANGE^MDC|{{}}|{}^{}|{}",
                number(low),
                number(high),
                unit(m.unit)
            );
            self.attribute(&range, &format!("{path}.2"));
        }
    }

    /// One OBX; `row` has `{}` where the path stands.
    fn attribute(&mut self, row: &str, path: &str) {
        self.set_id += 1;
        let _ = write!(self.out, "OBX|{}|{}|||||F\r", self.set_id, row.replace("{}", path));
    }

    fn row(&mut self, m: &Measurement, metric: MetricCode, path: &str, kind: &str, value: &str) {
        self.set_id += 1;
        let flags: Vec<&str> = [
            (Quality::INVALID, "INV"),
            (Quality::QUESTIONABLE, "QUES"),
            (Quality::CALIBRATING, "CAL"),
            (Quality::TEST, "TEST"),
        ]
        .into_iter()
        .filter(|(flag, _)| m.quality.contains(*flag))
        .map(|(_, name)| name)
        .collect();
        let status = if m.quality.contains(Quality::AMENDED) { "C" } else { "F" };
        let at = m.device_time.map(|t| dtm::write(t.micros())).unwrap_or_default();
        let method =
            if m.quality.contains(Quality::MANUAL) { "MMEAS^manual-measurement^MDC" } else { "" };
        let system = if metric.refid().starts_with("VW_") { "99VW" } else { "MDC" };
        let _ = write!(
            self.out,
            "OBX|{}|{kind}|{}^{}^{system}|{path}|{value}|{}||{}|||{status}|||{at}|||{method}\r",
            self.set_id,
            metric.0,
            metric.refid(),
            unit(m.unit),
            flags.join("~"),
        );
    }
}

/// The sampling rate, or, where that is no short decimal, the sampling period.
fn rate(array: &SampleArray) -> String {
    let (n, d) = (u64::from(array.rate.numerator()), u64::from(array.rate.denominator()));
    if 1_000_000 % d != 0 && 1_000_000 % n.max(1) == 0 {
        let period = number(d as f64 / n as f64);
        return format!("NM|67981^MDC_ATTR_TIME_PD_SAMP^MDC|{{}}|{period}|264320^MDC_DIM_SEC^MDC");
    }
    let rate = number(n as f64 / d as f64);
    format!("NM|0^MDC_ATTR_SAMP_RATE^MDC|{{}}|{rate}|264608^MDC_DIM_PER_SEC^MDC")
}

pub(crate) fn unit(unit: Unit) -> String {
    match (unit.mdc(), unit.refid()) {
        (0, _) | (_, "") => format!("{0}^{0}^UCUM", escape(unit.ucum())),
        (code, refid) => format!("{code}^{refid}^MDC"),
    }
}

fn number(n: f64) -> String {
    let plain = n.to_string();
    if plain.len() > 32 { format!("{n:e}") } else { plain }
}

pub(crate) fn escape(text: &str) -> String {
    Separators::default().escape(text).into_owned()
}
