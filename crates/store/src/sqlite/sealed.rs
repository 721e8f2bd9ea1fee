//! The database file, encrypted: every connection is unlocked before anything else.

use std::path::Path;

use rusqlite::Connection;
use seal::{Key, database};

use crate::StoreError;

/// Opens a connection; with a key, unlocks it before anything else is said.
pub(super) fn open(
    file: &Path,
    key: Option<&Key>,
    flags: rusqlite::OpenFlags,
) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(file, flags)?;
    if let Some(key) = key {
        let unlock = database::unlock(key);
        connection.execute_batch(&unlock).map_err(|source| sealed(source, "unlocking it"))?;
        // The first page says whether the key is the right one.
        let tables = connection.query_row("select count(*) from sqlite_master", [], |row| row.get::<_, i64>(0));
        tables.map_err(|source| sealed(source, "unlocking it: is the keyring of another installation?"))?;
    }
    Ok(connection)
}

fn sealed(source: rusqlite::Error, doing: &'static str) -> StoreError {
    StoreError::Sqlite { doing, source }
}
