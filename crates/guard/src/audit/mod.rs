//! The audit trail: records queue up, one thread writes them, many waiting ones share one write
//! to the disk.

mod chain;
mod expire;
mod found;
mod log;
mod open;
mod read;
mod rows;
mod segments;
mod settle;
mod signer;
mod tree;
mod verify;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{GuardError, Record};
use log::Log;

pub use expire::{AuditExpired, AuditExpiry, EXPIRED};
pub use log::Rotation;
pub use open::{AuditLog, Proof};
pub use tree::RowError;
pub use verify::{
    ARCHIVED, AuditError, Checks, Damage, JOURNAL_NOTED, JournalHead, Repair, STOPPED, Verified,
    verify_audit, verify_audit_with,
};

/// A signed head is written at least this long after a record…
const SIGN_AFTER: Duration = Duration::from_secs(1);
/// …and after so many records.
const SIGN_EVERY: u64 = 10_000;

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
    rotation: Option<Rotation>,
    closed: bool,
}

/// What the writer is to do next.
enum Next {
    /// These are to be written.
    Write(VecDeque<Waiting>, Option<Rotation>),
    /// Nothing came for a while.
    Rest,
    /// Nothing will come any more.
    End,
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

    /// From the next record on files are closed and begun as this says.
    pub(crate) fn rotate_by(&self, rotation: Rotation) {
        self.queue.state.lock().rotation = Some(rotation);
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

    /// All that waits; waits for something itself, at most so long.
    fn take(&self, patience: Option<Duration>) -> Next {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            if state.closed {
                return Next::End;
            }
            match patience {
                Some(patience) if self.filled.wait_for(&mut state, patience).timed_out() => {
                    return Next::Rest;
                }
                Some(_) => {}
                None => self.filled.wait(&mut state),
            }
        }
        Next::Write(std::mem::take(&mut state.waiting), state.rotation.take())
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
    let mut signed = Instant::now();
    loop {
        let next = queue.take((log.unsigned() > 0).then_some(SIGN_AFTER));
        let ended = matches!(next, Next::End);
        if let Next::Write(batch, rotation) = next {
            if let Some(rotation) = rotation {
                log.rotate_by(rotation);
            }
            write(&mut log, batch);
        }
        // Whoever waits is written first; the head follows.
        let due = signed.elapsed() >= SIGN_AFTER || log.unsigned() >= SIGN_EVERY;
        if due || ended {
            if let Err(error) = log.sign() {
                tracing::error!(%error, "the audit log's head was not signed");
            }
            signed = Instant::now();
        }
        if ended {
            return;
        }
    }
}

fn write(log: &mut Log, batch: VecDeque<Waiting>) {
    let (records, waiters): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|w| (w.record, (w.done, w.place))).unzip();
    let written = log.append(&records).map_err(Arc::new);
    if let Err(error) = &written {
        tracing::error!(%error, records = records.len(), "audit records not written");
    }
    // Nothing comes behind the end: it is signed before whoever ends the program goes on.
    if records.iter().any(|record| record.action.name() == STOPPED)
        && let Err(error) = log.sign()
    {
        tracing::error!(%error, "the audit log's head was not signed");
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

fn told(answer: Option<Written>) -> Result<(), GuardError> {
    match answer {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(GuardError::AuditFailed(error.to_string())),
        None => Err(GuardError::AuditFailed("the audit writer has ended".to_owned())),
    }
}
