//! Handshakes take turns: their arithmetic never has more than half of the machine, so that a
//! thousand devices that come back at once do not keep those that are connected from being
//! acknowledged. A turn lasts one step; who waits for bytes of the other end holds none, so
//! nobody can use them up by being slow.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::Poll;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((cores / 2).max(1)))
});

type Waiting = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// Does some work, each step of it in a turn.
pub(super) async fn in_turn<F: Future>(work: F) -> F::Output {
    in_turn_of(Arc::clone(&TURNS), work).await
}

async fn in_turn_of<F: Future>(turns: Arc<Semaphore>, work: F) -> F::Output {
    let mut work = pin!(work);
    let mut waiting: Option<Waiting> = None;
    poll_fn(move |context| {
        let turns = &turns;
        let turn = waiting.get_or_insert_with(|| {
            let turns = Arc::clone(turns);
            // The semaphore is never closed; without a turn the work is done all the same.
            Box::pin(async move { turns.acquire_owned().await.ok() })
        });
        let Poll::Ready(turn) = turn.as_mut().poll(context) else { return Poll::Pending };
        waiting = None;
        let step = work.as_mut().poll(context);
        drop(turn);
        step
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_more_than_their_number_step_at_once_and_waiting_holds_no_turn() {
        let turns = Arc::new(Semaphore::new(2));
        let (stepping, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // One that waits for ever keeps nobody from stepping.
        let stuck = tokio::spawn(in_turn_of(Arc::clone(&turns), std::future::pending::<()>()));
        let mut tasks = Vec::new();
        for _ in 0..50 {
            let (stepping, most) = (Arc::clone(&stepping), Arc::clone(&most));
            let work = async move {
                for _ in 0..20 {
                    let now = stepping.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::yield_now();
                    stepping.fetch_sub(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            };
            tasks.push(tokio::spawn(in_turn_of(Arc::clone(&turns), work)));
        }
        for task in tasks {
            task.await.expect("done");
        }
        assert!(most.load(Ordering::SeqCst) <= 2);
        stuck.abort();
    }
}
