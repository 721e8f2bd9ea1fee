//! Single readings, and readings over many series: counted exactly, listed in order of time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use rusqlite::{Connection, OptionalExtension, Row, params};
use vitals::{EffectiveTime, Point, Quality, ReadingRef, ReceiveTime, SeriesId};

use crate::sqlite::read_series::{decode, keys};
use crate::sqlite::read_waves;
use crate::{Attachment, Order, ReadingQuery, SeriesFilter, Span, StoreError};

/// How many points of these series lie in both spans: from block heads, decoding only what a
/// span's end divides.
pub(super) fn count(
    db: &Connection,
    filter: &SeriesFilter,
    time: Span,
    received: Span,
) -> Result<u64, StoreError> {
    let mut total = 0;
    let mut ask = db.prepare_cached(
        "select min_time, max_time, min_received, max_received, count, id from blocks \
         where series = ?1 and max_time >= ?2 and min_time <= ?3",
    )?;
    let mut one = db.prepare_cached("select data from blocks where id = ?1")?;
    let (from, last) = time.ends();
    for (series, _) in keys(db, filter)? {
        let mut rows = ask.query(params![series.0, from, last])?;
        while let Some(row) = rows.next()? {
            let (min_received, max_received) = (row.get(2)?, row.get(3)?);
            if !received.touches(min_received, max_received) {
                continue;
            }
            if time.holds_all(row.get(0)?, row.get(1)?)
                && received.holds_all(min_received, max_received)
            {
                total += row.get::<_, i64>(4)? as u64;
                continue;
            }
            let points = one.query_row([row.get::<_, i64>(5)?], |row| Ok(decode(row, 0)))??;
            let within = |p: &&Point| time.holds(p.time.0) && received.holds(p.received.0);
            total += points.iter().filter(within).count() as u64;
        }
        total += read_waves::count(db, series, time, received)?;
    }
    Ok(total)
}

/// A block that may hold readings asked for.
struct Candidate {
    series: SeriesId,
    kind: Kind,
    id: i64,
    first: i64,
    last: i64,
}

/// What a block holds: values, or frames of samples, which are readings without a number.
#[derive(Clone, Copy)]
enum Kind {
    Points,
    Frames(read_waves::Table),
}

/// A decoded reading: its time on the axis, then what breaks ties, and where it is kept.
type Waiting = Reverse<(i64, SeriesId, u64, u16, usize)>;

/// Readings of many series in order of time. Blocks are decoded in the order in which their times
/// come, and only until the page is full.
pub(super) fn readings(
    db: &Connection,
    query: &ReadingQuery,
) -> Result<Vec<(SeriesId, Point)>, StoreError> {
    if query.page.limit == 0 {
        return Ok(Vec::new());
    }
    let newest = query.order == Order::NewestFirst;
    // Newest first is oldest first on a mirrored time axis.
    let axis = |time: i64| if newest { time.saturating_neg() } else { time };
    let place = |point: &Point| if query.by_received { point.received.0 } else { point.time.0 };
    let mut blocks = candidates(db, query)?;
    blocks.sort_by_key(|block| axis(if newest { block.last } else { block.first }));
    let wanted = query.page.skip.saturating_add(query.page.limit);
    let mut waiting: BinaryHeap<Waiting> = BinaryHeap::new();
    let mut out: Vec<(SeriesId, Point)> = Vec::new();
    let mut passed = 0;
    let mut one = db.prepare_cached("select data from blocks where id = ?1")?;
    let mut points: Vec<(SeriesId, Point)> = Vec::new();
    let mut blocks = blocks.into_iter().peekable();
    loop {
        let next = blocks
            .peek()
            .map(|b| axis(if newest { b.last } else { b.first }));
        while let Some(Reverse((time, ..))) = waiting.peek()
            && next.is_none_or(|next| *time < next)
        {
            let Some(Reverse((_, _, _, _, at))) = waiting.pop() else {
                break;
            };
            if passed >= query.page.skip {
                out.push(points[at]);
            }
            passed += 1;
            if passed >= wanted {
                return Ok(out);
            }
        }
        let Some(block) = blocks.next() else {
            return Ok(out);
        };
        let decoded = match block.kind {
            Kind::Points => one.query_row([block.id], |row| Ok(decode(row, 0)))??,
            Kind::Frames(table) => read_waves::frames(db, table, block.id)?,
        };
        for point in decoded {
            if query.time.holds(point.time.0) && query.received.holds(point.received.0) {
                let order = (axis(place(&point)), block.series, point.offset, point.index);
                waiting.push(Reverse((order.0, order.1, order.2, order.3, points.len())));
                points.push((block.series, point));
            }
        }
    }
}

