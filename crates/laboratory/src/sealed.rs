//! Files of versions as they lie on the disk: sealed with a key of the house's keyring, or plain as older
//! programs left them.
//!
//! ```text
//! magic 8 | number of the key 4 | nonce 12 | sealed | tag 16
//! ```
//!
//! What is sealed is bound to the file's name.

use std::sync::Arc;

use seal::{Domain, Found, Keyring, Nonce};

const MAGIC: &[u8; 8] = b"VWALPV01";
const PURPOSE: &str = "vitalwire 2026 alarm policy version";

/// What files are sealed with.
#[derive(Clone)]
pub struct Seals {
    /// Where the keys are.
    pub keyring: Arc<dyn Keyring>,
    /// Gives a random nonce.
    pub nonce: fn() -> Result<Nonce, String>,
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seals")
    }
}

/// Whether a file's bytes are sealed.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Bytes for a file of this name; without seals the text as it is.
pub(crate) fn close(seals: Option<&Seals>, name: &str, text: &str) -> Result<Vec<u8>, String> {
    let Some(seals) = seals else { return Ok(text.as_bytes().to_vec()) };
    let keys = seals.keyring.writing(&[Domain::House]).map_err(|error| error.to_string())?;
    let (number, key) = keys.into_iter().next().ok_or("the keyring gave no key")?;
    let place = place(number, name);
    let sealed = seal::seal_envelope(&key.derive(PURPOSE), (seals.nonce)()?, &place, text.as_bytes());
    Ok([MAGIC.as_slice(), &number.to_le_bytes(), &sealed].concat())
}

/// The text of a file of this name.
pub(crate) fn open(seals: Option<&Seals>, name: &str, bytes: &[u8]) -> Result<String, String> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return String::from_utf8(bytes.to_vec()).map_err(|_| "it is neither sealed nor a text".to_owned());
    };
    let seals = seals.ok_or("it is sealed, and this data folder has no keyring")?;
    let (number, sealed) = rest.split_first_chunk::<4>().ok_or("it is cut off")?;
    let number = u32::from_le_bytes(*number);
    let Found::Key(_, key) = seals.keyring.reading(number) else {
        return Err(format!("the keyring does not have key {number}: is it of another installation, or older?"));
    };
    let text = seal::open_envelope(&key.derive(PURPOSE), &place(number, name), sealed).map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|_| "what was sealed is no text".to_owned())
}

fn place(number: u32, name: &str) -> Vec<u8> {
    [&number.to_le_bytes(), name.as_bytes()].concat()
}
