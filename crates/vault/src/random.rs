//! Random bytes from the operating system.

use seal::{Key, Nonce};

use crate::VaultError;

/// A new key.
///
/// # Errors
/// [`VaultError::Random`]
pub fn new_key() -> Result<Key, VaultError> {
    let mut bytes = zeroize::Zeroizing::new([0; seal::KEY_BYTES]);
    getrandom::fill(bytes.as_mut()).map_err(VaultError::Random)?;
    Ok(Key::new(*bytes))
}

/// A new nonce: so many may be drawn for a key without one coming twice that it does not matter.
///
/// # Errors
/// [`VaultError::Random`]
pub fn new_nonce() -> Result<Nonce, VaultError> {
    let mut nonce = [0; seal::NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(VaultError::Random)?;
    Ok(nonce)
}
