//! What can be wrong with a recording: errors end the reading, problems are told beside the result.

use std::fmt;

/// Why a recording can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file that the recording needs is not there.
    #[error("the file `{0}` is missing")]
    Missing(String),
    /// A file is not of its format: where, and what was found.
    #[error("{place}: {what}")]
    Malformed {
        /// File, and line or field.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// The format allows it, this reader does not.
    #[error("{place}: {what} is not supported")]
    Unsupported {
        /// File, and line or field.
        place: String,
        /// What it asks for.
        what: String,
    },
    /// More than a reader or a format takes.
    #[error("{what}: the limit is {limit}")]
    TooLarge {
        /// What there is too much of.
        what: String,
        /// How much is taken.
        limit: u64,
    },
    /// The recording can't be written in this format without changing it.
    #[error("{0}")]
    DoesNotFit(String),
}

impl Error {
    pub(crate) fn malformed(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self::Malformed { place: place.to_string(), what: what.to_string() }
    }

    pub(crate) fn unsupported(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self::Unsupported { place: place.to_string(), what: what.to_string() }
    }

    pub(crate) fn too_large(what: impl fmt::Display, limit: u64) -> Self {
        Self::TooLarge { what: what.to_string(), limit }
    }
}

/// Something that was not as it should be, or could not be said in the format, although the rest
/// was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File, segment or channel.
    pub place: String,
    /// What it is.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(place: impl fmt::Display, what: impl fmt::Display) -> Self {
        Self { place: place.to_string(), what: what.to_string() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}
