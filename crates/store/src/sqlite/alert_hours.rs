//! What was read of the alerts of each hour, kept. That it is true is up to the triggers of `schema-7.sql`.

use rusqlite::{Connection, Transaction, params};
use vitals::time::HOUR;

use crate::{AlertHour, Span, StoreError};

/// The hours that hold a time of the span, newest first.
pub(super) fn list(db: &Connection, span: Span) -> Result<Vec<AlertHour>, StoreError> {
    let mut ask = db.prepare_cached(
        "select hour, version, body from alert_hours where hour between ?1 and ?2 order by hour desc",
    )?;
    let (first, last) = span.ends();
    // As the triggers divide: towards zero.
    let rows = ask.query_map([first / HOUR, last / HOUR], |row| {
        Ok(AlertHour { hour: row.get(0)?, version: row.get(1)?, body: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The hours before this one of which nothing is kept that begins with this byte.
pub(super) fn without(db: &Connection, format: u8, before: i64) -> Result<Vec<AlertHour>, StoreError> {
    let mut ask = db.prepare_cached(
        "select hour, version from alert_hours where hour < ?2 and (body is null or substr(body, 1, 1) <> ?1) order by hour",
    )?;
    let rows = ask.query_map(params![[format].as_slice(), before], |row| {
        Ok(AlertHour { hour: row.get(0)?, version: row.get(1)?, body: None })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps what was read, where the version is still the one that was read.
pub(super) fn keep(db: &Transaction<'_>, hours: &[AlertHour]) -> Result<(), StoreError> {
    let mut keep = db.prepare_cached("update alert_hours set body = ?3 where hour = ?1 and version = ?2")?;
    for one in hours {
        keep.execute(params![one.hour, one.version, one.body])?;
    }
    Ok(())
}
