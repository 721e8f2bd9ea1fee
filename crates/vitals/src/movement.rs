//! Patient movements, as an admission system reports them (HL7 v2 ADT).

use serde::{Deserialize, Serialize};

use crate::{Bed, EffectiveTime, EncounterId, Patient};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Movement {
    /// Admitted (A01).
    Admit,
    /// Moved to another bed (A02).
    Transfer,
    /// Discharged (A03).
    Discharge,
    /// Registered as an outpatient (A04).
    Register,
    /// Details changed (A08).
    Update,
    /// The admission is undone (A11).
    CancelAdmit,
    /// The transfer is undone: back to the prior bed (A12).
    CancelTransfer,
    /// The discharge is undone (A13).
    CancelDischarge,
}

/// One movement of one patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatientMovement {
    /// What happened.
    pub movement: Movement,
    /// To whom, with the details as the message gives them.
    pub patient: Patient,
    /// The stay (from PV1-19), else the patient's only one.
    pub encounter: Option<EncounterId>,
    /// Class code (HL7 v3 ActCode), empty if not given.
    pub class: String,
    /// Where the patient is after it (PV1-3).
    pub location: Option<Bed>,
    /// Where the patient was before (PV1-6).
    pub prior_location: Option<Bed>,
    /// When it happened (EVN-6, PV1-44/45, EVN-2); none: when received.
    pub at: Option<EffectiveTime>,
}
