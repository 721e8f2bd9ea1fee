//! What numbers of enumerations mean: the bits of status words, states that are terms of the
//! nomenclature, and the sensors of activity hubs that the platform has metrics of its own for.
//!
//! Bits are as HL7's personal health device guide lists them (code system ASN1ToHL7), bit 0 being
//! the most significant; terms are those of IEEE 11073-10101, -10441, -10471 and -10472.

use vitals::MetricCode;

/// A status word: its metric, how many bits it has, and names of bits.
struct Word {
    metric: u32,
    bits: &'static [(u8, &'static str)],
}

const WORDS: &[Word] = &[
    Word {
        metric: 150_604,
        bits: &[
            (0, "sensor-disconnected"),
            (1, "sensor-malfunction"),
            (2, "sensor-displaced"),
            (3, "sensor-unsupported"),
            (4, "sensor-off"),
            (5, "sensor-interference"),
            (6, "signal-searching"),
            (7, "signal-pulse-questionable"),
            (8, "signal-non-pulsatile"),
            (9, "signal-erratic"),
            (10, "signal-low-perfusion"),
            (11, "signal-poor"),
            (12, "signal-inadequate"),
            (13, "signal-processing-irregularity"),
            (14, "device-equipment-malfunction"),
            (15, "device-extended-update"),
        ],
    },
    Word {
        metric: 150_605,
        bits: &[
            (0, "pulse-qual-nominal"),
            (1, "pulse-qual-marginal"),
            (2, "pulse-qual-minimal"),
            (3, "pulse-qual-unacceptable"),
        ],
    },
    Word {
        metric: 8_410_584,
        bits: &[
            (0, "leadwire-loss"),
            (1, "leadsignal-loss"),
            (2, "leadwire-loss-first-lead"),
            (3, "leadsignal-loss-first-lead"),
            (4, "leadwire-loss-second-lead"),
            (5, "leadsignal-loss-second-lead"),
            (6, "leadwire-loss-third-lead"),
            (7, "leadsignal-loss-third-lead"),
        ],
    },
    Word {
        metric: 8_417_752,
        bits: &[
            (0, "device-battery-low"),
            (1, "sensor-malfunction"),
            (2, "sensor-sample-size-insufficient"),
            (3, "sensor-strip-insertion"),
            (4, "sensor-strip-type-incorrect"),
            (5, "sensor-result-too-high"),
            (6, "sensor-result-too-low"),
            (7, "sensor-temp-too-high"),
            (8, "sensor-temp-too-low"),
            (9, "sensor-read-interrupt"),
            (10, "device-gen-fault"),
            (11, "sensor-temp-out-of-range"),
        ],
    },
    Word {
        metric: 8_408_608,
        bits: &[
            (0, "device-status-undetermined"),
            (1, "device-status-reset"),
            (5, "device-status-error"),
            (6, "device-status-error-mechanical"),
            (7, "device-status-error-electronic"),
            (8, "device-status-error-software"),
            (9, "device-status-error-battery"),
            (15, "device-status-service"),
            (16, "device-status-service-time-sync-required"),
            (17, "device-status-service-calibration-required"),
            (18, "device-status-service-replenishment-required"),
            (25, "device-status-battery-low"),
            (26, "device-status-battery-depleted"),
            (27, "device-status-battery-replaced"),
            (28, "device-status-battery-interrupted"),
        ],
    },
    Word {
        metric: 8_418_060,
        bits: &[
            (0, "sensor-session-stopped"),
            (2, "sensor-type-incorrect"),
            (3, "sensor-malfunction"),
            (4, "device-specific-alert"),
            (7, "sensor-calibration-not-allowed"),
            (8, "sensor-calibration-recommended"),
            (9, "sensor-calibration-required"),
            (10, "sensor-temp-too-high"),
            (11, "sensor-temp-too-low"),
            (12, "sensor-result-below-patient-low"),
            (13, "sensor-result-above-patient-high"),
            (14, "sensor-low-hypo"),
            (15, "sensor-high-hyper"),
            (16, "sensor-rate-decrease-exceeded"),
            (17, "sensor-rate-increase-exceeded"),
            (18, "sensor-result-too-low"),
            (19, "sensor-result-too-high"),
            (20, "sensor-com-out-of-range"),
        ],
    },
];

