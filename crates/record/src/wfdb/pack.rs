//! Counts packed into the bytes of the signal formats that are written: 212, 16, 24 and 32.

use vitals::samples::MISSING;

use super::signal::Format;
use crate::grid;

/// The narrowest of the written formats that holds all counts and a missing sample beside them.
/// 212 is taken only where asked for: not every reader has it.
pub(super) fn narrowest<'a>(counts: impl Iterator<Item = &'a i32>, packed: bool) -> Format {
    let (low, high) = grid::range(counts).unwrap_or((0, 0));
    // The lowest count of a format is its missing sample.
    let fits = |format: &Format| {
        let top = i32::MAX >> (32 - format.bits());
        low >= -top && high <= top
    };
    let formats = [Format::F212, Format::F16, Format::F24];
    let from = usize::from(!packed);
    formats[from..].iter().copied().find(fits).unwrap_or(Format::F32)
}

/// The counts as bytes, missing ones as the format's own.
pub(super) fn pack(format: Format, counts: &[i32]) -> Vec<u8> {
    let missing = format.missing().unwrap_or(0);
    let raw = counts.iter().map(|count| if *count == MISSING { missing } else { *count });
    match format {
        Format::F16 => raw.flat_map(|count| (count as i16).to_le_bytes()).collect(),
        Format::F24 => raw.flat_map(|count| { let b = count.to_le_bytes(); [b[0], b[1], b[2]] }).collect(),
        Format::F212 => {
            let raw: Vec<i32> = raw.collect();
            raw.chunks(2).flat_map(pair).collect()
        }
        _ => raw.flat_map(i32::to_le_bytes).collect(),
    }
}

fn pair(counts: &[i32]) -> Vec<u8> {
    let first = counts[0];
    match counts.get(1) {
        Some(second) => {
            vec![first as u8, ((first >> 8) & 0x0f) as u8 | ((second >> 4) & 0xf0) as u8, *second as u8]
        }
        None => vec![first as u8, ((first >> 8) & 0x0f) as u8],
    }
}

/// The sum of the counts as they are written, its low 16 bits.
pub(super) fn checksum(format: Format, counts: &[i32]) -> i16 {
    let missing = format.missing().unwrap_or(0);
    let raw = counts.iter().map(|count| if *count == MISSING { missing } else { *count });
    raw.fold(0_i16, |sum, count| sum.wrapping_add(count as i16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wfdb::decode;
    use proptest::prelude::*;

    #[test]
    fn formats_are_as_narrow_as_they_can_be() {
        for (counts, packed, expected) in [
            (&[0, 2_047, MISSING][..], true, Format::F212),
            (&[-2_048], true, Format::F16),
            (&[5], false, Format::F16),
            (&[-32_768], false, Format::F24),
            (&[8_388_607], false, Format::F24),
            (&[8_388_608], false, Format::F32),
            (&[MISSING], false, Format::F16),
        ] {
            assert_eq!(narrowest(counts.iter(), packed), expected, "{counts:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_undoes_packing(counts in proptest::collection::vec(prop_oneof![
            9 => -2_047..=2_047_i32, 1 => Just(MISSING)], 0..70)) {
            for format in [Format::F212, Format::F16, Format::F24, Format::F32] {
                let read = decode(format, &pack(format, &counts), usize::MAX);
                let read: Vec<i32> = read.into_iter().map(|raw| super::super::signal::kept(format, raw)).collect();
                prop_assert_eq!(&read, &counts);
            }
        }
    }
}
