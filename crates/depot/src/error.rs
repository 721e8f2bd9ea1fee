//! What can go wrong with the depot.

use std::path::Path;

use fleet::campaign::{CampaignError, PlanError};

use crate::firmware::Refusal;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// The database failed.
    #[error("the fleet's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file can't be read or written.
    #[error("cannot use {0}: {1}")]
    File(String, String),
    /// Something kept can't be understood: written by a newer program, or damaged.
    #[error("the fleet's database holds a {0} that can't be read; was it written by a newer program?")]
    Kept(&'static str),
    /// A file that was given is wrong.
    #[error("{0}")]
    Wrong(String),
    /// Firmware was refused.
    #[error("firmware refused: {0}")]
    Refused(#[from] Refusal),
    /// A campaign can't be made.
    #[error("{0}")]
    Plan(#[from] PlanError),
    /// A campaign can't do that now.
    #[error("{0}")]
    Campaign(#[from] CampaignError),
    /// There is no such thing.
    #[error("there is no such {0}")]
    Unknown(&'static str),
}

impl DepotError {
    pub(crate) fn file(path: &Path, error: &dyn std::fmt::Display) -> Self {
        Self::File(path.display().to_string(), error.to_string())
    }

    /// Whether whoever asked has to ask for something else; otherwise it is ours to mend.
    #[must_use]
    pub const fn is_asked_wrong(&self) -> bool {
        !matches!(self, Self::Database(_) | Self::File(..) | Self::Kept(_))
    }
}
