//! The thread that owns the store. A commit that fails is tried again until it succeeds: the
//! journal keeps everything in the meantime, and the engine waits when too much piles up. Only
//! when the program is told to stop is it given up; the next start takes it in from the journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use live::Live;
use store::{Commit, Expiry, RecordExpiry, Store};
use vitals::{EffectiveTime, ReceiveTime};

use crate::{Retention, RetentionNow};
use crate::erasure::Finishing;

/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often to look whether the program stops.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Retention takes a step this often at most …
const AGE_EVERY: Duration = Duration::from_secs(5);
/// … over so many series, so that four thousand are looked at in a few minutes …
const AGE_SERIES: u32 = 256;
/// … and removes so many blocks at most: a thousand beds fill about 350 in ten seconds.
const AGE_BLOCKS: u32 = 512;
/// Of alerts, quarantine and older versions it looks at so many rows each.
const AGE_ROWS: u32 = 512;

/// Retention, in steps between commits.
pub(crate) struct Aging {
    retention: Retention,
    now: Option<RetentionNow>,
    clock: fn() -> ReceiveTime,
    last: Option<Instant>,
}

impl Aging {
    pub(crate) fn new(
        retention: Retention,
        now: Option<RetentionNow>,
        clock: fn() -> ReceiveTime,
    ) -> Self {
        Self { retention, now, clock, last: None }
    }

    fn step(&mut self, store: &mut dyn Store) {
        if self.last.is_some_and(|last| last.elapsed() < AGE_EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let now = (self.clock)().0;
        let retention = self.now.as_ref().map_or(self.retention, |now| (now.0)(self.retention));
        let (blocks, rows) = limits(&retention, now);
        let gone = store.expire(&blocks).and_then(|gone| Ok((gone, store.expire_records(&rows)?)));
        match gone {
            Ok((blocks, rows)) => {
                let counts = [
                    ("samples", blocks.samples),
                    ("values", blocks.points),
                    ("texts", blocks.texts),
                    ("alerts", rows.alerts),
                    ("predictions", rows.predictions),
                    ("quarantine", rows.quarantine),
                    ("directory-history", rows.versions),
                ];
                for (kind, count) in counts {
                    metrics::counter!("vitalwire_store_expired_total", "kind" => kind).increment(count);
                }
            }
            Err(error) => {
                tracing::error!("store: a step of retention failed and is tried again: {error}");
                metrics::counter!("vitalwire_store_expiry_failures_total").increment(1);
            }
        }
    }
}

/// What may go now, at `now` in microseconds.
fn limits(retention: &Retention, now: i64) -> (Expiry, RecordExpiry) {
    let before = |age: Option<Duration>| {
        let age = age.and_then(|age| i64::try_from(age.as_micros()).ok());
        age.map_or(i64::MIN, |age| now.saturating_sub(age))
    };
    let blocks = Expiry {
        waves_before: EffectiveTime(before(retention.waves)),
        points_before: EffectiveTime(before(retention.points)),
        series_max: AGE_SERIES,
        blocks_max: AGE_BLOCKS,
    };
    let rows = RecordExpiry {
        alerts_before: ReceiveTime(before(retention.alerts)),
        quarantine_before: ReceiveTime(before(retention.quarantine)),
        directory_before: ReceiveTime(before(retention.directory)),
        rows_max: AGE_ROWS,
    };
    (blocks, rows)
}

/// A handle to the thread.
///
/// Dropping it waits until the thread has closed the store: a process that ends while a database is being closed takes
/// the library's own state away from under it.
pub(crate) struct Keeper {
    /// None only while it is dropped.
    commits: Option<SyncSender<Arc<Commit>>>,
    thread: Option<JoinHandle<()>>,
    done: Receiver<Kept>,
    busy: bool,
    gave_up: bool,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Stored,
    GivenUp,
}

impl Keeper {
    pub(crate) fn start(
        mut store: Box<dyn Store>,
        mut aging: Aging,
        finishing: Finishing,
        live: Live,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Self> {
        let (commits, incoming) = sync_channel::<Arc<Commit>>(1);
        let (finished, done) = sync_channel(1);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            finishing.left_over(store.as_mut());
            while let Ok(commit) = incoming.recv() {
                let kept = keep(store.as_mut(), &commit, &live, &stop);
                if kept == Kept::Stored && !commit.erasures.is_empty() {
                    finishing.left_over(store.as_mut());
                }
                if finished.send(kept).is_err() || kept == Kept::GivenUp {
                    return;
                }
                aging.step(store.as_mut());
            }
        })?;
        Ok(Self { commits: Some(commits), thread: Some(thread), done, busy: false, gave_up: false })
    }

    /// Whether no commit can be handed over: one is under way, or was given up.
    pub(crate) fn busy(&self) -> bool {
        self.busy || self.gave_up
    }

    /// Hands over a commit; none may be under way.
    pub(crate) fn begin(&mut self, commit: Arc<Commit>) {
        self.busy = self.commits.as_ref().is_some_and(|commits| commits.send(commit).is_ok());
    }

    /// Whether the commit under way has just come into the store.
    pub(crate) fn ended(&mut self) -> bool {
        match self.done.try_recv() {
            Ok(kept) if self.busy => self.note(kept),
            _ => false,
        }
    }

    /// Waits for the commit under way; whether there was one, and it is in the store.
    pub(crate) fn wait(&mut self) -> bool {
        if !self.busy {
            return false;
        }
        // Without the thread nothing more can be stored.
        let kept = self.done.recv().unwrap_or(Kept::GivenUp);
        self.note(kept)
    }

    fn note(&mut self, kept: Kept) -> bool {
        self.busy = false;
        self.gave_up |= kept == Kept::GivenUp;
        kept == Kept::Stored
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.commits = None;
        if let Some(thread) = self.thread.take() {
            if thread.join().is_err() {
                tracing::error!("store: its thread panicked");
            }
        }
    }
}

fn keep(store: &mut dyn Store, commit: &Commit, live: &Live, stop: &AtomicBool) -> Kept {
    let mut pause = Duration::from_millis(100);
    let begun = Instant::now();
    while let Err(error) = store.commit(commit) {
        tracing::error!(
            checkpoint = commit.checkpoint,
            "store: a commit failed and is tried again; nothing is lost meanwhile: {error}"
        );
        metrics::counter!("vitalwire_store_commit_failures_total").increment(1);
        live.progress().set_store_refuses(true);
        let until = Instant::now() + pause;
        while Instant::now() < until && !stop.load(Ordering::Acquire) {
            std::thread::sleep(LOOK_EVERY.min(pause));
        }
        if stop.load(Ordering::Acquire) {
            tracing::error!("store: stopping without it; the next start takes it in from the journal");
            return Kept::GivenUp;
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
    live.progress().set_store_refuses(false);
    metrics::histogram!("vitalwire_store_commit_seconds").record(begun.elapsed().as_secs_f64());
    Kept::Stored
}
