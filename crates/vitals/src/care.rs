//! What people do about patients beyond alerts: looking after somebody, and deciding on a care
//! pathway that was suggested (AL-5).

use serde::{Deserialize, Serialize};

/// How somebody came to see a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// The patient's page was opened.
    Opened,
    /// Somebody was at the bedside.
    Bedside,
}

impl Look {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Bedside => "bedside",
        }
    }
}

/// What somebody decides about a care pathway or one of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathwayDeed {
    /// Follow it from now on.
    Start {
        /// Why; may be empty.
        reason: String,
    },
    /// Do not follow it.
    Decline {
        /// Why.
        reason: String,
    },
    /// A step was done.
    StepDone {
        /// Which.
        step: String,
        /// What was found; may be empty.
        note: String,
    },
    /// A step does not apply to this patient.
    StepNotApplicable {
        /// Which.
        step: String,
        /// Why.
        reason: String,
    },
    /// A step is left out on purpose.
    StepDeclined {
        /// Which.
        step: String,
        /// Why.
        reason: String,
    },
    /// Leave it before its end.
    Stop {
        /// Why.
        reason: String,
    },
}

impl PathwayDeed {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Decline { .. } => "decline",
            Self::StepDone { .. } => "done",
            Self::StepNotApplicable { .. } => "not-applicable",
            Self::StepDeclined { .. } => "decline-step",
            Self::Stop { .. } => "stop",
        }
    }

    /// The step that it is about, if it is about one.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::StepDone { step, .. }
            | Self::StepNotApplicable { step, .. }
            | Self::StepDeclined { step, .. } => Some(step),
            Self::Start { .. } | Self::Decline { .. } | Self::Stop { .. } => None,
        }
    }

    /// What was said with it.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::StepDone { note: reason, .. }
            | Self::Start { reason }
            | Self::Decline { reason }
            | Self::StepNotApplicable { reason, .. }
            | Self::StepDeclined { reason, .. }
            | Self::Stop { reason } => reason,
        }
    }

    /// Whether it must say why: whatever leaves something out.
    #[must_use]
    pub const fn needs_reason(&self) -> bool {
        !matches!(self, Self::Start { .. } | Self::StepDone { .. })
    }
}
