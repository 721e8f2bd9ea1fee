//! Putting points into blocks.
//!
//! New points become a block of their own, which swallows the blocks before it that are not much
//! larger, until blocks are full: each point is written again about eleven times at most, however
//! small the commits. Late points are merged into the block that covers their time.

use std::collections::HashMap;

use rusqlite::{Transaction, params};
use vitals::{Point, SeriesId};

use crate::StoreError;
use crate::series::{self, BLOCK_POINTS, Head, merge};

/// Blocks remembered at the end of each series.
const TAIL_BLOCKS: usize = 16;

/// A stored block.
#[derive(Debug, Clone, Copy)]
struct Stored {
    id: i64,
    max_time: i64,
    count: usize,
}

/// The last blocks of each series that was written to, oldest first.
#[derive(Default)]
pub(super) struct Tails {
    by_series: HashMap<u32, Vec<Stored>>,
}

impl Tails {
    /// Forgets everything, so that it is read again.
    pub(super) fn clear(&mut self) {
        self.by_series.clear();
    }

    /// Forgets one series, some of whose blocks are gone.
    pub(super) fn forget(&mut self, series: u32) {
        self.by_series.remove(&series);
    }
}

/// Adds points to a series; they need not be in order.
pub(super) fn add(
    db: &Transaction<'_>,
    tails: &mut Tails,
    series: SeriesId,
    mut points: Vec<Point>,
) -> Result<(), StoreError> {
    for point in &mut points {
        *point = series::rounded(*point);
    }
    merge::tidy(&mut points);
    let tail = match tails.by_series.entry(series.0) {
        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
        std::collections::hash_map::Entry::Vacant(unknown) => unknown.insert(load(db, series)?),
    };
    let end = tail.last().map(|block| block.max_time);
    let late = end.map_or(0, |end| points.partition_point(|point| point.time.0 <= end));
    let (old, new) = points.split_at(late);
    if !old.is_empty() {
        insert_late(db, series, old)?;
        *tail = load(db, series)?;
    }
    if !new.is_empty() {
        append(db, series, tail, new.to_vec())?;
    }
    Ok(())
}

fn append(
    db: &Transaction<'_>,
    series: SeriesId,
    tail: &mut Vec<Stored>,
    mut points: Vec<Point>,
) -> Result<(), StoreError> {
    let mut swallowed = Vec::new();
    while let Some(before) = tail.last().copied()
        && before.count < BLOCK_POINTS
        && before.count < 2 * points.len()
    {
        let mut joined = read(db, before.id)?;
        joined.append(&mut points);
        points = joined;
        swallowed.push(before.id);
        tail.pop();
    }
    remove(db, &swallowed)?;
    for block in merge::divide(&points) {
        tail.push(insert(db, series, block)?);
    }
    if tail.len() > 2 * TAIL_BLOCKS {
        tail.drain(..tail.len() - TAIL_BLOCKS);
    }
    Ok(())
}

/// Merges points, none of which is after the last block, into the blocks that cover them.
fn insert_late(
    db: &Transaction<'_>,
    series: SeriesId,
    mut points: &[Point],
) -> Result<(), StoreError> {
    while let Some(first) = points.first() {
        let mut find = db.prepare_cached(
            "select id, max_time from blocks where series = ?1 and max_time >= ?2 \
             order by max_time limit 1",
        )?;
        let (id, max_time): (i64, i64) = find
            .query_row(params![series.0, first.time.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let here = points.partition_point(|point| point.time.0 <= max_time);
        let (these, rest) = points.split_at(here);
        let stored = read(db, id)?;
        let before = stored.len();
        let mut merged = stored;
        merged.extend_from_slice(these);
        merge::tidy(&mut merged);
        if merged.len() > before {
            remove(db, &[id])?;
            for block in merge::divide(&merged) {
                insert(db, series, block)?;
            }
        }
        points = rest;
    }
    Ok(())
}

fn load(db: &Transaction<'_>, series: SeriesId) -> Result<Vec<Stored>, StoreError> {
    let mut find = db.prepare_cached(
        "select id, max_time, count from blocks where series = ?1 order by max_time desc limit ?2",
    )?;
    let rows = find.query_map(params![series.0, TAIL_BLOCKS as i64], |row| {
        Ok(Stored {
            id: row.get(0)?,
            max_time: row.get(1)?,
            count: row.get::<_, i64>(2)? as usize,
        })
    })?;
    let mut tail = rows.collect::<Result<Vec<_>, _>>()?;
    tail.reverse();
    Ok(tail)
}

fn read(db: &Transaction<'_>, id: i64) -> Result<Vec<Point>, StoreError> {
    let mut find = db.prepare_cached("select data from blocks where id = ?1")?;
    find.query_row([id], |row| {
        let bytes = row.get_ref(0)?.as_blob()?;
        Ok(series::decode(bytes))
    })?
    .map_err(|_| StoreError::Damaged {
        what: "a block of points",
    })
}

fn remove(db: &Transaction<'_>, ids: &[i64]) -> Result<(), StoreError> {
    let mut delete = db.prepare_cached("delete from blocks where id = ?1")?;
    for id in ids {
        delete.execute([id])?;
    }
    Ok(())
}

fn insert(db: &Transaction<'_>, series: SeriesId, points: &[Point]) -> Result<Stored, StoreError> {
    let head = Head::of(points);
    let mut insert = db.prepare_cached(
        "insert into blocks (series, min_time, max_time, min_received, max_received, min_offset, \
         max_offset, count, min_value, max_value, first_value, last_value, quality, data) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    let id = insert.insert(params![
        series.0,
        head.time.0,
        head.time.1,
        head.received.0,
        head.received.1,
        head.offset.0 as i64,
        head.offset.1 as i64,
        head.count as i64,
        head.value.0,
        head.value.1,
        head.ends.0,
        head.ends.1,
        head.quality.bits(),
        series::encode(points),
    ])?;
    Ok(Stored {
        id,
        max_time: head.time.1,
        count: head.count,
    })
}
