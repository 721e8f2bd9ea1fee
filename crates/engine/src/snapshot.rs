//! What the engine knows, as named parts: written as they change, read back at a restart.

use serde::{Deserialize, Serialize};
use vitals::{DeviceId, PatientId, ReceiveTime};

use crate::device::DeviceState;
use crate::patient::PatientState;
use crate::shared::{Part, Shared};
use crate::wave::Owner;
use crate::{Changed, Engine};
use alert::Policy;

/// Version of the parts' form, the first byte of each; parts of another version are not read.
pub const STATE_VERSION: u8 = 6;

/// Why stored parts can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Not written by this program, or by a version with another form.
    #[error("stored engine state `{part}` can't be read; it will be rebuilt from the journal")]
    Unreadable {
        /// Which part.
        part: String,
    },
}

#[derive(Serialize, Deserialize)]
struct World {
    next_series: u32,
    now: ReceiveTime,
    awake_since: ReceiveTime,
    /// The site's own policy; the built-in one is the program's.
    policy: Option<String>,
    policy_by: Option<(String, ReceiveTime)>,
    models: Vec<vitals::ModelInUse>,
}

impl Engine {
    /// The parts that changed since the last call, by name, as they are now; one without bytes is
    /// gone.
    pub fn snapshot(&mut self) -> Vec<(String, Part)> {
        let Changed { patients, devices, directory, .. } = std::mem::take(&mut self.unsaved);
        let mut parts = Vec::with_capacity(patients.len() + devices.len() + 2);
        let (name, world) = self.world();
        parts.push((name, Part::of_bytes(world)));
        if directory {
            parts.push(("directory".to_owned(), Part::of_bytes(write(&self.directory))));
        }
        if std::mem::take(&mut self.unsaved_holds) {
            parts.push(("holds".to_owned(), Part::of_bytes(write(&self.holds))));
        }
        for (id, command) in self.commands.take_unsaved() {
            parts.push((format!("command/{id}"), part(command)));
        }
        if std::mem::take(&mut self.relays.unsaved) {
            parts.push(("relays".to_owned(), Part::of_bytes(write(&self.relays))));
        }
        for id in std::mem::take(&mut self.unsaved_normals) {
            parts.push((format!("normal/{id}"), part(self.normals.get(&id))));
        }
        for owner in std::mem::take(&mut self.unsaved_waves) {
            parts.push((owner.part(), part(self.waves.get(&owner))));
        }
        for id in devices {
            parts.push((format!("device/{id}"), part(self.devices.get(&id))));
        }
        for id in patients {
            parts.push((format!("patient/{id}"), part(self.patients.get(&id))));
        }
        parts
    }

    /// All parts, by name: what [`Self::snapshot`] adds up to.
    #[must_use]
    pub fn whole_state(&self) -> Vec<(String, Vec<u8>)> {
        let mut parts = vec![self.world(), ("directory".to_owned(), write(&self.directory))];
        let devices = self.devices.iter().map(|(id, state)| (format!("device/{id}"), write(&**state)));
        parts.extend(devices);
        let patients = self.patients.iter();
        parts.extend(patients.map(|(id, state)| (format!("patient/{id}"), write(&**state))));
        let normals = self.normals.iter();
        parts.extend(normals.map(|(id, normals)| (format!("normal/{id}"), write(&**normals))));
        parts.extend(self.waves.iter().map(|(owner, waves)| (owner.part(), write(&**waves))));
        if !self.holds.is_empty() {
            parts.push(("holds".to_owned(), write(&self.holds)));
        }
        let commands = self.commands.iter().map(|(id, command)| (format!("command/{id}"), write(command)));
        parts.extend(commands);
        if !self.relays.is_empty() {
            parts.push(("relays".to_owned(), write(&self.relays)));
        }
        parts.sort_unstable();
        parts
    }

    fn world(&self) -> (String, Vec<u8>) {
        let world = World {
            next_series: self.next_series,
            now: self.now,
            awake_since: self.awake_since,
            policy: self.policy_by.as_ref().map(|_| self.policy.text.clone()),
            policy_by: self.policy_by.clone(),
            models: self.judges.in_use.clone(),
        };
        ("world".to_owned(), write(&world))
    }

