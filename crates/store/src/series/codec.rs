//! A block as bytes.
//!
//! ```text
//! block   kind 1 (1 plain, 2 columns) | count varint | …
//! plain   per point: time difference, delay ms, value, offset difference, index, quality
//! columns time, value, quality, delay ms, offset, index, each: 0 and the one value of all points,
//!         or 1, length and pco bytes
//! ```

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress_into};
use vitals::{EffectiveTime, Point, Quality};

use super::plain::{get, get_float, get_signed, put, put_float, put_signed, take};
use super::{Damaged, delay_ms, received};

const PLAIN: u8 = 1;
const COLUMNS: u8 = 2;
/// From this many points on pco is smaller.
const PLAIN_POINTS: usize = 96;
/// No block is larger; protects against damaged counts.
const COUNT_MAX: u64 = 1 << 24;

/// The columns that drawing and counting need.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Effective times in microseconds, rising.
    pub times: Vec<i64>,
    /// Values.
    pub values: Vec<f64>,
    /// Quality flags; one element if all points have the same.
    pub quality: Vec<u16>,
}

/// Encodes points that are in time order.
#[must_use]
pub fn encode(points: &[Point]) -> Vec<u8> {
    if points.len() < PLAIN_POINTS {
        encode_plain(points)
    } else {
        encode_columns(points)
    }
}

/// Decodes a block.
///
/// # Errors
/// [`Damaged`]
pub fn decode(bytes: &[u8]) -> Result<Vec<Point>, Damaged> {
    let mut rest = bytes;
    let (kind, count) = start(&mut rest)?;
    if kind == PLAIN {
        return decode_plain(rest, count);
    }
    let times: Vec<i64> = column(&mut rest, count)?.spread(count);
    let values: Vec<f64> = column(&mut rest, count)?.spread(count);
    let quality: Vec<u16> = column(&mut rest, count)?.spread(count);
    let delays: Vec<i64> = column(&mut rest, count)?.spread(count);
    let offsets: Vec<u64> = column(&mut rest, count)?.spread(count);
    let indexes: Vec<u16> = column(&mut rest, count)?.spread(count);
    Ok((0..count)
        .map(|at| Point {
            time: EffectiveTime(times[at]),
            received: received(times[at], delays[at]),
            value: values[at],
            offset: offsets[at],
            index: indexes[at],
            quality: Quality::from_bits_retain(quality[at]),
        })
        .collect())
}

/// Decodes only times, values and quality.
///
/// # Errors
/// [`Damaged`]
pub fn decode_columns(bytes: &[u8], out: &mut Columns) -> Result<(), Damaged> {
    let mut rest = bytes;
    let (kind, count) = start(&mut rest)?;
    if kind == PLAIN {
        let points = decode_plain(rest, count)?;
        out.times.clear();
        out.times.extend(points.iter().map(|point| point.time.0));
        out.values.clear();
        out.values.extend(points.iter().map(|point| point.value));
        out.quality.clear();
        out.quality
            .extend(points.iter().map(|point| point.quality.bits()));
        return Ok(());
    }
    column_into(&mut rest, count, &mut out.times)?.fill(&mut out.times, count);
    column_into(&mut rest, count, &mut out.values)?.fill(&mut out.values, count);
    if let Some(one) = column_into(&mut rest, count, &mut out.quality)?.0 {
        out.quality.clear();
        out.quality.push(one);
    }
    Ok(())
}

fn start(rest: &mut &[u8]) -> Result<(u8, usize), Damaged> {
    let kind = take(rest, 1)?[0];
    let count = get(rest)?;
    if !(kind == PLAIN || kind == COLUMNS) || count > COUNT_MAX {
        return Err(Damaged);
    }
    Ok((kind, count as usize))
}

fn encode_plain(points: &[Point]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + points.len() * 12);
    out.push(PLAIN);
    put(&mut out, points.len() as u64);
    let (mut time, mut offset) = (0_i64, 0_u64);
    for point in points {
        put_signed(&mut out, point.time.0.wrapping_sub(time));
        put_signed(&mut out, delay_ms(point));
        put_float(&mut out, point.value);
        put_signed(&mut out, point.offset.wrapping_sub(offset) as i64);
        put(&mut out, u64::from(point.index));
        put(&mut out, u64::from(point.quality.bits()));
        (time, offset) = (point.time.0, point.offset);
    }
    out
}

