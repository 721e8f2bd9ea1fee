//! A data folder unlocked: the keyring, and the databases and the journal opened with its keys.
//!
//! Where the master key is comes from the configuration, else from the environment, else from what
//! was noted when the folder was last used (`keys/source`, nothing secret), else it is a file
//! in the folder. So commands find it without the configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use guard::{Guard, SessionTimes};
use journal::EmbeddedJournal;
use laboratory::Seals;
use laboratory::versions::Versions;
use seal::{Domain, Keyring};
use store::SqliteStore;
use vault::{MASTER_FILE, Source, Vault};

use crate::Misuse;
use crate::config::{Config, Keys};
use crate::wiring::Folder;

/// The variable that holds the master key where none is named.
const VARIABLE: &str = "VITALWIRE_MASTER_KEY";
/// The systemd credential that is taken when it is there.
const CREDENTIAL: &str = "vitalwire-master-key";

/// What opens a data folder; clones share the keyring.
#[derive(Clone)]
pub(crate) struct Sealed {
    /// None: the folder is not encrypted, because somebody said so.
    pub(crate) vault: Option<Vault>,
}

impl Folder {
    /// The folder of keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }
}

/// Unlocks a folder; a new one gets its keyring.
pub(crate) fn unlock(folder: &Folder, keys: &Keys) -> anyhow::Result<Sealed> {
    let known = folder.keys().join(vault::KEYRING_FILE).exists();
    if !keys.encrypt && !known {
        return Ok(Sealed { vault: None });
    }
    let source = source(folder, keys)?;
    let vault = Vault::open(&folder.keys(), source.clone()).with_context(|| {
        format!(
            "cannot unlock {} with {}; if the key was moved: vitalwire keys rotate --to PLACE",
            folder.0.display(),
            source.describe()
        )
    })?;
    vault::note(&folder.keys(), &source)?;
    Ok(Sealed { vault: Some(vault) })
}

/// [`unlock`] for a command that has no configuration but the environment. A folder that is in use and open stays
/// open: the program's own configuration decides that, not a command beside it.
pub(crate) fn unlock_here(folder: &Folder) -> anyhow::Result<Sealed> {
    if folder.store().exists() && !folder.keys().join(vault::KEYRING_FILE).exists() {
        return Ok(Sealed { vault: None });
    }
    unlock(folder, &Config::load(None, std::env::vars())?.keys)
}

/// Where the master key of a folder is.
pub(crate) fn source(folder: &Folder, keys: &Keys) -> anyhow::Result<Source> {
    if let Some(module) = &keys.token_module {
        let (Some(token), Some(pin_file), Some(key)) =
            (&keys.token, &keys.token_pin_file, &keys.token_key)
        else {
            return Err(Misuse(
                "keys.token_module: give keys.token, keys.token_pin_file and keys.token_key, too".to_owned(),
            ).into());
        };
        return Ok(Source::Pkcs11 {
            module: module.clone(),
            token: token.clone(),
            pin_file: pin_file.clone(),
            key: key.clone(),
        });
    }
    if let Some(file) = &keys.file {
        return Ok(Source::File(file.clone()));
    }
    if let Some(name) = &keys.environment {
        return Ok(Source::Environment(name.clone()));
    }
    if let Some(name) = &keys.credential {
        return Ok(Source::Credential(name.clone()));
    }
    for source in
        [Source::Environment(VARIABLE.to_owned()), Source::Credential(CREDENTIAL.to_owned())]
    {
        if source.exists() {
            return Ok(source);
        }
    }
    let noted = vault::noted(&folder.keys());
    Ok(noted.unwrap_or_else(|| Source::File(folder.keys().join(MASTER_FILE))))
}

impl Sealed {
    /// The store, encrypted when it was not yet.
    pub(crate) fn store(&self, folder: &Folder) -> anyhow::Result<SqliteStore> {
        let file = folder.store();
        let opened = match self.database(&file, &Domain::Store)? {
            Some(key) => SqliteStore::open_sealed(&file, &key),
            None => SqliteStore::open(&file),
        };
        opened.context("cannot open the store")
    }

    /// Accounts and the audit log.
    pub(crate) fn guard(&self, folder: &Folder) -> anyhow::Result<Guard> {
        let file = folder.guard().join(guard::DATABASE_FILE);
        let key = self.database(&file, &Domain::Guard)?;
        Guard::open_sealed(&folder.guard(), SessionTimes::default(), key.as_ref())
            .context("cannot open the accounts and the audit log")
    }

    /// The journal.
    pub(crate) fn journal(&self, folder: &Folder) -> Result<EmbeddedJournal, journal::JournalError> {
        EmbeddedJournal::open_sealed(
            Arc::new(journal::RealDisk),
            &folder.journal(),
            journal::Options::default(),
            self.vault.clone().map(|vault| Arc::new(vault) as Arc<dyn Keyring>),
        )
    }

    /// Versions of the alarm policy; those that older programs left plain are sealed.
    pub(crate) fn alarm_policies(&self, folder: &Folder) -> anyhow::Result<Versions> {
        let seals = self.vault.clone().map(|vault| Seals {
            keyring: Arc::new(vault),
            nonce: || vault::new_nonce().map_err(|error| error.to_string()),
        });
        let versions = Versions::at(&folder.alarm_policies(), seals);
        versions.seal_plain().context("cannot seal the versions of the alarm policy")?;
        Ok(versions)
    }

    pub(crate) fn database(&self, file: &Path, domain: &Domain) -> anyhow::Result<Option<seal::Key>> {
        let Some(vault) = &self.vault else { return Ok(None) };
        let key = vault.key(domain)?;
        vault::convert(file, &key)?;
        Ok(Some(key))
    }
}
