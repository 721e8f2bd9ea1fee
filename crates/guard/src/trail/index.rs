//! The index: numbers of records by account, patient, action and time.

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::Deserialize;
use vitals::{EffectiveTime, PatientId};

use super::INDEX_FILE;
use crate::{AuditLog, GuardError, files};

/// Another version is made anew from the log.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE record (
    n INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL,
    actor INTEGER NOT NULL,
    action INTEGER NOT NULL,
    outcome INTEGER NOT NULL
) STRICT;
CREATE INDEX record_by ON record (actor, n);
CREATE INDEX record_what ON record (action, n);
CREATE INDEX record_when ON record (at_us);
CREATE TABLE about (subject INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (subject, n)) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
";

/// Opened when it is first needed.
pub(crate) struct Index {
    folder: PathBuf,
    connection: Mutex<Option<Connection>>,
}

/// What of a record is looked up.
#[derive(Deserialize)]
struct Said<'a> {
    at_us: i64,
    #[serde(borrow)]
    actor: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    action: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    outcome: std::borrow::Cow<'a, str>,
    #[serde(default, borrow)]
    subject: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, borrow)]
    patients: Vec<std::borrow::Cow<'a, str>>,
}

impl Index {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), connection: Mutex::new(None) }
    }

    pub(crate) fn log(&self) -> AuditLog {
        AuditLog::at(&self.folder)
    }

    /// Takes in at most `limit` records that are not in the index yet; how many it took.
    pub(crate) fn advance(&self, limit: usize) -> Result<usize, GuardError> {
        self.with(|connection| advance(connection, &self.log(), limit))
    }

    /// Asks the index once it has all records of this moment.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, GuardError>,
    ) -> Result<T, GuardError> {
        const STEP: usize = 20_000;
        self.with(|connection| {
            while advance(connection, &self.log(), STEP)? == STEP {}
            question(connection)
        })
    }

    /// The first record up to `last` about one of these patients in one of these times.
    pub(crate) fn first_held(
        &self,
        held: &[(PatientId, EffectiveTime, EffectiveTime)],
        last: u64,
    ) -> Result<Option<u64>, GuardError> {
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        self.ask(|connection| {
            let mut ask = connection.prepare_cached(
                "SELECT min(about.n) FROM about JOIN record ON record.n = about.n
                 WHERE about.subject = (SELECT id FROM word WHERE text = ?1)
                 AND about.n <= ?2 AND record.at_us >= ?3 AND record.at_us < ?4",
            )?;
            let mut first: Option<i64> = None;
            for (patient, from, to) in held {
                let found: Option<i64> =
                    ask.query_row(params![patient.as_str(), last, from.0, to.0], |row| row.get(0))?;
                first = [first, found].into_iter().flatten().min();
            }
            Ok(first.map(i64::unsigned_abs))
        })
    }

    /// Forgets records up to this one, and the words that were only in them.
    pub(crate) fn forget(&self, last: u64) -> Result<(), GuardError> {
        let last = i64::try_from(last).unwrap_or(i64::MAX);
        self.with(|connection| {
            let change = connection.transaction()?;
            change.execute("DELETE FROM record WHERE n <= ?1", [last])?;
            change.execute("DELETE FROM about WHERE n <= ?1", [last])?;
            change.execute(
                "DELETE FROM word WHERE id NOT IN (SELECT actor FROM record UNION SELECT action FROM record
                 UNION SELECT outcome FROM record UNION SELECT subject FROM about)",
                [],
            )?;
            Ok(change.commit()?)
        })
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, GuardError>,
    ) -> Result<T, GuardError> {
        let mut slot = self.connection.lock();
        if slot.is_none() {
            *slot = Some(open(&self.folder.join(INDEX_FILE))?);
        }
        let connection = slot.as_mut().ok_or_else(|| GuardError::AuditFailed("no index".to_owned()))?;
        let done = work(connection);
        // A damaged index is opened, and if need be made, anew the next time.
        if matches!(done, Err(GuardError::Database(_))) {
            *slot = None;
        }
        done
    }
}

/// Opens the index; one that cannot be read or is of another version is made anew.
fn open(path: &Path) -> Result<Connection, GuardError> {
    match try_open(path) {
        Ok(connection) => Ok(connection),
        Err(error) => {
            tracing::warn!(%error, "the index of the audit log is made anew");
            for end in ["", "-wal", "-shm"] {
                let mut name = path.as_os_str().to_owned();
                name.push(end);
                let _ = std::fs::remove_file(name);
            }
            try_open(path)
        }
    }
}

fn try_open(path: &Path) -> Result<Connection, GuardError> {
    files::reserve(path)?;
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What a power failure takes is taken in again from the log.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    match connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? {
        0 => connection.execute_batch(TABLES)?,
        VERSION => {}
        found => return Err(GuardError::NewerDatabase { found, known: VERSION }),
    }
    Ok(connection)
}

fn advance(connection: &mut Connection, log: &AuditLog, limit: usize) -> Result<usize, GuardError> {
    let last: Option<i64> = connection.query_row("SELECT max(n) FROM record", [], |row| row.get(0))?;
    let from = last.and_then(|n| u64::try_from(n).ok()).unwrap_or(0) + 1;
    let change = connection.transaction()?;
    let (mut taken, mut failed) = (0, None);
    log.lines(from, |number, line| {
        if let Err(error) = take(&change, number, line) {
            failed = Some(error);
            return false;
        }
        taken += 1;
        taken < limit
    })?;
    match failed {
        Some(error) => Err(error),
        None => {
            change.commit()?;
            Ok(taken)
        }
    }
}

fn take(change: &Transaction<'_>, number: u64, line: &str) -> Result<(), GuardError> {
    let n = i64::try_from(number).unwrap_or(i64::MAX);
    let Ok(said) = serde_json::from_str::<Said<'_>>(line) else { return Ok(()) };
    let (actor, action) = (word(change, &said.actor)?, word(change, &said.action)?);
    let sql = "INSERT OR IGNORE INTO record (n, at_us, actor, action, outcome) VALUES (?1, ?2, ?3, ?4, ?5)";
    let outcome = word(change, &said.outcome)?;
    change.prepare_cached(sql)?.execute(params![n, said.at_us, actor, action, outcome])?;
    for patient in said.subject.iter().chain(&said.patients) {
        let subject = word(change, patient)?;
        let sql = "INSERT OR IGNORE INTO about (subject, n) VALUES (?1, ?2)";
        change.prepare_cached(sql)?.execute([subject, n])?;
    }
    Ok(())
}

/// The number that stands for a text, which is given one if it has none.
fn word(change: &Transaction<'_>, text: &str) -> Result<i64, GuardError> {
    let mut known = change.prepare_cached("SELECT id FROM word WHERE text = ?1")?;
    if let Some(id) = known.query_row([text], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    change.prepare_cached("INSERT INTO word (text) VALUES (?1)")?.execute([text])?;
    Ok(change.last_insert_rowid())
}
