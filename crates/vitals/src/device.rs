//! Devices as IEEE 11073-10201 sees them (MDS, VMD, channel, metric), and on whom they are.

use serde::{Deserialize, Serialize};

use crate::{DeviceId, EffectiveTime, LocationId, MetricCode, PatientId, Identifier};

/// A medical device system (MDS): what a person would call one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Logical id; the one in MQTT topics.
    pub id: DeviceId,
    /// Business identifiers: EUI-64, UDI, serial or asset number.
    pub identifiers: Vec<Identifier>,
    /// What people call it.
    pub name: String,
    /// MDC code of the device type (such as `MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS`), if known.
    pub kind: Option<MetricCode>,
    /// Manufacturer; may be empty.
    pub manufacturer: String,
    /// Model; may be empty.
    pub model: String,
    /// Serial number; may be empty.
    pub serial: String,
    /// Firmware or software version; may be empty.
    pub version: String,
    /// The bed that it is mounted at, if it is: whoever is admitted there is on it.
    pub location: Option<LocationId>,
    /// How its clock is set.
    pub clock: ClockMethod,
    /// What it is made of below the MDS, as far as known.
    pub components: Vec<Component>,
    /// The FHIR document this came in, if it did: opaque here.
    pub document: Option<Vec<u8>>,
}

impl Device {
    /// A device of which only the id is known: an announced one.
    #[must_use]
    pub fn announced(id: DeviceId) -> Self {
        Self {
            name: id.to_string(),
            id,
            identifiers: Vec::new(),
            kind: None,
            manufacturer: String::new(),
            model: String::new(),
            serial: String::new(),
            version: String::new(),
            location: None,
            clock: ClockMethod::Unknown,
            components: Vec::new(),
            document: None,
        }
    }
}

/// A virtual medical device or channel within a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Channel number as in [`crate::Measurement::channel`].
    pub channel: u32,
    /// MDC code of the VMD or channel.
    pub kind: MetricCode,
    /// Name; may be empty.
    pub name: String,
}

/// How a device's clock is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ClockMethod {
    /// Nobody said.
    #[default]
    Unknown,
    /// Set by NTP, PTP or the network.
    Synchronised,
    /// Set by hand.
    Manual,
    /// It has none.
    None,
}

/// Whether a device can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Connected.
    Online,
    /// It said goodbye.
    Offline,
    /// It vanished: an MQTT will, a broken connection.
    Lost,
}

/// Why a device is on a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AssociationBasis {
    /// A person said so.
    Person(String),
    /// The device is mounted at the bed that the patient is in.
    Location(LocationId),
    /// The device's own messages name the patient.
    Message,
}

/// A device on a patient for some time: from `start` up to but not including `end` (PA-1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Association {
    /// Which device.
    pub device: DeviceId,
    /// On whom.
    pub patient: PatientId,
    /// Why.
    pub basis: AssociationBasis,
    /// Since.
    pub start: EffectiveTime,
    /// Until; none while it lasts.
    pub end: Option<EffectiveTime>,
}

impl Association {
    /// Whether the device was on the patient at `time`.
    #[must_use]
    pub fn covers(&self, time: EffectiveTime) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }
}
