//! What whoever seals and opens asks for keys.

use vitals::PatientId;

use crate::Key;

/// Names a key for ever; a number is not given twice.
pub type KeyNumber = u32;

/// What a key is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// The store's database.
    Store,
    /// The database of accounts.
    Guard,
    /// Journal entries that are about nobody.
    House,
    /// The audit log.
    Audit,
    /// Backups' rows that are about nobody.
    Backup,
    /// All that is about one patient, outside of the database.
    Patient(PatientId),
}

/// What became of a key.
#[derive(Debug, Clone)]
pub enum Found {
    /// There it is, and what it is for.
    Key(Domain, Key),
    /// It was destroyed: what it sealed is erased.
    Destroyed,
    /// No such key was ever in this keyring: it is another installation's, or of an older copy.
    Unknown,
}

/// Why there is no key to write with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("keys: {0}")]
pub struct KeysError(pub String);

/// Keys by what they are for, and by number.
pub trait Keyring: Send + Sync {
    /// Moves on when a key was replaced or destroyed: whoever keeps ciphers asks again.
    fn epoch(&self) -> u64;

    /// The keys to write with, one a domain, in that order; those that are missing are made, and
    /// are durable on return.
    ///
    /// # Errors
    /// [`KeysError`] when a new one cannot be kept.
    fn writing(&self, domains: &[Domain]) -> Result<Vec<(KeyNumber, Key)>, KeysError>;

    /// The key of that number.
    fn reading(&self, number: KeyNumber) -> Found;
}

/// The key for what is about several: none of theirs may be missing to read it. One key is taken
/// as it is.
#[must_use]
pub fn combined(keys: &[Key]) -> Option<Key> {
    match keys {
        [] => None,
        [one] => Some(one.clone()),
        all => {
            let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(all.len() * crate::KEY_BYTES));
            all.iter().for_each(|key| bytes.extend_from_slice(key.bytes()));
            Some(Key::new(blake3::derive_key("vitalwire 2026 entry of several", &bytes)))
        }
    }
}
