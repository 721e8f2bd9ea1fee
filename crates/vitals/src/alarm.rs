//! Alarms that devices raise themselves, in the words of IEC 60601-1-8 and IHE ACM: whatever wire
//! they come in by (HL7 PCD-04, SDC alert states, annunciations), they have this one shape.
//!
//! One value says how an alarm is from now on. The platform keeps what it said last: saying the
//! same again changes nothing, `Inactive` ends it, and being active after that is a new episode.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, DeviceTime, MetricCode, PatientRef};

/// Longest [`DeviceAlarm::id`] that is kept, bytes.
pub const ALARM_ID_BYTES: usize = 128;
/// Longest [`DeviceAlarm::text`] that is kept, bytes.
pub const ALARM_TEXT_BYTES: usize = 256;

/// How one alarm of one device is from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceAlarm {
    /// Which device (MDS).
    pub device: DeviceId,
    /// Whom the message says it is about, if it does.
    pub patient: Option<PatientRef>,
    /// Which of the device's alarms: the same from its start to its end and not empty, such as the
    /// alert's id of PCD-04 or the handle of an SDC alert condition.
    pub id: String,
    /// Of the patient, of the device, or only advice.
    pub kind: AlarmKind,
    /// How urgent the device holds it to be.
    pub priority: AlarmPriority,
    /// Whether it is there.
    pub state: AlarmState,
    /// What the device does to be heard.
    pub signal: AlarmSignal,
    /// MDC code of the event (such as `MDC_EVT_HI`), if one was sent.
    pub code: Option<MetricCode>,
    /// What the device shows; may be empty.
    pub text: String,
    /// The metric that it is about, if it is about one.
    pub source: Option<MetricCode>,
    /// Where in the device, as in [`crate::Measurement::channel`].
    pub channel: u32,
    /// When the device says that it became so.
    pub device_time: Option<DeviceTime>,
}

/// What an alarm is about (IHE ACM: SP, ST, SA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmKind {
    /// The patient.
    Physiological,
    /// The device.
    Technical,
    /// Worth knowing; nobody is asked for.
    Advisory,
}

impl AlarmKind {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Physiological => "physiological",
            Self::Technical => "technical",
            Self::Advisory => "advisory",
        }
    }
}

/// Alarm priority as a device says it (IEC 60601-1-8 clause 6.1.2), least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AlarmPriority {
    /// No alarm: information only (`PN`).
    None,
    /// Awareness is required; also what a device says without a priority.
    Low,
    /// Prompt response is required.
    Medium,
    /// Immediate response is required.
    High,
}

/// Whether an alarm is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmState {
    /// Its condition holds.
    Active,
    /// Its condition is gone, its signal stays until somebody resets it at the device.
    Latched,
    /// It is over.
    Inactive,
}

/// What a device does to be heard with an alarm (IHE ACM: alert inactivation state).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmSignal {
    /// Light and sound.
    On,
    /// No sound for a while.
    AudioPaused,
    /// No sound.
    AudioOff,
    /// Neither for a while.
    Paused,
    /// Neither.
    Off,
    /// Somebody took it at the device.
    Acknowledged,
}

/// `text` cut to at most `bytes` bytes, between two characters.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_are_cut_between_characters() {
        for (text, bytes, expected) in
            [("abc", 5, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("é", 1, ""), ("", 0, "")]
        {
            assert_eq!(super::cut(text, bytes), expected, "{text} {bytes}");
        }
    }
}
