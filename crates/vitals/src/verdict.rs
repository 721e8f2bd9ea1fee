//! What a clinician says that an alert was.

use serde::{Deserialize, Serialize};

/// What an alert was, as somebody who looked says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was true, and something was to be done.
    Actionable,
    /// It was true, and nothing was to be done.
    NotActionable,
    /// It was not true: movement, a loose electrode, a wrong value.
    Artefact,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Actionable, Self::NotActionable, Self::Artefact];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Actionable => "actionable",
            Self::NotActionable => "not-actionable",
            Self::Artefact => "artefact",
        }
    }

    /// The verdict of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}
