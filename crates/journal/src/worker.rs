//! The thread that commits: gathers, writes, syncs, tells, hands on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use vitals::{Offset, ReceiveTime};

use crate::appender::{Limits, Stats, Trouble};
use crate::dedup::Window;
use crate::entry::{Encoded, Entry, Journal, Outcome};
use crate::queue::{Item, Queue, Reply};
use crate::{AckQueue, LANES, Lane};

/// From this many entries a commit on, the journal counts as under load and gathers first.
const LOAD: usize = 8;
/// How often an idle thread looks at retention.
const IDLE: Duration = Duration::from_secs(1);

/// Figures shared with [`crate::Appender::stats`].
#[derive(Default)]
pub(crate) struct Counters {
    processed: AtomicU64,
    commits: AtomicU64,
    entries: AtomicU64,
    duplicates: AtomicU64,
    failed: AtomicU64,
    last_us: AtomicU64,
    max_us: AtomicU64,
    feed_us: AtomicU64,
    /// Everything so far is to be removed.
    cut: AtomicBool,
    /// 0 after a good write, else which trouble.
    trouble: AtomicU8,
}

impl Counters {
    pub(crate) fn processed(&self, checkpoint: Offset) {
        self.processed.fetch_max(checkpoint, Ordering::Relaxed);
    }

    pub(crate) fn cut(&self) {
        self.cut.store(true, Ordering::Release);
    }

    pub(crate) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: get(&self.commits),
            entries: get(&self.entries),
            duplicates: get(&self.duplicates),
            failed: get(&self.failed),
            last_commit_us: get(&self.last_us),
            max_commit_us: get(&self.max_us),
            feed_wait_us: get(&self.feed_us),
            trouble: match self.trouble.load(Ordering::Relaxed) {
                0 => None,
                1 => Some(Trouble::DiskFull),
                _ => Some(Trouble::Refused),
            },
            ..Stats::default()
        }
    }
}

/// Everything the thread owns.
pub(crate) struct Worker<J> {
    journal: J,
    clock: Box<dyn Fn() -> ReceiveTime + Send>,
    limits: Limits,
    sink: SyncSender<Arc<[Entry]>>,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    window: Window,
    next: Offset,
    kept_from: Offset,
    seals: bool,
    /// All before this entry is to go once it has been processed.
    cut: Option<Offset>,
}

/// A batch on its way.
#[derive(Default)]
struct Batch {
    encoded: Vec<Encoded>,
    entries: Vec<Entry>,
    replies: Vec<(Reply, Told)>,
    costs: [usize; LANES],
}

/// What a sender is told if the write succeeds.
#[derive(Clone, Copy)]
enum Told {
    Committed(Offset),
    Duplicate(Offset),
    /// One before it in the same connection was not written.
    Behind,
}

impl<J: Journal> Worker<J> {
    pub(crate) fn new(
        journal: J,
        clock: Box<dyn Fn() -> ReceiveTime + Send>,
        limits: Limits,
        sink: SyncSender<Arc<[Entry]>>,
        (queue, counters): (Arc<Queue>, Arc<Counters>),
        recent: Vec<(u128, Offset)>,
    ) -> Self {
        let window = Window::new(limits.dedup_keys, recent);
        let (next, seals) = (journal.next_offset(), journal.seals());
        Self {
            journal,
            clock,
            limits,
            sink,
            queue,
            counters,
            window,
            next,
            kept_from: 0,
            seals,
            cut: None,
        }
    }

    /// Runs until the queue is closed and empty, or the engine is gone.
    pub(crate) fn run(mut self) {
        let mut items = Vec::new();
        while self.queue.take(&mut items, self.limits.batch_bytes, IDLE) {
            let load = items.len();
            if load > 0 && !self.commit(&mut items) {
                break;
            }
            self.retain();
            if load >= LOAD && !self.queue.urgent() && !self.limits.linger.is_zero() {
                std::thread::sleep(self.limits.linger);
            }
        }
        self.queue.close();
        // Whoever came between the last look and the closing is told that nothing was written.
        while self.queue.take(&mut items, usize::MAX, Duration::ZERO) {
            for (_, item) in items.drain(..) {
                let closed = Outcome::Failed(Arc::new(crate::JournalError::Closed));
                if let Reply::Queue(queue, token) = item.reply {
                    queue.push(token, closed);
                    queue.wake();
                }
            }
        }
    }

    /// Commits what was gathered; false when nobody takes entries any more.
    fn commit(&mut self, items: &mut Vec<(Lane, Box<Item>)>) -> bool {
        let mut batch = Batch::default();
        for (lane, item) in items.drain(..) {
            self.place(&mut batch, lane, *item);
        }
        let started = Instant::now();
        let written = self.journal.append((self.clock)(), &batch.encoded);
        let took = started.elapsed().as_micros() as u64;
        self.note_trouble(written.as_ref().err());
        let (entries, error) = match written {
            Ok(stamp) => {
                debug_assert_eq!(stamp.first, self.next, "the journal has one writer");
                self.count_commit(&batch, took);
                for entry in &mut batch.entries {
                    entry.at = stamp.at;
                }
                let entries: Arc<[Entry]> = batch.entries.into();
                self.next += entries.len() as u64;
                (entries, None)
            }
            Err(error) => {
                tracing::error!(%error, drafts = batch.replies.len(), "journal: not written");
                self.window.forget_from(self.next);
                self.counters
                    .failed
                    .fetch_add(batch.replies.len() as u64, Ordering::Relaxed);
                metrics::counter!("vitalwire_journal_failed_total")
                    .increment(batch.replies.len() as u64);
                (Arc::from([]), Some(Arc::new(error)))
            }
        };
        let failed = error.is_some();
        tell(batch.replies, error);
        self.queue.release(batch.costs);
        if failed {
            // A full disk would otherwise be hammered as fast as senders try again.
            std::thread::sleep(Duration::from_millis(20));
        }
        entries.is_empty() || self.hand_on(entries)
    }

