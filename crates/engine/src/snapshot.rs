//! What the engine knows, as named parts: written as they change, read back at a restart.

use serde::{Deserialize, Serialize};
use vitals::{DeviceId, PatientId, ReceiveTime};

use crate::device::DeviceState;
use crate::patient::PatientState;
use crate::{Changed, Engine};
use alert::Policy;

/// Version of the parts' form; parts of another version are not read.
const VERSION: u8 = 1;

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
    version: u8,
    next_series: u32,
    now: ReceiveTime,
    policy: String,
    policy_by: Option<(String, ReceiveTime)>,
}

impl Engine {
    /// The parts that changed since the last call, as `(name, bytes)`; empty bytes: gone.
    pub fn snapshot(&mut self) -> Vec<(String, Vec<u8>)> {
        let Changed { patients, devices, directory } = std::mem::take(&mut self.unsaved);
        let mut parts = Vec::with_capacity(patients.len() + devices.len() + 2);
        let world = World {
            version: VERSION,
            next_series: self.next_series,
            now: self.now,
            policy: self.policy.text.clone(),
            policy_by: self.policy_by.clone(),
        };
        parts.push(("world".to_owned(), write(&world)));
        if directory {
            parts.push(("directory".to_owned(), write(&self.directory)));
        }
        for id in devices {
            parts.push((format!("device/{id}"), self.devices.get(&id).map(write).unwrap_or_default()));
        }
        for id in patients {
            parts
                .push((format!("patient/{id}"), self.patients.get(&id).map(write).unwrap_or_default()));
        }
        parts
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
        for (name, bytes) in parts {
            let unreadable = || SnapshotError::Unreadable { part: name.clone() };
            if name == "world" {
                let world: World = postcard::from_bytes(&bytes).map_err(|_| unreadable())?;
                if world.version != VERSION {
                    return Err(unreadable());
                }
                self.next_series = world.next_series;
                self.now = world.now;
                self.policy_by = world.policy_by;
                if let Ok(policy) = Policy::parse(&world.policy) {
                    self.policy = std::sync::Arc::new(policy);
                }
            } else if name == "directory" {
                self.directory = postcard::from_bytes(&bytes).map_err(|_| unreadable())?;
            } else if name.starts_with("device/") {
                let state: DeviceState = postcard::from_bytes(&bytes).map_err(|_| unreadable())?;
                self.devices.insert(state.device.id.clone(), state);
            } else if name.starts_with("patient/") {
                let state: PatientState = postcard::from_bytes(&bytes).map_err(|_| unreadable())?;
                self.patients.insert(state.id.clone(), state);
            }
        }
        self.wake();
        Ok(())
    }

    /// Sets up what is not stored: rules and timers.
    fn wake(&mut self) {
        let patients: Vec<PatientId> = self.patients.keys().cloned().collect();
        for id in patients {
            self.configure(&id);
            if let Some(patient) = self.patients.get_mut(&id) {
                patient.timer_at = None;
            }
            self.set_patient_timer(&id);
            self.changed.patients.insert(id);
        }
        let devices: Vec<DeviceId> = self.devices.keys().cloned().collect();
        for id in devices {
            if let Some(device) = self.devices.get_mut(&id) {
                device.timer_at = None;
            }
            if self.devices.get(&id).is_some_and(|device| !device.silent) {
                self.set_device_timer(&id);
            }
            self.changed.devices.insert(id);
        }
        self.changed.directory = true;
    }
}

fn write<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("states hold nothing that postcard can't write")
}