fn decode_plain(mut rest: &[u8], count: usize) -> Result<Vec<Point>, Damaged> {
    let mut points = Vec::with_capacity(count.min(4_096));
    let (mut time, mut offset) = (0_i64, 0_u64);
    for _ in 0..count {
        time = time.wrapping_add(get_signed(&mut rest)?);
        let delay = get_signed(&mut rest)?;
        let value = get_float(&mut rest)?;
        offset = offset.wrapping_add(get_signed(&mut rest)? as u64);
        points.push(Point {
            time: EffectiveTime(time),
            received: received(time, delay),
            value,
            offset,
            index: u16::try_from(get(&mut rest)?).map_err(|_| Damaged)?,
            quality: Quality::from_bits_retain(
                u16::try_from(get(&mut rest)?).map_err(|_| Damaged)?,
            ),
        });
    }
    Ok(points)
}

fn encode_columns(points: &[Point]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * 4);
    out.push(COLUMNS);
    put(&mut out, points.len() as u64);
    let mut column = |bytes: Vec<u8>| out.extend_from_slice(&bytes);
    column(pack(points.iter().map(|p| p.time.0)));
    column(pack(points.iter().map(|p| p.value)));
    column(pack(points.iter().map(|p| p.quality.bits())));
    column(pack(points.iter().map(delay_ms)));
    column(pack(points.iter().map(|p| p.offset)));
    column(pack(points.iter().map(|p| p.index)));
    out
}

/// A value of a column, in eight bytes.
trait Cell: Number + Copy {
    fn bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
}

impl Cell for i64 {
    fn bits(self) -> u64 {
        self as u64
    }
    fn from_bits(bits: u64) -> Self {
        bits as Self
    }
}
impl Cell for u64 {
    fn bits(self) -> u64 {
        self
    }
    fn from_bits(bits: u64) -> Self {
        bits
    }
}
impl Cell for u16 {
    fn bits(self) -> u64 {
        u64::from(self)
    }
    fn from_bits(bits: u64) -> Self {
        bits as Self
    }
}
impl Cell for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
    fn from_bits(bits: u64) -> Self {
        Self::from_bits(bits)
    }
}

fn pack<T: Cell>(cells: impl Iterator<Item = T>) -> Vec<u8> {
    let cells: Vec<T> = cells.collect();
    let mut out = Vec::new();
    if cells
        .windows(2)
        .all(|pair| pair[0].bits() == pair[1].bits())
    {
        out.push(0);
        out.extend_from_slice(&cells.first().map_or(0, |cell| cell.bits()).to_le_bytes());
        return out;
    }
    let config = ChunkConfig::default().with_compression_level(4);
    let packed = simple_compress(&cells, &config).expect("the configuration is valid");
    out.push(1);
    put(&mut out, packed.len() as u64);
    out.extend_from_slice(&packed);
    out
}

/// The one value of a constant column, if it is one.
struct Constant<T>(Option<T>);

impl<T: Cell> Constant<T> {
    fn fill(self, out: &mut Vec<T>, count: usize) {
        if let Some(one) = self.0 {
            out.clear();
            out.resize(count, one);
        }
    }
}

struct Column<T>(Vec<T>, Constant<T>);

impl<T: Cell> Column<T> {
    fn spread(self, count: usize) -> Vec<T> {
        let Self(mut cells, constant) = self;
        constant.fill(&mut cells, count);
        cells
    }
}

fn column<T: Cell>(rest: &mut &[u8], count: usize) -> Result<Column<T>, Damaged> {
    let mut cells = Vec::new();
    let constant = column_into(rest, count, &mut cells)?;
    Ok(Column(cells, constant))
}

fn column_into<T: Cell>(
    rest: &mut &[u8],
    count: usize,
    out: &mut Vec<T>,
) -> Result<Constant<T>, Damaged> {
    if take(rest, 1)?[0] == 0 {
        let (bits, tail) = rest.split_first_chunk::<8>().ok_or(Damaged)?;
        *rest = tail;
        return Ok(Constant(Some(T::from_bits(u64::from_le_bytes(*bits)))));
    }
    let length = get(rest)?;
    let packed = take(rest, usize::try_from(length).map_err(|_| Damaged)?)?;
    out.resize(count, T::from_bits(0));
    let progress = simple_decompress_into(packed, out).map_err(|_| Damaged)?;
    if progress.n_processed != count {
        return Err(Damaged);
    }
    Ok(Constant(None))
}
