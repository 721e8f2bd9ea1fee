//! What can go wrong with the journal, and what to do about it.

use std::path::PathBuf;

use vitals::Offset;

/// A failure of the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("journal: {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// No space is left. Nothing was lost; appending goes on once there is space again.
    #[error("journal: no space left for {}: free some space on that disk", path.display())]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The file is not what was written: damaged or manipulated.
    #[error(
        "journal: {} is damaged or was altered at byte {position}: {reason}; restore it from a copy",
        file.display()
    )]
    Corrupt {
        /// Which file.
        file: PathBuf,
        /// Byte position of the first frame that does not hold.
        position: u64,
        /// What does not hold.
        reason: &'static str,
    },
    /// Another process has the journal open.
    #[error("journal: {} is in use by another process; stop that one first", .0.display())]
    InUse(PathBuf),
    /// The entry was removed by retention, or never written.
    #[error("journal: entry {wanted} is not kept any more; the oldest is {first}")]
    Gone {
        /// Which was asked for.
        wanted: Offset,
        /// The oldest that there is.
        first: Offset,
    },
    /// An event is larger than an entry may be.
    #[error("journal: an event of {bytes} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// An event could not be turned into bytes or back; the journal may be of another version.
    #[error("journal: entry {offset} cannot be read by this version: {reason}")]
    Encoding {
        /// Which entry; 0 when it had none yet.
        offset: Offset,
        /// Why.
        reason: String,
    },
    /// Entries cannot be sealed or opened for want of a key.
    #[error("journal: {0}")]
    Keys(String),
    /// The journal was closed before the entry was written.
    #[error("journal: closed before the entry was written")]
    Closed,
    /// An earlier one of the same connection was not written; it is sent again first.
    #[error("journal: not written, because an earlier message of this connection was not")]
    Behind,
}

/// The appender has stopped; nothing more is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the journal is closed")]
pub struct Closed;

impl JournalError {
    /// From an input or output error; a full disk is told apart.
    #[must_use]
    pub fn io(doing: &'static str, path: &std::path::Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        if matches!(source.kind(), StorageFull | QuotaExceeded) {
            Self::DiskFull {
                path: path.to_owned(),
            }
        } else {
            Self::Io {
                doing,
                path: path.to_owned(),
                source,
            }
        }
    }
}
