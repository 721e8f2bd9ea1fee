//! The files of the log: older ones named after their first record, and the one that grows.

use std::path::{Path, PathBuf};

use crate::{AUDIT_FILE, GuardError};

/// What the name of an older file begins and ends with; between them 20 digits.
const BEFORE: &str = "audit-";
const BEHIND: &str = ".log";

/// The name of an older file that begins with this record.
pub(super) fn name(first: u64) -> String {
    format!("{BEFORE}{first:020}{BEHIND}")
}

/// The record that an older file of that name begins with.
fn first(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(BEFORE)?.strip_suffix(BEHIND)?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// An older file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// The record that its name says it begins with.
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

/// The older files of folders, oldest first.
pub(super) fn older(folders: &[&Path]) -> Result<Vec<Segment>, GuardError> {
    let mut found = Vec::new();
    for folder in folders {
        let failed = |e| GuardError::file(folder, e);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(first) = entry.file_name().to_str().and_then(first) {
                found.push(Segment { first, path: entry.path() });
            }
        }
    }
    found.sort_by(|a, b| a.first.cmp(&b.first).then_with(|| a.path.cmp(&b.path)));
    Ok(found)
}

/// All files of a folder's log, oldest first; the growing one, if it is there, is the last.
pub(super) fn all(folder: &Path) -> Result<Vec<PathBuf>, GuardError> {
    let mut paths: Vec<_> = older(&[folder])?.into_iter().map(|segment| segment.path).collect();
    let growing = folder.join(AUDIT_FILE);
    if growing.exists() {
        paths.push(growing);
    }
    Ok(paths)
}
