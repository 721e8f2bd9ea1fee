//! One broken rule, as a person needs it: where, what, why it matters, what to do.

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// File, from the root of the repository.
    pub path: String,
    /// Line, from 1; 0 for the whole file.
    pub line: usize,
    /// What was found.
    pub what: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub advice: String,
}

impl Finding {
    pub(super) fn new(
        (path, line): (&str, usize),
        what: impl Into<String>,
        why: &'static str,
        advice: impl Into<String>,
    ) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), why, advice: advice.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, why, advice } = self;
        write!(out, "{path}:{line}: {what}\n  why: {why}\n  do: {advice}")
    }
}
