//! The keyring: every data key, on disk, wrapped by the master key.
//!
//! [`Vault`] keeps one key for each database, one for what is about nobody, and one a patient, in
//! `keys/keyring` of the data folder. The master key is elsewhere ([`Source`]): a file, the
//! environment, systemd's credentials, or a PKCS#11 token that never lets it out. Destroying a
//! patient's key leaves a tombstone, by which the erasure is proved afterwards.
//!
//! What is absent: what is sealed with the keys.

#![forbid(unsafe_code)]

mod convert;
mod error;
mod file;
mod pkcs11;
mod random;
mod ring;
mod source;
#[cfg(test)]
mod tests;
mod vault;

pub use convert::convert;
pub use error::VaultError;
pub use random::{new_key, new_nonce};
pub use ring::Tomb;
pub use source::{Source, note, noted, private};
pub use vault::{KEYRING_FILE, MASTER_FILE, Status, Vault};
