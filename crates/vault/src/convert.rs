//! A database that is not encrypted yet is, once: programs before this one wrote it so.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use rusqlite::Connection;
use seal::{Key, database};

use crate::VaultError;

/// Turns a plain database into a sealed one: into a new file, which takes the old one's place when
/// it is whole and durable. A sealed one, or none, is left alone.
///
/// # Errors
/// [`VaultError`]; then the plain one is still there.
pub fn convert(file: &Path, key: &Key) -> Result<(), VaultError> {
    let io = |source| VaultError::Io { doing: "encrypting", path: file.to_owned(), source };
    let sql = |source| VaultError::Database { path: file.to_owned(), source };
    let mut start = [0; 16];
    match File::open(file) {
        Ok(mut plain) => {
            let mut got = 0;
            while got < start.len() {
                match plain.read(&mut start[got..]).map_err(io)? {
                    0 => return Ok(()),
                    more => got += more,
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    }
    if start != *database::PLAIN {
        return Ok(());
    }
    tracing::warn!(file = %file.display(), "the database is not encrypted yet; now it is");
    let beside = file.with_extension("sealing");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    {
        let plain = Connection::open(file).map_err(sql)?;
        // What is still in the log comes into the file first, and the log goes.
        plain.pragma_update(None, "journal_mode", "delete").map_err(sql)?;
        let version = plain.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sql)?;
        let export = database::export(key, &beside.to_string_lossy(), version);
        plain.execute_batch(&export).map_err(sql)?;
    }
    File::open(&beside).and_then(|new| new.sync_all()).map_err(io)?;
    let old = std::fs::OpenOptions::new().write(true).open(file).map_err(io)?;
    std::fs::rename(&beside, file).map_err(io)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all()).map_err(io)?;
    wipe(old).map_err(io)
}

/// Overwrites a file that has no name any more.
fn wipe(mut file: File) -> std::io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut left = file.metadata()?.len();
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..part as usize])?;
        left -= part;
    }
    file.sync_all()
}
