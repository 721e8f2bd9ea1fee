//! The keyring on disk, shared by all who seal and open; safe beside another process on the same
//! folder (a command while the program runs).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use seal::{Domain, Found, Key, KeyNumber, Keyring, KeysError};
use vitals::{PatientId, ReceiveTime};

use crate::ring::{Ring, Tomb, WRONG};
use crate::source::{Source, note, noted, write_master};
use crate::{VaultError, file};

/// The keyring, in the folder of keys.
pub const KEYRING_FILE: &str = "keyring";
/// The master key where no other place was configured, in the folder of keys.
pub const MASTER_FILE: &str = "master.key";
const LOCK_FILE: &str = "lock";

/// Every key of a data folder; clones share it.
#[derive(Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    /// Where the master key is; another command may move it.
    source: RwLock<Source>,
    state: RwLock<State>,
    epoch: AtomicU64,
}

struct State {
    ring: Ring,
    /// Which generation of the file was read, and how far.
    file: (u64, u64),
}

/// What there is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where the master key is.
    pub source: Source,
    /// How often the keyring was written anew: rotations and erasures.
    pub generation: u64,
    /// Keys by what they are for, with the time in microseconds when the newest was made.
    pub keys: BTreeMap<&'static str, (usize, i64)>,
    /// Patients that have a key.
    pub patients: usize,
    /// Patients whose keys were destroyed.
    pub destroyed: usize,
    /// Bytes of the keyring.
    pub bytes: u64,
}

