//! What people read for the number of an enumeration.

use vitals::MetricCode;
use vitals::metric::code;

/// The word for `value` of an enumerated metric: `Voice` for 2 of the level of consciousness (the
/// order of ACVPU). None where the metric has no words, or the value is none of its states.
#[must_use]
pub fn word(metric: MetricCode, value: f64) -> Option<&'static str> {
    let words: &[&str] = match metric {
        code::CONSCIOUSNESS => &["Alert", "New confusion", "Voice", "Pain", "Unresponsive"],
        code::SUPPLEMENTAL_OXYGEN => &["Air", "Oxygen"],
        code::RESPIRATORY_EFFORT => &["None", "Mild", "Moderate", "Severe"],
        code::OBSTETRIC => &["Not pregnant", "Pregnant", "After childbirth"],
        code::VENTILATION => &["Not ventilated", "Ventilated"],
        code::VASOACTIVE => &[
            "None",
            "Dopamine ≤ 5 or dobutamine",
            "Dopamine > 5 or (nor)adrenaline ≤ 0.1",
            "Dopamine > 15 or (nor)adrenaline > 0.1",
        ],
        code::BEAT => {
            &["", "Normal", "Supraventricular", "Ventricular", "Paced", "Fusion", "Unclassifiable"]
        }
        code::RHYTHM => &RHYTHMS,
        code::SIGNAL_REASON => &[
            "Good", "Flat", "Clipped", "Baseline wander", "Motion", "Mains interference", "Lead off", "Noise",
        ],
        _ => return None,
    };
    if value.fract() != 0.0 || value < 0.0 {
        return None;
    }
    words.get(value as usize).copied().filter(|word| !word.is_empty())
}

/// By the numbers of `signal::Rhythm`.
const RHYTHMS: [&str; 15] = [
    "Undetermined",
    "Regular",
    "Bradycardia",
    "Tachycardia",
    "Atrial fibrillation",
    "Bigeminy",
    "Trigeminy",
    "Couplet",
    "Ventricular run",
    "Pause",
    "Extreme bradycardia",
    "Extreme tachycardia",
    "Ventricular tachycardia",
    "Ventricular fibrillation",
    "Asystole",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_in_words_and_nothing_is_made_up() {
        let table = [
            (code::CONSCIOUSNESS, 0.0, Some("Alert")),
            (code::CONSCIOUSNESS, 3.0, Some("Pain")),
            (code::CONSCIOUSNESS, 5.0, None),
            (code::CONSCIOUSNESS, 0.5, None),
            (code::SUPPLEMENTAL_OXYGEN, 1.0, Some("Oxygen")),
            (code::SUPPLEMENTAL_OXYGEN, -1.0, None),
            (code::HEART_RATE, 1.0, None),
            (code::RHYTHM, 14.0, Some("Asystole")),
            (code::BEAT, 0.0, None),
            (code::SIGNAL_REASON, 6.0, Some("Lead off")),
        ];
        for (metric, value, expected) in table {
            assert_eq!(word(metric, value), expected, "{metric:?} {value}");
        }
    }
}
