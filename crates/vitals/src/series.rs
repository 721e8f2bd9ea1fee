//! Series of stored values, and the coordinates by which any value is found again (PR-1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DeviceId, EffectiveTime, IdError, MetricCode, PatientId, Quality, ReceiveTime, SeriesId};

/// Position of an entry in the journal: 0, 1, 2 …, never reused.
pub type Offset = u64;

/// What one series holds: one metric of one channel of one device on one subject. When the device
/// moves to another patient another series begins, so nothing that came before moves (PA-1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    /// Whose values; none while the device is on nobody.
    pub subject: Option<PatientId>,
    /// The device that measured.
    pub device: DeviceId,
    /// What was measured.
    pub metric: MetricCode,
    /// Channel as in [`crate::Measurement::channel`].
    pub channel: u32,
}

/// One stored value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it was true.
    pub time: EffectiveTime,
    /// When we received it.
    pub received: ReceiveTime,
    /// The value in the metric's unit; for an enumeration its number; NaN where the value is a
    /// text or a sample array, which is kept beside.
    pub value: f64,
    /// The journal entry that it came from.
    pub offset: Offset,
    /// Which reading of that entry.
    pub index: u16,
    /// What is known against it.
    pub quality: Quality,
}

/// The stable name of one stored value: `r<series>-<offset>-<index>`, a valid FHIR id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReadingRef {
    /// The series.
    pub series: SeriesId,
    /// The journal entry.
    pub offset: Offset,
    /// Which reading of that entry.
    pub index: u16,
}

impl fmt::Display for ReadingRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}-{}-{}", self.series.0, self.offset, self.index)
    }
}

impl FromStr for ReadingRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut parts = text.strip_prefix('r').ok_or(IdError)?.splitn(3, '-');
        let mut next = || parts.next().ok_or(IdError);
        Ok(Self {
            series: SeriesId(next()?.parse().map_err(|_| IdError)?),
            offset: next()?.parse().map_err(|_| IdError)?,
            index: next()?.parse().map_err(|_| IdError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_names_read_back() {
        let name = ReadingRef { series: SeriesId(7), offset: 123_456, index: 2 };
        assert_eq!(name.to_string(), "r7-123456-2");
        assert_eq!(name.to_string().parse(), Ok(name));
        for bad in ["", "r", "r1-2", "r1-2-x", "1-2-3", "r1-2-3-4"] {
            assert!(bad.parse::<ReadingRef>().is_err(), "{bad}");
        }
    }
}
