//! Bedside PEWS, the paediatric score of Parshuram and colleagues, 2009, in five age bands.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, judge, judge_with};
use crate::input::{Effort, Inputs, MaxAge, Seen, see, see_number};
use crate::result::{Band, Parts, Score};

const SOURCE: &str = "Parshuram CS, Hutchison J, Middaugh K. Development and initial validation of \
    the Bedside Paediatric Early Warning System score. Crit Care 2009;13:R135 (table 1). \
    Bands: Parshuram CS, et al. Crit Care 2011;15:R184.";

/// A row of the chart for whole numbers: at most the first three limits, then normal, then at
/// least the last three.
macro_rules! row {
    ($a:literal, $b:literal, $c:literal, $d:literal, $e:literal, $f:literal) => {
        &[
            cell($a as f64, 4, concat!("≤ ", $a)),
            cell($b as f64, 2, concat!("≤ ", $b)),
            cell($c as f64, 1, concat!("≤ ", $c)),
            cell($d as f64 - 1.0, 0, concat!("> ", $c, " and < ", $d)),
            cell($e as f64 - 1.0, 1, concat!("≥ ", $d)),
            cell($f as f64 - 1.0, 2, concat!("≥ ", $e)),
            above(4, concat!("≥ ", $f)),
        ]
    };
}

/// The rows that depend on age.
struct AgeBand {
    note: &'static str,
    pulse: &'static [Cell],
    systolic: &'static [Cell],
    resp_rate: &'static [Cell],
}

static AGE_BANDS: [AgeBand; 5] = [
    AgeBand {
        note: "Age band 0 to 3 months.",
        pulse: row!(80, 90, 110, 150, 180, 190),
        systolic: row!(45, 50, 60, 80, 100, 130),
        resp_rate: row!(15, 19, 29, 61, 81, 91),
    },
    AgeBand {
        note: "Age band 3 to 12 months.",
        pulse: row!(70, 80, 100, 150, 170, 180),
        systolic: row!(60, 70, 80, 100, 120, 150),
        resp_rate: row!(15, 19, 24, 51, 71, 81),
    },
    AgeBand {
        note: "Age band 1 to 4 years.",
        pulse: row!(60, 70, 90, 120, 150, 170),
        systolic: row!(65, 75, 90, 110, 125, 160),
        resp_rate: row!(12, 15, 19, 41, 61, 71),
    },
    AgeBand {
        note: "Age band over 4 to 12 years.",
        pulse: row!(50, 60, 70, 110, 130, 150),
        systolic: row!(70, 80, 90, 120, 140, 170),
        resp_rate: row!(10, 14, 19, 31, 41, 51),
    },
    AgeBand {
        note: "Age band over 12 years.",
        pulse: row!(40, 50, 60, 100, 120, 140),
        systolic: row!(75, 85, 100, 130, 150, 190),
        resp_rate: row!(9, 10, 11, 17, 23, 30),
    },
];

const CAPILLARY_REFILL: &[Cell] = &[cell(2.9, 0, "< 3 s"), above(4, "≥ 3 s")];
const SPO2: &[Cell] = &[
    cell(90.0, 2, "≤ 90"),
    cell(94.0, 1, "91–94"),
    above(0, "> 94"),
];

/// Bedside PEWS at `now`, for people under 18 whose age is known. Whoever is on oxygen of unknown
/// flow and fraction is given the points of little oxygen.
#[must_use]
pub fn pews(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    let not_given = |note| Score::not_given("PEWS", code::PEWS, note, SOURCE);
    let Some(age) = inputs.age_years.filter(|age| *age >= 0.0) else {
        return not_given("PEWS needs the age.");
    };
    let Some(band) = age_band(age) else {
        return not_given("PEWS is made for people under 18.");
    };
    let see_number = |input, age| see_number(input, now, age);
    let mut parts = Parts::new();
    parts.push(judge(
        code::PULSE_RATE,
        see_number(inputs.pulse, max_age.pulse_s),
        1.0,
        band.pulse,
    ));
    parts.push(judge(
        code::NIBP_SYS,
        see_number(inputs.systolic, max_age.blood_pressure_s),
        1.0,
        band.systolic,
    ));
    let refill = see_number(inputs.capillary_refill, max_age.examination_s);
    parts.push(judge(
        code::CAPILLARY_REFILL,
        refill,
        10.0,
        CAPILLARY_REFILL,
    ));
    parts.push(judge(
        code::RESP_RATE,
        see_number(inputs.resp_rate, max_age.resp_rate_s),
        1.0,
        band.resp_rate,
    ));
    parts.push(judge_with(
        code::RESPIRATORY_EFFORT,
        see(inputs.respiratory_effort, now, max_age.examination_s),
        |effort| f64::from(effort.number()),
        |effort| match effort {
            Effort::Normal => (0, "normal"),
            Effort::Mild => (1, "mild increase"),
            Effort::Moderate => (2, "moderate increase"),
            Effort::Severe => (4, "severe increase or apnoea"),
        },
    ));
    parts.push(judge(
        code::SPO2,
        see_number(inputs.spo2, max_age.spo2_s),
        1.0,
        SPO2,
    ));
    let much = [(inputs.fio2, 50.0), (inputs.oxygen_flow, 4.0)].into_iter().any(|(input, limit)| {
        matches!(see_number(input, max_age.oxygen_s), Seen::Fresh(input) if input.value >= limit)
    });
    parts.push(judge_with(
        code::SUPPLEMENTAL_OXYGEN,
        see(inputs.supplemental_oxygen, now, max_age.oxygen_s),
        |on| f64::from(u8::from(on)),
        |on| match (on, much) {
            (false, _) => (0, "room air"),
            (true, false) => (2, "< 4 L/min or < 50%"),
            (true, true) => (4, "≥ 4 L/min or ≥ 50%"),
        },
    ));
    let sum = parts.sum();
    let level = match sum {
        None => Band::None,
        Some(7..) => Band::High,
        Some(5..) => Band::Medium,
        Some(3..) => Band::LowMedium,
        Some(_) => Band::Low,
    };
    Score {
        name: "PEWS",
        metric: code::PEWS,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band: level,
        response: response(level),
        note: band.note,
        source: SOURCE,
    }
}

/// The band of an age in years: 0 to under 3 months, 3 to under 12 months, 1 to 4 years, over 4 to
/// 12 years, over 12 years.
fn age_band(age: f64) -> Option<&'static AgeBand> {
    let at = match age {
        age if age < 0.25 => 0,
        age if age < 1.0 => 1,
        age if age <= 4.0 => 2,
        age if age <= 12.0 => 3,
        age if age < 18.0 => 4,
        _ => return None,
    };
    AGE_BANDS.get(at)
}

fn response(band: Band) -> &'static str {
    match band {
        Band::None => "",
        Band::Low => "Go on with routine observation.",
        Band::LowMedium => "Observe at least every 4 hours; the nurse in charge is informed.",
        Band::Medium => "Observe at least every 1 to 2 hours; the doctor on call is informed.",
        Band::High => "Monitor continuously; urgent senior review; consider critical care.",
    }
}
