//! Whose turn it is (DU-3). A device that keeps to a monitor's rhythm goes first: its messages
//! take the journal's steady lane and are acted on at once. Whoever sends more waits for one of a
//! few turns before each burst, so that at no time more than a few of them keep the program busy,
//! and their bytes wait in their own sockets.
//!
//! What is absent: any limit. A sender alone on the program gets all of it, however much it sends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use journal::Lane;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Messages a second that count as a monitor's rhythm…
const PER_S: f64 = 5.0;
/// …and how many may come at once after a pause.
const AT_ONCE: f64 = 20.0;

type Queueing = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// The turns that those who exceed the rhythm share: two for each processor.
pub(super) fn turns() -> Arc<Semaphore> {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    Arc::new(Semaphore::new(processors.max(2) * 2))
}

/// The pace of one connection.
pub(super) struct Pace {
    allowed: f64,
    filled: Instant,
    /// Token of the last message that did not go by the steady lane.
    hindmost: Option<u64>,
    turn: Option<OwnedSemaphorePermit>,
    queueing: Option<Queueing>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            allowed: AT_ONCE,
            filled: Instant::now(),
            hindmost: None,
            turn: None,
            queueing: None,
        }
    }
}

impl Pace {
    /// Called before packets are acted on; without a turn at hand, queues up for one where one is
    /// needed. `settled` is the first token that is not settled yet.
    pub(super) fn begin(&mut self, turns: &Arc<Semaphore>, settled: u64) -> bool {
        let now = Instant::now();
        let passed = now.duration_since(self.filled).as_secs_f64();
        self.allowed = (self.allowed + passed * PER_S).min(AT_ONCE);
        self.filled = now;
        if self.may_go_on(settled) {
            return true;
        }
        if self.queueing.is_none() {
            match Arc::clone(turns).try_acquire_owned() {
                Ok(turn) => self.turn = Some(turn),
                Err(_) => self.queueing = Some(Box::pin(Arc::clone(turns).acquire_owned())),
            }
        }
        self.turn.is_some()
    }

    /// Whether the next packet may be acted on.
    pub(super) fn may_go_on(&self, settled: u64) -> bool {
        self.turn.is_some() || self.keeps(settled)
    }

    /// The lane of the next message. The steady one only while nothing of the sender waits in a
    /// later one: the order per device stays (DU-1).
    pub(super) fn lane(&mut self, token: u64, settled: u64) -> Lane {
        if self.keeps(settled) {
            self.allowed -= 1.0;
            return Lane::Steady;
        }
        self.hindmost = Some(token);
        Lane::Numeric
    }

    /// Whether a turn is waited for.
    pub(super) const fn waits(&self) -> bool {
        self.queueing.is_some()
    }

    /// Waits for the turn. Dropping the future loses no place.
    pub(super) async fn wait(&mut self) {
        if let Some(queueing) = &mut self.queueing {
            // Never closed; if it were, nobody would have to wait.
            self.turn = queueing.await.ok();
            self.queueing = None;
        } else {
            std::future::pending().await
        }
    }

    /// What was acted on has its place in the journal's queue: the next one's turn.
    pub(super) fn end(&mut self) {
        self.turn = None;
    }

    fn keeps(&self, settled: u64) -> bool {
        self.allowed >= 1.0 && self.hindmost.is_none_or(|token| token < settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_floods_waits_for_a_turn_and_keeps_the_order() {
        let turns = Arc::new(Semaphore::new(1));
        let (mut flood, mut other) = (Pace::default(), Pace::default());
        for token in 0..AT_ONCE as u64 {
            assert!(flood.begin(&turns, 0));
            assert_eq!(flood.lane(token, 0), Lane::Steady);
        }
        assert!(!flood.may_go_on(0));
        assert!(flood.begin(&turns, 0), "a turn is free");
        assert_eq!(flood.lane(20, 0), Lane::Numeric);
        flood.allowed = PER_S;
        assert!(flood.begin(&turns, 0));
        // Its allowance has grown again, but what went before is not settled yet.
        assert_eq!(flood.lane(21, 20), Lane::Numeric);
        assert_eq!(flood.lane(22, 22), Lane::Steady);
        // Meanwhile another one that floods has to wait, and one that does not has not.
        other.allowed = 0.0;
        assert!(!other.begin(&turns, 0) && other.waits());
        assert!(Pace::default().begin(&turns, 0));
        flood.end();
        other.wait().await;
        assert!(other.may_go_on(0) && !other.waits());
    }
}
