//! The growing file of the log, its head and its tree: appending, and going on to the next file.
//! How the end is found again is in `settle`.
//!
//! More than one process may append (the server, and `vitalwire user` beside it): each batch is
//! written under a lock, after a look at whether the end is still where it was.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ledger::{Frontier, leaf_hash};
use vitals::ReceiveTime;

use super::chain::Place;
use super::segments;
use super::signer::Signer;
use super::tree::Tree;
use crate::{AUDIT_FILE, Deed, GuardError, HEAD_FILE, LOCK_FILE, Outcome, PATIENTS_MAX, Record, files};

/// The action of the record that is written when the log was not as it was left.
pub(super) const RECOVERED: &str = "audit-recovered";
/// The action of a file's first record, which says what it continues.
pub(super) const ROTATED: &str = "audit-rotated";
/// The action of the record of a new key.
pub(super) const KEY_MADE: &str = "audit-key";
/// The action of the record of a log that was there before it had a tree.
pub(super) const TREE_BEGAN: &str = "audit-tree";

/// When the growing file is closed and the next one begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Once it has so many bytes; 0: never.
    pub bytes: u64,
    /// Once its first record is so old, in microseconds; 0: never.
    pub age_us: i64,
}

pub(super) struct Log {
    pub(super) folder: PathBuf,
    lock: File,
    pub(super) file: File,
    pub(super) head: File,
    /// The last record before the growing file.
    pub(super) base: Place,
    /// The last record, and where it ends in the growing file.
    pub(super) place: Place,
    pub(super) end: u64,
    pub(super) tree: Tree,
    pub(super) signer: Signer,
    /// When the growing file's first record was written; 0: not known, or none.
    pub(super) began_us: i64,
    rotation: Option<Rotation>,
}

impl Log {
    /// Opens or begins the log of a folder. `known` says that the folder has been in use, so that
    /// a log that is not there is one that went missing.
    pub(super) fn open(folder: &Path, known: bool) -> Result<Self, GuardError> {
        let lock = files::private_file(&folder.join(LOCK_FILE))?;
        lock.lock().map_err(|e| GuardError::file(&folder.join(LOCK_FILE), e))?;
        let existed = folder.join(AUDIT_FILE).exists() || !segments::older(&[folder])?.is_empty();
        let signer = Signer::open(folder)?;
        let (file, head) = files_of(folder)?;
        files::sync_folder(folder)?;
        let mut log = Self {
            folder: folder.to_owned(),
            lock,
            file,
            head,
            base: Place::start(),
            place: Place::start(),
            end: 0,
            tree: Tree::new(folder),
            signer,
            began_us: 0,
            rotation: None,
        };
        let settled = log.settle(known && !existed);
        log.lock.unlock().map_err(|e| log.failed(e))?;
        settled.map(|()| log)
    }

    /// From now on files are closed and begun as this says.
    pub(super) fn rotate_by(&mut self, rotation: Rotation) {
        self.rotation = Some(rotation);
    }

