//! Where people and devices are: beds in rooms in units.

use serde::{Deserialize, Serialize};

use crate::LocationId;

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocationKind {
    /// A bed: one patient at a time.
    Bed,
    /// A room.
    Room,
    /// A care unit or ward.
    Unit,
    /// A patient's home.
    Home,
    /// Anything else.
    Other,
}

/// The names that a bed goes by (HL7 v2 PL: point of care, room, bed).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Bed {
    /// Care unit or ward.
    pub unit: String,
    /// Room; may be empty.
    pub room: String,
    /// Bed; may be empty when only the unit is known.
    pub bed: String,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Location {
    /// Logical id.
    pub id: LocationId,
    /// What kind of place.
    pub kind: LocationKind,
    /// What people call it.
    pub name: String,
    /// Unit, room and bed names.
    pub bed: Bed,
    /// The FHIR document this came in, if it did: opaque here.
    pub document: Option<Vec<u8>>,
}

impl Location {
    /// The location that these names denote, with the id made from them.
    #[must_use]
    pub fn from_bed(bed: Bed) -> Self {
        let id = LocationId::of_bed(&bed.unit, &bed.room, &bed.bed);
        let kind = match (bed.room.is_empty(), bed.bed.is_empty()) {
            (_, false) => LocationKind::Bed,
            (false, true) => LocationKind::Room,
            (true, true) => LocationKind::Unit,
        };
        let name = [bed.room.as_str(), bed.bed.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("-");
        let name = if name.is_empty() { bed.unit.clone() } else { name };
        Self { id, kind, name, bed, document: None }
    }
}