    fn place(&mut self, batch: &mut Batch, lane: Lane, item: Item) {
        batch.costs[lane as usize] += item.cost;
        if matches!(&item.reply, Reply::Queue(queue, _) if queue.broken()) {
            batch.replies.push((item.reply, Told::Behind));
            return;
        }
        if let Some(key) = item.encoded.dedup
            && let Some(offset) = self.window.get(key)
        {
            batch.replies.push((item.reply, Told::Duplicate(offset)));
            return;
        }
        let offset = self.next + batch.encoded.len() as u64;
        if let Some(key) = item.encoded.dedup {
            self.window.insert(key, offset);
        }
        let subjects =
            if self.seals { item.encoded.subjects.clone() } else { crate::Subjects::new() };
        batch.encoded.push(item.encoded);
        batch.entries.push(Entry { offset, at: ReceiveTime(0), event: item.event, subjects });
        batch.replies.push((item.reply, Told::Committed(offset)));
    }

    fn note_trouble(&self, error: Option<&crate::JournalError>) {
        let trouble = match error {
            None => 0,
            Some(crate::JournalError::DiskFull { .. }) => 1,
            Some(_) => 2,
        };
        self.counters.trouble.store(trouble, Ordering::Relaxed);
    }

    fn hand_on(&self, entries: Arc<[Entry]>) -> bool {
        use std::sync::mpsc::TrySendError;
        let entries = match self.sink.try_send(entries) {
            Ok(()) => return true,
            Err(TrySendError::Disconnected(_)) => return false,
            Err(TrySendError::Full(entries)) => entries,
        };
        let started = Instant::now();
        let taken = self.sink.send(entries).is_ok();
        let waited = started.elapsed().as_micros() as u64;
        self.counters.feed_us.fetch_add(waited, Ordering::Relaxed);
        metrics::counter!("vitalwire_journal_feed_wait_us_total").increment(waited);
        taken
    }

    fn count_commit(&self, batch: &Batch, took: u64) {
        let written = batch.encoded.len() as u64;
        let duplicates = batch.replies.len() as u64 - written;
        let c = &self.counters;
        c.commits.fetch_add(1, Ordering::Relaxed);
        c.entries.fetch_add(written, Ordering::Relaxed);
        c.duplicates.fetch_add(duplicates, Ordering::Relaxed);
        c.last_us.store(took, Ordering::Relaxed);
        c.max_us.fetch_max(took, Ordering::Relaxed);
        metrics::counter!("vitalwire_journal_commits_total").increment(1);
        metrics::counter!("vitalwire_journal_entries_total").increment(written);
        metrics::counter!("vitalwire_journal_duplicates_total").increment(duplicates);
        metrics::histogram!("vitalwire_journal_commit_seconds").record(took as f64 / 1e6);
    }

    /// Removes everything up to now, when somebody asked for it and the engine is done with it.
    fn cut(&mut self, processed: Offset) {
        if self.counters.cut.swap(false, Ordering::AcqRel) {
            match self.journal.begin_unit() {
                Ok(()) => self.cut = Some(self.next),
                Err(error) => {
                    tracing::warn!(%error, "journal: no new segment was begun; tried again");
                    self.counters.cut.store(true, Ordering::Release);
                }
            }
        }
        if let Some(cut) = self.cut.filter(|cut| *cut <= processed) {
            match self.journal.truncate_before(cut) {
                Ok(()) => self.cut = None,
                Err(error) => tracing::warn!(%error, "journal: old segments not removed; tried again"),
            }
        }
    }

    /// Removes old segments that the engine is done with.
    fn retain(&mut self) {
        let processed = self.counters.processed.load(Ordering::Relaxed);
        self.cut(processed);
        if processed <= self.kept_from {
            return;
        }
        self.kept_from = processed;
        let r = self.limits.retention;
        let since = (self.clock)().plus(-r.min_age_us);
        let point = self
            .journal
            .retention_point(since, r.min_bytes, r.max_bytes)
            .min(processed);
        if let Err(error) = self.journal.truncate_before(point) {
            tracing::warn!(%error, "journal: old segments not removed");
        }
    }
}

/// Tells every sender, and wakes each connection once.
fn tell(replies: Vec<(Reply, Told)>, error: Option<Arc<crate::JournalError>>) {
    let mut wake: Vec<Arc<AckQueue>> = Vec::new();
    for (reply, told) in replies {
        let outcome = match (&error, told) {
            (Some(error), _) => Outcome::Failed(Arc::clone(error)),
            (None, Told::Committed(offset)) => Outcome::Committed(offset),
            (None, Told::Duplicate(offset)) => Outcome::Duplicate(offset),
            (None, Told::Behind) => Outcome::Failed(Arc::new(crate::JournalError::Behind)),
        };
        match reply {
            Reply::Queue(queue, token) => {
                if queue.push(token, outcome) {
                    wake.push(queue);
                }
            }
            // The caller may have gone away; the entry stands nevertheless.
            Reply::One(caller) => drop(caller.send(outcome)),
        }
    }
    for queue in wake {
        queue.wake();
    }
}
