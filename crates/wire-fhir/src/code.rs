//! Codings to metrics and back, and the systems they belong to.

use serde_json::{Value, json};
use vitals::metric::code;
use vitals::{Metric, MetricCode, Unit};

/// IEEE 11073-10101 nomenclature.
pub const MDC: &str = "urn:iso:std:iso:11073:10101";
/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// UCUM.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// Codes of `Observation.category`.
pub const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
/// Codes of `dataAbsentReason`.
pub const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";

/// LOINC codes that name a metric beside those in the metric table.
const LOINC_ALSO: [(&str, MetricCode); 2] =
    [("76282-3", code::HEART_RATE), ("67775-7", code::CONSCIOUSNESS)];
/// R4's vital-signs profile for saturation demands this code beside the one for pulse oximetry.
const LOINC_SATURATION: &str = "2708-6";

/// The codings of a `CodeableConcept` as (system, code).
pub(crate) fn codings(concept: &Value) -> impl Iterator<Item = (&str, &str)> {
    concept["coding"].as_array().into_iter().flatten().filter_map(|coding| {
        Some((coding["system"].as_str().unwrap_or_default(), coding["code"].as_str()?))
    })
}

/// The metric that a concept names: by an MDC coding first, which says more, then by LOINC.
pub(crate) fn metric_of(concept: &Value) -> Option<&'static Metric> {
    let by = |wanted: &'static str| codings(concept).filter(move |(system, _)| *system == wanted);
    by(MDC)
        .chain(by(PRIVATE))
        .find_map(|(_, code)| mdc_metric(code))
        .or_else(|| by(LOINC).find_map(|(_, code)| loinc_metrics(code).first().copied()))
}

/// The metric of an MDC code written as a number or a reference id.
pub(crate) fn mdc_metric(code: &str) -> Option<&'static Metric> {
    match code.parse::<u32>() {
        Ok(number) => MetricCode(number).metric(),
        Err(_) => Metric::by_refid(code),
    }
}

/// Every metric that a LOINC code names.
pub(crate) fn loinc_metrics(loinc: &str) -> Vec<&'static Metric> {
    let also = LOINC_ALSO.iter().filter(|(code, _)| *code == loinc).filter_map(|(_, m)| m.metric());
    let same = Metric::all().filter(|metric| metric.loinc == Some(loinc));
    let mut found: Vec<&'static Metric> = Metric::by_loinc(loinc).into_iter().chain(same).chain(also).collect();
    let mut seen = Vec::new();
    found.retain(|metric| !seen.contains(&metric.code) && { seen.push(metric.code); true });
    found
}

/// The `CodeableConcept` of a metric, with each code that it has.
pub(crate) fn concept(metric: MetricCode) -> Value {
    let Some(row) = metric.metric() else {
        return json!({"coding": [{"system": MDC, "code": metric.0.to_string()}]});
    };
    let mut codings = Vec::new();
    let mut push = |system: &str, code: &str, display: &str| {
        codings.push(json!({"system": system, "code": code, "display": display}));
    };
    if let Some(loinc) = row.loinc {
        push(LOINC, loinc, row.name);
    }
    if row.code == code::SPO2 {
        push(LOINC, LOINC_SATURATION, row.name);
    }
    // Our own codes are not in the nomenclature and do not pretend to be.
    let system = if row.refid.starts_with("VW_") { PRIVATE } else { MDC };
    push(system, &row.code.0.to_string(), row.refid);
    json!({"coding": codings, "text": row.name})
}

/// System of the metrics that no nomenclature has; their codes are the platform's own numbers.
pub const PRIVATE: &str = "urn:vitalwire:metric";

/// The R4 observation category of a metric.
#[must_use]
pub fn category(metric: &Metric) -> &'static str {
    match metric.category {
        "vital" | "cardiac" | "body" => "vital-signs",
        "glucose" | "lab" => "laboratory",
        "pump" => "therapy",
        "activity" => "activity",
        "score" | "risk" => "survey",
        _ => "procedure",
    }
}

/// The unit that a `Quantity` names: by its UCUM or MDC code, else by its text.
pub(crate) fn unit_of(quantity: &Value) -> Option<Unit> {
    let text = |name: &str| quantity[name].as_str();
    let coded = match (text("system"), text("code")) {
        (Some(MDC), Some(code)) => {
            code.parse().ok().and_then(Unit::from_mdc).or_else(|| Unit::from_refid(code))
        }
        (_, Some(code)) => Unit::from_ucum(code),
        _ => None,
    };
    coded.or_else(|| text("unit").and_then(Unit::from_ucum))
}

