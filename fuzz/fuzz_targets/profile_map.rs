//! Profiles: the first byte chooses a topic, the rest is a payload for the shipped profiles, and
//! a profile or template pair of its own.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mapping::{Profiles, RawMessage};
use vitals::ReceiveTime;

static SHIPPED: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    [
        ("bedside-monitor.toml", include_str!("../../profiles/bedside-monitor.toml")),
        ("ward-gateway.toml", include_str!("../../profiles/ward-gateway.toml")),
        ("spot-check-csv.toml", include_str!("../../profiles/spot-check-csv.toml")),
        ("wearable-cbor.json", include_str!("../../profiles/wearable-cbor.json")),
        ("ecg-patch.toml", include_str!("../../profiles/ecg-patch.toml")),
        ("iomt/devicecontent.json", include_str!("../../profiles/iomt/example/devicecontent.json")),
        ("iomt/fhirmapping.json", include_str!("../../profiles/iomt/example/fhirmapping.json")),
    ]
    .map(|(file, text)| (file.to_owned(), text.to_owned()))
    .to_vec()
});
static PROFILES: LazyLock<Profiles> = LazyLock::new(|| Profiles::compile(&SHIPPED).0);

const TOPICS: [&str; 6] =
    ["hospital/u/d/vitals", "gateway/w", "spotcheck/d/upload", "wearables/v1/7", "patch/d/ecg", "other"];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let topic = TOPICS[usize::from(*choice) % TOPICS.len()];
    let raw = RawMessage { topic, payload: rest, content_type: None, received: ReceiveTime(0) };
    let mapped = PROFILES.map(&raw);
    assert_eq!(PROFILES.trace(&raw).values.len(), mapped.measurements().count());
    // The bytes as a profile of their own, over themselves.
    if let Ok(text) = std::str::from_utf8(rest) {
        for name in ["a.toml", "a.json"] {
            let (own, _) = Profiles::compile(&[(name.to_owned(), text.to_owned())]);
            let _ = own.trace(&raw).to_string();
        }
        let pair: Vec<(String, String)> = ["x/devicecontent.json", "x/fhirmapping.json"]
            .map(|name| (name.to_owned(), text.to_owned()))
            .to_vec();
        let _ = Profiles::compile(&pair).0.map(&raw);
    }
});
