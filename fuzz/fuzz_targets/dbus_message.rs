//! Any bytes as D-Bus messages: nothing panics, and what reads reads the same after it was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_dbus::Message;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Some((message, taken))) = Message::decode(rest) {
        assert!(taken > 0 && taken <= rest.len());
        let written = message.encode();
        let again = Message::decode(&written).expect("what was read can be written").expect("whole").0;
        // As text, for NaN is not equal to itself.
        assert_eq!(format!("{again:?}"), format!("{message:?}"));
        rest = &rest[taken..];
    }
});
