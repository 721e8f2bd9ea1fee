//! SOFA: how far six organ systems fail.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::{Cell, above, cell, judge, judge_with};
use crate::input::{Aged, Inputs, MaxAge, Seen, Vasoactive, see, see_number};
use crate::result::{Band, PartState, Parts, Score};

const SOURCE: &str = "Vincent JL, et al. The SOFA (sepsis-related organ failure assessment) score. \
    Intensive Care Med 1996;22:707-10. From 2: Singer M, et al. (Sepsis-3) JAMA 2016;315:801-10. \
    Above 11: Ferreira FL, et al. JAMA 2001;286:1754-8. SpO2/FiO2: Grissom CK, et al. (MSOFA) \
    Disaster Med Public Health Prep 2010;4:277-84.";

const NOTE: &str = "Of the present values, not the worst of a day; urine output is not asked for.";

/// Room air, in percent of oxygen.
const ROOM_AIR: f64 = 21.0;
/// Above this saturation a ratio to FiO2 says nothing of the lung (Rice TW, et al. Chest
/// 2007;132:410-7), in percent.
const SPO2_TELLS_UP_TO: f64 = 97.0;
/// A blood gas and an inspired fraction belong together within this time, in microseconds.
const ONE_GAS: i64 = vitals::time::HOUR;

const PF: &[Cell] = &[
    cell(99.0, 4, "< 100, ventilated"),
    cell(199.0, 3, "< 200, ventilated"),
    cell(299.0, 2, "< 300"),
    cell(399.0, 1, "< 400"),
    above(0, "≥ 400"),
];
const SF: &[Cell] = &[
    cell(150.0, 4, "≤ 150, ventilated"),
    cell(235.0, 3, "≤ 235, ventilated"),
    cell(315.0, 2, "≤ 315"),
    cell(400.0, 1, "≤ 400"),
    above(0, "> 400"),
];
const PLATELETS: &[Cell] = &[
    cell(19.0, 4, "< 20"),
    cell(49.0, 3, "< 50"),
    cell(99.0, 2, "< 100"),
    cell(149.0, 1, "< 150"),
    above(0, "≥ 150"),
];
/// The table leaves 12.0 mg/dL itself between two cells; it is taken for the worse.
const BILIRUBIN: &[Cell] = &[
    cell(1.1, 0, "< 1.2 mg/dL"),
    cell(1.9, 1, "1.2–1.9 mg/dL"),
    cell(5.9, 2, "2.0–5.9 mg/dL"),
    cell(11.9, 3, "6.0–11.9 mg/dL"),
    above(4, "≥ 12.0 mg/dL"),
];
const MEAN_PRESSURE: &[Cell] = &[cell(69.0, 1, "< 70"), above(0, "≥ 70")];
const GCS: &[Cell] = &[
    cell(5.0, 4, "< 6"),
    cell(9.0, 3, "6–9"),
    cell(12.0, 2, "10–12"),
    cell(14.0, 1, "13–14"),
    above(0, "15"),
];
/// The table leaves 5.0 mg/dL itself between two cells; it is taken for the worse.
const CREATININE: &[Cell] = &[
    cell(1.1, 0, "< 1.2 mg/dL"),
    cell(1.9, 1, "1.2–1.9 mg/dL"),
    cell(3.4, 2, "2.0–3.4 mg/dL"),
    cell(4.9, 3, "3.5–4.9 mg/dL"),
    above(4, "≥ 5.0 mg/dL"),
];

/// SOFA at `now`, for people of 16 years and more, of the last values. Six organ systems, 0 to 4 points
/// each. Where no blood gas fits the inspired oxygen, SpO2 to FiO2 stands for it up to 97 %. Three and
/// four points of the lung are for the ventilated alone. Whether somebody is ventilated, or is given drugs
/// for the circulation, is a part of its own where it is not known and might add points.
#[must_use]
pub fn sofa(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    if inputs.age_years.is_some_and(|age| age < 16.0) {
        let note = "SOFA is defined for adults; children have scores of their own (pSOFA, PELOD-2).";
        return Score::not_given("SOFA", code::SOFA, note, SOURCE);
    }
    let laboratory = |input| see_number(input, now, max_age.laboratory_s);
    let mut parts = Parts::new();
    respiration(inputs, now, max_age, &mut parts);
    parts.push(judge(code::PLATELETS, laboratory(inputs.platelets), 1.0, PLATELETS));
    parts.push(judge(code::BILIRUBIN, laboratory(inputs.bilirubin), 10.0, BILIRUBIN));
    circulation(inputs, now, max_age, &mut parts);
    parts.push(judge(code::GCS, see_number(inputs.gcs, now, max_age.consciousness_s), 1.0, GCS));
    parts.push(judge(code::CREATININE, laboratory(inputs.creatinine), 10.0, CREATININE));
    let sum = parts.sum();
    let band = match sum {
        None => Band::None,
        Some(12..) => Band::High,
        Some(2..) => Band::Medium,
        Some(_) => Band::Low,
    };
    Score {
        name: "SOFA",
        metric: code::SOFA,
        value: sum.map(f64::from),
        complete: parts.complete(),
        parts,
        band,
        response: match band {
            Band::High => "Several organs fail: senior review now; with a score above 11 most patients died.",
            Band::Medium => {
                "Organ dysfunction: if it is new and an infection is suspected, this is sepsis."
            }
            _ => "",
        },
        note: NOTE,
        source: SOURCE,
    }
}

