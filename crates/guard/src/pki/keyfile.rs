//! Private keys on disk: one way in, one way out, so that whoever wraps keys has one place to do it.

use std::io::Write;
use std::path::Path;

use crate::{GuardError, files};

/// Reads a private key (PEM).
pub(crate) fn read(path: &Path) -> Result<String, GuardError> {
    std::fs::read_to_string(path).map_err(|e| GuardError::file(path, e))
}

/// Keeps a private key (PEM), for its owner alone (mode 0600): whole or not at all.
pub(crate) fn write(path: &Path, pem: &str) -> Result<(), GuardError> {
    replace(path, pem.as_bytes())
}

/// Puts a file of ours in the place of what was there: whole or not at all, mode 0600, durable.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), GuardError> {
    let aside = path.with_extension("new");
    let mut file = files::private_file(&aside)?;
    file.set_len(0)
        .and_then(|()| file.write_all(bytes))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&aside, path))
        .map_err(|e| GuardError::file(path, e))?;
    path.parent().map_or(Ok(()), files::sync_folder)
}
