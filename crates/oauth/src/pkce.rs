//! Proof that whoever redeems a code is whoever asked for it (RFC 7636), by S256 alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Whether a text can be a challenge: 32 bytes in base64url, so 43 characters.
#[must_use]
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether a text can be a verifier (RFC 7636 § 4.1): 43 to 128 unreserved characters.
#[must_use]
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// The challenge of a verifier.
#[must_use]
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// Whether a verifier is the challenge's.
#[must_use]
pub fn proves(verifier: &str, challenge: &str) -> bool {
    // What is compared is a hash of what the sender chose: its time tells nothing of use.
    is_verifier(verifier) && self::challenge(verifier) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example_and_its_neighbours() {
        // RFC 7636, appendix B.
        let (verifier, right) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_challenge(right));
        for (verifier, challenge, expected) in [
            (verifier, right, true),
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl", right, false),
            // "plain": the verifier itself.
            (verifier, verifier, false),
            ("", right, false),
            (verifier, "", false),
        ] {
            assert_eq!(proves(verifier, challenge), expected, "{verifier} {challenge}");
        }
        let short = "a".repeat(42);
        assert!(!proves(&short, &challenge(&short)));
        assert!(!is_verifier(&"a".repeat(129)) && !is_verifier(&format!("{}+", "a".repeat(43))));
    }
}