/// The partition of disease management, health and fitness, ageing independently.
const FITNESS: u32 = 129 << 16;
/// Sensors of an activity hub (IEEE 11073-10471) begin here.
const AGEING: u32 = 130 << 16;

/// What a sensor's upper bits say, from bit 0; the lower sixteen are [`HUB`]'s.
const SENSORS: &[(u32, &[&str])] = &[
    (1, &["fall-detected"]),
    (2, &["pers-activated"]),
    (3, &["condition-detected"]),
    (4, &["condition-detected"]),
    (5, &["condition-detected"]),
    (6, &["condition-detected"]),
    (7, &["motion-detected", "motion-detected-delayed", "tamper-detected"]),
    (8, &["occupant-exit-property", "exit-door-left-open"]),
    (9, &["enuresis-detected"]),
    (10, &["contact-opened", "contact-closed"]),
    (
        11,
        &[
            "usage-started",
            "usage-ended",
            "expected-use-start-violation",
            "expected-use-stop-violation",
            "absence-violation",
        ],
    ),
    (12, &["switch-on", "switch-off"]),
    (13, &["dosage-taken", "dosage-missed"]),
    (14, &["high-temperature-detected", "low-temperature-detected", "rate-of-change-too-fast"]),
];
/// What every sensor of a hub may say of itself: bits 16 to 20.
const HUB: [&str; 5] =
    ["auto-presence-received", "auto-presence-failed", "low-battery", "fault", "end-of-life"];

/// Those of them with which it can't know: auto-presence-failed, fault, end-of-life.
const OUT_OF_ORDER: u32 = 0x0000_5800;

/// Terms that states are.
const TERMS: &[(u32, &str)] = &[
    (FITNESS | 1000, "MDC_HF_ACT_AMB"),
    (FITNESS | 1001, "MDC_HF_ACT_REST"),
    (FITNESS | 1002, "MDC_HF_ACT_MOTOR"),
    (FITNESS | 1003, "MDC_HF_ACT_LYING"),
    (FITNESS | 1004, "MDC_HF_ACT_SLEEP"),
    (FITNESS | 1005, "MDC_HF_ACT_PHYS"),
    (FITNESS | 1006, "MDC_HF_ACT_SUS_PHYS"),
    (FITNESS | 1007, "MDC_HF_ACT_UNKNOWN"),
    (FITNESS | 1008, "MDC_HF_ACT_MULTIPLE"),
    (FITNESS | 1009, "MDC_HF_ACT_MONITOR"),
    (FITNESS | 1010, "MDC_HF_ACT_SKI"),
    (FITNESS | 1011, "MDC_HF_ACT_RUN"),
    (FITNESS | 1012, "MDC_HF_ACT_BIKE"),
    (FITNESS | 1013, "MDC_HF_ACT_STAIR"),
    (FITNESS | 1014, "MDC_HF_ACT_ROW"),
    (FITNESS | 1015, "MDC_HF_ACT_HOME"),
    (FITNESS | 1016, "MDC_HF_ACT_WORK"),
    (FITNESS | 1017, "MDC_HF_ACT_WALK"),
    (AGEING | 13_318, "MDC_AI_MED_UF_TYPE_YESNO"),
    (8_417_868, "MDC_CTXT_GLU_MEAL_PREPRANDIAL"),
    (8_417_869, "MDC_CTXT_GLU_MEAL_BEDTIME"),
    (8_417_872, "MDC_CTXT_GLU_MEAL_POSTPRANDIAL"),
    (8_417_876, "MDC_CTXT_GLU_MEAL_FASTING"),
    (8_417_880, "MDC_CTXT_GLU_MEAL_CASUAL"),
    (150_580, "MDC_MODALITY_FAST"),
    (150_584, "MDC_MODALITY_SLOW"),
    (150_588, "MDC_MODALITY_SPOT"),
    (184_322, "MDC_TRIG_BEAT"),
];

