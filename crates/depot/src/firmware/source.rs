//! A repository as it is handed over: a folder, or a zip file of one.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::read_limited;
use crate::DepotError;

/// Most files of one repository, and how deep its folders may be.
const FILES_MAX: usize = 50_000;
const DEPTH_MAX: usize = 8;

/// Files by their path below the top, with `/`.
pub(super) enum Source {
    Folder(BTreeMap<String, PathBuf>),
    Zip(zip::ZipArchive<File>, Vec<String>),
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, DepotError> {
        if path.is_dir() {
            let mut files = BTreeMap::new();
            list(&mut files, path, "", 0)?;
            return Ok(Self::Folder(files));
        }
        let file = File::open(path).map_err(|e| DepotError::file(path, &e))?;
        let archive = zip::ZipArchive::new(file)
            .map_err(|_| DepotError::Wrong("neither a folder nor a zip file".to_owned()))?;
        if archive.len() > FILES_MAX {
            return Err(DepotError::Wrong(format!("more than {FILES_MAX} files")));
        }
        // A name that is no text names nothing of ours.
        let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        Ok(Self::Zip(archive, names))
    }

    /// A metadata file of exactly this name, in whatever folder.
    pub(super) fn metadata(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, DepotError> {
        let found = self.names().find(|path| last(path) == name).map(str::to_owned);
        found.map(|path| self.read(&path, most)).transpose()
    }

    /// `name`, or else the one with the highest version in front (`7.snapshot.json`).
    pub(super) fn newest(&mut self, name: &str, most: u64) -> Result<Option<Vec<u8>>, DepotError> {
        let version = |path: &str| {
            let file = last(path);
            if file == name {
                return Some(u64::MAX);
            }
            file.strip_suffix(name)?.strip_suffix('.')?.parse().ok()
        };
        let found = self.names().filter_map(|path| Some((version(path)?, path)));
        let found = found.max_by_key(|(version, _)| *version).map(|(_, path)| path.to_owned());
        found.map(|path| self.read(&path, most)).transpose()
    }

    /// The image of a target: by its path below `targets` or the top, or with its hash in front of the
    /// name (TUF, consistent snapshots).
    pub(super) fn image(&mut self, target: &str, hash: &str, most: u64) -> Result<Option<Vec<u8>>, DepotError> {
        let (folder, file) = target.rsplit_once('/').map_or(("", target), |(folder, file)| (folder, file));
        let hashed = if folder.is_empty() { format!("{hash}.{file}") } else { format!("{folder}/{hash}.{file}") };
        let is = |path: &str| {
            [target, hashed.as_str()].iter().any(|wanted| {
                path == *wanted || path.strip_suffix(*wanted).is_some_and(|before| before.ends_with("targets/"))
            })
        };
        let found = self.names().find(|path| is(path)).map(str::to_owned);
        found.map(|path| self.read(&path, most)).transpose()
    }

    fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        match self {
            Self::Folder(files) => Box::new(files.keys().map(String::as_str)),
            Self::Zip(_, names) => Box::new(names.iter().map(String::as_str)),
        }
    }

    fn read(&mut self, name: &str, most: u64) -> Result<Vec<u8>, DepotError> {
        match self {
            Self::Folder(files) => {
                let path = files.get(name).ok_or(DepotError::Unknown("file"))?;
                read_limited(File::open(path).map_err(|e| DepotError::file(path, &e))?, most, name)
            }
            Self::Zip(archive, _) => {
                let file = archive.by_name(name);
                let file = file.map_err(|e| DepotError::File(name.to_owned(), e.to_string()))?;
                read_limited(file, most, name)
            }
        }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn list(
    files: &mut BTreeMap<String, PathBuf>,
    folder: &Path,
    above: &str,
    depth: usize,
) -> Result<(), DepotError> {
    if depth > DEPTH_MAX || files.len() > FILES_MAX {
        return Err(DepotError::Wrong("too many files or folders".to_owned()));
    }
    let error = |e: std::io::Error| DepotError::file(folder, &e);
    for entry in std::fs::read_dir(folder).map_err(error)? {
        let entry = entry.map_err(error)?;
        let kind = entry.file_type().map_err(error)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Links are not followed: they lead out of what was handed over.
        if kind.is_dir() {
            list(files, &entry.path(), &format!("{above}{name}/"), depth + 1)?;
        } else if kind.is_file() {
            files.insert(format!("{above}{name}"), entry.path());
        }
    }
    Ok(())
}
