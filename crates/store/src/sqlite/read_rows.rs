//! Alerts, quarantine, documents and the outbox, read.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params};
use vitals::{DeviceId, EpisodeId, Offset, PatientId, ProblemKind, ReceiveTime};

use crate::sqlite::directory::{any_of, found};
use crate::{
    AlertEventRow, AlertQuery, AlertRow, DocumentQuery, DocumentRow, Found, OutboxRow,
    QuarantineQuery, QuarantineRow, QuarantineStatus, Span, StoreError,
};

const ALERT: &str = "episode_offset, episode_index, patient, device, unit, condition, priority, \
                     state, open, raised, changed, body";
const QUARANTINE: &str = "journal_offset, received, protocol, address, sender, profile, kinds, \
                          status, resolution, problems";
const DOCUMENT: &str = "kind, id, version, updated, body";

pub(super) fn alerts(db: &Connection, query: &AlertQuery) -> Result<Found<AlertRow>, StoreError> {
    let mut text = String::from("from alerts where true");
    let mut values = Vec::new();
    // Asked for all priorities, an index alone can count.
    if query.priority_min > 0 {
        text.push_str(" and priority >= ?");
        values.push(i64::from(query.priority_min).into());
    }
    if let Some(patient) = &query.patient {
        text.push_str(" and patient = ?");
        values.push(patient.as_str().to_owned().into());
    }
    if let Some(unit) = &query.unit {
        text.push_str(" and unit = ?");
        values.push(unit.clone().into());
    }
    if let Some(open) = query.open {
        text.push_str(" and open = ?");
        values.push(open.into());
    }
    any_of(&mut text, &mut values, "state", &query.states);
    within(&mut text, &mut values, "raised", query.raised);
    within(&mut text, &mut values, "changed", query.changed);
    let newest = "raised desc, episode_offset desc, episode_index desc";
    let urgent = format!("priority desc, {newest}");
    let order = if query.urgent_first { &urgent } else { newest };
    found(db, (ALERT, &text, order), values, query.page, read_alert)
}

pub(super) fn alert(db: &Connection, episode: EpisodeId) -> Result<Option<AlertRow>, StoreError> {
    let text =
        format!("select {ALERT} from alerts where episode_offset = ?1 and episode_index = ?2");
    db.prepare_cached(&text)?
        .query_row(params![episode.offset as i64, episode.index], |row| {
            Ok(read_alert(row))
        })
        .optional()?
        .transpose()
}

