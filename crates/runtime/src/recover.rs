//! After a restart: the engine's parts read back, and the journal taken in from the checkpoint.

use std::time::{Duration, Instant};

use engine::Engine;
use store::{Page, QuarantineQuery, QuarantineStatus};

use crate::RuntimeError;
use crate::keeper::Keeper;
use crate::worker::{Setting, Worker};

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 8 * 1024 * 1024;

/// What a restart had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// Where the store had come to.
    pub checkpoint: u64,
    /// Entries taken in again.
    pub entries: u64,
    /// How long it took.
    pub took: Duration,
}

pub(crate) fn recover(
    setting: Setting,
    keeper: Keeper,
) -> Result<(Worker, Recovered), RuntimeError> {
    let begun = Instant::now();
    let checkpoint = setting.reader.checkpoint()?;
    let (first, next) = (setting.appender.first_offset(), setting.appender.next_offset());
    if checkpoint < first {
        return Err(RuntimeError::Gap { checkpoint, first });
    }
    if checkpoint > next {
        return Err(RuntimeError::Ahead { checkpoint, next });
    }
    let mut engine = Engine::new(alert::Policy::built_in());
    let parts = setting.reader.engine_state()?;
    if engine.restore(parts).is_err() {
        // Conclusions of entries before the checkpoint are in the store; only what the engine
        // remembered of them would be missing. From its first entry the journal says it again.
        tracing::warn!("engine: its stored state is of another version and was not read");
        engine = Engine::new(alert::Policy::built_in());
    }
    let new = QuarantineQuery {
        status: Some(QuarantineStatus::New),
        page: Page { skip: 0, limit: 0 },
        ..QuarantineQuery::default()
    };
    let waiting = setting.reader.quarantine(&new)?.total;
    setting.live.add_quarantined(i64::try_from(waiting).unwrap_or(i64::MAX));
    for (reason, count) in setting.reader.counters()? {
        setting.live.count(&reason, count);
    }
    let appender = setting.appender.clone();
    let mut worker = Worker::new(setting, keeper, engine, checkpoint);
    let mut from = checkpoint;
    while from < next {
        let entries = appender.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.offset + 1;
        worker.take(&entries);
    }
    worker.settle();
    let recovered = Recovered { checkpoint, entries: from - checkpoint, took: begun.elapsed() };
    tracing::info!(
        checkpoint,
        entries = recovered.entries,
        ms = recovered.took.as_millis() as u64,
        "recovered from the journal"
    );
    Ok((worker, recovered))
}
