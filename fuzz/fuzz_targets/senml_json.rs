//! SenML in JSON: any bytes map to finite values or problems, and the same both times.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::{Profiles, RawMessage};
use vitals::{ReceiveTime, Value};

fuzz_target!(|payload: &[u8]| {
    let profiles = Profiles::default();
    let received = ReceiveTime(1_700_000_000_000_000);
    for topic in ["vitalwire/m-1/measurements", "vitalwire/m-1/recording", "vitalwire/m-1/status"] {
        let raw = RawMessage { topic, payload, content_type: None, received };
        let mapped = profiles.map(&raw);
        assert_eq!(mapped, profiles.map(&raw));
        for measurement in mapped.measurements() {
            if let Value::Numeric(number) = measurement.value {
                assert!(number.is_finite());
            }
        }
    }
});
