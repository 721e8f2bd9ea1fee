//! Patient and encounter: what the platform itself needs to know of them. Whatever else a record
//! system sends is kept as the document it came in.

use serde::{Deserialize, Serialize};

use crate::{EffectiveTime, EncounterId, LocationId, PatientId};

/// A business identifier, such as a medical record number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identifier {
    /// Who hands it out: a URI, or the assigning authority's namespace (HL7 v2 CX.4).
    pub system: String,
    /// The identifier itself.
    pub value: String,
    /// What it is (HL7 table 0203, `MR` for a medical record number); may be empty.
    pub kind: String,
}

/// A person's name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HumanName {
    /// Family name.
    pub family: String,
    /// Given names, separated by a space.
    pub given: String,
}

/// Administrative gender (FHIR R4 AdministrativeGender).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Sex {
    /// `male`
    Male,
    /// `female`
    Female,
    /// `other`
    Other,
    /// `unknown`
    #[default]
    Unknown,
}

/// A patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patient {
    /// Logical id.
    pub id: PatientId,
    /// Business identifiers, the record number first.
    pub identifiers: Vec<Identifier>,
    /// Name.
    pub name: HumanName,
    /// Date of birth as an ISO date (`YYYY`, `YYYY-MM` or `YYYY-MM-DD`), if known.
    pub birth_date: Option<String>,
    /// Administrative gender.
    pub sex: Sex,
    /// Whether the patient is known to have died.
    pub deceased: bool,
    /// The FHIR document this came in, if it did: opaque here.
    pub document: Option<Vec<u8>>,
}

impl Patient {
    /// A patient of whom only the id is known.
    #[must_use]
    pub fn unknown(id: PatientId) -> Self {
        Self {
            id,
            identifiers: Vec::new(),
            name: HumanName::default(),
            birth_date: None,
            sex: Sex::Unknown,
            deceased: false,
            document: None,
        }
    }
}

/// Who a message says that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientRef {
    /// Logical id: given (FHIR `subject`), or made from the first identifier.
    pub id: PatientId,
    /// Identifiers in the message.
    pub identifiers: Vec<Identifier>,
    /// Name in the message, if any.
    pub name: Option<HumanName>,
}

/// Where an encounter stands (the part of FHIR R4 EncounterStatus that matters here).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EncounterStatus {
    /// Not begun.
    Planned,
    /// Under way.
    InProgress,
    /// Ended.
    Finished,
    /// Ended before it began, or entered in error.
    Cancelled,
}

/// An encounter: one stay or visit of one patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encounter {
    /// Logical id.
    pub id: EncounterId,
    /// Whose.
    pub patient: PatientId,
    /// Where it stands.
    pub status: EncounterStatus,
    /// Class code (HL7 v3 ActCode: `IMP` inpatient, `AMB` ambulatory, `EMER`, `HH` home health).
    pub class: String,
    /// Bed or unit, while in progress.
    pub location: Option<LocationId>,
    /// Began.
    pub start: Option<EffectiveTime>,
    /// Ended.
    pub end: Option<EffectiveTime>,
    /// The FHIR document this came in, if it did: opaque here.
    pub document: Option<Vec<u8>>,
}
