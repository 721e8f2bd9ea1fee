//! One-time codes by the time of day (RFC 6238 on RFC 4226): six digits, HMAC-SHA-1, 30 seconds,
//! which is what every authenticator app takes. Pure: time comes as an argument.

use hmac::{Hmac, Mac};
use sha1::Sha1;

/// Length of a secret in bytes: RFC 4226 recommends 160 bits.
pub(super) const SECRET_LEN: usize = 20;
/// How long a code is shown, in seconds.
const STEP_S: i64 = 30;
/// Codes this many steps before and after now are taken: RFC 6238 section 5.2 advises one.
const SLACK: i64 = 1;

/// The code of one step.
fn code(secret: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    // RFC 4226 section 5.3: the last four bits say where the four bytes are.
    let at = usize::from(digest[19] & 0x0f);
    let bytes = [digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]];
    u32::from_be_bytes(bytes) % 1_000_000
}

/// Which step a typed code is of, later than the last that was taken: none when it is wrong or
/// used up. Takes the same time for every code.
pub(super) fn step_of(secret: &[u8], typed: &str, seconds: i64, last: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if typed.len() != 6 || !typed.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let typed: u32 = typed.parse().ok()?;
    let now = seconds.div_euclid(STEP_S);
    let mut found = None;
    for step in now - SLACK..=now + SLACK {
        // Every step is computed, and numbers of one word compare in one instruction.
        let right = code(secret, step) == typed;
        if right && step > last && found.is_none() {
            found = Some(step);
        }
    }
    found
}

/// What an authenticator app reads from the QR code (the `otpauth` URI of Google Authenticator's
/// key format). `issuer` and `account` hold only characters that need no escape.
pub(super) fn uri(issuer: &str, account: &str, secret: &[u8]) -> String {
    let account = account.replace('@', "%40");
    let secret = base32(secret);
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_S}"
    )
}

/// Base 32 without padding (RFC 4648 section 6).
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut kept, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        kept = (kept << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(kept >> bits & 31) as usize]));
        }
        kept &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(kept << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238 appendix B, SHA-1; its eight digits cut to the last six.
    #[test]
    fn the_standards_own_examples() {
        for (seconds, expected) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(SECRET, seconds / STEP_S), expected, "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_near_its_time_and_once() {
        let at = 1_234_567_890;
        let step = at / STEP_S;
        for (typed, seconds, last, expected) in [
            ("005924", at, 0, Some(step)),
            (" 005 924 ", at, 0, Some(step)),
            ("005924", at + 30, 0, Some(step)),
            ("005924", at - 30, 0, Some(step)),
            ("005924", at + 60, 0, None),
            ("005924", at - 60, 0, None),
            ("005924", at, step, None),
            ("005924", at, step - 1, Some(step)),
            ("005925", at, 0, None),
            ("5924", at, 0, None),
            ("", at, 0, None),
            ("+05924", at, 0, None),
            ("٠٠٥٩٢٤", at, 0, None),
        ] {
            assert_eq!(step_of(SECRET, typed, seconds, last), expected, "{typed} {seconds} {last}");
        }
    }

    /// RFC 4648 section 10, without padding.
    #[test]
    fn base_32_as_apps_read_it() {
        for (bytes, text) in [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        let uri = uri("Vitalwire", "ada@ward", b"foobar");
        assert!(uri.starts_with("otpauth://totp/Vitalwire:ada%40ward?secret=MZXW6YTBOI&"), "{uri}");
    }
}
