//! MEWS, the Modified Early Warning Score of Subbe and colleagues, 2001.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, judge, judge_with};
use crate::input::{Consciousness, Inputs, MaxAge, see, see_number};
use crate::result::{Band, Parts, Score};

const SOURCE: &str = "Subbe CP, Kruger M, Rutherford P, Gemmel L. Validation of a modified Early \
    Warning Score in medical admissions. QJM 2001;94:521-6.";

const SYSTOLIC: &[Cell] = &[
    cell(70.0, 3, "≤ 70"),
    cell(80.0, 2, "71–80"),
    cell(100.0, 1, "81–100"),
    cell(199.0, 0, "101–199"),
    above(2, "≥ 200"),
];
const PULSE: &[Cell] = &[
    cell(40.0, 2, "≤ 40"),
    cell(50.0, 1, "41–50"),
    cell(100.0, 0, "51–100"),
    cell(110.0, 1, "101–110"),
    cell(129.0, 2, "111–129"),
    above(3, "≥ 130"),
];
const RESP_RATE: &[Cell] = &[
    cell(8.0, 2, "< 9"),
    cell(14.0, 0, "9–14"),
    cell(20.0, 1, "15–20"),
    cell(29.0, 2, "21–29"),
    above(3, "≥ 30"),
];
const TEMPERATURE: &[Cell] = &[
    cell(34.9, 2, "< 35"),
    cell(38.4, 0, "35–38.4"),
    above(2, "≥ 38.5"),
];

/// MEWS at `now`, for people of 16 years and more. The chart gives a pulse below 40 two points and
/// one from 41 to 50 one; 40 itself, which it leaves out, is given two. New confusion, which AVPU
/// does not know, counts as reacting to voice.
#[must_use]
pub fn mews(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    if inputs.age_years.is_some_and(|age| age < 16.0) {
        let note = "MEWS is made for adults.";
        return Score::not_given("MEWS", code::MEWS, note, SOURCE);
    }
    let see_number = |input, age| see_number(input, now, age);
    let mut parts = Parts::new();
    parts.push(judge(
        code::NIBP_SYS,
        see_number(inputs.systolic, max_age.blood_pressure_s),
        1.0,
        SYSTOLIC,
    ));
    parts.push(judge(
        code::PULSE_RATE,
        see_number(inputs.pulse, max_age.pulse_s),
        1.0,
        PULSE,
    ));
    parts.push(judge(
        code::RESP_RATE,
        see_number(inputs.resp_rate, max_age.resp_rate_s),
        1.0,
        RESP_RATE,
    ));
    parts.push(judge(
        code::TEMPERATURE,
        see_number(inputs.temperature, max_age.temperature_s),
        10.0,
        TEMPERATURE,
    ));
    parts.push(judge_with(
        code::CONSCIOUSNESS,
        see(inputs.consciousness, now, max_age.consciousness_s),
        |level| f64::from(level.number()),
        |level| match level {
            Consciousness::Alert => (0, "alert"),
            Consciousness::Confusion | Consciousness::Voice => (1, "voice"),
            Consciousness::Pain => (2, "pain"),
            Consciousness::Unresponsive => (3, "unresponsive"),
        },
    ));
    let sum = parts.sum();
    let band = match sum {
        None => Band::None,
        Some(5..) => Band::High,
        Some(3..) => Band::Medium,
        Some(_) => Band::Low,
    };
    Score {
        name: "MEWS",
        metric: code::MEWS,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band,
        response: match band {
            Band::High => "Risk of death or critical care is raised: urgent medical assessment.",
            Band::Medium => "Observe more often; inform the doctor on the ward.",
            Band::Low => "Go on with routine observation.",
            Band::None | Band::LowMedium => "",
        },
        note: "",
        source: SOURCE,
    }
}
