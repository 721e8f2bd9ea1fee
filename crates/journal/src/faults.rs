//! A disk in memory that forgets what was not synced, tears writes, and fills up: for tests of
//! this crate and of whoever builds on it. One seed replays any failure.

use std::any::Any;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile};

/// What is written together or not at all.
const SECTOR: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub struct FaultyDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    /// Files whose names are durable.
    durable: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    capacity: Option<usize>,
    /// Operations until one fails; counts down.
    fail_after: Option<u64>,
    locked: bool,
}

#[derive(Default)]
struct Content {
    /// As a reader sees it.
    now: Vec<u8>,
    /// As it would be after a power cut, but for `pending`.
    synced: Vec<u8>,
    /// What was done since the last sync.
    pending: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

struct FaultyFile {
    disk: FaultyDisk,
    content: Arc<Mutex<Content>>,
}

impl FaultyDisk {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the disk holds no more than so many bytes; none: no limit.
    pub fn set_capacity(&self, bytes: Option<usize>) {
        self.state.lock().capacity = bytes;
    }

    /// The operation after the next `count` fails, and every one after it, until [`Self::heal`].
    /// A failing write may have written a part.
    pub fn fail_after(&self, count: u64) {
        self.state.lock().fail_after = Some(count);
    }

    /// No operation fails any more.
    pub fn heal(&self) {
        self.state.lock().fail_after = None;
    }

    /// Cuts the power: what was not synced survives sector by sector, as chance has it. Open files
    /// must not be used after it.
    pub fn crash(&self, mut chance: impl FnMut() -> u64) {
        let mut state = self.state.lock();
        let durable = std::mem::take(&mut state.durable);
        let names = std::mem::take(&mut state.files);
        for (path, content) in names {
            // A name that was not synced may be there or not.
            if durable.contains_key(&path) || chance() % 2 == 0 {
                state.files.insert(path, content);
            }
        }
        for (path, content) in durable {
            // A removal that was not synced may not have happened.
            if !state.files.contains_key(&path) && chance() % 2 == 0 {
                state.files.insert(path, content);
            }
        }
        for content in state.files.values() {
            let mut content = content.lock();
            let pending = std::mem::take(&mut content.pending);
            let mut bytes = std::mem::take(&mut content.synced);
            for change in pending {
                survive(&mut bytes, change, &mut chance);
            }
            content.now.clone_from(&bytes);
            content.synced = bytes;
        }
        state.durable = state.files.clone();
        state.locked = false;
        state.fail_after = None;
    }

    /// Changes bytes of a file as it lies on the disk.
    pub fn alter(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.state.lock().files.get(path) {
            let mut content = content.lock();
            change(&mut content.now);
            content.synced = content.now.clone();
            content.pending.clear();
        }
    }

    /// Content of a file.
    #[must_use]
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        self.state
            .lock()
            .files
            .get(path)
            .map(|content| content.lock().now.clone())
    }

    fn operation(&self) -> io::Result<()> {
        match &mut self.state.lock().fail_after {
            Some(0) => Err(io::Error::other("injected fault")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn room(&self, wanted: usize) -> bool {
        let state = self.state.lock();
        let used = || {
            state
                .files
                .values()
                .map(|c| c.lock().now.len())
                .sum::<usize>()
        };
        state
            .capacity
            .is_none_or(|capacity| used() + wanted <= capacity)
    }
}

fn survive(bytes: &mut Vec<u8>, change: Change, chance: &mut impl FnMut() -> u64) {
    match change {
        Change::SetLen(len) => {
            if chance() % 2 == 0 {
                bytes.resize(len, 0);
            }
        }
        Change::Write(position, data) => {
            let mut at = position;
            for piece in data.chunk_by_sector(position) {
                // The length may grow before the data is there.
                if chance() % 3 > 0 && bytes.len() < at + piece.len() {
                    bytes.resize(at + piece.len(), 0);
                }
                if chance() % 2 == 0 && bytes.len() >= at + piece.len() {
                    bytes[at..at + piece.len()].copy_from_slice(piece);
                }
                at += piece.len();
            }
        }
    }
}

trait BySector {
    fn chunk_by_sector(&self, position: usize) -> Vec<&[u8]>;
}

impl BySector for [u8] {
    fn chunk_by_sector(&self, position: usize) -> Vec<&[u8]> {
        let first = (SECTOR - position % SECTOR).min(self.len());
        let (head, rest) = self.split_at(first);
        std::iter::once(head).chain(rest.chunks(SECTOR)).collect()
    }
}

impl Disk for FaultyDisk {
    fn lock(&self, _folder: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        struct Held(FaultyDisk);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.state.lock().locked = false;
            }
        }
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        drop(state);
        Ok(Box::new(Held(self.clone())))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        let names = state
            .files
            .keys()
            .filter(|path| path.parent() == Some(folder));
        Ok(names
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.operation()?;
        let content = Arc::new(Mutex::new(Content::default()));
        self.state
            .lock()
            .files
            .insert(path.to_owned(), Arc::clone(&content));
        Ok(Arc::new(FaultyFile {
            disk: self.clone(),
            content,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let content = self.state.lock().files.get(path).cloned();
        let content = content.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(FaultyFile {
            disk: self.clone(),
            content,
        }))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operation()?;
        let removed = self.state.lock().files.remove(path);
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.operation()?;
        let mut state = self.state.lock();
        let within = |path: &Path| path.parent() == Some(folder);
        let files = state.files.clone();
        state.durable.retain(|path, _| !within(path));
        state
            .durable
            .extend(files.into_iter().filter(|(path, _)| within(path)));
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let content = self.content.lock();
        let from = (position as usize).min(content.now.len());
        let length = buffer.len().min(content.now.len() - from);
        buffer[..length].copy_from_slice(&content.now[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let position = position as usize;
        let grows = (position + bytes.len()).saturating_sub(self.content.lock().now.len());
        let (done, result) = match self.disk.operation() {
            Err(error) => (bytes.len() / 2, Err(error)),
            Ok(()) if !self.disk.room(grows) => {
                (bytes.len() / 3, Err(io::ErrorKind::StorageFull.into()))
            }
            Ok(()) => (bytes.len(), Ok(())),
        };
        let mut content = self.content.lock();
        let end = position + done;
        if content.now.len() < end {
            content.now.resize(end, 0);
        }
        content.now[position..end].copy_from_slice(&bytes[..done]);
        content
            .pending
            .push(Change::Write(position, bytes[..done].to_vec()));
        result
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operation()?;
        let mut content = self.content.lock();
        content.synced = content.now.clone();
        content.pending.clear();
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.disk.operation()?;
        let mut content = self.content.lock();
        content.now.resize(bytes as usize, 0);
        content.pending.push(Change::SetLen(bytes as usize));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.content.lock().now.len() as u64)
    }
}
