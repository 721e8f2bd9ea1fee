//! The nurses' rounds: what no monitor measures, charted as FHIR Observations.

use vitals::Metric;

use super::home::cuff;
use super::plan::{BedPlan, Personality};
use super::state::{Errand, Living, Outgoing, Sender};
use crate::wire::fhir::{Components, Observation};

/// The rounds.
#[derive(Debug, Clone)]
pub(super) struct Nurse {
    every_s: u64,
    patients: u64,
}

impl Nurse {
    pub(super) const fn new(every_s: u64, patients: usize) -> Self {
        Self { every_s, patients: patients as u64 }
    }

    /// Charts whoever is due: the first round is done within half a minute, later ones are spread
    /// over the interval.
    pub(super) fn tick(
        &self,
        patients: &[Living],
        beds: &[BedPlan],
        second: u64,
        now_us: i64,
        out: &mut Vec<(Sender, Outgoing)>,
    ) {
        let first_round = self.every_s.clamp(1, 20);
        for (index, patient) in patients.iter().enumerate() {
            let share = index as u64 * first_round / self.patients.max(1);
            let spread = index as u64 * self.every_s / self.patients.max(1);
            let due = if second < first_round {
                second == share
            } else {
                second % self.every_s == spread && second >= self.every_s
            };
            if let (true, Some(bed)) = (due, patient.bed) {
                chart(patient, &beds[bed], now_us, out);
            }
        }
    }
}

fn chart(patient: &Living, bed: &BedPlan, now_us: i64, out: &mut Vec<(Sender, Outgoing)>) {
    let v = &patient.vitals;
    let one = |refid: &str, value: f64| {
        Metric::by_refid(refid).map(|metric| (metric, Components::One(value)))
    };
    let oxygen = if v.inspired_oxygen > 0.215 { 1.0 } else { 0.0 };
    let mut charted = vec![
        one("VW_CONSCIOUSNESS", f64::from(v.consciousness as u8)),
        one("VW_SUPPLEMENTAL_OXYGEN", oxygen),
    ];
    if bed.personality == Personality::Wearable {
        // A patch takes no pressure: the nurse brings a cuff.
        charted.push(cuff(v.systolic, v.diastolic, v.mean));
    }
    for (metric, value) in charted.into_iter().flatten() {
        let observation = Observation {
            patient: patient.who.id.as_str(),
            device: "",
            time_us: now_us,
            metric,
            value,
        };
        let errand = Errand::post("/fhir/Observation", observation.to_json());
        out.push((Sender::Http, Outgoing::Request(errand)));
    }
}
