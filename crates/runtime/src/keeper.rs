//! The thread that owns the store. A commit that fails is tried again until it succeeds: the
//! journal keeps everything in the meantime, and the engine waits when too much piles up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use live::Live;
use store::{Commit, Store};

/// Longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A handle to the thread.
pub(crate) struct Keeper {
    commits: SyncSender<Arc<Commit>>,
    done: Receiver<()>,
    busy: bool,
}

impl Keeper {
    pub(crate) fn start(mut store: Box<dyn Store>, live: Live) -> std::io::Result<Self> {
        let (commits, incoming) = sync_channel::<Arc<Commit>>(1);
        let (finished, done) = sync_channel(1);
        std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            while let Ok(commit) = incoming.recv() {
                keep(store.as_mut(), &commit, &live);
                if finished.send(()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { commits, done, busy: false })
    }

    /// Whether a commit is under way.
    pub(crate) fn busy(&self) -> bool {
        self.busy
    }

    /// Hands over a commit; none may be under way.
    pub(crate) fn begin(&mut self, commit: Arc<Commit>) {
        self.busy = self.commits.send(commit).is_ok();
    }

    /// Whether the commit under way has just ended.
    pub(crate) fn ended(&mut self) -> bool {
        let ended = self.busy && self.done.try_recv().is_ok();
        self.busy &= !ended;
        ended
    }

    /// Waits for the commit under way; whether there was one.
    pub(crate) fn wait(&mut self) -> bool {
        let ended = self.busy && self.done.recv().is_ok();
        self.busy = false;
        ended
    }
}

fn keep(store: &mut dyn Store, commit: &Commit, live: &Live) {
    let mut pause = Duration::from_millis(100);
    let begun = Instant::now();
    while let Err(error) = store.commit(commit) {
        tracing::error!(
            checkpoint = commit.checkpoint,
            "store: a commit failed and is tried again; nothing is lost meanwhile: {error}"
        );
        metrics::counter!("vitalwire_store_commit_failures_total").increment(1);
        live.progress().set_store_refuses(true);
        std::thread::sleep(pause);
        pause = (pause * 2).min(PAUSE_MAX);
    }
    live.progress().set_store_refuses(false);
    metrics::histogram!("vitalwire_store_commit_seconds").record(begun.elapsed().as_secs_f64());
}
