//! The Merkle tree over the log's lines, with its rows in files: `audit.tree0` has the hash of
//! every line, 32 bytes each, `audit.tree1` that of every 256 lines, and so on.
//!
//! The rows can be made anew from the log, so they are not synced with every batch; a signed head
//! says at a start whether they are right.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ledger::{Frontier, Hash, LedgerError, Row, Rows};

use crate::{GuardError, files};

/// Row files: more than 2^40 records are not reached.
pub(super) const FILES: u8 = 5;
/// Bytes of a hash.
const HASH: u64 = 32;

/// The path of a row file.
pub(super) fn path(folder: &Path, file: u8) -> PathBuf {
    folder.join(format!("audit.tree{file}"))
}

/// How many rows of a file are complete in a tree of so many leaves.
pub(super) fn complete(file: u8, size: u64) -> u64 {
    size >> (u32::from(file) * 8)
}

/// Reads rows.
pub(super) struct RowFiles {
    files: Vec<Option<File>>,
    paths: Vec<PathBuf>,
}

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// They are not there, or not what they should be.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The operating system's word.
    #[error("cannot read the rows of the audit tree: {0}")]
    File(#[from] std::io::Error),
}

impl RowFiles {
    pub(super) fn open(folder: &Path) -> Self {
        let paths: Vec<_> = (0..FILES).map(|file| path(folder, file)).collect();
        Self { files: paths.iter().map(|path| File::open(path).ok()).collect(), paths }
    }

    /// A file from its beginning on, with a position of its own.
    pub(super) fn reader(&self, file: u8) -> Option<std::io::BufReader<File>> {
        let file = self.paths.get(usize::from(file)).and_then(|path| File::open(path).ok())?;
        Some(std::io::BufReader::with_capacity(1 << 16, file))
    }

    /// How many bytes each file has.
    pub(super) fn lengths(&self) -> Vec<u64> {
        let length = |file: &Option<File>| {
            file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |m| m.len())
        };
        self.files.iter().map(length).collect()
    }
}

impl Rows for RowFiles {
    type Error = RowError;

    fn rows(&self, file: u8, start: u64, count: usize) -> Result<Vec<Hash>, RowError> {
        let file = self.files.get(usize::from(file)).and_then(Option::as_ref);
        let file = file.ok_or(LedgerError::Beyond)?;
        let mut bytes = vec![0; count * HASH as usize];
        file.read_exact_at(&mut bytes, start * HASH)?;
        let (hashes, _) = bytes.as_chunks::<{ HASH as usize }>();
        Ok(hashes.to_vec())
    }
}

/// The growing tree.
pub(super) struct Tree {
    folder: PathBuf,
    files: Vec<Option<File>>,
    pub(super) frontier: Frontier,
}

impl Tree {
    pub(super) fn new(folder: &Path) -> Self {
        let files = (0..FILES).map(|_| None).collect();
        Self { folder: folder.to_owned(), files, frontier: Frontier::default() }
    }

    /// Writes rows, in the order that they came, and goes on from this edge. What could not be
    /// written is made anew at the next start; it fails no record.
    pub(super) fn extend(&mut self, frontier: Frontier, rows: &[Row]) {
        self.frontier = frontier;
        for number in 0..FILES {
            let mut of_file = rows.iter().filter(|row| row.file == number).peekable();
            let Some(first) = of_file.peek().map(|row| row.index) else { continue };
            let bytes: Vec<u8> = of_file.flat_map(|row| row.hash).collect();
            let path = path(&self.folder, number);
            let written = self.file(number).and_then(|file| {
                file.write_all_at(&bytes, first * HASH).map_err(|e| GuardError::file(&path, e))
            });
            if let Err(error) = written {
                tracing::error!(%error, "audit tree not written: made anew at the next start");
            }
        }
    }

    /// Cuts the rows to those of this tree, and makes them durable.
    pub(super) fn settle(&mut self) -> Result<(), GuardError> {
        for number in 0..FILES {
            let length = complete(number, self.frontier.size()) * HASH;
            let path = path(&self.folder, number);
            if length == 0 && !path.exists() {
                continue;
            }
            let file = self.file(number)?;
            let failed = |e| GuardError::file(&path, e);
            if file.metadata().map_err(failed)?.len() != length {
                file.set_len(length).map_err(failed)?;
            }
            file.sync_data().map_err(failed)?;
        }
        Ok(())
    }

    fn file(&mut self, number: u8) -> Result<&File, GuardError> {
        let path = path(&self.folder, number);
        let slot = &mut self.files[usize::from(number)];
        let gone = match slot {
            Some(file) => !files::is_still(&path, file).unwrap_or(false),
            None => true,
        };
        if gone {
            *slot = Some(files::private_file(&path)?);
        }
        slot.as_ref().ok_or_else(|| GuardError::AuditFailed("no row file".to_owned()))
    }
}