/// The name of a state that is a term; its number where no table has it.
#[must_use]
pub fn term(code: MetricCode) -> String {
    let known = TERMS.iter().find(|(number, _)| *number == code.0);
    known.map_or_else(|| code.refid(), |(_, name)| (*name).to_owned())
}

/// The names of the bits that are set in a status word of `width` bits (16 or 32), joined by
/// spaces; a bit without a name is its number.
#[must_use]
pub fn bits(metric: MetricCode, word: u32, width: u8) -> String {
    let set = (0..width).filter(|bit| word & (1 << (width - 1 - bit)) != 0);
    let names: Vec<String> = set.map(|bit| bit_name(metric, bit)).collect();
    names.join(" ")
}

fn bit_name(metric: MetricCode, bit: u8) -> String {
    let listed = WORDS.iter().find(|word| word.metric == metric.0);
    let known = listed
        .and_then(|word| word.bits.iter().find(|(at, _)| *at == bit).map(|(_, name)| *name))
        .or_else(|| sensor(metric)?.get(usize::from(bit)).copied())
        .or_else(|| sensor(metric).and(HUB.get(usize::from(bit).wrapping_sub(16)).copied()));
    known.map_or_else(|| bit.to_string(), str::to_owned)
}

fn sensor(metric: MetricCode) -> Option<&'static [&'static str]> {
    let number = metric.0.checked_sub(AGEING)?;
    SENSORS.iter().find(|(known, _)| *known == number).map(|(_, names)| *names)
}

/// What a hub's sensor says in a metric of the platform's own, beside its word: metric and value;
/// none where it says nothing of that.
#[must_use]
pub fn told_by_sensor(metric: MetricCode, word: u32) -> Option<(MetricCode, f64)> {
    let own = |code: u32, value: f64| Some((MetricCode(code), value));
    let first = word & 0x8000_0000 != 0;
    let second = word & 0x4000_0000 != 0;
    match metric.0.checked_sub(AGEING)? {
        // VW_FALL
        1 if first => own(67_109_033, 1.0),
        // VW_CALL_BUTTON
        2 if first => own(67_109_107, 1.0),
        // VW_WATER_LEAK; a sensor that is at fault does not know.
        5 if first || word & OUT_OF_ORDER == 0 => own(67_109_110, f64::from(u8::from(first))),
        // VW_CONTACT_OPEN
        10 if first || second => own(67_109_109, f64::from(u8::from(first))),
        // VW_DOSES_TAKEN, VW_DOSES_MISSED
        13 if first => own(67_109_103, 1.0),
        13 if second => own(67_109_104, 1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_bit_by_bit() {
        for (metric, word, width, told) in [
            (150_604, 0x8001, 16, "sensor-disconnected device-extended-update"),
            (8_418_060, 0x0000_0800, 32, "sensor-com-out-of-range"),
            (AGEING | 1, 0x8000_2000, 32, "fall-detected low-battery"),
            (AGEING | 10, 0x4000_0000, 32, "contact-closed"),
            (150_605, 0, 16, ""),
            (999, 0x0100, 16, "7"),
        ] {
            assert_eq!(bits(MetricCode(metric), word, width), told, "{metric}");
        }
    }

    #[test]
    fn words_and_sensors_are_metrics() {
        for metric in WORDS.iter().map(|word| word.metric).chain(SENSORS.iter().map(|(n, _)| AGEING | n)) {
            assert!(MetricCode(metric).metric().is_some(), "{metric}");
        }
        let fall = told_by_sensor(MetricCode(AGEING | 1), 0x8000_0000).expect("a fall");
        assert_eq!(fall.0.refid(), "VW_FALL");
        let water = |word| told_by_sensor(MetricCode(AGEING | 5), word).map(|(_, value)| value);
        assert_eq!([0x8000_1000, 0, 0x1000].map(water), [Some(1.0), Some(0.0), None]);
    }
}
