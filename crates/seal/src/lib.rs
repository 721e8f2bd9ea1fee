//! Keys and sealed envelopes: what is encrypted with what, as pure functions.
//!
//! A [`Key`] wipes itself from memory when it is let go and never shows in a log. A [`Cipher`]
//! seals with AES-256-GCM-SIV (RFC 8452): should a nonce ever come twice, all that shows is whether
//! the two texts were the same. [`Keyring`] is what the journal asks for keys; `vault` has one on
//! disk. [`database`] says how a database file is unlocked.
//!
//! What is absent: files, clocks, chance. Whoever makes a key or an envelope brings the random bytes.

#![forbid(unsafe_code)]

mod cipher;
pub mod database;
mod key;
mod keyring;

pub use cipher::{Cipher, Mask, NONCE_BYTES, Nonce, SealError, TAG_BYTES, open_envelope, seal_envelope};
pub use key::{KEY_BYTES, Key};
pub use keyring::{Domain, Found, KeyNumber, Keyring, KeysError, combined};
