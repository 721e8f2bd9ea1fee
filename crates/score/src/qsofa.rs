//! qSOFA: who with a suspected infection is likely to do badly.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, judge, judge_with};
use crate::input::{Consciousness, Inputs, MaxAge, Seen, see, see_number};
use crate::result::{Band, Parts, Score};

const SOURCE: &str = "Singer M, et al. The third international consensus definitions for sepsis \
    and septic shock (Sepsis-3). JAMA 2016;315:801-10.";

const RESP_RATE: &[Cell] = &[cell(21.0, 0, "< 22"), above(1, "≥ 22")];
const SYSTOLIC: &[Cell] = &[cell(100.0, 1, "≤ 100"), above(0, "> 100")];
const GCS: &[Cell] = &[cell(14.0, 1, "< 15"), above(0, "15")];

/// qSOFA at `now`, for people of 16 years and more. Mentation is judged by the Glasgow coma scale
/// where a fresh one exists, else by ACVPU.
#[must_use]
pub fn qsofa(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    if inputs.age_years.is_some_and(|age| age < 16.0) {
        let note = "qSOFA is defined for adults.";
        return Score::not_given("qSOFA", code::QSOFA, note, SOURCE);
    }
    let mut parts = Parts::new();
    let resp_rate = see_number(inputs.resp_rate, now, max_age.resp_rate_s);
    parts.push(judge(code::RESP_RATE, resp_rate, 1.0, RESP_RATE));
    let systolic = see_number(inputs.systolic, now, max_age.blood_pressure_s);
    parts.push(judge(code::NIBP_SYS, systolic, 1.0, SYSTOLIC));
    let gcs = see_number(inputs.gcs, now, max_age.consciousness_s);
    let acvpu = see(inputs.consciousness, now, max_age.consciousness_s);
    let use_gcs = match (gcs, acvpu) {
        (Seen::Fresh(_), _) | (Seen::Aged(_), Seen::Missing) => true,
        (_, _) => false,
    };
    parts.push(if use_gcs {
        judge(code::GCS, gcs, 1.0, GCS)
    } else {
        judge_with(
            code::CONSCIOUSNESS,
            acvpu,
            |level| f64::from(level.number()),
            |level| {
                if level == Consciousness::Alert {
                    (0, "alert")
                } else {
                    (1, "altered")
                }
            },
        )
    });
    let sum = parts.sum();
    let band = match sum {
        None => Band::None,
        Some(2..) => Band::High,
        Some(_) => Band::Low,
    };
    Score {
        name: "qSOFA",
        metric: code::QSOFA,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band,
        response: match band {
            Band::High => {
                "If infection is suspected: look for organ dysfunction, start or step up treatment, \
                 consider critical care."
            }
            Band::None => "",
            _ => "If sepsis is still suspected, go on monitoring and assess again.",
        },
        note: "",
        source: SOURCE,
    }
}
