//! Folders and archives of files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::SimError;

/// A folder to read: the one given, or a temporary one that an archive was unpacked into, which
/// is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    temporary: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.temporary {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

impl Folder {
    /// Opens a folder or unpacks a `.tar.zst`.
    pub(super) fn open(path: &Path) -> Result<Self, SimError> {
        let meta = std::fs::metadata(path).map_err(SimError::file(path))?;
        if meta.is_dir() {
            return Ok(Self { path: path.to_owned(), temporary: false });
        }
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let unpacked = std::env::temp_dir().join(format!(
            "vitalwire-replay-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ));
        std::fs::create_dir_all(&unpacked).map_err(SimError::file(&unpacked))?;
        let folder = Self { path: unpacked, temporary: true };
        let done = Command::new("tar")
            .arg("--zstd")
            .arg("-xf")
            .arg(path)
            .arg("-C")
            .arg(&folder.path)
            .status()
            .map_err(SimError::file(Path::new("tar")))?;
        if done.success() {
            return Ok(folder);
        }
        Err(SimError::Format {
            path: path.to_owned(),
            line: 0,
            problem: "is no folder, and `tar --zstd -xf` can't unpack it (is zstd installed?)".to_owned(),
        })
    }

    /// Every file below whose name ends so, in order of path.
    pub(super) fn files(&self, ending: &str) -> Result<Vec<PathBuf>, SimError> {
        let mut found = Vec::new();
        let mut folders = vec![self.path.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).map_err(SimError::file(&folder))? {
                let path = entry.map_err(SimError::file(&folder))?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.to_string_lossy().ends_with(ending) {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The text of a file.
pub(super) fn read(path: &Path) -> Result<String, SimError> {
    let bytes = std::fs::read(path).map_err(SimError::file(path))?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
