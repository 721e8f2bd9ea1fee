//! Reading samples: exactly, as columns for drawing, and frame by frame as readings.

use rusqlite::{Connection, OptionalExtension, params};
use vitals::{EffectiveTime, Point, Quality, ReadingRef, SampleArray, SeriesId};

use crate::sqlite::waves::{damaged, read_block, read_outline};
use crate::wave::{
    Block, Columns, Level, Outline, SPAN_MAX, Strips, WaveColumn, WaveExtent, WaveGap, WaveStrip,
    decode_data, decode_pyramid, frame_points, run_of,
};
use crate::{Order, ReadingQuery, Span, StoreError};

/// Blocks of a span: `min_time` first, so that the index is read only where it can hold any.
const SEALED: &str = "from wave_blocks where series = ?1 and min_time >= ?2 and min_time <= ?3 \
                      and max_time >= ?4 order by min_time";
const FRESH: &str = "from wave_fresh where series = ?1 and min_time >= ?2 and min_time <= ?3 \
                     and max_time >= ?4 order by min_time";

/// Where a block stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Table {
    /// `wave_blocks`
    Sealed,
    /// `wave_fresh`
    Fresh,
}

/// The bounds that [`SEALED`] takes: earliest beginning, last time, first time.
fn bounds(span: Span) -> (i64, i64, i64) {
    let (from, last) = span.ends();
    (from.saturating_sub(SPAN_MAX + vitals::time::SECOND), last, from)
}

/// Unbroken stretches within the span, in order of time, sample by sample.
pub(super) fn strip(db: &Connection, series: SeriesId, span: Span) -> Result<Vec<WaveStrip>, StoreError> {
    let (earliest, last, from) = bounds(span);
    let mut strips = Strips::default();
    for tables in [SEALED, FRESH] {
        let mut ask = db.prepare_cached(&format!("select outline, data {tables}"))?;
        let mut rows = ask.query(params![series.0, earliest, last, from])?;
        while let Some(row) = rows.next()? {
            strips.add(&read_block(row, 0)?, from, last);
        }
    }
    Ok(strips.finish())
}

/// Columns for drawing.
pub(super) fn overview(
    db: &Connection,
    series: SeriesId,
    span: Span,
    columns: usize,
) -> Result<Vec<WaveColumn>, StoreError> {
    let Some(extent) = extent(db, series)? else { return Ok(Vec::new()) };
    let begin = span.from.unwrap_or(extent.first.0);
    let end = span.to.map_or(extent.last.0, |to| to.saturating_sub(1));
    let mut columns = Columns::new(begin, end, columns);
    let (earliest, last, from) = bounds(Span { from: Some(begin), to: Some(end.saturating_add(1)) });
    // The first five stand in the index: a block that is drawn by its head is not touched at all.
    let mut ask = db.prepare_cached(&format!(
        "select min_time, max_time, min_value, max_value, quality, id {SEALED}"
    ))?;
    let mut bins = db.prepare_cached("select outline, pyramid from wave_blocks where id = ?1")?;
    let mut whole = db.prepare_cached("select outline, data from wave_blocks where id = ?1")?;
    let mut rows = ask.query(params![series.0, earliest, last, from])?;
    while let Some(row) = rows.next()? {
        let (first, last, id): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(5)?);
        match columns.level(first, last) {
            Level::Head => {
                let value: (Option<f64>, Option<f64>) = (row.get(2)?, row.get(3)?);
                let quality = Quality::from_bits_retain(row.get(4)?);
                columns.head(first, last, value.0.zip(value.1), quality);
            }
            Level::Bins => {
                let mut rows = bins.query([id])?;
                if let Some(row) = rows.next()? {
                    let outline = read_outline(row, 0)?;
                    let pyramid = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                    columns.bins(&outline, &decode_pyramid(pyramid, &outline).map_err(damaged)?);
                }
            }
            Level::Samples => {
                let mut rows = whole.query([id])?;
                if let Some(row) = rows.next()? {
                    columns.samples(&read_block(row, 0)?);
                }
            }
        }
    }
    let mut ask = db.prepare_cached(&format!("select outline, data {FRESH}"))?;
    let mut rows = ask.query(params![series.0, earliest, last, from])?;
    while let Some(row) = rows.next()? {
        columns.samples(&read_block(row, 0)?);
    }
    Ok(columns.finish())
}

