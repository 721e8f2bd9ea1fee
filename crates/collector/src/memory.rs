//! How far a collector has come, in a small file: written whole and durable before it counts, so that a
//! restart goes on where it was. It holds times and numbers, and nothing of a patient.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It can't be read.
    #[error("cannot read {0}: {1}; if it is broken remove it, and all is fetched again")]
    Read(String, String),
    /// It can't be written.
    #[error("cannot write {0}: {1}")]
    Write(String, String),
}

/// The file of one source.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    file: PathBuf,
}

impl Memory {
    /// The file of a source in this folder, which is made if there is none.
    pub(crate) fn new(folder: &Path, name: &str) -> Result<Self, MemoryError> {
        let file = folder.join(format!("{name}.json"));
        std::fs::create_dir_all(folder).map_err(|error| MemoryError::Write(folder.display().to_string(), error.to_string()))?;
        Ok(Self { file })
    }

    /// What was kept last; none when nothing was yet.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, MemoryError> {
        let wrong = |why: String| MemoryError::Read(self.file.display().to_string(), why);
        match std::fs::read(&self.file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| wrong(error.to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// Keeps it: whoever reads after a power failure finds this, or what was before, and nothing between.
    pub(crate) fn write<T: Serialize>(&self, what: &T) -> Result<(), MemoryError> {
        let wrong = |why: String| MemoryError::Write(self.file.display().to_string(), why);
        let text = serde_json::to_vec(what).map_err(|error| wrong(error.to_string()))?;
        let new = self.file.with_extension("new");
        let written = (|| {
            let mut file = std::fs::File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&new, &self.file)?;
            std::fs::File::open(self.file.parent().unwrap_or(Path::new(".")))?.sync_all()
        })();
        written.map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let memory = Memory::new(&folder.path().join("collect"), "a").expect("made");
        assert_eq!(memory.read::<u64>().expect("nothing"), None);
        memory.write(&7_u64).expect("kept");
        memory.write(&8_u64).expect("kept");
        assert_eq!(memory.read::<u64>().expect("there"), Some(8));
        std::fs::write(folder.path().join("collect/a.json"), "{").expect("broken");
        assert!(memory.read::<u64>().expect_err("broken").to_string().contains("a.json"));
    }
}
