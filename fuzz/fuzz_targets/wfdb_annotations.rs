//! WFDB annotation files: what is read and can be written reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record::wfdb::{read_annotations, write_annotations};
use vitals::Rate;

fuzz_target!(|bytes: &[u8]| {
    let Some(rate) = Rate::new(360, 1) else { return };
    let (mut found, _) = read_annotations("a.atr", rate, bytes);
    found.sort_by_key(|annotation| annotation.tick);
    let Ok((written, cut)) = write_annotations(&found, rate) else { return };
    let (again, problems) = read_annotations("a.atr", rate, &written);
    assert_eq!(problems, []);
    assert_eq!(again.len(), found.len());
    for (a, b) in again.iter().zip(&found) {
        assert_eq!((a.tick, a.code, a.subtype, a.channel, a.number), (b.tick, b.code, b.subtype, b.channel, b.number));
        assert!(a.text == b.text || !cut.is_empty() || b.text.ends_with('\0'));
    }
});
