//! Real-time sample arrays (IEEE 11073-20601 §6.3.5, IEEE 11073-10406): an observed value of
//! equidistant samples, read by the object's sample specification, scale and sample period.

use medfloat::Float;
use vitals::{Rate, SampleArray, Samples, Scale};

use crate::bytes::{Fault, PhdError, Reader};
use crate::config::{attr, whole};

/// Periods are counted in eighths of a millisecond.
const TICKS_PER_SECOND: u32 = 8_000;
/// The number of significant bits that says that samples are signed.
const SIGNED: u8 = 255;

/// The samples of an observation, in the object's unit; none if it has no such value. `find` gives
/// the bytes of an attribute, of the observation or else of its object.
///
/// # Errors
/// Names the attribute that is missing, cut, or that can't be.
pub fn samples<'a>(
    find: impl Fn(u16) -> Option<&'a [u8]>,
) -> Result<Option<SampleArray>, PhdError> {
    let Some(value) = find(attr::SAMPLES) else { return Ok(None) };
    let missing =
        |field| PhdError { field, offset: 0, fault: Fault::TooShort { needed: 1, left: 0 } };
    let (count, bits, signed) =
        whole(find(attr::SAMPLE_SPEC).ok_or_else(|| missing("sa-specification"))?, |reader| {
            let count = reader.u16("array-size")?;
            let bits = reader.u8("sample-size")?;
            let signed = reader.u8("significant-bits")? == SIGNED;
            reader.u16("flags")?;
            Ok((usize::from(count), bits, signed))
        })?;
    let at = Reader::new(&[]);
    let period = whole(find(attr::SAMPLE_PERIOD).ok_or_else(|| missing("sample-period"))?, |r| {
        r.u32("sample-period")
    })?;
    let no_period = at.error("sample-period", Fault::Code { code: period });
    let rate = Rate::new(TICKS_PER_SECOND, period).ok_or(no_period)?;
    let width = match bits {
        8 | 16 | 32 => usize::from(bits) / 8,
        _ => return Err(at.error("sample-size", Fault::Code { code: u32::from(bits) })),
    };
    let counts = whole(value, |reader| {
        let mut data = reader.counted("simple-sa-observed-value")?;
        let mut counts = Vec::new();
        for _ in 0..count {
            counts.push(one(data.take("simple-sa-observed-value", width)?, signed));
        }
        data.end("simple-sa-observed-value")?;
        Ok(counts)
    })?;
    let scale = match [attr::SCALE_8, attr::SCALE_16, attr::SCALE_32].map(&find) {
        [Some(bytes), _, _] => scale(bytes, 1, signed)?,
        [_, Some(bytes), _] => scale(bytes, 2, signed)?,
        [_, _, Some(bytes)] => scale(bytes, 4, signed)?,
        _ => Scale::ONE,
    };
    Ok(Some(SampleArray { rate, scale, sequence: None, samples: Samples::Counts(counts) }))
}

/// A big-endian integer of up to 32 bits. Unsigned ones above the largest signed one, which no
/// converter sends, stop there; the smallest signed one, which stands for a missing sample, is
/// one.
fn one(bytes: &[u8], signed: bool) -> i32 {
    let number = bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let unused = 32 - 8 * bytes.len() as u32;
    if signed {
        (number << unused).cast_signed() >> unused
    } else {
        i32::try_from(number).unwrap_or(i32::MAX)
    }
}

/// Two values and the counts that stand for them: a line.
fn scale(bytes: &[u8], width: usize, signed: bool) -> Result<Scale, PhdError> {
    whole(bytes, |reader| {
        let mut bound = |field| {
            let at = reader.clone();
            let bits = reader.u32(field)?;
            Float::from_bits(bits).value().map_err(|_| at.error(field, Fault::Code { code: bits }))
        };
        let (low, high) = (bound("lower-absolute-value")?, bound("upper-absolute-value")?);
        let from = f64::from(one(reader.take("lower-scaled-value", width)?, signed));
        let at = reader.clone();
        let to = f64::from(one(reader.take("upper-scaled-value", width)?, signed));
        let scale = Scale {
            factor: high - low,
            divisor: to - from,
            offset: low - from * (high - low) / (to - from),
        };
        // Two counts that are one, or two values that are one, make no line.
        if scale.factor == 0.0 || scale.divisor == 0.0 || !scale.offset.is_finite() {
            return Err(at.error("upper-scaled-value", Fault::Code { code: 0 }));
        }
        Ok(scale)
    })
}
