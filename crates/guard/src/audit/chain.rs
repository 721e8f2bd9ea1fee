//! The form of the log: lines, their hashes, and the head.
//!
//! A line is a JSON object whose last member is its hash:
//! `{"n":1,"at_us":…,…,"hash":"…"}`. The hash is BLAKE3 over the hash before (32 bytes; for the
//! first line the hash of [`SEED`]) and everything up to and without `,"hash":`. So a line that is
//! changed, taken out, put in or moved breaks the chain there (SE-2).
//!
//! The head is one line of fixed length with the number and hash of the last line, kept in its own
//! file: without it, lines taken off the end would leave a chain that is whole.

use blake3::{Hash, Hasher};

/// What the chain starts from.
const SEED: &[u8] = b"vitalwire audit log, version 1";
/// Between a line's content and its hash.
const JOINT: &[u8] = b",\"hash\":\"";
/// After the hash.
const END: &[u8] = b"\"}\n";
/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;
/// No line is longer, in bytes: every text in a record is bounded.
pub(super) const LINE_MAX: usize = 64 << 10;
/// The length of the head, in bytes.
pub(super) const HEAD_LENGTH: usize = 5 + 20 + 1 + 8 + DIGITS + 3;

/// A place in the chain: how many records there are, and the hash of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) hash: Hash,
}

impl Place {
    /// Before the first record.
    pub(super) fn start() -> Self {
        Self { number: 0, hash: blake3::hash(SEED) }
    }

    /// The place after a record with this JSON, and its line.
    pub(super) fn append(self, json: &str) -> (Self, Vec<u8>) {
        let body = json.strip_suffix('}').unwrap_or(json).as_bytes();
        let hash = link(&self.hash, body);
        let mut line = Vec::with_capacity(body.len() + JOINT.len() + DIGITS + END.len());
        line.extend_from_slice(body);
        line.extend_from_slice(JOINT);
        line.extend_from_slice(hash.to_hex().as_bytes());
        line.extend_from_slice(END);
        (Self { number: self.number + 1, hash }, line)
    }

    /// The head that says this.
    pub(super) fn head(self) -> String {
        format!("{{\"n\":{:>20},\"hash\":\"{}\"}}\n", self.number, self.hash.to_hex())
    }

    /// What a head says; none when it is not exactly what [`Self::head`] makes.
    pub(super) fn from_head(head: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(head).ok().filter(|text| text.len() == HEAD_LENGTH)?;
        let number = text.get(5..25)?.trim_start().parse().ok()?;
        let hash = Hash::from_hex(text.get(34..34 + DIGITS)?).ok()?;
        let place = Self { number, hash };
        (place.head().as_bytes() == head).then_some(place)
    }
}

/// A line taken apart.
pub(super) struct Parts<'a> {
    /// Everything that the hash covers, without the closing brace.
    pub(super) body: &'a [u8],
    pub(super) hash: Hash,
}

/// Takes a line with its line break apart; none when it does not have the form.
pub(super) fn parts(line: &[u8]) -> Option<Parts<'_>> {
    let rest = line.strip_suffix(END)?;
    let (rest, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let body = rest.strip_suffix(JOINT)?;
    // Upper-case digits would be the same hash in another file.
    let lower = digits.iter().all(|d| matches!(d, b'0'..=b'9' | b'a'..=b'f'));
    let hash = Hash::from_hex(digits).ok().filter(|_| lower)?;
    Some(Parts { body, hash })
}

/// The hash of a line after another.
pub(super) fn link(before: &Hash, body: &[u8]) -> Hash {
    Hasher::new().update(before.as_bytes()).update(body).finalize()
}

/// The number that a line says it has.
pub(super) fn number(body: &[u8]) -> Option<u64> {
    let digits = body.strip_prefix(b"{\"n\":")?;
    let length = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&digits[..length]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_heads_read_back() {
        let (place, line) = Place::start().append(r#"{"n":1,"actor":"ada"}"#);
        let parts = parts(&line).expect("our own line");
        assert_eq!(parts.body, br#"{"n":1,"actor":"ada""#);
        assert_eq!((number(parts.body), parts.hash), (Some(1), place.hash));
        assert_eq!(link(&Place::start().hash, parts.body), place.hash);
        for number in [0, 1, u64::MAX] {
            let place = Place { number, ..place };
            assert_eq!(place.head().len(), HEAD_LENGTH);
            assert_eq!(Place::from_head(place.head().as_bytes()), Some(place));
        }
    }
}
