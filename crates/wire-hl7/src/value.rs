//! OBX-5 by the type that OBX-2 gives it, and what OBX-8, OBX-11 and OBX-17 say about it.

use vitals::metric::code;
use vitals::{Metric, MetricCode, Quality};

use crate::dtm::Dtm;
use crate::syntax::{Field, Segment};

/// A value as sent, not yet in the metric's unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sent {
    /// Nothing was sent.
    Nothing,
    /// A number; `true` if it is only a bound (`>100`).
    Number(f64, bool),
    /// Systolic, diastolic and maybe mean pressure in one text: `120/80(93)`.
    Pressures(Vec<f64>),
    /// A code with its text.
    Coded(String, String),
    /// Text.
    Text(String),
    /// Samples; NaN where there is none, and how many could not be read.
    Samples(Vec<f64>, usize),
    /// A value range.
    Range(f64, f64),
    /// A document: what kind it is and about how many bytes it has.
    Document(String, usize),
    /// A place.
    Place(String),
    /// A type that OBX-2 may not have here.
    UnknownType,
    /// Not what OBX-2 says.
    Wrong,
}

/// Reads OBX-5. More than `max_samples` samples are cut off and count as unreadable.
pub(crate) fn read(obx: &Segment<'_>, max_samples: usize) -> Sent {
    let kind = obx.field(2).text().to_uppercase();
    let value = obx.field(5);
    if value.is_empty() && !matches!(kind.as_str(), "NA" | "SN") {
        return Sent::Nothing;
    }
    match kind.as_str() {
        "NM" if value.repetitions().nth(1).is_some() => samples(&value, max_samples),
        "NM" => number(&value.text()).map_or(Sent::Wrong, |n| Sent::Number(n, false)),
        "SN" => structured(&value),
        "NA" => samples(&value, max_samples),
        "NR" => {
            let bound = |at| number(&value.component(at));
            bound(1).zip(bound(2)).map_or(Sent::Wrong, |(low, high)| Sent::Range(low, high))
        }
        "CE" | "CWE" | "CNE" | "CF" => {
            Sent::Coded(value.component(1).into_owned(), value.component(2).into_owned())
        }
        "ED" => document(&value),
        "PL" => place(&value).map_or(Sent::Nothing, Sent::Place),
        "DT" | "TS" | "DTM" => {
            let time = Dtm::parse(&value.component(1)).map(|time| time.iso());
            Sent::Text(time.unwrap_or_else(|| value.raw.to_owned()))
        }
        "DR" | "TM" => Sent::Text(value.raw.to_owned()),
        "ST" | "TX" | "FT" | "IS" | "ID" | "" => text(&value),
        _ => Sent::UnknownType,
    }
}

/// PL: unit, room and bed as one name; none if it names none of them.
pub(crate) fn place(value: &Field<'_>) -> Option<String> {
    let parts: Vec<_> = (1..=3).map(|at| value.subcomponent(at, 1)).filter(|p| !p.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("-"))
}

/// ED: source, type, subtype, encoding, data. The data stay in the message.
fn document(value: &Field<'_>) -> Sent {
    let kind = [value.component(2), value.component(3)].map(|part| part.trim().to_lowercase());
    let data = value.components().nth(4).unwrap_or("").trim_end_matches('=').len();
    match value.component(4).to_lowercase().as_str() {
        _ if data == 0 => Sent::Wrong,
        "base64" => Sent::Document(kind.join("/"), data / 4 * 3 + data % 4 * 3 / 4),
        "hex" => Sent::Document(kind.join("/"), data / 2),
        _ => Sent::Document(kind.join("/"), data),
    }
}

/// What the flags of an OBX say against its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Said {
    /// Quality flags.
    pub(crate) quality: Quality,
    /// The device says that there is no value.
    pub(crate) unavailable: bool,
}

/// Reads OBX-8 (IHE PCD-01: the IEEE 11073 measurement status), OBX-11 (table 0085) and OBX-17.
pub(crate) fn said(obx: &Segment<'_>) -> Said {
    let mut said = Said::default();
    match obx.field(11).text().as_ref() {
        // Not obtained, not asked for, still being worked on, details of an order.
        "X" | "N" | "I" | "O" => said.unavailable = true,
        "C" => said.quality |= Quality::AMENDED,
        // Deleted, or sent for the wrong patient.
        "D" | "W" => said.quality |= Quality::AMENDED | Quality::INVALID,
        _ => {}
    }
    for flag in obx.field(8).repetitions() {
        match flag.component(1).as_ref() {
            "INV" => said.quality |= Quality::INVALID,
            "QUES" => said.quality |= Quality::QUESTIONABLE,
            "CAL" => said.quality |= Quality::CALIBRATING,
            "TEST" | "DEMO" => said.quality |= Quality::TEST,
            "NAV" | "BUSY" | "OFF" => said.unavailable = true,
            _ => {}
        }
    }
    if obx.field(17).repetitions().any(|method| method.component(1) == "MMEAS") {
        said.quality |= Quality::MANUAL;
    }
    // A value in spite of all: kept, but not to be believed.
    if said.unavailable {
        said.quality |= Quality::INVALID;
    }
    said
}

