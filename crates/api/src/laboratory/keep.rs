//! Runs: one at a time, on a thread that leaves the processors to everybody else; those that ended, with
//! what they found, until there are newer ones.

use std::sync::Arc;
use std::time::Instant;

use laboratory::{Candidate, LabError, Progress};
use parking_lot::Mutex;

use super::archive::Archive;
use super::dto::{LaboratoryAsked, LaboratoryProgress, LaboratoryResult, LaboratoryRun};
use super::work::Differing;
use crate::error::ApiError;

/// Runs kept, the one that goes on among them.
const KEPT: usize = 10;

const BUSY: &str =
    "a run goes on: one at a time, so that patients' alerts are not slowed; wait for it, or cancel it";

/// What a run leaves behind.
pub(super) struct Found {
    pub(super) result: LaboratoryResult,
    /// The policies, in the order of the report.
    pub(super) candidates: Vec<Candidate>,
    /// Alerts one by one, for each candidate after the present.
    pub(super) differing: Vec<Differing>,
    /// BLAKE3 of the policy that was in force when it was asked for.
    pub(super) parent: String,
}

enum State {
    Running,
    Done(Arc<Found>),
    Failed(String),
    Cancelled,
    /// The program ended while it went on.
    Interrupted,
}

struct Run {
    id: i64,
    by: String,
    started: Instant,
    started_ms: i64,
    /// Seconds that it took, once it is over.
    took_s: Option<f64>,
    asked: LaboratoryAsked,
    progress: Arc<Progress>,
    /// How far it came, of one from before a restart.
    told: Option<LaboratoryProgress>,
    state: State,
}

/// The runs; clones share them.
#[derive(Clone, Default)]
pub(super) struct Runs {
    runs: Arc<Mutex<Vec<Run>>>,
    /// Where they outlive the program.
    archive: Option<Archive>,
}

impl Runs {
    /// Those that are kept here; one that went on when the program ended is over.
    pub(super) fn of(archive: Archive) -> Self {
        let kept = archive.load().unwrap_or_else(|error| {
            tracing::error!("laboratory: earlier runs cannot be read: {error}");
            Vec::new()
        });
        let runs = kept.into_iter().map(|(run, found)| Run::again(run, found)).collect();
        Self { runs: Arc::new(Mutex::new(runs)), archive: Some(archive) }
    }

    /// The run that goes on.
    pub(super) fn running(&self) -> Option<i64> {
        self.runs.lock().iter().find(|run| matches!(run.state, State::Running)).map(|run| run.id)
    }

    /// Refuses while a run goes on.
    pub(super) fn free(&self) -> Result<(), ApiError> {
        match self.running() {
            None => Ok(()),
            Some(_) => Err(ApiError::Conflict(BUSY.to_owned())),
        }
    }

    /// Begins a run: `work` is done on a thread of its own. It is in the archive on return; that may block.
    pub(super) fn start(
        &self,
        (by, asked, now_ms): (&str, LaboratoryAsked, i64),
        work: impl FnOnce(&Progress) -> Result<Found, LabError> + Send + 'static,
    ) -> Result<i64, ApiError> {
        let progress = Arc::new(Progress::default());
        let (id, old) = {
            let mut runs = self.runs.lock();
            if runs.iter().any(|run| matches!(run.state, State::Running)) {
                return Err(ApiError::Conflict(BUSY.to_owned()));
            }
            // Later than any other, also within a millisecond.
            let id = runs.iter().map(|run| run.id + 1).fold(now_ms, i64::max);
            let old: Vec<i64> = runs.iter().skip(KEPT - 1).map(|run| run.id).collect();
            runs.truncate(KEPT - 1);
            runs.insert(0, Run {
                id,
                by: by.to_owned(),
                started: Instant::now(),
                started_ms: now_ms,
                took_s: None,
                asked,
                progress: Arc::clone(&progress),
                told: None,
                state: State::Running,
            });
            (id, old)
        };
        old.into_iter().for_each(|old| self.forget(old));
        // Whoever is told that it goes on finds it after a restart.
        self.keep(id);
        let kept = self.clone();
        let thread = std::thread::Builder::new().name("laboratory".to_owned()).spawn(move || {
            let ending = Ending { runs: &kept, id };
            give_way();
            ending.with(work(&progress));
        });
        if let Err(error) = thread {
            self.runs.lock().retain(|run| run.id != id);
            self.forget(id);
            return Err(ApiError::unavailable(&format!("no thread for the laboratory: {error}")));
        }
        Ok(id)
    }

