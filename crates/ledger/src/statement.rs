//! Statements: any text with the log's signature, as a signed note (C2SP signed-note). So the house
//! signs what it stands for besides its log, with a key that others know already.

use crate::checkpoint::Checkpoint;
use crate::key::{LogKey, Verifier};
use crate::note::{self, Signature};
use crate::LedgerError;

impl LogKey {
    /// A text with this key's signature: one that ends with a line break and is no checkpoint, so
    /// that no statement can pass as a head of the log.
    ///
    /// # Errors
    /// [`LedgerError::Note`] when the text has no such form, or has more than 64 KiB.
    pub fn state(&self, text: &str) -> Result<String, LedgerError> {
        if !text.ends_with('\n') || Checkpoint::parse(text).is_ok() {
            return Err(LedgerError::Note);
        }
        let verifier = self.verifier();
        let signature = Signature {
            name: verifier.name().to_owned(),
            key: verifier.id(),
            bytes: self.sign(text.as_bytes()).to_vec(),
        };
        let note = format!("{text}\n{}", signature.line());
        note::parse(&note).map(|_| note.clone())
    }
}

impl Verifier {
    /// The text of a statement that this key signed.
    ///
    /// # Errors
    /// [`LedgerError::Note`] when it is none, [`LedgerError::Unsigned`] when no signature of this key
    /// holds.
    pub fn stated<'a>(&self, statement: &'a str) -> Result<&'a str, LedgerError> {
        let (text, signatures) = note::parse(statement)?;
        let id = self.id();
        let holds = |signature: &Signature| {
            let own = signature.name == self.name() && signature.key == id;
            let bytes: Option<&[u8; 64]> = signature.bytes.as_slice().try_into().ok();
            own && bytes.is_some_and(|bytes| self.holds(text.as_bytes(), bytes))
        };
        let signed = !self.is_witness() && signatures.iter().any(holds) && Checkpoint::parse(text).is_err();
        if signed { Ok(text) } else { Err(LedgerError::Unsigned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_back_by_its_key_alone() {
        let key = LogKey::log("house", &[7; 32]).expect("a name");
        let other = LogKey::log("house", &[8; 32]).expect("a name");
        let statement = key.state("a title\n{\"n\":1}\n").expect("signed");
        assert_eq!(key.verifier().stated(&statement), Ok("a title\n{\"n\":1}\n"));
        assert_eq!(other.verifier().stated(&statement), Err(LedgerError::Unsigned));
        let altered = statement.replace("\"n\":1", "\"n\":2");
        assert_eq!(key.verifier().stated(&altered), Err(LedgerError::Unsigned));
        assert_eq!(key.state("no line break"), Err(LedgerError::Note));
        let head = Checkpoint { origin: "house".into(), size: 3, root: [1; 32] };
        assert_eq!(key.state(&head.text()), Err(LedgerError::Note), "a head is signed as a head");
        let note = head.signed(&key).note();
        assert_eq!(key.verifier().stated(&note), Err(LedgerError::Unsigned));
    }
}
