//! Device profiles on disk: loaded, watched, changed. A file that does not compile is reported and
//! left out; the others, and the messages that they map, are not disturbed.
//!
//! What is absent: what a profile means (see the `mapping` crate).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mapping::{Decode, ProfileError, Profiles};
use parking_lot::{Mutex, RwLock};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Largest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a profile can't be kept.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// Not a file name that a profile may have.
    #[error("a profile's name is letters, digits, - _ . and ends in .toml or .json (a payload decoder's in .js), with folders separated by /")]
    Name,
    /// It does not compile.
    #[error("{0}")]
    Profile(String),
    /// The disk.
    #[error("cannot write {path}: {cause}; check the folder's rights and space")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

/// The profiles of one folder; cheap to clone.
#[derive(Clone)]
pub struct Library {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    engine: Option<Arc<dyn Decode>>,
    present: RwLock<Arc<Profiles>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sources: Vec<(String, String)>,
    errors: Vec<ProfileError>,
    seen: Vec<(PathBuf, SystemTime, u64)>,
}

/// One file and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Name relative to the folder.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// What is wrong with it; empty if nothing is.
    pub error: String,
}

impl Library {
    /// Loads a folder, which is made if it is missing. Payload decoders are not run.
    #[must_use]
    pub fn load(folder: &Path) -> Self {
        Self::load_with(folder, None)
    }

    /// Loads a folder, which is made if it is missing; `engine` runs the payload decoders in it.
    #[must_use]
    pub fn load_with(folder: &Path, engine: Option<Arc<dyn Decode>>) -> Self {
        if let Err(error) = fs::create_dir_all(folder) {
            tracing::warn!("profiles: cannot make {}: {error}", folder.display());
        }
        let library = Self {
            inner: Arc::new(Inner {
                folder: folder.to_owned(),
                engine,
                present: RwLock::default(),
                state: Mutex::default(),
            }),
        };
        library.reload_if_changed();
        library
    }

    /// The profiles of now.
    #[must_use]
    pub fn profiles(&self) -> Arc<Profiles> {
        self.inner.present.read().clone()
    }

    /// Every file, by name.
    #[must_use]
    pub fn files(&self) -> Vec<Shelved> {
        let state = self.inner.state.lock();
        let error = |name: &str| {
            let about = state.errors.iter().filter(|error| error.file == name);
            about.map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let files = state.sources.iter();
        files
            .map(|(name, text)| Shelved { name: name.clone(), text: text.clone(), error: error(name) })
            .collect()
    }

    /// Compiles the present profiles with one file put in place of, or beside, the others; nothing
    /// is kept.
    ///
    /// # Errors
    /// [`LibraryError`] when the name is no file name or the text does not compile.
    pub fn try_out(&self, name: &str, text: &str) -> Result<Profiles, LibraryError> {
        check_name(name)?;
        let mut sources = self.inner.state.lock().sources.clone();
        match sources.iter_mut().find(|(other, _)| other == name) {
            Some((_, old)) => text.clone_into(old),
            None => sources.push((name.to_owned(), text.to_owned())),
        }
        sources.sort();
        let (profiles, errors) = Profiles::compile(&sources);
        match errors.iter().find(|error| error.file == name && !error.warning) {
            Some(error) => Err(LibraryError::Profile(error.to_string())),
            None => Ok(profiles.decoding_with(self.inner.engine.clone()).following(&self.profiles())),
        }
    }

    /// Keeps a profile: it is in force when this returns.
    ///
    /// # Errors
    /// [`LibraryError`] when it does not compile or can't be written; nothing is then changed.
    pub fn keep(&self, name: &str, text: &str) -> Result<(), LibraryError> {
        self.try_out(name, text)?;
        let path = self.inner.folder.join(name);
        let write = || -> std::io::Result<()> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            // Written beside and moved over, so that nobody ever reads half a file.
            let beside = path.with_extension("new");
            fs::write(&beside, text)?;
            fs::rename(&beside, &path)
        };
        write().map_err(|cause| LibraryError::Write { path: path.clone(), cause })?;
        self.reload_if_changed();
        Ok(())
    }

