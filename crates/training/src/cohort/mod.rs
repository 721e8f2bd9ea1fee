//! Patients of a public data set, as read from the folders that were given, or from the folders in them. A record that
//! can't be read is an error with its name and line, or counted among those left out; it is never left out silently.

mod challenge2012;
mod challenge2019;
mod find;

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
    /// Which of the folders with records it came from, from 0.
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
    /// There are records, and none can be used.
    #[error("none of {count} records can be read; the first: {first}")]
    NoneReadable {
        /// How many there are.
        count: usize,
        /// What is wrong with the first.
        first: Box<Self>,
    },
}

impl CohortError {
    /// What is wrong, without saying where.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Io { source, .. } => source.to_string(),
            Self::Record { what, .. } => what.clone(),
            Self::Nothing(_) | Self::NoneReadable { .. } => "no records".to_owned(),
        }
    }
}

/// Patients, where they came from, and what could not be read.
#[derive(Debug)]
pub struct Cohort {
    /// The patients, folder after folder in the order of the records' names.
    pub stays: Vec<Stay>,
    /// What the folders with records are called: a folder that was given by its own name, one in it by its path from there.
    pub folders: Vec<String>,
    /// Records that can't be used, and why.
    pub left_out: Vec<CohortError>,
}

/// The patients of some folders, in the order of their names. Each holds, itself or in folders down to the fourth level,
/// `.psv` records of the Challenge 2019, or `Outcomes-?.txt` beside (or in the folder above) the records of the Challenge
/// 2012.
///
/// # Errors
/// Which folder or file can't be read.
pub fn read(folders: &[PathBuf], threads: usize) -> Result<Vec<Stay>, CohortError> {
    gather(folders, threads)?.whole().map(|cohort| cohort.stays)
}

/// The same, where records that can't be used are left out and told.
///
/// # Errors
/// Which folder can't be read or holds no records, or that no record can be used.
pub fn gather(folders: &[PathBuf], threads: usize) -> Result<Cohort, CohortError> {
    let mut cohort = Cohort { stays: Vec::new(), folders: Vec::new(), left_out: Vec::new() };
    for folder in find::folders(folders)? {
        let source = cohort.folders.len();
        let records = match &folder.records {
            find::Records::Hourly(files) => challenge2019::read(files, source, threads),
            find::Records::Outcomes(outcomes) => challenge2012::read(outcomes, source, threads),
        };
        cohort.folders.push(folder.name);
        for record in records {
            match record {
                Ok(stay) => cohort.stays.push(stay),
                Err(error) => cohort.left_out.push(error),
            }
        }
    }
    if cohort.stays.is_empty() {
        let count = cohort.left_out.len();
        let first = cohort.left_out.into_iter().next();
        return Err(match first {
            Some(first) => CohortError::NoneReadable { count, first: Box::new(first) },
            None => CohortError::Nothing(folders.first().cloned().unwrap_or_default()),
        });
    }
    Ok(cohort)
}

impl Cohort {
    /// The same if nothing was left out.
    ///
    /// # Errors
    /// What is wrong with the first record that was.
    pub fn whole(mut self) -> Result<Self, CohortError> {
        if self.left_out.is_empty() { Ok(self) } else { Err(self.left_out.swap_remove(0)) }
    }
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
