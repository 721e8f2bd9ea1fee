//! The log file and its head: appending, and finding the end again.
//!
//! More than one process may append (the server, and `vitalwire user` beside it): each batch is
//! written under the file's lock, after a look at whether the end is still where it was.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use vitals::ReceiveTime;

use super::chain::{HEAD_LENGTH, Place, link, number, parts};
use crate::{AUDIT_FILE, Deed, GuardError, HEAD_FILE, Outcome, Record, files};

/// The action of the record that is written when the log was not as it was left.
pub(super) const RECOVERED: &str = "audit-recovered";

/// How far back the last readable record is looked for at first, in bytes, and at most.
const TAIL: u64 = 64 << 10;
const TAIL_MAX: u64 = 16 << 20;

pub(super) struct Log {
    folder: PathBuf,
    file: File,
    head: File,
    /// The last record, and where it ends.
    place: Place,
    end: u64,
}

impl Log {
    /// Opens or begins the log of a folder. `known` says that the folder has been in use, so that
    /// a log that is not there is one that went missing.
    pub(super) fn open(folder: &Path, known: bool) -> Result<Self, GuardError> {
        let existed = folder.join(AUDIT_FILE).exists();
        let (file, head) = files_of(folder)?;
        files::sync_folder(folder)?;
        let mut log = Self { folder: folder.to_owned(), file, head, place: Place::start(), end: 0 };
        log.locked(|log| log.find_end(known && !existed))?;
        Ok(log)
    }

