//! Scale, segments and frames of a block as bytes.
//!
//! ```text
//! outline  version 1 | factor, divisor, offset | number of segments, of frames, varints
//! segment  anchor as difference | numerator, denominator (0: as before) | first | frames
//! columns  samples, index, quality, each as runs: length, value; then a frame's journal offset
//!          and delay, as differences
//! ```

use vitals::{EffectiveTime, Quality, Rate, Scale};

use super::Damaged;
use super::block::{Frame, Outline, Segment};
use super::codec::SAMPLES_MAX;
use crate::series::plain::{get, get_float, get_signed, put, put_float, put_signed, take};

const VERSION: u8 = 1;

/// Encodes an outline.
#[must_use]
pub fn encode_outline(outline: &Outline) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + 4 * outline.frames.len());
    out.push(VERSION);
    for part in [outline.scale.factor, outline.scale.divisor, outline.scale.offset] {
        put_float(&mut out, part);
    }
    put(&mut out, outline.segments.len() as u64);
    put(&mut out, outline.frames.len() as u64);
    let (mut anchor, mut rate) = (0_i64, None);
    for segment in &outline.segments {
        put_signed(&mut out, segment.anchor.0.wrapping_sub(anchor));
        anchor = segment.anchor.0;
        if rate == Some(segment.rate) {
            put(&mut out, 0);
        } else {
            put(&mut out, u64::from(segment.rate.numerator()));
            put(&mut out, u64::from(segment.rate.denominator()));
            rate = Some(segment.rate);
        }
        put(&mut out, segment.first);
        put(&mut out, segment.frames as u64);
    }
    put_runs(&mut out, outline.frames.iter().map(|frame| u64::from(frame.samples)));
    put_runs(&mut out, outline.frames.iter().map(|frame| u64::from(frame.index)));
    put_runs(&mut out, outline.frames.iter().map(|frame| u64::from(frame.quality.bits())));
    let (mut offset, mut delay) = (0_u64, 0_i64);
    for frame in &outline.frames {
        put_signed(&mut out, frame.offset.wrapping_sub(offset) as i64);
        put_signed(&mut out, frame.delay_ms.wrapping_sub(delay));
        (offset, delay) = (frame.offset, frame.delay_ms);
    }
    out
}

/// Decodes an outline.
///
/// # Errors
/// [`Damaged`]
pub fn decode_outline(bytes: &[u8]) -> Result<Outline, Damaged> {
    let mut rest = bytes;
    if take(&mut rest, 1)?[0] != VERSION {
        return Err(Damaged);
    }
    let scale = Scale {
        factor: get_float(&mut rest)?,
        divisor: get_float(&mut rest)?,
        offset: get_float(&mut rest)?,
    };
    let (segments, frames) = (length(&mut rest)?, length(&mut rest)?);
    let mut segments = read_segments(&mut rest, segments, frames)?;
    let samples = get_runs(&mut rest, frames)?;
    let indexes = get_runs(&mut rest, frames)?;
    let qualities = get_runs(&mut rest, frames)?;
    let mut list = Vec::with_capacity(frames);
    let (mut offset, mut delay, mut total) = (0_u64, 0_i64, 0_usize);
    for at in 0..frames {
        offset = offset.wrapping_add(get_signed(&mut rest)? as u64);
        delay = delay.wrapping_add(get_signed(&mut rest)?);
        let samples = u32::try_from(samples[at]).map_err(|_| Damaged)?;
        total = total.checked_add(samples as usize).filter(|all| *all <= SAMPLES_MAX).ok_or(Damaged)?;
        list.push(Frame {
            samples,
            delay_ms: delay,
            offset,
            index: u16::try_from(indexes[at]).map_err(|_| Damaged)?,
            quality: Quality::from_bits_retain(u16::try_from(qualities[at]).map_err(|_| Damaged)?),
        });
    }
    if !rest.is_empty() {
        return Err(Damaged);
    }
    let mut of_segments = list.iter();
    for segment in &mut segments {
        let frames = of_segments.by_ref().take(segment.frames);
        segment.samples = frames.map(|frame| frame.samples as usize).sum();
    }
    Ok(Outline { scale, segments, frames: list })
}

fn length(rest: &mut &[u8]) -> Result<usize, Damaged> {
    usize::try_from(get(rest)?).ok().filter(|length| *length <= SAMPLES_MAX).ok_or(Damaged)
}

fn read_segments(rest: &mut &[u8], count: usize, frames: usize) -> Result<Vec<Segment>, Damaged> {
    let mut segments = Vec::new();
    let (mut anchor, mut rate, mut framed) = (0_i64, None, 0_usize);
    for _ in 0..count {
        anchor = anchor.wrapping_add(get_signed(rest)?);
        let numerator = get(rest)?;
        if numerator != 0 {
            let numerator = u32::try_from(numerator).map_err(|_| Damaged)?;
            let denominator = u32::try_from(get(rest)?).map_err(|_| Damaged)?;
            rate = Some(Rate::new(numerator, denominator).ok_or(Damaged)?);
        }
        let segment = Segment {
            anchor: EffectiveTime(anchor),
            rate: rate.ok_or(Damaged)?,
            first: get(rest)?,
            frames: length(rest)?,
            samples: 0,
        };
        framed += segment.frames;
        if segment.frames == 0 || framed > frames {
            return Err(Damaged);
        }
        segments.push(segment);
    }
    if framed != frames {
        return Err(Damaged);
    }
    Ok(segments)
}

fn put_runs(out: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    let mut run: Option<(u64, u64)> = None;
    for number in numbers {
        match &mut run {
            Some((length, same)) if *same == number => *length += 1,
            _ => {
                put_run(out, run);
                run = Some((1, number));
            }
        }
    }
    put_run(out, run);
}

fn put_run(out: &mut Vec<u8>, run: Option<(u64, u64)>) {
    if let Some((length, number)) = run {
        put(out, length);
        put(out, number);
    }
}

fn get_runs(rest: &mut &[u8], count: usize) -> Result<Vec<u64>, Damaged> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let (length, number) = (length(rest)?, get(rest)?);
        if length == 0 || length > count - numbers.len() {
            return Err(Damaged);
        }
        numbers.resize(numbers.len() + length, number);
    }
    Ok(numbers)
}
