//! The words of care pathways: where an offer and its steps stand, who decided what, what happened.

use serde::{Deserialize, Serialize};
use vitals::{EpisodeId, Role};

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferState {
    /// Waiting for somebody's decision.
    Suggested,
    /// Being followed.
    Running,
    /// Not followed: quiet until it worsens.
    Declined,
    /// Every step was decided.
    Completed,
    /// Left before its end.
    Stopped,
    /// What it was suggested for is over.
    Withdrawn,
}

impl OfferState {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Running => "running",
            Self::Declined => "declined",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepState {
    /// Its condition does not hold (yet).
    Waiting,
    /// To be done.
    Open,
    /// Done.
    Done,
    /// Does not apply.
    NotApplicable,
    /// Left out on purpose.
    Declined,
}

impl StepState {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Done => "done",
            Self::NotApplicable => "not-applicable",
            Self::Declined => "declined",
        }
    }

    pub(super) const fn decided(self) -> bool {
        !matches!(self, Self::Waiting | Self::Open)
    }
}

/// Who decided what, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Account name; `system` for the platform itself.
    pub by: String,
    /// In which role; none for the platform.
    pub role: Option<Role>,
    /// When, in microseconds.
    pub at: i64,
    /// What was said with it; may be empty.
    pub reason: String,
}

/// One step of an offer, as the policy said it when the pathway was suggested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepStatus {
    /// Which.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Its condition in words; empty without one.
    pub only_if: String,
    /// The step that belongs before it; empty without one.
    pub after: String,
    /// Time limit, in microseconds.
    pub within_us: Option<i64>,
    /// Where it stands.
    pub state: StepState,
    /// Until when, in microseconds, once its clock runs.
    pub due_at: Option<i64>,
    /// Whether it was told that the limit has passed.
    pub overdue: bool,
    /// Who decided on it.
    pub decision: Option<Decision>,
}

/// What happened to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfferKind {
    /// It was suggested.
    Suggested,
    /// A declined one was suggested again, since it got worse.
    SuggestedAgain,
    /// Somebody follows it.
    Started,
    /// Somebody declined it.
    Declined,
    /// The condition of a step came true: its clock runs.
    StepNeeded,
    /// A step was done.
    StepDone,
    /// A step does not apply.
    StepNotApplicable,
    /// A step was left out.
    StepDeclined,
    /// A step's time limit passed.
    StepOverdue,
    /// Every step was decided.
    Completed,
    /// Somebody left it.
    Stopped,
    /// What it was suggested for is over.
    Withdrawn,
}

impl OfferKind {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::SuggestedAgain => "suggested-again",
            Self::Started => "started",
            Self::Declined => "declined",
            Self::StepNeeded => "step-needed",
            Self::StepDone => "step-done",
            Self::StepNotApplicable => "step-not-applicable",
            Self::StepDeclined => "step-declined",
            Self::StepOverdue => "step-overdue",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One thing that happened to an offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OfferEvent {
    /// What.
    pub kind: OfferKind,
    /// To which step; empty: to the whole.
    pub step: String,
    /// By whom, when, why.
    pub decision: Decision,
}

/// A pathway for one patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Name of this one.
    pub id: EpisodeId,
    /// Which pathway.
    pub pathway: String,
    /// What people read.
    pub title: String,
    /// The publication that it follows.
    pub source: String,
    /// Why it was suggested, in words with values.
    pub because: String,
    /// Where it stands.
    pub state: OfferState,
    /// When it was suggested or started first, in microseconds.
    pub began_at: i64,
    /// Since when it is followed.
    pub started_at: Option<i64>,
    /// When it ended; none while it matters.
    pub ended_at: Option<i64>,
    /// What to do.
    pub steps: Vec<StepStatus>,
    /// What happened, oldest first.
    pub events: Vec<OfferEvent>,
    /// How many things happened in all: each makes a version.
    pub version: u64,
}

/// A change, with the offer as it is after it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferChange {
    /// The offer after the change.
    pub offer: Offer,
    /// What happened.
    pub event: OfferEvent,
}