    /// Watches the folder and reloads what changed; runs until the task is ended.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let library = self.clone();
            if tokio::task::spawn_blocking(move || library.reload_if_changed()).await.is_err() {
                return;
            }
        }
    }

    /// Reloads the folder if any file in it changed; whether it did.
    pub fn reload_if_changed(&self) -> bool {
        let mut seen = Vec::new();
        list(&self.inner.folder, 0, &mut seen);
        seen.sort();
        let mut state = self.inner.state.lock();
        if seen == state.seen {
            return false;
        }
        let sources: Vec<(String, String)> =
            seen.iter().filter_map(|(path, ..)| read(&self.inner.folder, path)).collect();
        let (profiles, errors) = Profiles::compile(&sources);
        for error in &errors {
            tracing::warn!("profile left out or doubtful: {error}");
        }
        tracing::info!(files = sources.len(), "profiles loaded");
        *state = State { sources, errors, seen };
        let profiles = profiles.decoding_with(self.inner.engine.clone()).following(&self.profiles());
        *self.inner.present.write() = Arc::new(profiles);
        true
    }
}

fn list(folder: &Path, depth: usize, seen: &mut Vec<(PathBuf, SystemTime, u64)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(about) = entry.metadata() else { continue };
        let path = entry.path();
        if about.is_dir() && depth < 3 {
            list(&path, depth + 1, seen);
        } else if is_profile(&path) && about.len() <= FILE_BYTES_MAX {
            let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            seen.push((path, changed, about.len()));
        }
    }
}

fn is_profile(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml" || extension == "json" || extension == "js")
}

fn read(folder: &Path, path: &Path) -> Option<(String, String)> {
    let name = path.strip_prefix(folder).ok()?.to_str()?.to_owned();
    match fs::read_to_string(path) {
        Ok(text) => Some((name, text)),
        Err(error) => {
            tracing::warn!("profile {name} cannot be read: {error}");
            None
        }
    }
}

fn check_name(name: &str) -> Result<(), LibraryError> {
    let good = name.len() <= 128
        && is_profile(Path::new(name))
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        });
    if good { Ok(()) } else { Err(LibraryError::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_the_folder() {
        for (name, good) in [
            ("a.toml", true),
            ("iomt/x/devicecontent.json", true),
            ("../a.toml", false),
            ("/a.toml", false),
            (".hidden.toml", false),
            ("lorawan/a.js", true),
            ("a.sh", false),
            ("", false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name}");
        }
    }

    #[test]
    fn a_broken_file_is_reported_and_disturbs_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("bad.toml"), "nonsense = [").expect("written");
        let library = Library::load(folder.path());
        let files = library.files();
        assert_eq!(files.len(), 1);
        assert!(!files[0].error.is_empty());
        assert!(library.keep("worse.toml", "also nonsense").is_err());
        assert!(!folder.path().join("worse.toml").exists());
    }

    const PROFILE: &str = "format = \"json\"\n[match]\ntopic = \"x/{device}\"\n[device]\n\
        topic = \"device\"\n[[measurement]]\nmetric = \"MDC_ECG_HEART_RATE\"\nvalue = \"$.hr\"\n";

    #[test]
    fn a_folder_is_followed_while_the_platform_runs() {
        let folder = tempfile::tempdir().expect("a folder");
        let library = Library::load(folder.path());
        assert!(library.files().is_empty());
        library.keep("ward/patch.toml", PROFILE).expect("kept");
        assert_eq!(library.files().len(), 1, "in force at once");
        assert!(!library.reload_if_changed(), "nothing changed since");
        let before = library.profiles();
        fs::write(folder.path().join("second.toml"), PROFILE.replace("x/", "y/")).expect("written");
        assert!(library.reload_if_changed());
        assert_eq!(library.files().len(), 2);
        assert!(!Arc::ptr_eq(&before, &library.profiles()));
        fs::remove_file(folder.path().join("ward/patch.toml")).expect("removed");
        assert!(library.reload_if_changed());
        let names: Vec<String> = library.files().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["second.toml"]);
    }

    #[test]
    fn trying_a_profile_out_keeps_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let library = Library::load(folder.path());
        assert!(library.try_out("patch.toml", PROFILE).is_ok());
        assert!(library.try_out("../patch.toml", PROFILE).is_err());
        assert!(library.files().is_empty() && fs::read_dir(folder.path()).expect("there").next().is_none());
    }
}
