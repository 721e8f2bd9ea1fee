//! Keys of sensors that have neither a certificate nor a login: over DTLS they show a name and prove a
//! key that both sides know (LwM2M's pre-shared keys). The key itself has to be had for that, so it
//! stands in the database, which is encrypted; a random one of 128 bits is made here unless the sensor
//! came with its own.

use rusqlite::{Connection, OptionalExtension, params};
use vitals::DeviceId;

use crate::devices::{put_into_service, system_now};
use crate::{Guard, GuardError, TrustError, secret};

pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS device_key (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE, -- what the sensor shows
    key BLOB NOT NULL
) STRICT;
";

/// How long a name may be, bytes: the most that RFC 4279 has every implementation take.
const NAME_MAX: usize = 128;
/// How long a key may be, bytes.
const KEY: std::ops::RangeInclusive<usize> = 16..=64;

/// What a sensor shows and has.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceKey {
    /// Its name over DTLS (PSK identity).
    pub name: String,
    /// Its key.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Guard {
    /// Gives a device a key in place of any before: `key`, or a random one; it shows `name`, or its id.
    /// It is in service at once. Returned to be carried to the sensor.
    ///
    /// # Errors
    /// [`TrustError::Refused`] when it is suspended or retired, or name or key can't be taken;
    /// [`GuardError`] when the database fails.
    pub fn set_device_key(
        &self,
        id: &DeviceId,
        name: Option<&str>,
        key: Option<&[u8]>,
    ) -> Result<DeviceKey, GuardError> {
        let refused = |why: &str| GuardError::from(TrustError::Refused(why.to_owned()));
        let name = name.unwrap_or(id.as_str());
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(refused("a name has 1 to 128 bytes and no control characters"));
        }
        let key = match key {
            Some(key) if !KEY.contains(&key.len()) => return Err(refused("a key has 16 to 64 bytes")),
            Some(key) => key.to_vec(),
            None => secret::random::<16>()?.to_vec(),
        };
        self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(crate::pki::IMMEDIATE)?;
            let mut others = change.prepare("SELECT id FROM device_key WHERE name = ?1 AND id <> ?2")?;
            if others.exists(params![name, id.as_str()])? {
                return Err(GuardError::from(TrustError::Refused("another device shows that name".to_owned())));
            }
            drop(others);
            put_into_service(&change, id, system_now())?;
            change.execute(
                "INSERT INTO device_key (id, name, key) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE SET name = excluded.name, key = excluded.key",
                params![id.as_str(), name, key],
            )?;
            Ok(change.commit()?)
        })?;
        self.trust_changed();
        Ok(DeviceKey { name: name.to_owned(), key })
    }

    /// The device that shows this name, and its key; none when there is none, and in a trial, where
    /// nothing is proved.
    #[must_use]
    pub fn device_key(&self, name: &[u8]) -> Option<(DeviceId, Vec<u8>)> {
        let name = std::str::from_utf8(name).ok()?;
        let people = self.inner.people.as_ref()?;
        let found = people.database.with(|connection| {
            let mut query = connection.prepare_cached("SELECT id, key FROM device_key WHERE name = ?1")?;
            let row = query.query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
            Ok(row.optional()?)
        });
        let (id, key) = Self::or_none(found)?;
        Some((DeviceId::new(&id).ok()?, key))
    }
}

/// What tells a device's key from others and opens nothing; empty without one.
pub(crate) fn fingerprint(connection: &Connection, id: &DeviceId) -> Result<String, GuardError> {
    let mut query = connection.prepare_cached("SELECT name, key FROM device_key WHERE id = ?1")?;
    let row = query.query_row([id.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
    Ok(row.optional()?.map_or_else(String::new, |(name, key)| {
        secret::fingerprint(&[name.as_bytes(), b"\0", &key].concat()).to_hex().to_string()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credential, DeviceStep, Refusal};

    #[test]
    fn a_key_opens_while_its_device_is_in_service() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = Guard::open(folder.path()).expect("a guard");
        let (one, two) = (DeviceId::sanitised("sensor-1"), DeviceId::sanitised("sensor-2"));
        let made = guard.set_device_key(&one, None, None).expect("a key");
        assert_eq!((made.name.as_str(), made.key.len()), ("sensor-1", 16));
        assert!(!format!("{made:?}").contains("key:"), "a key is not told by accident");
        assert_eq!(guard.device_key(b"sensor-1"), Some((one.clone(), made.key.clone())));
        let standing = guard.device_standing(&one).expect("in service");
        let own = guard.set_device_key(&one, Some("urn:imei:490154203237518"), Some(&[7; 32])).expect("its own");
        assert_eq!(guard.device_key(b"sensor-1"), None);
        assert_eq!(guard.device_key(own.name.as_bytes()), Some((one.clone(), vec![7; 32])));
        assert_ne!(guard.device_standing(&one), Some(standing), "whoever is served is asked about again");
        let trusted = guard.trusted_device(&one).expect("read").expect("known");
        assert_eq!((trusted.credential, trusted.credential.name()), (Credential::Key, "key"));
        for (name, length) in [("", 32), ("a\nb", 32), ("x", 15), ("x", 65), ("urn:imei:490154203237518", 32)] {
            let key = vec![7_u8; length];
            assert!(guard.set_device_key(&two, Some(name), Some(key.as_slice())).is_err(), "{name:?} {length}");
        }
        guard.move_device(&one, DeviceStep::Suspend, "test", "lost", system_now()).expect("suspended");
        assert!(matches!(guard.admit_device(&one), Err(Refusal::NotInService(_))));
        assert!(guard.set_device_key(&one, None, None).is_err(), "not while it is suspended");
        guard.remove_device(&one).expect("removed");
        assert_eq!(guard.device_key(own.name.as_bytes()), None);
    }
}