/// What there is; none of a series without samples.
pub(super) fn extent(db: &Connection, series: SeriesId) -> Result<Option<WaveExtent>, StoreError> {
    let mut ask = db.prepare_cached(
        "select first_time, last_time, samples, frames from wave_series where series = ?1",
    )?;
    let found = ask.query_row([series.0], |row| {
        Ok(WaveExtent {
            first: EffectiveTime(row.get(0)?),
            last: EffectiveTime(row.get(1)?),
            samples: row.get::<_, i64>(2)? as u64,
            frames: row.get::<_, i64>(3)? as u64,
        })
    });
    Ok(found.optional()?.filter(|extent| extent.samples > 0))
}

/// Times without samples between the first and the last block of the span, longer than `longer_us`.
pub(super) fn gaps(
    db: &Connection,
    series: SeriesId,
    span: Span,
    longer_us: i64,
) -> Result<Vec<WaveGap>, StoreError> {
    let (from, last) = span.ends();
    let mut covered: Vec<(i64, i64)> = Vec::new();
    outlines(db, series, span, Span::ALL, |outline| {
        let times = outline.segments.iter().map(|s| (s.time_of(0).0, s.time_of(s.samples).0));
        covered.extend(times.filter(|(start, end)| *start <= last && *end > from));
    })?;
    covered.sort_unstable();
    let mut gaps = Vec::new();
    let mut end: Option<i64> = None;
    for (start, until) in covered {
        if let Some(end) = end.filter(|end| start.saturating_sub(*end) > longer_us) {
            gaps.push(WaveGap { from: EffectiveTime(end), to: EffectiveTime(start) });
        }
        end = Some(end.map_or(until, |end| end.max(until)));
    }
    Ok(gaps)
}

/// Calls `take` with the outline of each block that touches both spans.
fn outlines(
    db: &Connection,
    series: SeriesId,
    time: Span,
    received: Span,
    mut take: impl FnMut(&Outline),
) -> Result<(), StoreError> {
    let (earliest, last, from) = bounds(time);
    for tables in [SEALED, FRESH] {
        let mut ask =
            db.prepare_cached(&format!("select min_received, max_received, outline {tables}"))?;
        let mut rows = ask.query(params![series.0, earliest, last, from])?;
        while let Some(row) = rows.next()? {
            if received.touches(row.get(0)?, row.get(1)?) {
                take(&read_outline(row, 2)?);
            }
        }
    }
    Ok(())
}

/// Calls `take` with table, number and ends on the query's axis of each block that may hold one of
/// the readings of the page: no more than there need be, however much there is of the series.
pub(super) fn candidates(
    db: &Connection,
    series: SeriesId,
    query: &ReadingQuery,
    mut take: impl FnMut(Table, i64, (i64, i64)),
) -> Result<(), StoreError> {
    let wanted = query.page.skip.saturating_add(query.page.limit);
    let newest = query.order == Order::NewestFirst;
    let (earliest, last, from) = bounds(query.time);
    for (table, tables) in [(Table::Sealed, SEALED), (Table::Fresh, FRESH)] {
        let direction = if newest { "desc" } else { "asc" };
        let mut ask = db.prepare_cached(&format!(
            "select id, min_time, max_time, min_received, max_received, frames {tables} {direction}"
        ))?;
        let mut rows = ask.query(params![series.0, earliest, last, from])?;
        // Readings in the blocks so far, and how far those reach: once there are enough, nothing
        // beyond can be among the first.
        let (mut enough, mut reach): (u64, Option<i64>) = (0, None);
        while let Some(row) = rows.next()? {
            let (time, received): ((i64, i64), (i64, i64)) =
                ((row.get(1)?, row.get(2)?), (row.get(3)?, row.get(4)?));
            let full = enough >= wanted;
            if full && !query.by_received && reach.is_some_and(|reach| is_beyond(time.0, reach, newest)) {
                break;
            }
            let (first, end) = if query.by_received { received } else { time };
            let beyond = |reach| if newest { end < reach } else { first > reach };
            if !query.received.touches(received.0, received.1) || full && reach.is_some_and(beyond) {
                continue;
            }
            if !full {
                let (mine, known) = if newest { (first, i64::MAX) } else { (end, i64::MIN) };
                let known = reach.unwrap_or(known);
                reach = Some(if newest { mine.min(known) } else { mine.max(known) });
            }
            if query.time.holds_all(time.0, time.1) && query.received.holds_all(received.0, received.1) {
                enough += row.get::<_, i64>(5)? as u64;
            }
            take(table, row.get(0)?, (first, end));
        }
    }
    Ok(())
}

/// Whether blocks that begin there, and all that come later in this order, are past `reach`.
fn is_beyond(min_time: i64, reach: i64, newest: bool) -> bool {
    if newest { min_time.saturating_add(SPAN_MAX + vitals::time::SECOND) < reach } else { min_time > reach }
}

