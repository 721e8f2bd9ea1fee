//! What the journal keeps: everything that may change what the platform concludes.
//!
//! Feed the same events in the same order to the same configuration and the same conclusions come
//! out (EN-1). So whatever a person decides, and the passing of time itself, is an event too.

use serde::{Deserialize, Serialize};

use crate::{
    Action, Device, DeviceAlarm, DeviceId, Encounter, LinkState, Location, Measurement, Origin, Passed,
    Patient, PatientId, PatientMovement, PatientRef, ReceiveTime, Relayed,
};

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A message came in over a wire.
    Message(Message),
    /// A person or program did something.
    Action(Actor, Action),
    /// A device became heard, or stopped being.
    Link {
        /// Which device.
        device: DeviceId,
        /// What it is now.
        state: LinkState,
        /// Why, for people: `will message`, `keep-alive expired`, `disconnected`; may be empty.
        reason: String,
    },
    /// Time has passed.
    Tick,
    /// The rules by which patients are judged, from here on: a policy document (TOML), verified.
    Policy(Actor, String),
    /// Something about a patient who was erased since: nobody can read any more what. Never
    /// written; a journal reads such an entry back as this.
    Erased,
    /// An edge sent something on.
    Relayed(Relayed),
}

impl Event {
    /// The message from a wire that this is, or that an edge sent on in it.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::Relayed(Relayed { what: Passed::Message(message), .. }) => Some(message),
            _ => None,
        }
    }
}

/// One message from a wire, whole, with what was understood of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Where it came from.
    pub origin: Origin,
    /// When its last byte was received.
    pub received: ReceiveTime,
    /// Whether its times are those of a live device or of a recording played back.
    pub time_base: TimeBase,
    /// The bytes as received.
    #[serde(with = "payload")]
    pub payload: Vec<u8>,
    /// What was understood.
    pub content: Vec<Content>,
    /// What was not: each is counted and kept in quarantine (DU-2).
    pub problems: Vec<Problem>,
}

impl Message {
    /// Takes out what is said of other devices than `own`, and changes of the directory unless `directory` lets them stay. True
    /// when something was taken out; whoever asks says so among the problems, in words that fit its door.
    #[must_use]
    pub fn keep_to(&mut self, own: &DeviceId, directory: bool) -> bool {
        let before = self.content.len();
        self.content.retain(|content| match content {
            Content::Reading(reading) => reading.device == *own,
            Content::Alarm(alarm) => alarm.device == *own,
            Content::Directory(_) => directory,
        });
        self.content.len() < before
    }

    /// Every measurement in the message with its device, patient and running index: the index
    /// that [`crate::ReadingRef`] and [`crate::Point`] carry. The parts of a compound value take
    /// an index each.
    pub fn readings(&self) -> impl Iterator<Item = (u16, &Reading, &Measurement)> {
        let mut next = 0_u16;
        self.content
            .iter()
            .filter_map(|content| match content {
                Content::Reading(reading) => Some(reading),
                Content::Directory(_) | Content::Alarm(_) => None,
            })
            .flat_map(|reading| reading.measurements.iter().map(move |m| (reading, m)))
            .map(move |(reading, measurement)| {
                let index = next;
                let parts = match &measurement.value {
                    crate::Value::Compound(parts) => parts.len().max(1),
                    _ => 1,
                };
                next = next.saturating_add(u16::try_from(parts).unwrap_or(u16::MAX));
                (index, reading, measurement)
            })
    }
}

/// Payloads go to the journal as one run of bytes.
mod payload {
    use serde::{Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;
        impl<'de> de::Visitor<'de> for Bytes {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Vec<u8>, E> {
                Ok(v.to_vec())
            }
            fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(v)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }
        d.deserialize_byte_buf(Bytes)
    }
}

/// Which clock a message's times belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum TimeBase {
    /// A device speaking now; its clock is checked against ours.
    #[default]
    Live,
    /// A recording played back at any speed: its own times rule, and its values never look live.
    Recorded,
}

