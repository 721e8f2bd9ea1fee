//! A log that cannot be changed quietly: the Merkle tree of RFC 6962 (also RFC 9162) over its
//! entries, proofs that an entry is in it and that a longer log continues a shorter one, and heads
//! signed as `tlog-checkpoint` and cosigned as `tlog-cosignature` of C2SP describe them, so that
//! anybody's tools can check.
//!
//! What is absent: files, sockets, clocks, chance. Whoever keeps the tree hands in its rows
//! ([`Rows`]); whoever signs hands in the key's seed and the time.

#![forbid(unsafe_code)]

mod checkpoint;
mod error;
mod key;
mod note;
mod proof;
mod rows;
mod statement;
mod tree;

pub use checkpoint::{Checkpoint, SignedHead};
pub use error::LedgerError;
pub use key::{LogKey, Verifier};
pub use note::{Signature, is_name};
pub use proof::{consistency, inclusion, verify_consistency, verify_inclusion};
pub use rows::{ROW_LEVELS, Rows, node, root};
pub use tree::{Frontier, Hash, Row, empty_root, leaf_hash, node_hash};

use base64::Engine as _;

/// Bytes as standard base64 with padding.
#[must_use]
pub fn to_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Bytes of standard base64 with padding, in its one canonical form.
#[must_use]
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// A hash of its base64.
#[must_use]
pub fn hash_from_base64(text: &str) -> Option<Hash> {
    from_base64(text)?.try_into().ok()
}