/// The frames of one block as readings. Parts of a long frame are one reading each, of one name.
pub(super) fn frames(db: &Connection, table: Table, id: i64) -> Result<Vec<Point>, StoreError> {
    let mut ask = db.prepare_cached(match table {
        Table::Sealed => "select outline from wave_blocks where id = ?1",
        Table::Fresh => "select outline from wave_fresh where id = ?1",
    })?;
    let outline = ask.query_row([id], |row| Ok(read_outline(row, 0)))??;
    let mut points = Vec::with_capacity(outline.frames.len());
    frame_points(&outline, |point| points.push(point));
    Ok(points)
}

/// Frames as readings without a number, in order of time: those that begin within the time span
/// and were received within the other.
pub(super) fn points(
    db: &Connection,
    series: SeriesId,
    time: Span,
    received: Span,
) -> Result<Vec<Point>, StoreError> {
    let mut points = Vec::new();
    outlines(db, series, time, received, |outline| {
        frame_points(outline, |point| {
            if time.holds(point.time.0) && received.holds(point.received.0) {
                points.push(point);
            }
        });
    })?;
    // A long frame was kept in parts; the first one names it.
    points.sort_by_key(|point| (point.offset, point.index, point.time));
    points.dedup_by_key(|point| (point.offset, point.index));
    points.sort_by_key(|point| (point.time, point.offset, point.index));
    Ok(points)
}

/// How many parts of frames begin within the time span and were received within the other: from
/// heads, decoding only what a span's end divides.
pub(super) fn count(db: &Connection, series: SeriesId, time: Span, received: Span) -> Result<u64, StoreError> {
    let everything = (time, received) == (Span::ALL, Span::ALL);
    if everything {
        return Ok(extent(db, series)?.map_or(0, |extent| extent.frames));
    }
    let (earliest, last, from) = bounds(time);
    let mut total = 0;
    for (table, tables) in [(Table::Sealed, SEALED), (Table::Fresh, FRESH)] {
        let mut ask = db.prepare_cached(&format!(
            "select min_time, max_time, min_received, max_received, frames, id {tables}"
        ))?;
        let mut rows = ask.query(params![series.0, earliest, last, from])?;
        while let Some(row) = rows.next()? {
            let (min_received, max_received) = (row.get(2)?, row.get(3)?);
            if !received.touches(min_received, max_received) {
                continue;
            }
            if time.holds_all(row.get(0)?, row.get(1)?) && received.holds_all(min_received, max_received) {
                total += row.get::<_, i64>(4)? as u64;
                continue;
            }
            let within = |point: &&Point| time.holds(point.time.0) && received.holds(point.received.0);
            total += frames(db, table, row.get(5)?)?.iter().filter(within).count() as u64;
        }
    }
    Ok(total)
}

/// The blocks that may hold a reading.
fn holding(
    db: &Connection,
    name: ReadingRef,
    mut take: impl FnMut(Outline, &[u8]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for table in ["wave_blocks", "wave_fresh"] {
        let mut ask = db.prepare_cached(&format!(
            "select outline, data from {table} \
             where series = ?1 and max_offset >= ?2 and min_offset <= ?2 order by min_time"
        ))?;
        let mut rows = ask.query(params![name.series.0, name.offset as i64])?;
        while let Some(row) = rows.next()? {
            let outline = read_outline(row, 0)?;
            let is = |frame: &crate::wave::Frame| (frame.offset, frame.index) == (name.offset, name.index);
            if outline.frames.iter().any(is) {
                take(outline, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
            }
        }
    }
    Ok(())
}

/// One frame as a reading.
pub(super) fn reading(db: &Connection, name: ReadingRef) -> Result<Option<Point>, StoreError> {
    let mut found: Option<Point> = None;
    holding(db, name, |outline, _| {
        frame_points(&outline, |point| {
            let named = (point.offset, point.index) == (name.offset, name.index);
            if named && found.is_none_or(|earlier| point.time < earlier.time) {
                found = Some(point);
            }
        });
        Ok(())
    })?;
    Ok(found)
}

/// The samples of one frame.
pub(super) fn samples(db: &Connection, name: ReadingRef) -> Result<Option<SampleArray>, StoreError> {
    let mut blocks: Vec<Block> = Vec::new();
    holding(db, name, |outline, data| {
        let data = decode_data(data, outline.samples()).map_err(damaged)?;
        blocks.push(Block { outline, data });
        Ok(())
    })?;
    // The parts of a long frame, in order.
    blocks.sort_by_key(|block| block.outline.segments.first().map(|segment| segment.time_of(0)));
    let mut array = None;
    for block in &blocks {
        run_of(block, name.offset, name.index, &mut array);
    }
    Ok(array)
}
