//! Hashes of leaves and nodes, and the growing edge of a tree (RFC 6962 section 2.1).

use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// The root of a tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// The hash of an entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of a node above two others.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// A complete subtree whose root is kept: in row file `file` (subtrees of 256^`file` leaves), at
/// `index`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// 0: leaves; 1: subtrees of 256 leaves; 2: of 65,536; …
    pub file: u8,
    /// Which, from 0.
    pub index: u64,
    /// Its root.
    pub hash: Hash,
}

/// The growing edge: the roots of the largest complete subtrees, left to right. Enough to add
/// leaves and to know the root, in memory that grows with the logarithm of the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// As many as `size` has bits set, the largest first.
    roots: Vec<Hash>,
}

impl Frontier {
    /// The edge of a tree of which the largest complete subtrees are known, left to right; none
    /// when they are not as many as such a tree has.
    #[must_use]
    pub fn new(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash; the rows that are complete now go to `keep`.
    pub fn push(&mut self, leaf: Hash, mut keep: impl FnMut(Row)) {
        keep(Row { file: 0, index: self.size, hash: leaf });
        self.roots.push(leaf);
        let mut level = 0_u8;
        // One subtree of each size: two of the same size become one, as a counter carries.
        while self.size >> level & 1 == 1 {
            let right = self.roots.pop().unwrap_or_default();
            let left = self.roots.pop().unwrap_or_default();
            let hash = node_hash(&left, &right);
            self.roots.push(hash);
            level += 1;
            if level % 8 == 0 {
                keep(Row { file: level / 8, index: self.size >> level, hash });
            }
        }
        self.size += 1;
    }

    /// The root of the whole tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let smaller_first = self.roots.iter().rev().copied();
        smaller_first.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(empty_root)
    }
}
