//! Which predictive models judge: part of what the journal tells, so that what they said follows from it.

use serde::{Deserialize, Serialize};

/// What a model is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// What it says is shown, and rules may use it.
    Champion,
    /// What it says is kept, to be compared; nobody who treats patients is shown it.
    Shadow,
}

impl ModelRole {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Champion => "champion",
            Self::Shadow => "shadow",
        }
    }
}

/// A model that judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelInUse {
    /// Which.
    pub id: String,
    /// Its version, with the hash of its file.
    pub version: String,
    /// What it is here.
    pub role: ModelRole,
}
