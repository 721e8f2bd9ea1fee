//! The account database: SQLite, one connection, every change durable when its method returns.
//!
//! Every look-up reads it, so what another process changes (`vitalwire user remove`) holds at
//! once. Passwords stand in it as Argon2id, everything random as a fingerprint; what has to be had to
//! be used (sensors' keys, the seeds of one-time passwords) rests on the file's encryption.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, OptionalExtension, Row, params};
use vitals::time::{HOUR, MINUTE};
use vitals::{DeviceId, PatientId, ReceiveTime, Role};

use crate::{Account, GuardError, Kind, Units, files};

/// The version of the tables after all of [`STEPS`].
const VERSION: i64 = 3;

const TABLES: &str = "
CREATE TABLE account (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    kind TEXT NOT NULL,
    role TEXT NOT NULL,
    secret TEXT NOT NULL UNIQUE -- person: Argon2id (PHC string); service: fingerprint of the token
) STRICT;
CREATE TABLE session (
    token TEXT PRIMARY KEY, -- fingerprint
    account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    began_us INTEGER NOT NULL,
    used_us INTEGER NOT NULL
) STRICT;
CREATE INDEX session_of ON session (account, used_us);
CREATE TABLE device (
    id TEXT PRIMARY KEY,
    password TEXT NOT NULL -- fingerprint
) STRICT;
CREATE TABLE setup (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    code TEXT NOT NULL -- fingerprint
) STRICT;
PRAGMA user_version = 1;
";

/// What each version added to the one before it.
const STEPS: [&str; 2] = ["
ALTER TABLE account ADD COLUMN units TEXT; -- names as a JSON list; null: the whole house
ALTER TABLE account ADD COLUMN patient TEXT; -- whose own account it is
PRAGMA user_version = 2;
", "
ALTER TABLE account ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN added_us INTEGER NOT NULL DEFAULT 0; -- 0: before this was kept
ALTER TABLE account ADD COLUMN used_us INTEGER NOT NULL DEFAULT 0; -- last login, or token's last use
ALTER TABLE account ADD COLUMN expires_us INTEGER; -- when a service's token ends
ALTER TABLE account ADD COLUMN provider TEXT; -- issuer and subject of the site's provider: no password opens
CREATE UNIQUE INDEX account_provider ON account (provider);
ALTER TABLE session ADD COLUMN means TEXT NOT NULL DEFAULT 'password';
ALTER TABLE session ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
DELETE FROM session; -- of which it is not known how they began
PRAGMA user_version = 3;
"];

/// The tables of the other parts of the guard, which each makes if they are not there.
const MODULES: [&str; 8] = [
    crate::digest::TABLES,
    crate::psk::TABLES,
    crate::identity::TABLES,
    crate::trail::TABLES,
    crate::grants::TABLES,
    crate::pki::TABLES,
    crate::fleet::TABLES,
    crate::privacy::TABLES,
];

/// How long a session of a person lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimes {
    /// At most this long, in microseconds.
    pub absolute_us: i64,
    /// Unused at most this long, in microseconds; it may end up to a minute before.
    pub idle_us: i64,
}

impl Default for SessionTimes {
    /// 12 hours (a shift), 1 hour unused.
    fn default() -> Self {
        Self { absolute_us: 12 * HOUR, idle_us: HOUR }
    }
}

pub(crate) struct Database {
    connection: Mutex<Connection>,
    pub(crate) times: SessionTimes,
    /// Changes of accounts and devices that we made ourselves.
    own_changes: AtomicU64,
}

