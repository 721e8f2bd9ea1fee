//! The journal of one machine: segment files in a folder.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use seal::Keyring;
use vitals::{Offset, ReceiveTime};

use crate::cursor::Cursor;
use crate::disk::Disk;
use crate::entry::{Encoded, Journal, ReadJournal, Stamp};
use crate::frame::{self, Chain, HEADER_BYTES, Hash, Header};
use crate::inspect::Place;
use crate::reader::Reader;
use crate::recover::{self, Tail};
use crate::sealing::{Opener, Sealer};
use crate::segment::{Segment, push_index};
use crate::{JournalError, RealDisk};

/// How the journal keeps its files.
#[derive(Debug, Clone)]
pub struct Options {
    /// A new segment is begun when the present one would grow beyond this many bytes.
    pub segment_bytes: u64,
    /// Key of the hash chain. Without one the chain shows damage and careless changes; with one
    /// kept off this machine nobody can recompute it.
    pub key: Option<[u8; 32]>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 64 * 1024 * 1024,
            key: None,
        }
    }
}

/// What had to be repaired at opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Bytes of an unfinished write that were cut off.
    pub torn_bytes: u64,
    /// The entry that the unfinished write would have begun with.
    pub torn_at: Option<Offset>,
}

/// State that readers share with the writer.
pub(crate) struct Shared {
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    pub(crate) next: AtomicU64,
    pub(crate) chain: Chain,
    pub(crate) opener: Opener,
    /// Where the writer is: what is durable, and the chain's hash so far.
    pub(crate) head: Mutex<Place>,
}

/// A journal in segment files of its own.
pub struct EmbeddedJournal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    options: Options,
    shared: Arc<Shared>,
    active: Arc<Segment>,
    tail: Tail,
    recovery: Recovery,
    buffer: Vec<u8>,
    /// A write failed and what it left behind is still there.
    dirty: bool,
    /// A segment could not be created and its file may still be there.
    stale: Option<PathBuf>,
    sealer: Option<Sealer>,
    _lock: Box<dyn Any + Send + Sync>,
}

impl EmbeddedJournal {
    /// Opens or creates the journal in `folder` with the default options.
    ///
    /// # Errors
    /// See [`EmbeddedJournal::open_on`].
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        Self::open_on(Arc::new(RealDisk), folder, Options::default())
    }

    /// Opens or creates the journal in `folder`.
    ///
    /// # Errors
    /// [`JournalError::InUse`]; [`JournalError::Corrupt`] if the newest segment is damaged
    /// elsewhere than in an unfinished last write; [`JournalError::Io`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: Options,
    ) -> Result<Self, JournalError> {
        Self::open_sealed(disk, folder, options, None)
    }

    /// [`EmbeddedJournal::open_on`] with keys: entries are sealed from here on. Entries written
    /// without, before, can still be read.
    ///
    /// # Errors
    /// As [`EmbeddedJournal::open_on`].
    pub fn open_sealed(
        disk: Arc<dyn Disk>,
        folder: &Path,
        options: Options,
        keyring: Option<Arc<dyn Keyring>>,
    ) -> Result<Self, JournalError> {
        let lock = disk.lock(folder).map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => JournalError::InUse(folder.to_owned()),
            _ => JournalError::io("locking", folder, error),
        })?;
        let chain = Chain::new(options.key);
        let mut segments = recover::open_segments(&*disk, folder)?;
        if segments.is_empty() {
            let header = Header {
                base: 0,
                at_before: ReceiveTime(0),
                chain_before: genesis(),
                old: false,
            };
            segments.push(Arc::new(Segment::create(&*disk, folder, header)?));
        }
        let active = segments
            .last()
            .cloned()
            .expect("one was created if there was none");
        let (tail, recovery) = recover::find_tail(&*disk, folder, &active, &chain)?;
        let active = if active.header.old && active.len() == HEADER_BYTES as u64 {
            // Nothing is in it yet: what comes is of this version.
            let header = Header { old: false, ..active.header };
            let renewed = Arc::new(Segment::create(&*disk, folder, header)?);
            segments.pop();
            segments.push(Arc::clone(&renewed));
            renewed
        } else {
            active
        };
        // What was found may have been written by a process that was killed before its sync; from
        // here on it counts as committed.
        active
            .file
            .sync()
            .map_err(|e| JournalError::io("syncing", &active.path, e))?;
        let shared = Arc::new(Shared {
            segments: RwLock::new(segments),
            next: AtomicU64::new(tail.next),
            chain,
            opener: Opener::new(keyring.clone()),
            head: Mutex::new(Place { next: tail.next, chain: tail.chain }),
        });
        Ok(Self {
            disk,
            folder: folder.to_owned(),
            options,
            shared,
            active,
            tail,
            recovery,
            buffer: Vec::new(),
            dirty: false,
            stale: None,
            sealer: keyring.map(Sealer::new),
            _lock: lock,
        })
    }

    /// What had to be repaired at opening.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Removes what a failed write left behind, so that it cannot come back after a crash.
    fn clean(&mut self) -> Result<(), JournalError> {
        if self.dirty {
            let path = &self.active.path;
            let file = &self.active.file;
            file.set_len(self.active.len())
                .map_err(|e| JournalError::io("cutting", path, e))?;
            file.sync()
                .map_err(|e| JournalError::io("syncing", path, e))?;
            self.dirty = false;
        }
        // Left behind, it would be the newest segment of the next start, and what is written
        // meanwhile to the one before would contradict it.
        if let Some(path) = &self.stale {
            remove(&*self.disk, &self.folder, path)?;
            self.stale = None;
        }
        Ok(())
    }

    fn roll(&mut self) -> Result<(), JournalError> {
        let header = Header {
            base: self.tail.next,
            at_before: self.tail.at,
            chain_before: self.tail.chain,
            old: false,
        };
        let segment = match Segment::create(&*self.disk, &self.folder, header) {
            Ok(segment) => Arc::new(segment),
            Err(error) => {
                self.stale = Some(self.folder.join(Segment::name(header.base)));
                let _ = self.clean();
                return Err(error);
            }
        };
        self.shared.segments.write().push(Arc::clone(&segment));
        self.active = segment;
        Ok(())
    }

    fn write(&self, position: u64) -> Result<(), JournalError> {
        let path = &self.active.path;
        self.active
            .file
            .write_at(&self.buffer, position)
            .map_err(|e| JournalError::io("writing", path, e))?;
        self.active
            .file
            .sync()
            .map_err(|e| JournalError::io("syncing", path, e))
    }
}

