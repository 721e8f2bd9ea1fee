//! What a device is made of, what it can measure, what it says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LocationBrief, PatientBrief};

/// A device as IEEE 11073 sees it, with what is known of its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceModel {
    /// Kind of device in words; empty when nobody said.
    pub kind: String,
    /// Business identifiers: UDI, EUI-64, serial or asset number.
    pub identifiers: Vec<DeviceIdentifier>,
    /// How its clock is set: `synchronised`, `manual`, `none`, `unknown`.
    pub clock_method: String,
    /// When it was last calibrated (ISO 8601), as it or its record says.
    pub calibrated: Option<String>,
    /// When it is to be calibrated next.
    pub calibration_due: Option<String>,
    /// Whether that day is over.
    pub calibration_overdue: bool,
    /// Versions, certification, clock, specialisations: what it says of itself.
    pub properties: Vec<DeviceProperty>,
    /// What it is made of, in the order of the tree, the device itself first.
    pub parts: Vec<DevicePart>,
}

/// A name of a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceIdentifier {
    /// `UDI`, `SYSID`, `SNO` …; may be empty.
    pub kind: String,
    /// Whose names these are; may be empty.
    pub system: String,
    /// The name.
    pub value: String,
}

/// One thing that a device says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceProperty {
    /// Reference id of the property.
    pub metric: String,
    /// What it is, in words.
    pub name: String,
    /// What the device said, in words, with its unit.
    pub value: String,
}

/// The device, a virtual medical device in it, or a channel of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DevicePart {
    /// Id of its `Device` in FHIR; empty for a part that has none of its own.
    pub id: String,
    /// 0 the device, 1 a virtual medical device, 2 a channel.
    pub level: u8,
    /// In words.
    pub name: String,
    /// IEEE 11073 reference id or code; may be empty.
    pub code: String,
    /// What it measures.
    pub metrics: Vec<DeviceMetricView>,
}

/// What a part measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceMetricView {
    /// Reference id.
    pub metric: String,
    /// In words.
    pub name: String,
    /// Unit as people read it; may be empty.
    pub unit: String,
    /// Calibration as a record has it: `calibrated`, `calibration-required`, `not-calibrated`, `unspecified`.
    pub calibration: Option<String>,
    /// When, as the record has it.
    pub calibrated: Option<String>,
}

/// A device at somebody's bed that is not on who lies there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Device id.
    pub device: String,
    /// Its name.
    pub name: String,
    /// Where it is mounted.
    pub location: LocationBrief,
    /// Who lies there.
    pub patient: PatientBrief,
    /// Whether it is on somebody else now.
    pub on_another: bool,
}
