//! The audit trail: records queue up, one thread writes them, many waiting ones share one write
//! to the disk.

mod chain;
mod log;
mod verify;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{GuardError, Record};
use log::Log;

pub use verify::{AuditError, Damage, Repair, Verified, verify_audit};

/// Records that may wait or be in writing; whoever comes then waits for a place.
const WAITING_MAX: usize = 4_096;

/// The way to the writing thread, which ends when this is dropped, after all that wait.
pub(crate) struct Trail {
    queue: Arc<Queue>,
    places: Arc<Semaphore>,
    writer: Option<JoinHandle<()>>,
}

/// Whether a record was written, or why not.
type Written = Result<(), Arc<GuardError>>;

struct Waiting {
    record: Record,
    done: Done,
    place: Option<OwnedSemaphorePermit>,
}

enum Done {
    Nobody,
    Task(oneshot::Sender<Written>),
    Thread(std::sync::mpsc::Sender<Written>),
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    closed: bool,
}

impl Trail {
    pub(crate) fn open(folder: &Path, known: bool) -> Result<Self, GuardError> {
        let log = Log::open(folder, known)?;
        let queue = Arc::<Queue>::default();
        let theirs = Arc::clone(&queue);
        let writer = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || run(log, &theirs))
            .map_err(|e| GuardError::file(folder, e))?;
        let places = Arc::new(Semaphore::new(WAITING_MAX));
        Ok(Self { queue, places, writer: Some(writer) })
    }

    pub(crate) async fn write(&self, record: Record) -> Result<(), GuardError> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (done, answer) = oneshot::channel();
        self.queue.push(Waiting { record, done: Done::Task(done), place });
        told(answer.await.ok())
    }

    /// Blocks the thread. Takes no place: callers are as many as there are threads, which bounds
    /// them by itself.
    pub(crate) fn write_blocking(&self, record: Record) -> Result<(), GuardError> {
        let (done, answer) = std::sync::mpsc::channel();
        self.queue.push(Waiting { record, done: Done::Thread(done), place: None });
        told(answer.recv().ok())
    }
}

impl Trail {
    /// Queues a record that nobody waits for; a failure to write it is in the log. How often this
    /// is called is bounded by its caller.
    pub(crate) fn write_later(&self, record: Record) {
        self.queue.push(Waiting { record, done: Done::Nobody, place: None });
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.filled.notify_one();
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the audit writer ended by itself");
        }
    }
}

impl Queue {
    fn push(&self, waiting: Waiting) {
        let mut state = self.state.lock();
        // A writer that is gone would leave this waiting for ever: dropped, it tells its caller.
        if !state.closed {
            state.waiting.push_back(waiting);
            self.filled.notify_one();
        }
    }

    /// All that waits; waits for something itself. None when closed and empty.
    fn take(&self) -> Option<VecDeque<Waiting>> {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
        Some(std::mem::take(&mut state.waiting))
    }
}

/// Closes the queue when the writer ends for whatever reason, so that nobody waits for it.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.closed = true;
        state.waiting.clear();
    }
}

fn run(mut log: Log, queue: &Queue) {
    let _closing = Closing(queue);
    while let Some(batch) = queue.take() {
        let (records, waiters): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|w| (w.record, (w.done, w.place))).unzip();
        let written = log.append(&records).map_err(Arc::new);
        if let Err(error) = &written {
            tracing::error!(%error, records = records.len(), "audit records not written");
        }
        for (done, _place) in waiters {
            // Whoever no longer waits does not need the answer; the record stands.
            match done {
                Done::Nobody => {}
                Done::Task(done) => drop(done.send(written.clone())),
                Done::Thread(done) => drop(done.send(written.clone())),
            }
        }
    }
}

fn told(answer: Option<Written>) -> Result<(), GuardError> {
    match answer {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(GuardError::AuditFailed(error.to_string())),
        None => Err(GuardError::AuditFailed("the audit writer has ended".to_owned())),
    }
}
