//! SIRS: the criteria of the systemic inflammatory response syndrome that are met.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, judge};
use crate::input::{Inputs, MaxAge, Seen, see_number};
use crate::result::{Band, Part, PartState, Parts, Score};

const SOURCE: &str = "Bone RC, et al. Definitions for sepsis and organ failure and guidelines for \
    the use of innovative therapies in sepsis (ACCP/SCCM). Chest 1992;101:1644-55.";

const TEMPERATURE: &[Cell] = &[
    cell(35.9, 1, "< 36"),
    cell(38.0, 0, "36–38"),
    above(1, "> 38"),
];
const PULSE: &[Cell] = &[cell(90.0, 0, "≤ 90"), above(1, "> 90")];
const RESP_RATE: &[Cell] = &[cell(20.0, 0, "≤ 20"), above(1, "> 20")];
const PACO2_CELLS: &[Cell] = &[cell(31.9, 1, "< 32 mmHg"), above(0, "≥ 32 mmHg")];
const WBC: &[Cell] = &[cell(3.9, 1, "< 4"), cell(12.0, 0, "4–12"), above(1, "> 12")];

/// SIRS at `now`, for people of 16 years and more. The criterion of respiration is met by the rate
/// or by PaCO2; either alone suffices to judge it. Immature forms are not asked for.
#[must_use]
pub fn sirs(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    if inputs.age_years.is_some_and(|age| age < 16.0) {
        let note = "These SIRS criteria are for adults; children's depend on age (Goldstein 2005).";
        return Score::not_given("SIRS", code::SIRS, note, SOURCE);
    }
    let mut parts = Parts::new();
    let temperature = see_number(inputs.temperature, now, max_age.temperature_s);
    parts.push(judge(code::TEMPERATURE, temperature, 10.0, TEMPERATURE));
    let pulse = see_number(inputs.pulse, now, max_age.pulse_s);
    parts.push(judge(code::PULSE_RATE, pulse, 1.0, PULSE));
    parts.push(respiration(
        see_number(inputs.resp_rate, now, max_age.resp_rate_s),
        see_number(inputs.paco2, now, max_age.laboratory_s),
    ));
    let wbc = see_number(inputs.wbc, now, max_age.laboratory_s);
    parts.push(judge(code::WBC, wbc, 10.0, WBC));
    let sum = parts.sum();
    let band = match sum {
        None => Band::None,
        Some(2..) => Band::Medium,
        Some(_) => Band::Low,
    };
    Score {
        name: "SIRS",
        metric: code::SIRS,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band,
        response: match band {
            Band::Medium => "Systemic inflammatory response: look for an infection.",
            _ => "",
        },
        note: "",
        source: SOURCE,
    }
}

/// The rate where it is fresh, unless it gives no point and PaCO2 does.
fn respiration(resp_rate: Seen<f64>, paco2: Seen<f64>) -> Part {
    let rate = judge(code::RESP_RATE, resp_rate, 1.0, RESP_RATE);
    let gas = judge(code::PACO2, paco2, 10.0, PACO2_CELLS);
    match (rate.points, gas.points) {
        (Some(1), _) => rate,
        (_, Some(1)) | (None, Some(_)) => gas,
        (Some(_), _) => rate,
        (None, None) if rate.state == PartState::Missing => {
            if gas.state == PartState::Aged {
                gas
            } else {
                rate
            }
        }
        (None, None) => rate,
    }
}
