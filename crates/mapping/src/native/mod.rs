//! The native topics: `vitalwire/<device-id>/measurements`, `/recording`, `/waveform`, `/status`,
//! `/gatt`, `/nightscout`, `/health`.

mod gatt;
mod gatt_device;
mod health;
mod nightscout;
mod senml;
mod senml_cbor;
mod senml_json;
mod senml_wave;
mod status;

pub use nightscout::direction_name;
use vitals::{DeviceId, ProblemKind, TimeBase};

use crate::{Mapped, RawMessage, frame};

/// Names of the built-in profiles, as provenance shows them.
pub(crate) const PROFILES: [(&str, &str); 8] = [
    ("native/senml-json", "vitalwire/{device}/measurements"),
    ("native/senml-cbor", "vitalwire/{device}/measurements"),
    ("native/recording", "vitalwire/{device}/recording"),
    ("native/waveform", "vitalwire/{device}/waveform"),
    ("native/status", "vitalwire/{device}/status"),
    ("native/gatt", "vitalwire/{device}/gatt"),
    ("native/nightscout", "vitalwire/{device}/nightscout"),
    ("native/health", "vitalwire/{device}/health"),
];

/// What the last level of a native topic asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Measurements,
    Recording,
    Waveform,
    Status,
    Gatt,
    Nightscout,
    Health,
}

/// The device level and the kind of a native topic.
pub(crate) fn route(topic: &str) -> Option<(&str, Kind)> {
    let (device, leaf) = topic.strip_prefix("vitalwire/")?.split_once('/')?;
    let kind = match leaf {
        "measurements" => Kind::Measurements,
        "recording" => Kind::Recording,
        "waveform" => Kind::Waveform,
        "status" => Kind::Status,
        "gatt" => Kind::Gatt,
        "nightscout" => Kind::Nightscout,
        "health" => Kind::Health,
        _ => return None,
    };
    Some((device, kind))
}

/// Maps a message on a native topic.
pub(crate) fn map(raw: &RawMessage<'_>, device: &str, kind: Kind) -> Mapped {
    let cbor = is_cbor(raw.payload);
    let name = match kind {
        Kind::Measurements if cbor => PROFILES[1].0,
        Kind::Measurements => PROFILES[0].0,
        Kind::Recording => PROFILES[2].0,
        Kind::Waveform => PROFILES[3].0,
        Kind::Status => PROFILES[4].0,
        Kind::Gatt => PROFILES[5].0,
        Kind::Nightscout => PROFILES[6].0,
        Kind::Health => PROFILES[7].0,
    };
    let Ok(device) = DeviceId::new(device) else {
        let mut mapped = Mapped::new(name);
        mapped.problem(
            ProblemKind::BadDevice,
            "topic",
            "the second level must be a device id: 1 to 64 characters of A-Z a-z 0-9 - .",
        );
        return mapped;
    };
    match kind {
        Kind::Measurements | Kind::Recording => {
            let base =
                if kind == Kind::Recording { TimeBase::Recorded } else { TimeBase::Live };
            if cbor {
                senml_cbor::map(raw, &device, base, name)
            } else {
                senml_json::map(raw, &device, base, name)
            }
        }
        Kind::Waveform => frame::map(raw, &device, name),
        Kind::Status => status::map(raw, &device, name),
        Kind::Gatt => gatt::map(raw, &device, name),
        Kind::Nightscout => nightscout::map(raw, &device, name),
        Kind::Health => health::map(raw, &device, name),
    }
}

/// What is the same when an app sends its documents again: what was measured and when, whatever
/// stands around it; where something was refused, or nothing measured, the text.
fn measured_key(raw: &RawMessage<'_>, mapped: &Mapped) -> u128 {
    let values = mapped.measurements();
    let texts = values.map(|m| format!("{} {} {:?} {:?}\n", m.metric.0, m.channel, m.device_time, m.value));
    let text: String = texts.collect();
    let payload = if text.is_empty() || !mapped.problems.is_empty() { raw.payload } else { text.as_bytes() };
    crate::dedup_key(&RawMessage { payload, ..*raw })
}

/// Whether a SenML payload is CBOR: an array there begins with a byte from 0x80 on (a tag or an
/// array head), which no JSON text does.
fn is_cbor(payload: &[u8]) -> bool {
    payload.first().is_some_and(|byte| *byte >= 0x80 && *byte != 0xef)
}
