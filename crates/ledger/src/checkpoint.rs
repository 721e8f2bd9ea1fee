//! Heads of the tree: what they say, the log's signature (C2SP tlog-checkpoint), and those of
//! witnesses (C2SP tlog-cosignature, version 1).

use crate::key::{LogKey, Verifier};
use crate::note::{self, Signature};
use crate::tree::Hash;
use crate::{LedgerError, hash_from_base64, to_base64};

/// What a head says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, to_base64(&self.root))
    }

    /// Reads such a text. Further lines, which some logs have, are not taken.
    ///
    /// # Errors
    /// [`LedgerError::Checkpoint`].
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let read = || {
            let mut lines = text.split('\n');
            let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
            let (size, root) = (lines.next()?.parse().ok()?, hash_from_base64(lines.next()?)?);
            let found = Self { origin, size, root };
            (found.text() == text).then_some(found)
        };
        read().ok_or(LedgerError::Checkpoint)
    }

    /// The head with the log's signature.
    #[must_use]
    pub fn signed(self, key: &LogKey) -> SignedHead {
        let verifier = key.verifier();
        let signature = Signature {
            name: verifier.name().to_owned(),
            key: verifier.id(),
            bytes: key.sign(self.text().as_bytes()).to_vec(),
        };
        SignedHead { checkpoint: self, signatures: vec![signature] }
    }
}

/// A head with signatures, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Who says so.
    pub signatures: Vec<Signature>,
}

impl SignedHead {
    /// Reads a note; its signatures are not checked.
    ///
    /// # Errors
    /// [`LedgerError::Note`], [`LedgerError::Checkpoint`].
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let (text, signatures) = note::parse(text)?;
        Ok(Self { checkpoint: Checkpoint::parse(text)?, signatures })
    }

    /// The note.
    #[must_use]
    pub fn note(&self) -> String {
        let lines: String = self.signatures.iter().map(Signature::line).collect();
        format!("{}\n{lines}", self.checkpoint.text())
    }

    /// Checks the signature of a log's or a witness's key; for a witness, gives when it signed,
    /// in seconds since 1970, UTC.
    ///
    /// # Errors
    /// [`LedgerError::Unsigned`] when there is none of this key, or it does not hold.
    pub fn check(&self, key: &Verifier) -> Result<Option<u64>, LedgerError> {
        let id = key.id();
        let mut own = self.signatures.iter().filter(|s| s.name == key.name() && s.key == id);
        own.find_map(|signature| self.holds(key, signature)).ok_or(LedgerError::Unsigned)
    }

    fn holds(&self, key: &Verifier, signature: &Signature) -> Option<Option<u64>> {
        let text = self.checkpoint.text();
        if !key.is_witness() {
            let bytes: &[u8; 64] = signature.bytes.as_slice().try_into().ok()?;
            let right = self.checkpoint.origin == key.name() && key.holds(text.as_bytes(), bytes);
            return right.then_some(None);
        }
        let (time, bytes) = signature.bytes.split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        let bytes: &[u8; 64] = bytes.try_into().ok()?;
        key.holds(&cosigned(&text, time), bytes).then_some(Some(time))
    }

    /// A witness's signature on this head, at a time in seconds since 1970, UTC. The witness has
    /// seen to it that the head continues the last one it signed.
    #[must_use]
    pub fn cosign(&self, key: &LogKey, time: u64) -> Signature {
        let verifier = key.verifier();
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend_from_slice(&key.sign(&cosigned(&self.checkpoint.text(), time)));
        Signature { name: verifier.name().to_owned(), key: verifier.id(), bytes }
    }
}

/// What a witness signs.
fn cosigned(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}
