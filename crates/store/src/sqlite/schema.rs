//! Tables, by version. A version's text never changes once released; changes are a new version.

use rusqlite::Connection;

use crate::StoreError;

const VERSIONS: [&str; 7] = [
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
    include_str!("schema-7.sql"),
];

/// Brings the database to the newest version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = VERSIONS.len() as i64;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (version, text) in (1..).zip(VERSIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction
            .execute_batch(text)
            .map_err(|source| StoreError::Sqlite {
                doing: "creating tables",
                source,
            })?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}
