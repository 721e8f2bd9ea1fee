//! What can go wrong with the store, and what to do about it.

use std::path::PathBuf;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("store: {doing}: {source}")]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
    /// A file could not be opened or made.
    #[error("store: {}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database was written by a newer version of the program.
    #[error(
        "store: the database has schema {found}, this program knows up to {known}: use the newer program"
    )]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest known here.
        known: i64,
    },
    /// Somebody has been reading for so long that the log could not be emptied.
    #[error("store: somebody reads without end; the write-ahead log could not be emptied: tried again at the next start")]
    Busy,
    /// A stored row can't be read back.
    #[error("store: {what} is damaged: restore the database from a copy, or replay the journal")]
    Damaged {
        /// What kind of row.
        what: &'static str,
    },
    /// A commit does not follow the one before.
    #[error(
        "store: a commit goes back from entry {stored} to {offered}: another process has this data folder"
    )]
    Backwards {
        /// Checkpoint in the store.
        stored: u64,
        /// Checkpoint of the commit.
        offered: u64,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(source: rusqlite::Error) -> Self {
        Self::Sqlite {
            doing: "reading or writing the database",
            source,
        }
    }
}
