//! SenML in CBOR: the payload always begins as an array does, so that the CBOR reader gets it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::{Profiles, RawMessage};
use vitals::{ReceiveTime, Value};

fuzz_target!(|bytes: &[u8]| {
    let payload = [&[0x9f], bytes].concat();
    let raw = RawMessage {
        topic: "vitalwire/m-1/measurements",
        payload: if bytes.first().is_some_and(|byte| *byte >= 0x80) { bytes } else { &payload },
        content_type: None,
        received: ReceiveTime(1_700_000_000_000_000),
    };
    for measurement in Profiles::default().map(&raw).measurements() {
        if let Value::Numeric(number) = measurement.value {
            assert!(number.is_finite());
        }
    }
});