/// A number as HL7 writes it: no infinities, no hexadecimal, no decimal comma.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// The number of an enumeration's state: as sent, or by its name.
pub(crate) fn state_number(metric: MetricCode, name: &str) -> Option<i32> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let name = name.to_lowercase();
    if let Some(state) = pump_state(metric, &name) {
        return Some(state);
    }
    let known: &[(&str, i32)] = match metric {
        code::CONSCIOUSNESS => &[
            ("a", 0),
            ("alert", 0),
            ("c", 1),
            ("confusion", 1),
            ("new confusion", 1),
            ("v", 2),
            ("voice", 2),
            ("verbal", 2),
            ("p", 3),
            ("pain", 3),
            ("u", 4),
            ("unresponsive", 4),
        ],
        code::SUPPLEMENTAL_OXYGEN => &[
            ("n", 0),
            ("no", 0),
            ("air", 0),
            ("room air", 0),
            ("y", 1),
            ("yes", 1),
            ("oxygen", 1),
            ("o2", 1),
        ],
        code::RESPIRATORY_EFFORT => &[("none", 0), ("mild", 1), ("moderate", 2), ("severe", 3)],
        _ => &[],
    };
    known.iter().find(|(text, _)| *text == name).map(|(_, number)| *number)
}

/// States of infusion pumps by the words of IHE PCD-10 (IPEC, table X.1.2-1) and its pump terms.
fn pump_state(metric: MetricCode, name: &str) -> Option<i32> {
    let known: &[&str] = match metric.metric().map_or("", |row| row.refid) {
        "VW_PUMP_EVENT" => &[
            "",
            "mdc_evt_pump_deliv_start",
            "mdc_evt_pump_deliv_stop",
            "mdc_evt_pump_deliv_comp",
            "mdc_evt_comm_status_change",
            "mdc_evt_pump_prog_cleared",
            "mdc_evt_pump_auto_prog_cleared",
            "mdc_evt_patient_change",
            "mdc_evt_patient_id_change",
            "mdc_evt_patient_parameter_change",
            "mdc_evt_pump_vol_counters_cleared",
            "mdc_evt_device_time_changed",
        ],
        "MDC_PUMP_STAT" => &["pump-status-not-infusing", "pump-status-infusing"],
        "MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS" => &[
            "pump-delivery-status-not-delivering",
            "pump-delivery-status-delivering",
            "pump-delivery-status-transitioning",
            "pump-delivery-status-kvo",
        ],
        _ => return None,
    };
    let at = known.iter().position(|word| *word == name && !word.is_empty())?;
    i32::try_from(at).ok()
}

/// The metrics of the parts of a compound pressure: in the nomenclature systolic, diastolic and
/// mean follow the compound's own code.
pub(crate) fn pressure_part(compound: MetricCode, part: usize) -> Option<&'static Metric> {
    let offset = u32::try_from(part).ok()? + 1;
    MetricCode(compound.0 + offset).metric()
}

fn text(value: &Field<'_>) -> Sent {
    let text = value.text();
    if let Some(plain) = number(&text) {
        return Sent::Number(plain, false);
    }
    if let Some(bound) =
        text.strip_prefix(['<', '>']).and_then(|t| number(t.trim_start_matches('=')))
    {
        return Sent::Number(bound, true);
    }
    if let Some(parts) = pressures(&text) {
        return Sent::Pressures(parts);
    }
    match value.components().nth(1) {
        Some(_) => Sent::Coded(value.component(1).into_owned(), value.component(2).into_owned()),
        None => Sent::Text(text.into_owned()),
    }
}

/// `120/80`, `120/80(93)`, `120/80/93`.
fn pressures(text: &str) -> Option<Vec<f64>> {
    let parts: Option<Vec<f64>> = text
        .trim_end_matches(')')
        .split(['/', '('])
        .map(|part| number(part).filter(|n| (0.0..1000.0).contains(n)))
        .collect();
    parts.filter(|p| matches!(p.len(), 2 | 3))
}

