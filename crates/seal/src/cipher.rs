//! AES-256-GCM-SIV (RFC 8452), and a mask for short numbers.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes_gcm_siv::Aes256GcmSiv;
use aes_gcm_siv::aead::AeadInOut;

use crate::Key;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;
/// Bytes by which a sealed text is longer.
pub const TAG_BYTES: usize = 16;

/// A number used once under a key.
pub type Nonce = [u8; NONCE_BYTES];

/// Sealed bytes that do not open: another key, another place, or altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not open with this key: it was altered, moved, or sealed with another")]
pub struct SealError;

/// A key made ready for use: making one costs as much as sealing a short text, so keep it.
#[derive(Clone)]
pub struct Cipher(Aes256GcmSiv);

impl Cipher {
    /// Makes a key ready.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(Aes256GcmSiv::new(key.bytes().into()))
    }

    /// Seals `buffer` from `start` on, where it stands, and puts the tag behind it. `place` is not
    /// kept: who opens must name the same, so that nothing opens in another place.
    ///
    /// # Panics
    /// Above 64 GiB, or when `start` is beyond the end.
    pub fn seal(&self, nonce: &Nonce, place: &[u8], buffer: &mut Vec<u8>, start: usize) {
        let tag = self
            .0
            .encrypt_inout_detached(nonce.into(), place, (&mut buffer[start..]).into())
            .expect("a text of less than 64 GiB can be sealed");
        buffer.extend_from_slice(&tag);
    }

    /// Opens what [`Cipher::seal`] made, tag included.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open(&self, nonce: &Nonce, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (text, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or(SealError)?;
        let mut text = text.to_vec();
        self.0
            .decrypt_inout_detached(nonce.into(), place, text.as_mut_slice().into(), tag.into())
            .map_err(|_| SealError)?;
        Ok(text)
    }
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(…)")
    }
}

/// Seals a text with its nonce in front: nonce 12 | text | tag 16. The nonce must be random, or
/// not have been used with this key.
#[must_use]
pub fn seal_envelope(key: &Key, nonce: Nonce, place: &[u8], text: &[u8]) -> Vec<u8> {
    let mut envelope = Vec::with_capacity(text.len() + NONCE_BYTES + TAG_BYTES);
    envelope.extend_from_slice(&nonce);
    envelope.extend_from_slice(text);
    Cipher::new(key).seal(&nonce, place, &mut envelope, NONCE_BYTES);
    envelope
}

/// Opens what [`seal_envelope`] made.
///
/// # Errors
/// [`SealError`]
pub fn open_envelope(key: &Key, place: &[u8], envelope: &[u8]) -> Result<Vec<u8>, SealError> {
    let (nonce, sealed) = envelope.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
    Cipher::new(key).open(nonce, place, sealed)
}

/// Hides numbers of 128 bits one by one: equal ones stay equal, nothing else shows. For numbers
/// that are looked up by the million and would reveal what they were made of.
#[derive(Clone)]
pub struct Mask(aes::Aes256);

impl Mask {
    /// A mask under a key.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self(aes::Aes256::new(key.bytes().into()))
    }

    /// Hides a number.
    #[must_use]
    pub fn hide(&self, number: u128) -> u128 {
        let mut block = number.to_le_bytes().into();
        self.0.encrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    }

    /// The number that was hidden.
    #[must_use]
    pub fn show(&self, hidden: u128) -> u128 {
        let mut block = hidden.to_le_bytes().into();
        self.0.decrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> Key {
        Key::new([seed; 32])
    }

    /// RFC 8452, appendix C.2: AEAD_AES_256_GCM_SIV, plaintext 0100000000000000, no associated data.
    #[test]
    fn the_rfcs_vector() {
        let mut bytes = [0; 32];
        bytes[0] = 1;
        let mut nonce = [0; 12];
        nonce[0] = 3;
        let mut buffer = vec![1, 0, 0, 0, 0, 0, 0, 0];
        Cipher::new(&Key::new(bytes)).seal(&nonce, &[], &mut buffer, 0);
        let hex: String = buffer.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place_only(text: Vec<u8>, nonce: Nonce, flip in 0_usize..4096) {
            let mut sealed = seal_envelope(&key(1), nonce, b"here", &text);
            prop_assert_eq!(open_envelope(&key(1), b"here", &sealed), Ok(text));
            prop_assert_eq!(open_envelope(&key(1), b"there", &sealed), Err(SealError));
            prop_assert_eq!(open_envelope(&key(2), b"here", &sealed), Err(SealError));
            let bit = flip % (sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open_envelope(&key(1), b"here", &sealed), Err(SealError));
            prop_assert_eq!(open_envelope(&key(1), b"here", &sealed[..flip % 28]), Err(SealError));
        }

        #[test]
        fn a_hidden_number_is_shown_again(number: u128) {
            let mask = Mask::new(&key(3));
            prop_assert_eq!(mask.show(mask.hide(number)), number);
        }
    }
}
