//! MEOWS: the modified early obstetric warning system of the British confidential enquiry.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, judge, judge_with};
use crate::input::{Consciousness, Inputs, MaxAge, Obstetric, Seen, see, see_number};
use crate::result::{Band, Parts, Score};

const SOURCE: &str = "Singh S, McGlennan A, England A, Simons R. A validation study of the CEMACH \
    recommended modified early obstetric warning system (MEOWS). Anaesthesia 2012;67:12-18 (table 1). \
    Chart: Lewis G, ed. Saving mothers' lives 2003-2005. London: CEMACH, 2007.";

const NOTE: &str = "Yellow counts 1 and red 2, so that one red or two yellow make 2, the trigger. \
    The chart's pain score is not asked for.";

const TEMPERATURE: &[Cell] = &[
    cell(34.9, 2, "< 35"),
    cell(36.0, 1, "35–36"),
    cell(38.0, 0, "> 36 and ≤ 38"),
    above(2, "> 38"),
];
const SYSTOLIC: &[Cell] = &[
    cell(89.0, 2, "< 90"),
    cell(100.0, 1, "90–100"),
    cell(149.0, 0, "> 100 and < 150"),
    cell(160.0, 1, "150–160"),
    above(2, "> 160"),
];
const DIASTOLIC: &[Cell] = &[
    cell(89.0, 0, "< 90"),
    cell(100.0, 1, "90–100"),
    above(2, "> 100"),
];
const PULSE: &[Cell] = &[
    cell(39.0, 2, "< 40"),
    cell(50.0, 1, "40–50"),
    cell(99.0, 0, "> 50 and < 100"),
    cell(120.0, 1, "100–120"),
    above(2, "> 120"),
];
const RESP_RATE: &[Cell] = &[
    cell(9.0, 2, "< 10"),
    cell(20.0, 0, "10–20"),
    cell(30.0, 1, "21–30"),
    above(2, "> 30"),
];
const SPO2: &[Cell] = &[cell(94.0, 2, "< 95"), above(0, "≥ 95")];

/// MEOWS at `now`, for whoever is pregnant or gave birth within six weeks: 1 for each yellow trigger, 2
/// for each red one. New confusion, which the chart does not have, counts as reacting to voice.
#[must_use]
pub fn meows(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    let obstetric = see(inputs.obstetric, now, max_age.obstetric_s);
    if !matches!(obstetric, Seen::Fresh(input) if input.value != Obstetric::No) {
        let note = "MEOWS is made for pregnancy and the six weeks after a birth; neither is charted.";
        return Score::not_given("MEOWS", code::MEOWS, note, SOURCE);
    }
    let number = |input, age| see_number(input, now, age);
    let mut parts = Parts::new();
    for (metric, seen, steps, row) in [
        (code::TEMPERATURE, number(inputs.temperature, max_age.temperature_s), 10.0, TEMPERATURE),
        (code::NIBP_SYS, number(inputs.systolic, max_age.blood_pressure_s), 1.0, SYSTOLIC),
        (code::NIBP_DIA, number(inputs.diastolic, max_age.blood_pressure_s), 1.0, DIASTOLIC),
        (code::PULSE_RATE, number(inputs.pulse, max_age.pulse_s), 1.0, PULSE),
        (code::RESP_RATE, number(inputs.resp_rate, max_age.resp_rate_s), 1.0, RESP_RATE),
        (code::SPO2, number(inputs.spo2, max_age.spo2_s), 1.0, SPO2),
    ] {
        parts.push(judge(metric, seen, steps, row));
    }
    parts.push(judge_with(
        code::CONSCIOUSNESS,
        see(inputs.consciousness, now, max_age.consciousness_s),
        |level| f64::from(level.number()),
        |level| match level {
            Consciousness::Alert => (0, "alert"),
            Consciousness::Confusion | Consciousness::Voice => (1, "confused or voice"),
            Consciousness::Pain | Consciousness::Unresponsive => (2, "pain or unresponsive"),
        },
    ));
    let sum = parts.sum();
    let band = match sum {
        None => Band::None,
        Some(2..) => Band::Medium,
        Some(1) => Band::LowMedium,
        Some(_) => Band::Low,
    };
    Score {
        name: "MEOWS",
        metric: code::MEOWS,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band,
        response: match band {
            Band::Medium | Band::High => {
                "Triggered: an obstetrician or an obstetric anaesthetist sees the patient urgently."
            }
            Band::LowMedium => "One yellow parameter: no trigger yet; observe again soon.",
            Band::Low => "No trigger: go on with routine observation.",
            Band::None => "",
        },
        note: NOTE,
        source: SOURCE,
    }
}
