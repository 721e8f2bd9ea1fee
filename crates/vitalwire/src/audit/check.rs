//! The audit log and the journal checked together: the log's records of the journal's end show a
//! journal that was cut, put back or rewritten as a whole.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use guard::{AuditError, Checks, JournalHead, Verified, verify_audit_with};
use journal::{Inspected, JournalError, Options, in_use, inspect};

/// Both are whole.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) audit: Verified,
    /// None when there is no journal yet.
    pub(crate) journal: Option<Inspected>,
    /// A program is writing: what it wrote last may not be signed yet.
    pub(crate) in_use: bool,
}

/// The first place that is not as it was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    /// In the audit log.
    #[error("the audit log was changed: {0}")]
    Audit(#[from] AuditError),
    /// In the journal.
    #[error("the journal was changed: {} byte {position} (entry {entry}): {why}", file.display())]
    Journal {
        /// In which file.
        file: PathBuf,
        /// At which byte.
        position: u64,
        /// From which entry on.
        entry: u64,
        /// What is wrong there.
        why: String,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Unreadable(JournalError),
}

impl Broken {
    /// The file's name, and the record, entry or byte from which on.
    pub(crate) fn place(&self) -> (String, Option<u64>) {
        match self {
            Self::Audit(error) => error.place(),
            Self::Journal { file, position, .. } => {
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
                (name.unwrap_or_default(), Some(*position))
            }
            Self::Unreadable(_) => ("journal".to_owned(), None),
        }
    }
}

/// Checks both folders of a data folder.
pub(crate) fn check(guard: &Path, journal: &Path, checks: &Checks) -> Result<Whole, Broken> {
    let audit = verify_audit_with(guard, checks)?;
    let in_use = in_use(journal);
    if !journal.exists() {
        return match audit.journal.last() {
            None => Ok(Whole { audit, journal: None, in_use }),
            Some(head) => Err(Broken::Journal {
                file: journal.to_owned(),
                position: 0,
                entry: head.first,
                why: "it is missing".to_owned(),
            }),
        };
    }
    let noted: HashMap<u64, &JournalHead> = audit.journal.iter().map(|head| (head.next, head)).collect();
    let mut seen = 0;
    let mut other: Option<Broken> = None;
    let found = inspect(journal, &Options::default(), |place, file, position| {
        let Some(head) = noted.get(&place.next) else { return };
        seen = seen.max(head.next);
        if head.chain != place.chain && other.is_none() {
            let why = format!("it is not what record {} of the audit log says", head.record);
            other = Some(Broken::Journal { file: file.to_owned(), position, entry: place.next, why });
        }
    })
    .map_err(Broken::Unreadable)?;
    if let Some(broken) = other {
        return Err(broken);
    }
    judge(&audit, &found, in_use, seen)?;
    Ok(Whole { audit, journal: Some(found), in_use })
}

/// What the walk found against what the log says of the journal's end.
fn judge(audit: &Verified, found: &Inspected, in_use: bool, seen: u64) -> Result<(), Broken> {
    let next = found.verified.next_offset;
    let last = audit.journal.last();
    // A running program may be writing its last batch at this moment.
    let writing = in_use && last.is_some_and(|last| last.next <= next);
    let broken = |position, entry, why: String| {
        Err(Broken::Journal { file: found.file.clone(), position, entry, why })
    };
    if let Some(JournalError::Corrupt { position, reason, .. }) = &found.damage
        && !writing
    {
        return broken(*position, next, (*reason).to_owned());
    }
    let Some(last) = last else { return Ok(()) };
    if last.next > next {
        let why = format!("it ends here, but record {} of the audit log says {}: its end was cut off, or an old copy put back", last.record, last.next);
        return broken(found.position, next, why);
    }
    if seen != last.next && last.next > found.verified.first_offset {
        let why = format!("no batch ends where record {} of the audit log says", last.record);
        return broken(found.position, last.next, why);
    }
    let first = found.verified.first_offset;
    if first < last.first || (first > last.first && !in_use) {
        let why = format!("it begins with entry {first}, but record {} of the audit log says {}", last.record, last.first);
        return broken(0, first.min(last.first), why);
    }
    if audit.stopped && last.next != next {
        let why = format!("entries stand behind the end that record {} of the audit log says", last.record);
        return broken(found.position, last.next, why);
    }
    Ok(())
}
