//! Profiles: files that say how one kind of device speaks.
//!
//! `docs/interfaces/profiles.md` explains each key. A file is read into a tree ([`node`]), checked
//! key by key ([`reader`], [`compile`]) into rules ([`rules`]), and these are run over payloads
//! ([`run`]).

mod compile;
mod node;
mod path;
mod reader;
mod rules;
mod run;

use std::fmt;

pub(crate) use rules::{Profile, quality_from_text};
pub(crate) use run::{Aids, Outcome};

/// Why a profile file was left out, or, as a warning, what in it will not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ProfileError {
    /// File name as given.
    pub file: String,
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// The key, as a path (`measurement[2].value`); may be empty.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The file is in use all the same.
    pub warning: bool,
}

impl ProfileError {
    pub(crate) fn new(file: &str, line: Option<usize>, key: &str, message: String) -> Self {
        Self { file: file.to_owned(), line, key: key.to_owned(), message, warning: false }
    }

    pub(crate) fn warning(file: &str, key: &str, message: String) -> Self {
        Self { warning: true, ..Self::new(file, None, key, message) }
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}{}", if self.warning { "warning: " } else { "" }, self.message)
    }
}

/// Compiles one file.
///
/// # Errors
/// The first thing that is wrong with it.
pub(crate) fn compile(file: &str, text: &str) -> Result<Profile, ProfileError> {
    compile::profile(file, text)
}

/// The key words of a template pair's companion file: a name and a topic filter.
pub(crate) fn companion(file: &str, text: &str) -> Result<compile::Companion, ProfileError> {
    compile::companion(file, text)
}
