//! Devices that can do no better than name and password. Those passwords are made here and random:
//! a fingerprint keeps them safe, and ten thousand devices may reconnect at once.

use vitals::DeviceId;

use crate::{Account, Guard, GuardError, secret};

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

    /// Adds a device that shows a certificate instead of a password. A password that it had no
    /// longer opens.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn add_device_with_certificate(&self, id: &DeviceId) -> Result<(), GuardError> {
        self.people()?.database.put_device_without_password(id)
    }

    /// What a device's credentials are, as a text that changes with them and opens nothing: none
    /// when it has none. Whoever serves a device for long compares it with what it was.
    #[must_use]
    pub fn device_standing(&self, id: &DeviceId) -> Option<String> {
        let Some(people) = &self.inner.people else {
            return Some(String::new());
        };
        people.database.device_key(id.as_str()).unwrap_or_else(|error| {
            tracing::error!(%error, "device refused, for the account database failed");
            None
        })
    }

    /// The account of a program, if it still exists: whoever serves it for long asks again.
    #[must_use]
    pub fn service_named(&self, name: &str) -> Option<Account> {
        let Some(people) = &self.inner.people else {
            return Some(Account::trial());
        };
        people.database.service_named(name).unwrap_or_else(|error| {
            tracing::error!(%error, "program refused, for the account database failed");
            None
        })
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
