//! MLLP framing: any bytes in any pieces give the same frames, no byte is counted twice, and the
//! decoder never holds more than its limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_hl7::mllp::{Decoder, Item, frame};

const LIMIT: usize = 256;

fn items(bytes: &[u8], size: usize) -> Vec<Item> {
    let mut decoder = Decoder::new(LIMIT);
    let mut found = Vec::new();
    for piece in bytes.chunks(size) {
        decoder.push(piece);
        while let Some(item) = decoder.next_item() {
            found.push(item);
        }
        assert!(decoder.pending() <= LIMIT + size + 4);
    }
    while let Some(item) = decoder.finish() {
        found.push(item);
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, bytes)) = bytes.split_first() else { return };
    let size = usize::from(*size % 32) + 1;
    let whole = items(bytes, bytes.len().max(1));
    let pieces = items(bytes, size);
    let frames = |found: &[Item]| -> Vec<Item> {
        let kept = |item: &&Item| matches!(item, Item::Frame(_));
        found.iter().filter(kept).cloned().collect()
    };
    assert_eq!(frames(&whole), frames(&pieces));
    let total: u64 = whole
        .iter()
        .map(|item| match item {
            Item::Frame(frame) | Item::CutOff(frame) => frame.len() as u64,
            Item::TooLong { head, length } => {
                assert!(head.len() as u64 <= *length);
                *length
            }
            Item::Garbage(count) => *count,
        })
        .sum();
    assert!(total <= bytes.len() as u64);
    // Whatever was sent before and did not begin a frame, a good frame comes through.
    if !bytes.contains(&0x0b) {
        let good = frame(b"MSH|^~\\&|A");
        let last = items(&[bytes, &good].concat(), size).pop();
        assert!(matches!(last, Some(Item::Frame(found)) if found == b"MSH|^~\\&|A".as_slice()));
    }
});
