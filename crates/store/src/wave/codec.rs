//! Samples as bytes.
//!
//! ```text
//! data    kind 1 differences | 2 pco of 16 bits | 3 pco of 32 bits | 4 pco of 64-bit floats | 5 floats
//! 1       SampleEncoding::DeltaVarint
//! 2, 3    number of holes varint, each: distance from the end of the one before varint, length
//!         varint; pco bytes, a missing sample being the one before it
//! 4, 5    as they are, NaN included
//! 2, 3, 4 end with the CRC-32 of all before it: damaged bytes never reach the unpacking
//! ```

use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};
use vitals::samples::{MISSING, SampleEncoding};

use super::Damaged;
use super::block::Data;
use crate::series::plain::{get, put};

const DIFFERENCES: u8 = 1;
const PCO_16: u8 = 2;
const PCO_32: u8 = 3;
const PCO_FLOATS: u8 = 4;
const FLOATS: u8 = 5;
/// From this many samples on pco is smaller.
const PCO_SAMPLES: usize = 192;
/// No block is larger; protects against damaged counts.
pub(super) const SAMPLES_MAX: usize = 1 << 20;
/// The best that pco has: docs/adr/0009 has the sizes and times of the others.
const LEVEL: usize = 8;
/// Each sample is foretold from this many before it.
const ORDER: usize = 6;

/// pco works in batches of so many numbers. Its prediction from several samples (1.1.0) can't read a
/// last batch that is shorter than that: batches are filled up.
const BATCH: usize = 256;

/// How hard to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// In a nanosecond or two a sample, for a minute.
    Fresh,
    /// As small as can be, for years.
    Sealed,
}

/// Encodes samples without loss.
#[must_use]
pub fn encode_data(data: &Data, packing: Packing) -> Vec<u8> {
    let small = packing == Packing::Fresh || data.len() < PCO_SAMPLES;
    match data {
        Data::Counts(counts) if small => {
            let mut out = Vec::with_capacity(2 * counts.len() + 1);
            out.push(DIFFERENCES);
            SampleEncoding::DeltaVarint.write(counts, &mut out);
            out
        }
        Data::Counts(counts) => encode_counts(counts),
        Data::Real(values) if small => {
            let mut out = vec![FLOATS];
            out.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
            out
        }
        Data::Real(values) => {
            let config = ChunkConfig::default().with_compression_level(LEVEL);
            let packed = simple_compress(&padded(values), &config).expect("the configuration is valid");
            sealed([&[PCO_FLOATS], &packed[..]].concat())
        }
    }
}

/// Decodes `count` samples.
///
/// # Errors
/// [`Damaged`]
pub fn decode_data(bytes: &[u8], count: usize) -> Result<Data, Damaged> {
    let (kind, rest) = bytes.split_first().ok_or(Damaged)?;
    if count > SAMPLES_MAX {
        return Err(Damaged);
    }
    match *kind {
        DIFFERENCES => {
            SampleEncoding::DeltaVarint.read(count, rest).map(Data::Counts).ok_or(Damaged)
        }
        PCO_16 => {
            let (holes, rest) = read_holes(unseal(bytes)?, count)?;
            let counts: Vec<i16> = unpack(rest, count)?;
            Ok(Data::Counts(with_holes(counts.into_iter().map(i32::from).collect(), &holes)))
        }
        PCO_32 => {
            let (holes, rest) = read_holes(unseal(bytes)?, count)?;
            Ok(Data::Counts(with_holes(unpack(rest, count)?, &holes)))
        }
        PCO_FLOATS => Ok(Data::Real(unpack(unseal(bytes)?, count)?)),
        FLOATS => {
            let (floats, tail) = rest.as_chunks::<8>();
            if floats.len() != count || !tail.is_empty() {
                return Err(Damaged);
            }
            let value = |bytes: &[u8; 8]| f64::from_bits(u64::from_le_bytes(*bytes));
            Ok(Data::Real(floats.iter().map(value).collect()))
        }
        _ => Err(Damaged),
    }
}

fn unpack<T: pco::data_types::Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>, Damaged> {
    let padded = count.next_multiple_of(BATCH);
    let mut out = vec![T::default(); padded];
    let progress = simple_decompress_into(bytes, &mut out).map_err(|_| Damaged)?;
    if progress.n_processed != padded {
        return Err(Damaged);
    }
    out.truncate(count);
    Ok(out)
}

/// The numbers with the last one repeated until the batch is full.
fn padded<T: pco::data_types::Number>(numbers: &[T]) -> Vec<T> {
    let mut all = numbers.to_vec();
    if let Some(last) = numbers.last() {
        all.resize(numbers.len().next_multiple_of(BATCH), *last);
    }
    all
}

fn encode_counts(counts: &[i32]) -> Vec<u8> {
    let mut holes: Vec<(usize, usize)> = Vec::new();
    let mut filled = counts.to_vec();
    if counts.contains(&MISSING) {
        // Before the first sample stands the first sample.
        let mut last = counts.iter().copied().find(|count| *count != MISSING).unwrap_or(0);
        for (at, count) in filled.iter_mut().enumerate() {
            if *count != MISSING {
                last = *count;
                continue;
            }
            *count = last;
            match holes.last_mut() {
                Some((begin, length)) if *begin + *length == at => *length += 1,
                _ => holes.push((at, 1)),
            }
        }
    }
    let narrow: Option<Vec<i16>> = filled.iter().map(|count| i16::try_from(*count).ok()).collect();
    let config = ChunkConfig::default()
        .with_compression_level(LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::TryConv1(ORDER));
    let packed = match &narrow {
        Some(narrow) => simple_compress(&padded(narrow), &config),
        None => simple_compress(&padded(&filled), &config),
    };
    let packed = packed.expect("the configuration is valid");
    let mut out = Vec::with_capacity(packed.len() + 8);
    out.push(if narrow.is_some() { PCO_16 } else { PCO_32 });
    put(&mut out, holes.len() as u64);
    let mut end = 0;
    for (begin, length) in holes {
        put(&mut out, (begin - end) as u64);
        put(&mut out, length as u64);
        end = begin + length;
    }
    out.extend_from_slice(&packed);
    sealed(out)
}

/// With the CRC-32 of all bytes behind them.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// What stands between the kind and the CRC-32, if that is right.
fn unseal(bytes: &[u8]) -> Result<&[u8], Damaged> {
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(Damaged)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return Err(Damaged);
    }
    body.get(1..).ok_or(Damaged)
}

fn read_holes(mut rest: &[u8], count: usize) -> Result<(Vec<(usize, usize)>, &[u8]), Damaged> {
    let number = get(&mut rest)?;
    let mut holes = Vec::new();
    let mut end = 0_usize;
    for _ in 0..number {
        let mut next = || usize::try_from(get(&mut rest).ok()?).ok();
        let begin = next().and_then(|distance| end.checked_add(distance)).ok_or(Damaged)?;
        let length = next().ok_or(Damaged)?;
        end = begin.checked_add(length).filter(|end| *end <= count).ok_or(Damaged)?;
        holes.push((begin, length));
    }
    Ok((holes, rest))
}

fn with_holes(mut counts: Vec<i32>, holes: &[(usize, usize)]) -> Vec<i32> {
    for (begin, length) in holes {
        counts[*begin..begin + length].fill(MISSING);
    }
    counts
}
