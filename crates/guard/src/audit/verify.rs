//! Checks the whole log, without trusting whoever wrote it: chain, tree, heads, keys.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ledger::{Frontier, Hash, LedgerError, SignedHead, Verifier};
use vitals::ReceiveTime;

use super::expire::EXPIRED;
use super::chain::{HEAD_LENGTH, LINE_MAX, Place, link, number, parts};
use super::log::{KEY_MADE, RECOVERED, ROTATED};
use super::rows::RowCheck;
use super::settle::continues;
use super::signer::read_key;
use super::tree::RowFiles;
use super::{found, segments};
use crate::{
    AUDIT_FILE, AUDIT_KEY_FILE, AUDIT_PUBLIC_FILE, CHECKPOINT_FILE, GuardError, HEAD_FILE, LOCK_FILE,
};

pub use super::found::{AuditError, Damage, JournalHead, Repair, Verified};

/// The action of the record that ends a run of the program. Behind it everything is signed.
pub const STOPPED: &str = "application-stop";
/// The action of the record that notes the journal's end.
pub const JOURNAL_NOTED: &str = "journal-head";
/// The action of the record that says which files were taken away to be kept elsewhere.
pub const ARCHIVED: &str = "audit-archived";
/// Records without a signed head span at most this long, in microseconds, even in a crash.
const UNSIGNED_MAX_US: i64 = 60_000_000;

/// What to compare a log with.
#[derive(Debug, Clone, Default)]
pub struct Checks {
    /// Other folders that hold older files of the log.
    pub archives: Vec<PathBuf>,
    /// Heads that were kept elsewhere: what to call each, and its note.
    pub heads: Vec<(String, String)>,
    /// The folder is a copy elsewhere, which has no secret key.
    pub copy: bool,
    /// Keys of witnesses; each must have signed one of the heads, and what it signed must hold.
    pub witnesses: Vec<Verifier>,
}

/// Checks every record of a folder's audit log, its end against the head, and its tree against the
/// signed head (SE-2). May run while the program writes: what is written meanwhile is not looked
/// at.
///
/// Finds every change that was made without the log's key. Who has the key can write another log:
/// that is found by comparing with a head that was kept elsewhere ([`verify_audit_with`]).
///
/// # Errors
/// [`AuditError`] with the first place that is wrong, and what is wrong there.
pub fn verify_audit(folder: &Path) -> Result<Verified, AuditError> {
    verify_audit_with(folder, &Checks::default())
}

/// [`verify_audit`], with older files from elsewhere and against heads that were kept elsewhere.
///
/// # Errors
/// As there.
pub fn verify_audit_with(folder: &Path, checks: &Checks) -> Result<Verified, AuditError> {
    let taken = Taken::of(folder, checks)?;
    let keys = Keys::read(folder, checks.copy)?;
    let mut walk = Walk::new(&taken, keys.as_ref());
    for source in &taken.sources {
        walk.file(source)?;
    }
    walk.end(&taken)?;
    walk.heads(&taken, checks)?;
    Ok(walk.verified(taken.sources.len()))
}

/// One file of the log, as far as it is looked at.
pub(super) struct Source {
    path: PathBuf,
    name: String,
    length: u64,
    /// The record that an older file's name says it begins with.
    first: Option<u64>,
}

/// What there was at one moment.
struct Taken {
    sources: Vec<Source>,
    head: Vec<u8>,
    checkpoint: Option<String>,
    rows: RowFiles,
    lengths: Vec<u64>,
}

fn failed(file: &str) -> impl FnOnce(std::io::Error) -> AuditError + use<> {
    let file = file.to_owned();
    move |source| AuditError::File { file, source }
}

impl Taken {
    /// Takes down all lengths and heads while nobody writes.
    fn of(folder: &Path, checks: &Checks) -> Result<Self, AuditError> {
        let lock = File::open(folder.join(LOCK_FILE)).ok();
        if let Some(lock) = &lock {
            lock.lock_shared().map_err(failed(LOCK_FILE))?;
        }
        let mut folders: Vec<&Path> = checks.archives.iter().map(PathBuf::as_path).collect();
        folders.push(folder);
        let older = segments::older(&folders).map_err(|error| match error {
            GuardError::File { path, source } => {
                AuditError::File { file: path.display().to_string(), source }
            }
            other => failed("the folder")(std::io::Error::other(other.to_string())),
        })?;
        let mut sources = Vec::new();
        for segment in older {
            sources.push(Source::of(segment.path, Some(segment.first))?);
        }
        sources.push(Source::of(folder.join(AUDIT_FILE), None)?);
        let mut head = Vec::new();
        File::open(folder.join(HEAD_FILE))
            .and_then(|file| file.take(HEAD_LENGTH as u64 + 1).read_to_end(&mut head))
            .map_err(failed(HEAD_FILE))?;
        let checkpoint = match std::fs::read(folder.join(CHECKPOINT_FILE)) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(CHECKPOINT_FILE)(error)),
        };
        let rows = RowFiles::open(folder);
        let lengths = rows.lengths();
        Ok(Self { sources, head, checkpoint, rows, lengths })
    }
}

