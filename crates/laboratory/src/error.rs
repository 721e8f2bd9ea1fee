//! What can go wrong in the laboratory.

use std::path::PathBuf;

/// What can go wrong in the laboratory.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A policy that does not compile.
    #[error("policy `{name}`: {problem}")]
    Policy {
        /// Which.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A change of a policy that cannot be made.
    #[error("`{path}`: {problem}")]
    Edit {
        /// The path that was given.
        path: String,
        /// What is wrong, and what to write instead.
        problem: String,
    },
    /// A definition of an event that cannot be read.
    #[error("event `{text}`: {problem}; write NAME=EXPRESSION for SECONDS s")]
    Event {
        /// As it was given.
        text: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of a data set.
    #[error("{}: {problem}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A version of a policy that cannot be made, or does not hold.
    #[error("the policy version is not taken: {0}")]
    Version(String),
    /// There is nothing to simulate.
    #[error("{0}")]
    Nothing(String),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::JournalError),
    /// Somebody stopped it.
    #[error("the simulation was stopped")]
    Stopped,
}

impl LabError {
    pub(crate) fn file(path: &std::path::Path, problem: impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}
