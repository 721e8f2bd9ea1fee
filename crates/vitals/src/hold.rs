//! Stretches of time that are kept for ever.

use serde::{Deserialize, Serialize};

use crate::{EffectiveTime, Offset, PatientId, ReceiveTime};

/// Somebody wants all that was measured of a patient between two times to be kept, whatever the
/// retention of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The journal entry in which it was said; names the hold.
    pub id: Offset,
    /// Of whom.
    pub patient: PatientId,
    /// First time.
    pub from: EffectiveTime,
    /// First time after.
    pub to: EffectiveTime,
    /// Why; may be empty.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When it was said.
    pub at: ReceiveTime,
    /// Who ended it and when, if somebody did.
    pub released: Option<(String, ReceiveTime)>,
}