    fn end(&self, id: i64, state: State) {
        if let Some(run) = self.runs.lock().iter_mut().find(|run| run.id == id) {
            run.took_s = Some(run.started.elapsed().as_secs_f64());
            run.state = state;
        }
        self.keep(id);
    }

    /// Puts a run as it is now into the archive.
    fn keep(&self, id: i64) {
        let Some(archive) = &self.archive else { return };
        let now = self.runs.lock().iter().find(|run| run.id == id).map(|run| {
            let found = if let State::Done(found) = &run.state { Some(Arc::clone(found)) } else { None };
            (run.view(true), found)
        });
        let Some((run, found)) = now else { return };
        if let Err(error) = archive.keep(&run, found.as_deref()) {
            tracing::error!("laboratory: a run is not kept beyond the next restart: {error}");
        }
        // Somebody may have had it forgotten meanwhile.
        if !self.runs.lock().iter().any(|run| run.id == id) {
            self.forget(id);
        }
    }

    fn forget(&self, id: i64) {
        if let Some(Err(error)) = self.archive.as_ref().map(|archive| archive.forget(id)) {
            tracing::error!("laboratory: a run cannot be forgotten: {error}");
        }
    }

    /// All, newest first, without results.
    pub(super) fn list(&self) -> Vec<LaboratoryRun> {
        self.runs.lock().iter().map(|run| run.view(false)).collect()
    }

    /// One, with its result.
    pub(super) fn get(&self, id: i64) -> Option<LaboratoryRun> {
        self.runs.lock().iter().find(|run| run.id == id).map(|run| run.view(true))
    }

    /// What a run found: none when there is no such run; a conflict when it found nothing yet.
    pub(super) fn found(&self, id: i64) -> Result<Arc<Found>, ApiError> {
        let runs = self.runs.lock();
        match runs.iter().find(|run| run.id == id).map(|run| &run.state) {
            None => Err(ApiError::NotFound("run")),
            Some(State::Done(found)) => Ok(Arc::clone(found)),
            Some(_) => Err(ApiError::Conflict("the run has no result: it goes on, failed, was cancelled or ended by a restart".to_owned())),
        }
    }

    /// Cancels a run that goes on; forgets one that is over. Whether there was one.
    pub(super) fn cancel(&self, id: i64) -> bool {
        let mut runs = self.runs.lock();
        let Some(at) = runs.iter().position(|run| run.id == id) else { return false };
        if matches!(runs[at].state, State::Running) {
            runs[at].progress.stop();
        } else {
            runs.remove(at);
            drop(runs);
            self.forget(id);
        }
        true
    }
}

/// A run always ends, also when its thread falls.
struct Ending<'a> {
    runs: &'a Runs,
    id: i64,
}

impl Ending<'_> {
    fn with(self, result: Result<Found, LabError>) {
        self.runs.end(self.id, match result {
            Ok(found) => State::Done(Arc::new(found)),
            Err(LabError::Stopped) => State::Cancelled,
            Err(error) => {
                tracing::warn!("laboratory: a run failed: {error}");
                State::Failed(error.to_string())
            }
        });
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if self.runs.running() == Some(self.id) {
            self.runs.end(self.id, State::Failed("the run broke off; the log says why".to_owned()));
        }
    }
}

impl Run {
    /// One from before a restart.
    fn again(run: LaboratoryRun, found: Option<Found>) -> Self {
        let state = match (run.state.as_str(), found) {
            ("done", Some(found)) => State::Done(Arc::new(found)),
            ("failed", _) => State::Failed(run.error.unwrap_or_default()),
            ("cancelled", _) => State::Cancelled,
            _ => State::Interrupted,
        };
        Self {
            id: run.id,
            by: run.by,
            started: Instant::now(),
            started_ms: run.started_ms,
            took_s: Some(run.progress.seconds),
            asked: run.asked,
            progress: Arc::default(),
            told: Some(LaboratoryProgress { left_s: None, ..run.progress }),
            state,
        }
    }