/// The lung, and whether the patient is ventilated where that decides and is not known.
fn respiration(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge, parts: &mut Parts) {
    let (metric, ratio, row) = oxygenation(inputs, now, max_age);
    let mut part = judge(metric, ratio, 1.0, row);
    let saturated = matches!(see_number(inputs.spo2, now, max_age.spo2_s), Seen::Fresh(spo2) if spo2.value > SPO2_TELLS_UP_TO);
    if metric == code::SF_RATIO && saturated && part.points.is_some_and(|points| points > 0) {
        (part.points, part.state, part.cell) = (None, PartState::Undecided, "");
    }
    if part.points.is_none_or(|points| points <= 2) {
        parts.push(part);
        return;
    }
    let ventilated = see(inputs.ventilated, now, max_age.oxygen_s);
    if !matches!(ventilated, Seen::Fresh(input) if input.value) {
        (part.points, part.cell) = (Some(2), "as low as for more points, not known as ventilated");
    }
    parts.push(part);
    if !matches!(ventilated, Seen::Fresh(_)) {
        parts.push(judge_with(code::VENTILATION, ventilated, |on| f64::from(u8::from(on)), |_| (0, "known")));
    }
}

/// The ratio that tells of oxygenation: as reported, of a blood gas, or of SpO2.
fn oxygenation(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> (vitals::MetricCode, Seen<f64>, &'static [Cell]) {
    let reported = see_number(inputs.pf_ratio, now, max_age.laboratory_s);
    let gas = see_number(inputs.pao2, now, max_age.laboratory_s);
    let inspired = see_number(inputs.fio2, now, max_age.oxygen_s);
    let on_air = match see(inputs.supplemental_oxygen, now, max_age.oxygen_s) {
        Seen::Fresh(oxygen) if !oxygen.value => Some(Aged::new(ROOM_AIR, oxygen.time)),
        _ => None,
    };
    let fits = |gas: Aged<f64>| match inspired {
        Seen::Fresh(fio2) if fio2.time.micros().abs_diff(gas.time.micros()) <= ONE_GAS.unsigned_abs() => Some(fio2),
        Seen::Fresh(_) => None,
        _ => on_air,
    };
    let ratio = |value: Aged<f64>, fio2: Aged<f64>| Seen::Fresh(Aged::new(value.value * 100.0 / fio2.value, value.time));
    let of_gas = match gas {
        Seen::Fresh(gas) => fits(gas).filter(|fio2| fio2.value > 0.0).map(|fio2| ratio(gas, fio2)),
        _ => None,
    };
    match (reported, of_gas) {
        (Seen::Fresh(reported), Some(Seen::Fresh(gas))) if gas.time > reported.time => return (code::PF_RATIO, Seen::Fresh(gas), PF),
        (Seen::Fresh(_), _) => return (code::PF_RATIO, reported, PF),
        (_, Some(gas)) => return (code::PF_RATIO, gas, PF),
        _ => {}
    }
    let fio2 = match inspired {
        Seen::Fresh(fio2) => Some(fio2),
        _ => on_air,
    };
    let spo2 = see_number(inputs.spo2, now, max_age.spo2_s);
    match (spo2, fio2.filter(|fio2| fio2.value > 0.0)) {
        (Seen::Fresh(spo2), Some(fio2)) => (code::SF_RATIO, ratio(spo2, fio2), SF),
        (Seen::Fresh(_), None) => (code::FIO2, unless_fresh(inspired), PF),
        _ if matches!(reported, Seen::Aged(_)) => (code::PF_RATIO, reported, PF),
        _ => (code::PAO2, unless_fresh(gas), PF),
    }
}

/// What is missing: an input that is there but can't be used with another counts as not there.
fn unless_fresh(seen: Seen<f64>) -> Seen<f64> {
    match seen {
        Seen::Fresh(_) => Seen::Missing,
        other => other,
    }
}

/// The circulation: by drugs where they are given, else by the mean pressure, which is a lower bound while
/// nobody says whether drugs are given.
fn circulation(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge, parts: &mut Parts) {
    let drugs = see(inputs.vasoactive, now, max_age.oxygen_s);
    let by_drugs = |step: Vasoactive| match step {
        Vasoactive::None => (0, "none"),
        Vasoactive::Low => (2, "dopamine ≤ 5 or dobutamine"),
        Vasoactive::Medium => (3, "dopamine > 5, (nor)adrenaline ≤ 0.1"),
        Vasoactive::High => (4, "dopamine > 15, (nor)adrenaline > 0.1"),
    };
    let part = judge_with(code::VASOACTIVE, drugs, |step| f64::from(step.number()), by_drugs);
    if part.points.is_some_and(|points| points > 0) {
        parts.push(part);
        return;
    }
    let mean = see_number(inputs.mean_pressure, now, max_age.blood_pressure_s);
    parts.push(judge(code::NIBP_MEAN, mean, 1.0, MEAN_PRESSURE));
    if part.points.is_none() {
        parts.push(part);
    }
}
