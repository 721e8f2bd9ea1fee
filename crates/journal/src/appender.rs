//! The front of the journal: what gateways and the API hold.

use std::sync::{Arc, OnceLock};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use vitals::{Offset, ReceiveTime};

use crate::entry::{Draft, Encoded, Entry, Journal, Outcome, ReadJournal};
use crate::queue::{Item, Queue, Reply};
use crate::worker::{Counters, Worker};
use crate::subjects::{self, Whose};
use crate::{AckQueue, Closed, JournalError, LANES, Lane, Verified};

/// Bounds of what waits, and how batches are made.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes that may wait in the urgent lane.
    pub urgent_bytes: usize,
    /// Bytes that may wait in the numeric lane, and in the steady one.
    pub numeric_bytes: usize,
    /// Bytes that may wait in the waveform lane.
    pub waveform_bytes: usize,
    /// Bytes of one batch; a larger single event is a batch of its own.
    pub batch_bytes: usize,
    /// Under load, how long to gather before a commit. An idle journal commits at once, and
    /// anything urgent does not wait.
    pub linger: Duration,
    /// Keys by which a repeated message is recognised.
    pub dedup_keys: usize,
    /// What is kept of what has been processed.
    pub retention: Retention,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            urgent_bytes: 16 << 20,
            // What waits here is decoded already and takes time to work off; what has no place
            // waits in the sender's socket, where it costs less and delays nobody.
            numeric_bytes: 8 << 20,
            waveform_bytes: 8 << 20,
            // Small enough that a batch is judged within milliseconds, large enough for a disk
            // that takes five to sync.
            batch_bytes: 256 << 10,
            linger: Duration::from_millis(2),
            dedup_keys: 1_000_000,
            retention: Retention::default(),
        }
    }
}

impl Limits {
    /// Bytes that may wait, by lane.
    pub(crate) fn by_lane(&self) -> [usize; LANES] {
        Lane::ALL.map(|lane| match lane {
            Lane::Urgent => self.urgent_bytes,
            Lane::Steady | Lane::Numeric => self.numeric_bytes,
            Lane::Waveform => self.waveform_bytes,
        })
    }
}

/// What is kept of what has been processed; what has not been is always kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Keep at least this age, in microseconds…
    pub min_age_us: i64,
    /// …and at least this many bytes,
    pub min_bytes: u64,
    /// but no more than this many.
    pub max_bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            min_age_us: 7 * vitals::time::DAY,
            min_bytes: 512 << 20,
            max_bytes: 16 << 30,
        }
    }
}

/// Figures of a running appender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes waiting or being written, by lane as in [`Lane::ALL`](crate::Lane::ALL).
    pub queued_bytes: [usize; LANES],
    /// The most that may wait, by lane.
    pub limit_bytes: [usize; LANES],
    /// Batches written.
    pub commits: u64,
    /// Entries written.
    pub entries: u64,
    /// Drafts recognised as sent before.
    pub duplicates: u64,
    /// Drafts that could not be written.
    pub failed: u64,
    /// Microseconds that the last write with its sync took.
    pub last_commit_us: u64,
    /// The longest so far.
    pub max_commit_us: u64,
    /// Microseconds spent waiting for the engine to take entries.
    pub feed_wait_us: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Why the last write failed; none when it did not.
    pub trouble: Option<Trouble>,
}

/// Why nothing can be written at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No space is left on the disk.
    DiskFull,
    /// The disk refuses for another reason, which is in the log.
    Refused,
}

struct Inner {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    reader: Arc<dyn ReadJournal>,
    limit_bytes: [usize; LANES],
    thread: Mutex<Option<JoinHandle<()>>>,
    whose: OnceLock<Arc<dyn Whose>>,
}

/// Orders drafts and makes them durable; cheap to clone.
#[derive(Clone)]
pub struct Appender {
    inner: Arc<Inner>,
}

