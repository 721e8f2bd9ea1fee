//! Signed notes: a text, an empty line, and a line for each signature (C2SP signed-note).

use crate::{LedgerError, from_base64, to_base64};

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// A note longer than this is none of ours, in bytes.
const NOTE_MAX: usize = 64 << 10;
/// Signatures read of a note.
const SIGNATURES_MAX: usize = 64;

/// Whether a text may name a key: not empty, no white space, no plus sign.
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub key: [u8; 4],
    /// The signature as its type has it.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The line, with its line break.
    #[must_use]
    pub fn line(&self) -> String {
        let bytes = [self.key.as_slice(), &self.bytes].concat();
        format!("{DASH}{} {}\n", self.name, to_base64(&bytes))
    }

    /// Reads a line without its line break.
    ///
    /// # Errors
    /// [`LedgerError::Note`].
    pub fn parse(line: &str) -> Result<Self, LedgerError> {
        let read = || {
            let (name, bytes) = line.strip_prefix(DASH)?.split_once(' ')?;
            let bytes = from_base64(bytes)?;
            let (key, bytes) = bytes.split_first_chunk::<4>()?;
            is_name(name).then(|| Self {
                name: name.to_owned(),
                key: *key,
                bytes: bytes.to_vec(),
            })
        };
        read().ok_or(LedgerError::Note)
    }
}

/// A note taken apart: its text with the last line break, and its signatures.
pub(crate) fn parse(note: &str) -> Result<(&str, Vec<Signature>), LedgerError> {
    let read = || {
        if note.len() > NOTE_MAX || note.chars().any(|c| c.is_control() && c != '\n') {
            return None;
        }
        let at = note.rfind("\n\n")?;
        let (text, lines) = (note.get(..=at)?, note.get(at + 2..)?);
        let lines = lines.strip_suffix('\n')?;
        let signatures: Vec<_> = lines.split('\n').map(|l| Signature::parse(l).ok()).collect::<Option<_>>()?;
        (signatures.len() <= SIGNATURES_MAX).then_some((text, signatures))
    };
    read().ok_or(LedgerError::Note)
}
