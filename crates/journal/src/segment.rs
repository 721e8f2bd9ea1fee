//! One segment file: its header, its durable length, and where in it entries stand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use vitals::Offset;

use crate::JournalError;
use crate::cursor::Cursor;
use crate::disk::{Disk, DiskFile};
use crate::frame::{HEADER_BYTES, Header};

/// The sparse index has an entry for about every so many bytes.
const INDEX_STEP: u64 = 256 * 1024;

/// An open segment, shared by the writer and all readers.
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) header: Header,
    pub(crate) file: Arc<dyn DiskFile>,
    /// Durable bytes; readers go no further.
    len: AtomicU64,
    /// First offset and position of some frames; none until first needed.
    index: Mutex<Option<Vec<(Offset, u64)>>>,
}

impl Segment {
    /// File name of the segment that begins with entry `base`.
    pub(crate) fn name(base: Offset) -> String {
        format!("{base:020}.vwj")
    }

    /// Creates a segment; durable on return. After an error its file may be there or not.
    pub(crate) fn create(
        disk: &dyn Disk,
        folder: &Path,
        header: Header,
    ) -> Result<Self, JournalError> {
        let path = folder.join(Self::name(header.base));
        let make = || -> std::io::Result<Arc<dyn DiskFile>> {
            let file = disk.create(&path)?;
            file.write_at(&header.encode(), 0)?;
            file.sync()?;
            disk.sync_folder(folder)?;
            Ok(file)
        };
        let file = make().map_err(|error| JournalError::io("creating", &path, error))?;
        Ok(Self::new(
            path,
            header,
            file,
            HEADER_BYTES as u64,
            Some(Vec::new()),
        ))
    }

    /// Opens a segment and reads its header.
    pub(crate) fn open(disk: &dyn Disk, path: PathBuf) -> Result<Self, JournalError> {
        let file = disk
            .open(&path)
            .map_err(|e| JournalError::io("opening", &path, e))?;
        let len = file
            .len()
            .map_err(|e| JournalError::io("measuring", &path, e))?;
        let mut bytes = [0; HEADER_BYTES];
        let got = file
            .read_at(&mut bytes, 0)
            .map_err(|e| JournalError::io("reading", &path, e))?;
        let header = Header::decode(&bytes[..got]).map_err(|reason| JournalError::Corrupt {
            file: path.clone(),
            position: 0,
            reason,
        })?;
        Ok(Self::new(path, header, file, len, None))
    }

    fn new(
        path: PathBuf,
        header: Header,
        file: Arc<dyn DiskFile>,
        len: u64,
        index: Option<Vec<(Offset, u64)>>,
    ) -> Self {
        Self {
            path,
            header,
            file,
            len: AtomicU64::new(len),
            index: Mutex::new(index),
        }
    }

    /// Durable bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Acquire)
    }

    /// Lets readers see a frame that is durable now.
    pub(crate) fn publish(&self, first: Offset, position: u64, len: u64) {
        if let Some(index) = self.index.lock().as_mut() {
            push_index(index, first, position);
        }
        self.len.store(len, Ordering::Release);
    }

    /// Sets what recovery found.
    pub(crate) fn settle(&self, len: u64, index: Vec<(Offset, u64)>) {
        *self.index.lock() = Some(index);
        self.len.store(len, Ordering::Release);
    }

    /// A position at or before the frame that holds `offset`.
    pub(crate) fn seek(&self, offset: Offset) -> Result<u64, JournalError> {
        let mut index = self.index.lock();
        if index.is_none() {
            let mut cursor = Cursor::new(self, HEADER_BYTES as u64);
            let mut found = Vec::new();
            while let Some((position, frame)) = cursor.next()? {
                push_index(&mut found, frame.first, position);
            }
            *index = Some(found);
        }
        let steps = index.as_deref().unwrap_or_default();
        let after = steps.partition_point(|(first, _)| *first <= offset);
        Ok(after
            .checked_sub(1)
            .map_or(HEADER_BYTES as u64, |at| steps[at].1))
    }

    /// An error at a place in this file.
    pub(crate) fn corrupt(&self, position: u64, reason: &'static str) -> JournalError {
        JournalError::Corrupt {
            file: self.path.clone(),
            position,
            reason,
        }
    }
}

/// Adds a frame to a sparse index where it is far enough from the last one in it.
pub(crate) fn push_index(index: &mut Vec<(Offset, u64)>, first: Offset, position: u64) {
    if index
        .last()
        .is_none_or(|(_, last)| position >= last + INDEX_STEP)
    {
        index.push((first, position));
    }
}
