//! Keys: Ed25519, named, told apart by the first four bytes of a hash (C2SP signed-note).

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::note::is_name;
use crate::{LedgerError, from_base64, to_base64};

/// The signature type of a log's own signature (Ed25519).
const ED25519: u8 = 0x01;
/// The signature type of a witness's (tlog-cosignature v1).
const COSIGNATURE: u8 = 0x04;

/// A private key with its name.
#[derive(Clone)]
pub struct LogKey {
    name: String,
    secret: SigningKey,
    kind: u8,
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl LogKey {
    /// A log's key of 32 random bytes.
    ///
    /// # Errors
    /// [`LedgerError::Key`] when the name is empty or has a space or a plus sign.
    pub fn log(name: &str, seed: &[u8; 32]) -> Result<Self, LedgerError> {
        Self::new(name, seed, ED25519)
    }

    /// A witness's key of 32 random bytes.
    ///
    /// # Errors
    /// As [`Self::log`].
    pub fn witness(name: &str, seed: &[u8; 32]) -> Result<Self, LedgerError> {
        Self::new(name, seed, COSIGNATURE)
    }

    fn new(name: &str, seed: &[u8; 32], kind: u8) -> Result<Self, LedgerError> {
        if !is_name(name) {
            return Err(LedgerError::Key);
        }
        Ok(Self { name: name.to_owned(), secret: SigningKey::from_bytes(seed), kind })
    }

    /// What everybody may know of it.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.secret.verifying_key(), kind: self.kind }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

/// A public key with its name: `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
    kind: u8,
}

impl Verifier {
    /// Reads `name+hash+base64`.
    ///
    /// # Errors
    /// [`LedgerError::Key`].
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let read = || {
            let (name, rest) = text.trim_end_matches('\n').split_once('+')?;
            let (_, key) = rest.split_once('+')?;
            let (kind, key) = from_base64(key)?.split_first().map(|(k, rest)| (*k, rest.to_vec()))?;
            let key = VerifyingKey::from_bytes(&key.try_into().ok()?).ok()?;
            let known = matches!(kind, ED25519 | COSIGNATURE) && is_name(name);
            let found = Self { name: name.to_owned(), key, kind };
            (known && found.to_string() == text.trim_end_matches('\n')).then_some(found)
        };
        read().ok_or(LedgerError::Key)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a witness's key.
    #[must_use]
    pub fn is_witness(&self) -> bool {
        self.kind == COSIGNATURE
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// What its signatures begin with: the first four bytes of SHA-256 over name, line break,
    /// type and key.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', self.kind])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        [hash[0], hash[1], hash[2], hash[3]]
    }

    pub(crate) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), to_base64(&bytes))
    }
}
