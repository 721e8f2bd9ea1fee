//! The smallest and the largest sample of each second, so that hours are drawn without samples.
//!
//! ```text
//! counts   kind 1 | per bin: largest − smallest + 1 varint (0: all missing), then the smallest
//!          as difference to that of the bin before
//! floats   kind 2 | per bin: smallest, largest, NaN if all are missing
//! ```

use vitals::Scale;
use vitals::samples::MISSING;

use super::Damaged;
use super::block::{Block, Data, Outline, Segment, range_of_counts, range_of_values};
use crate::series::plain::{get, get_signed, put, put_signed, take};

const COUNTS: u8 = 1;
const FLOATS: u8 = 2;
/// A bin has at least so many samples.
const BIN_MIN: usize = 8;

/// A bin: its samples and their range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Which segment.
    pub segment: usize,
    /// Position of its first sample in the segment.
    pub begin: usize,
    /// Position after its last.
    pub end: usize,
    /// Smallest and largest value; none if every sample is missing.
    pub value: Option<(f64, f64)>,
}

impl Segment {
    /// Samples of a bin: those of a second, but eight at least.
    pub(crate) fn bin_samples(&self) -> usize {
        (self.rate.numerator().div_ceil(self.rate.denominator()) as usize).max(BIN_MIN)
    }
}

/// Encodes the pyramid of a block; with its tip, the smallest and the largest value of all, if not
/// every sample is missing.
#[must_use]
pub fn encode_pyramid(block: &Block) -> (Vec<u8>, Option<(f64, f64)>) {
    let mut out = Vec::new();
    let mut tip = (f64::NAN, f64::NAN);
    out.push(if matches!(block.data, Data::Counts(_)) { COUNTS } else { FLOATS });
    let (mut base, mut previous) = (0, 0_i64);
    for segment in &block.outline.segments {
        for begin in (0..segment.samples).step_by(segment.bin_samples()) {
            let end = segment.samples.min(begin + segment.bin_samples());
            let part = base + begin..base + end;
            match &block.data {
                Data::Counts(counts) => match range_of_counts(&counts[part]) {
                    None => put(&mut out, 0),
                    Some((low, high)) => {
                        let (low, high) = (i64::from(low), i64::from(high));
                        put(&mut out, (high - low) as u64 + 1);
                        put_signed(&mut out, low - previous);
                        previous = low;
                        let (a, b) = (block.outline.scale.value(low as i32), block.outline.scale.value(high as i32));
                        tip = (tip.0.min(a.min(b)), tip.1.max(a.max(b)));
                    }
                },
                Data::Real(values) => {
                    let (low, high) = range_of_values(&values[part]).unwrap_or((f64::NAN, f64::NAN));
                    out.extend_from_slice(&low.to_le_bytes());
                    out.extend_from_slice(&high.to_le_bytes());
                    tip = (tip.0.min(low), tip.1.max(high));
                }
            }
        }
        base += segment.samples;
    }
    (out, (!tip.0.is_nan()).then_some(tip))
}

/// Decodes the pyramid of the block that has this outline.
///
/// # Errors
/// [`Damaged`]
pub fn decode_pyramid(bytes: &[u8], outline: &Outline) -> Result<Vec<Bin>, Damaged> {
    let mut rest = bytes;
    let kind = take(&mut rest, 1)?[0];
    let mut bins = Vec::new();
    let mut previous = 0_i64;
    for (at, segment) in outline.segments.iter().enumerate() {
        for begin in (0..segment.samples).step_by(segment.bin_samples()) {
            let value = match kind {
                COUNTS => read_counts(&mut rest, &mut previous, &outline.scale)?,
                FLOATS => read_floats(&mut rest)?,
                _ => return Err(Damaged),
            };
            let end = segment.samples.min(begin + segment.bin_samples());
            bins.push(Bin { segment: at, begin, end, value });
        }
    }
    if rest.is_empty() { Ok(bins) } else { Err(Damaged) }
}

fn read_counts(rest: &mut &[u8], previous: &mut i64, scale: &Scale) -> Result<Option<(f64, f64)>, Damaged> {
    let spread = get(rest)?;
    if spread == 0 {
        return Ok(None);
    }
    let low = previous.checked_add(get_signed(rest)?).ok_or(Damaged)?;
    let high = i64::try_from(spread - 1).ok().and_then(|spread| low.checked_add(spread)).ok_or(Damaged)?;
    *previous = low;
    let value = |count| match i32::try_from(count) {
        Ok(count) if count != MISSING => Ok(scale.value(count)),
        _ => Err(Damaged),
    };
    let (a, b) = (value(low)?, value(high)?);
    Ok(Some((a.min(b), a.max(b))))
}

fn read_floats(rest: &mut &[u8]) -> Result<Option<(f64, f64)>, Damaged> {
    let mut next = || {
        let (bytes, tail) = rest.split_first_chunk::<8>().ok_or(Damaged)?;
        *rest = tail;
        Ok::<_, Damaged>(f64::from_le_bytes(*bytes))
    };
    let (low, high) = (next()?, next()?);
    Ok((!low.is_nan()).then_some((low, high)))
}