impl Vault {
    /// Opens the keyring of a folder, which is made (mode 0700) with a keyring (mode 0600) when
    /// there is none; a master key is made only then, and only where `source` is a file.
    ///
    /// # Errors
    /// [`VaultError`]: no master key, another one, a damaged keyring, files that can't be used.
    pub fn open(folder: &Path, source: Source) -> Result<Self, VaultError> {
        file::private_folder(folder)?;
        let _lock = lock(folder)?;
        let path = folder.join(KEYRING_FILE);
        let state = if path.exists() {
            load(&path, &source)?
        } else {
            source.make()?;
            let mut ring = Ring::new()?;
            let bytes = ring.write(&[&|key| source.wrap(key)])?;
            file::replace(&path, &bytes)?;
            State { file: identity(&path)?, ring }
        };
        let inner = Inner {
            folder: folder.to_owned(),
            source: RwLock::new(source),
            state: RwLock::new(state),
            epoch: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The key for something, made if there is none.
    ///
    /// # Errors
    /// [`VaultError`]
    pub fn key(&self, domain: &Domain) -> Result<Key, VaultError> {
        let keys = self.keys(std::slice::from_ref(domain))?;
        Ok(keys.into_iter().next().map(|(_, key)| key).expect("one domain, one key"))
    }

    /// Destroys every key of these patients: a new keyring without them takes the place of the old
    /// one, which is overwritten. Gives the numbers that are gone; none if they had no key.
    ///
    /// # Errors
    /// [`VaultError`]; then either all are gone or none.
    pub fn destroy(
        &self,
        patients: &[PatientId],
        now: ReceiveTime,
    ) -> Result<Vec<KeyNumber>, VaultError> {
        self.rewrite(|ring| Ok(ring.destroy(patients, now.0)))
    }

    /// What is left of a patient's keys: one tombstone an erasure.
    #[must_use]
    pub fn tombs(&self, patient: &PatientId) -> Vec<Tomb> {
        let _ = self.refresh();
        let state = self.inner.state.read();
        let whom = state.ring.whom(patient);
        state.ring.tombs.iter().filter(|tomb| tomb.whom == whom).cloned().collect()
    }

    /// The numbers of the keys that a patient has.
    #[must_use]
    pub fn numbers(&self, patient: &PatientId) -> Vec<KeyNumber> {
        let _ = self.refresh();
        let state = self.inner.state.read();
        let domain = Domain::Patient(patient.clone());
        let keys = state.ring.keys.iter();
        keys.filter(|(_, line)| line.domain == domain).map(|(number, _)| *number).collect()
    }

    /// Makes a new master key and wraps the keyring with it, without a moment in which the keyring
    /// opens with neither: for a while it opens with both. `to`: where the new one is (made if it is
    /// a file that is not there); none: in the place of the old one, which must be a file.
    ///
    /// # Errors
    /// [`VaultError`]; then the old one still opens the keyring.
    pub fn rotate_master(&self, to: Option<&Source>) -> Result<(), VaultError> {
        let source = &self.source();
        match (to, source) {
            (Some(to), _) => {
                to.make()?;
                self.rewrap(&[source, to])?;
                // Whoever has the folder open finds the new place by this note.
                note(&self.inner.folder, to)?;
                *self.inner.source.write() = to.clone();
                self.rewrap(&[to])
            }
            (None, Source::File(path)) => {
                let beside = Source::File(path.with_extension("next"));
                beside.make()?;
                self.rewrap(&[source, &beside])?;
                let Source::File(next) = &beside else { unreachable!("it was made so") };
                let text = std::fs::read_to_string(next).map_err(VaultError::io("reading", next))?;
                let key = Key::from_hex(&zeroize::Zeroizing::new(text))
                    .ok_or_else(|| VaultError::NotAKey(beside.describe()))?;
                write_master(path, &key)?;
                self.rewrap(&[source])?;
                file::replace(next, b"")?;
                std::fs::remove_file(next).map_err(VaultError::io("removing", next))
            }
            (None, _) => Err(VaultError::NoMaster(format!(
                "a new place: {} is not a file that this program may write", source.describe()
            ))),
        }
    }

    /// Makes new keys for entries of the journal and rows of backups, patients' among them: what is
    /// sealed from now on is sealed with them. The old ones stay for what they sealed.
    ///
    /// # Errors
    /// [`VaultError`]; then the old ones go on.
    pub fn rotate_data(&self, now: ReceiveTime) -> Result<usize, VaultError> {
        self.rewrite(|ring| {
            let due: Vec<Domain> = ring.active.keys().cloned().collect();
            let due = due.into_iter().filter(|domain| {
                matches!(domain, Domain::House | Domain::Backup | Domain::Patient(_))
            });
            let mut count = 0;
            for domain in due {
                ring.add(domain, now.0)?;
                count += 1;
            }
            Ok(count)
        })
    }

    /// Puts a copy of the keyring, wrapped as it is, in place of the one at `to`, which is
    /// overwritten.
    ///
    /// # Errors
    /// [`VaultError::Io`]
    pub fn copy_to(&self, to: &Path) -> Result<(), VaultError> {
        let _lock = lock(&self.inner.folder)?;
        let path = self.inner.folder.join(KEYRING_FILE);
        let bytes = std::fs::read(&path).map_err(VaultError::io("reading", &path))?;
        file::replace(to, &bytes)
    }

    /// What there is.
    #[must_use]
    pub fn status(&self) -> Status {
        let _ = self.refresh();
        let state = self.inner.state.read();
        let mut keys: BTreeMap<&'static str, (usize, i64)> = BTreeMap::new();
        for line in state.ring.keys.values() {
            let name = match line.domain {
                Domain::Store => "store",
                Domain::Guard => "accounts",
                Domain::House => "journal",
                Domain::Audit => "audit",
                Domain::Backup => "backup",
                Domain::Patient(_) => "patients",
            };
            let (count, newest) = keys.entry(name).or_default();
            *count += 1;
            *newest = line.made.max(*newest);
        }
        let of_patients = |domain: &&Domain| matches!(domain, Domain::Patient(_));
        Status {
            source: self.source(),
            generation: state.ring.generation,
            patients: state.ring.active.keys().filter(of_patients).count(),
            destroyed: state.ring.tombs.len(),
            bytes: state.file.1,
            keys,
        }
    }

    /// Every key there is: for those who check that nothing is left that one could open.
    #[must_use]
    pub fn all(&self) -> Vec<(KeyNumber, Domain, Key)> {
        let _ = self.refresh();
        let state = self.inner.state.read();
        let keys = state.ring.keys.iter();
        keys.map(|(number, line)| (*number, line.domain.clone(), line.key.clone())).collect()
    }

    fn rewrap(&self, sources: &[&Source]) -> Result<(), VaultError> {
        let _lock = lock(&self.inner.folder)?;
        self.refresh()?;
        let mut state = self.inner.state.write();
        let wraps: Vec<_> = sources.iter().map(|source| |key: &Key| source.wrap(key)).collect();
        let wraps: Vec<&dyn Fn(&Key) -> Result<Vec<u8>, VaultError>> =
            wraps.iter().map(|wrap| wrap as _).collect();
        self.put(&mut state, &wraps)
    }

    /// Changes the keyring and writes it anew.
    fn rewrite<T>(
        &self,
        change: impl FnOnce(&mut Ring) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let _lock = lock(&self.inner.folder)?;
        self.refresh()?;
        let mut state = self.inner.state.write();
        let source = &self.source();
        let done = change(&mut state.ring);
        let written = match &done {
            Ok(_) => self.put(&mut state, &[&|key| source.wrap(key)]),
            Err(_) => Ok(()),
        };
        if done.is_err() || written.is_err() {
            // What is on disk counts.
            *state = load(&self.path(), source)?;
        }
        self.inner.epoch.fetch_add(1, Ordering::AcqRel);
        written.and(done)
    }

    fn put(
        &self,
        state: &mut State,
        wraps: &[&dyn Fn(&Key) -> Result<Vec<u8>, VaultError>],
    ) -> Result<(), VaultError> {
        let path = self.path();
        let bytes = state.ring.write(wraps)?;
        file::replace(&path, &bytes)?;
        state.file = identity(&path)?;
        Ok(())
    }

    fn source(&self) -> Source {
        self.inner.source.read().clone()
    }

    /// Reads the keyring; where the master key was moved meanwhile, with the one that was noted.
    fn load(&self, path: &Path) -> Result<State, VaultError> {
        match (load(path, &self.source()), noted(&self.inner.folder)) {
            (Err(VaultError::WrongMaster { .. } | VaultError::NoMaster(_)), Some(noted)) => {
                let state = load(path, &noted)?;
                *self.inner.source.write() = noted;
                Ok(state)
            }
            (loaded, _) => loaded,
        }
    }

    fn path(&self) -> PathBuf {
        self.inner.folder.join(KEYRING_FILE)
    }

    /// Takes in what another process changed.
    fn refresh(&self) -> Result<(), VaultError> {
        let path = self.path();
        let now = identity(&path)?;
        if self.inner.state.read().file == now {
            return Ok(());
        }
        let mut state = self.inner.state.write();
        if state.file != now {
            *state = self.load(&path)?;
            self.inner.epoch.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }

    fn keys(&self, domains: &[Domain]) -> Result<Vec<(KeyNumber, Key)>, VaultError> {
        let known = |state: &State| {
            let line = |domain| {
                let number = state.ring.active.get(domain)?;
                Some((*number, state.ring.keys.get(number)?.key.clone()))
            };
            domains.iter().map(line).collect::<Option<Vec<_>>>()
        };
        if let Some(keys) = known(&self.inner.state.read()) {
            return Ok(keys);
        }
        let _lock = lock(&self.inner.folder)?;
        self.refresh()?;
        let mut state = self.inner.state.write();
        let made = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let made = made.map_or(0, |age| age.as_micros() as i64);
        let mut new = Vec::new();
        for domain in domains {
            if !state.ring.active.contains_key(domain) {
                new.push(state.ring.add(domain.clone(), made)?);
            }
        }
        if !new.is_empty()
            && let Err(error) = self.append(&mut state, &new)
        {
            *state = self.load(&self.path())?;
            return Err(error);
        }
        Ok(known(&state).expect("those that were missing were made"))
    }

    /// Writes the records of new keys behind the others, durable on return.
    fn append(&self, state: &mut State, new: &[KeyNumber]) -> Result<(), VaultError> {
        let path = self.path();
        let mut bytes = Vec::new();
        state.ring.append_keys(&mut bytes, new)?;
        let mut file = file::private_file(&path, false)?;
        let end = state.file.1;
        let written = file
            .seek(SeekFrom::Start(end))
            .and_then(|_| file.write_all(&bytes))
            .and_then(|()| file.set_len(end + bytes.len() as u64))
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            let _ = file.set_len(end);
            return Err(VaultError::io("writing", &path)(error));
        }
        state.file.1 = end + bytes.len() as u64;
        Ok(())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl Keyring for Vault {
    fn epoch(&self) -> u64 {
        self.inner.epoch.load(Ordering::Acquire)
    }

    fn writing(&self, domains: &[Domain]) -> Result<Vec<(KeyNumber, Key)>, KeysError> {
        Ok(self.keys(domains)?)
    }

    fn reading(&self, number: KeyNumber) -> Found {
        let find = |state: &State| {
            if state.ring.is_destroyed(number) {
                return Found::Destroyed;
            }
            match state.ring.keys.get(&number) {
                Some(line) => Found::Key(line.domain.clone(), line.key.clone()),
                None => Found::Unknown,
            }
        };
        let found = find(&self.inner.state.read());
        if !matches!(found, Found::Unknown) || self.refresh().is_err() {
            return found;
        }
        find(&self.inner.state.read())
    }
}

/// Held while the keyring is written; several processes may have the folder open.
fn lock(folder: &Path) -> Result<File, VaultError> {
    let path = folder.join(LOCK_FILE);
    let file = file::private_file(&path, false)?;
    file.lock().map_err(VaultError::io("locking", &path))?;
    Ok(file)
}

fn load(path: &Path, source: &Source) -> Result<State, VaultError> {
    let bytes = std::fs::read(path).map_err(VaultError::io("reading", path))?;
    match Ring::read(&bytes, &|wrapped| source.unwrap(wrapped))? {
        Ok((ring, whole)) => Ok(State { file: (ring.generation, whole as u64), ring }),
        Err(WRONG) => {
            Err(VaultError::WrongMaster { path: path.to_owned(), from: source.describe() })
        }
        Err(reason) => Err(VaultError::Damaged { path: path.to_owned(), reason }),
    }
}

/// Which keyring stands there, by how often it was written anew, and how long it is.
fn identity(path: &Path) -> Result<(u64, u64), VaultError> {
    let mut start = [0; 16];
    let mut file = File::open(path).map_err(VaultError::io("opening", path))?;
    file.read_exact(&mut start).map_err(VaultError::io("reading", path))?;
    let found = file.metadata().map_err(VaultError::io("looking at", path))?;
    let mut generation = [0; 8];
    generation.copy_from_slice(&start[8..]);
    Ok((u64::from_le_bytes(generation), found.len()))
}