impl Source {
    fn of(path: PathBuf, first: Option<u64>) -> Result<Self, AuditError> {
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let length = std::fs::metadata(&path).map_err(failed(&name))?.len();
        Ok(Self { path, name, length, first })
    }
}

/// The key files, which fit each other.
struct Keys {
    public: Verifier,
}

impl Keys {
    /// None when there are none, as in a log that was never opened since logs have keys.
    fn read(folder: &Path, copy: bool) -> Result<Option<Self>, AuditError> {
        let read = |file: &'static str| match std::fs::read(folder.join(file)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(file)(error)),
        };
        let (secret, public) = (read(AUDIT_KEY_FILE)?, read(AUDIT_PUBLIC_FILE)?);
        let wrong = |file, why| AuditError::Key { file, why };
        let public = match (&secret, public) {
            (None, None) => return Ok(None),
            (_, Some(public)) => public,
            (Some(_), None) => return Err(wrong(AUDIT_PUBLIC_FILE, "it is missing")),
        };
        let verifier = public.strip_suffix('\n').and_then(|text| Verifier::parse(text).ok());
        let public = verifier.ok_or_else(|| wrong(AUDIT_PUBLIC_FILE, "it is not as it was written"))?;
        if secret.is_none() && !copy {
            return Err(wrong(AUDIT_KEY_FILE, "it is missing"));
        }
        if let Some(secret) = secret {
            let key = read_key(&secret).ok_or_else(|| wrong(AUDIT_KEY_FILE, "it is not as it was written"))?;
            if key.verifier() != public {
                return Err(wrong(AUDIT_PUBLIC_FILE, "it does not fit the secret key"));
            }
        }
        Ok(Some(Self { public }))
    }
}

/// A walk from the first line to the last.
struct Walk<'a> {
    keys: Option<&'a Keys>,
    head: Option<Place>,
    /// Sizes at which a root is wanted, and the roots as far as they are known.
    wanted: Vec<(u64, Option<Hash>)>,
    place: Place,
    frontier: Frontier,
    rows: RowCheck<'a>,
    /// Files are not here: their last record, and what is wrong unless it says somewhere that they were
    /// taken away or removed.
    gaps: Vec<(u64, AuditError)>,
    /// Time of the first record that the signed head does not cover, and of the last.
    unsigned_us: Option<(i64, i64)>,
    signed: u64,
    last: found::Said,
    found: Verified,
}

impl<'a> Walk<'a> {
    fn new(taken: &'a Taken, keys: Option<&'a Keys>) -> Self {
        let signed = taken.checkpoint.as_deref().and_then(|note| SignedHead::parse(note).ok());
        Self {
            keys,
            head: Place::from_head(&taken.head),
            wanted: Vec::new(),
            place: Place::start(),
            frontier: Frontier::default(),
            rows: RowCheck::new(&taken.rows, &taken.lengths),
            gaps: Vec::new(),
            unsigned_us: None,
            signed: signed.map_or(0, |head| head.checkpoint.size),
            last: found::Said::default(),
            found: Verified::default(),
        }
    }

    fn file(&mut self, source: &Source) -> Result<(), AuditError> {
        let file = File::open(&source.path).map_err(failed(&source.name))?;
        let mut log = BufReader::with_capacity(1 << 16, file.take(source.length));
        let (mut line, mut at) = (Vec::new(), 0);
        loop {
            if self.head.is_some_and(|head| head.number == self.place.number && head.hash != self.place.hash) {
                return Err(self.wrong(source, at, Damage::NotTheHead));
            }
            line.clear();
            let read = (&mut log).take(LINE_MAX as u64).read_until(b'\n', &mut line);
            if read.map_err(failed(&source.name))? == 0 {
                return Ok(());
            }
            at += 1;
            if at == 1 {
                self.first_line(source, &line)?;
            }
            self.place = step(self.place, &line).map_err(|damage| self.wrong(source, at, damage))?;
            self.take(source, at, &line[..line.len() - 1])?;
        }
    }

