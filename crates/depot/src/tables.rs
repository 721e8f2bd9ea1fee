//! The database: documents by key, small and few, all of them in memory as well.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fleet::habit::{Habit, Habits};
use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vitals::DeviceId;

use crate::{DepotError, Kept};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS document (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL, -- JSON
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS habit (device TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    usual TEXT NOT NULL,
    seen TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS event_of ON event (device, number);
";

/// Kinds of documents.
pub(crate) const ITEM: &str = "item";
pub(crate) const MINIMUMS: &str = "minimums";
pub(crate) const ADVISORY: &str = "advisory";
pub(crate) const ACKNOWLEDGED: &str = "acknowledged";
pub(crate) const SBOM: &str = "sbom";
pub(crate) const CAMPAIGN: &str = "campaign";

impl Kept {
    pub(crate) fn open(path: &Path, unlock: Option<&str>) -> Result<Self, DepotError> {
        let connection = Connection::open(path)?;
        if let Some(unlock) = unlock {
            connection.execute_batch(unlock)?;
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.execute_batch(TABLES)?;
        let mut kept = Self {
            connection,
            version: -1,
            items: BTreeMap::new(),
            minimums: Vec::new(),
            advisories: BTreeMap::new(),
            vulnerabilities: Vec::new(),
            acknowledged: BTreeMap::new(),
            sboms: BTreeMap::new(),
            campaigns: BTreeMap::new(),
        };
        kept.refresh()?;
        Ok(kept)
    }

    /// Reads everything anew if another program changed something.
    pub(crate) fn refresh(&mut self) -> Result<(), DepotError> {
        let version = self.connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if version == self.version {
            return Ok(());
        }
        let by_key = |key: String| Some(key);
        self.items = self.all(ITEM, by_key)?;
        self.minimums = self.all(MINIMUMS, by_key)?.into_values().next().unwrap_or_default();
        self.advisories = self.all(ADVISORY, by_key)?;
        self.acknowledged = self.all(ACKNOWLEDGED, |key| {
            key.split_once('\n').map(|(id, device)| (id.to_owned(), device.to_owned()))
        })?;
        self.sboms = self.all(SBOM, by_key)?;
        self.campaigns = self.all(CAMPAIGN, |key| key.parse().ok())?;
        self.gather();
        self.version = version;
        Ok(())
    }

    /// What all advisories say, in one list.
    pub(crate) fn gather(&mut self) {
        self.vulnerabilities =
            self.advisories.values().flat_map(|a| a.vulnerabilities.iter().cloned()).collect();
    }

    fn all<K: Ord, T: DeserializeOwned>(
        &self,
        kind: &'static str,
        key: impl Fn(String) -> Option<K>,
    ) -> Result<BTreeMap<K, T>, DepotError> {
        let mut query = self.connection.prepare("SELECT key, body FROM document WHERE kind = ?1")?;
        let rows = query.query_map([kind], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut all = BTreeMap::new();
        for row in rows {
            let (name, body) = row?;
            let value = serde_json::from_str(&body).map_err(|_| DepotError::Kept(kind))?;
            all.insert(key(name).ok_or(DepotError::Kept(kind))?, value);
        }
        Ok(all)
    }

    /// Keeps a document; durable on return.
    pub(crate) fn put(&self, kind: &'static str, key: &str, value: &impl Serialize) -> Result<(), DepotError> {
        let body = serde_json::to_string(value).map_err(|_| DepotError::Kept(kind))?;
        let sql = "INSERT INTO document (kind, key, body) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO UPDATE SET body = excluded.body";
        self.connection.prepare_cached(sql)?.execute(params![kind, key, body])?;
        Ok(())
    }

    pub(crate) fn delete(&self, kind: &'static str, key: &str) -> Result<(), DepotError> {
        let sql = "DELETE FROM document WHERE kind = ?1 AND key = ?2";
        self.connection.prepare_cached(sql)?.execute([kind, key])?;
        Ok(())
    }

    /// The habits kept; one that can't be read is learned anew.
    pub(crate) fn habits(&self) -> Result<Habits, DepotError> {
        let mut habits = Habits::default();
        let mut query = self.connection.prepare("SELECT device, body FROM habit")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        for row in rows {
            let (device, body) = row?;
            let habit = postcard::from_bytes::<Habit>(&body);
            if let (Ok(device), Ok(habit)) = (DeviceId::new(&device), habit) {
                habits.restore(device, habit);
            }
        }
        Ok(habits)
    }
}
