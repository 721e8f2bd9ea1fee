//! Outcomes on their way back to a connection: one queue a connection, one wake-up a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::Outcome;

/// Collects the outcomes of one connection's drafts, in commit order. One task waits on it.
#[derive(Debug, Default)]
pub struct AckQueue {
    ready: Mutex<Vec<(u64, Outcome)>>,
    notify: Notify,
    marked: AtomicBool,
    in_order: bool,
    broken: AtomicBool,
}

impl AckQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// An empty queue of a connection that ends with the first draft that can't be written: what it has queued behind that one is
    /// not written either, so that what is sent again on the next connection stays in order (DU-1).
    #[must_use]
    pub fn in_order() -> Arc<Self> {
        Arc::new(Self { in_order: true, ..Self::default() })
    }

    /// Whether a draft was not written and none behind it may be.
    pub(crate) fn broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Waits until there is an outcome, and takes all that are ready with their tokens. Dropping
    /// the future loses nothing.
    pub async fn wait(&self) -> Vec<(u64, Outcome)> {
        loop {
            let ready = self.take();
            if !ready.is_empty() {
                return ready;
            }
            self.notify.notified().await;
        }
    }

    /// Takes what is ready now; maybe nothing.
    #[must_use]
    pub fn take(&self) -> Vec<(u64, Outcome)> {
        std::mem::take(&mut *self.ready.lock())
    }

    /// Adds an outcome; true when the queue must be woken once the commit is through.
    pub(crate) fn push(&self, token: u64, outcome: Outcome) -> bool {
        if self.in_order && matches!(outcome, Outcome::Failed(_)) {
            self.broken.store(true, Ordering::Release);
        }
        self.ready.lock().push((token, outcome));
        !self.marked.swap(true, Ordering::AcqRel)
    }

    /// Adds the outcome of something that is kept elsewhere than in the journal, and wakes the
    /// waiting task.
    pub fn settle(&self, token: u64, outcome: Outcome) {
        self.push(token, outcome);
        self.wake();
    }

    /// Wakes the waiting task.
    pub(crate) fn wake(&self) {
        self.marked.store(false, Ordering::Release);
        self.notify.notify_one();
    }
}