impl Appender {
    /// Starts the thread that writes `journal`. Every committed batch goes to `sink` in order,
    /// after its senders were told; while `sink` is full nothing more is committed.
    ///
    /// # Errors
    /// [`JournalError`] when the keys of recent entries can't be read or no thread be started.
    pub fn start<J: Journal + 'static>(
        journal: J,
        clock: Box<dyn Fn() -> ReceiveTime + Send>,
        limits: Limits,
        sink: SyncSender<Arc<[Entry]>>,
    ) -> Result<Self, JournalError> {
        let reader = journal.reader();
        let queue = Arc::new(Queue::new(&limits));
        let counters = Arc::new(Counters::default());
        let limit_bytes = limits.by_lane();
        let recent = reader.recent_keys(limits.dedup_keys)?;
        let worker = Worker::new(
            journal,
            clock,
            limits,
            sink,
            (Arc::clone(&queue), Arc::clone(&counters)),
            recent,
        );
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || worker.run())
            .map_err(|e| {
                JournalError::io(
                    "starting the thread of",
                    std::path::Path::new("the journal"),
                    e,
                )
            })?;
        let thread = Mutex::new(Some(thread));
        Ok(Self {
            inner: Arc::new(Inner {
                queue,
                counters,
                reader,
                limit_bytes,
                thread,
                whose: OnceLock::new(),
            }),
        })
    }

    /// Says who knows on whom devices are and whose alerts are, so that events are sealed with the
    /// keys of whom they are about. The first to be named stays.
    pub fn know(&self, whose: Arc<dyn Whose>) {
        let _ = self.inner.whose.set(whose);
    }

    fn encode(&self, draft: &Draft) -> Result<Encoded, JournalError> {
        let whose = self.inner.whose.get().map(|whose| &**whose);
        let encoded = Encoded::new(&draft.event, draft.dedup)?;
        Ok(encoded.about(subjects::of(&draft.event, whose)))
    }

    /// Removes all that is committed by now as soon as it has been processed, whatever
    /// [`Retention`] says; [`Appender::first_offset`] tells when it is done.
    pub fn cut(&self) {
        self.inner.counters.cut();
    }

    /// Commits a draft: waits for a place, then until it is durable.
    ///
    /// # Errors
    /// [`Closed`] once the journal takes nothing more.
    pub async fn append(&self, draft: Draft) -> Result<Outcome, Closed> {
        let encoded = match self.encode(&draft) {
            Ok(encoded) => encoded,
            Err(error) => return Ok(Outcome::Failed(Arc::new(error))),
        };
        let (tell, told) = oneshot::channel();
        self.inner
            .queue
            .push_all(draft.lane, vec![Item::new(draft.event, encoded, Reply::One(tell))])
            .await?;
        told.await.map_err(|_| Closed)
    }

    /// Queues a draft: waits for a place only. Its outcome arrives at `acks` under `token`.
    ///
    /// # Errors
    /// [`Closed`] once the journal takes nothing more.
    pub async fn enqueue(
        &self,
        draft: Draft,
        token: u64,
        acks: &Arc<AckQueue>,
    ) -> Result<(), Closed> {
        match self.encode(&draft) {
            Ok(encoded) => {
                let reply = Reply::Queue(Arc::clone(acks), token);
                self.inner
                    .queue
                    .push_all(draft.lane, vec![Item::new(draft.event, encoded, reply)])
                    .await
            }
            Err(error) => {
                if acks.push(token, Outcome::Failed(Arc::new(error))) {
                    acks.wake();
                }
                Ok(())
            }
        }
    }

    /// Queues several drafts of one sender, in order, with one wait for a place for all that are
    /// of the same lane. The outcome of each arrives at `acks` under its token.
    ///
    /// # Errors
    /// [`Closed`] once the journal takes nothing more.
    pub async fn enqueue_all(
        &self,
        drafts: Vec<(Draft, u64)>,
        acks: &Arc<AckQueue>,
    ) -> Result<(), Closed> {
        let mut group: Vec<Item> = Vec::with_capacity(drafts.len());
        let mut lane = Lane::Urgent;
        for (draft, token) in drafts {
            let encoded = match self.encode(&draft) {
                Ok(encoded) => encoded,
                Err(error) => {
                    if acks.push(token, Outcome::Failed(Arc::new(error))) {
                        acks.wake();
                    }
                    continue;
                }
            };
            if draft.lane != lane && !group.is_empty() {
                self.inner.queue.push_all(lane, std::mem::take(&mut group)).await?;
            }
            lane = draft.lane;
            group.push(Item::new(draft.event, encoded, Reply::Queue(Arc::clone(acks), token)));
        }
        if group.is_empty() {
            return Ok(());
        }
        self.inner.queue.push_all(lane, group).await
    }

    /// What is durable, for whoever reads much of it.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn ReadJournal> {
        Arc::clone(&self.inner.reader)
    }

    /// See [`ReadJournal::read`].
    ///
    /// # Errors
    /// As there.
    pub fn read(&self, from: Offset, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        self.inner.reader.read(from, max_bytes)
    }

    /// The offset that the next entry will get; everything before is durable.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.inner.reader.next_offset()
    }

    /// The oldest entry still kept.
    #[must_use]
    pub fn first_offset(&self) -> Offset {
        self.inner.reader.first_offset()
    }

    /// See [`ReadJournal::head`].
    #[must_use]
    pub fn head(&self) -> Option<crate::Place> {
        self.inner.reader.head()
    }

    /// See [`ReadJournal::verify`]. Reads everything: takes a while.
    ///
    /// # Errors
    /// As there.
    pub fn verify(&self) -> Result<Verified, JournalError> {
        self.inner.reader.verify()
    }

    /// See [`ReadJournal::sealed_with`]. Reads everything: takes a while.
    ///
    /// # Errors
    /// As there.
    pub fn sealed_with(&self, numbers: &[seal::KeyNumber]) -> Result<u64, JournalError> {
        self.inner.reader.sealed_with(numbers)
    }

    /// Everything before `checkpoint` has been processed and may be removed as far as
    /// [`Retention`] lets it.
    pub fn processed(&self, checkpoint: Offset) {
        self.inner.counters.processed(checkpoint);
    }

    /// Figures as they are now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            queued_bytes: self.inner.queue.queued(),
            limit_bytes: self.inner.limit_bytes,
            disk_bytes: self.inner.reader.bytes(),
            ..self.inner.counters.stats()
        }
    }

    /// Takes nothing more, writes what is queued, and returns when the thread has ended. Blocks.
    pub fn close(&self) {
        self.inner.queue.close();
        let thread = self.inner.thread.lock().take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("journal: its thread panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}