fn candidates(db: &Connection, query: &ReadingQuery) -> Result<Vec<Candidate>, StoreError> {
    let (from, last) = query.time.ends();
    let (received_from, received_last) = query.received.ends();
    let mut ask = db.prepare_cached(
        "select id, min_time, max_time, min_received, max_received from blocks \
         where series = ?1 and max_time >= ?2 and min_time <= ?3 \
         and max_received >= ?4 and min_received <= ?5",
    )?;
    let (first, last_column) = if query.by_received { (3, 4) } else { (1, 2) };
    let mut found = Vec::new();
    for (series, _) in keys(db, &query.series)? {
        let rows = ask.query_map(
            params![series.0, from, last, received_from, received_last],
            |row| {
                Ok(Candidate {
                    series,
                    kind: Kind::Points,
                    id: row.get(0)?,
                    first: row.get(first)?,
                    last: row.get(last_column)?,
                })
            },
        )?;
        for row in rows {
            found.push(row?);
        }
        read_waves::candidates(db, series, query, |table, id, (first, last)| {
            found.push(Candidate { series, kind: Kind::Frames(table), id, first, last });
        })?;
    }
    Ok(found)
}

/// One point, or the frame of samples of that name.
pub(super) fn reading(db: &Connection, name: ReadingRef) -> Result<Option<Point>, StoreError> {
    let mut ask = db.prepare_cached(
        "select data from blocks where series = ?1 and min_offset <= ?2 and max_offset >= ?2",
    )?;
    let mut rows = ask.query(params![name.series.0, name.offset as i64])?;
    while let Some(row) = rows.next()? {
        let found = decode(row, 0)?
            .into_iter()
            .find(|point| point.offset == name.offset && point.index == name.index);
        if found.is_some() {
            return Ok(found);
        }
    }
    read_waves::reading(db, name)
}

/// The text or samples beside a point.
pub(super) fn attachment(
    db: &Connection,
    name: ReadingRef,
) -> Result<Option<Attachment>, StoreError> {
    let mut ask = db.prepare_cached(
        "select kind, data from attachments \
         where series = ?1 and journal_offset = ?2 and reading_index = ?3",
    )?;
    let found = ask
        .query_row(
            params![name.series.0, name.offset as i64, name.index],
            |row| Ok(attached(row, 0)),
        )
        .optional()?;
    match found {
        Some(attachment) => attachment.map(Some),
        None => Ok(read_waves::samples(db, name)?.map(Attachment::Samples)),
    }
}

/// Texts and samples of a series.
pub(super) fn attachments(
    db: &Connection,
    series: SeriesId,
    span: Span,
    limit: u64,
) -> Result<Vec<(Point, Attachment)>, StoreError> {
    let (from, last) = span.ends();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut ask = db.prepare_cached(
        "select kind, data, time, received, journal_offset, reading_index, quality \
         from attachments where series = ?1 and time between ?2 and ?3 \
         order by time, journal_offset, reading_index limit ?4",
    )?;
    let mut rows = ask.query(params![series.0, from, last, limit])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let point = Point {
            time: EffectiveTime(row.get(2)?),
            received: ReceiveTime(row.get(3)?),
            value: f64::NAN,
            offset: row.get::<_, i64>(4)? as u64,
            index: row.get(5)?,
            quality: Quality::from_bits_retain(row.get(6)?),
        };
        out.push((point, attached(row, 0)?));
    }
    let mut frames = read_waves::points(db, series, span, Span::ALL)?;
    frames.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    for point in frames {
        let name = ReadingRef { series, offset: point.offset, index: point.index };
        let samples = read_waves::samples(db, name)?.map(Attachment::Samples);
        out.extend(samples.map(|samples| (point, samples)));
    }
    out.sort_by_key(|(point, _)| (point.time, point.offset, point.index));
    out.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(out)
}

/// The readings that have an identifier, newest first.
pub(super) fn identified(
    db: &Connection,
    identifier: &str,
) -> Result<Vec<ReadingRef>, StoreError> {
    let mut ask = db.prepare_cached(
        "select series, journal_offset, reading_index from reading_names \
         where identifier = ?1 order by journal_offset desc, reading_index, series",
    )?;
    let rows = ask.query_map([identifier], |row| {
        Ok(ReadingRef {
            series: SeriesId(row.get(0)?),
            offset: row.get::<_, i64>(1)? as u64,
            index: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The business identifiers of a reading.
pub(super) fn identifiers(db: &Connection, name: ReadingRef) -> Result<Vec<String>, StoreError> {
    let mut ask = db.prepare_cached(
        "select identifier from reading_names \
         where journal_offset = ?1 and series = ?2 and reading_index = ?3 order by identifier",
    )?;
    let rows = ask.query_map(
        params![name.offset as i64, name.series.0, name.index],
        |row| row.get::<_, String>(0),
    )?;
    let found: HashSet<String> = rows.collect::<Result<_, _>>()?;
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_unstable();
    Ok(found)
}

/// The kind of an attachment that is a text; samples are kept as waveforms.
pub(super) const TEXT: i64 = 1;

fn attached(row: &Row<'_>, at: usize) -> Result<Attachment, StoreError> {
    let damaged = StoreError::Damaged {
        what: "a text",
    };
    let kind: i64 = row.get(at)?;
    let bytes = row
        .get_ref(at + 1)?
        .as_blob()
        .map_err(rusqlite::Error::from)?;
    match kind {
        TEXT => String::from_utf8(bytes.to_vec())
            .map(Attachment::Text)
            .map_err(|_| damaged),
        _ => Err(damaged),
    }
}
