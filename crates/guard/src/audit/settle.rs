//! Finding the end of the log again: after a start, after another process wrote, after a power
//! failure, after somebody's hand. Whatever is not as it was left becomes a record.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use blake3::Hash;
use ledger::{Checkpoint, Frontier, leaf_hash};

use super::chain::{HEAD_LENGTH, Place, link, number, parts};
use super::log::{KEY_MADE, Log, RECOVERED, ROTATED, TREE_BEGAN, system};
use super::signer::Signer;
use super::tree::RowFiles;
use super::{read, segments};
use crate::{GuardError, HEAD_FILE, Outcome, files};

/// How far back the last readable record is looked for at first, in bytes, and at most.
const TAIL: u64 = 64 << 10;
const TAIL_MAX: u64 = 16 << 20;

/// What a look at tree and signed head gave.
#[derive(Default)]
struct Judged {
    /// What is wrong, in words.
    wrong: Vec<String>,
    /// The log is older than its tree.
    began: bool,
}

impl Log {
    /// Takes in what another process appended to the growing file; false when that is not what
    /// its end looks like. The lock is held.
    pub(super) fn catch_up(&mut self, length: u64) -> Result<bool, GuardError> {
        let mut bytes = vec![0; (length - self.end) as usize];
        self.file.read_exact_at(&mut bytes, self.end).map_err(|e| self.failed(e))?;
        let (mut place, mut rows) = (self.place, Vec::new());
        let mut frontier = self.tree.frontier.clone();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            let Some(parts) = parts(line) else { return Ok(false) };
            if number(parts.body) != Some(place.number + 1)
                || link(&place.hash, parts.body) != parts.hash
            {
                return Ok(false);
            }
            frontier.push(leaf_hash(&line[..line.len() - 1]), |row| rows.push(row));
            place = Place { number: place.number + 1, hash: parts.hash };
        }
        (self.place, self.end) = (place, length);
        self.tree.extend(frontier, &rows);
        Ok(true)
    }

    /// Finds the last readable record, cuts off what comes after it, and compares with the heads
    /// and the tree. The lock is held.
    pub(super) fn settle(&mut self, missing: bool) -> Result<(), GuardError> {
        if missing {
            // The key may be gone with the log: then there is a new one, and a record of it.
            self.signer = Signer::open(&self.folder)?;
        }
        self.base = self.find_base()?;
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
        self.began_us = first_time(&self.path()).unwrap_or(0);
        let judged = self.settle_tree()?;
        let told = found.iter().any(|one| one.starts_with("records "));
        found.extend(judged.wrong.into_iter().filter(|one| !(told && one.starts_with("records "))));
        self.tree.settle()?;
        let mut records = Vec::new();
        if self.end == 0 && self.base.number > 0 {
            records.push(self.continued());
        }
        if !found.is_empty() {
            let detail = format!("after record {}: {}", place.number, found.join("; "));
            tracing::warn!("audit log: {detail}");
            records.push(system(RECOVERED, Outcome::Failed, detail));
        }
        if judged.began {
            let detail = format!("{} records before it, the last hash {}", place.number, place.hash.to_hex());
            records.push(system(TREE_BEGAN, Outcome::Allowed, detail));
        }
        if std::mem::take(&mut self.signer.made) || place.number == 0 {
            let key = self.signer.verifier().to_string();
            records.push(system(KEY_MADE, Outcome::Allowed, key));
        }
        if records.is_empty() {
            self.write_head();
        } else {
            self.write(&records)?;
        }
        if self.signer.size == 0 {
            // No head stands on this log: one that did not fit is told of above.
            self.sign_now()?;
        }
        Ok(())
    }

    /// The last record before the growing file: of the file before it, or by its own word.
    fn find_base(&self) -> Result<Place, GuardError> {
        if let Some(older) = segments::older(&[&self.folder])?.pop() {
            let failed = |e| GuardError::file(&older.path, e);
            let mut file = std::fs::File::open(&older.path).map_err(failed)?;
            let length = file.metadata().map_err(failed)?.len();
            let found = last_readable(&mut file, length, None).map_err(failed)?;
            if let Some((place, _)) = found {
                return Ok(place);
            }
        }
        let mut first = vec![0; 1_024];
        let got = self.file.read_at(&mut first, 0).map_err(|e| self.failed(e))?;
        let line = first[..got].split_inclusive(|b| *b == b'\n').next().unwrap_or_default();
        Ok(continues(line).map_or_else(Place::start, |(place, _)| place))
    }

    fn last_readable(&mut self, length: u64) -> Result<(Place, u64), GuardError> {
        let base = self.base;
        let found = last_readable(&mut self.file, length, Some(base)).map_err(|e| self.failed(e))?;
        match found {
            Some(found) => Ok(found),
            None if length <= TAIL_MAX => Ok((base, 0)),
            None => Err(GuardError::AuditUnreadable(self.path())),
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

    /// Loads the tree up to the signed head and adds what came after; makes it anew from the log
    /// when its rows are not those that were signed.
    fn settle_tree(&mut self) -> Result<Judged, GuardError> {
        let size = self.place.number;
        let rows = RowFiles::open(&self.folder);
        let signed = self.signer.last(&self.folder);
        self.signer.size = 0;
        if let Ok(Some(head)) = &signed
            && head.size <= size
            && let Ok(frontier) = Frontier::load(&rows, head.size)
            && frontier.root() == head.root
            && self.grow(frontier, size, None)?.1
        {
            self.signer.size = head.size;
            return Ok(Judged::default());
        }
        let had_rows = rows.lengths()[0] > 0;
        let wanted = signed.as_ref().ok().and_then(Option::as_ref).cloned();
        let (root, whole) = self.grow(self.oldest()?, size, wanted.as_ref())?;
        let mut judged = Judged { began: matches!(signed, Ok(None)) && size > 0 && !had_rows, ..Judged::default() };
        if !whole {
            judged.wrong.push("older files of the log are missing or damaged".to_owned());
        }
        judged.wrong.extend(wrong(signed, size, had_rows, root));
        Ok(judged)
    }

    /// The edge of the tree before the oldest file that is here.
    fn oldest(&self) -> Result<Frontier, GuardError> {
        let first = segments::all(&self.folder)?.first().and_then(|path| read::first_number(path).ok()?);
        let before = first.map_or(0, |first| first.saturating_sub(1));
        let rows = RowFiles::open(&self.folder);
        Ok(Frontier::load(&rows, before).unwrap_or_default())
    }

    /// Adds the lines behind this edge up to `size`; the root at a wanted head's size if it came
    /// by, and whether all lines were there.
    fn grow(
        &mut self,
        mut frontier: Frontier,
        size: u64,
        wanted: Option<&Checkpoint>,
    ) -> Result<(Option<ledger::Hash>, bool), GuardError> {
        let (mut rows, mut root) = (Vec::new(), None);
        let from = frontier.size() + 1;
        let tree = &mut self.tree;
        let mut whole = true;
        read::walk(&self.folder, from, |line| {
            if line.number > size {
                return false;
            }
            whole &= line.number == frontier.size() + 1;
            frontier.push(leaf_hash(&line.bytes), |row| rows.push(row));
            if wanted.is_some_and(|wanted| wanted.size == frontier.size()) {
                root = Some(frontier.root());
            }
            if rows.len() > 100_000 {
                tree.extend(frontier.clone(), &rows);
                rows.clear();
            }
            true
        })?;
        whole &= frontier.size() == size;
        // The tree has as many leaves as the log has numbers, or nothing would fit any more.
        while frontier.size() < size {
            frontier.push([0; 32], |row| rows.push(row));
        }
        self.tree.extend(frontier, &rows);
        Ok((root, whole))
    }
}

/// What the signed head says against the log.
fn wrong(
    signed: Result<Option<Checkpoint>, String>,
    size: u64,
    had_rows: bool,
    root: Option<ledger::Hash>,
) -> Option<String> {
    match signed {
        Err(wrong) => Some(wrong),
        Ok(None) => (size > 0 && had_rows).then(|| "the signed head was missing".to_owned()),
        Ok(Some(head)) if head.size > size => Some(format!(
            "records {} to {} are missing, which were signed",
            size + 1,
            head.size
        )),
        Ok(Some(head)) if root.is_some_and(|root| root != head.root) => {
            Some(format!("the first {} records are not those that were signed", head.size))
        }
        // The rows alone were damaged or behind, as after a power failure: they are made anew.
        Ok(Some(_)) => {
            tracing::warn!("the audit tree was made anew from the log");
            None
        }
    }
}

/// The last record of a file and where it ends; `base` is what the file begins behind, if known.
fn last_readable(
    file: &mut std::fs::File,
    length: u64,
    base: Option<Place>,
) -> std::io::Result<Option<(Place, u64)>> {
    let mut window = TAIL;
    loop {
        let from = length.saturating_sub(window);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(from))?;
        (&*file).take(length - from).read_to_end(&mut tail)?;
        let before = base.filter(|_| from == 0).map(|base| base.hash);
        if let Some((place, end)) = last_in(&tail, from == 0, before) {
            return Ok(Some((place, from + end as u64)));
        }
        if from == 0 || window >= TAIL_MAX {
            return Ok(None);
        }
        window *= 4;
    }
}

