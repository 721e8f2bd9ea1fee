//! Events in their binary form: any bytes are an event or an error, and an event reads back as
//! itself.
#![no_main]

use journal::Encoded;
use libfuzzer_sys::fuzz_target;
use vitals::Event;

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = postcard::from_bytes::<Event>(bytes) else { return };
    if let Event::Message(message) = &event {
        let _ = message.readings().count();
    }
    let encoded = Encoded::new(&event, None).expect("what was read can be written");
    let again: Event = postcard::from_bytes(&encoded.bytes).expect("what was written can be read");
    // By their text: a value that is not a number differs from itself.
    assert_eq!(format!("{again:?}"), format!("{event:?}"));
});