impl Journal for EmbeddedJournal {
    fn append(&mut self, at: ReceiveTime, batch: &[Encoded]) -> Result<Stamp, JournalError> {
        let stamp = Stamp {
            first: self.tail.next,
            at: at.max(self.tail.at),
        };
        if batch.is_empty() {
            return Ok(stamp);
        }
        let body: usize = batch.iter().map(Encoded::frame_bytes).sum();
        if body + 32 > frame::BODY_BYTES_MAX {
            return Err(JournalError::TooLarge {
                bytes: body,
                limit: frame::BODY_BYTES_MAX,
            });
        }
        self.clean()?;
        if let Some(sealer) = &mut self.sealer {
            sealer.prepare(batch)?;
        }
        let len = self.active.len();
        let full = len + (body + frame::FRAME_BYTES) as u64 > self.options.segment_bytes;
        if (full && len > HEADER_BYTES as u64) || self.active.header.old {
            self.roll()?;
        }
        self.buffer.clear();
        let hash = frame::encode(
            &mut self.buffer,
            &self.active.header,
            &self.shared.chain,
            &self.tail.chain,
            (stamp.first, stamp.at),
            (batch, self.sealer.as_ref()),
        );
        let position = self.active.len();
        if let Err(error) = self.write(position) {
            self.dirty = true;
            // Tried at once, and again before the next write: until it works nothing is written.
            let _ = self.clean();
            return Err(error);
        }
        let len = position + self.buffer.len() as u64;
        self.tail = Tail {
            next: stamp.first + batch.len() as u64,
            at: stamp.at,
            chain: hash,
        };
        *self.shared.head.lock() = Place { next: self.tail.next, chain: hash };
        self.active.publish(stamp.first, position, len);
        self.shared.next.store(self.tail.next, Ordering::Release);
        if self.buffer.capacity() > 8 * 1024 * 1024 {
            self.buffer = Vec::new();
        }
        Ok(stamp)
    }

    fn truncate_before(&mut self, offset: Offset) -> Result<(), JournalError> {
        loop {
            let oldest = {
                let segments = self.shared.segments.read();
                match segments.as_slice() {
                    [oldest, next, ..] if next.header.base <= offset => Arc::clone(oldest),
                    _ => return Ok(()),
                }
            };
            // Readers that hold the segment go on reading it; its file is gone when they let go.
            remove(&*self.disk, &self.folder, &oldest.path)?;
            self.shared.segments.write().remove(0);
        }
    }

    fn seals(&self) -> bool {
        self.sealer.is_some()
    }

    fn begin_unit(&mut self) -> Result<(), JournalError> {
        self.clean()?;
        if self.active.len() > HEADER_BYTES as u64 { self.roll() } else { Ok(()) }
    }

