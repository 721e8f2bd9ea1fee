//! Putting samples into blocks.
//!
//! Each commit leaves one fresh block a series, quickly packed. When a series has enough of them
//! they are put together into a sealed block, packed as small as can be; not all series in one
//! commit, so that no commit takes long. A frame that is in the store already is not put there
//! again: journal entry and reading tell (EN-1).

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension, Row, Transaction, params};
use vitals::{Offset, SeriesId, WaveRun};

use crate::StoreError;
use crate::wave::{
    self, BLOCK_SAMPLES, Block, Damaged, Head, Packing, Piece, arrange, decode_data, decode_outline,
    encode_data, encode_outline, encode_pyramid, pieces,
};

/// So many fresh blocks are put together, even if they are not enough for a sealed one.
const FRESH_MAX: u32 = 32;
/// A part this large is sealed though more may come.
const SEAL_SAMPLES: usize = BLOCK_SAMPLES / 2;
/// One commit seals for at least so many series, if they are due …
const SEAL_AT_LEAST: usize = 16;
/// … and for this share of those that it writes to.
const SEAL_SHARE: usize = 6;

/// What the end of each series is like.
#[derive(Default)]
pub(super) struct WaveTails {
    by_series: HashMap<u32, Tail>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tail {
    /// The newest frame stored.
    newest: Option<(Offset, u16)>,
    /// Fresh blocks, and the samples in them.
    fresh: u32,
    fresh_samples: usize,
}

impl WaveTails {
    /// Forgets everything, so that it is read again.
    pub(super) fn clear(&mut self) {
        self.by_series.clear();
    }

    /// Forgets one series, some of whose blocks are gone.
    pub(super) fn forget(&mut self, series: u32) {
        self.by_series.remove(&series);
    }
}

/// A damaged block, as an error.
pub(super) fn damaged(_: Damaged) -> StoreError {
    StoreError::Damaged { what: "a block of samples" }
}

/// Adds runs; they need not be in order.
pub(super) fn add(
    db: &Transaction<'_>,
    tails: &mut WaveTails,
    runs: &[(SeriesId, WaveRun)],
) -> Result<(), StoreError> {
    let mut by_series: BTreeMap<SeriesId, Vec<&WaveRun>> = BTreeMap::new();
    for (series, run) in runs {
        if !run.samples.is_empty() {
            by_series.entry(*series).or_default().push(run);
        }
    }
    let mut due = Vec::new();
    for (series, runs) in &by_series {
        let mut tail = match tails.by_series.get(&series.0) {
            Some(tail) => *tail,
            None => load(db, *series)?,
        };
        append(db, *series, &mut tail, runs)?;
        tails.by_series.insert(series.0, tail);
        if tail.fresh_samples >= BLOCK_SAMPLES || tail.fresh >= FRESH_MAX {
            due.push((tail.fresh_samples, *series));
        }
    }
    due.sort_unstable_by(|a, b| b.cmp(a));
    let share = (by_series.len() / SEAL_SHARE).max(SEAL_AT_LEAST);
    for (at, (samples, series)) in due.into_iter().enumerate() {
        if at < share || samples >= 2 * BLOCK_SAMPLES {
            let tail = seal(db, series)?;
            tails.by_series.entry(series.0).and_modify(|known| {
                (known.fresh, known.fresh_samples) = tail;
            });
        }
    }
    Ok(())
}

fn append(
    db: &Transaction<'_>,
    series: SeriesId,
    tail: &mut Tail,
    runs: &[&WaveRun],
) -> Result<(), StoreError> {
    let mut taken: Vec<&WaveRun> = Vec::with_capacity(runs.len());
    for run in runs {
        let name = (run.offset, run.index);
        if tail.newest < Some(name) {
            tail.newest = Some(name);
        } else if taken.iter().any(|other| (other.offset, other.index) == name)
            || is_stored(db, series, name)?
        {
            continue;
        }
        taken.push(run);
    }
    if taken.is_empty() {
        return Ok(());
    }
    let all: Vec<Piece<'_>> = taken.iter().flat_map(|run| pieces(run)).collect();
    for part in arrange(all) {
        let block = Block::of(&part);
        let head = block.outline.head();
        note(db, series, &head, tail)?;
        if block.data.len() >= SEAL_SAMPLES {
            insert_sealed(db, series, &block, &head)?;
        } else {
            insert_fresh(db, series, &block, &head)?;
            tail.fresh += 1;
            tail.fresh_samples += block.data.len();
        }
    }
    Ok(())
}

/// Puts the fresh blocks of a series together; how many are left, with how many samples.
fn seal(db: &Transaction<'_>, series: SeriesId) -> Result<(u32, usize), StoreError> {
    let mut fresh = Vec::new();
    {
        let mut ask = db.prepare_cached("select outline, data from wave_fresh where series = ?1")?;
        let mut rows = ask.query([series.0])?;
        while let Some(row) = rows.next()? {
            fresh.push(read_block(row, 0)?);
        }
    }
    db.prepare_cached("delete from wave_fresh where series = ?1")?.execute([series.0])?;
    let parts = arrange(fresh.iter().flat_map(Block::pieces).collect());
    let (mut left, mut left_samples) = (0, 0);
    let count = parts.len();
    for (at, part) in parts.into_iter().enumerate() {
        let block = Block::of(&part);
        let head = block.outline.head();
        if at + 1 < count || block.data.len() >= SEAL_SAMPLES {
            insert_sealed(db, series, &block, &head)?;
        } else {
            insert_fresh(db, series, &block, &head)?;
            left += 1;
            left_samples += block.data.len();
        }
    }
    Ok((left, left_samples))
}

/// The block whose outline and data stand in a row from column `at` on.
pub(super) fn read_block(row: &Row<'_>, at: usize) -> Result<Block, StoreError> {
    let outline = read_outline(row, at)?;
    let data = row.get_ref(at + 1)?.as_blob().map_err(rusqlite::Error::from)?;
    let data = decode_data(data, outline.samples()).map_err(damaged)?;
    Ok(Block { outline, data })
}

/// The outline in a column of a row.
pub(super) fn read_outline(row: &Row<'_>, at: usize) -> Result<wave::Outline, StoreError> {
    let outline = row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from)?;
    decode_outline(outline).map_err(damaged)
}