    /// Appends records and returns when they are on the disk. All or none: when it fails, none is
    /// in the log.
    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), GuardError> {
        if !files::is_still(&self.path(), &self.file).map_err(|e| self.failed(e))? {
            let missing = !self.path().exists();
            (self.file, self.head) = files_of(&self.folder)?;
            tracing::error!(missing, "the audit log was moved away or replaced while in use");
            self.locked(|log| log.find_end(missing))?;
        }
        self.locked(|log| {
            let length = log.file.metadata().map_err(|e| log.failed(e))?.len();
            if length != log.end {
                log.find_end(false)?;
            }
            log.write(records)
        })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(AUDIT_FILE)
    }

    fn failed(&self, source: std::io::Error) -> GuardError {
        GuardError::file(&self.path(), source)
    }

    fn locked<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, GuardError>,
    ) -> Result<T, GuardError> {
        self.file.lock().map_err(|e| self.failed(e))?;
        let done = work(self);
        self.file.unlock().map_err(|e| self.failed(e))?;
        done
    }

    /// Writes records at the end, then the head; the lock is held.
    fn write(&mut self, records: &[Record]) -> Result<(), GuardError> {
        let mut place = self.place;
        let mut bytes = Vec::new();
        for record in records {
            let json = record
                .json(place.number + 1)
                .map_err(|e| GuardError::AuditFailed(e.to_string()))?;
            let (next, line) = place.append(&json);
            bytes.extend_from_slice(&line);
            place = next;
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What may be there by half was never allowed: off with it, or find_end does so later.
            let _ = self.file.set_len(self.end).and_then(|()| self.file.sync_data());
            return Err(self.failed(error));
        }
        self.place = place;
        self.end += bytes.len() as u64;
        self.write_head();
        Ok(())
    }

    /// Tells the head about the last record. It lies within one sector and is not synced: after a
    /// power failure it may be behind, which says nothing wrong. Failing to write it fails no
    /// access, for the record itself is safe, but is loud.
    fn write_head(&mut self) {
        let written = self
            .head
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.head.write_all(self.place.head().as_bytes()));
        if let Err(error) = written {
            tracing::error!(%error, "audit head not written: a cut end would go unnoticed");
        }
    }

    /// Finds the last readable record, cuts off what comes after it, and compares with the head.
    /// Whatever is not as it should be becomes a record of its own; the lock is held.
    fn find_end(&mut self, missing: bool) -> Result<(), GuardError> {
        let length = self.file.metadata().map_err(|e| self.failed(e))?.len();
        let (place, end) = self.last_readable(length)?;
        let mut found = Vec::new();
        if missing {
            found.push("the log was missing".to_owned());
        }
        if end < length {
            let kept = self.cut(place, end, length)?;
            found.push(format!("{} unreadable bytes cut off, kept in {kept}", length - end));
        }
        found.extend(self.compare_with_head(place)?);
        (self.place, self.end) = (place, end);
        if found.is_empty() {
            self.write_head();
            return Ok(());
        }
        let detail = format!("after record {}: {}", place.number, found.join("; "));
        tracing::warn!("audit log: {detail}");
        self.write(&[Record {
            at: now(),
            actor: "system".to_owned(),
            role: None,
            action: Deed::Named(RECOVERED),
            route: String::new(),
            subject: None,
            outcome: Outcome::Failed,
            detail,
            ..Record::default()
        }])
    }

    /// The last record whose hash fits the one before, and where it ends.
    fn last_readable(&mut self, length: u64) -> Result<(Place, u64), GuardError> {
        let mut window = TAIL;
        loop {
            let from = length.saturating_sub(window);
            let mut tail = Vec::new();
            self.file
                .seek(SeekFrom::Start(from))
                .and_then(|_| (&self.file).take(length - from).read_to_end(&mut tail))
                .map_err(|e| self.failed(e))?;
            if let Some((place, end)) = last_in(&tail, from == 0) {
                return Ok((place, from + end as u64));
            }
            if from == 0 {
                return Ok((Place::start(), 0));
            }
            if window >= TAIL_MAX {
                return Err(GuardError::AuditUnreadable(self.path()));
            }
            window *= 4;
        }
    }

    /// Cuts off the end, which is kept in a file of its own; returns that file's name.
    fn cut(&mut self, place: Place, end: u64, length: u64) -> Result<String, GuardError> {
        let name = format!("audit.cut-{}", place.number + 1);
        let path = self.folder.join(&name);
        let mut kept = files::private_file(&path)?;
        kept.seek(SeekFrom::End(0))
            .and_then(|_| self.file.seek(SeekFrom::Start(end)))
            .and_then(|_| std::io::copy(&mut (&self.file).take(length - end), &mut kept))
            .and_then(|_| kept.sync_all())
            .map_err(|e| GuardError::file(&path, e))?;
        self.file.set_len(end).and_then(|()| self.file.sync_data()).map_err(|e| self.failed(e))?;
        Ok(name)
    }

    /// What is wrong between the last readable record and the head.
    fn compare_with_head(&mut self, place: Place) -> Result<Option<String>, GuardError> {
        let path = self.folder.join(HEAD_FILE);
        let mut bytes = Vec::new();
        self.head
            .seek(SeekFrom::Start(0))
            .and_then(|_| (&self.head).take(HEAD_LENGTH as u64 + 1).read_to_end(&mut bytes))
            .map_err(|e| GuardError::file(&path, e))?;
        let wrong = match Place::from_head(&bytes) {
            None if bytes.is_empty() && place.number == 0 => None,
            None if bytes.is_empty() => Some("the head was missing".to_owned()),
            None => {
                self.head.set_len(HEAD_LENGTH as u64).map_err(|e| GuardError::file(&path, e))?;
                Some("the head was unreadable".to_owned())
            }
            Some(head) if head.number > place.number => {
                Some(format!("records {} to {} are missing", place.number + 1, head.number))
            }
            Some(head) if head.number == place.number && head.hash != place.hash => {
                Some("the head names another record of that number".to_owned())
            }
            Some(_) => None,
        };
        Ok(wrong)
    }
}

fn files_of(folder: &Path) -> Result<(File, File), GuardError> {
    let log = files::private_file(&folder.join(AUDIT_FILE))?;
    let head = files::private_file(&folder.join(HEAD_FILE))?;
    Ok((log, head))
}

/// The last record in these bytes whose hash fits the one before, and where it ends. Unless the
/// bytes begin the file, the first line is the middle of one, and the next has none to fit.
fn last_in(bytes: &[u8], from_start: bool) -> Option<(Place, usize)> {
    let mut before = from_start.then(|| Place::start().hash);
    let (mut last, mut at) = (None, 0);
    for (index, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        at += line.len();
        if index == 0 && !from_start {
            continue;
        }
        let Some(parts) = parts(line) else {
            before = None;
            continue;
        };
        if before.is_some_and(|before| link(&before, parts.body) == parts.hash)
            && let Some(number) = number(parts.body)
        {
            last = Some((Place { number, hash: parts.hash }, at));
        }
        before = Some(parts.hash);
    }
    last
}

/// Our own clock, for the records that nobody asked for.
fn now() -> ReceiveTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ReceiveTime(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
