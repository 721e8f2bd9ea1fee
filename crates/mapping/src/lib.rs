//! Device profiles: from any topic and payload to measurements.
//!
//! Three ways lead from a message to measurements, tried in this order:
//!
//! 1. the *native* topics `vitalwire/<device-id>/…` (SenML, the waveform frame, the status,
//!    Bluetooth payloads);
//! 2. *profiles*, TOML or JSON files that say how one kind of device speaks;
//! 3. *template pairs* written for Microsoft's iomt-fhir, loaded as they are.
//!
//! What can't be mapped becomes a [`vitals::Problem`]; what stands beside it is kept (DU-2). The
//! crate is pure: it reads no file, clock or socket. Who fetches the files, watches them and
//! hands over payloads lives in `runtime` and `gateway`.

mod decode;
pub mod frame;
mod iomt;
mod jsonpath;
mod lorawan;
mod measure;
mod native;
mod payload;
mod profile;
mod profiles;
mod sparkplug;
mod time;
mod topic;
mod trace;

pub use decode::{Decode, DecodeFault, Script, Uplink};
pub use native::direction_name;
pub use measure::{Details, measure, measure_samples, measure_text, metric_from_text, unit_from_text};
pub use profile::ProfileError;
pub use profiles::{Listed, Profiles};
pub use trace::{Step, StepKind, Trace, TracedValue};

use vitals::{Content, DeviceId, Measurement, PatientRef, Problem, ProblemKind, Reading, ReceiveTime, TimeBase};

/// The largest payload that is looked into, in bytes.
pub const MAX_PAYLOAD: usize = 1 << 20;
/// The most records (measurements, or attempts at one) taken from one message.
pub const MAX_RECORDS: usize = 10_000;
/// The most problems listed of one message; the last one says how many more there are.
pub const MAX_PROBLEMS: usize = 1_000;
/// How deep CBOR may nest; JSON may nest 128 deep.
pub const MAX_DEPTH: usize = 64;

/// One message as it came in.
#[derive(Debug, Clone, Copy)]
pub struct RawMessage<'a> {
    /// MQTT topic.
    pub topic: &'a str,
    /// Payload bytes.
    pub payload: &'a [u8],
    /// MQTT 5 content type, if the sender gave one.
    pub content_type: Option<&'a str>,
    /// When its last byte was received.
    pub received: ReceiveTime,
}

/// What was understood of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// Name of the profile that took it; empty if none did.
    pub profile: String,
    /// Whether its times are a live device's or a recording's.
    pub time_base: TimeBase,
    /// What was understood, in message order.
    pub content: Vec<Content>,
    /// What was not.
    pub problems: Vec<Problem>,
    /// A key that only the same message sent again has; none where the payload carries neither a
    /// time nor an id of its own, so that two like payloads may be two readings.
    pub dedup: Option<u128>,
    /// Whether it is a waveform, which gives way to everything else under load (DU-3).
    pub lane_is_waveform: bool,
}

impl Mapped {
    fn new(profile: impl Into<String>) -> Self {
        Self {
            profile: profile.into(),
            time_base: TimeBase::Live,
            content: Vec::new(),
            problems: Vec::new(),
            dedup: None,
            lane_is_waveform: false,
        }
    }

    /// Every measurement, in order.
    pub fn measurements(&self) -> impl Iterator<Item = &Measurement> {
        self.content
            .iter()
            .filter_map(|content| match content {
                Content::Reading(reading) => Some(reading),
                Content::Directory(_) | Content::Alarm(_) => None,
            })
            .flat_map(|reading| &reading.measurements)
    }

    /// Adds a measurement: to the last reading if that has the same device and patient.
    fn push(&mut self, device: &DeviceId, patient: Option<&PatientRef>, measurement: Measurement) {
        if let Some(Content::Reading(last)) = self.content.last_mut()
            && last.device == *device
            && last.patient.as_ref() == patient
        {
            last.measurements.push(measurement);
            return;
        }
        self.content.push(Content::Reading(Reading {
            device: device.clone(),
            patient: patient.cloned(),
            measurements: vec![measurement],
        }));
    }

    /// Keeps the list of problems short enough to be kept with the message.
    fn shorten_problems(&mut self) {
        let more = self.problems.len().saturating_sub(MAX_PROBLEMS);
        if more > 0 {
            self.problems.truncate(MAX_PROBLEMS);
            self.problem(ProblemKind::Limit, "", format!("{more} more problems of the same message are not listed"));
        }
    }

    fn problem(&mut self, kind: ProblemKind, path: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(problem(kind, path, detail));
    }
}

fn problem(kind: ProblemKind, path: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem { kind, path: path.into(), detail: detail.into() }
}

/// 128 bits that stand for this payload on this topic.
fn dedup_key(raw: &RawMessage<'_>) -> u128 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(raw.topic.len() as u64).to_le_bytes());
    hasher.update(raw.topic.as_bytes());
    hasher.update(raw.payload);
    let hash = hasher.finalize();
    let mut key = [0_u8; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_le_bytes(key)
}
