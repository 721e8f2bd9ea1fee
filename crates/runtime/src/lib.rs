//! Runs the engine over the journal: feeds it what was committed, publishes what it concludes,
//! puts conclusions and checkpoint into the store in one transaction, keeps time, delivers
//! notifications.
//!
//! Three threads of work: the *worker* owns the engine; the *keeper* owns the store; the *ticker*
//! puts the passing of time into the journal. After a restart the worker reads back the engine's
//! parts and takes in the journal from the checkpoint on: the same entries give the same effects,
//! so every effect is in the store exactly once (EN-1).
//!
//! What is absent: any listener, any HTTP server, any rule.

mod beats;
mod erasure;
mod keeper;
mod pending;
mod rebuild;
mod recover;
mod scores;
mod strays;
mod sums;
mod ticker;
mod manager;
mod webhook;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use journal::{Appender, Entry};
use live::Live;
use store::Store;
use vitals::ReceiveTime;

pub use erasure::{EraseHook, STRAYS};
pub use pending::{JUDGED, RELAYED_ALERTS};
pub use scores::RELAYED_SCORES;
pub use rebuild::{Compared, Rebuilt, rebuild, rebuild_and_compare};
pub use recover::{Recovered, known};
pub use manager::AlertManager;
pub use webhook::{Webhook, event_row, sign};

/// How the runtime works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Conclusions go to the store at least this often.
    pub store_every: Duration,
    /// … or when this many values wait.
    pub store_points: usize,
    /// Above this many waiting values the engine stops until the store catches up (DU-3).
    pub points_max: usize,
    /// As `store_points`, for samples of waveforms.
    pub store_samples: usize,
    /// As `points_max`, for samples of waveforms: four bytes each.
    pub samples_max: usize,
    /// Time goes into the journal this often. Silence is noticed that much late at most.
    pub tick_every: Duration,
    /// How long what is in the store stays there.
    pub retention: Retention,
    /// Says it anew while the program runs.
    pub retention_now: Option<RetentionNow>,
    /// Whom to notify.
    pub webhooks: Vec<Webhook>,
    /// Alert managers that are told of alerts over HL7.
    pub managers: Vec<AlertManager>,
    /// What notifications are sent with; none: they wait in the store.
    pub outgoing: Option<outgoing::Client>,
    /// What is to be done when the rows of an erased patient are deleted.
    pub erase: Option<EraseHook>,
    /// Predictive models that there are; which of them judge, the journal says.
    pub models: engine::Models,
    /// Every change of an alert waits in the store's bucket [`RELAYED_ALERTS`] for whoever sends it on, every
    /// score in [`RELAYED_SCORES`].
    pub relay_alerts: bool,
}

/// How long things stay in the store after they were measured and received; none: for ever.
/// Whatever a hold or the time around an alert touches stays in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Samples of waveforms.
    pub waves: Option<Duration>,
    /// Values and texts.
    pub points: Option<Duration>,
    /// Alerts that ended, with their history.
    pub alerts: Option<Duration>,
    /// Quarantined messages, whatever became of them.
    pub quarantine: Option<Duration>,
    /// Versions of patients, encounters, places and devices that others followed.
    pub directory: Option<Duration>,
}

impl Retention {
    /// Nothing goes.
    pub const FOR_EVER: Self =
        Self { waves: None, points: None, alerts: None, quarantine: None, directory: None };
}

/// How long things stay, from what the configuration says: asked before each step of retention.
#[derive(Clone)]
pub struct RetentionNow(pub Arc<dyn Fn(Retention) -> Retention + Send + Sync>);

impl std::fmt::Debug for RetentionNow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RetentionNow")
    }
}

