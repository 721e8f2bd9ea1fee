//! Proofs: an entry is in a tree, a tree continues another (RFC 9162 sections 2.1.3 and 2.1.4).

use crate::LedgerError;
use crate::rows::{Rows, range, split};
use crate::tree::{Hash, node_hash};

/// The proof that leaf `index` (from 0) is in the tree of `size` leaves: hashes from the leaf's
/// neighbour upwards.
///
/// # Errors
/// [`LedgerError::Beyond`]; when rows cannot be read.
pub fn inclusion<R: Rows>(rows: &R, index: u64, size: u64) -> Result<Vec<Hash>, R::Error> {
    if index >= size {
        return Err(LedgerError::Beyond.into());
    }
    let (mut start, mut end, mut path) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range(rows, middle, end)?);
            end = middle;
        } else {
            path.push(range(rows, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new` leaves continues the one of `old`.
///
/// # Errors
/// [`LedgerError::Beyond`] unless `0 < old <= new`; when rows cannot be read.
pub fn consistency<R: Rows>(rows: &R, old: u64, new: u64) -> Result<Vec<Hash>, R::Error> {
    if old == 0 || old > new {
        return Err(LedgerError::Beyond.into());
    }
    let (mut start, mut end, mut whole, mut path) = (0, new, true, Vec::new());
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range(rows, middle, end)?);
            end = middle;
        } else {
            path.push(range(rows, start, middle)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range(rows, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that a leaf is the `index`th (from 0) of the tree with this size and root.
///
/// # Errors
/// [`LedgerError::Proof`], [`LedgerError::Beyond`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    path: &[Hash],
) -> Result<(), LedgerError> {
    if index >= size {
        return Err(LedgerError::Beyond);
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for other in path {
        if last == 0 {
            return Err(LedgerError::Proof);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(other, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, other);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(LedgerError::Proof) }
}

/// Checks that a tree (size and root) continues an older one. An empty tree is continued by any.
///
/// # Errors
/// [`LedgerError::Proof`]; [`LedgerError::Beyond`] when the older one is larger.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    path: &[Hash],
) -> Result<(), LedgerError> {
    if old > new {
        return Err(LedgerError::Beyond);
    }
    if old == 0 || old == new {
        let same = old == 0 || old_root == new_root;
        return if same && path.is_empty() { Ok(()) } else { Err(LedgerError::Proof) };
    }
    // A complete subtree proves itself: its root is the first hash.
    let mut rest = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { rest.next() };
    let first = first.ok_or(LedgerError::Proof)?;
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut then, mut now) = (*first, *first);
    for other in rest {
        if last == 0 {
            return Err(LedgerError::Proof);
        }
        if at & 1 == 1 || at == last {
            then = node_hash(other, &then);
            now = node_hash(other, &now);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            now = node_hash(&now, other);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 && then == *old_root && now == *new_root { Ok(()) } else { Err(LedgerError::Proof) }
}
