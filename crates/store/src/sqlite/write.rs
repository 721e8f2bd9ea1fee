//! One commit, one transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use vitals::{Point, SeriesId};

use crate::sqlite::{blocks, directory, holds, predictions, waves, write_rows};
use crate::{Commit, KvRow, StoreError};

/// Writes everything, or nothing.
pub(super) fn commit(
    connection: &mut Connection,
    tails: &mut blocks::Tails,
    wave_tails: &mut waves::WaveTails,
    commit: &Commit,
) -> Result<(), StoreError> {
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    checkpoint(&db, commit.checkpoint)?;
    named(&db, commit)?;
    series(&db, commit)?;
    points(&db, tails, commit)?;
    texts(&db, commit)?;
    waves::add(&db, wave_tails, &commit.waves)?;
    write_rows::identifiers(&db, &commit.identifiers)?;
    directory::write(&db, &commit.directory)?;
    write_rows::alerts(&db, &commit.alerts)?;
    write_rows::alert_events(&db, &commit.alert_events)?;
    predictions::write(&db, &commit.predictions)?;
    write_rows::quarantine(&db, &commit.quarantine)?;
    write_rows::documents(&db, &commit.documents)?;
    write_rows::outbox(&db, &commit.outbox)?;
    holds::write(&db, &commit.holds, &commit.holds_released)?;
    kv(&db, &commit.kv)?;
    for erasure in &commit.erasures {
        super::erase::erase(&db, erasure)?;
    }
    db.commit().map_err(|source| StoreError::Sqlite {
        doing: "committing",
        source,
    })
}

/// Sets or removes named values.
pub(super) fn kv(db: &Transaction<'_>, rows: &[KvRow]) -> Result<(), StoreError> {
    for row in rows {
        if let Some(value) = &row.value {
            db.prepare_cached(
                "insert or replace into kv (bucket, key, value) values (?1, ?2, ?3)",
            )?
            .execute(params![row.bucket, row.key, value])?;
        } else {
            db.prepare_cached("delete from kv where bucket = ?1 and key = ?2")?
                .execute(params![row.bucket, row.key])?;
        }
    }
    Ok(())
}

fn checkpoint(db: &Transaction<'_>, offered: u64) -> Result<(), StoreError> {
    let stored = super::read::checkpoint(db)?;
    if offered < stored {
        return Err(StoreError::Backwards { stored, offered });
    }
    if offered > stored {
        db.execute(
            "insert or replace into meta (name, value) values ('checkpoint', ?1)",
            [offered as i64],
        )?;
    }
    Ok(())
}

fn named(db: &Transaction<'_>, commit: &Commit) -> Result<(), StoreError> {
    for (name, part) in &commit.engine_state {
        let value = part.bytes();
        if value.is_empty() {
            db.prepare_cached("delete from engine_state where name = ?1")?
                .execute([name])?;
        } else {
            db.prepare_cached("insert or replace into engine_state (name, value) values (?1, ?2)")?
                .execute(params![name, value])?;
        }
    }
    for (name, value) in &commit.counters {
        db.prepare_cached("insert or replace into counters (name, value) values (?1, ?2)")?
            .execute(params![name, *value as i64])?;
    }
    Ok(())
}

fn series(db: &Transaction<'_>, commit: &Commit) -> Result<(), StoreError> {
    for (id, key) in &commit.series {
        db.prepare_cached(
            "insert or replace into series (id, subject, device, metric, channel) \
             values (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.0,
            key.subject.as_ref().map(|subject| subject.as_str()),
            key.device.as_str(),
            key.metric.0,
            key.channel
        ])?;
    }
    Ok(())
}

fn points(
    db: &Transaction<'_>,
    tails: &mut blocks::Tails,
    commit: &Commit,
) -> Result<(), StoreError> {
    let mut by_series: BTreeMap<SeriesId, Vec<Point>> = BTreeMap::new();
    for (series, points) in &commit.points {
        by_series
            .entry(*series)
            .or_default()
            .extend_from_slice(points);
    }
    for (series, point, _) in &commit.texts {
        by_series.entry(*series).or_default().push(*point);
    }
    for (series, points) in by_series {
        if !points.is_empty() {
            blocks::add(db, tails, series, points)?;
        }
    }
    Ok(())
}

fn texts(db: &Transaction<'_>, commit: &Commit) -> Result<(), StoreError> {
    for (series, point, text) in &commit.texts {
        db.prepare_cached(
            "insert or replace into attachments (series, journal_offset, reading_index, time, \
             received, quality, kind, data) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            series.0,
            point.offset as i64,
            point.index,
            point.time.0,
            point.received.0,
            point.quality.bits(),
            super::read_readings::TEXT,
            text.as_bytes()
        ])?;
    }
    Ok(())
}
