//! A public data set through the engine: each patient as a simulated monitor of their own.
//!
//! The hour's values are what the monitor says from that hour on until the next: it says them again
//! whenever something is to be judged (a duration is over, an alert goes on to the next), so that
//! nothing is judged by a stale value that a real monitor would have renewed. A value that the hour
//! has not is not said. Each patient has an engine of their own; patients are spread over threads.

mod columns;
mod psv;
mod stay;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use alert::Policy;

use crate::measure::Totals;
use crate::report::{Found, Measured};
use crate::{Candidate, EventRule, Events, LabError, Progress, Report, Settings};

/// The event that the data set tells: onset of sepsis, six hours after its label begins.
const SEPSIS: &str = "sepsis";
/// Files that a thread takes at a time.
const BLOCK: usize = 16;
/// Largest file that is read, in bytes: a stay of two years.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// A data set: one Challenge 2019 file (`.psv`) a patient.
#[derive(Debug, Clone)]
pub struct Cohort {
    files: Vec<PathBuf>,
    name: String,
}

impl Cohort {
    /// The files of these folders, in order of their names.
    ///
    /// # Errors
    /// [`LabError::File`] when a folder can't be read, [`LabError::Nothing`] when none holds such files.
    pub fn open(folders: &[PathBuf]) -> Result<Self, LabError> {
        let mut files = Vec::new();
        for folder in folders {
            let listed = std::fs::read_dir(folder).map_err(|error| LabError::file(folder, error))?;
            for entry in listed {
                let path = entry.map_err(|error| LabError::file(folder, error))?.path();
                if path.extension().is_some_and(|extension| extension == "psv") {
                    files.push(path);
                }
            }
        }
        files.sort_unstable();
        let name = |folder: &PathBuf| folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = folders.iter().filter_map(name).collect::<Vec<_>>().join(", ");
        if files.is_empty() {
            return Err(LabError::Nothing(format!("{name}: no files of the Challenge 2019 form (*.psv)")));
        }
        Ok(Self { files, name })
    }

    /// Patients.
    #[must_use]
    pub fn patients(&self) -> usize {
        self.files.len()
    }

    /// At most so many patients, taken evenly over all.
    #[must_use]
    pub fn sample(mut self, count: usize) -> Self {
        let all = self.files.len();
        if count < all {
            let mut files = std::mem::take(&mut self.files).into_iter().enumerate();
            let chosen = |(at, _): &(usize, PathBuf)| (at * count) / all != ((at + 1) * count) / all;
            self.files = files.by_ref().filter(chosen).map(|(_, path)| path).collect();
        }
        self
    }

    /// The events that are looked for when none are stated: beside the sepsis that the set tells,
    /// a mean pressure below 65 mmHg, and an oxygen saturation below 85 %, seen again an hour later.
    #[must_use]
    pub fn usual_events() -> Vec<EventRule> {
        let rule = |name: &str, when: &str| EventRule { name: name.into(), when: when.into(), for_s: 3_600.0 };
        vec![
            rule("low-pressure", "MDC_PRESS_BLD_NONINV_MEAN < 65"),
            rule("low-oxygen", "MDC_PULS_OXIM_SAT_O2 < 85"),
        ]
    }
}

/// Simulates a data set under each policy; the first is the present one. `threads` at least one.
///
/// # Errors
/// [`LabError`]: a file that cannot be read, an event that does not compile; [`LabError::Stopped`].
pub fn simulate(
    cohort: &Cohort,
    candidates: &[Candidate],
    rules: &[EventRule],
    settings: &Settings,
    threads: usize,
    progress: &Progress,
) -> Result<Report, LabError> {
    let events = Events::new(rules, &[SEPSIS])?;
    let policies: Vec<Arc<Policy>> = candidates.iter().map(|one| Arc::new(deaf(&one.policy))).collect();
    progress.expect(cohort.files.len() as u64);
    let next = AtomicUsize::new(0);
    let failed: Mutex<Option<LabError>> = Mutex::new(None);
    let work = || -> Result<Share, LabError> {
        let mut share = Share::new(policies.len(), events.names().len());
        let mut player = stay::Player::new(&policies, &events, settings);
        loop {
            let from = next.fetch_add(BLOCK, Ordering::Relaxed);
            let to = cohort.files.len().min(from + BLOCK);
            if from >= to {
                return Ok(share);
            }
            for at in from..to {
                progress.check()?;
                let stay = psv::parse(&cohort.files[at], &read(&cohort.files[at])?)?;
                let measured = player.play(&stay, &mut share.totals);
                share.patients.push((at, measured));
            }
            progress.add((to - from) as u64);
        }
    };
    let shares: Vec<Share> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1))
            .map(|_| {
                scope.spawn(|| {
                    work().map_err(|error| {
                        // Whoever fails first says why; the others find nothing more to do.
                        next.store(cohort.files.len(), Ordering::Relaxed);
                        failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                    })
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()?.ok()).collect()
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    Ok(found(candidates, &events, shares).report(settings, cohort.name.clone(), assumptions(settings)))
}

fn found<'a>(candidates: &'a [Candidate], events: &'a Events, shares: Vec<Share>) -> Found<'a> {
    let mut totals: Vec<Totals> = candidates.iter().map(|_| Totals::new(events.names().len())).collect();
    let mut patients = Vec::new();
    for share in shares {
        patients.extend(share.patients);
        for (all, part) in totals.iter_mut().zip(share.totals) {
            all.merge(part);
        }
    }
    // In the files' order, whichever thread took them.
    patients.sort_unstable_by_key(|(at, _)| *at);
    let patients = patients.into_iter().map(|(_, measured)| measured).collect();
    Found { candidates, kinds: events.names(), patients, totals, dated: false, observed: false }
}

fn assumptions(settings: &Settings) -> Vec<String> {
    let answered = match settings.answered_after_s {
        median if median > 0.0 => format!("each alert is taken after a time drawn for it, {median} s in the median"),
        _ => "nobody takes an alert".to_owned(),
    };
    vec![
        "hourly rows: a value stands for its hour, and the monitor repeats it".to_owned(),
        answered,
        "silence of devices is not judged: the tables do not tell it".to_owned(),
        "hours have no time of day: nights are not told apart".to_owned(),
    ]
}

/// What one thread found.
struct Share {
    patients: Vec<(usize, Measured)>,
    totals: Vec<Totals>,
}

impl Share {
    fn new(policies: usize, kinds: usize) -> Self {
        Self { patients: Vec::new(), totals: (0..policies).map(|_| Totals::new(kinds)).collect() }
    }
}

/// A table by the hour says nothing of a monitor's silence.
fn deaf(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    policy.gap.after_us = i64::MAX / 4;
    policy
}

fn read(path: &Path) -> Result<String, LabError> {
    let size = std::fs::metadata(path).map_err(|error| LabError::file(path, error))?.len();
    if size > FILE_BYTES_MAX {
        return Err(LabError::file(path, "is larger than a patient's file can be"));
    }
    std::fs::read_to_string(path).map_err(|error| LabError::file(path, error))
}
