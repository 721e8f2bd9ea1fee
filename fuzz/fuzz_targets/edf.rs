//! EDF files: what is read and can be written reads back with as many samples.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record::edf::{Options, read, write};

fuzz_target!(|bytes: &[u8]| {
    let Ok(first) = read(bytes) else { return };
    for contiguous in [false, true] {
        // A gap of a year is nothing to write as samples.
        if contiguous && first.span_us().is_some_and(|(from, to)| to - from > 60_000_000) {
            continue;
        }
        let Ok((written, problems)) = write(&first, Options { contiguous, rescale: contiguous }) else { continue };
        let again = read(&written).expect("what we write, we read");
        let present = |recording: &record::Recording| recording.channels.iter().map(|c| c.present()).sum::<usize>();
        assert_eq!(present(&first), present(&again), "{problems:?}");
    }
});
