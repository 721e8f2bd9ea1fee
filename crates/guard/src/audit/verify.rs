//! Checks the whole log, without trusting whoever wrote it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::chain::{HEAD_LENGTH, LINE_MAX, Place, link, number, parts};
use super::log::RECOVERED;
use crate::{AUDIT_FILE, HEAD_FILE};

/// A log whose every record is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many records there are.
    pub records: u64,
    /// The last record's hash, in hexadecimal: note it elsewhere, and nobody can rewrite the log
    /// up to here unnoticed.
    pub hash: String,
    /// Where the program itself found the log not as it had left it: a power failure, a full disk,
    /// or somebody's hand. Each is a record too.
    pub repairs: Vec<Repair>,
}

/// The program found the log not as it had left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The line that says so, from 1.
    pub line: u64,
    /// What it found.
    pub detail: String,
}

/// Why a log is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file could not be read.
    #[error("cannot read {file}: {source}")]
    File {
        /// Which.
        file: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not as it was written.
    #[error("audit.log line {line}: {damage}; lines before it are as they were written")]
    Line {
        /// Which, from 1.
        line: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// The head is not as it was written.
    #[error("audit.head: not readable; audit.log by itself has {records} good records")]
    Head {
        /// How many records the log has.
        records: u64,
    },
}

/// What is wrong at a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It has not the form of a record.
    #[error("not a record: damaged, or cut in the middle")]
    Form,
    /// Its number is not the one that comes next.
    #[error("record {found} where {expected} was to come: records were removed, added or moved")]
    Number {
        /// What it says.
        found: u64,
        /// What was to come.
        expected: u64,
    },
    /// Its hash does not fit its content and the record before.
    #[error("the content does not fit the hash: this record was changed")]
    Changed,
    /// The log ends before it.
    #[error("the log ends here, but the head names {head} records: the end was cut off")]
    Cut {
        /// How many records there were.
        head: u64,
    },
    /// It is not the one that the head names.
    #[error("not the record that the head names: the log was rewritten, or the head changed")]
    NotTheHead,
}

/// Checks every record of a folder's audit log and its end against the head (SE-2). May run while
/// the program writes: what is written meanwhile is not looked at.
///
/// Finds every change, removal, insertion and exchange that was made without computing all later
/// hashes and the head anew. Who does that is found by comparing with a [`Verified::hash`] noted
/// elsewhere.
///
/// # Errors
/// [`AuditError`] with the first line that is wrong, and what is wrong there.
pub fn verify_audit(folder: &Path) -> Result<Verified, AuditError> {
    let failed = |file| move |source| AuditError::File { file, source };
    let log = File::open(folder.join(AUDIT_FILE)).map_err(failed(AUDIT_FILE))?;
    log.lock_shared().map_err(failed(AUDIT_FILE))?;
    let length = log.metadata().map_err(failed(AUDIT_FILE))?.len();
    let mut head = Vec::new();
    File::open(folder.join(HEAD_FILE))
        .and_then(|file| file.take(HEAD_LENGTH as u64 + 1).read_to_end(&mut head))
        .map_err(failed(HEAD_FILE))?;
    log.unlock().map_err(failed(AUDIT_FILE))?;
    check(BufReader::with_capacity(1 << 16, log.take(length)), &head)
}

/// Checks a log against a head.
pub(super) fn check(mut log: impl BufRead, head: &[u8]) -> Result<Verified, AuditError> {
    let head = Place::from_head(head);
    let mut place = Place::start();
    let (mut repairs, mut line) = (Vec::new(), Vec::new());
    loop {
        if head.is_some_and(|head| head.number == place.number && head.hash != place.hash) {
            return Err(AuditError::Line { line: place.number, damage: Damage::NotTheHead });
        }
        line.clear();
        let read = (&mut log).take(LINE_MAX as u64).read_until(b'\n', &mut line);
        if read.map_err(|source| AuditError::File { file: AUDIT_FILE, source })? == 0 {
            break;
        }
        let at = place.number + 1;
        place = step(place, &line).map_err(|damage| AuditError::Line { line: at, damage })?;
        repairs.extend(repair(at, &line));
    }
    let Some(head) = head else {
        return Err(AuditError::Head { records: place.number });
    };
    if head.number > place.number {
        let damage = Damage::Cut { head: head.number };
        return Err(AuditError::Line { line: place.number + 1, damage });
    }
    Ok(Verified { records: place.number, hash: place.hash.to_hex().to_string(), repairs })
}

/// The place after a line.
fn step(place: Place, line: &[u8]) -> Result<Place, Damage> {
    let parts = parts(line).ok_or(Damage::Form)?;
    let expected = place.number + 1;
    let found = number(parts.body).ok_or(Damage::Form)?;
    if link(&place.hash, parts.body) == parts.hash && found == expected {
        return Ok(Place { number: expected, hash: parts.hash });
    }
    Err(if found == expected { Damage::Changed } else { Damage::Number { found, expected } })
}

/// What a line says about a repair, if that is what it is about.
fn repair(at: u64, line: &[u8]) -> Option<Repair> {
    let marker = RECOVERED.as_bytes();
    line.windows(marker.len()).find(|window| *window == marker)?;
    let record: serde_json::Value = serde_json::from_slice(line).ok()?;
    let text = |name| record.get(name).and_then(serde_json::Value::as_str);
    let detail = text("detail").filter(|_| text("action") == Some(RECOVERED))?;
    Some(Repair { line: at, detail: detail.to_owned() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vitals::ReceiveTime;

    use super::*;
    use crate::{Outcome, Record};

    proptest! {
        #[test]
        fn any_bytes_are_an_answer(log: Vec<u8>, head: Vec<u8>) {
            let _ = check(log.as_slice(), &head);
        }

        #[test]
        fn any_texts_make_a_log_that_verifies(
            texts in proptest::collection::vec((".*", ".*", "(?s).*"), 0..20),
        ) {
            let (mut place, mut log) = (Place::start(), Vec::new());
            for (actor, route, detail) in texts {
                let record = Record {
                    at: ReceiveTime(0), actor, role: None, action: "login".into(), route,
                    subject: None, outcome: Outcome::Denied, detail, ..Record::default()
                };
                let json = record.json(place.number + 1).expect("texts and numbers");
                let (next, line) = place.append(&json);
                prop_assert!(line.len() < LINE_MAX);
                serde_json::from_slice::<serde_json::Value>(&line).expect("a line is JSON");
                log.extend_from_slice(&line);
                place = next;
            }
            let verified = check(log.as_slice(), place.head().as_bytes()).expect("our own log");
            prop_assert_eq!(verified.records, place.number);
            prop_assert!(verified.repairs.is_empty());
        }
    }
}