fn insert_fresh(
    db: &Transaction<'_>,
    series: SeriesId,
    block: &Block,
    head: &Head,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "insert into wave_fresh (series, min_time, max_time, min_received, max_received, \
         min_offset, max_offset, frames, samples, quality, outline, data) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        series.0,
        head.time.0,
        head.time.1,
        head.received.0,
        head.received.1,
        head.offset.0 as i64,
        head.offset.1 as i64,
        head.frames as i64,
        head.samples as i64,
        head.quality.bits(),
        encode_outline(&block.outline),
        encode_data(&block.data, Packing::Fresh),
    ])?;
    Ok(())
}

fn insert_sealed(
    db: &Transaction<'_>,
    series: SeriesId,
    block: &Block,
    head: &Head,
) -> Result<(), StoreError> {
    let (pyramid, value) = encode_pyramid(block);
    db.prepare_cached(
        "insert into wave_blocks (series, min_time, max_time, min_received, max_received, \
         min_offset, max_offset, frames, samples, min_value, max_value, quality, outline, \
         pyramid, data) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        series.0,
        head.time.0,
        head.time.1,
        head.received.0,
        head.received.1,
        head.offset.0 as i64,
        head.offset.1 as i64,
        head.frames as i64,
        head.samples as i64,
        value.map(|value| value.0),
        value.map(|value| value.1),
        head.quality.bits(),
        encode_outline(&block.outline),
        pyramid,
        encode_data(&block.data, Packing::Sealed),
    ])?;
    Ok(())
}

/// Counts a new block in with what there is of the series.
fn note(db: &Transaction<'_>, series: SeriesId, head: &Head, tail: &Tail) -> Result<(), StoreError> {
    let (offset, index) = tail.newest.unwrap_or((0, 0));
    db.prepare_cached(
        "insert into wave_series (series, frames, samples, first_time, last_time, last_offset, \
         last_index) values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (series) do update set \
         frames = frames + ?2, samples = samples + ?3, first_time = min(first_time, ?4), \
         last_time = max(last_time, ?5), last_offset = ?6, last_index = ?7",
    )?
    .execute(params![
        series.0,
        head.frames as i64,
        head.samples as i64,
        head.time.0,
        head.time.1,
        offset as i64,
        index
    ])?;
    Ok(())
}

fn load(db: &Transaction<'_>, series: SeriesId) -> Result<Tail, StoreError> {
    let newest = db
        .prepare_cached("select last_offset, last_index from wave_series where series = ?1")?
        .query_row([series.0], |row| Ok((row.get::<_, i64>(0)? as Offset, row.get(1)?)))
        .optional()?;
    let fresh = db
        .prepare_cached("select count(*), coalesce(sum(samples), 0) from wave_fresh where series = ?1")?
        .query_row([series.0], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize)))?;
    Ok(Tail { newest, fresh: fresh.0, fresh_samples: fresh.1 })
}

fn is_stored(db: &Transaction<'_>, series: SeriesId, name: (Offset, u16)) -> Result<bool, StoreError> {
    for table in ["wave_fresh", "wave_blocks"] {
        let mut ask = db.prepare_cached(&format!(
            "select outline from {table} where series = ?1 and max_offset >= ?2 and min_offset <= ?2"
        ))?;
        let mut rows = ask.query(params![series.0, name.0 as i64])?;
        while let Some(row) = rows.next()? {
            let outline = read_outline(row, 0)?;
            if outline.frames.iter().any(|frame| (frame.offset, frame.index) == name) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
