//! Where records are: in the folders that are given, or in folders in them (`training_setA`, a hospital each).

use std::path::{Path, PathBuf};

use super::{CohortError, challenge2012, listed};

/// Levels below a given folder that are looked into.
const LEVELS: usize = 4;

/// A folder with records.
pub(super) struct Folder {
    /// What it is called in tables.
    pub name: String,
    /// Its records.
    pub records: Records,
}

/// Records of one of the data sets.
pub(super) enum Records {
    /// Files of the Challenge 2019.
    Hourly(Vec<PathBuf>),
    /// Of the Challenge 2012.
    Outcomes(challenge2012::Outcomes),
}

/// Every folder with records, in the order given, and by name below.
pub(super) fn folders(given: &[PathBuf]) -> Result<Vec<Folder>, CohortError> {
    let mut found = Vec::new();
    for folder in given {
        let before = found.len();
        let name = folder.file_name().map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned());
        look(folder, &name, LEVELS, &mut found)?;
        if found.len() == before {
            return Err(CohortError::Nothing(folder.clone()));
        }
        if given.len() == 1 {
            let within = format!("{name}/");
            found.iter_mut().for_each(|one: &mut Folder| one.name = one.name.strip_prefix(&within).unwrap_or(&one.name).to_owned());
        }
    }
    Ok(found)
}

fn look(folder: &Path, name: &str, levels: usize, found: &mut Vec<Folder>) -> Result<(), CohortError> {
    let files = listed(folder)?;
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|path| path.is_dir());
    let hourly: Vec<PathBuf> = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "psv")).cloned().collect();
    if !hourly.is_empty() {
        found.push(Folder { name: name.to_owned(), records: Records::Hourly(hourly) });
    } else if let Some(outcomes) = challenge2012::outcomes(folder, &files)? {
        found.push(Folder { name: name.to_owned(), records: Records::Outcomes(outcomes) });
        return Ok(());
    }
    for below in folders.iter().filter(|_| levels > 0) {
        let own = below.file_name().map_or_else(String::new, |own| own.to_string_lossy().into_owned());
        look(below, &format!("{name}/{own}"), levels - 1, found)?;
    }
    Ok(())
}
