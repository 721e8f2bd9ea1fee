//! Where a message came from.

use serde::{Deserialize, Serialize};

/// Which door a message came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// MQTT.
    Mqtt,
    /// HL7 v2 over MLLP.
    Mllp,
    /// FHIR over HTTP.
    Fhir,
    /// Application API over HTTP.
    Http,
    /// The platform itself.
    Internal,
    /// IEEE 11073 SDC.
    Sdc,
    /// CoAP, of LwM2M sensors.
    Coap,
    /// IEEE 11073-20601 over TCP.
    Phd,
    /// Bluetooth, through BlueZ.
    Bluetooth,
}

impl Protocol {
    /// Lower-case name for labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Mllp => "mllp",
            Self::Fhir => "fhir",
            Self::Http => "http",
            Self::Internal => "internal",
            Self::Sdc => "sdc",
            Self::Coap => "coap",
            Self::Phd => "phd",
            Self::Bluetooth => "bluetooth",
        }
    }
}

/// Where a message came from, with what is needed to recognise it again (PR-1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Which door.
    pub protocol: Protocol,
    /// Topic (MQTT, CoAP), message type (HL7 `ORU^R01`), resource type (FHIR) or report (SDC).
    pub address: String,
    /// Client id (MQTT), sending application and facility (HL7), account (FHIR),
    /// endpoint reference (SDC); may be empty.
    pub sender: String,
    /// Message control id (MSH-10) or request id; may be empty.
    pub message_id: String,
    /// Name of the profile or codec that understood it; may be empty if none did.
    pub profile: String,
}
