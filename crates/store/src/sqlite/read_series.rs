//! Series: which there are, their points, thinned or not.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};
use vitals::{DeviceId, EffectiveTime, MetricCode, PatientId, Point, Quality, SeriesId, SeriesKey};

use crate::series::thin::Thinner;
use crate::series::{self, Columns, Head};
use crate::sqlite::read_waves;
use crate::{SeriesFilter, SeriesInfo, Span, StoreError, Thinned};

/// A damaged block, as an error.
pub(super) fn damaged(_: series::Damaged) -> StoreError {
    StoreError::Damaged {
        what: "a block of points",
    }
}

/// The series that a filter means, by number.
pub(super) fn keys(
    db: &Connection,
    filter: &SeriesFilter,
) -> Result<Vec<(SeriesId, SeriesKey)>, StoreError> {
    let (text, values) = filter_text(filter);
    let text =
        format!("select id, subject, device, metric, channel from series {text} order by id");
    let mut ask = db.prepare_cached(&text)?;
    let mut rows = ask.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(key(row)?);
    }
    Ok(found)
}

/// The same of these series.
pub(super) fn of_ids(db: &Connection, ids: &[SeriesId]) -> Result<Vec<(SeriesId, SeriesKey)>, StoreError> {
    let mut ask = db.prepare_cached("select id, subject, device, metric, channel from series where id = ?1")?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let mut rows = ask.query([id.0])?;
        if let Some(row) = rows.next()? {
            found.push(key(row)?);
        }
    }
    Ok(found)
}

/// Series with what is in them.
pub(super) fn series(
    db: &Connection,
    filter: &SeriesFilter,
) -> Result<Vec<SeriesInfo>, StoreError> {
    let mut sum = db.prepare_cached(
        "select coalesce(sum(count), 0), min(min_time), max(max_time) from blocks where series = ?1",
    )?;
    keys(db, filter)?
        .into_iter()
        .map(|(id, key)| {
            let mut info = sum.query_row([id.0], |row| {
                Ok(SeriesInfo {
                    id,
                    key,
                    count: row.get::<_, i64>(0)? as u64,
                    first: row.get::<_, Option<i64>>(1)?.map(EffectiveTime),
                    last: row.get::<_, Option<i64>>(2)?.map(EffectiveTime),
                })
            })?;
            if let Some(extent) = read_waves::extent(db, id)? {
                info.count += extent.frames;
                info.first = Some(info.first.map_or(extent.first, |time| time.min(extent.first)));
                info.last = info.last.max(Some(extent.last));
            }
            Ok(info)
        })
        .collect()
}

/// Points in time order.
pub(super) fn points(
    db: &Connection,
    series: SeriesId,
    span: Span,
) -> Result<Vec<Point>, StoreError> {
    let (from, last) = span.ends();
    let mut ask = db.prepare_cached(
        "select data from blocks where series = ?1 and max_time >= ?2 and min_time <= ?3 \
         order by max_time",
    )?;
    let mut rows = ask.query(params![series.0, from, last])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let points = decode(row, 0)?;
        out.extend(points.into_iter().filter(|point| span.holds(point.time.0)));
    }
    let frames = read_waves::points(db, series, span, Span::ALL)?;
    if !frames.is_empty() {
        out.extend(frames);
        out.sort_by_key(|point| (point.time, point.offset, point.index));
    }
    Ok(out)
}

/// Buckets for drawing.
pub(super) fn thinned(
    db: &Connection,
    series: SeriesId,
    span: Span,
    buckets: usize,
) -> Result<Thinned, StoreError> {
    let mut ends =
        db.prepare_cached("select min(min_time), max(max_time) from blocks where series = ?1")?;
    let stored: (Option<i64>, Option<i64>) =
        ends.query_row([series.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(first), Some(last)) = stored else {
        return Ok(Thinned::default());
    };
    // Where the question has no bound the series has.
    let begin = span.from.unwrap_or(first);
    let end = span.to.map_or(last, |to| to.saturating_sub(1));
    let mut thinner = Thinner::new(span, begin, end, buckets);
    let mut ask = db.prepare_cached(
        "select min_time, max_time, count, min_value, max_value, first_value, last_value, \
         quality, id, data from blocks where series = ?1 and max_time >= ?2 and min_time <= ?3 \
         order by max_time",
    )?;
    let mut rows = ask.query(params![series.0, begin, end])?;
    let mut columns = Columns::default();
    while let Some(row) = rows.next()? {
        if !thinner.head(&head(row)?) {
            let bytes = row.get_ref(9)?.as_blob().map_err(rusqlite::Error::from)?;
            series::decode_columns(bytes, &mut columns).map_err(damaged)?;
            thinner.columns(&columns);
        }
    }
    Ok(thinner.finish())
}

/// The points of a block in a column of a row.
pub(super) fn decode(row: &Row<'_>, column: usize) -> Result<Vec<Point>, StoreError> {
    let bytes = row
        .get_ref(column)?
        .as_blob()
        .map_err(rusqlite::Error::from)?;
    series::decode(bytes).map_err(damaged)
}

fn head(row: &Row<'_>) -> Result<Head, StoreError> {
    let float = |at| Ok::<_, rusqlite::Error>(row.get::<_, Option<f64>>(at)?.unwrap_or(f64::NAN));
    Ok(Head {
        time: (row.get(0)?, row.get(1)?),
        received: (0, 0),
        offset: (0, 0),
        count: row.get::<_, i64>(2)? as usize,
        value: (float(3)?, float(4)?),
        ends: (float(5)?, float(6)?),
        quality: Quality::from_bits_retain(row.get(7)?),
    })
}

fn key(row: &Row<'_>) -> Result<(SeriesId, SeriesKey), StoreError> {
    let damaged = |_| StoreError::Damaged { what: "a series" };
    let subject: Option<String> = row.get(1)?;
    let device: String = row.get(2)?;
    Ok((
        SeriesId(row.get(0)?),
        SeriesKey {
            subject: subject
                .as_deref()
                .map(PatientId::new)
                .transpose()
                .map_err(damaged)?,
            device: DeviceId::new(&device).map_err(damaged)?,
            metric: MetricCode(row.get(3)?),
            channel: row.get(4)?,
        },
    ))
}

fn filter_text(filter: &SeriesFilter) -> (String, Vec<Value>) {
    let mut text = String::from("where 1");
    let mut values = Vec::new();
    let mut any = |column: &str, list: Vec<Value>| {
        if !list.is_empty() {
            let marks = vec!["?"; list.len()].join(", ");
            text.push_str(&format!(" and {column} in ({marks})"));
            values.extend(list);
        }
    };
    any(
        "id",
        filter
            .ids
            .iter()
            .map(|id| Value::from(i64::from(id.0)))
            .collect(),
    );
    any(
        "subject",
        filter
            .subjects
            .iter()
            .map(|id| id.as_str().to_owned().into())
            .collect(),
    );
    any(
        "device",
        filter
            .devices
            .iter()
            .map(|id| id.as_str().to_owned().into())
            .collect(),
    );
    any(
        "metric",
        filter
            .metrics
            .iter()
            .map(|code| Value::from(i64::from(code.0)))
            .collect(),
    );
    if filter.without_subject {
        text.push_str(" and subject is null");
    }
    (text, values)
}
