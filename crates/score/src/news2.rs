//! NEWS2, the National Early Warning Score of the Royal College of Physicians, 2017.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, charted, find, judge, judge_with};
use crate::input::{Consciousness, Inputs, MaxAge, Obstetric, Scale, Seen, see, see_number};
use crate::result::{Band, Part, PartState, Parts, Score};

const SOURCE: &str = "Royal College of Physicians. National Early Warning Score (NEWS) 2: \
    standardising the assessment of acute-illness severity in the NHS. London: RCP, 2017.";

const RESP_RATE: &[Cell] = &[
    cell(8.0, 3, "≤ 8"),
    cell(11.0, 1, "9–11"),
    cell(20.0, 0, "12–20"),
    cell(24.0, 2, "21–24"),
    above(3, "≥ 25"),
];
const SPO2_ONE: &[Cell] = &[
    cell(91.0, 3, "≤ 91"),
    cell(93.0, 2, "92–93"),
    cell(95.0, 1, "94–95"),
    above(0, "≥ 96"),
];
const SPO2_TWO: &[Cell] = &[
    cell(83.0, 3, "≤ 83"),
    cell(85.0, 2, "84–85"),
    cell(87.0, 1, "86–87"),
    cell(92.0, 0, "88–92"),
    cell(94.0, 1, "93–94 on oxygen"),
    cell(96.0, 2, "95–96 on oxygen"),
    above(3, "≥ 97 on oxygen"),
];
const SYSTOLIC: &[Cell] = &[
    cell(90.0, 3, "≤ 90"),
    cell(100.0, 2, "91–100"),
    cell(110.0, 1, "101–110"),
    cell(219.0, 0, "111–219"),
    above(3, "≥ 220"),
];
const PULSE: &[Cell] = &[
    cell(40.0, 3, "≤ 40"),
    cell(50.0, 1, "41–50"),
    cell(90.0, 0, "51–90"),
    cell(110.0, 1, "91–110"),
    cell(130.0, 2, "111–130"),
    above(3, "≥ 131"),
];
const TEMPERATURE: &[Cell] = &[
    cell(35.0, 3, "≤ 35.0"),
    cell(36.0, 1, "35.1–36.0"),
    cell(38.0, 0, "36.1–38.0"),
    cell(39.0, 1, "38.1–39.0"),
    above(2, "≥ 39.1"),
];

/// From here up, scale 2 asks whether the patient is on oxygen.
const ABOVE_TARGET: f64 = 93.0;

/// NEWS2 at `now`. For people of 16 years and more; not made for children, nor for pregnancy, where it is
/// given with a note (SC-4). An unknown age is taken as an adult's.
#[must_use]
pub fn news2(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    if inputs.age_years.is_some_and(|age| age < 16.0) {
        let note = "NEWS2 is not made for children under 16.";
        return Score::not_given("NEWS2", code::NEWS2, note, SOURCE);
    }
    let oxygen = see(inputs.supplemental_oxygen, now, max_age.oxygen_s);
    let see_number = |input, age| see_number(input, now, age);
    let mut parts = Parts::new();
    parts.push(judge(
        code::RESP_RATE,
        see_number(inputs.resp_rate, max_age.resp_rate_s),
        1.0,
        RESP_RATE,
    ));
    parts.push(spo2(
        inputs.spo2_scale,
        see_number(inputs.spo2, max_age.spo2_s),
        oxygen,
    ));
    parts.push(judge_with(
        code::SUPPLEMENTAL_OXYGEN,
        oxygen,
        |on| f64::from(u8::from(on)),
        |on| if on { (2, "oxygen") } else { (0, "air") },
    ));
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
    parts.push(judge_with(
        code::CONSCIOUSNESS,
        see(inputs.consciousness, now, max_age.consciousness_s),
        |level| f64::from(level.number()),
        |level| {
            if level == Consciousness::Alert {
                (0, "alert")
            } else {
                (3, "CVPU")
            }
        },
    ));
    parts.push(judge(
        code::TEMPERATURE,
        see_number(inputs.temperature, max_age.temperature_s),
        10.0,
        TEMPERATURE,
    ));
    let sum = parts.sum();
    let red = parts.iter().any(|part| part.points == Some(3));
    let band = band(sum, red);
    Score {
        name: "NEWS2",
        metric: code::NEWS2,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band,
        response: response(band, sum),
        note: note(inputs, now, max_age),
        source: SOURCE,
    }
}

/// What else one should know: the scale, and who it was not made for.
fn note(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> &'static str {
    let obstetric = match see(inputs.obstetric, now, max_age.obstetric_s) {
        Seen::Fresh(input) => input.value != Obstetric::No,
        _ => false,
    };
    match (inputs.spo2_scale, obstetric) {
        (Scale::One, false) => "",
        (Scale::Two, false) => "SpO2 scale 2.",
        (Scale::One, true) => "Not made for pregnancy: see MEOWS.",
        (Scale::Two, true) => "SpO2 scale 2. Not made for pregnancy: see MEOWS.",
    }
}

/// The saturation. Scale 2 gives points above its target only on oxygen; without knowing that, the
/// part is left undecided (SC-1).
fn spo2(scale: Scale, seen: Seen<f64>, oxygen: Seen<bool>) -> Part {
    if scale == Scale::One {
        return judge(code::SPO2, seen, 1.0, SPO2_ONE);
    }
    let above_target = |value: f64| charted(value, 1.0) >= ABOVE_TARGET;
    match (seen, oxygen) {
        (Seen::Fresh(input), Seen::Missing | Seen::Aged(_)) if above_target(input.value) => Part {
            metric: code::SPO2,
            value: Some(input.value),
            time: Some(input.time),
            points: None,
            state: PartState::Undecided,
            cell: "",
        },
        (Seen::Fresh(input), Seen::Fresh(on)) if above_target(input.value) => judge_with(
            code::SPO2,
            seen,
            |value| value,
            |value| {
                let cell = find(SPO2_TWO, charted(value, 1.0));
                if on.value {
                    (cell.points, cell.text)
                } else {
                    (0, "≥ 93 on air")
                }
            },
        ),
        _ => judge(code::SPO2, seen, 1.0, SPO2_TWO),
    }
}

/// RCP 2017, chart 2: thresholds and triggers.
fn band(sum: Option<u8>, red: bool) -> Band {
    match sum {
        None => Band::None,
        Some(7..) => Band::High,
        Some(5..) => Band::Medium,
        Some(_) if red => Band::LowMedium,
        Some(_) => Band::Low,
    }
}

/// RCP 2017, chart 4: clinical response to the triggers.
fn response(band: Band, sum: Option<u8>) -> &'static str {
    match (band, sum) {
        (Band::None, _) => "",
        (Band::Low, Some(0)) => "Observe at least every 12 hours; go on with routine monitoring.",
        (Band::Low, _) => {
            "Observe at least every 4 to 6 hours; a registered nurse assesses the patient and \
             decides on more frequent observation or escalation."
        }
        (Band::LowMedium, _) => {
            "Observe at least hourly; the nurse informs the medical team, who review the patient \
             and decide on escalation."
        }
        (Band::Medium, _) => {
            "Observe at least hourly; inform the medical team at once and ask for an urgent \
             assessment by a clinician competent in acute illness; care where monitoring exists."
        }
        (Band::High, _) => {
            "Monitor continuously; inform the medical team at registrar level at once; emergency \
             assessment by a team with critical-care skills; consider a higher level of care."
        }
    }
}
