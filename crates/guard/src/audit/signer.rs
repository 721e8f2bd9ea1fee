//! The log's key, made at the first start, and the heads that it signs.

use std::fs;
use std::io::Write;
use std::path::Path;

use ledger::{Checkpoint, Hash, LogKey, SignedHead, Verifier};

use crate::{AUDIT_KEY_FILE, AUDIT_PUBLIC_FILE, CHECKPOINT_FILE, GuardError, files};

/// Signs heads.
pub(super) struct Signer {
    key: LogKey,
    /// The key was made just now.
    pub(super) made: bool,
    /// Records under the last head that was signed here.
    pub(super) size: u64,
}

impl Signer {
    /// The key of a folder; a new one when there is none.
    pub(super) fn open(folder: &Path) -> Result<Self, GuardError> {
        let path = folder.join(AUDIT_KEY_FILE);
        let (key, made) = match fs::read_to_string(&path) {
            Ok(text) => (read_key(&text).ok_or_else(|| GuardError::AuditKey(path.clone()))?, false),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(GuardError::Random)?;
                write(&path, key_text(&seed).as_bytes())?;
                (log_key(&seed).ok_or_else(|| GuardError::AuditKey(path.clone()))?, true)
            }
            Err(error) => return Err(GuardError::file(&path, error)),
        };
        let public = folder.join(AUDIT_PUBLIC_FILE);
        if made || !public.exists() {
            write(&public, format!("{}\n", key.verifier()).as_bytes())?;
        }
        Ok(Self { key, made, size: 0 })
    }

    pub(super) fn verifier(&self) -> Verifier {
        self.key.verifier()
    }

    /// Signs what the tree is now, and keeps that beside the log.
    pub(super) fn sign(&mut self, folder: &Path, size: u64, root: Hash) -> Result<(), GuardError> {
        let origin = self.key.verifier().name().to_owned();
        let head = Checkpoint { origin, size, root }.signed(&self.key);
        replace(&folder.join(CHECKPOINT_FILE), head.note().as_bytes())?;
        self.size = size;
        Ok(())
    }

    /// The head that was signed last; an error says in words what is wrong with it.
    pub(super) fn last(&self, folder: &Path) -> Result<Option<Checkpoint>, String> {
        let note = match fs::read_to_string(folder.join(CHECKPOINT_FILE)) {
            Ok(note) => note,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(_) => return Err("the signed head was unreadable".to_owned()),
        };
        let head = SignedHead::parse(&note).map_err(|_| "the signed head was unreadable")?;
        head.check(&self.verifier())
            .map_err(|_| "the signed head was not signed by our key".to_owned())?;
        Ok(Some(head.checkpoint))
    }
}

/// The text of a key file.
fn key_text(seed: &[u8; 32]) -> String {
    let digits: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}\n")
}

/// A key from the text of its file, which is accepted in its one form only.
pub(super) fn read_key(text: &str) -> Option<LogKey> {
    let hash = blake3::Hash::from_hex(text.strip_suffix('\n')?).ok()?;
    (key_text(hash.as_bytes()) == text).then(|| log_key(hash.as_bytes()))?
}

/// The key of a seed, named after its public part.
fn log_key(seed: &[u8; 32]) -> Option<LogKey> {
    let nameless = LogKey::log("vitalwire", seed).ok()?.verifier();
    let name = blake3::hash(&nameless.bytes()).to_hex();
    LogKey::log(&format!("vitalwire-{}", &name[..16]), seed).ok()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), GuardError> {
    let failed = |e| GuardError::file(path, e);
    let mut file = files::private_file(path)?;
    file.set_len(0).and_then(|()| file.write_all(bytes)).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    path.parent().map_or(Ok(()), files::sync_folder)
}

/// Puts a file in the place of another at one stroke. Not synced: a signed head that is gone after
/// a power failure is signed again.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), GuardError> {
    let failed = |e| GuardError::file(path, e);
    let beside = path.with_extension("new");
    let mut file = files::private_file(&beside)?;
    file.set_len(0).and_then(|()| file.write_all(bytes)).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