/// Named states by code: (metric, system, code, number). SNOMED CT findings and LOINC answers as
/// they are used for ACVPU and for supplemental oxygen.
const STATES: [(MetricCode, &str, &str, i32); 16] = [
    (code::CONSCIOUSNESS, SNOMED, "248234008", 0),
    (code::CONSCIOUSNESS, SNOMED, "130987000", 1),
    (code::CONSCIOUSNESS, SNOMED, "300202002", 2),
    (code::CONSCIOUSNESS, SNOMED, "450847001", 3),
    (code::CONSCIOUSNESS, SNOMED, "422768004", 4),
    (code::CONSCIOUSNESS, LOINC, "LA9340-6", 0),
    (code::CONSCIOUSNESS, LOINC, "LA17107-6", 2),
    (code::CONSCIOUSNESS, LOINC, "LA17108-4", 3),
    (code::CONSCIOUSNESS, LOINC, "LA9343-0", 4),
    (code::SUPPLEMENTAL_OXYGEN, SNOMED, "722742002", 0),
    (code::SUPPLEMENTAL_OXYGEN, SNOMED, "371825009", 1),
    (code::OBSTETRIC, SNOMED, "60001007", 0),
    (code::OBSTETRIC, SNOMED, "77386006", 1),
    (code::OBSTETRIC, SNOMED, "86569001", 2),
    (code::OBSTETRIC, LOINC, "LA26683-5", 0),
    (code::OBSTETRIC, LOINC, "LA15173-0", 1),
];

/// Named states by word, for systems that send text: the first one found counts.
const WORDS: [(MetricCode, &str, i32); 19] = [
    (code::CONSCIOUSNESS, "unresponsive", 4),
    (code::CONSCIOUSNESS, "confus", 1),
    (code::CONSCIOUSNESS, "voice", 2),
    (code::CONSCIOUSNESS, "verbal", 2),
    (code::CONSCIOUSNESS, "pain", 3),
    (code::CONSCIOUSNESS, "alert", 0),
    (code::SUPPLEMENTAL_OXYGEN, "air", 0),
    (code::SUPPLEMENTAL_OXYGEN, "none", 0),
    (code::SUPPLEMENTAL_OXYGEN, "false", 0),
    (code::SUPPLEMENTAL_OXYGEN, "oxygen", 1),
    (code::SUPPLEMENTAL_OXYGEN, "true", 1),
    (code::RESPIRATORY_EFFORT, "severe", 3),
    (code::RESPIRATORY_EFFORT, "moderate", 2),
    (code::RESPIRATORY_EFFORT, "mild", 1),
    (code::RESPIRATORY_EFFORT, "normal", 0),
    (code::OBSTETRIC, "not pregnant", 0),
    (code::OBSTETRIC, "postpartum", 2),
    (code::OBSTETRIC, "childb", 2),
    (code::OBSTETRIC, "pregnant", 1),
];

/// The number of a state given by code; an MDC or private code is its own number.
pub(crate) fn state_by_code(metric: MetricCode, system: &str, code: &str) -> Option<i32> {
    STATES
        .iter()
        .find(|(m, s, c, _)| *m == metric && *s == system && *c == code)
        .map(|(.., number)| *number)
        .or_else(|| matches!(system, MDC | STATE).then(|| code.parse().ok()).flatten())
}

/// The number of a state given in words.
pub(crate) fn state_by_text(metric: MetricCode, text: &str) -> Option<i32> {
    let lower = text.to_lowercase();
    WORDS
        .iter()
        .find(|(m, word, _)| *m == metric && lower.contains(word))
        .map(|(.., number)| *number)
        .or_else(|| lower.parse().ok())
}

/// The standard code of a state, if the table has one: SNOMED CT before LOINC.
pub(crate) fn standard_state(metric: MetricCode, number: i32) -> Option<(&'static str, &'static str)> {
    STATES
        .iter()
        .find(|(m, _, _, n)| *m == metric && *n == number)
        .map(|(_, system, code, _)| (*system, *code))
}

/// System of the numbers of named states, as projected.
pub const STATE: &str = "urn:vitalwire:state";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concepts_are_read_back() {
        for metric in Metric::all() {
            let got = metric_of(&concept(metric.code)).map(|m| m.code);
            assert_eq!(got, Some(metric.code), "{}", metric.refid);
        }
        let sats = json!({"coding": [{"system": LOINC, "code": "2708-6"}]});
        assert_eq!(metric_of(&sats).map(|m| m.code), Some(code::SPO2));
    }

    #[test]
    fn states_by_code_and_word() {
        assert_eq!(state_by_code(code::CONSCIOUSNESS, SNOMED, "300202002"), Some(2));
        assert_eq!(state_by_text(code::CONSCIOUSNESS, "Responds to Pain"), Some(3));
        assert_eq!(state_by_text(code::SUPPLEMENTAL_OXYGEN, "Room air"), Some(0));
        assert_eq!(state_by_text(code::CONSCIOUSNESS, "asleep"), None);
        assert_eq!(state_by_code(code::OBSTETRIC, LOINC, "LA15173-0"), Some(1));
        assert_eq!(state_by_text(code::OBSTETRIC, "Not pregnant"), Some(0));
        assert_eq!(state_by_code(code::OBSTETRIC, LOINC, "LA4489-6"), None);
    }
}
