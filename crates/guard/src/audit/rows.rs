//! The rows of the tree, compared with what the log's lines give.

use std::io::{Read, Seek, SeekFrom};

use ledger::{Frontier, Hash, Row};

use super::found::AuditError;
use super::tree::{FILES, RowFiles, complete};

/// Bytes of a hash.
const HASH: u64 = 32;

/// Reads the row files along with the log.
pub(super) struct RowCheck<'a> {
    rows: &'a RowFiles,
    lengths: &'a [u64],
    readers: Vec<Option<std::io::BufReader<std::fs::File>>>,
}

impl<'a> RowCheck<'a> {
    pub(super) fn new(rows: &'a RowFiles, lengths: &'a [u64]) -> Self {
        let readers = (0..FILES).map(|file| rows.reader(file)).collect();
        Self { rows, lengths, readers }
    }

    /// The edge of the tree behind so many records that are elsewhere; reading goes on there.
    pub(super) fn load(&mut self, size: u64) -> Result<Frontier, AuditError> {
        let missing = |_| AuditError::Missing { from: 1, to: size };
        let frontier = Frontier::load(self.rows, size).map_err(missing)?;
        for (file, reader) in (0..FILES).zip(&mut self.readers) {
            if let Some(reader) = reader {
                let position = SeekFrom::Start(complete(file, size) * HASH);
                reader.seek(position).map_err(|source| AuditError::File { file: name(file), source })?;
            }
        }
        Ok(frontier)
    }

    /// Whether the file has this row.
    pub(super) fn check(&mut self, row: Row) -> Result<(), AuditError> {
        let reader = self.readers.get_mut(usize::from(row.file)).and_then(Option::as_mut);
        let mut kept: Hash = [0; 32];
        let read = reader.is_some_and(|reader| reader.read_exact(&mut kept).is_ok());
        if read && kept == row.hash { Ok(()) } else { Err(wrong(row.file, row.index)) }
    }

    /// Whether the files have as many rows as a tree of this size, and no more.
    pub(super) fn lengths(&self, size: u64) -> Result<(), AuditError> {
        for (file, length) in (0..FILES).zip(self.lengths) {
            let rows = complete(file, size);
            if *length != rows * HASH {
                return Err(wrong(file, rows.min(length / HASH)));
            }
        }
        Ok(())
    }
}

fn name(file: u8) -> String {
    format!("audit.tree{file}")
}

fn wrong(file: u8, index: u64) -> AuditError {
    let record = (index << (u32::from(file) * 8)) + 1;
    AuditError::Row { file: name(file), position: index * HASH, record }
}