/// SN: comparator, number, separator, number.
fn structured(value: &Field<'_>) -> Sent {
    let first = number(&value.component(2));
    let second = number(&value.component(4));
    match (value.component(3).as_ref(), first, second) {
        ("", Some(n), None) => match value.component(1).as_ref() {
            "" | "=" => Sent::Number(n, false),
            "<" | ">" | "<=" | ">=" => Sent::Number(n, true),
            _ => Sent::Wrong,
        },
        ("-", Some(low), Some(high)) => Sent::Range(low, high),
        (":" | "/", Some(n), Some(d)) if d != 0.0 => Sent::Number(n / d, false),
        _ if value.is_empty() => Sent::Nothing,
        _ => Sent::Wrong,
    }
}

fn samples(value: &Field<'_>, max: usize) -> Sent {
    if value.raw.is_empty() {
        return Sent::Nothing;
    }
    let mut wrong = 0;
    let mut samples = Vec::new();
    for text in value.repetitions().flat_map(|repetition| repetition.components()) {
        if samples.len() == max {
            wrong += 1;
            break;
        }
        samples.push(match (text.trim(), number(text)) {
            ("" | "\"\"", _) => f64::NAN,
            (_, Some(sample)) => sample,
            (_, None) => {
                wrong += 1;
                f64::NAN
            }
        });
    }
    Sent::Samples(samples, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Separators;

    fn obx(kind: &str, value: &str, rest: &str) -> Sent {
        let line = format!("OBX|1|{kind}|x||{value}|{rest}");
        read(&Segment::parse(&line, Separators::default()).expect("a segment"), 4)
    }

    #[test]
    fn values_of_every_type() {
        let n = |n| Sent::Number(n, false);
        for (kind, value, expected) in [
            ("NM", "72", n(72.0)),
            ("NM", " -0.5e1 ", n(-5.0)),
            ("NM", "72 bpm", Sent::Wrong),
            ("NM", "inf", Sent::Wrong),
            ("NM", "37,5", Sent::Wrong),
            ("NM", "", Sent::Nothing),
            ("NM", "\"\"", Sent::Nothing),
            ("SN", "^95", n(95.0)),
            ("SN", ">^100", Sent::Number(100.0, true)),
            ("SN", "^1^:^4", n(0.25)),
            ("SN", "^1^-^4", Sent::Range(1.0, 4.0)),
            ("SN", "^1^:^0", Sent::Wrong),
            ("ST", "98", n(98.0)),
            ("ST", ">=98", Sent::Number(98.0, true)),
            ("ST", "120/80", Sent::Pressures(vec![120.0, 80.0])),
            ("ST", "120/80(93)", Sent::Pressures(vec![120.0, 80.0, 93.0])),
            ("TX", "calm", Sent::Text("calm".into())),
            ("CWE", "A^Alert^L", Sent::Coded("A".into(), "Alert".into())),
            ("NR", "-1^1.5", Sent::Range(-1.0, 1.5)),
            ("NR", "-1", Sent::Wrong),
            ("NA", "1^2~3", Sent::Samples(vec![1.0, 2.0, 3.0], 0)),
            ("NM", "1~2", Sent::Samples(vec![1.0, 2.0], 0)),
            ("NA", "1^2^3^4^5^6", Sent::Samples(vec![1.0, 2.0, 3.0, 4.0], 1)),
            ("TS", "20260101", Sent::Text("2026-01-01".into())),
            ("", "7", n(7.0)),
            ("ED", "x", Sent::Wrong),
            ("ED", "^application^pdf^Base64^QUJD", Sent::Document("application/pdf".into(), 3)),
            ("PL", "ICU^2^23", Sent::Place("ICU-2-23".into())),
            ("XAD", "x", Sent::UnknownType),
        ] {
            assert_eq!(obx(kind, value, ""), expected, "{kind} {value}");
        }
        let Sent::Samples(samples, 1) = obx("NA", "1^^x", "") else { panic!("samples") };
        assert!(samples[1].is_nan() && samples[2].is_nan());
    }

    #[test]
    fn flags() {
        let check = |fields: &str, quality: Quality, unavailable: bool| {
            let line = format!("OBX|1|NM|x||1||{fields}");
            let segment = Segment::parse(&line, Separators::default()).expect("a segment");
            assert_eq!(said(&segment), Said { quality, unavailable }, "{fields}");
        };
        check("|||F", Quality::empty(), false);
        check("||||R", Quality::empty(), false);
        check("||||C", Quality::AMENDED, false);
        check("||||X", Quality::INVALID, true);
        check("||||W", Quality::AMENDED | Quality::INVALID, false);
        check("|QUES~TEST|||R", Quality::QUESTIONABLE | Quality::TEST, false);
        check("|NAV|||X", Quality::INVALID, true);
        check("|H|||F||||||MMEAS^^MDC", Quality::MANUAL, false);
    }
}
