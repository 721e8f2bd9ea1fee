//! Devices that can do no better than name and password. Those passwords are made here and random:
//! a fingerprint keeps them safe, and ten thousand devices may reconnect at once.
//!
//! Where a device is in its life is in `pki`; adding one here is an engineer's word that it was
//! checked, and puts it into service.

use rusqlite::{Connection, params};
use vitals::{DeviceId, ReceiveTime};

use crate::pki::state_of;
use crate::{Account, DeviceState, DeviceStep, Guard, GuardError, TrustError, secret};

impl Guard {
    /// Adds a device, or gives it a new password: returned to be shown once. The device's user
    /// name is its id. It is in service at once, and marked as weaker than one with a certificate.
    ///
    /// # Errors
    /// [`TrustError::Refused`] when it is suspended or retired; [`GuardError`] when the database fails.
    pub fn add_device(&self, id: &DeviceId) -> Result<String, GuardError> {
        let password = secret::device_password()?;
        self.put_device(id, &password)?;
        Ok(password)
    }

    /// Adds a device that shows a certificate instead of a password. A password that it had no
    /// longer opens.
    ///
    /// # Errors
    /// As [`Guard::add_device`].
    pub fn add_device_with_certificate(&self, id: &DeviceId) -> Result<(), GuardError> {
        self.put_device(id, "")
    }

    /// Without a password: a certificate opens.
    fn put_device(&self, id: &DeviceId, password: &str) -> Result<(), GuardError> {
        let kept = match password {
            "" => String::new(),
            password => secret::fingerprint(password.as_bytes()).to_hex().to_string(),
        };
        self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(crate::pki::IMMEDIATE)?;
            put_into_service(&change, id, system_now())?;
            change.execute(
                "INSERT INTO device (id, password) VALUES (?1, ?2)
                 ON CONFLICT (id) DO UPDATE SET password = excluded.password",
                params![id.as_str(), kept],
            )?;
            crate::digest::keep(&change, id, password)?;
            Ok(change.commit()?)
        })?;
        self.trust_changed();
        Ok(())
    }

    /// What a device's credentials are, as a text that changes with them and opens nothing: none
    /// when it has none or is not in service. Whoever serves a device for long compares it with
    /// what it was.
    #[must_use]
    pub fn device_standing(&self, id: &DeviceId) -> Option<String> {
        self.admit_device(id).ok().map(|admitted| admitted.standing)
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

    /// Takes a device out of the books: its credentials, its place in life, its certificates.
    /// Connections that it has end at once.
    ///
    /// # Errors
    /// [`GuardError::Unknown`].
    pub fn remove_device(&self, id: &DeviceId) -> Result<(), GuardError> {
        let now = system_now();
        self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(crate::pki::IMMEDIATE)?;
            let from = state_of(&change, id)?.ok_or_else(|| GuardError::Unknown(id.to_string()))?;
            if from.after(DeviceStep::Retire).is_some() {
                let by = ("an engineer", "removed");
                crate::pki::put_state(&change, id, Some(from), DeviceState::Retired, by, now)?;
            }
            crate::pki::revoke_all(&change, id, "cessation-of-operation", "removed", now)?;
            for table in ["device", "device_digest", "device_key", "device_life", "device_heard", "enrolment"] {
                change.execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id.as_str()])?;
            }
            Ok(change.commit()?)
        })?;
        self.write_revocation_list(now);
        self.trust_changed();
        Ok(())
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

/// Puts a device into service whose credentials an engineer brought.
pub(crate) fn put_into_service(change: &Connection, id: &DeviceId, now: ReceiveTime) -> Result<(), GuardError> {
    let from = state_of(change, id)?;
    match from {
        Some(state @ (DeviceState::Suspended | DeviceState::Retired)) => {
            let why = format!("the device is {}: activate or remove it first", state.name());
            Err(TrustError::Refused(why).into())
        }
        Some(DeviceState::Active) => Ok(()),
        _ => {
            let by = ("an engineer", "added with its credentials");
            crate::pki::put_state(change, id, from, DeviceState::Active, by, now)
        }
    }
}

/// The machine's time: what is done here has no caller with a clock of its own.
pub(crate) fn system_now() -> ReceiveTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    ReceiveTime(since.ok().and_then(|d| i64::try_from(d.as_micros()).ok()).unwrap_or(0))
}