    fn wrong(&self, source: &Source, line: u64, damage: Damage) -> AuditError {
        let record = match damage {
            Damage::NotTheHead => self.place.number,
            _ => self.place.number + 1,
        };
        AuditError::Line { file: source.name.clone(), line, record, damage }
    }

    /// A file says what it continues; where the files before are elsewhere, its word and the
    /// tree's are taken.
    fn first_line(&mut self, source: &Source, line: &[u8]) -> Result<(), AuditError> {
        let begins = parts(line).and_then(|parts| number(parts.body));
        if source.first.is_some() && begins.is_some() && begins != source.first {
            return Err(self.wrong(source, 1, Damage::Name));
        }
        let Some((place, root)) = continues(line) else { return Ok(()) };
        if place.number > self.place.number && begins == Some(place.number + 1) {
            let loaded = self.rows.load(place.number)?;
            if loaded.root() != root {
                return Err(self.wrong(source, 1, Damage::Root));
            }
            let (from, to) = (self.place.number + 1, place.number);
            let wrong = match self.place.number {
                0 => AuditError::Missing { from, to },
                before => self.wrong(source, 1, Damage::Number { found: to + 1, expected: before + 1 }),
            };
            self.gaps.push((to, wrong));
            self.found.absent.push((from, to));
            (self.place, self.frontier) = (place, loaded);
        } else if begins == Some(self.place.number + 1)
            && (place != self.place || root != self.frontier.root())
        {
            return Err(self.wrong(source, 1, Damage::Root));
        }
        Ok(())
    }

    /// Takes in a line that fits the chain.
    fn take(&mut self, source: &Source, at: u64, line: &[u8]) -> Result<(), AuditError> {
        let rows = &mut self.rows;
        let mut wrong = None;
        self.frontier.push(ledger::leaf_hash(line), |row| {
            if wrong.is_none() {
                wrong = rows.check(row).err();
            }
        });
        if let Some(wrong) = wrong.filter(|_| self.keys.is_some()) {
            return Err(wrong);
        }
        let size = self.frontier.size();
        let root = || self.frontier.root();
        for (_, known) in self.wanted.iter_mut().filter(|(wanted, _)| *wanted == size) {
            *known = Some(root());
        }
        if size == self.signed {
            self.found.signed_root = Some(root());
        }
        self.last = found::Said::of(line);
        if size > self.signed {
            let first = self.unsigned_us.map_or(self.last.at_us, |(first, _)| first);
            self.unsigned_us = Some((first, self.last.at_us));
        }
        match self.last.action.as_str() {
            RECOVERED => self.found.repairs.push(Repair {
                file: source.name.clone(),
                line: at,
                record: size,
                detail: self.last.detail.clone(),
            }),
            KEY_MADE => self.found.keys.push(self.last.detail.clone()),
            ROTATED if self.found.keys.last() != Some(&self.last.object) => {
                self.found.keys.push(self.last.object.clone());
            }
            JOURNAL_NOTED => self.found.journal.extend(JournalHead::of(size, &self.last.object)),
            ARCHIVED => self.found.archived = self.found.archived.max(self.last.object.parse().unwrap_or(0)),
            EXPIRED => self.found.expired = self.found.expired.max(expired(&self.last.object)),
            _ => {}
        }
        Ok(())
    }

