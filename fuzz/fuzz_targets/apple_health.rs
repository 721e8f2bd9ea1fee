//! Any bytes as an export of Apple Health, and its data points as a phone's: nothing panics, reading
//! ends, every number is finite, and the same export gives the same points.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mapping::{Profiles, RawMessage};
use serde_json::Value as Json;
use vitals::{ReceiveTime, Value};
use wire_applehealth::Export;

static PROFILES: LazyLock<Profiles> = LazyLock::new(Profiles::default);

fuzz_target!(|bytes: &[u8]| {
    let points = read(bytes);
    assert_eq!(points, read(bytes));
    let Ok(payload) = serde_json::to_vec(&points) else { return };
    let received = ReceiveTime(1_700_000_000_000_000);
    let raw = RawMessage { topic: "vitalwire/phone-1/health", payload: &payload, content_type: None, received };
    for measurement in PROFILES.map(&raw).measurements() {
        if let Value::Numeric(value) = measurement.value {
            assert!(value.is_finite());
        }
    }
});

fn read(bytes: &[u8]) -> Vec<Json> {
    let mut export = Export::new(bytes);
    let points: Vec<Json> = export.by_ref().map_while(Result::ok).collect();
    assert_eq!(export.counts().points, points.len() as u64);
    points
}
