//! HL7 v2 messages: any bytes are answered with something that fits a frame, values are finite,
//! nothing goes silently, and the same bytes mean the same both times.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitals::{ReceiveTime, Value};
use wire_hl7::{Kept, Options, read};

fuzz_target!(|frame: &[u8]| {
    let received = ReceiveTime(1_700_000_000_000_000);
    let options = Options::default();
    let found = read(frame, received, &options);
    assert_eq!(format!("{found:?}"), format!("{:?}", read(frame, received, &options)));
    assert!(!found.messages.is_empty());
    for inbound in &found.messages {
        assert!(inbound.dedup.is_some());
        for kept in [Kept::Durable, Kept::NotStored] {
            let answer = inbound.reply.encode(kept, received).unwrap_or_default();
            assert!(!answer.windows(2).any(|pair| pair == b"\x1c\x0d"));
        }
        let code = inbound.reply.code(Kept::Durable);
        assert_eq!(code == "AA", inbound.message.problems.is_empty() || !inbound.message.content.is_empty());
        for (_, _, measurement) in inbound.message.readings() {
            match &measurement.value {
                Value::Numeric(number) => assert!(number.is_finite()),
                Value::SampleArray(array) => {
                    assert!(array.values().iter().all(|s| s.is_finite() || s.is_nan()));
                }
                _ => {}
            }
        }
    }
});