    /// Reads parts back into an engine that knows nothing yet.
    ///
    /// # Errors
    /// [`SnapshotError`] naming the first part that can't be read; the engine is then to be
    /// thrown away and the journal read from its beginning.
    pub fn restore(
        &mut self,
        parts: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), SnapshotError> {
        // A part without bytes is one that is gone.
        for (name, bytes) in parts.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
            if name == "world" {
                let world: World = read(&name, &bytes)?;
                self.next_series = world.next_series;
                self.now = world.now;
                self.awake_since = world.awake_since;
                self.judges.in_use = world.models;
                self.judges.settle();
                if let Some(text) = world.policy {
                    let policy = Policy::parse(&text).map_err(|_| unreadable(&name))?;
                    self.policy = std::sync::Arc::new(policy);
                    self.policy_by = world.policy_by;
                }
            } else if name == "holds" {
                self.holds = read(&name, &bytes)?;
            } else if name == "relays" {
                self.relays = read(&name, &bytes)?;
            } else if name == "directory" {
                self.directory = read(&name, &bytes)?;
            } else if name.starts_with("device/") {
                let state: DeviceState = read(&name, &bytes)?;
                self.devices.insert(state.device.id.clone(), Shared::new(state));
            } else if let Some(owner) = Owner::of_part(&name) {
                self.waves.insert(owner, Shared::new(read(&name, &bytes)?));
            } else if let Some(id) = name.strip_prefix("normal/") {
                let id = PatientId::new(id).map_err(|_| unreadable(&name))?;
                self.normals.insert(id, Shared::new(read(&name, &bytes)?));
            } else if name.starts_with("command/") {
                self.commands.restore(read(&name, &bytes)?);
            } else if name.starts_with("patient/") {
                let state: PatientState = read(&name, &bytes)?;
                self.patients.insert(state.id.clone(), Shared::new(state));
            }
        }
        self.wake();
        Ok(())
    }

    /// Sets up what is not stored: rules, scores and timers.
    fn wake(&mut self) {
        self.wake_relays();
        let policy = self.policy.clone();
        let patients: Vec<PatientId> = self.patients.keys().cloned().collect();
        for id in patients {
            let followed = self.normals.get(&id).map(|normals| normals.followed());
            if let Some(patient) = self.patients.get_mut(&id) {
                patient.followed = followed.unwrap_or_default();
                if let Some(by) = patient.chosen_by.clone() {
                    patient.configure(&policy, by);
                }
                let computed_at = patient.scores.computed_at;
                let age_years = patient.scores.age_years;
                patient.compute_scores(age_years);
                patient.scores.computed_at = computed_at;
            }
            self.set_patient_timer(&id);
            self.changed.patients.insert(id);
        }
        let devices: Vec<DeviceId> = self.devices.keys().cloned().collect();
        for id in devices {
            self.set_device_timer(&id);
            self.changed.devices.insert(id);
        }
        self.changed.directory = true;
        let commands: Vec<_> = self.commands.iter().map(|(id, _)| id.clone()).collect();
        self.changed.commands.extend(commands);
    }
}

fn part<T: Serialize + Send + Sync + 'static>(state: Option<&Shared<T>>) -> Part {
    state.map_or_else(|| Part::of_bytes(Vec::new()), |state| Part::of(state, write))
}

fn write<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![STATE_VERSION])
        .expect("states hold nothing that postcard can't write")
}

fn read<T: serde::de::DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, SnapshotError> {
    let state = match bytes.split_first() {
        Some((&STATE_VERSION, state)) => postcard::take_from_bytes(state).ok(),
        _ => None,
    };
    // What is left over would be of another form as well.
    state.filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value).ok_or_else(|| unreadable(name))
}

fn unreadable(part: &str) -> SnapshotError {
    SnapshotError::Unreadable { part: part.to_owned() }
}