    fn view(&self, whole: bool) -> LaboratoryRun {
        let seconds = self.took_s.unwrap_or_else(|| self.started.elapsed().as_secs_f64());
        let (state, error, result) = match &self.state {
            State::Running => ("running", None, None),
            State::Done(found) => ("done", None, whole.then(|| found.result.clone())),
            State::Failed(error) => ("failed", Some(error.clone()), None),
            State::Cancelled => ("cancelled", None, None),
            State::Interrupted => ("interrupted", None, None),
        };
        // When the program ended nobody noted.
        let took_s = self.took_s.filter(|_| !matches!(self.state, State::Interrupted));
        LaboratoryRun {
            id: self.id,
            title: self.asked.title.clone(),
            by: self.by.clone(),
            state: state.to_owned(),
            started_ms: self.started_ms,
            ended_ms: took_s.map(|took| self.started_ms + (took * 1_000.0) as i64),
            asked: self.asked.clone(),
            progress: self.told.unwrap_or_else(|| progress(&self.progress, seconds, self.took_s.is_some())),
            error,
            result,
        }
    }
}

fn progress(progress: &Progress, seconds: f64, over: bool) -> LaboratoryProgress {
    let (done, total) = progress.so_far();
    let share = if total == 0 { 0.0 } else { (done as f64 / total as f64).min(1.0) };
    // Of the first moments nothing can be said.
    let left_s = (!over && share > 0.02 && seconds > 1.0).then(|| seconds * (1.0 - share) / share);
    LaboratoryProgress { done, total, share, seconds, left_s }
}

/// Makes this thread, and those that it starts, the last in line for a processor.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19) {
        tracing::warn!("laboratory: a run could not be given a low priority: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn until(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !what() {
            assert!(Instant::now() < end, "it takes too long");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Goes on until it is cancelled.
    fn endless(progress: &Progress) -> Result<Found, LabError> {
        loop {
            progress.check()?;
            std::thread::yield_now();
        }
    }

    fn start(runs: &Runs, work: impl FnOnce(&Progress) -> Result<Found, LabError> + Send + 'static) -> Result<i64, ApiError> {
        runs.start(("anna", LaboratoryAsked::default(), 7), work)
    }

    fn state(runs: &Runs, id: i64) -> String {
        runs.get(id).expect("it is kept").state
    }

    #[test]
    fn one_runs_at_a_time_and_can_be_cancelled() {
        let runs = Runs::default();
        let first = start(&runs, endless).expect("begins");
        assert_eq!((state(&runs, first).as_str(), runs.running()), ("running", Some(first)));
        assert!(matches!(start(&runs, endless), Err(ApiError::Conflict(_))));
        assert!(matches!(runs.free(), Err(ApiError::Conflict(_))));
        assert!(matches!(runs.found(first), Err(ApiError::Conflict(_))));
        assert!(runs.cancel(first));
        until(|| state(&runs, first) == "cancelled");
        assert!(runs.get(first).is_some_and(|run| run.ended_ms.is_some() && run.progress.left_s.is_none()));
        let second = start(&runs, endless).expect("begins");
        assert!(second > first, "also within the same millisecond");
        assert!(runs.cancel(second) && !runs.cancel(9_999));
        until(|| runs.running().is_none());
        assert!(runs.cancel(second) && runs.get(second).is_none(), "what is over is forgotten");
    }

    #[test]
    fn a_run_that_fails_or_falls_is_over() {
        let runs = Runs::default();
        let failed = start(&runs, |_| Err(LabError::Nothing("nothing there".to_owned()))).expect("begins");
        until(|| state(&runs, failed) == "failed");
        assert_eq!(runs.get(failed).and_then(|run| run.error).as_deref(), Some("nothing there"));
        let fallen = start(&runs, |_| panic!("a test lets it fall")).expect("begins");
        until(|| state(&runs, fallen) == "failed");
        for _ in 0..KEPT {
            start(&runs, |_| Err(LabError::Stopped)).expect("begins");
            until(|| runs.running().is_none());
        }
        assert_eq!((runs.list().len(), runs.get(failed).is_none()), (KEPT, true), "the oldest go");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_run_is_last_in_line_for_a_processor_with_all_its_threads() {
        let (told, hears) = std::sync::mpsc::channel();
        let runs = Runs::default();
        let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).ok();
        let before = nice();
        let work = move |_: &Progress| {
            let child = std::thread::spawn(nice).join().ok().flatten();
            told.send((nice(), child)).expect("heard");
            Err(LabError::Stopped)
        };
        start(&runs, work).expect("begins");
        assert_eq!(hears.recv().expect("told"), (Some(19), Some(19)));
        assert_eq!(nice(), before, "nobody else is");
    }
}