impl Default for Retention {
    /// Waveforms a week, values ten years, the rest for ever.
    fn default() -> Self {
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        Self { waves: days(7), points: days(3_650), ..Self::FOR_EVER }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store_every: Duration::from_secs(10),
            store_points: 500_000,
            points_max: 4_000_000,
            store_samples: 12_000_000,
            samples_max: 24_000_000,
            tick_every: Duration::from_millis(500),
            retention: Retention::default(),
            retention_now: None,
            webhooks: Vec::new(),
            managers: Vec::new(),
            outgoing: None,
            erase: None,
            models: engine::Models::default(),
            relay_alerts: false,
        }
    }
}

/// What can keep the runtime from starting.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The store can't be read.
    #[error("cannot read the store: {0}")]
    Store(#[from] store::StoreError),
    /// The journal can't be read.
    #[error("cannot read the journal: {0}")]
    Journal(#[from] journal::JournalError),
    /// The journal no longer has what the store does not have yet.
    #[error(
        "the store has come to entry {checkpoint}, but the journal begins at {first}: entries in \
         between are gone; restore journal and store from the same backup"
    )]
    Gap {
        /// What the store still needs.
        checkpoint: u64,
        /// What the journal still has.
        first: u64,
    },
    /// The store is ahead of the journal.
    #[error(
        "the store has come to entry {checkpoint}, but the journal ends at {next}: they are not of \
         the same installation; restore both from the same backup"
    )]
    Ahead {
        /// What the store has come to.
        checkpoint: u64,
        /// Where the journal ends.
        next: u64,
    },
    /// No thread could be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The running engine; stopping it flushes everything to the store.
pub struct Runtime {
    worker: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    /// What a restart had to do.
    pub recovered: Recovered,
}

impl Runtime {
    /// Recovers, then starts. `feed` is what the appender sends its commits to; it must have been
    /// made before any entry was appended in this process. Must be called within tokio.
    ///
    /// # Errors
    /// [`RuntimeError`] when journal and store can't be read or don't fit each other.
    pub fn start(
        appender: Appender,
        feed: Receiver<Arc<[Entry]>>,
        store: Box<dyn Store>,
        live: Live,
        clock: fn() -> ReceiveTime,
        options: Options,
    ) -> Result<Self, RuntimeError> {
        let stop = Arc::new(AtomicBool::new(false));
        let reader = store.reader();
        let side = store.side();
        let aging = keeper::Aging::new(options.retention, options.retention_now.clone(), clock);
        let finishing = erasure::Finishing { side: store.side(), hook: options.erase.clone() };
        let keeper = keeper::Keeper::start(store, aging, finishing, live.clone(), Arc::clone(&stop))
            .map_err(RuntimeError::Thread)?;
        let setting = worker::Setting {
            appender: appender.clone(),
            reader: reader.clone(),
            live: live.clone(),
            clock,
            options: options.clone(),
            stop: Arc::clone(&stop),
        };
        let (worker, recovered) = recover::recover(setting, keeper)?;
        // Readers who ask for the newest are heard on tokio; the worker is a thread of its own.
        let (asking, wanted) = (live.clone(), worker.wanted());
        let watcher = tokio::spawn(async move {
            loop {
                asking.progress().wanted().await;
                wanted.store(true, std::sync::atomic::Ordering::Release);
            }
        });
        let worker = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || worker.run(&feed))
            .map_err(RuntimeError::Thread)?;
        let tasks = vec![
            watcher,
            tokio::spawn(ticker::run(appender, options.tick_every)),
            tokio::spawn(webhook::deliver(options.outgoing, (options.webhooks, options.managers), reader, side, clock)),
        ];
        Ok(Self { worker: Some(worker), stop, tasks, recovered })
    }

    /// Stops: takes in what is committed, puts everything into the store. Blocks until done. The
    /// appender must have been closed before.
    pub fn stop(mut self) {
        self.stop.store(true, std::sync::atomic::Ordering::Release);
        for task in &self.tasks {
            task.abort();
        }
        if let Some(worker) = self.worker.take() {
            if worker.join().is_err() {
                tracing::error!("engine: its thread panicked");
            }
        }
    }
}