    /// The end of the log against its heads, and the tree against its own.
    fn end(&mut self, taken: &Taken) -> Result<(), AuditError> {
        let size = self.place.number;
        let Some(growing) = taken.sources.last() else { return Ok(()) };
        let behind = |head| AuditError::Line {
            file: growing.name.clone(),
            line: 0,
            record: size + 1,
            damage: Damage::Cut { head },
        };
        let Some(head) = self.head else { return Err(AuditError::Head { records: size }) };
        if head.number > size {
            return Err(behind(head.number));
        }
        let away = self.found.archived.max(self.found.expired.map_or(0, |(record, _)| record));
        if let Some(at) = self.gaps.iter().position(|(last, _)| *last > away) {
            return Err(self.gaps.swap_remove(at).1);
        }
        let Some(keys) = self.keys else {
            // An older log: nothing signed, nothing to sign with.
            let traces = taken.checkpoint.is_some() || taken.lengths[0] > 0 || !self.found.keys.is_empty();
            let why = "it is missing";
            return if traces { Err(AuditError::Key { file: AUDIT_PUBLIC_FILE, why }) } else { Ok(()) };
        };
        if self.found.keys.last() != Some(&keys.public.to_string()) {
            let why = "the log knows another key";
            return Err(AuditError::Key { file: AUDIT_PUBLIC_FILE, why });
        }
        let signed = |why| AuditError::Signed { head: CHECKPOINT_FILE.to_owned(), size: self.signed, why };
        let note = taken.checkpoint.as_deref().ok_or_else(|| signed("it is missing"))?;
        let checkpoint = SignedHead::parse(note).map_err(|_| signed("it is not as it was written"))?;
        checkpoint.check(&keys.public).map_err(|_| signed("its signature does not hold"))?;
        if self.signed > size {
            return Err(behind(self.signed));
        }
        if self.signed > 0 && self.found.signed_root != Some(checkpoint.checkpoint.root) {
            return Err(signed("the log is not the one that was signed"));
        }
        self.rows.lengths(size)?;
        let stopped = self.last.action == STOPPED;
        let span = self.unsigned_us.map_or(0, |(first, last)| last - first);
        if (stopped && self.signed < size) || span > UNSIGNED_MAX_US {
            return Err(signed("it is older than the log can be: an old one was put back"));
        }
        if head.number < self.signed || (stopped && head.number < size) {
            return Err(AuditError::OldHead { head: head.number, records: size });
        }
        Ok(())
    }

    /// Heads that were kept elsewhere.
    fn heads(&mut self, taken: &Taken, checks: &Checks) -> Result<(), AuditError> {
        let mut signers = Vec::new();
        for (name, note) in &checks.heads {
            let wrong = |size, why| AuditError::Signed { head: name.clone(), size, why };
            let head = SignedHead::parse(note).map_err(|_| wrong(0, "it is no signed head"))?;
            let size = head.checkpoint.size;
            let mut keys = self.found.keys.iter().filter_map(|key| Verifier::parse(key).ok());
            if !keys.any(|key| head.check(&key) == Ok(None)) {
                return Err(wrong(size, "no key that this log has had signed it"));
            }
            if size > self.place.number {
                let growing = taken.sources.last().map_or(AUDIT_FILE, |source| &source.name);
                let (line, record) = (0, self.place.number + 1);
                let damage = Damage::Cut { head: size };
                return Err(AuditError::Line { file: growing.to_owned(), line, record, damage });
            }
            let root = ledger::root(&taken.rows, size);
            // The rows were compared with the log line by line: they say what it was at any size.
            if root.ok() != Some(head.checkpoint.root) {
                return Err(wrong(size, "the log is not the one that was signed"));
            }
            signers.extend(checks.witnesses.iter().filter(|key| head.check(key).is_ok()));
            self.found.compared.push(format!("{name} ({size} records)"));
        }
        match checks.witnesses.iter().find(|key| !signers.contains(key)) {
            Some(key) => Err(AuditError::Signed {
                head: key.name().to_owned(),
                size: 0,
                why: "this witness signed none of the heads",
            }),
            None => Ok(()),
        }
    }

    fn verified(self, files: usize) -> Verified {
        Verified {
            records: self.place.number,
            files,
            hash: self.place.hash.to_hex().to_string(),
            root: self.frontier.root(),
            signed: self.signed.min(self.place.number),
            stopped: self.last.action == STOPPED,
            ..self.found
        }
    }
}

impl From<LedgerError> for AuditError {
    fn from(error: LedgerError) -> Self {
        failed("the audit tree")(std::io::Error::other(error.to_string()))
    }
}

/// Up to which record retention removed, and before when they were written.
fn expired(object: &str) -> Option<(u64, ReceiveTime)> {
    let (record, before) = object.split_once(' ')?;
    Some((record.parse().ok()?, ReceiveTime(before.parse().ok()?)))
}

/// The place after a line.
pub(super) fn step(place: Place, line: &[u8]) -> Result<Place, Damage> {
    let parts = parts(line).ok_or(Damage::Form)?;
    let expected = place.number + 1;
    let found = number(parts.body).ok_or(Damage::Form)?;
    if link(&place.hash, parts.body) == parts.hash && found == expected {
        return Ok(Place { number: expected, hash: parts.hash });
    }
    Err(if found == expected { Damage::Changed } else { Damage::Number { found, expected } })
}
