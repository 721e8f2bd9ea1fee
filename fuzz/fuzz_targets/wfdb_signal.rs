//! WFDB signal files in every format: what is read can be written and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record::Recording;
use record::wfdb::{Options, read, write};
use vitals::samples::MISSING;

const FORMATS: [u32; 13] = [8, 16, 24, 32, 61, 80, 160, 212, 310, 311, 508, 516, 524];

fuzz_target!(|bytes: &[u8]| {
    let [which, frame, offset, data @ ..] = bytes else { return };
    let format = FORMATS[usize::from(*which) % FORMATS.len()];
    let (per_frame, offset) = (frame % 4 + 1, offset % 8);
    let packed = frame & 0x80 != 0;
    let header = format!("a 2 125\na.dat {format}x{per_frame}+{offset} 200 12 0 0 0 0 II\na.dat {format}x{per_frame}+{offset} 1e3(5)/NU 12 0 0 0 0 V\n");
    let Ok(first) = read("a", &mut |file| Some(if file == "a.hea" { header.clone().into_bytes() } else { data.to_vec() })) else {
        return;
    };
    let Ok(written) = write(&first, "b", Options { packed }) else { return };
    let again = read("b", &mut |file| written.files.iter().find(|(name, _)| name == file).map(|(_, bytes)| bytes.clone()));
    let again = again.expect("what we write, we read");
    assert_eq!(again.problems, []);
    assert_eq!(samples(&first), samples(&again));
});

fn samples(recording: &Recording) -> Vec<Vec<(u64, i32)>> {
    let all = recording.channels.iter().map(|channel| {
        let runs = channel.segments.iter().flat_map(|s| (s.first..).zip(s.samples.iter().copied()));
        runs.filter(|(_, count)| *count != MISSING).collect()
    });
    all.collect()
}
