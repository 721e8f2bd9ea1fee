//! Firmware images that came with signed metadata (The Update Framework, specification 1.0).
//!
//! What is imported is checked as a TUF client would ([`verify`]): a device gets nothing that its maker's keys
//! have not signed, that is older than what was there, or whose metadata has expired. Kept under
//! `firmware`: the metadata last trusted, and each image by its SHA-256.

mod pouf;
mod source;
mod verify;

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use verify::{Refusal, Signed};

use crate::{Depot, DepotError, FIRMWARE_FOLDER};
use source::Source;
use verify::{Delivered, Trusted};

/// The image that a campaign installs.
pub type Target = fleet::campaign::Target;

/// Largest metadata file and image, bytes.
const METADATA_MAX: u64 = 8 << 20;
const IMAGE_MAX: u64 = 1 << 30;
/// Most root versions in one import (TUF 5.3.3 wants a limit).
const ROOTS_MAX: u64 = 1_024;

/// A target of the signed metadata, and whether its image is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// As signed.
    pub signed: Signed,
    /// Whether the image is here, whole and right.
    pub here: bool,
}

impl Image {
    /// Whether a campaign's target is this.
    #[must_use]
    pub fn fits(&self, target: &Target) -> bool {
        self.signed.target() == *target
    }
}

impl Depot {
    /// Trusts a root: what it and its successors sign is taken from now on. Only where there is none
    /// yet; after that a root is followed by the next one that it has signed.
    ///
    /// # Errors
    /// [`DepotError::Wrong`] when there is one; [`DepotError::Refused`] when it has not signed itself.
    pub fn trust_root(&self, root: &[u8]) -> Result<(), DepotError> {
        let path = self.metadata("root.json");
        if path.exists() {
            return Err(DepotError::Wrong(
                "a root is trusted already; its successor comes with an import, signed by it".to_owned(),
            ));
        }
        verify::root(root)?;
        self.write(&path, root)
    }

    /// Takes in a repository, a folder or a zip file of one: `N.root.json`, `timestamp.json`,
    /// `snapshot.json`, `targets.json` (also with versions in front) anywhere in it, and images. What is
    /// signed for and not there stays away; an image that is not what was signed refuses the whole.
    ///
    /// # Errors
    /// [`DepotError::Refused`] with which attack or mistake it looks like.
    pub fn import_firmware(&self, from: &Path, now_us: i64) -> Result<Vec<Image>, DepotError> {
        let mut source = Source::open(from)?;
        let trusted = self.trusted()?.ok_or(Refusal::NoRoot)?;
        let delivered = delivered(&mut source, trusted.root_version()?)?;
        let (next, signed) = verify::verify(&trusted, &delivered, now_us)?;
        // Every image first: metadata that is trusted speaks for what is here.
        for target in &signed {
            let Some(image) = source.image(&target.path, &target.sha256, IMAGE_MAX)? else { continue };
            if image.len() as u64 != target.length || sha256(&image) != target.sha256 {
                return Err(Refusal::Image(target.path.clone()).into());
            }
            self.write(&self.image_path(&target.sha256), &image)?;
        }
        for (name, bytes) in next.files() {
            self.write(&self.metadata(name), bytes)?;
        }
        self.targets()
    }

    /// Every target of the metadata last trusted. Expired metadata still names what is here; a campaign
    /// that has begun goes on, and an import wants fresh one.
    ///
    /// # Errors
    /// [`DepotError`] when the files can't be read, or were changed by somebody.
    pub fn targets(&self) -> Result<Vec<Image>, DepotError> {
        let Some(trusted) = self.trusted()? else { return Ok(Vec::new()) };
        let images = trusted.signed()?.into_iter().map(|signed| {
            let here = std::fs::metadata(self.image_path(&signed.sha256))
                .is_ok_and(|found| found.len() == signed.length);
            Image { signed, here }
        });
        Ok(images.collect())
    }

    /// Opens an image by its SHA-256, if it is signed for; its file and length.
    ///
    /// # Errors
    /// [`DepotError::Unknown`] when it is not signed for or not here.
    pub fn image(&self, hash: &str) -> Result<(File, u64), DepotError> {
        let known = self.targets()?.into_iter().find(|image| image.here && image.signed.sha256 == hash);
        let image = known.ok_or(DepotError::Unknown("firmware image"))?;
        let path = self.image_path(&image.signed.sha256);
        let file = File::open(&path).map_err(|e| DepotError::file(&path, &e))?;
        Ok((file, image.signed.length))
    }

    /// The metadata files as they were signed, for devices that check for themselves: name and
    /// bytes.
    ///
    /// # Errors
    /// [`DepotError`] when the files can't be read.
    pub fn signed_metadata(&self) -> Result<Vec<(&'static str, Vec<u8>)>, DepotError> {
        let Some(trusted) = self.trusted()? else { return Ok(Vec::new()) };
        Ok(trusted.files().map(|(name, bytes)| (name, bytes.to_vec())).collect())
    }

    fn trusted(&self) -> Result<Option<Trusted>, DepotError> {
        let read = |name: &str| {
            let path = self.metadata(name);
            match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(e) => Err(DepotError::file(&path, &e)),
            }
        };
        let Some(root) = read("root.json")? else { return Ok(None) };
        let (timestamp, snapshot, targets) =
            (read("timestamp.json")?, read("snapshot.json")?, read("targets.json")?);
        Ok(Some(Trusted { root, timestamp, snapshot, targets }))
    }

    fn metadata(&self, name: &str) -> PathBuf {
        self.inner.folder.join(FIRMWARE_FOLDER).join(name)
    }

    fn image_path(&self, hash: &str) -> PathBuf {
        self.metadata("images").join(hash)
    }

    /// Writes a file whole or not at all.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), DepotError> {
        let error = |e: std::io::Error| DepotError::file(path, &e);
        if let Some(folder) = path.parent() {
            crate::private_folder(folder)?;
        }
        let half = path.with_extension("half");
        let mut file = File::create(&half).map_err(error)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(error)?;
        std::fs::rename(&half, path).map_err(error)
    }
}

/// The metadata of a source: roots from the one after `trusted` on, in order.
fn delivered(source: &mut Source, trusted: u64) -> Result<Delivered, DepotError> {
    let mut roots = Vec::new();
    for version in trusted + 1..=trusted + ROOTS_MAX {
        match source.metadata(&format!("{version}.root.json"), METADATA_MAX)? {
            Some(root) => roots.push(root),
            None => break,
        }
    }
    let mut newest = |name: &'static str| -> Result<Vec<u8>, DepotError> {
        let found = source.newest(name, METADATA_MAX)?;
        found.ok_or(DepotError::Refused(Refusal::Missing(name)))
    };
    let timestamp = newest("timestamp.json")?;
    let snapshot = newest("snapshot.json")?;
    let targets = newest("targets.json")?;
    Ok(Delivered { roots, timestamp, snapshot, targets })
}

/// SHA-256 as lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads at most `most` bytes; more is an error.
fn read_limited(reader: impl Read, most: u64, name: &str) -> Result<Vec<u8>, DepotError> {
    let mut bytes = Vec::new();
    let read = reader.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|e| DepotError::File(name.to_owned(), e.to_string()))?;
    if bytes.len() as u64 > most {
        return Err(DepotError::Wrong(format!("{name} is larger than {most} bytes")));
    }
    Ok(bytes)
}
