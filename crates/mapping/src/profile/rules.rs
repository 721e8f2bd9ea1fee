//! What a profile says, checked and ready to run.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use vitals::{Metric, Quality, Unit};

use super::path::{Condition, Path};
use crate::Script;
use crate::frame::DEVICE_FLAGS;
use crate::payload::Format;
use crate::time::TimeFormat;
use crate::topic::TopicFilter;

/// A compiled profile.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) description: String,
    pub(crate) filters: Vec<TopicFilter>,
    pub(super) condition: Option<Condition>,
    pub(super) format: Format,
    /// File name of the payload formatter, as the profile says it.
    pub(crate) decoder: Option<String>,
    /// The payload formatter itself.
    pub(crate) script: Option<Script>,
    pub(super) recorded: bool,
    /// A message id: with it a repeated payload is known to be the same message.
    pub(super) id: Option<Path>,
    pub(super) device: DeviceRule,
    pub(super) time: Option<TimeRule>,
    pub(super) patient: Option<PatientRule>,
    pub(super) measurements: Vec<MeasurementRule>,
}

/// Where the device's id comes from.
#[derive(Debug, Clone)]
pub(super) struct DeviceRule {
    pub(super) source: DeviceSource,
    pub(super) prefix: String,
}

#[derive(Debug, Clone)]
pub(super) enum DeviceSource {
    /// A capture of the topic filter.
    Topic(String),
    Path(Path),
    Constant(String),
}

/// Where the time is and how it is written.
#[derive(Debug, Clone)]
pub(super) struct TimeRule {
    pub(super) path: Path,
    pub(super) format: TimeFormat,
    pub(super) zone: TimeZone,
}

/// Where the patient's identifier is.
#[derive(Debug, Clone)]
pub(super) struct PatientRule {
    pub(super) path: Path,
    pub(super) system: String,
}

/// One kind of measurement.
#[derive(Debug, Clone)]
pub(super) struct MeasurementRule {
    /// `measurement[2]`, for problems and traces.
    pub(super) key: String,
    pub(super) each: Option<Path>,
    pub(super) when: Option<Condition>,
    pub(super) metric: MetricRule,
    pub(super) value: Path,
    pub(super) required: bool,
    pub(super) unit: UnitRule,
    pub(super) scale: f64,
    pub(super) offset: f64,
    pub(super) map: Option<HashMap<String, f64>>,
    pub(super) channel: ChannelRule,
    pub(super) quality: Option<QualityRule>,
    pub(super) time: Option<TimeRule>,
    pub(super) device: Option<DeviceRule>,
    /// Sampling rate as a fraction: the value is a list of samples.
    pub(super) rate: Option<(u32, u32)>,
}

#[derive(Debug, Clone)]
pub(super) enum MetricRule {
    Fixed(&'static Metric),
    FromPayload { path: Path, map: HashMap<String, &'static Metric> },
}

#[derive(Debug, Clone)]
pub(super) enum UnitRule {
    /// The metric's own.
    Own,
    Fixed(Unit),
    FromPayload(Path),
}

#[derive(Debug, Clone)]
pub(super) enum ChannelRule {
    Fixed(u32),
    FromPayload(Path),
}

/// How the device's own doubts are read.
#[derive(Debug, Clone)]
pub(super) struct QualityRule {
    pub(super) path: Path,
    pub(super) map: HashMap<String, Quality>,
    pub(super) questionable_below: Option<f64>,
    pub(super) invalid_below: Option<f64>,
}

/// Quality flags by name, separated by commas or spaces; `ok` and `good` are none. Only those
/// that a device may say of itself.
pub(crate) fn quality_from_text(text: &str) -> Option<Quality> {
    text.split([',', ' ']).filter(|word| !word.is_empty()).try_fold(Quality::empty(), |flags, word| {
        let flag = match word {
            "ok" | "good" => Quality::empty(),
            "questionable" => Quality::QUESTIONABLE,
            "invalid" => Quality::INVALID,
            "calibrating" => Quality::CALIBRATING,
            "test" => Quality::TEST,
            "manual" => Quality::MANUAL,
            _ => return None,
        };
        debug_assert!((DEVICE_FLAGS | Quality::MANUAL).contains(flag), "ours to set, not the device's");
        Some(flags | flag)
    })
}
