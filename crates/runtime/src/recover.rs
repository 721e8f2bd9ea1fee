//! After a restart: the engine's parts read back, and the journal taken in from the checkpoint.
//!
//! Parts that this program can't read are made anew from the journal, from its oldest entry on:
//! whole, if it still has its first one; else as far as it goes, beside what the store knows.

use std::time::{Duration, Instant};

use engine::{AlertRecord, Effect, Engine, Known};
use store::{
    AlertQuery, AlertRow, AssociationQuery, DirectoryQuery, Page, QuarantineQuery,
    QuarantineStatus, Reader, SeriesFilter,
};
use vitals::{Action, Event, Offset, Passed};

use crate::RuntimeError;
use crate::keeper::Keeper;
use crate::worker::{Setting, Worker};

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 8 * 1024 * 1024;
/// Everything that there is.
const ALL: Page = Page { skip: 0, limit: u64::MAX >> 1 };

/// What a restart had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// Where the store had come to.
    pub checkpoint: u64,
    /// Entries taken in again.
    pub entries: u64,
    /// The entry from which the engine's state was made anew, if it could not be read back.
    pub rebuilt_from: Option<u64>,
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
    engine.set_models(setting.options.models.clone());
    let parts = setting.reader.engine_state()?;
    let names: Vec<String> = parts.iter().map(|(name, _)| name.clone()).collect();
    let mut anew = None;
    let restored = !parts.is_empty() && names.iter().all(|name| name != "directory");
    if let Err(error) = engine.restore(parts) {
        tracing::error!("engine: {error}");
        anew = Some(rebuild(&setting, checkpoint)?);
    } else if restored {
        // A backup has nothing that is about everybody at once: that is learned from its tables.
        engine.learn(known(&setting.reader)?);
        let stored = setting.reader.series(&SeriesFilter::default())?;
        engine.learn_series(stored.into_iter().map(|series| (series.id, series.key)));
        tracing::info!("engine: who is who was learned from the store, as after a restore");
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
    let mut rebuilt_from = None;
    let mut worker = match anew {
        None => Worker::new(setting, keeper, engine, checkpoint),
        Some(anew) => {
            rebuilt_from = Some(first);
            let mut worker = Worker::new(setting, keeper, anew.engine, checkpoint);
            worker.pending().begin_anew(names, anew.series, anew.ended);
            worker
        }
    };
    let mut from = checkpoint;
    while from < next {
        let entries = appender.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.offset + 1;
        worker.take(&entries);
    }
    worker.settle();
    // Whoever starts next finds what there is.
    worker.publish(true);
    let entries = from - checkpoint;
    let recovered = Recovered { checkpoint, entries, rebuilt_from, took: begun.elapsed() };
    tracing::info!(
        checkpoint,
        entries = recovered.entries,
        ms = recovered.took.as_millis() as u64,
        "recovered from the journal"
    );
    Ok((worker, recovered))
}

/// An engine made anew, and what the store must be told of it.
struct Anew {
    engine: Engine,
    /// Series that the store does not have.
    series: Vec<Effect>,
    /// Alerts that the store has as open and that could not be taken over.
    ended: Vec<AlertRow>,
}

fn rebuild(setting: &Setting, checkpoint: Offset) -> Result<Anew, RuntimeError> {
    let first = setting.appender.first_offset();
    let whole = first == 0;
    let mut engine = Engine::new(alert::Policy::built_in());
    engine.set_models(setting.options.models.clone());
    if !whole {
        engine.learn(known(&setting.reader)?);
    }
    let stored = setting.reader.series(&SeriesFilter::default())?;
    engine.learn_series(stored.into_iter().map(|series| (series.id, series.key)));
    let mut series = Vec::new();
    let mut out = Vec::new();
    let mut from = first;
    while from < checkpoint {
        let entries = setting.appender.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.offset + 1;
        for entry in entries.iter().filter(|entry| entry.offset < checkpoint) {
            if whole || repeatable(&entry.event) {
                engine.step(entry.offset, entry.at, &entry.event, &mut out);
                // All else that follows from these entries is in the store already.
                series.extend(out.drain(..).filter(|e| matches!(e, Effect::SeriesOpened(..))));
            }
        }
    }
    let query = AlertQuery { open: Some(true), page: ALL, ..AlertQuery::default() };
    let (mut open, mut ended) = (Vec::new(), Vec::new());
    for row in setting.reader.alerts(&query)?.rows {
        match serde_json::from_slice::<AlertRecord>(&row.body) {
            Ok(record) => open.push((record.patient, record.episode)),
            Err(_) => ended.push(row),
        }
    }
    engine.learn_alerts(&open);
    engine.take_changed();
    let text = if whole {
        format!("the engine's stored state could not be read; it was made anew from all {checkpoint} journal entries")
    } else {
        format!(
            "the engine's stored state could not be read, and the journal begins at entry {first} \
             only: values, scores and alerts were made anew from there and from the store; limits \
             of single patients and policies set before that must be set again"
        )
    };
    tracing::error!("engine: {text}");
    setting.live.notice(text);
    Ok(Anew { engine, series, ended })
}

/// What may be taken in again beside a store that knows what came of it: values and settings, but
/// nothing that moves anybody.
fn repeatable(event: &Event) -> bool {
    match event {
        Event::Message(message) => {
            message.content.iter().all(|content| matches!(content, vitals::Content::Reading(_)))
        }
        Event::Action(_, action) => {
            matches!(
                action,
                Action::SetLimits { .. }
                    | Action::SetSpo2Scale { .. }
                    | Action::UseModels { .. }
                    | Action::Baseline { .. }
            )
        }
        Event::Relayed(relayed) => match &relayed.what {
            Passed::Message(message) => {
                message.content.iter().all(|content| matches!(content, vitals::Content::Reading(_)))
            }
            Passed::Alert(_) | Passed::Action(..) | Passed::Score(_) => false,
        },
        Event::Tick | Event::Policy(..) | Event::Link { .. } | Event::Erased => true,
    }
}

/// Who and what there is, as a store knows it.
///
/// # Errors
/// [`RuntimeError`] when the store can't be read.
pub fn known(reader: &Reader) -> Result<Known, RuntimeError> {
    let all = DirectoryQuery { page: ALL, ..DirectoryQuery::default() };
    let patients = reader.patients(&all)?.rows.into_iter();
    let associations = reader.associations(&AssociationQuery::default())?;
    Ok(Known {
        patients: patients.map(|row| (row.patient, row.merged_into)).collect(),
        locations: reader.locations(&all)?.rows.into_iter().map(|row| row.location).collect(),
        encounters: reader.encounters(&all)?.rows.into_iter().map(|row| row.encounter).collect(),
        devices: reader.devices(&all)?.rows.into_iter().map(|row| row.device).collect(),
        associations: associations.into_iter().map(|row| row.association).collect(),
    })
}
