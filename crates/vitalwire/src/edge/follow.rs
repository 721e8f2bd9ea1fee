//! From the edge's journal and store into its spool: messages and deeds from the journal, alerts from
//! the store, in the order in which they happened, each once.

use std::collections::HashMap;
use std::time::Duration;

use ::edge::Piece;
use engine::AlertRecord;
use journal::Entry;
use store::{KvRow, SeriesFilter};
use vitals::{
    Action, EffectiveTime, Event, Offset, Passed, PassedAlert, PassedScore, ReceiveTime, SeriesId,
};

use super::Shared;
use crate::clock::clock;
use crate::wiring::Near;

/// How often to look.
const EVERY: Duration = Duration::from_millis(250);
/// How long the store may take to catch up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of the journal taken at once.
const READ_BYTES: usize = 512 << 10;
/// Who does here what the centre says.
pub(super) const CENTRE: &str = "centre";

/// Follows until the task is ended.
pub(super) async fn run(near: Near, shared: Shared) {
    let mut said = false;
    loop {
        near.live.progress().settle(PATIENCE).await;
        let stored = near.live.progress().stored();
        let (near, shared) = (near.clone(), shared.clone());
        let ended = tokio::task::spawn_blocking(move || {
            let mut spool = shared.spool.lock();
            let done = take(&near, &mut spool, stored).and_then(|()| Ok(spool.sweep(clock().0)?));
            shared.note(&spool);
            done
        })
        .await;
        match ended {
            Ok(Ok(())) => said = false,
            Ok(Err(error)) if !said => {
                tracing::error!("nothing goes into the spool, and is tried again: {error:#}");
                said = true;
            }
            _ => {}
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Takes in what the store has come to.
fn take(near: &Near, spool: &mut ::edge::Spool, stored: Offset) -> anyhow::Result<()> {
    let first = near.appender.first_offset();
    if spool.cursor() < first {
        spool.lost(first - spool.cursor(), clock().0, first)?;
    }
    while spool.cursor() < stored {
        let mut entries = near.appender.read(spool.cursor(), READ_BYTES)?;
        entries.retain(|entry| entry.offset < stored);
        let Some(last) = entries.last().map(|entry| entry.offset) else { break };
        let (alerts, scores) = (alerts(near, last + 1)?, scores(near, last + 1)?);
        let mut pieces = Vec::new();
        for entry in entries {
            let (offset, at) = (entry.offset, entry.at.0);
            pieces.extend(piece(entry).map(|what| Piece { at, what }));
            let of = alerts.iter().filter(|(of, _)| *of == offset);
            pieces.extend(of.map(|(_, alert)| Piece { at, what: Passed::Alert(Box::new(alert.clone())) }));
            let of = scores.iter().filter(|(of, _)| *of == offset);
            pieces.extend(of.map(|(_, score)| Piece { at, what: Passed::Score(score.clone()) }));
        }
        spool.take(&pieces, last + 1)?;
        forget(near, last + 1)?;
    }
    Ok(())
}

/// What of a journal entry is sent on.
fn piece(entry: Entry) -> Option<Passed> {
    match entry.event {
        Event::Message(message) => Some(Passed::Message(Box::new(message))),
        Event::Action(actor, action) if actor.name != CENTRE => {
            let at = EffectiveTime(entry.at.0);
            let action = match action {
                Action::Associate { device, patient, since } => {
                    Action::Associate { device, patient, since: since.or(Some(at)) }
                }
                Action::Disassociate { device, at: when } => {
                    Action::Disassociate { device, at: when.or(Some(at)) }
                }
                Action::Directory(_)
                | Action::Mount { .. }
                | Action::SetLimits { .. }
                | Action::SetSpo2Scale { .. }
                | Action::Baseline { .. } => action,
                _ => return None,
            };
            Some(Passed::Action(actor, Box::new(action)))
        }
        _ => None,
    }
}

/// Changes of alerts of entries before `end`, in order.
fn alerts(near: &Near, end: Offset) -> anyhow::Result<Vec<(Offset, PassedAlert)>> {
    let mut rows = near.reader.kv_all(runtime::RELAYED_ALERTS)?;
    rows.retain(|(key, _)| offset_of(key).is_some_and(|offset| offset < end));
    rows.sort();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let known = near.reader.series(&SeriesFilter::default())?;
    let metrics: HashMap<SeriesId, _> = known.into_iter().map(|info| (info.id, info.key.metric)).collect();
    let mut alerts = Vec::with_capacity(rows.len());
    for (key, body) in rows {
        let record: AlertRecord = serde_json::from_slice(&body)?;
        // Silence of a device is for whoever waits for it to tell: the centre waits itself.
        if matches!(record.episode.condition, alert::ConditionKey::Gap(_)) {
            continue;
        }
        let readings = record.episode.readings.iter();
        let alert = PassedAlert {
            episode: record.episode.id,
            patient: record.patient.clone(),
            because: readings.filter_map(|reading| metrics.get(&reading.series).copied()).collect(),
            record: String::from_utf8(body)?,
        };
        alerts.push((offset_of(&key).unwrap_or(0), alert));
    }
    Ok(alerts)
}

/// Scores of entries before `end`, in order.
fn scores(near: &Near, end: Offset) -> anyhow::Result<Vec<(Offset, PassedScore)>> {
    let mut rows = near.reader.kv_all(runtime::RELAYED_SCORES)?;
    rows.sort();
    let rows = rows.iter().filter_map(|(key, body)| Some((offset_of(key)?, body)));
    let rows = rows.filter(|(offset, _)| *offset < end);
    rows.map(|(offset, body)| Ok((offset, serde_json::from_slice(body)?))).collect()
}

/// Changes of alerts, and scores, of entries before `end` are in the spool.
fn forget(near: &Near, end: Offset) -> anyhow::Result<()> {
    let mut gone = Vec::new();
    for bucket in [runtime::RELAYED_ALERTS, runtime::RELAYED_SCORES] {
        let rows = near.reader.kv_all(bucket)?.into_iter();
        let rows = rows.filter(|(key, _)| offset_of(key).is_some_and(|offset| offset < end));
        gone.extend(rows.map(|(key, _)| KvRow { bucket: bucket.to_owned(), key, value: None }));
    }
    if !gone.is_empty() {
        near.side.put(&gone)?;
    }
    Ok(())
}

fn offset_of(key: &str) -> Option<Offset> {
    key.split_once('-')?.0.parse().ok()
}

/// Now, as the journal has it.
pub(super) fn now() -> ReceiveTime {
    clock()
}
