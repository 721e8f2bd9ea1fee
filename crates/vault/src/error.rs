//! What can go wrong with keys, and what to do about it.

use std::path::{Path, PathBuf};

/// A failure of the vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The operating system refused.
    #[error("keys: {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// There is no master key where it should be.
    #[error("keys: no master key in {0}; without it nothing can be read: put it back")]
    NoMaster(String),
    /// What stands there is no key.
    #[error("keys: {0} holds no key: 64 hexadecimal digits or 32 bytes are expected")]
    NotAKey(String),
    /// The keyring does not open.
    #[error("keys: {} does not open with the master key from {from}: it is of another installation, or damaged", path.display())]
    WrongMaster {
        /// The keyring.
        path: PathBuf,
        /// Where the master key came from.
        from: String,
    },
    /// The keyring is not what was written.
    #[error("keys: {} is damaged: {reason}; restore it from its copy", path.display())]
    Damaged {
        /// The keyring.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The token refused.
    #[error("keys: the PKCS#11 token: {0}")]
    Token(String),
    /// A database could not be encrypted.
    #[error("keys: encrypting {}: {source}", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// No randomness.
    #[error("keys: the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

impl VaultError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

impl From<VaultError> for seal::KeysError {
    fn from(error: VaultError) -> Self {
        Self(error.to_string())
    }
}
