//! Where the master key is, and what it wraps.

use std::path::{Path, PathBuf};

use seal::Key;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{VaultError, file, pkcs11, random};

/// Says where the master key is; nothing secret.
const NOTE_FILE: &str = "source";

/// What the master key's envelopes say that they are.
const PLACE: &[u8] = b"vitalwire keyring";

/// Where the master key is. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A file with 64 hexadecimal digits or 32 bytes, for its owner alone.
    File(PathBuf),
    /// A variable of the environment with 64 hexadecimal digits.
    Environment(String),
    /// A credential that systemd hands over (`LoadCredential=`), by name.
    Credential(String),
    /// An AES key of 256 bits in a token, which never leaves it.
    Pkcs11 {
        /// The token's library.
        module: PathBuf,
        /// The token's label.
        token: String,
        /// A file with the user's PIN, for its owner alone.
        pin_file: PathBuf,
        /// The key's label.
        key: String,
    },
}

impl Source {
    /// Where it is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::File(path) => format!("the file {}", path.display()),
            Self::Environment(name) => format!("the variable {name}"),
            Self::Credential(name) => format!("the systemd credential {name}"),
            Self::Pkcs11 { token, key, .. } => format!("the key {key} of the PKCS#11 token {token}"),
        }
    }

    /// Makes a master key where there is none and this program may make one: in a file.
    ///
    /// # Errors
    /// [`VaultError`]
    pub fn make(&self) -> Result<(), VaultError> {
        match self {
            Self::File(path) if !path.exists() => write_master(path, &random::new_key()?),
            _ => Ok(()),
        }
    }

    /// Whether there is something there. A token is asked only when it is used.
    #[must_use]
    pub fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Environment(name) => std::env::var_os(name).is_some(),
            Self::Credential(name) => credential(name).is_some_and(|path| path.exists()),
            Self::Pkcs11 { .. } => true,
        }
    }

    /// Wraps a key.
    pub(crate) fn wrap(&self, key: &Key) -> Result<Vec<u8>, VaultError> {
        if let Self::Pkcs11 { .. } = self {
            return pkcs11::wrap(self, key);
        }
        let master = self.master()?;
        Ok(seal::seal_envelope(&master, random::new_nonce()?, PLACE, key.bytes()))
    }

    /// The key that was wrapped; none if it was not with this master key.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Result<Option<Key>, VaultError> {
        let bytes = if let Self::Pkcs11 { .. } = self {
            pkcs11::unwrap(self, wrapped)?
        } else {
            seal::open_envelope(&self.master()?, PLACE, wrapped).ok()
        };
        let bytes = bytes.map(Zeroizing::new);
        Ok(bytes.and_then(|bytes| Some(Key::new(bytes.as_slice().try_into().ok()?))))
    }

    fn master(&self) -> Result<Key, VaultError> {
        let missing = || VaultError::NoMaster(self.describe());
        let bytes = match self {
            Self::File(path) => read(path, self)?,
            Self::Credential(name) => read(&credential(name).ok_or_else(missing)?, self)?,
            Self::Environment(name) => {
                Zeroizing::new(std::env::var(name).map_err(|_| missing())?.into_bytes())
            }
            Self::Pkcs11 { .. } => return Err(missing()),
        };
        let hex = std::str::from_utf8(&bytes).ok().and_then(Key::from_hex);
        let raw = || <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Key::new);
        let key = hex.or_else(raw).ok_or_else(|| VaultError::NotAKey(self.describe()))?;
        Ok(key.derive("vitalwire 2026 master key"))
    }
}

/// Where the master key of a folder of keys was when it was last opened or moved.
#[must_use]
pub fn noted(folder: &Path) -> Option<Source> {
    postcard::from_bytes(&std::fs::read(folder.join(NOTE_FILE)).ok()?).ok()
}

/// Notes where the master key is, for whoever comes without a configuration.
///
/// # Errors
/// [`VaultError::Io`]
pub fn note(folder: &Path, source: &Source) -> Result<(), VaultError> {
    // A path that somebody gave as they saw it is found from elsewhere, too.
    let source = match source {
        Source::File(file) => Source::File(std::path::absolute(file).unwrap_or_else(|_| file.clone())),
        other => other.clone(),
    };
    if noted(folder).as_ref() == Some(&source) {
        return Ok(());
    }
    let bytes = postcard::to_extend(&source, Vec::new())
        .expect("a source holds nothing that postcard can't write");
    file::replace(&folder.join(NOTE_FILE), &bytes)
}

fn credential(name: &str) -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(name))
}

fn read(path: &Path, source: &Source) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(VaultError::NoMaster(source.describe()))
        }
        Err(error) => Err(VaultError::io("reading", path)(error)),
    }
}

/// Writes a master key in place of any before it, which is overwritten.
pub(crate) fn write_master(path: &Path, key: &Key) -> Result<(), VaultError> {
    let text = Zeroizing::new(format!("{}\n", key.to_hex().as_str()));
    file::replace(path, text.as_bytes())
}

/// Whether a file is for its owner alone; true where modes don't exist.
#[must_use]
pub fn private(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 == 0)
    }
    #[cfg(not(unix))]
    {
        path.exists()
    }
}
