//! Alerts, quarantine, documents and the rest, row by row.

use rusqlite::{Transaction, params};
use vitals::ReadingRef;

use crate::{AlertEventRow, AlertRow, DocumentRow, OutboxRow, QuarantineRow, StoreError};

pub(super) fn identifiers(
    db: &Transaction<'_>,
    rows: &[(String, ReadingRef)],
) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "insert or ignore into reading_names \
         (identifier, series, journal_offset, reading_index) values (?1, ?2, ?3, ?4)",
    )?;
    for (identifier, reading) in rows {
        insert.execute(params![
            identifier,
            reading.series.0,
            reading.offset as i64,
            reading.index
        ])?;
    }
    Ok(())
}

pub(super) fn alerts(db: &Transaction<'_>, rows: &[AlertRow]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "insert or replace into alerts (episode_offset, episode_index, patient, device, unit, \
         condition, priority, state, open, raised, changed, body) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for row in rows {
        insert.execute(params![
            row.episode.offset as i64,
            row.episode.index,
            row.patient.as_ref().map(|patient| patient.as_str()),
            row.device.as_ref().map(|device| device.as_str()),
            row.unit,
            row.condition,
            row.priority,
            row.state,
            row.open,
            row.raised.0,
            row.changed.0,
            row.body
        ])?;
    }
    Ok(())
}

pub(super) fn alert_events(db: &Transaction<'_>, rows: &[AlertEventRow]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "insert or replace into alert_events (episode_offset, episode_index, journal_offset, \
         order_index, at, kind, actor, body) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for row in rows {
        insert.execute(params![
            row.episode.offset as i64,
            row.episode.index,
            row.offset as i64,
            row.index,
            row.at.0,
            row.kind,
            row.actor,
            row.body
        ])?;
    }
    Ok(())
}

pub(super) fn quarantine(db: &Transaction<'_>, rows: &[QuarantineRow]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "insert into quarantine (journal_offset, received, protocol, address, sender, profile, \
         kinds, status, resolution, problems, payload) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
         on conflict (journal_offset) do update set kinds = ?7, status = ?8, resolution = ?9, \
         problems = ?10, profile = ?6, \
         payload = case when length(?11) > 0 then ?11 else payload end",
    )?;
    for row in rows {
        let kinds: String = row
            .kinds
            .iter()
            .map(|kind| format!("/{}/", kind.name()))
            .collect();
        insert.execute(params![
            row.offset as i64,
            row.received.0,
            row.protocol,
            row.address,
            row.sender,
            row.profile,
            kinds,
            row.status.name(),
            row.resolution,
            row.problems,
            row.payload
        ])?;
    }
    Ok(())
}

pub(super) fn documents(db: &Transaction<'_>, rows: &[DocumentRow]) -> Result<(), StoreError> {
    for row in rows {
        db.prepare_cached("update documents set latest = 0 where kind = ?1 and id = ?2")?
            .execute(params![row.kind, row.id])?;
        db.prepare_cached(
            "insert or replace into documents (kind, id, version, updated, latest, body) \
             values (?1, ?2, ?3, ?4, 1, ?5)",
        )?
        .execute(params![
            row.kind,
            row.id,
            row.version as i64,
            row.updated.0,
            row.body
        ])?;
        db.prepare_cached("delete from document_tokens where kind = ?1 and id = ?2")?
            .execute(params![row.kind, row.id])?;
        if row.body.is_empty() {
            continue;
        }
        let mut insert = db.prepare_cached(
            "insert or ignore into document_tokens (kind, name, token, id) values (?1, ?2, ?3, ?4)",
        )?;
        for (name, token) in &row.tokens {
            insert.execute(params![row.kind, name, token, row.id])?;
        }
    }
    Ok(())
}

pub(super) fn outbox(db: &Transaction<'_>, rows: &[OutboxRow]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "insert or ignore into outbox (id, target, body, created, attempts, next_at, last_error) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for row in rows {
        insert.execute(params![
            row.id,
            row.target,
            row.body,
            row.created.0,
            row.attempts,
            row.next_at.0,
            row.last_error
        ])?;
    }
    Ok(())
}
