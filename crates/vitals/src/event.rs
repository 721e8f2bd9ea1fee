//! What the journal keeps: everything that may change what the platform concludes.
//!
//! Feed the same events in the same order to the same configuration and the same conclusions come
//! out (EN-1). So whatever a person decides, and the passing of time itself, is an event too.

use serde::{Deserialize, Serialize};

use crate::{
    BaselineStep, CommandId, CommandOrder, CommandStep, Device, DeviceAlarm, DeviceId, EffectiveTime, Encounter, EpisodeId, LinkState, Location, LocationId,
    Look, Measurement, MetricCode, ModelInUse, Offset, Origin, Patient, PatientId, PatientMovement, PatientRef,
    Passed, PathwayDeed, ReceiveTime, Relayed, Verdict,
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

/// What people do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Take an alert: it stops sounding until it worsens, or until `until`.
    Acknowledge {
        /// Which.
        episode: EpisodeId,
        /// Until when; none: for the rest of the episode.
        until: Option<ReceiveTime>,
        /// Free text; may be empty.
        note: String,
    },
    /// Silence an alert for a while, with a reason.
    Snooze {
        /// Which.
        episode: EpisodeId,
        /// Until when.
        until: ReceiveTime,
        /// Why.
        reason: String,
    },
    /// Pass an alert on to the next role in its chain now.
    Escalate {
        /// Which.
        episode: EpisodeId,
        /// Why; may be empty.
        reason: String,
    },
    /// Reset a latched alert whose condition is gone.
    Reset {
        /// Which.
        episode: EpisodeId,
        /// What was found; may be empty.
        note: String,
    },
    /// Put a device on a patient.
    Associate {
        /// Which device.
        device: DeviceId,
        /// On whom.
        patient: PatientId,
        /// Since when; none: now.
        since: Option<EffectiveTime>,
    },
    /// Take a device off whomever it is on.
    Disassociate {
        /// Which device.
        device: DeviceId,
        /// When; none: now.
        at: Option<EffectiveTime>,
    },
    /// Change who and what there is.
    Directory(DirectoryEvent),
    /// Mount a device at a bed, or (none) unmount it.
    Mount {
        /// Which device.
        device: DeviceId,
        /// Where.
        location: Option<LocationId>,
    },
    /// Set a patient's own alarm limits of one metric; both none: back to the policy's.
    SetLimits {
        /// Whose.
        patient: PatientId,
        /// Of what.
        metric: MetricCode,
        /// Alarm below this.
        low: Option<f64>,
        /// Alarm above this.
        high: Option<f64>,
        /// Why; may be empty.
        reason: String,
    },
    /// Choose the SpO2 scale of NEWS2: 1, or 2 for prescribed 88–92% (hypercapnic failure).
    SetSpo2Scale {
        /// Whose.
        patient: PatientId,
        /// 1 or 2.
        scale: u8,
        /// Why; may be empty.
        reason: String,
    },
    /// A quarantined message was mapped again and its readings follow as `message`.
    Release {
        /// The entry that was quarantined.
        quarantined: Offset,
        /// What it now means.
        message: Box<Message>,
    },
    /// A quarantined message was looked at and discarded.
    Discard {
        /// The entry that was quarantined.
        quarantined: Offset,
        /// Why.
        reason: String,
    },
    /// A configuration change outside the engine, kept for the record.
    Note {
        /// What changed.
        subject: String,
        /// How.
        detail: String,
    },
    /// Keep all that was measured of a patient between two times, for ever. The hold is named by
    /// the entry.
    Hold {
        /// Of whom.
        patient: PatientId,
        /// First time.
        from: EffectiveTime,
        /// First time after.
        to: EffectiveTime,
        /// Why; may be empty.
        reason: String,
    },
    /// End a hold: retention takes its course again.
    ReleaseHold {
        /// The entry in which it was said.
        hold: Offset,
        /// Why; may be empty.
        reason: String,
    },
    /// Erase a patient: everything about them is deleted, and their key destroyed.
    Erase {
        /// Whom.
        patient: PatientId,
        /// Why: the request or the rule that it follows; names nobody.
        reason: String,
    },
    /// Ask a device to do something.
    Command(Box<CommandOrder>),
    /// What became of that: said by a person, by whoever sends it, or by the device itself.
    CommandStep {
        /// Which command.
        command: CommandId,
        /// To which device.
        device: DeviceId,
        /// What happened.
        step: CommandStep,
    },
    /// Somebody looked after a patient.
    Seen {
        /// Whom.
        patient: PatientId,
        /// How.
        how: Look,
    },
    /// Decide on a care pathway, or on one of its steps.
    Pathway {
        /// For whom.
        patient: PatientId,
        /// Which, by its name in the policy.
        pathway: String,
        /// What was decided.
        deed: PathwayDeed,
    },
    /// Say what an alert was, also after it is over. Whoever says it again changes it.
    Judge {
        /// Which.
        episode: EpisodeId,
        /// What it was.
        verdict: Verdict,
        /// In words; may be empty.
        note: String,
    },
    /// Let these predictive models judge from here on, and no others.
    UseModels {
        /// Which, in this order.
        models: Vec<ModelInUse>,
    },
    /// Decide about a patient's own normal of one metric, and the limits that follow it.
    Baseline {
        /// Whose.
        patient: PatientId,
        /// Of what.
        metric: MetricCode,
        /// What was decided.
        step: BaselineStep,
        /// Why.
        reason: String,
    },
}
