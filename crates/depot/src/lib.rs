//! The fleet on disk: inventory, firmware that its maker has signed, update campaigns, advisories,
//! habits and what broke them.
//!
//! One folder holds it: `fleet.db`, and under `firmware` the signed metadata and the images. The rules
//! are those of the `fleet` crate; here they are fed, kept and asked. Two programs may have the
//! folder open (the platform and its command line): each sees what the other did.
//!
//! What is absent: any socket, any account (whoever calls has asked who it is), any vital sign.

mod campaigns;
mod error;
mod firmware;
mod habits;
mod inventory;
mod tables;
mod vulnerabilities;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleet::advisory::Vulnerability;
use fleet::campaign::Campaign;
use fleet::firmware::Minimum;
use fleet::habit::Habits;
use fleet::sbom::Sbom;
use parking_lot::Mutex;
use rusqlite::Connection;

pub use campaigns::{Command, Offer};
pub use error::DepotError;
pub use firmware::{Image, Refusal, Signed, Target};
pub use habits::Event;
pub use inventory::{Entry, Source};
pub use vulnerabilities::{Acknowledged, Advisory, Found};

/// The database, in the depot's folder.
pub const DATABASE_FILE: &str = "fleet.db";
/// Metadata and images, in the depot's folder.
pub const FIRMWARE_FOLDER: &str = "firmware";

/// Most commands that wait to be sent.
const OUTBOX_MAX: usize = 100_000;

/// The fleet; cheap to clone. Methods that write wait for the disk: from async code, call them on a
/// thread that may block. [`Depot::hear`] and what only reads take microseconds.
#[derive(Clone)]
pub struct Depot {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    kept: Mutex<Kept>,
    habits: Mutex<Habits>,
    /// Commands that wait to be sent down.
    outbox: Mutex<Vec<Command>>,
}

/// What the database holds, read into memory.
struct Kept {
    connection: Connection,
    /// SQLite's own count of what others changed.
    version: i64,
    items: BTreeMap<String, Entry>,
    minimums: Vec<Minimum>,
    advisories: BTreeMap<String, Advisory>,
    vulnerabilities: Vec<Vulnerability>,
    acknowledged: BTreeMap<(String, String), Acknowledged>,
    sboms: BTreeMap<String, Sbom>,
    campaigns: BTreeMap<i64, Campaign>,
}

impl std::fmt::Debug for Depot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Depot").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl Depot {
    /// Opens the depot of a folder, which is made when it does not exist (mode 0700). `unlock` is what a
    /// connection is told first: the key of an encrypted database.
    ///
    /// # Errors
    /// [`DepotError`] when the files can't be made, read or understood.
    pub fn open(folder: &Path, unlock: Option<&str>) -> Result<Self, DepotError> {
        private_folder(folder)?;
        let kept = Kept::open(&folder.join(DATABASE_FILE), unlock)?;
        let habits = Mutex::new(kept.habits()?);
        let (folder, kept) = (folder.to_owned(), Mutex::new(kept));
        let inner = Inner { folder, kept, habits, outbox: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Puts commands where whoever speaks to devices finds them. Those that are lost are told again.
    pub fn tell(&self, commands: Vec<Command>) {
        let mut outbox = self.inner.outbox.lock();
        let room = OUTBOX_MAX.saturating_sub(outbox.len());
        outbox.extend(commands.into_iter().take(room));
    }

    /// The commands to be sent down now.
    #[must_use]
    pub fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut *self.inner.outbox.lock())
    }

    /// Works with what is kept, after a look at what others have changed.
    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> Result<T, DepotError>) -> Result<T, DepotError> {
        let mut kept = self.inner.kept.lock();
        kept.refresh()?;
        work(&mut kept)
    }
}

fn private_folder(folder: &Path) -> Result<(), DepotError> {
    std::fs::create_dir_all(folder).map_err(|e| DepotError::file(folder, &e))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| DepotError::file(folder, &e))?;
    }
    Ok(())
}
