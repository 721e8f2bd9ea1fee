//! HL7 v2 messages: ADT of an admission system and ORU^R01 as IHE PCD-01 shapes it. Names are
//! escaped; nothing else here is free text.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::Timestamp;
use vitals::{Metric, Sex};

/// Whom a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Record number.
    pub mrn: &'a str,
    /// Assigning authority of the record number.
    pub authority: &'a str,
    /// Family name; may be empty.
    pub family: &'a str,
    /// Given name; may be empty.
    pub given: &'a str,
    /// ISO date of birth; may be empty.
    pub birth_date: &'a str,
    /// Sex.
    pub sex: Sex,
}

/// What every message begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Sending application.
    pub application: &'a str,
    /// Control id, unique per application.
    pub control_id: &'a str,
    /// Time of the message, µs since 1970.
    pub time_us: i64,
    /// True for a recording played back: MSH-11.2 is `R`.
    pub recorded: bool,
}

/// A bed: unit, room, bed.
pub type Place<'a> = (&'a str, &'a str, &'a str);

/// One movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement<'a> {
    /// Trigger: `A01`, `A02`, `A03`, `A04`, `A08`, …
    pub trigger: &'a str,
    /// Where the patient is after it.
    pub place: Option<Place<'a>>,
    /// Where the patient was before it.
    pub prior: Option<Place<'a>>,
    /// Visit number.
    pub visit: &'a str,
    /// Patient class: `I` inpatient, `O` outpatient.
    pub class: &'a str,
}

/// One OBX of a device report.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The metric.
    pub metric: &'a Metric,
    /// The value; none when the device has none at the moment (sensor off).
    pub value: Option<f64>,
}

/// Time as HL7 writes it, with milliseconds and UTC offset.
#[must_use]
pub fn timestamp(time_us: i64) -> String {
    let time = Timestamp::from_microsecond(time_us).unwrap_or(Timestamp::UNIX_EPOCH);
    let zoned = time.to_zoned(TimeZone::UTC);
    format!("{}.{:03}+0000", zoned.strftime("%Y%m%d%H%M%S"), time_us.div_euclid(1_000) % 1_000)
}

/// An ADT message.
#[must_use]
pub fn adt(header: &Header<'_>, who: &Subject<'_>, what: &Movement<'_>) -> String {
    let mut text = String::with_capacity(400);
    let time = timestamp(header.time_us);
    msh(&mut text, header, &format!("ADT^{}^ADT_A01", what.trigger), "");
    let _ = write!(text, "EVN|{}|{time}\r", what.trigger);
    pid(&mut text, who);
    let at = what.place.map(place).unwrap_or_default();
    let prior = what.prior.map(place).unwrap_or_default();
    let mut fields = vec![String::new(); 46];
    fields[1] = "1".to_owned();
    fields[2] = escape(what.class);
    fields[3] = at;
    fields[6] = prior;
    fields[19] = format!("{}^^^{}^VN", escape(what.visit), escape(who.authority));
    match what.trigger {
        "A01" | "A04" => fields[44] = time,
        "A03" => fields[45] = time,
        _ => {}
    }
    let _ = write!(text, "PV1{}", fields.join("|"));
    while text.ends_with('|') {
        text.pop();
    }
    text.push('\r');
    text
}

/// An unsolicited device report (IHE PCD-01) of one device, all values of one time.
#[must_use]
pub fn pcd01(
    header: &Header<'_>,
    who: Option<&Subject<'_>>,
    at: Option<Place<'_>>,
    device: &str,
    values: &[Observation<'_>],
) -> String {
    let mut text = String::with_capacity(500 + values.len() * 130);
    let time = timestamp(header.time_us);
    msh(
        &mut text,
        header,
        "ORU^R01^ORU_R01",
        "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO",
    );
    match who {
        Some(who) => pid(&mut text, who),
        None => text.push_str("PID|||\r"),
    }
    let _ = write!(text, "PV1||I|{}\r", at.map(place).unwrap_or_default());
    let _ = write!(
        text,
        "OBR|1|{0}^VWSIM|{0}^VWSIM|182777000^monitoring of patient^SCT|||{time}\r",
        header.control_id
    );
    let _ = write!(
        text,
        "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||{time}||||{device}^VWSIM\r"
    );
    for (index, v) in values.iter().enumerate() {
        let metric = v.metric;
        let unit = if metric.unit.mdc() == 0 {
            format!("{0}^{0}^UCUM", metric.unit.ucum())
        } else {
            format!("{}^{}^MDC", metric.unit.mdc(), metric.unit.refid())
        };
        let (value, status) = v.value.map_or((String::new(), "X"), |v| (v.to_string(), "R"));
        let _ = write!(
            text,
            "OBX|{}|NM|{}^{}^MDC|1.1.1.{}|{value}|{unit}|||||{status}|||{time}||||{device}^VWSIM\r",
            index + 2,
            metric.code.0,
            metric.refid,
            index + 1,
        );
    }
    text
}

/// What an acknowledgement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// `AA`, `AE`, `AR` (or `CA`, `CE`, `CR`).
    pub code: String,
    /// Control id of the message that it answers.
    pub control_id: String,
}

