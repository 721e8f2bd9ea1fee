//! Names of channels and units in recordings, and the IEEE 11073 metrics and UCUM units that they
//! mean.
//!
//! Recordings have no nomenclature: `II`, `MLII` and `ECG II` are one lead by custom only. The tables
//! hold what PhysioNet's databases, EDF+'s list of standard texts and bedside monitors write. A
//! name that is in neither table stays a name, and loses nothing.

use vitals::{Metric, MetricCode, Unit};

/// Names (in capitals, without spaces, `_`, `-` and a leading `ECG`) by the metric's reference id.
/// The first is the one that is written.
const LABELS: [(&str, &[&str]); 27] = [
    ("MDC_ECG_ELEC_POTL_I", &["I", "MLI", "LEADI", "D1", "DI"]),
    ("MDC_ECG_ELEC_POTL_II", &["II", "MLII", "LEADII", "D2", "DII"]),
    ("MDC_ECG_ELEC_POTL_III", &["III", "MLIII", "LEADIII", "D3", "DIII"]),
    ("MDC_ECG_ELEC_POTL_AVR", &["AVR"]),
    ("MDC_ECG_ELEC_POTL_AVL", &["AVL"]),
    ("MDC_ECG_ELEC_POTL_AVF", &["AVF"]),
    ("MDC_ECG_ELEC_POTL_V1", &["V1"]),
    ("MDC_ECG_ELEC_POTL_V2", &["V2"]),
    ("MDC_ECG_ELEC_POTL_V3", &["V3"]),
    ("MDC_ECG_ELEC_POTL_V4", &["V4"]),
    ("MDC_ECG_ELEC_POTL_V5", &["V5"]),
    ("MDC_ECG_ELEC_POTL_V6", &["V6"]),
    ("MDC_ECG_ELEC_POTL_V", &["V"]),
    ("MDC_ECG_ELEC_POTL_MCL", &["MCL", "MCL1"]),
    ("MDC_ECG_ELEC_POTL", &["ECG", "EKG", "ECG1", "ECG2", "UNKNOWN"]),
    ("MDC_PULS_OXIM_PLETH", &["PLETH", "PLE", "PPG", "SPO2WAVE", "PLETHYSMOGRAM"]),
    ("MDC_PRESS_BLD_ART_ABP", &["ABP"]),
    ("MDC_PRESS_BLD_ART", &["ART", "BP", "P1", "AOBP"]),
    ("MDC_PRESS_BLD_ART_PULM", &["PAP"]),
    ("MDC_PRESS_BLD_VEN_CENT", &["CVP"]),
    ("MDC_PRESS_INTRA_CRAN", &["ICP"]),
    ("MDC_IMPED_TTHOR", &["RESPIMP", "RESPIMPEDANCE"]),
    ("MDC_RESP", &["RESP", "RESPIRATION", "RESPCHEST", "RESPABDOMEN"]),
    ("MDC_AWAY_CO2", &["CO2", "CAPNO"]),
    ("MDC_PRESS_AWAY", &["PAW", "AWP"]),
    ("MDC_FLOW_AWAY", &["FLOW", "AWF"]),
    ("MDC_EEG_ELEC_POTL_CRTX", &["EEG"]),
];

/// Units as recordings write them, and their UCUM codes. The first of a code is the one that is
/// written.
const UNITS: [(&str, &str); 18] = [
    ("mV", "mV"),
    ("uV", "uV"),
    ("µV", "uV"),
    ("V", "V"),
    ("mmHg", "mm[Hg]"),
    ("cmH2O", "cm[H2O]"),
    ("kPa", "kPa"),
    ("NU", "1"),
    ("nd", "1"),
    ("adu", "1"),
    ("Ohm", "Ohm"),
    ("pm", "/min"),
    ("bpm", "/min"),
    ("L/min", "L/min"),
    ("mL", "mL"),
    ("%", "%"),
    ("degC", "Cel"),
    ("C", "Cel"),
];

/// The metric that a channel's label means, if the table has it; capitals, spaces and a leading
/// `ECG` make no difference.
#[must_use]
pub fn metric(label: &str) -> Option<MetricCode> {
    let plain: String = label
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-' | '.'))
        .flat_map(char::to_uppercase)
        .collect();
    let known = |name: &str| LABELS.iter().find(|(_, names)| names.contains(&name));
    let found = known(&plain).or_else(|| known(plain.strip_prefix("ECG")?));
    let refid = found.map_or(label, |(refid, _)| refid);
    Metric::by_refid(refid).map(|metric| metric.code)
}

/// The label that a metric's channel is written with: the table's, else the metric's own.
#[must_use]
pub fn label(metric: MetricCode) -> String {
    let refid = metric.refid();
    match LABELS.iter().find(|(id, _)| *id == refid) {
        Some((_, names)) => names[0].to_owned(),
        None => metric.metric().map_or(refid, |row| row.label.to_owned()),
    }
}

/// The unit that a recording's unit text means.
#[must_use]
pub fn unit(text: &str) -> Option<Unit> {
    let text = text.trim();
    let known = UNITS.iter().find(|(name, _)| *name == text);
    known.map_or_else(|| Unit::from_ucum(text), |(_, ucum)| Unit::from_ucum(ucum))
}

/// The text that a unit is written with.
#[must_use]
pub fn unit_text(unit: Unit) -> &'static str {
    let known = UNITS.iter().find(|(_, ucum)| *ucum == unit.ucum());
    known.map_or(unit.ucum(), |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_name_what_exists() {
        let mut seen = std::collections::HashSet::new();
        for (refid, names) in LABELS {
            assert!(Metric::by_refid(refid).is_some_and(|row| row.refid == refid), "{refid}");
            for name in names {
                assert!(seen.insert(name), "{name} twice");
            }
            let code = Metric::by_refid(refid).map(|row| row.code).expect("just found");
            assert_eq!(metric(&label(code)), Some(code), "{refid}");
        }
        for (name, ucum) in UNITS {
            assert_eq!(unit(name).map(Unit::ucum), Some(ucum), "{name}");
        }
    }

    #[test]
    fn labels_are_known_by_custom() {
        for (name, refid) in [
            ("MLII", Some("MDC_ECG_ELEC_POTL_II")),
            ("ECG II", Some("MDC_ECG_ELEC_POTL_II")),
            ("ecg_v5", Some("MDC_ECG_ELEC_POTL_V5")),
            ("ECG", Some("MDC_ECG_ELEC_POTL")),
            ("aVR", Some("MDC_ECG_ELEC_POTL_AVR")),
            ("PLETH", Some("MDC_PULS_OXIM_PLETH")),
            ("MDC_AWAY_CO2", Some("MDC_AWAY_CO2")),
            ("Angle", None),
            ("", None),
        ] {
            let found = metric(name).map(MetricCode::refid);
            assert_eq!(found.as_deref(), refid, "{name}");
        }
    }

    #[test]
    fn units_come_back() {
        for (name, text) in [("mV", "mV"), ("bpm", "pm"), ("NU", "NU"), ("mm[Hg]", "mmHg"), ("mmol/L", "mmol/L")] {
            assert_eq!(unit(name).map(unit_text), Some(text), "{name}");
        }
        assert_eq!(unit("degrees"), None);
    }
}
