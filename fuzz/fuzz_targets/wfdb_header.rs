//! WFDB headers: any bytes are understood or refused with a word, together with any signal file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record::wfdb::{read, read_header};

fuzz_target!(|bytes: &[u8]| {
    let _ = read_header("a", bytes);
    // Whatever files the header names have the same few bytes; its segments are the header again.
    let found = read("a", &mut |file| {
        Some(if file.ends_with(".hea") { bytes.to_vec() } else { bytes[bytes.len() / 2..].to_vec() })
    });
    if let Ok(recording) = found {
        for channel in &recording.channels {
            assert!(channel.segments.windows(2).all(|pair| pair[0].first + pair[0].samples.len() as u64 <= pair[1].first));
        }
    }
});