/// Something that was understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Content {
    /// A device measured.
    Reading(Reading),
    /// Something about a patient, a place or a device.
    Directory(DirectoryEvent),
    /// An alarm that a device raised, or how it goes on.
    Alarm(DeviceAlarm),
}

/// What one device measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which device.
    pub device: DeviceId,
    /// Whom the message says it is about, if it does.
    pub patient: Option<PatientRef>,
    /// The measurements, in message order.
    pub measurements: Vec<Measurement>,
}

/// A change to who and what there is, and who is where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum DirectoryEvent {
    /// A patient's details.
    Patient(Patient),
    /// Two records are one person: `retired` lives on as `survivor` (A40).
    Merge {
        /// Who remains.
        survivor: PatientId,
        /// Who was merged into it.
        retired: PatientId,
    },
    /// An encounter's details.
    Encounter(Encounter),
    /// A place's details.
    Location(Location),
    /// A device's details.
    Device(Device),
    /// A patient movement.
    Movement(PatientMovement),
}

/// A part of a message that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which kind, for counting.
    pub kind: ProblemKind,
    /// Where in the message: a JSON path, an HL7 field (`OBX[3]-5`), a byte position.
    pub path: String,
    /// What is wrong and what to do, without repeating the value.
    pub detail: String,
}

/// Kinds of problem, as counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProblemKind {
    /// Not well-formed.
    Syntax,
    /// No profile or codec takes it.
    Unmatched,
    /// A metric that no table knows.
    UnknownMetric,
    /// A unit that no table knows, or that the metric can't have.
    UnknownUnit,
    /// A value of the wrong type or shape.
    BadValue,
    /// A time that can't be read.
    BadTime,
    /// No device, or not a valid one.
    BadDevice,
    /// Something required is missing.
    Missing,
    /// More than a limit allows.
    Limit,
    /// The sender may not send this.
    Forbidden,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Syntax,
        Self::Unmatched,
        Self::UnknownMetric,
        Self::UnknownUnit,
        Self::BadValue,
        Self::BadTime,
        Self::BadDevice,
        Self::Missing,
        Self::Limit,
        Self::Forbidden,
    ];

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Lower-case name for labels and pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Unmatched => "unmatched",
            Self::UnknownMetric => "unknown-metric",
            Self::UnknownUnit => "unknown-unit",
            Self::BadValue => "bad-value",
            Self::BadTime => "bad-time",
            Self::BadDevice => "bad-device",
            Self::Missing => "missing",
            Self::Limit => "limit",
            Self::Forbidden => "forbidden",
        }
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Account name; `system` for the platform itself.
    pub name: String,
    /// In which role.
    pub role: Role,
}

/// Roles of people and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Nurse at the bedside.
    Nurse,
    /// Nurse in charge of a unit.
    ChargeNurse,
    /// Physician.
    Physician,
    /// Clinical engineer.
    Engineer,
    /// Administrator.
    Administrator,
    /// Another program.
    Service,
    /// Pharmacist.
    Pharmacist,
    /// Operations: beds, assets, stock; sees patients without names.
    Operations,
    /// Security officer: audit, devices' trust, access reviews; sees no vital sign.
    SecurityOfficer,
    /// Researcher: data without names, for a stated purpose.
    Researcher,
    /// A patient: their own data.
    Patient,
    /// A relative or carer whom a patient invited.
    Caregiver,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 12] = [
        Self::Nurse,
        Self::ChargeNurse,
        Self::Physician,
        Self::Engineer,
        Self::Administrator,
        Self::Service,
        Self::Pharmacist,
        Self::Operations,
        Self::SecurityOfficer,
        Self::Researcher,
        Self::Patient,
        Self::Caregiver,
    ];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nurse => "nurse",
            Self::ChargeNurse => "charge-nurse",
            Self::Physician => "physician",
            Self::Engineer => "engineer",
            Self::Administrator => "administrator",
            Self::Service => "service",
            Self::Pharmacist => "pharmacist",
            Self::Operations => "operations",
            Self::SecurityOfficer => "security-officer",
            Self::Researcher => "researcher",
            Self::Patient => "patient",
            Self::Caregiver => "caregiver",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
