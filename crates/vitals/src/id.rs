//! Identifiers: short validated names, cheap to clone.
//!
//! A logical id follows the FHIR R4 `id` type: 1 to 64 characters of `A-Z a-z 0-9 - .`. The same
//! ids stand in MQTT topics, in URLs and in FHIR references. No patient's name or record number
//! ever becomes an id: [`PatientId::from_identifier`] hashes it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text is not a logical id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 characters of A-Z a-z 0-9 - . (FHIR R4 id)")]
pub struct IdError;

/// Whether `text` is a valid FHIR R4 logical id.
#[must_use]
pub fn is_logical_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// FNV-1a, 64 bits: a stable, keyless hash for partitions and derived ids. Not for secrets.
#[must_use]
pub fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

macro_rules! logical_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Validates `text` as a logical id.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, longer than 64 characters or has another character.
            pub fn new(text: &str) -> Result<Self, IdError> {
                if is_logical_id(text) { Ok(Self(Arc::from(text))) } else { Err(IdError) }
            }

            /// A valid id made from any text: what is not allowed becomes `-`; what is too long
            /// keeps its beginning and gets a hash. Two different texts may only collide by
            /// differing in forbidden characters alone; such a text gets a hash as well.
            #[must_use]
            pub fn sanitised(text: &str) -> Self {
                if let Ok(id) = Self::new(text) {
                    return id;
                }
                let kept: String = text
                    .chars()
                    .take(47)
                    .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
                    .collect();
                Self(Arc::from(format!("{kept}-{:08x}", stable_hash(text.as_bytes()) as u32)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

logical_id! {
    /// A device (an IEEE 11073 MDS). It is the `Device` id, and stands in MQTT topics.
    DeviceId
}
logical_id! {
    /// A patient: opaque, made from an identifier by hashing, so that it may stand in a URL.
    PatientId
}
logical_id! {
    /// A command to a device.
    CommandId
}
logical_id! {
    /// An encounter (a stay, a visit).
    EncounterId
}
logical_id! {
    /// A place: a bed, a room, a unit.
    LocationId
}

impl PatientId {
    /// The id of whoever carries this identifier: the same on every machine, without revealing it.
    #[must_use]
    pub fn from_identifier(system: &str, value: &str) -> Self {
        let hash = stable_hash(format!("{system}|{value}").as_bytes());
        Self(Arc::from(format!("p-{hash:016x}")))
    }

    /// The patient's partition, 0 to [`PARTITIONS`] − 1: fixed for ever.
    #[must_use]
    pub fn partition(&self) -> u16 {
        (stable_hash(self.0.as_bytes()) % u64::from(PARTITIONS)) as u16
    }
}

impl LocationId {
    /// The id of a bed from its unit, room and bed names.
    #[must_use]
    pub fn of_bed(unit: &str, room: &str, bed: &str) -> Self {
        let parts: Vec<&str> = [unit, room, bed].into_iter().filter(|p| !p.is_empty()).collect();
        Self::sanitised(&parts.join("-"))
    }
}

/// Patients are hashed to this many partitions from the first day.
pub const PARTITIONS: u16 = 64;

/// A series of one metric of one device on one subject: handed out in order of first appearance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesId(pub u32);

/// One alarm episode: the journal offset that raised it and a counter within that entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EpisodeId {
    /// Journal offset of the entry that raised the episode.
    pub offset: u64,
    /// Order within that entry.
    pub index: u16,
}

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}-{}", self.offset, self.index)
    }
}

impl std::str::FromStr for EpisodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (offset, index) =
            text.strip_prefix('e').and_then(|t| t.split_once('-')).ok_or(IdError)?;
        Ok(Self {
            offset: offset.parse().map_err(|_| IdError)?,
            index: index.parse().map_err(|_| IdError)?,
        })
    }
}

/// One recorded prediction: the journal offset that it was made at and a counter within that entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PredictionId {
    /// Journal offset of the entry.
    pub offset: u64,
    /// Order within that entry.
    pub index: u16,
}

impl fmt::Display for PredictionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}-{}", self.offset, self.index)
    }
}

impl std::str::FromStr for PredictionId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (offset, index) =
            text.strip_prefix('p').and_then(|t| t.split_once('-')).ok_or(IdError)?;
        Ok(Self {
            offset: offset.parse().map_err(|_| IdError)?,
            index: index.parse().map_err(|_| IdError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_fhir_id_type() {
        for (text, valid) in [
            ("a", true),
            ("Monitor-12.3", true),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("ä", false),
        ] {
            assert_eq!(DeviceId::new(text).is_ok(), valid, "{text:?}");
        }
        assert!(DeviceId::new(&"x".repeat(65)).is_err());
    }

    #[test]
    fn sanitised_ids_are_valid_and_distinct() {
        for text in ["", "a b", "a_b", "a/b", &"long ".repeat(40), "µ"] {
            assert!(is_logical_id(DeviceId::sanitised(text).as_str()), "{text:?}");
        }
        assert_ne!(DeviceId::sanitised("a b"), DeviceId::sanitised("a_b"));
    }

    #[test]
    fn a_patient_id_hides_the_record_number() {
        let id = PatientId::from_identifier("urn:mrn", "4711");
        assert!(!id.as_str().contains("4711"));
        assert_eq!(id, PatientId::from_identifier("urn:mrn", "4711"));
        assert!(id.partition() < PARTITIONS);
    }

    #[test]
    fn episode_ids_read_back() {
        let id = EpisodeId { offset: 12, index: 3 };
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("12-3".parse::<EpisodeId>().is_err());
        let id = PredictionId { offset: 7, index: 0 };
        assert_eq!((id.to_string().parse(), id.to_string().as_str()), (Ok(id), "p7-0"));
        assert!("e7-0".parse::<PredictionId>().is_err());
    }
}
