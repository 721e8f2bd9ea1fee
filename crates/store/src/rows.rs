//! What is stored, as rows. JSON bodies are opaque here.

use vitals::{
    Association, Device, DeviceId, Encounter, EpisodeId, LinkState, Location, Offset, Patient,
    PatientId, ProblemKind, ReceiveTime, SampleArray, SeriesId, SeriesKey,
};

/// A value that is no number, kept beside its point.
#[derive(Debug, Clone, PartialEq)]
pub enum Attachment {
    /// Free text, or the text of an enumeration as it was sent.
    Text(String),
    /// Samples of a waveform.
    Samples(SampleArray),
}

/// A patient as last known.
#[derive(Debug, Clone, PartialEq)]
pub struct PatientRow {
    /// The patient.
    pub patient: Patient,
    /// The record it was merged into, if it was.
    pub merged_into: Option<PatientId>,
    /// Last change.
    pub updated: ReceiveTime,
    /// Version: grows with each change.
    pub version: u64,
}

/// An encounter as last known.
#[derive(Debug, Clone, PartialEq)]
pub struct EncounterRow {
    /// The encounter.
    pub encounter: Encounter,
    /// Last change.
    pub updated: ReceiveTime,
    /// Version: grows with each change.
    pub version: u64,
}

/// A place as last known.
#[derive(Debug, Clone, PartialEq)]
pub struct LocationRow {
    /// The place.
    pub location: Location,
    /// Last change.
    pub updated: ReceiveTime,
    /// Version: grows with each change.
    pub version: u64,
}

/// A device as last known.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceRow {
    /// The device.
    pub device: Device,
    /// Whether it can be heard; none if it never said.
    pub link: Option<LinkState>,
    /// When it was heard last, as of the last change of this row.
    pub last_heard: Option<ReceiveTime>,
    /// Last change.
    pub updated: ReceiveTime,
    /// Version: grows with each change.
    pub version: u64,
}

/// A device association; device, patient and start name it.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationRow {
    /// The association.
    pub association: Association,
    /// Last change.
    pub updated: ReceiveTime,
}

/// What the directory lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirectoryKind {
    /// Patients.
    Patient,
    /// Encounters.
    Encounter,
    /// Places.
    Location,
    /// Devices.
    Device,
}

impl DirectoryKind {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Encounter => "encounter",
            Self::Location => "location",
            Self::Device => "device",
        }
    }
}

/// A change to who and what there is.
#[derive(Debug, Clone, PartialEq)]
pub enum DirectoryRow {
    /// A patient.
    Patient(PatientRow),
    /// An encounter.
    Encounter(EncounterRow),
    /// A place.
    Location(LocationRow),
    /// A device.
    Device(DeviceRow),
    /// A device association.
    Association(AssociationRow),
}

/// An alert as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRow {
    /// Its name.
    pub episode: EpisodeId,
    /// Whose, if anybody's.
    pub patient: Option<PatientId>,
    /// Which device, for a technical alert.
    pub device: Option<DeviceId>,
    /// Care unit where it was raised; may be empty.
    pub unit: String,
    /// Condition or rule.
    pub condition: String,
    /// Rank for sorting: higher is more urgent (IEC 60601-1-8: 3 high, 2 medium, 1 low).
    pub priority: u8,
    /// `raised`, `acknowledged`, `snoozed`, `latched`, `resolved`.
    pub state: String,
    /// Whether it is still open.
    pub open: bool,
    /// Raised.
    pub raised: ReceiveTime,
    /// Last change.
    pub changed: ReceiveTime,
    /// Everything else, as JSON.
    pub body: Vec<u8>,
}

/// What was read of the alerts raised within an hour, kept for the next question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertHour {
    /// Which, in hours since 1970.
    pub hour: i64,
    /// Grows with each change of one of its alerts.
    pub version: i64,
    /// What was kept at this version, if anything was. Opaque here.
    pub body: Option<Vec<u8>>,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEventRow {
    /// Which alert.
    pub episode: EpisodeId,
    /// The entry that caused it.
    pub offset: Offset,
    /// Order within that entry.
    pub index: u16,
    /// When.
    pub at: ReceiveTime,
    /// What (`raised`, `acknowledged`, …).
    pub kind: String,
    /// By whom.
    pub actor: String,
    /// Everything else, as JSON.
    pub body: Vec<u8>,
}

/// Where a quarantined message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuarantineStatus {
    /// Nobody has dealt with it.
    New,
    /// Mapped again, its readings flowed on.
    Released,
    /// Looked at and discarded.
    Discarded,
}

impl QuarantineStatus {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Released => "released",
            Self::Discarded => "discarded",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::New, Self::Released, Self::Discarded]
            .into_iter()
            .find(|s| s.name() == name)
    }
}

/// A message that was not (wholly) understood, kept whole (DU-2).
#[derive(Debug, Clone, PartialEq)]
pub struct QuarantineRow {
    /// Its journal entry.
    pub offset: Offset,
    /// When it was received.
    pub received: ReceiveTime,
    /// Door it came through (`mqtt`, `mllp`, …).
    pub protocol: String,
    /// Topic, message type or resource type.
    pub address: String,
    /// Who sent it; may be empty.
    pub sender: String,
    /// Profile or codec that tried; may be empty.
    pub profile: String,
    /// Kinds of problem in it.
    pub kinds: Vec<ProblemKind>,
    /// Where it stands.
    pub status: QuarantineStatus,
    /// Who dealt with it and why, when; as JSON, may be empty.
    pub resolution: Vec<u8>,
    /// The problems in full, as JSON.
    pub problems: Vec<u8>,
    /// The bytes as received. Left out (empty) in lists.
    pub payload: Vec<u8>,
}

/// A FHIR (or like) document.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentRow {
    /// Resource type.
    pub kind: String,
    /// Logical id.
    pub id: String,
    /// Version: 1, 2 …
    pub version: u64,
    /// When this version was stored.
    pub updated: ReceiveTime,
    /// The document as JSON; empty: deleted.
    pub body: Vec<u8>,
    /// What it can be found by: search parameter and token (`identifier`, `system|value`).
    pub tokens: Vec<(String, String)>,
}

/// A notification on its way out, kept until it is delivered or given up.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Its name, given by whoever makes it: the same one is stored once.
    pub id: String,
    /// To whom: the name of a configured destination.
    pub target: String,
    /// What to send.
    pub body: Vec<u8>,
    /// When it was made.
    pub created: ReceiveTime,
    /// Attempts so far.
    pub attempts: u32,
    /// When to try (again).
    pub next_at: ReceiveTime,
    /// Why the last attempt failed; empty if none did.
    pub last_error: String,
}

/// A series with what is in it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesInfo {
    /// Its number.
    pub id: SeriesId,
    /// What it holds.
    pub key: SeriesKey,
    /// Number of points.
    pub count: u64,
    /// Time of the first point, in microseconds; none when empty.
    pub first: Option<vitals::EffectiveTime>,
    /// Time of the last point.
    pub last: Option<vitals::EffectiveTime>,
}
