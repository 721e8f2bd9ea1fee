//! Blocks of samples as they lie in the store: any bytes are a block or an error, and what was read
//! reads the same when it is written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use store::wave::{
    Block, Data, Packing, decode_data, decode_outline, decode_pyramid, encode_data, encode_outline,
    encode_pyramid,
};

/// The three parts of a row, divided by two lengths at the beginning.
fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let ([a, b, c, d], rest) = bytes.split_first_chunk::<4>()?;
    let (outline, rest) = rest.split_at_checked(u16::from_le_bytes([*a, *b]).into())?;
    let (pyramid, data) = rest.split_at_checked(u16::from_le_bytes([*c, *d]).into())?;
    Some((outline, pyramid, data))
}

fn bits(data: &Data) -> Vec<u64> {
    match data {
        Data::Counts(counts) => counts.iter().map(|count| *count as u64).collect(),
        Data::Real(values) => values.iter().map(|value| value.to_bits()).collect(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((outline, pyramid, data)) = parts(bytes) else { return };
    let Ok(outline) = decode_outline(outline) else { return };
    // By its text: a scale that is not a number differs from itself.
    let again = decode_outline(&encode_outline(&outline)).expect("what was written can be read");
    assert_eq!(format!("{again:?}"), format!("{outline:?}"));
    let _ = decode_pyramid(pyramid, &outline);
    let Ok(data) = decode_data(data, outline.samples()) else { return };
    for packing in [Packing::Fresh, Packing::Sealed] {
        let again = decode_data(&encode_data(&data, packing), data.len());
        assert_eq!(bits(&again.expect("what was written can be read")), bits(&data));
    }
    let block = Block { outline, data };
    let (bytes, _) = encode_pyramid(&block);
    decode_pyramid(&bytes, &block.outline).expect("what was written can be read");
});
