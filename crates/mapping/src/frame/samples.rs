//! Samples as bytes, in the four encodings.

use super::Encoding;

/// Appends `samples` to `out`. A sample that does not fit the encoding is written as the nearest
/// that does.
pub(super) fn write(encoding: Encoding, samples: &[Option<i32>], out: &mut Vec<u8>) {
    let mut previous = 0_i64;
    for sample in samples {
        match (encoding, sample) {
            (Encoding::I16, sample) => {
                let raw = sample.map_or(i16::MIN, |s| s.clamp(-0x7fff, 0x7fff) as i16);
                out.extend_from_slice(&raw.to_le_bytes());
            }
            (Encoding::I24, sample) => {
                let raw = sample.map_or(-0x80_0000, |s| s.clamp(-0x7f_ffff, 0x7f_ffff));
                out.extend_from_slice(&raw.to_le_bytes()[..3]);
            }
            (Encoding::I32, sample) => {
                let raw = sample.map_or(i32::MIN, |s| s.max(-i32::MAX));
                out.extend_from_slice(&raw.to_le_bytes());
            }
            (Encoding::DeltaVarint, None) => out.push(0),
            (Encoding::DeltaVarint, Some(sample)) => {
                let delta = i64::from(*sample) - previous;
                previous = i64::from(*sample);
                let zigzag = ((delta << 1) ^ (delta >> 63)) as u64;
                leb128(zigzag + 1, out);
            }
        }
    }
}

fn leb128(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads exactly `count` samples from exactly `data`; none when they don't come out even or a
/// sample leaves 32 bits.
pub(super) fn read(encoding: Encoding, count: usize, data: &[u8]) -> Option<Vec<Option<i32>>> {
    let width = match encoding {
        Encoding::I16 => 2,
        Encoding::I24 => 3,
        Encoding::I32 => 4,
        Encoding::DeltaVarint => return read_deltas(count, data),
    };
    if data.len() != count.checked_mul(width)? {
        return None;
    }
    Some(
        data.chunks_exact(width)
            .map(|bytes| {
                let mut wide = [0_u8; 4];
                wide[4 - width..].copy_from_slice(bytes);
                // The sign sits at the top: shifting back down keeps it, and the lowest number
                // of the width is the missing one.
                let raw = i32::from_le_bytes(wide);
                (raw != i32::MIN).then(|| raw >> (32 - 8 * width))
            })
            .collect(),
    )
}

fn read_deltas(count: usize, data: &[u8]) -> Option<Vec<Option<i32>>> {
    if count > data.len() {
        return None;
    }
    let mut samples = Vec::with_capacity(count);
    let mut previous = 0_i64;
    let mut bytes = data.iter();
    for _ in 0..count {
        let mut number = 0_u64;
        let mut shift = 0;
        loop {
            let byte = *bytes.next()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            shift += 7;
            // A difference of two 32-bit numbers takes 34 bits at most: five bytes.
            if shift > 28 {
                return None;
            }
        }
        samples.push(match number.checked_sub(1) {
            None => None,
            Some(zigzag) => {
                let delta = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
                previous += delta;
                Some(i32::try_from(previous).ok()?)
            }
        });
    }
    bytes.next().is_none().then_some(samples)
}
