//! Entries that turned out to be about somebody with whose key they are not sealed: a device that
//! was put on a patient a moment ago, a message by another of the patient's numbers, a value that
//! came late. The journal cannot take them back; when the patient is erased it is cut behind them.

use std::collections::HashMap;

use engine::{Effect, SELF_DEVICE};
use journal::Entry;
use store::{Reader, SeriesFilter};
use vitals::{Action, Event, Offset, PatientId, SeriesId, SeriesKey};

/// Who was found in entries that are not sealed for them.
pub(crate) struct Strays {
    subjects: HashMap<SeriesId, PatientId>,
    found: HashMap<PatientId, Offset>,
}

impl Strays {
    /// None yet.
    pub(crate) fn new(reader: &Reader) -> Self {
        let mut strays = Self { subjects: HashMap::new(), found: HashMap::new() };
        match reader.series(&SeriesFilter::default()) {
            Ok(series) => series.iter().for_each(|info| strays.opened(info.id, &info.key)),
            Err(error) => tracing::warn!("strays in the journal are not seen: {error}"),
        }
        strays
    }

    /// A series began.
    pub(crate) fn opened(&mut self, id: SeriesId, key: &SeriesKey) {
        if let Some(patient) = key.subject.as_ref().filter(|_| key.device.as_str() != SELF_DEVICE) {
            self.subjects.insert(id, patient.clone());
        }
    }

    /// Looks at what came of an entry.
    pub(crate) fn look(&mut self, entry: &Entry, effect: &Effect) {
        if let Effect::SeriesOpened(id, key) = effect {
            self.opened(*id, key);
            return;
        }
        let about = match (&entry.event, effect) {
            (Event::Action(_, Action::Erase { .. }), _) => None,
            (_, Effect::Point(id, _) | Effect::Text(id, ..) | Effect::Samples(id, _)) => {
                self.subjects.get(id)
            }
            (Event::Message(_) | Event::Action(..) | Event::Relayed(_), Effect::Patient(patient)) => {
                Some(&patient.id)
            }
            (Event::Message(_) | Event::Action(..) | Event::Relayed(_), Effect::Encounter(stay)) => {
                Some(&stay.patient)
            }
            (Event::Action(..) | Event::Relayed(_), Effect::Alert(record)) => Some(&record.patient),
            _ => None,
        };
        if let Some(patient) = about.filter(|patient| !entry.subjects.contains(patient)) {
            match self.found.get_mut(patient) {
                Some(last) => *last = entry.offset,
                None => drop(self.found.insert(patient.clone(), entry.offset)),
            }
        }
    }

    /// Those found since the last call.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (PatientId, Offset)> + use<> {
        std::mem::take(&mut self.found).into_iter()
    }
}
