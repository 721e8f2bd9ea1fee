//! Patients of a public data set, as read from the folder that was given. A record that can't be read is an error with
//! its name and line, never left out.

mod challenge2012;
mod challenge2019;

use std::path::{Path, PathBuf};

use predict::{History, Person, Variable};

use crate::draw::hash;

/// Microseconds in a minute.
const MINUTE_US: i64 = 60_000_000;

/// A value of one patient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// Minutes from the beginning of the stay.
    pub minute: u32,
    /// What was measured.
    pub variable: Variable,
    /// How much, in the variable's unit.
    pub value: f32,
}

/// One patient's stay.
#[derive(Debug, Clone, PartialEq)]
pub struct Stay {
    /// Name of the record.
    pub id: String,
    /// Which of the folders it came from, from 0.
    pub source: usize,
    /// Facts of the person.
    pub person: Person,
    /// What was measured, in order of time.
    pub values: Vec<Value>,
    /// The minutes at which a prediction is asked for, in order.
    pub moments: Vec<u32>,
    /// What became of the patient.
    pub fate: Fate,
}

/// What is known of the outcome.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// By moment: whether sepsis begins within six hours or has begun (Challenge 2019).
    Sepsis(Vec<bool>),
    /// Whether the patient died in the hospital (Challenge 2012).
    Died(bool),
}

/// Why data can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CohortError {
    /// The folder or a file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A record is not as its Challenge describes it.
    #[error("{path}, line {line}: {what}")]
    Record {
        /// Which.
        path: PathBuf,
        /// Line from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The folder holds neither data set.
    #[error("{0}: neither records of the Challenge 2019 (p000001.psv …) nor of 2012 (Outcomes-a.txt beside set-a) are there")]
    Nothing(PathBuf),
}

/// The patients of some folders, in the order of their names. Each holds `.psv` records of the Challenge 2019, or
/// `Outcomes-?.txt` beside (or in the folder above) the records of the Challenge 2012.
///
/// # Errors
/// Which folder or file can't be read.
pub fn read(folders: &[PathBuf], threads: usize) -> Result<Vec<Stay>, CohortError> {
    let mut stays = Vec::new();
    for (source, folder) in folders.iter().enumerate() {
        let files = listed(folder)?;
        let records: Vec<&PathBuf> = files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "psv")).collect();
        if !records.is_empty() {
            stays.extend(challenge2019::read(&records, source, threads)?);
        } else if let Some(outcomes) = challenge2012::outcomes(folder, &files)? {
            stays.extend(challenge2012::read(&outcomes, source, threads)?);
        } else {
            return Err(CohortError::Nothing(folder.clone()));
        }
    }
    Ok(stays)
}

impl Stay {
    /// Which of `folds` parts the patient belongs to: by a hash of the name, the same in every run.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "below `folds`")]
    pub fn fold(&self, folds: usize) -> usize {
        (hash(&self.id) % folds as u64) as usize
    }

    /// The same for another partition of the patients, numbered from 1; 0 is [`Self::fold`].
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "below `folds`")]
    pub fn fold_of(&self, partition: u32, folds: usize) -> usize {
        if partition == 0 { self.fold(folds) } else { (hash(&format!("{}/{partition}", self.id)) % folds as u64) as usize }
    }

    /// Goes through the stay as the bedside would see it: `at` hears the history at each moment, when everything up to
    /// it is known and nothing after.
    pub fn replay(&self, mut at: impl FnMut(usize, &History)) {
        let mut history = History::new(self.person, 0);
        let mut next = 0;
        for (number, moment) in self.moments.iter().enumerate() {
            while let Some(value) = self.values.get(next).filter(|value| value.minute <= *moment) {
                history.observe(value.variable, i64::from(value.minute) * MINUTE_US, value.value);
                next += 1;
            }
            history.advance(i64::from(*moment) * MINUTE_US);
            at(number, &history);
        }
    }

    /// The moment of onset of sepsis if it is known, as the Challenge 2019 defines it: six hours after the label begins,
    /// also when the record ends before.
    #[must_use]
    pub fn onset(&self) -> Option<usize> {
        match &self.fate {
            Fate::Sepsis(labels) => labels.iter().position(|label| *label).map(|first| first + 6),
            Fate::Died(_) => None,
        }
    }
}

/// The files of a folder in the order of their names.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, CohortError> {
    let io = |source| CohortError::Io { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        files.push(entry.map_err(io)?.path());
    }
    files.sort();
    Ok(files)
}

fn text_of(path: &Path) -> Result<String, CohortError> {
    std::fs::read_to_string(path).map_err(|source| CohortError::Io { path: path.to_owned(), source })
}

/// Does the same to each of many things on several threads; results are in order.
pub(crate) fn spread<T: Sync, R: Send>(items: &[T], threads: usize, of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    let of = &of;
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            items.chunks(share).map(|part| scope.spawn(move || part.iter().map(of).collect::<Vec<R>>())).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests;
