//! Reading the log and proving what is in it, from any thread or process, while it is written.

use std::path::{Path, PathBuf};

use ledger::{Hash, LedgerError, SignedHead, Verifier, hash_from_base64, to_base64};
use serde::{Deserialize, Serialize};

use super::read;
use super::signer::read_key;
use super::tree::RowFiles;
use crate::{AUDIT_KEY_FILE, AUDIT_PUBLIC_FILE, CHECKPOINT_FILE, GuardError};

/// A folder's audit log, to be read.
#[derive(Debug, Clone)]
pub struct AuditLog {
    folder: PathBuf,
}

/// A record and the proof that it is in the log: all that somebody else needs to check it, but the
/// log's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The record's line, without its line break.
    pub record: String,
    /// Its place in the tree, from 0.
    pub index: u64,
    /// Hashes from its neighbour upwards, in base64.
    pub path: Vec<String>,
    /// The signed head.
    pub head: String,
}

impl AuditLog {
    /// The log of a folder.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A record's line (JSON), by its number from 1; none when it is not here.
    ///
    /// # Errors
    /// [`GuardError::File`].
    pub fn line(&self, number: u64) -> Result<Option<String>, GuardError> {
        let line = read::line(&self.folder, number)?;
        Ok(line.and_then(|line| String::from_utf8(line).ok()))
    }

    /// Walks the lines from a record on, with their numbers, until `visit` says that it is enough.
    ///
    /// # Errors
    /// [`GuardError::File`].
    pub fn lines(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, &str) -> bool,
    ) -> Result<(), GuardError> {
        read::walk(&self.folder, from, |line| {
            std::str::from_utf8(&line.bytes).map_or(true, |text| visit(line.number, text))
        })
    }

    /// The head that was signed last, none before the first.
    ///
    /// # Errors
    /// [`GuardError::File`]; [`GuardError::AuditFailed`] when it is none.
    pub fn head(&self) -> Result<Option<SignedHead>, GuardError> {
        let path = self.folder.join(CHECKPOINT_FILE);
        match std::fs::read_to_string(&path) {
            Ok(note) => SignedHead::parse(&note).map(Some).map_err(failed),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(GuardError::file(&path, error)),
        }
    }

    /// The log's public key.
    ///
    /// # Errors
    /// [`GuardError::File`]; [`GuardError::AuditKey`].
    pub fn verifier(&self) -> Result<Verifier, GuardError> {
        let path = self.folder.join(AUDIT_PUBLIC_FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| GuardError::file(&path, e))?;
        Verifier::parse(text.trim_end()).map_err(|_| GuardError::AuditKey(path))
    }

    /// A text with the signature of the log's key, for what the house stands for besides its log:
    /// see [`ledger::LogKey::state`]. [`Self::verifier`] checks it.
    ///
    /// # Errors
    /// [`GuardError::File`]; [`GuardError::AuditKey`]; [`GuardError::AuditFailed`] for a text that
    /// has not the form.
    pub fn state(&self, text: &str) -> Result<String, GuardError> {
        let path = self.folder.join(AUDIT_KEY_FILE);
        let key = std::fs::read_to_string(&path).map_err(|e| GuardError::file(&path, e))?;
        let key = read_key(&key).ok_or(GuardError::AuditKey(path))?;
        key.state(text).map_err(failed)
    }

    /// A record with the proof that it is under the last signed head; none when it is not here, or
    /// not signed yet, which takes about a second.
    ///
    /// # Errors
    /// [`GuardError::File`], [`GuardError::AuditFailed`].
    pub fn prove(&self, number: u64) -> Result<Option<Proof>, GuardError> {
        let Some(head) = self.head()? else { return Ok(None) };
        if number == 0 || number > head.checkpoint.size {
            return Ok(None);
        }
        let Some(record) = self.line(number)? else { return Ok(None) };
        let rows = RowFiles::open(&self.folder);
        let path = ledger::inclusion(&rows, number - 1, head.checkpoint.size).map_err(failed)?;
        Ok(Some(Proof {
            record,
            index: number - 1,
            path: path.iter().map(|hash| to_base64(hash)).collect(),
            head: head.note(),
        }))
    }

    /// The proof that the log of `new` records continues the one of `old`; empty for an `old` of 0.
    ///
    /// # Errors
    /// [`GuardError::AuditFailed`] when there are not so many.
    pub fn continues(&self, old: u64, new: u64) -> Result<Vec<Hash>, GuardError> {
        if old == 0 {
            return Ok(Vec::new());
        }
        let rows = RowFiles::open(&self.folder);
        ledger::consistency(&rows, old, new).map_err(failed)
    }

    /// The root when there were so many records.
    ///
    /// # Errors
    /// As [`Self::continues`].
    pub fn root(&self, size: u64) -> Result<Hash, GuardError> {
        ledger::root(&RowFiles::open(&self.folder), size).map_err(failed)
    }
}

impl Proof {
    /// Checks record, path and signature; gives the head.
    ///
    /// # Errors
    /// [`LedgerError`] with what does not hold.
    pub fn verify(&self, key: &Verifier) -> Result<SignedHead, LedgerError> {
        let head = SignedHead::parse(&self.head)?;
        head.check(key)?;
        let path: Option<Vec<Hash>> = self.path.iter().map(|text| hash_from_base64(text)).collect();
        let leaf = ledger::leaf_hash(self.record.as_bytes());
        let (size, root) = (head.checkpoint.size, head.checkpoint.root);
        ledger::verify_inclusion(&leaf, self.index, size, &root, &path.ok_or(LedgerError::Proof)?)?;
        Ok(head)
    }
}

fn failed(error: impl std::fmt::Display) -> GuardError {
    GuardError::AuditFailed(error.to_string())
}