pub(super) fn alert_events(
    db: &Connection,
    episode: EpisodeId,
) -> Result<Vec<AlertEventRow>, StoreError> {
    let mut ask = db.prepare_cached(
        "select journal_offset, order_index, at, kind, actor, body from alert_events \
         where episode_offset = ?1 and episode_index = ?2 order by journal_offset, order_index",
    )?;
    let rows = ask.query_map(params![episode.offset as i64, episode.index], |row| {
        Ok(AlertEventRow {
            episode,
            offset: row.get::<_, i64>(0)? as u64,
            index: row.get(1)?,
            at: ReceiveTime(row.get(2)?),
            kind: row.get(3)?,
            actor: row.get(4)?,
            body: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The histories of several alerts, in their order.
pub(super) fn alert_histories(
    db: &Connection,
    episodes: &[EpisodeId],
) -> Result<Vec<Vec<AlertEventRow>>, StoreError> {
    episodes.iter().map(|episode| alert_events(db, *episode)).collect()
}

pub(super) fn quarantine(
    db: &Connection,
    query: &QuarantineQuery,
) -> Result<Found<QuarantineRow>, StoreError> {
    let mut text = String::from("from quarantine where 1");
    let mut values: Vec<Value> = Vec::new();
    if let Some(status) = query.status {
        text.push_str(" and status = ?");
        values.push(status.name().to_owned().into());
    }
    if let Some(kind) = query.kind {
        text.push_str(" and instr(kinds, ?) > 0");
        values.push(format!("/{}/", kind.name()).into());
    }
    if let Some(protocol) = &query.protocol {
        text.push_str(" and protocol = ?");
        values.push(protocol.clone().into());
    }
    if let Some(part) = &query.text {
        text.push_str(" and instr(lower(address || ' ' || sender || ' ' || profile), ?) > 0");
        values.push(part.to_lowercase().into());
    }
    within(&mut text, &mut values, "received", query.received);
    found(
        db,
        (QUARANTINE, &text, "journal_offset desc"),
        values,
        query.page,
        |row| read_quarantine(row, Vec::new()),
    )
}

/// How many messages of a standing have a problem of each kind.
pub(super) fn quarantine_kinds(
    db: &Connection,
    status: QuarantineStatus,
) -> Result<Vec<(ProblemKind, u64)>, StoreError> {
    let mut ask = db.prepare_cached(
        "select kinds, count(*) from quarantine where status = ?1 group by kinds",
    )?;
    let mut rows = ask.query([status.name()])?;
    let mut counts = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (kinds, count): (String, i64) = (row.get(0)?, row.get(1)?);
        for kind in kinds.split('/').filter_map(ProblemKind::from_name) {
            *counts.entry(kind).or_insert(0) += count as u64;
        }
    }
    Ok(counts.into_iter().collect())
}

pub(super) fn quarantine_item(
    db: &Connection,
    offset: Offset,
) -> Result<Option<QuarantineRow>, StoreError> {
    let text = format!("select {QUARANTINE}, payload from quarantine where journal_offset = ?1");
    db.prepare_cached(&text)?
        .query_row([offset as i64], |row| {
            Ok(read_quarantine(row, row.get(10)?))
        })
        .optional()?
        .transpose()
}

/// Versions of a document, newest first; a negative limit means all.
pub(super) fn history(
    db: &Connection,
    kind: &str,
    id: &str,
    limit: i64,
) -> Result<Vec<DocumentRow>, StoreError> {
    let text = format!(
        "select {DOCUMENT} from documents where kind = ?1 and id = ?2 \
         order by version desc limit ?3"
    );
    let mut ask = db.prepare_cached(&text)?;
    let mut rows = ask.query(params![kind, id, limit])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(read_document(row)?);
    }
    let mut ask = db.prepare_cached(
        "select name, token from document_tokens where kind = ?1 and id = ?2 order by name, token",
    )?;
    if let Some(latest) = out.first_mut() {
        let tokens = ask.query_map(params![kind, id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        latest.tokens = tokens.collect::<Result<_, _>>()?;
    }
    Ok(out)
}

pub(super) fn documents(
    db: &Connection,
    query: &DocumentQuery,
) -> Result<Found<DocumentRow>, StoreError> {
    let mut text =
        String::from("from documents where kind = ? and latest = 1 and length(body) > 0");
    let mut values = vec![Value::from(query.kind.clone())];
    for (name, token) in &query.tokens {
        text.push_str(
            " and id in (select t.id from document_tokens t where t.kind = documents.kind \
             and t.name = ? and t.token = ?)",
        );
        values.extend([Value::from(name.clone()), Value::from(token.clone())]);
    }
    within(&mut text, &mut values, "updated", query.updated);
    found(
        db,
        (DOCUMENT, &text, "updated desc, id"),
        values,
        query.page,
        read_document,
    )
}

pub(super) fn outbox_due(
    db: &Connection,
    now: ReceiveTime,
    limit: u64,
) -> Result<Vec<OutboxRow>, StoreError> {
    let mut ask = db.prepare_cached(
        "select id, target, body, created, attempts, next_at, last_error from outbox \
         where next_at <= ?1 order by created, id limit ?2",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = ask.query_map(params![now.0, limit], |row| {
        Ok(OutboxRow {
            id: row.get(0)?,
            target: row.get(1)?,
            body: row.get(2)?,
            created: ReceiveTime(row.get(3)?),
            attempts: row.get(4)?,
            next_at: ReceiveTime(row.get(5)?),
            last_error: row.get(6)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds a restriction to a span of times, if it is one.
pub(super) fn within(text: &mut String, values: &mut Vec<Value>, column: &str, span: Span) {
    if span != Span::ALL {
        let (from, last) = span.ends();
        text.push_str(&format!(" and {column} between ? and ?"));
        values.extend([Value::from(from), Value::from(last)]);
    }
}

fn read_alert(row: &Row<'_>) -> Result<AlertRow, StoreError> {
    let damaged = |_| StoreError::Damaged { what: "an alert" };
    let patient: Option<String> = row.get(2)?;
    let device: Option<String> = row.get(3)?;
    Ok(AlertRow {
        episode: EpisodeId {
            offset: row.get::<_, i64>(0)? as u64,
            index: row.get(1)?,
        },
        patient: patient
            .as_deref()
            .map(PatientId::new)
            .transpose()
            .map_err(damaged)?,
        device: device
            .as_deref()
            .map(DeviceId::new)
            .transpose()
            .map_err(damaged)?,
        unit: row.get(4)?,
        condition: row.get(5)?,
        priority: row.get(6)?,
        state: row.get(7)?,
        open: row.get(8)?,
        raised: ReceiveTime(row.get(9)?),
        changed: ReceiveTime(row.get(10)?),
        body: row.get(11)?,
    })
}

fn read_quarantine(row: &Row<'_>, payload: Vec<u8>) -> Result<QuarantineRow, StoreError> {
    let kinds: String = row.get(6)?;
    let status: String = row.get(7)?;
    Ok(QuarantineRow {
        offset: row.get::<_, i64>(0)? as u64,
        received: ReceiveTime(row.get(1)?),
        protocol: row.get(2)?,
        address: row.get(3)?,
        sender: row.get(4)?,
        profile: row.get(5)?,
        kinds: kinds.split('/').filter_map(ProblemKind::from_name).collect(),
        status: QuarantineStatus::from_name(&status).ok_or(StoreError::Damaged {
            what: "a quarantined message",
        })?,
        resolution: row.get(8)?,
        problems: row.get(9)?,
        payload,
    })
}

fn read_document(row: &Row<'_>) -> Result<DocumentRow, StoreError> {
    Ok(DocumentRow {
        kind: row.get(0)?,
        id: row.get(1)?,
        version: row.get::<_, i64>(2)? as u64,
        updated: ReceiveTime(row.get(3)?),
        body: row.get(4)?,
        tokens: Vec::new(),
    })
}
