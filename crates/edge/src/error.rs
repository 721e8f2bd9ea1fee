//! What can fail.

/// Why the spool or the list of edges failed. Texts hold nothing of what was measured.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// The database.
    #[error("the edge's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// Something that was kept can't be read.
    #[error("the edge's database holds something that this version does not read: {0}")]
    Unreadable(&'static str),
    /// No such edge.
    #[error("no edge of that name")]
    Unknown,
    /// There is one of that name.
    #[error("there is an edge of that name")]
    Taken,
    /// The code or token is wrong, used, or too old.
    #[error("the code or token does not hold")]
    Refused,
}
