//! The alarm laboratory: what another alarm policy would have done with the past.
//!
//! [`journal::replay`](replay::replay) takes a journal in again, [`cohort::simulate`] a public data
//! set, under today's policy and under changed ones: the engine is the one that runs at the bedside
//! (EN-1), so that today's policy raises what was raised. [`Report`] compares: alerts per bed-day,
//! what preceded a real event and how early, what was missed, who was called. [`edit`] changes
//! single numbers of a policy, [`frontier`] finds the best policy within an alert budget, [`versions`]
//! keeps what two people agreed on.
//!
//! What is absent: stores, sockets, accounts; putting a policy in force. Nothing but versions is written.

#![forbid(unsafe_code)]

mod answers;
mod bootstrap;
pub mod cohort;
pub mod edit;
mod error;
mod events;
pub mod frontier;
mod measure;
mod progress;
pub mod replay;
mod report;
mod sealed;
pub mod versions;
mod watch;

use std::sync::Arc;

use alert::Policy;

pub use error::LabError;
pub use events::{EventRule, Events};
pub use measure::Settings;
pub use progress::Progress;
pub use sealed::Seals;
pub use report::{
    AlertLine, Answered, CallLine, CauseLine, Changes, Difference, EventLine, Figures, Interval, Report,
};

/// A policy to try.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What people call it here: `present`, or what was changed.
    pub name: String,
    /// The policy.
    pub policy: Arc<Policy>,
}

impl Candidate {
    /// A candidate of a policy's text.
    ///
    /// # Errors
    /// [`LabError::Policy`].
    pub fn of(name: &str, text: &str) -> Result<Self, LabError> {
        let policy = Policy::parse(text).map_err(|error| LabError::Policy {
            name: name.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self { name: name.to_owned(), policy: Arc::new(policy) })
    }

    /// The hash by which the policy's text goes: BLAKE3, 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.policy.text)
    }
}

/// The hash by which a policy's text goes: BLAKE3, 64 hexadecimal digits.
#[must_use]
pub fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}
