//! A measurement: what one device says of one metric at one time.

use serde::{Deserialize, Serialize};

use crate::{DeviceTime, MetricCode, Quality, SampleArray, Unit};

/// One measurement as mapped from a message; whose it is, is decided later by association.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// What was measured.
    pub metric: MetricCode,
    /// The value, in `unit`.
    pub value: Value,
    /// The unit of the value. Stored values are in the metric's own unit (see [`crate::Metric`]).
    pub unit: Unit,
    /// When the device says that it measured; none if it gave no time.
    pub device_time: Option<DeviceTime>,
    /// What is known against the value.
    pub quality: Quality,
    /// Which of several like channels: the IEEE 11073 containment path MDS.VMD.channel.metric
    /// packed as a number (see [`channel`]); 0 when there is only one.
    pub channel: u32,
}

/// The value of a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A number.
    Numeric(f64),
    /// Several numbers that belong together, such as systolic, diastolic and mean pressure. All
    /// parts share the measurement's unit.
    Compound(Vec<(MetricCode, f64)>),
    /// One of a metric's named states: its number and its text as sent.
    Enumeration(i32, String),
    /// Equidistant samples, first one at the measurement's time.
    SampleArray(SampleArray),
    /// Free text.
    Text(String),
}

/// Packs a containment path of up to three levels below the MDS (each 0 to 1,023, larger ones
/// wrap) into a channel number; `[0, 0, 0]` is 0.
#[must_use]
pub fn channel(vmd: u32, channel: u32, metric: u32) -> u32 {
    ((vmd & 0x3ff) << 20) | ((channel & 0x3ff) << 10) | (metric & 0x3ff)
}
