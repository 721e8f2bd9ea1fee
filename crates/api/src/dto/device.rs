//! Devices, and on whom they are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LocationBrief, PatientBrief};

/// A device, as the devices page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Logical id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Manufacturer and model; may be empty.
    pub model: String,
    /// Serial number; may be empty.
    pub serial: String,
    /// Firmware version; may be empty.
    pub version: String,
    /// `online`, `offline`, `lost`, `silent` (connected, but says nothing).
    pub link: String,
    /// `announced` (never associated) or `known`.
    pub standing: String,
    /// Patient that it is on; none as well when that is somebody whom the caller may not see.
    pub patient: Option<PatientBrief>,
    /// Whether it is on a patient, whoever that is: then it is in use.
    pub on_patient: bool,
    /// Bed that it is mounted at.
    pub location: Option<LocationBrief>,
    /// Door that it last used.
    pub protocol: String,
    /// Last message received.
    pub last_seen_ms: Option<i64>,
    /// Messages received.
    pub messages: u64,
    /// Values received.
    pub values: u64,
    /// Messages in a minute, over the last five.
    pub per_minute: f64,
    /// Messages that went to quarantine.
    pub problems: u64,
    /// How far its clock is from ours, in milliseconds (positive: ahead); none if unknown.
    pub clock_offset_ms: Option<i64>,
    /// `good`, `off` (corrected), `none`, `unknown`.
    pub clock: String,
    /// Battery in percent.
    pub battery: Option<f64>,
    /// Delay from measuring to receiving, milliseconds, middle of the last 100.
    pub delay_ms: Option<i64>,
    /// Reference ids of the metrics that it sends.
    pub metrics: Vec<String>,
}

/// Devices and how well they speak.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DevicePage {
    /// The devices.
    pub devices: Vec<DeviceView>,
    /// How busy the doors are.
    pub load: Load,
    /// Our clock when this was made.
    pub now_ms: i64,
}

/// How busy the program is (DU-3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Load {
    /// Messages in a second, over the last ten.
    pub messages_per_s: f64,
    /// Part of the queue to the journal that is full, 0 to 1.
    pub queue_fill: f64,
    /// Whether senders are being slowed.
    pub slowed: bool,
    /// Entries committed but not yet judged.
    pub behind: u64,
    /// Open connections by protocol.
    pub connections: Vec<(String, u64)>,
    /// Refused, quarantined, thinned and late items by reason since the start (DU-2).
    pub counted: Vec<(String, u64)>,
}

/// A device to put on a patient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AssociateRequest {
    /// Patient id; or give `identifier`.
    pub patient: Option<String>,
    /// `system|value` of the patient.
    pub identifier: Option<String>,
    /// Since when; none: now.
    pub since_ms: Option<i64>,
}

/// One of many devices to put on patients.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkAssociation {
    /// Device id.
    pub device: String,
    /// `system|value` of the patient, who is created if unknown.
    pub identifier: String,
    /// Since when; none: now.
    pub since_ms: Option<i64>,
    /// `Family, Given`; may be empty.
    #[serde(default)]
    pub name: String,
    /// ISO date of birth.
    pub birth_date: Option<String>,
    /// `male`, `female`, `other`, `unknown`.
    #[serde(default)]
    pub sex: String,
}

/// Where to mount a device.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MountRequest {
    /// Location id; none: unmount.
    pub location: Option<String>,
}
