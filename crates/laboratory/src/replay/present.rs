//! The present as it was: alerts as they were raised, real events, and how long beds were watched.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use alert::{EpisodeState, Policy};
use engine::{Effect, Engine, PatientState};
use journal::Entry;
use vitals::time::MINUTE;
use vitals::{Event, PatientId};

use super::{Fact, Past};
use crate::events::{Events, PatientEvents};
use crate::measure::Settings;
use crate::watch::Watch;

/// A patient heard this recently counts as watched, with or without a device that is on them.
const HEARD_WITHIN: i64 = 10 * MINUTE;

/// Patients by number, as alerts carry them.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    by_id: HashMap<PatientId, u32>,
    names: Vec<PatientId>,
}

impl Numbers {
    pub(super) fn of(&mut self, id: &PatientId) -> u32 {
        if let Some(number) = self.by_id.get(id) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.by_id.insert(id.clone(), number);
        self.names.push(id.clone());
        number
    }

    /// Every patient, by number.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &PatientId)> {
        (0..).zip(&self.names)
    }

    pub(super) fn name(&self, number: u32) -> Option<&PatientId> {
        self.names.get(number as usize)
    }
}

/// What was seen of a patient.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) bed_us: i64,
    pub(super) events: Vec<(usize, i64)>,
    /// The patient's clock when they were last looked at.
    pub(super) last: i64,
}

/// What the present was.
pub(super) struct Present {
    pub(super) watch: Watch,
    pub(super) numbers: Numbers,
    pub(super) patients: BTreeMap<PatientId, Seen>,
    /// The policy in force at the end.
    pub(super) policy: Arc<Policy>,
    /// How often it changed in the period.
    pub(super) policies: u64,
    /// Time of the first entry of the period, and of the last.
    pub(super) first: i64,
    pub(super) last: i64,
}

pub(super) struct Run<'a> {
    engine: Engine,
    past: &'a Past,
    events: &'a Events,
    settings: &'a Settings,
    present: Present,
    happening: BTreeMap<PatientId, PatientEvents>,
    /// Until when each patient's time is counted.
    counted: BTreeMap<PatientId, i64>,
    out: Vec<Effect>,
}

impl<'a> Run<'a> {
    pub(super) fn new(engine: Engine, past: &'a Past, events: &'a Events, settings: &'a Settings) -> Self {
        let present = Present {
            watch: Watch::default(),
            numbers: Numbers::default(),
            patients: BTreeMap::new(),
            policy: Arc::clone(engine.policy().0),
            policies: 0,
            first: 0,
            last: 0,
        };
        let (happening, counted, out) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { engine, past, events, settings, present, happening, counted, out }
    }

    /// Takes in a batch; gives what became of alerts.
    pub(super) fn take(&mut self, entries: &[Entry]) -> Vec<Fact> {
        let mut facts = Vec::new();
        for entry in entries {
            let counts = self.past.from.is_none_or(|from| entry.at >= from);
            if counts {
                self.present.first = if self.present.first == 0 { entry.at.0 } else { self.present.first };
                self.present.last = entry.at.0;
                self.present.policies += u64::from(matches!(entry.event, Event::Policy(..)));
            }
            self.engine.step(entry.offset, entry.at, &entry.event, &mut self.out);
            for effect in std::mem::take(&mut self.out) {
                self.conclude(entry, counts, effect, &mut facts);
            }
            self.look(entry.at.0, counts);
        }
        facts
    }

    fn conclude(&mut self, entry: &Entry, counts: bool, effect: Effect, facts: &mut Vec<Fact>) {
        match effect {
            Effect::Alert(record) => {
                let number = self.present.numbers.of(&record.patient);
                // What began before is not followed: its beginning does not belong to the period.
                if counts || record.kind != alert::ChangeKind::Raised {
                    self.present.watch.note(number, &record);
                }
                facts.push(Fact {
                    offset: entry.offset,
                    id: record.episode.id,
                    sounding: record.episode.state.sounding(),
                    over: record.episode.state == EpisodeState::Resolved,
                    group: record.episode.group,
                    patient: record.patient,
                });
            }
            Effect::Patient(patient) if patient.deceased && counts => {
                self.told("death", &patient.id, entry.at.0);
            }
            Effect::Encounter(encounter) if counts => {
                let place = encounter.location.as_ref();
                let place = place.and_then(|place| self.engine.directory().location(place));
                let unit = place.map(|place| place.bed.unit.clone()).unwrap_or_default();
                if self.settings.transfer_units.contains(&unit) {
                    self.told("transfer", &encounter.patient, entry.at.0);
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, name: &str, patient: &PatientId, at: i64) {
        let Some(kind) = self.events.told(name) else { return };
        let patient = self.engine.directory().resolve(patient).clone();
        self.happening.entry(patient).or_insert_with(|| self.events.patient()).happened(kind, at);
    }

    /// Looks at the patients whom the entry changed.
    fn look(&mut self, now: i64, counts: bool) {
        for id in self.engine.take_changed().patients {
            let Some(patient) = self.engine.patient(&id) else { continue };
            let happening = self.happening.entry(id.clone()).or_insert_with(|| self.events.patient());
            let before = happening.found.len();
            happening.judge(self.events, patient, patient.clock);
            if !counts {
                happening.found.truncate(before);
                continue;
            }
            let seen = self.present.patients.entry(id.clone()).or_default();
            seen.last = seen.last.max(patient.clock);
            let until = self.counted.entry(id).or_insert(now);
            let passed = now - *until;
            if passed >= MINUTE {
                // A patient is looked at once a minute at least; where more passed, we were away.
                seen.bed_us += if watched(patient, now) { passed.min(2 * MINUTE) } else { 0 };
                *until = now;
            }
        }
    }

    pub(super) fn end(mut self) -> Present {
        // The last minute of each patient, which was not whole.
        let last = self.present.last;
        for (id, until) in &self.counted {
            // Of two records that became one, the one that is left.
            let patient = self.engine.patient(id).filter(|patient| patient.id == *id);
            if patient.is_some_and(|patient| watched(patient, last)) {
                self.present.patients.entry(id.clone()).or_default().bed_us += (last - until).clamp(0, MINUTE);
            }
        }
        for id in self.happening.keys() {
            self.present.numbers.of(id);
        }
        for (id, happening) in self.happening {
            if !happening.found.is_empty() {
                self.present.patients.entry(id).or_default().events = happening.found;
            }
        }
        self.present.policy = Arc::clone(self.engine.policy().0);
        self.present
    }
}

/// Whether a patient has a monitor, or was heard of lately.
fn watched(patient: &PatientState, now: i64) -> bool {
    let heard = || patient.values.iter().map(|value| value.received.0).max();
    !patient.devices.is_empty() || heard().is_some_and(|at| now - at < HEARD_WITHIN)
}