    /// Appends records and returns when they are on the disk. All or none: when it fails, none is
    /// in the log.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), GuardError> {
        self.locked(|log| {
            log.follow()?;
            log.write(records)?;
            if log.is_full() {
                // The records are safe: a file that can't be closed now is closed later.
                if let Err(error) = log.rotate() {
                    tracing::error!(%error, "the audit log could not go on to another file");
                }
            }
            Ok(())
        })
    }

    /// Signs a head over all records, unless that was done.
    pub(super) fn sign(&mut self) -> Result<(), GuardError> {
        if self.signer.size == self.place.number {
            return Ok(());
        }
        self.locked(|log| {
            log.follow()?;
            log.sign_now()
        })
    }

    pub(super) fn sign_now(&mut self) -> Result<(), GuardError> {
        let frontier = &self.tree.frontier;
        self.signer.sign(&self.folder, frontier.size(), frontier.root())
    }

    /// Records that no signed head covers yet.
    pub(super) fn unsigned(&self) -> u64 {
        self.place.number.saturating_sub(self.signer.size)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(AUDIT_FILE)
    }

    pub(super) fn failed(&self, source: std::io::Error) -> GuardError {
        GuardError::file(&self.path(), source)
    }

    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, GuardError>,
    ) -> Result<T, GuardError> {
        let path = self.folder.join(LOCK_FILE);
        if !files::is_still(&path, &self.lock).map_err(|e| self.failed(e))? {
            self.lock = files::private_file(&path)?;
        }
        self.lock.lock().map_err(|e| self.failed(e))?;
        let done = work(self);
        self.lock.unlock().map_err(|e| self.failed(e))?;
        done
    }

    /// Takes in what another process wrote meanwhile, and notices when files were moved; the lock
    /// is held.
    fn follow(&mut self) -> Result<(), GuardError> {
        if !files::is_still(&self.path(), &self.file).map_err(|e| self.failed(e))? {
            let missing = !self.path().exists();
            (self.file, self.head) = files_of(&self.folder)?;
            if missing {
                tracing::error!("the audit log was moved away while in use");
            }
            return self.settle(missing);
        }
        let length = self.file.metadata().map_err(|e| self.failed(e))?.len();
        if length == self.end || (length > self.end && self.catch_up(length)?) {
            return Ok(());
        }
        self.settle(false)
    }

    /// Writes records at the end, then the head; the lock is held.
    pub(super) fn write(&mut self, records: &[Record]) -> Result<(), GuardError> {
        let (mut place, mut bytes, mut rows) = (self.place, Vec::new(), Vec::new());
        let mut frontier = self.tree.frontier.clone();
        for record in records {
            if record.patients.len() > PATIENTS_MAX {
                for part in record.clone().parts() {
                    place = line_of(&part, place, &mut bytes, &mut frontier, &mut rows)?;
                }
            } else {
                place = line_of(record, place, &mut bytes, &mut frontier, &mut rows)?;
            }
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What may be there by half was never allowed: off with it, or settling does so later.
            let _ = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
            return Err(self.failed(error));
        }
        if self.end == 0 {
            self.began_us = records.first().map_or(0, |record| record.at.micros());
        }
        self.place = place;
        self.end += bytes.len() as u64;
        self.tree.extend(frontier, &rows);
        self.write_head();
        Ok(())
    }

    /// Tells the head about the last record. It lies within one sector and is not synced: after a
    /// power failure it may be behind, which says nothing wrong. Failing to write it fails no
    /// access, for the record itself is safe, but is loud.
    pub(super) fn write_head(&mut self) {
        let written = self
            .head
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.head.write_all(self.place.head().as_bytes()));
        if let Err(error) = written {
            tracing::error!(%error, "audit head not written: a cut end would go unnoticed");
        }
    }

    fn is_full(&self) -> bool {
        let Some(rotation) = self.rotation else { return false };
        let age_us = now().micros() - self.began_us;
        let old = rotation.age_us > 0 && self.began_us > 0 && age_us >= rotation.age_us;
        self.end > 0 && (old || (rotation.bytes > 0 && self.end >= rotation.bytes))
    }

    /// Closes the growing file, names it after its first record, and begins the next, whose first
    /// record says what it continues; the lock is held.
    fn rotate(&mut self) -> Result<(), GuardError> {
        self.tree.settle()?;
        self.sign_now()?;
        let name = segments::name(self.base.number + 1);
        let older = self.folder.join(&name);
        std::fs::rename(self.path(), &older).map_err(|e| GuardError::file(&older, e))?;
        (self.base, self.end) = (self.place, 0);
        self.file = files::private_file(&self.path())?;
        files::sync_folder(&self.folder)?;
        let record = self.continued();
        self.write(&[record])
    }

    /// The first record of a file that is not the first.
    pub(super) fn continued(&self) -> Record {
        let root: String = self.tree.frontier.root().iter().map(|b| format!("{b:02x}")).collect();
        let (number, hash) = (self.base.number, self.base.hash.to_hex());
        let detail = format!("after {number} hash {hash} root {root}");
        let object = self.signer.verifier().to_string();
        Record { object, ..system(ROTATED, Outcome::Allowed, detail) }
    }
}

/// Adds a record's line and what the tree gains by it; the place after it.
fn line_of(
    record: &Record,
    place: Place,
    bytes: &mut Vec<u8>,
    frontier: &mut Frontier,
    rows: &mut Vec<ledger::Row>,
) -> Result<Place, GuardError> {
    let json =
        record.json(place.number + 1).map_err(|e| GuardError::AuditFailed(e.to_string()))?;
    let (next, line) = place.append(&json);
    frontier.push(leaf_hash(&line[..line.len() - 1]), |row| rows.push(row));
    bytes.extend_from_slice(&line);
    Ok(next)
}

pub(super) fn files_of(folder: &Path) -> Result<(File, File), GuardError> {
    let log = files::private_file(&folder.join(AUDIT_FILE))?;
    let head = files::private_file(&folder.join(HEAD_FILE))?;
    Ok((log, head))
}

/// A record that nobody asked for.
pub(super) fn system(action: &'static str, outcome: Outcome, detail: String) -> Record {
    Record {
        at: now(),
        actor: "system".to_owned(),
        action: Deed::Named(action),
        outcome,
        detail,
        ..Record::default()
    }
}

/// Our own clock, for the records that nobody asked for.
fn now() -> ReceiveTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ReceiveTime(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
