//! Any node of a tree of which every eighth level is kept.

use crate::LedgerError;
use crate::tree::{Frontier, Hash, empty_root, node_hash};

/// Levels of the tree between two that are kept.
pub const ROW_LEVELS: u8 = 8;

/// The kept levels of a tree. Row file 0 has the hash of every leaf, file n that of every complete
/// subtree of 256^n leaves.
pub trait Rows {
    /// Why rows could not be read.
    type Error: From<LedgerError>;

    /// `count` (at most 128) hashes of a row file from `start` on.
    ///
    /// # Errors
    /// When they cannot be read.
    fn rows(&self, file: u8, start: u64, count: usize) -> Result<Vec<Hash>, Self::Error>;
}

/// The root of the complete subtree of `1 << level` leaves, the `index`th of its size.
///
/// # Errors
/// When its rows cannot be read.
pub fn node<R: Rows>(rows: &R, level: u8, index: u64) -> Result<Hash, R::Error> {
    let above = level % ROW_LEVELS;
    let mut hashes = rows.rows(level / ROW_LEVELS, index << above, 1 << above)?;
    while hashes.len() > 1 {
        hashes = hashes.chunks_exact(2).map(|two| node_hash(&two[0], &two[1])).collect();
    }
    hashes.first().copied().ok_or(LedgerError::Beyond.into())
}

/// The root of leaves `start` to `end` - 1, of which the left part is as large a complete subtree
/// as can be, and so on: any such range that RFC 6962 hashes.
pub(crate) fn range<R: Rows>(rows: &R, start: u64, end: u64) -> Result<Hash, R::Error> {
    let count = end - start;
    if count == 0 {
        return Ok(empty_root());
    }
    if count.is_power_of_two() {
        let level = count.trailing_zeros() as u8;
        return node(rows, level, start >> level);
    }
    let left = split(count);
    Ok(node_hash(&range(rows, start, start + left)?, &range(rows, start + left, end)?))
}

/// The largest power of two smaller than `count`, which is 2 or more.
pub(crate) fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The root of the tree when it had so many leaves.
///
/// # Errors
/// When its rows cannot be read.
pub fn root<R: Rows>(rows: &R, size: u64) -> Result<Hash, R::Error> {
    range(rows, 0, size)
}

impl Frontier {
    /// The growing edge of a tree of which the rows are kept.
    ///
    /// # Errors
    /// When its rows cannot be read.
    pub fn load<R: Rows>(rows: &R, size: u64) -> Result<Self, R::Error> {
        let (mut roots, mut start) = (Vec::new(), 0);
        for level in (0..u64::BITS as u8).rev().filter(|level| size >> level & 1 == 1) {
            roots.push(node(rows, level, start >> level)?);
            start += 1 << level;
        }
        Self::new(size, roots).ok_or(LedgerError::Beyond.into())
    }
}
