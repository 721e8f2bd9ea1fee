//! Random secrets and their fingerprints.
//!
//! Tokens, device passwords and setup codes are random and long, so a plain fast hash keeps them:
//! there is nothing to guess that Argon2 would slow down. Passwords that people choose are in
//! `password`.

use crate::GuardError;

/// Crockford's base 32, lower case: no i, l, o, u, so a person can read it aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Starts every service token, so that scanners find one that leaked.
pub(crate) const SERVICE_PREFIX: &str = "vw_";

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], GuardError> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(GuardError::Random)?;
    Ok(bytes)
}

/// 256 random bits as 64 hexadecimal digits.
pub(crate) fn token() -> Result<String, GuardError> {
    Ok(blake3::Hash::from_bytes(random::<32>()?).to_hex().to_string())
}

/// `length` random characters of five bits each.
fn readable<const N: usize>() -> Result<String, GuardError> {
    let bytes = random::<N>()?;
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect())
}

/// A device's password: 160 random bits as 32 characters, short enough for devices' menus.
pub(crate) fn device_password() -> Result<String, GuardError> {
    readable::<32>()
}

/// A setup code: 100 random bits as five groups of four characters.
pub(crate) fn setup_code() -> Result<String, GuardError> {
    let code = readable::<20>()?;
    let groups: Vec<&str> = (0..5).map(|i| &code[i * 4..i * 4 + 4]).collect();
    Ok(groups.join("-"))
}

/// A recovery code: 80 random bits as four groups of four characters.
pub(crate) fn recovery_code() -> Result<String, GuardError> {
    let code = readable::<16>()?;
    let groups: Vec<&str> = (0..4).map(|i| &code[i * 4..i * 4 + 4]).collect();
    Ok(groups.join("-"))
}

/// A setup or recovery code as it was made, from how a person typed it.
pub(crate) fn typed_code(code: &str) -> String {
    code.trim()
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            c => c,
        })
        .collect()
}

/// What is kept of a secret. Compare [`blake3::Hash`]es: that takes the same time wherever they
/// differ.
pub(crate) fn fingerprint(secret: &[u8]) -> blake3::Hash {
    blake3::hash(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_their_shape_and_differ() {
        let (one, two) = (token().expect("random"), token().expect("random"));
        assert!(one.len() == 64 && one != two);
        assert_eq!(device_password().expect("random").len(), 32);
        let code = setup_code().expect("random");
        assert_eq!(code.len(), 24);
        assert_eq!(typed_code(&format!(" {} ", code.to_uppercase())), code.replace('-', ""));
    }
}
