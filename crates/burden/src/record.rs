//! What is known of one alert, from its record and its history.

use serde::{Deserialize, Serialize};
use vitals::Verdict;

use crate::limits::Extreme;

/// How urgent (IEC 60601-1-8), least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenPriority))]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Awareness is required.
    Low,
    /// Prompt response is required.
    Medium,
    /// Immediate response is required.
    High,
}

/// Somebody was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub at: i64,
    /// Whether it was passed on to the next in the chain, rather than sounded.
    pub passed_on: bool,
}

/// One alert. Texts may be empty where nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its name.
    pub episode: String,
    /// Raised.
    pub raised: i64,
    /// Over; none while it goes on.
    pub ended: Option<i64>,
    /// The highest priority that it had.
    pub priority: Priority,
    /// Care unit where it was raised.
    pub unit: String,
    /// Bed where it was raised.
    pub bed: String,
    /// The device that it is about, or whose value decided it.
    pub device: String,
    /// The rule, limit or device alarm, in words that people know.
    pub rule: String,
    /// Whose, as an opaque id: compared, never shown.
    pub patient: String,
    /// When and by which role it was first taken; the role may be empty.
    pub taken: Option<(i64, String)>,
    /// Each time that it asked for somebody.
    pub calls: Vec<Call>,
    /// What a clinician said that it was.
    pub verdict: Option<Verdict>,
    /// For a limit: how far it went.
    pub extreme: Option<Extreme>,
}

/// An alert that ended within this time without anybody taking it asked for nobody.
pub(crate) const FLEETING_US: i64 = 30_000_000;

impl Alert {
    /// Whether it ended by itself within half a minute.
    #[must_use]
    pub fn fleeting(&self) -> bool {
        self.taken.is_none() && self.ended.is_some_and(|ended| ended - self.raised < FLEETING_US)
    }
}
