//! Connections that only read: as many as are in use at once, kept for the next question.

use std::path::PathBuf;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use seal::Key;

use crate::StoreError;

/// Idle connections kept.
const IDLE_MAX: usize = 8;

/// The connections.
pub(super) struct Pool {
    file: PathBuf,
    key: Option<Key>,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(file: PathBuf, key: Option<Key>) -> Self {
        Self {
            file,
            key,
            idle: Mutex::default(),
        }
    }

    /// Runs a question on a connection, in one snapshot of the database.
    pub(super) fn with<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open()?,
        };
        let snapshot = connection.unchecked_transaction()?;
        let answer = ask(&snapshot);
        snapshot.finish()?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        answer
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = super::sealed::open(&self.file, self.key.as_ref(), flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "query_only", true)?;
        // What is encrypted is decrypted once into this cache; what is not, is mapped.
        let (cache, map) = if self.key.is_some() { (-32_768, 0) } else { (-16_384, 1_i64 << 30) };
        connection.pragma_update(None, "cache_size", cache)?;
        connection.pragma_update(None, "mmap_size", map)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }
}
