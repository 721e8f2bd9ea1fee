//! Files and folders that only we may read.

use std::fs::{File, OpenOptions};
use std::path::Path;

use crate::GuardError;

/// Makes a folder (mode 0700) unless it exists. One that exists keeps its mode, for it may be
/// somebody's home; that others may look into it is said in the log. The files have modes of
/// their own.
pub(crate) fn private_folder(path: &Path) -> Result<(), GuardError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| GuardError::file(path, e))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = std::fs::metadata(path).map_err(|e| GuardError::file(path, e))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            tracing::warn!(folder = %path.display(), "others may look into it: chmod 700");
        }
    }
    Ok(())
}

/// Opens a file to read and write, made when it does not exist; mode 0600 in either case.
pub(crate) fn private_file(path: &Path) -> Result<File, GuardError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|e| GuardError::file(path, e))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata().map_err(|e| GuardError::file(path, e))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            let private = std::fs::Permissions::from_mode(0o600);
            file.set_permissions(private).map_err(|e| GuardError::file(path, e))?;
        }
    }
    Ok(file)
}

/// Makes a folder's list of files durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), GuardError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| GuardError::file(path, e))
}

/// Whether the path still leads to the open file: nobody moved or replaced it.
pub(crate) fn is_still(path: &Path, file: &File) -> std::io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let open = file.metadata()?;
        match std::fs::metadata(path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (open.dev(), open.ino())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(path.exists())
    }
}

/// Makes an empty file unless it exists, and sees to its mode 0600, without opening one that
/// exists: closing a second handle on an SQLite database would end the locks on the first.
pub(crate) fn reserve(path: &Path) -> Result<(), GuardError> {
    if !path.exists() {
        return private_file(path).map(drop);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .map_err(|e| GuardError::file(path, e))?;
    }
    Ok(())
}
