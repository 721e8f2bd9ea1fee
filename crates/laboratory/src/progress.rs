//! How far a run is, seen and stopped from outside.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::LabError;

/// How far a run is. Whoever shares it with the run can look, and can stop the run.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// Done so far and in all: patients of a data set, entries of a journal.
    #[must_use]
    pub fn so_far(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Asks the run to stop; it then ends with [`LabError::Stopped`].
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    /// Ends a run that was asked to stop.
    ///
    /// # Errors
    /// [`LabError::Stopped`].
    pub fn check(&self) -> Result<(), LabError> {
        if self.stop.load(Ordering::Relaxed) { Err(LabError::Stopped) } else { Ok(()) }
    }
}
