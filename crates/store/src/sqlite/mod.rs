//! The store of one machine: SQLite with a write-ahead log, one writer, readers beside it.

mod blocks;
mod directory;
mod expire;
mod holds;
mod listed;
mod pool;
mod read;
mod read_readings;
mod read_rows;
mod read_series;
mod read_waves;
mod schema;
mod side;
mod waves;
mod write;
mod write_rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use crate::{Commit, Expired, Expiry, Reader, Side, Store, StoreError};

/// The writer.
pub struct SqliteStore {
    connection: Connection,
    tails: blocks::Tails,
    wave_tails: waves::WaveTails,
    /// The series that retention looked at last; none: it begins anew.
    expired_to: Option<u32>,
    pool: Arc<pool::Pool>,
    side: Arc<side::SqliteSide>,
}

impl SqliteStore {
    /// Opens or creates the database file; brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a database of a newer program; [`StoreError::Sqlite`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(file)?;
        schema::migrate(&mut connection)?;
        let path: PathBuf = file.to_owned();
        Ok(Self {
            side: Arc::new(side::SqliteSide::new(connect(file)?)),
            pool: Arc::new(pool::Pool::new(path)),
            tails: blocks::Tails::default(),
            wave_tails: waves::WaveTails::default(),
            expired_to: None,
            connection,
        })
    }
}

impl Store for SqliteStore {
    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let result = write::commit(
            &mut self.connection,
            &mut self.tails,
            &mut self.wave_tails,
            commit,
        );
        if result.is_err() {
            // What it says of blocks may never have been written.
            self.tails.clear();
            self.wave_tails.clear();
        }
        result
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

    fn reader(&self) -> Reader {
        Arc::new(read::SqliteReader::new(Arc::clone(&self.pool)))
    }

    fn side(&self) -> Arc<dyn Side> {
        Arc::clone(&self.side) as Arc<dyn Side>
    }
}

/// A connection that writes: every commit is synced to disk before it returns.
fn connect(file: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "foreign_keys", "off")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
