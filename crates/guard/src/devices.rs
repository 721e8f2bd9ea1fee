//! Devices that can do no better than name and password. Those passwords are made here and random:
//! a fingerprint keeps them safe, and ten thousand devices may reconnect at once.

use vitals::DeviceId;

use crate::{Guard, GuardError, secret};

impl Guard {
    /// Adds a device, or gives it a new password: returned to be shown once. The device's user
    /// name is its id.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn add_device(&self, id: &DeviceId) -> Result<String, GuardError> {
        let people = self.people()?;
        let password = secret::device_password()?;
        people.database.put_device(id, &secret::fingerprint(password.as_bytes()))?;
        Ok(password)
    }

    /// Takes a device's credentials away. Connections that it has are the gateway's to end.
    ///
    /// # Errors
    /// [`GuardError::Unknown`].
    pub fn remove_device(&self, id: &DeviceId) -> Result<(), GuardError> {
        self.people()?.database.remove_device(id)
    }

    /// Every device with credentials, by id.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn list_devices(&self) -> Result<Vec<DeviceId>, GuardError> {
        self.people()?.database.devices()
    }

    /// The device with this user name and password: none when either is wrong. In a trial every
    /// valid id is let in.
    #[must_use]
    pub fn device(&self, user: &str, password: &[u8]) -> Option<DeviceId> {
        let id = DeviceId::new(user).ok()?;
        let Some(people) = &self.inner.people else {
            return Some(id);
        };
        match people.database.device(id.as_str()) {
            // Hashes compare in constant time.
            Ok(kept) => (kept? == secret::fingerprint(password)).then_some(id),
            Err(error) => {
                tracing::error!(%error, "device refused, for the account database failed");
                None
            }
        }
    }
}
