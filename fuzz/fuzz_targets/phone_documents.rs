//! What phones, clouds and network servers send: Nightscout documents, data points of Open mHealth and
//! its kin, LoRaWAN uplinks. The first byte chooses which. Nothing panics, every number is finite, and
//! the same again has the same key.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mapping::{Profiles, RawMessage};
use vitals::{ReceiveTime, Value};

const TOPICS: [&str; 4] = ["vitalwire/d/nightscout", "vitalwire/d/health", "lorawan/site/up", "zigbee2mqtt/room"];

static PROFILES: LazyLock<Profiles> = LazyLock::new(|| {
    let files = [
        ("milesight.js", include_str!("../../profiles/lorawan/milesight.js")),
        ("milesight.toml", include_str!("../../profiles/lorawan/milesight.toml")),
        ("zigbee2mqtt.toml", include_str!("../../profiles/homes/zigbee2mqtt.toml")),
    ];
    Profiles::compile(&files.map(|(file, text)| (file.to_owned(), text.to_owned()))).0
});

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, payload)) = bytes.split_first() else { return };
    let topic = TOPICS[usize::from(*choice) % TOPICS.len()];
    let raw = RawMessage { topic, payload, content_type: None, received: ReceiveTime(1_700_000_000_000_000) };
    let mapped = PROFILES.map(&raw);
    for measurement in mapped.measurements() {
        if let Value::Numeric(value) = measurement.value {
            assert!(value.is_finite());
        }
    }
    assert_eq!(PROFILES.map(&raw), mapped);
});
