//! Files for their owner alone, replaced so that nothing of the old one stays readable.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::VaultError;

/// Opens or makes a file, mode 0600.
pub(crate) fn private_file(path: &Path, empty: bool) -> Result<File, VaultError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(empty);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(VaultError::io("opening", path))
}

/// Makes a folder, mode 0700.
pub(crate) fn private_folder(path: &Path) -> Result<(), VaultError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(VaultError::io("making", path))
}

/// Puts a file in place of the one of that name, wholly or not at all, durable on return. The old
/// one is overwritten: a disk that keeps old blocks keeps nothing that this could reach.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let old = OpenOptions::new().write(true).open(path).ok();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let mut file = private_file(&beside, true)?;
    file.write_all(bytes).map_err(VaultError::io("writing", &beside))?;
    file.sync_all().map_err(VaultError::io("syncing", &beside))?;
    std::fs::rename(&beside, path).map_err(VaultError::io("replacing", path))?;
    sync_folder(path)?;
    if let Some(old) = old {
        wipe(old, path);
    }
    Ok(())
}

/// Makes the names in a file's folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), VaultError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(VaultError::io("syncing", folder))
}

fn wipe(mut old: File, path: &Path) {
    let wiped = old.metadata().and_then(|found| {
        old.write_all(&vec![0; usize::try_from(found.len()).unwrap_or(0)])?;
        old.sync_all()
    });
    if let Err(error) = wiped {
        tracing::warn!(file = %path.display(), %error, "keys: the old file was not overwritten");
    }
}