/// The last record in these bytes whose hash fits the one before, and where it ends. Unless the
/// bytes begin the file, the first line is the middle of one, and the next has none to fit.
fn last_in(bytes: &[u8], from_start: bool, base: Option<Hash>) -> Option<(Place, usize)> {
    let mut before = base;
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
        // Where what comes before is not known, the file's own first line has to be believed.
        let fits = before.map_or(index == 0 && base.is_none(), |before| link(&before, parts.body) == parts.hash);
        if fits && let Some(number) = number(parts.body) {
            last = Some((Place { number, hash: parts.hash }, at));
        }
        before = Some(parts.hash);
    }
    last
}

/// When a file's first record was written.
fn first_time(path: &Path) -> Option<i64> {
    let mut bytes = vec![0; 256];
    let got = std::fs::File::open(path).ok()?.read_at(&mut bytes, 0).ok()?;
    let text = String::from_utf8_lossy(&bytes[..got]);
    let digits = text.split_once("\"at_us\":")?.1;
    digits.split([',', '}']).next()?.parse().ok()
}

/// What a line says that its file continues: the last record before, and the root of the tree
/// there. None when the line is no such record.
pub(super) fn continues(line: &[u8]) -> Option<(Place, ledger::Hash)> {
    let record: serde_json::Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| record.get(name).and_then(serde_json::Value::as_str);
    if text("action") != Some(ROTATED) {
        return None;
    }
    let words: Vec<&str> = text("detail")?.split(' ').collect();
    let ["after", number, "hash", hash, "root", root] = words.as_slice() else { return None };
    let place = Place { number: number.parse().ok()?, hash: Hash::from_hex(hash).ok()? };
    Some((place, *Hash::from_hex(root).ok()?.as_bytes()))
}
