//! What a check found: what is whole, and what is wrong where.

use ledger::Hash;
use serde::Deserialize;
use vitals::ReceiveTime;

/// A log whose every record is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many records there are.
    pub records: u64,
    /// In how many files.
    pub files: usize,
    /// The last record's hash, in hexadecimal.
    pub hash: String,
    /// The root of the tree over all records.
    pub root: Hash,
    /// How many of them the signed head covers.
    pub signed: u64,
    /// The root under the signed head.
    pub(super) signed_root: Option<Hash>,
    /// The keys that the log has had, the present one last (`name+hash+base64`).
    pub keys: Vec<String>,
    /// Heads kept elsewhere that it was compared with.
    pub compared: Vec<String>,
    /// Where the program itself found the log not as it had left it: a power failure, a full disk,
    /// or somebody's hand. Each is a record too.
    pub repairs: Vec<Repair>,
    /// What the log says of the journal's end, oldest first.
    pub journal: Vec<JournalHead>,
    /// Records up to this one were taken away to be kept elsewhere.
    pub archived: u64,
    /// Records up to this one were removed by retention, all written before the time beside it.
    pub expired: Option<(u64, ReceiveTime)>,
    /// Stretches of records that are not here, having been taken away or removed.
    pub absent: Vec<(u64, u64)>,
    /// The last record says that the program ended in order: nothing was written behind it.
    pub stopped: bool,
}

/// The program found the log not as it had left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The file that says so.
    pub file: String,
    /// The line that says so, from 1.
    pub line: u64,
    /// The record that says so.
    pub record: u64,
    /// What it found.
    pub detail: String,
}

impl Repair {
    /// Whether a power failure alone does not explain it.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        let found = self.detail.split_once(": ").map_or("", |(_, found)| found);
        found.split("; ").any(|one| !one.contains("unreadable bytes cut off"))
    }
}

/// What the log says of the journal's end at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalHead {
    /// The record that says so.
    pub record: u64,
    /// The entry to come.
    pub next: u64,
    /// The oldest entry kept.
    pub first: u64,
    /// The chain's hash there.
    pub chain: [u8; 32],
}

impl JournalHead {
    /// As the object of a record.
    #[must_use]
    pub fn text(next: u64, first: u64, chain: &[u8; 32]) -> String {
        format!("{next} {first} {}", blake3::Hash::from_bytes(*chain).to_hex())
    }

    /// From the object of a record.
    pub(super) fn of(record: u64, object: &str) -> Option<Self> {
        let mut words = object.split(' ');
        let (next, first) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let chain = *blake3::Hash::from_hex(words.next()?).ok()?.as_bytes();
        Some(Self { record, next, first, chain })
    }
}

/// What of a record matters to the check.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    pub(super) at_us: i64,
    #[serde(default)]
    pub(super) action: String,
    #[serde(default)]
    pub(super) detail: String,
    #[serde(default)]
    pub(super) object: String,
}

impl Said {
    pub(super) fn of(line: &[u8]) -> Self {
        serde_json::from_slice(line).unwrap_or_default()
    }
}

/// Why a log is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A file could not be read.
    #[error("cannot read {file}: {source}")]
    File {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not as it was written.
    #[error("{file} line {line} (record {record}): {damage}; lines before it are as they were written")]
    Line {
        /// In which file.
        file: String,
        /// Which, from 1; 0: behind the last.
        line: u64,
        /// Which record should be there, from 1.
        record: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// The head is not as it was written.
    #[error("audit.head: not readable; the log by itself has {records} good records")]
    Head {
        /// How many records the log has.
        records: u64,
    },
    /// The head is an old one.
    #[error("audit.head: it names {head} of {records} records: an old one was put back")]
    OldHead {
        /// How many records it names.
        head: u64,
        /// How many there are.
        records: u64,
    },
    /// Older files are not there, and no record says that they were archived.
    #[error("records {from} to {to} are not here: give the folder that they were archived in")]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// A key file is not as it was written.
    #[error("{file}: {why}")]
    Key {
        /// Which.
        file: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A row of the tree is not what the log gives.
    #[error("{file} byte {position}: does not fit the log from record {record} on: the tree or the log was changed")]
    Row {
        /// In which file.
        file: String,
        /// At which byte.
        position: u64,
        /// The first record under it.
        record: u64,
    },
    /// A signed head does not fit.
    #[error("{head} (signed over {size} records): {why}")]
    Signed {
        /// Which: a file, or what it was called.
        head: String,
        /// How many records it was signed over.
        size: u64,
        /// What is wrong.
        why: &'static str,
    },
}

impl AuditError {
    /// The file that is wrong, and the record from which on, where that can be said.
    #[must_use]
    pub fn place(&self) -> (String, Option<u64>) {
        match self {
            Self::File { file, .. } => (file.clone(), None),
            Self::Line { file, record, .. } | Self::Row { file, record, .. } => {
                (file.clone(), Some(*record))
            }
            Self::Head { .. } => ("audit.head".to_owned(), None),
            Self::OldHead { head, .. } => ("audit.head".to_owned(), Some(head + 1)),
            Self::Missing { from, .. } => ("audit.log".to_owned(), Some(*from)),
            Self::Key { file, .. } => ((*file).to_owned(), None),
            Self::Signed { head, .. } => (head.clone(), None),
        }
    }
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
    #[error("the log ends here, but a head names {head} records: the end was cut off")]
    Cut {
        /// How many records there were.
        head: u64,
    },
    /// It is not the one that the head names.
    #[error("not the record that the head names: the log was rewritten, or the head changed")]
    NotTheHead,
    /// The file has the name of another.
    #[error("the file's name says another record: files were exchanged or copied")]
    Name,
    /// What the file says that it continues is not what comes before it.
    #[error("it does not continue the file before: one of them was exchanged")]
    Root,
}
