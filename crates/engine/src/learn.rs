//! Beginning anew beside a store that has gone on: what an engine whose own state cannot be read
//! must take over from what was stored, so that nothing is numbered twice and no alert is lost.

use alert::Episode;
use vitals::{
    Association, Device, Encounter, EpisodeId, Location, Patient, PatientId, SeriesId, SeriesKey,
};

use crate::directory::Directory;
use crate::{Engine, SELF_DEVICE};

/// Who and what there is, as a store knows it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Patients, with the record that each was merged into, if it was.
    pub patients: Vec<(Patient, Option<PatientId>)>,
    /// Places.
    pub locations: Vec<Location>,
    /// Encounters.
    pub encounters: Vec<Encounter>,
    /// Devices.
    pub devices: Vec<Device>,
    /// Device associations, oldest first.
    pub associations: Vec<Association>,
}

impl Engine {
    /// Takes over the numbers of series, so that values go on under them and new series get new
    /// numbers.
    pub fn learn_series(&mut self, series: impl IntoIterator<Item = (SeriesId, SeriesKey)>) {
        let mut out = Vec::new();
        for (id, key) in series {
            self.next_series = self.next_series.max(id.0);
            if key.device.as_str() != SELF_DEVICE {
                let state = self.announce(&key.device, &mut out);
                state.series.push((key.subject, key.metric, key.channel, id));
            } else if let Some(patient) = key.subject {
                // The patient appears when the journal, or the store, says so.
                let own = self.self_device.clone();
                self.announce(&own, &mut out).known = true;
                self.derived_before.entry(patient).or_default().push((key.metric, key.channel, id));
            }
        }
    }

    /// Takes over who and what there is, and who is on what.
    pub fn learn(&mut self, known: Known) {
        let mut out = Vec::new();
        self.directory = Directory::of(known.patients, known.locations, known.encounters);
        for device in known.devices {
            let state = self.announce(&device.id, &mut out);
            state.device = device;
            state.known = true;
        }
        for association in known.associations {
            let patient = self.directory.resolve(&association.patient).clone();
            let id = association.device.clone();
            if association.end.is_none() {
                self.ensure_patient(&patient);
                if let Some(state) = self.patients.get_mut(&patient) {
                    if let Err(at) = state.devices.binary_search(&id) {
                        state.devices.insert(at, id.clone());
                    }
                }
            }
            self.announce(&id, &mut out).associations.push(association);
        }
        for patient in self.directory.present() {
            self.ensure_patient(&patient);
        }
        let all: Vec<PatientId> = self.patients.keys().cloned().collect();
        for patient in all {
            self.configure(&patient);
        }
        self.touch_directory();
    }

    /// Makes the open alerts these, which people were told of: of those that are open in both, the
    /// engine's own knows more; others of its own go, and what it lacks is taken over.
    pub fn learn_alerts(&mut self, open: &[(PatientId, Episode)]) {
        for state in self.patients.values_mut() {
            state.episodes.keep(|id| open.iter().any(|(_, told)| told.id == id));
        }
        for (patient, episode) in open {
            let patient = self.directory.resolve(patient).clone();
            self.ensure_patient(&patient);
            if let Some(state) = self.patients.get_mut(&patient) {
                state.episodes.adopt(episode.clone());
            }
        }
        let all: Vec<PatientId> = self.patients.keys().cloned().collect();
        for patient in all {
            self.touch_patient(&patient);
            self.set_patient_timer(&patient);
        }
    }

    /// Whether this alert is open.
    #[must_use]
    pub fn is_open(&self, episode: EpisodeId) -> bool {
        let mut open = self.patients.values().flat_map(|state| state.episodes.open());
        open.any(|other| other.id == episode)
    }
}
