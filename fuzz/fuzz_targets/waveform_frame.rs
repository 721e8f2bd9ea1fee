//! The waveform frame: what can be read can be written and read again to the same frame.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::frame::{MAX_SAMPLES, decode};

fuzz_target!(|bytes: &[u8]| {
    let _ = decode(bytes);
    // With magic, version and checksum right, so that the rest is reached.
    let mut whole = b"VWWF\x01".to_vec();
    whole.extend_from_slice(bytes);
    let crc = crc32fast::hash(&whole);
    whole.extend_from_slice(&crc.to_le_bytes());
    if let Ok((frame, _)) = decode(&whole) {
        assert!(frame.channels.iter().map(|channel| channel.samples.len()).sum::<usize>() <= MAX_SAMPLES);
        assert_eq!(decode(&frame.encode()), Ok((frame, Vec::new())));
    }
});