impl Acknowledgement {
    /// Reads MSA of a message; none when there is no MSA.
    #[must_use]
    pub fn parse(message: &str) -> Option<Self> {
        let msa = message.split(['\r', '\n']).find(|line| line.starts_with("MSA"))?;
        let separator = msa.as_bytes().get(3).map_or('|', |byte| char::from(*byte));
        let mut fields = msa.split(separator).skip(1);
        Some(Self {
            code: fields.next()?.to_owned(),
            control_id: fields.next().unwrap_or_default().to_owned(),
        })
    }

    /// Whether the message was taken.
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self.code.as_str(), "AA" | "CA")
    }
}

fn msh(text: &mut String, header: &Header<'_>, kind: &str, profile: &str) {
    let _ = write!(
        text,
        "MSH|^~\\&|{}|VWSIM|VITALWIRE|WARD|{}||{kind}|{}|{}|2.6|||NE|AL||UNICODE UTF-8|||{profile}\r",
        escape(header.application),
        timestamp(header.time_us),
        header.control_id,
        if header.recorded { "P^R" } else { "P" },
    );
}

fn pid(text: &mut String, who: &Subject<'_>) {
    let sex = match who.sex {
        Sex::Male => "M",
        Sex::Female => "F",
        Sex::Other => "O",
        Sex::Unknown => "U",
    };
    let birth: String = who.birth_date.chars().filter(char::is_ascii_digit).collect();
    let _ = write!(
        text,
        "PID|1||{}^^^{}^MR||{}^{}^^^^^L||{birth}|{sex}\r",
        escape(who.mrn),
        escape(who.authority),
        escape(who.family),
        escape(who.given),
    );
}

fn place((unit, room, bed): Place<'_>) -> String {
    format!("{}^{}^{}", escape(unit), escape(room), escape(bed))
}

/// Escapes the delimiters (HL7 v2.6 chapter 2.7).
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Subject<'_> = Subject {
        mrn: "SIM0001",
        authority: "VWSIM",
        family: "O|Test",
        given: "Ann",
        birth_date: "1950-02-03",
        sex: Sex::Female,
    };

    fn header(id: &str) -> Header<'_> {
        Header { application: "ADT", control_id: id, time_us: 1_700_000_000_123_000, recorded: false }
    }

    #[test]
    fn an_admission_names_patient_bed_and_time() {
        let movement = Movement {
            trigger: "A01",
            place: Some(("4-West", "401", "A")),
            prior: None,
            visit: "V1",
            class: "I",
        };
        let text = adt(&header("7"), &WHO, &movement);
        let lines: Vec<&str> = text.split_terminator('\r').collect();
        assert_eq!(lines[1], "EVN|A01|20231114221320.123+0000");
        assert_eq!(lines[2], "PID|1||SIM0001^^^VWSIM^MR||O\\F\\Test^Ann^^^^^L||19500203|F");
        let pv1: Vec<&str> = lines[3].split('|').collect();
        assert_eq!(pv1[3], "4-West^401^A");
        assert_eq!(pv1[19], "V1^^^VWSIM^VN");
        assert_eq!(pv1[44], "20231114221320.123+0000");
    }

    #[test]
    fn a_device_report_carries_codes_units_and_gaps() {
        let metric = Metric::by_refid("MDC_ECG_HEART_RATE").expect("in the table");
        let values =
            [Observation { metric, value: Some(72.0) }, Observation { metric, value: None }];
        let text = pcd01(&header("8"), None, Some(("4-West", "401", "A")), "mon-1", &values);
        assert!(text.contains(
            "OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R|"
        ));
        assert!(text.contains("OBX|3|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.2||"));
    }

    #[test]
    fn acknowledgements_are_read() {
        let ack = Acknowledgement::parse("MSH|^~\\&|x\rMSA|AE|77|no\rERR|\r").expect("has MSA");
        assert_eq!((ack.code.as_str(), ack.control_id.as_str()), ("AE", "77"));
        assert!(!ack.accepted());
        assert_eq!(Acknowledgement::parse("MSH|^~\\&|x\r"), None);
    }
}
