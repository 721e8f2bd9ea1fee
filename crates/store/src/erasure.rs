//! Erasing a patient: what to delete, and the record of it that stays.

use serde::{Deserialize, Serialize};
use vitals::{DeviceId, Offset, PatientId, ReceiveTime};

/// What a commit deletes, after it has written all else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The journal entry in which it was said; names the erasure.
    pub offset: Offset,
    /// The patient as asked for: an opaque id.
    pub patient: PatientId,
    /// Every record of this person.
    pub records: Vec<PatientId>,
    /// Devices that were this person's alone.
    pub devices: Vec<DeviceId>,
    /// Who said it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: ReceiveTime,
    /// Numbers the person went by, to find what names them as text. Not kept.
    #[serde(skip)]
    pub words: Vec<String>,
}

/// An erasure and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRow {
    /// What was erased.
    pub erasure: Erasure,
    /// Rows deleted, by table.
    pub deleted: Vec<(String, u64)>,
    /// What was done after the rows were deleted, as JSON; none until it is done.
    pub proof: Option<Vec<u8>>,
}
