//! The store of one machine: SQLite with a write-ahead log, one writer, readers beside it.

mod alert_hours;
mod blocks;
mod directory;
mod erase;
mod expire;
mod expire_rows;
mod holds;
mod listed;
mod pool;
mod predictions;
mod read;
mod read_readings;
mod read_rows;
mod read_series;
mod read_waves;
mod schema;
mod sealed;
mod side;
mod waves;
mod write;
mod write_rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use seal::Key;

use crate::{Commit, Expired, ExpiredRecords, Expiry, Reader, RecordExpiry, Side, Store, StoreError};

/// The writer.
pub struct SqliteStore {
    connection: Connection,
    tails: blocks::Tails,
    wave_tails: waves::WaveTails,
    /// The series that retention looked at last; none: it begins anew.
    expired_to: Option<u32>,
    /// The rows that it looked at last.
    rows_to: expire_rows::Reached,
    pool: Arc<pool::Pool>,
    side: Arc<side::SqliteSide>,
}

impl SqliteStore {
    /// Opens or creates the database file; brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a database of a newer program; [`StoreError::Sqlite`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        Self::with_key(file, None)
    }

    /// [`SqliteStore::open`] of an encrypted file: pages, write-ahead log and temporary tables are.
    /// A plain file is refused: see `vault::convert`.
    ///
    /// # Errors
    /// As [`SqliteStore::open`]; with another key too.
    pub fn open_sealed(file: &Path, key: &Key) -> Result<Self, StoreError> {
        Self::with_key(file, Some(key))
    }

    fn with_key(file: &Path, key: Option<&Key>) -> Result<Self, StoreError> {
        let mut connection = connect(file, key)?;
        schema::migrate(&mut connection)?;
        let path: PathBuf = file.to_owned();
        Ok(Self {
            side: Arc::new(side::SqliteSide::new(connect(file, key)?)),
            pool: Arc::new(pool::Pool::new(path, key.cloned())),
            tails: blocks::Tails::default(),
            wave_tails: waves::WaveTails::default(),
            expired_to: None,
            rows_to: expire_rows::Reached::default(),
            connection,
        })
    }
}

impl Store for SqliteStore {
    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        if !commit.erasures.is_empty() {
            self.connection.pragma_update(None, "secure_delete", true)?;
        }
        let result = write::commit(
            &mut self.connection,
            &mut self.tails,
            &mut self.wave_tails,
            commit,
        );
        if result.is_err() || !commit.erasures.is_empty() {
            // What it says of blocks may never have been written, or is gone.
            self.tails.clear();
            self.wave_tails.clear();
        }
        if !commit.erasures.is_empty() {
            self.connection.pragma_update(None, "secure_delete", "fast")?;
        }
        result
    }

    fn scrub(&mut self) -> Result<(), StoreError> {
        erase::scrub(&self.connection)
    }

    fn expire(&mut self, expiry: &Expiry) -> Result<Expired, StoreError> {
        let step = expire::step(&mut self.connection, self.expired_to, expiry)?;
        self.expired_to = step.reached;
        for series in step.touched {
            self.tails.forget(series);
            self.wave_tails.forget(series);
        }
        Ok(step.expired)
    }

    fn expire_records(&mut self, expiry: &RecordExpiry) -> Result<ExpiredRecords, StoreError> {
        let (expired, reached) = expire_rows::step(&mut self.connection, &self.rows_to, expiry)?;
        self.rows_to = reached;
        Ok(expired)
    }

    fn reader(&self) -> Reader {
        Arc::new(read::SqliteReader::new(Arc::clone(&self.pool)))
    }

    fn side(&self) -> Arc<dyn Side> {
        Arc::clone(&self.side) as Arc<dyn Side>
    }
}

/// A connection that writes: every commit is synced to disk before it returns.
fn connect(file: &Path, key: Option<&Key>) -> Result<Connection, StoreError> {
    let connection = sealed::open(file, key, OpenFlags::default())?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    // Pages that are freed can be given back, so that an erasure leaves none (only a new file takes
    // this up); what is deleted is overwritten in the pages that are written anyway.
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "secure_delete", "fast")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "foreign_keys", "off")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