impl Database {
    pub(crate) fn open(
        path: &Path,
        times: SessionTimes,
        key: Option<&seal::Key>,
    ) -> Result<Self, GuardError> {
        files::reserve(path)?;
        let mut connection = Connection::open(path)?;
        if let Some(key) = key {
            // Before anything else is said: the file is encrypted.
            connection.execute_batch(&seal::database::unlock(key))?;
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        let change = connection.transaction_with_behavior(IMMEDIATE)?;
        let found: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if !(0..=VERSION).contains(&found) {
            return Err(GuardError::NewerDatabase { found, known: VERSION });
        }
        if found == 0 {
            change.execute_batch(TABLES)?;
        }
        for step in STEPS.iter().skip(usize::try_from(found - 1).unwrap_or(0)) {
            change.execute_batch(step)?;
        }
        for tables in MODULES {
            change.execute_batch(tables)?;
        }
        change.commit()?;
        let own_changes = AtomicU64::new(0);
        Ok(Self { connection: Mutex::new(connection), times, own_changes })
    }

    /// Moves on with every change of another process, and with ours of accounts and devices.
    pub(crate) fn changes(&self) -> u64 {
        let connection = self.lock();
        let others = connection.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0));
        // A database that can't be read counts as changed: whoever asks then asks again.
        let others = others.ok().and_then(|n| u64::try_from(n).ok()).unwrap_or(u64::MAX);
        others.wrapping_add(self.own_changes.load(Ordering::Acquire))
    }

    /// Reads or writes with the one connection: keep it short, every request waits for it.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, GuardError>,
    ) -> Result<T, GuardError> {
        work(&mut self.lock())
    }

    /// Says that accounts, devices or rights may have changed.
    pub(crate) fn changed(&self) {
        self.own_changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock()
    }

    /// A person's account and password hash.
    pub(crate) fn person(&self, name: &str) -> Result<Option<(Account, String)>, GuardError> {
        let sql = "SELECT name, kind, role, units, patient, secret FROM account
                   WHERE name = ?1 AND kind = ?2 AND NOT disabled AND provider IS NULL
                   AND secret NOT LIKE 'provider %'";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        let found = query.query_row(params![name, Kind::Person.name()], |row| {
            Ok((account(row)?, row.get::<_, String>(5)?))
        });
        Ok(found.optional()?)
    }

    /// The service that has this token's fingerprint, if the token has not ended; notes its use.
    pub(crate) fn service(
        &self,
        token: &blake3::Hash,
        now: ReceiveTime,
    ) -> Result<Option<Account>, GuardError> {
        let sql = "SELECT name, kind, role, units, patient, used_us FROM account
                   WHERE secret = ?1 AND kind = ?2 AND NOT disabled
                   AND (expires_us IS NULL OR expires_us > ?3)";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        let (key, now) = (token.to_hex(), now.micros());
        let found = query
            .query_row(params![key.as_str(), Kind::Service.name(), now], |row| {
                Ok((account(row)?, row.get::<_, i64>(5)?))
            })
            .optional()?;
        let Some((account, used)) = found else { return Ok(None) };
        if now - used >= MINUTE {
            let sql = "UPDATE account SET used_us = ?1 WHERE name = ?2 AND used_us < ?1";
            connection.prepare_cached(sql)?.execute(params![now, account.name])?;
        }
        Ok(Some(account))
    }

    /// Whether there is an account of that name, and how it is written.
    pub(crate) fn written(&self, name: &str) -> Result<Option<String>, GuardError> {
        let sql = "SELECT name FROM account WHERE name = ?1";
        Ok(self.lock().query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    pub(crate) fn accounts(&self) -> Result<Vec<Account>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT name, kind, role, units, patient FROM account ORDER BY name")?;
        let rows = query.query_map([], account)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn add_account(&self, new: &Account, secret: &str) -> Result<(), GuardError> {
        insert_account(&self.lock(), new, secret)
    }

    /// Removes an account with its sessions, but not the last administrator.
    pub(crate) fn remove_account(&self, name: &str) -> Result<(), GuardError> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(IMMEDIATE)?;
        let had = has_administrator(&change)?;
        let removed = change.execute("DELETE FROM account WHERE name = ?1", [name])?;
        if removed == 0 {
            return Err(GuardError::Unknown(name.to_owned()));
        }
        if had && !has_administrator(&change)? {
            return Err(GuardError::LastAdministrator);
        }
        change.commit()?;
        self.changed();
        Ok(())
    }

    /// Gives a person another password hash and ends their sessions, but the one named.
    pub(crate) fn set_password(&self, name: &str, hash: &str, but: &str) -> Result<(), GuardError> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(IMMEDIATE)?;
        let sql = "UPDATE account SET secret = ?1
                   WHERE name = ?2 AND kind = ?3 AND provider IS NULL";
        if change.execute(sql, params![hash, name, Kind::Person.name()])? == 0 {
            return Err(GuardError::Unknown(name.to_owned()));
        }
        // The foreign key compares as the account's name does, this column by itself does not.
        let sql = "DELETE FROM session WHERE account = ?1 COLLATE NOCASE AND substr(token, 1, 16) <> ?2";
        change.execute(sql, [name, but])?;
        change.commit()?;
        self.changed();
        Ok(())
    }

    /// The program of that name, if there is one.
    pub(crate) fn service_named(&self, name: &str) -> Result<Option<Account>, GuardError> {
        self.named(name, Kind::Service)
    }

    /// The account of that name and kind that may come in.
    pub(crate) fn named(&self, name: &str, kind: Kind) -> Result<Option<Account>, GuardError> {
        let sql = "SELECT name, kind, role, units, patient FROM account
                   WHERE name = ?1 AND kind = ?2 AND NOT disabled";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        Ok(query.query_row([name, kind.name()], account).optional()?)
    }

    pub(crate) fn devices(&self) -> Result<Vec<DeviceId>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT id FROM device ORDER BY id")?;
        let rows = query.query_map([], |row| row.get::<_, String>(0))?;
        let ids = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(ids.iter().filter_map(|id| DeviceId::new(id).ok()).collect())
    }

    /// The fingerprint of a device's password.
    pub(crate) fn device(&self, id: &str) -> Result<Option<blake3::Hash>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT password FROM device WHERE id = ?1")?;
        let hex = query.query_row([id], |row| row.get::<_, String>(0)).optional()?;
        Ok(hex.and_then(|hex| blake3::Hash::from_hex(hex).ok()))
    }

    /// Whether nobody can administer yet.
    pub(crate) fn needs_setup(&self) -> Result<bool, GuardError> {
        Ok(!has_administrator(&self.lock())?)
    }

    /// Keeps a setup code in place of any before, unless there is an administrator.
    pub(crate) fn put_code(&self, code: &blake3::Hash) -> Result<bool, GuardError> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(IMMEDIATE)?;
        if has_administrator(&change)? {
            return Ok(false);
        }
        let sql = "INSERT OR REPLACE INTO setup (one, code) VALUES (1, ?1)";
        change.execute(sql, [code.to_hex().as_str()])?;
        change.commit()?;
        Ok(true)
    }

    /// Adds the first administrator and takes the setup code away, if it is the right one.
    pub(crate) fn redeem(
        &self,
        code: &blake3::Hash,
        new: &Account,
        secret: &str,
    ) -> Result<(), GuardError> {
        let mut connection = self.lock();
        let change = connection.transaction_with_behavior(IMMEDIATE)?;
        let key = code.to_hex();
        let used = change.execute("DELETE FROM setup WHERE code = ?1", [key.as_str()])?;
        if used == 0 || has_administrator(&change)? {
            return Err(GuardError::BadCode);
        }
        insert_account(&change, new, secret)?;
        Ok(change.commit()?)
    }

    /// Whether this is the setup code.
    pub(crate) fn is_code(&self, code: &blake3::Hash) -> Result<bool, GuardError> {
        let kept: Option<String> =
            self.lock().query_row("SELECT code FROM setup", [], |row| row.get(0)).optional()?;
        Ok(kept.and_then(|hex| blake3::Hash::from_hex(hex).ok()).is_some_and(|kept| kept == *code))
    }
}

