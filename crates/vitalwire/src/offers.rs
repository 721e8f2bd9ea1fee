//! What devices take as commands: the program's own, and the files of a folder, read again when one of
//! them changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use command::{Catalogue, Shelf};
use guard::{Guard, Outcome, Record};

use crate::clock::clock;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// A file as it was seen: its size and when it was written.
type File = (PathBuf, u64, Option<SystemTime>);

/// The catalogue at the start. A file with a fault is said and left out.
pub(crate) fn at_start(folder: &Path) -> Catalogue {
    let mut catalogue = Catalogue::built_in();
    for (path, ..) in look(folder) {
        if let Err(error) = add(&mut catalogue, &path) {
            tracing::error!("commands: {error}; it is left out");
        }
    }
    catalogue
}

/// Reads the folder again when it changes, for as long as it is polled. A change with a fault in it changes
/// nothing; both are in the audit log.
pub(crate) async fn follow(folder: PathBuf, shelf: Arc<Shelf>, guard: Guard) {
    let mut before = look(&folder);
    loop {
        tokio::time::sleep(EVERY).await;
        let now = look(&folder);
        if now == before {
            continue;
        }
        // Somebody may be writing still: what is read must be what was seen twice.
        tokio::time::sleep(EVERY / 4).await;
        if look(&folder) != now {
            continue;
        }
        let names: Vec<String> = now.iter().map(|(path, ..)| name(path)).collect();
        let (outcome, detail, catalogue) = match again(&now) {
            Ok(catalogue) => (Outcome::Allowed, format!("in force: {}", names.join(", ")), Some(catalogue)),
            Err(error) => (Outcome::Failed, format!("nothing changed: {error}"), None),
        };
        let record = Record {
            object: "what devices take as commands".to_owned(),
            detail: detail.clone(),
            outcome,
            ..Record::new(clock(), "system", "change-device-commands")
        };
        // No record, no change: it is tried again.
        if let Err(error) = guard.audit(record).await {
            tracing::error!("commands: not read again, for it cannot be recorded: {error}");
            continue;
        }
        match catalogue {
            Some(catalogue) => {
                tracing::info!("commands: {detail}");
                shelf.put(catalogue);
            }
            None => tracing::error!("commands: {detail}"),
        }
        before = now;
    }
}

fn again(files: &[File]) -> Result<Catalogue, String> {
    let mut catalogue = Catalogue::built_in();
    files.iter().try_for_each(|(path, ..)| add(&mut catalogue, path))?;
    Ok(catalogue)
}

fn add(catalogue: &mut Catalogue, path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let added = text.and_then(|text| catalogue.add(&text).map_err(|error| error.to_string()));
    added.map_err(|error| format!("{}: {error}", name(path)))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn look(folder: &Path) -> Vec<File> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let seen = |path: PathBuf| {
        let about = std::fs::metadata(&path).ok();
        let size = about.as_ref().map_or(0, std::fs::Metadata::len);
        (path, size, about.and_then(|about| about.modified().ok()))
    };
    let mut files: Vec<File> = entries.flatten().map(|entry| entry.path()).filter(ours).map(seen).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_fault_is_left_out_at_the_start_and_changes_nothing_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        let good = "[[profile]]\nmanufacturer = \"A\"\nmodels = [\"P\"]\n";
        write("a.toml", good);
        write("notes.txt", "not read");
        let before = look(folder.path());
        assert_eq!(before.len(), 1);
        assert!(again(&before).is_ok());
        write("b.toml", "colour = 1");
        let now = look(folder.path());
        assert_ne!(now, before);
        assert!(again(&now).is_err_and(|error| error.starts_with("b.toml: ")));
        assert_eq!(at_start(folder.path()), again(&before).expect("good"));
        assert_eq!(at_start(&folder.path().join("none")), Catalogue::built_in());
    }
}
