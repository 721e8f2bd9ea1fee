//! Devices that can name themselves by nothing but a digest: apps of the Nightscout kind send the
//! SHA-1 of a secret and no user name. The secret is the device's password, made here and random
//! (160 bits), so its digest is no easier to guess; of the digest only a fingerprint is kept.

use rusqlite::{Connection, OptionalExtension, params};
use sha1::{Digest, Sha1};
use vitals::DeviceId;

use crate::{Guard, GuardError, secret};

pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS device_digest (
    digest TEXT PRIMARY KEY, -- fingerprint of the SHA-1, in hexadecimal, of the password
    id TEXT NOT NULL,
    password TEXT NOT NULL -- fingerprint: the digest opens only while this is the device's password
) STRICT;
CREATE INDEX IF NOT EXISTS device_digest_of ON device_digest (id);
";

impl Guard {
    /// The device whose password has this SHA-1 (40 hexadecimal digits): none when there is none, or
    /// it has another password by now. In a trial nobody is asked for one.
    #[must_use]
    pub fn device_by_digest(&self, sha1_hex: &str) -> Option<DeviceId> {
        let people = self.inner.people.as_ref()?;
        let good = sha1_hex.len() == 40 && sha1_hex.bytes().all(|b| b.is_ascii_hexdigit());
        let key = good.then(|| secret::fingerprint(sha1_hex.to_ascii_lowercase().as_bytes()).to_hex())?;
        let found = people.database.with(|connection| {
            let sql = "SELECT device.id FROM device_digest JOIN device USING (id, password)
                       WHERE digest = ?1 AND device.password <> ''";
            let mut query = connection.prepare_cached(sql)?;
            Ok(query.query_row([key.as_str()], |row| row.get::<_, String>(0)).optional()?)
        });
        Self::or_none(found.map(|id| id.and_then(|id| DeviceId::new(&id).ok())))
    }
}

/// Keeps the digest of a device's new password in place of any before.
pub(crate) fn keep(connection: &Connection, id: &DeviceId, password: &str) -> Result<(), GuardError> {
    connection.execute("DELETE FROM device_digest WHERE id = ?1", [id.as_str()])?;
    if password.is_empty() {
        return Ok(());
    }
    let sha1: String = Sha1::digest(password.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    connection.execute(
        "INSERT INTO device_digest (digest, id, password) VALUES (?1, ?2, ?3)",
        params![
            secret::fingerprint(sha1.as_bytes()).to_hex().as_str(),
            id.as_str(),
            secret::fingerprint(password.as_bytes()).to_hex().as_str(),
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha1(text: &str) -> String {
        Sha1::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_digest_opens_while_its_password_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let guard = Guard::open(folder.path()).expect("a guard");
        let id = DeviceId::new("cgm-1").expect("an id");
        let first = guard.add_device(&id).expect("added");
        assert_eq!(guard.device_by_digest(&sha1(&first)), Some(id.clone()));
        assert_eq!(guard.device_by_digest(&sha1(&first).to_uppercase()), Some(id.clone()));
        for other in ["", "x", &first, &sha1("other")] {
            assert_eq!(guard.device_by_digest(other), None);
        }
        let second = guard.add_device(&id).expect("another password");
        assert_eq!(guard.device_by_digest(&sha1(&first)), None);
        assert_eq!(guard.device_by_digest(&sha1(&second)), Some(id.clone()));
        guard.add_device_with_certificate(&id).expect("no password");
        assert_eq!(guard.device_by_digest(&sha1(&second)), None);
        guard.add_device(&id).expect("a third");
        guard.remove_device(&id).expect("removed");
        assert_eq!(guard.device_by_digest(&sha1(&second)), None);
    }
}