    fn retention_point(&self, since: ReceiveTime, min_bytes: u64, max_bytes: u64) -> Offset {
        let segments = self.shared.segments.read();
        let mut kept: u64 = segments.iter().map(|segment| segment.len()).sum();
        let mut point = segments.first().map_or(0, |segment| segment.header.base);
        for pair in segments.windows(2) {
            let after = kept - pair[0].len();
            // The next header knows the time of this segment's last entry.
            let old = pair[1].header.at_before < since && after >= min_bytes;
            if !old && kept <= max_bytes {
                break;
            }
            kept = after;
            point = pair[1].header.base;
        }
        point
    }

    fn reader(&self) -> Arc<dyn ReadJournal> {
        Arc::new(Reader::new(Arc::clone(&self.shared)))
    }
}

/// Begins a journal in an empty folder with entry `first`: after a restore, where what came before
/// is in the databases and nowhere else. `before` is the time of the last entry and the chain's hash
/// there ([`crate::ended_at`]), so that whatever was noted of the place still fits.
///
/// # Errors
/// [`JournalError::InUse`]; [`JournalError::Io`], also when there is a journal already.
pub fn begin_at(
    folder: &Path,
    first: Offset,
    before: Option<(ReceiveTime, [u8; 32])>,
) -> Result<(), JournalError> {
    let disk = RealDisk;
    let _lock = disk.lock(folder).map_err(|e| JournalError::io("locking", folder, e))?;
    if !recover::segment_paths(&disk, folder)?.is_empty() {
        let there = std::io::ErrorKind::AlreadyExists.into();
        return Err(JournalError::io("beginning", folder, there));
    }
    let (at_before, chain_before) = before.unwrap_or_else(|| (ReceiveTime(0), genesis()));
    let header = Header { base: first, at_before, chain_before, old: false };
    Segment::create(&disk, folder, header).map(drop)
}

/// What a journal's files hold now, to be read only: without its lock, also while a process writes,
/// and without repairing anything. Ends before a batch that is there by half, and shows nothing that
/// comes later.
///
/// # Errors
/// [`JournalError::Io`]; [`JournalError::Corrupt`] where a file is not a journal's.
pub fn peek(
    folder: &Path,
    options: &Options,
    keyring: Option<Arc<dyn Keyring>>,
) -> Result<Arc<dyn ReadJournal>, JournalError> {
    let paths = recover::segment_paths(&RealDisk, folder)?;
    let last = paths.len();
    let mut segments = Vec::with_capacity(last);
    for (at, path) in (1..).zip(paths) {
        match Segment::open(&RealDisk, path) {
            Ok(segment) => segments.push(Arc::new(segment)),
            // A file that is being begun holds no entry yet.
            Err(JournalError::Corrupt { .. }) if at == last && at > 1 => {}
            Err(error) => return Err(error),
        }
    }
    let Some(newest) = segments.last() else {
        return Err(JournalError::io("reading", folder, std::io::ErrorKind::NotFound.into()));
    };
    let mut next = newest.header.base;
    let mut chain = newest.header.chain_before;
    let mut index = Vec::new();
    let mut cursor = Cursor::new(newest, HEADER_BYTES as u64);
    while let Ok(Some((position, frame))) = cursor.next() {
        push_index(&mut index, frame.first, position);
        next = frame.first + Offset::from(frame.count);
        chain = frame.chain;
    }
    newest.settle(cursor.position(), index);
    let shared = Shared {
        next: AtomicU64::new(next),
        chain: Chain::new(options.key),
        opener: Opener::new(keyring),
        head: Mutex::new(Place { next, chain }),
        segments: RwLock::new(segments),
    };
    Ok(Arc::new(Reader::new(Arc::new(shared))))
}

/// Removes a file for good; one that is gone already is no error.
fn remove(disk: &dyn Disk, folder: &Path, path: &Path) -> Result<(), JournalError> {
    match disk.remove(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => disk.sync_folder(folder),
    }
    .map_err(|error| JournalError::io("removing", path, error))
}

/// Where the chain begins: not to be guessed, so that no payload can imitate a frame.
fn genesis() -> Hash {
    use std::hash::{BuildHasher, RandomState};
    let mut hasher = blake3::Hasher::new();
    for salt in 0..4_u8 {
        hasher.update(&RandomState::new().hash_one(salt).to_le_bytes());
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    hasher.update(&now.map_or(0, |age| age.as_nanos()).to_le_bytes());
    hasher.update(&std::process::id().to_le_bytes());
    *hasher.finalize().as_bytes()
}
