//! How far engine and store have come in the journal, and waiting for either.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use vitals::Offset;

/// How far things have come.
pub struct Progress {
    judged: watch::Sender<Offset>,
    stored: watch::Sender<Offset>,
    wanted: Notify,
    store_refuses: AtomicBool,
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// It has come that far.
    Reached,
    /// Not in time.
    TimedOut,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            judged: watch::Sender::new(0),
            stored: watch::Sender::new(0),
            wanted: Notify::new(),
            store_refuses: AtomicBool::new(false),
        }
    }
}

impl Progress {
    /// The next entry that the engine will take in.
    #[must_use]
    pub fn judged(&self) -> Offset {
        *self.judged.borrow()
    }

    /// The next entry whose effects are not in the store yet.
    #[must_use]
    pub fn stored(&self) -> Offset {
        *self.stored.borrow()
    }

    /// Notes how far the engine is.
    pub fn set_judged(&self, next: Offset) {
        self.judged.send_replace(next);
    }

    /// Notes how far the store is.
    pub fn set_stored(&self, next: Offset) {
        self.stored.send_replace(next);
    }

    /// Notes whether the last attempt to write into the store failed.
    pub fn set_store_refuses(&self, refuses: bool) {
        self.store_refuses.store(refuses, Ordering::Relaxed);
    }

    /// Whether the last attempt to write into the store failed. It is tried again; the journal
    /// keeps everything meanwhile.
    #[must_use]
    pub fn store_refuses(&self) -> bool {
        self.store_refuses.load(Ordering::Relaxed)
    }

    /// Waits until the engine has taken in the entry at `offset`.
    pub async fn judge(&self, offset: Offset, within: Duration) -> Waited {
        wait(&self.judged, offset, within).await
    }

    /// Waits until everything that the engine has taken in by now is in the store; asks for it to
    /// be put there at once.
    pub async fn settle(&self, within: Duration) -> Waited {
        let judged = self.judged();
        if self.stored() >= judged {
            return Waited::Reached;
        }
        self.wanted.notify_one();
        wait(&self.stored, judged.saturating_sub(1), within).await
    }

    /// Returns when somebody asks for the store to catch up.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

async fn wait(sender: &watch::Sender<Offset>, offset: Offset, within: Duration) -> Waited {
    let mut receiver = sender.subscribe();
    let reached = receiver.wait_for(|next| *next > offset);
    match tokio::time::timeout(within, reached).await {
        Ok(Ok(_)) => Waited::Reached,
        _ => Waited::TimedOut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn whoever_waits_for_an_entry_is_woken_when_it_is_judged() {
        let progress = Arc::new(Progress::default());
        let waiting = Arc::clone(&progress);
        let waiter = tokio::spawn(async move { waiting.judge(7, LONG).await });
        progress.set_judged(7);
        progress.set_judged(8);
        assert_eq!(waiter.await.expect("not panicked"), Waited::Reached);
        assert_eq!(progress.judge(8, Duration::ZERO).await, Waited::TimedOut);
    }

    #[tokio::test]
    async fn settling_asks_the_store_to_catch_up_and_waits_for_it() {
        let progress = Arc::new(Progress::default());
        assert_eq!(progress.settle(LONG).await, Waited::Reached, "nothing to wait for");
        progress.set_judged(5);
        let store = Arc::clone(&progress);
        let keeper = tokio::spawn(async move {
            store.wanted().await;
            store.set_stored(5);
        });
        assert_eq!(progress.settle(LONG).await, Waited::Reached);
        keeper.await.expect("not panicked");
        progress.set_judged(6);
        assert_eq!(progress.settle(Duration::ZERO).await, Waited::TimedOut);
    }
}