pub(crate) const IMMEDIATE: rusqlite::TransactionBehavior = rusqlite::TransactionBehavior::Immediate;

pub(crate) fn has_administrator(connection: &Connection) -> Result<bool, GuardError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE kind = ?1 AND role = ?2 AND NOT disabled)";
    let wanted = [Kind::Person.name(), Role::Administrator.name()];
    Ok(connection.query_row(sql, wanted, |row| row.get(0))?)
}

pub(crate) fn insert_account(connection: &Connection, new: &Account, secret: &str) -> Result<(), GuardError> {
    let sql = "INSERT INTO account (name, kind, role, secret, units, patient)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO NOTHING";
    let (units, patient) = (units_text(&new.units), new.patient.as_ref().map(PatientId::as_str));
    let values = params![new.name, new.kind.name(), new.role.name(), secret, units, patient];
    match connection.execute(sql, values)? {
        0 => Err(GuardError::Exists(new.name.clone())),
        _ => Ok(()),
    }
}

/// Units as a column holds them: null is the whole house.
pub(crate) fn units_text(units: &Units) -> Option<String> {
    match units {
        Units::All => None,
        Units::Of(names) => {
            Some(serde_json::Value::from_iter(names.iter().map(String::as_str)).to_string())
        }
    }
}

/// An account from the columns name, kind, role, units, patient. What we don't know we don't let
/// in.
pub(crate) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let (kind, role): (String, String) = (row.get(1)?, row.get(2)?);
    let (units, patient): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let kind = match kind.as_str() {
        "person" => Kind::Person,
        "service" => Kind::Service,
        _ => return Err(rusqlite::Error::InvalidQuery),
    };
    let strange = |_| rusqlite::Error::InvalidQuery;
    let units = match units {
        None => Units::All,
        Some(names) => Units::Of(serde_json::from_str(&names).map_err(strange)?),
    };
    let patient = patient.map(|id| PatientId::new(&id)).transpose();
    Ok(Account {
        name: row.get(0)?,
        role: Role::from_name(&role).ok_or(rusqlite::Error::InvalidQuery)?,
        kind,
        units,
        patient: patient.map_err(|_| rusqlite::Error::InvalidQuery)?,
    })
}
