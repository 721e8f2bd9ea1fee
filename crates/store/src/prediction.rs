//! What predictive models said, as rows, and how one asks for them.

use vitals::{EffectiveTime, PatientId, PredictionId, ReceiveTime};

use crate::{Page, Span};

/// One prediction, as it was made: it never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionRow {
    /// Its name: the journal entry that it follows from, and a counter.
    pub id: PredictionId,
    /// Whose.
    pub patient: PatientId,
    /// Which model.
    pub model: String,
    /// Which version of it, with the hash of its file.
    pub version: String,
    /// `champion` or `shadow`.
    pub role: String,
    /// `low`, `unsure`, `high`; `abstained` where the model did not judge.
    pub class: String,
    /// The probability, 0 to 1; none where the model did not judge.
    pub probability: Option<f64>,
    /// As of when, on the patient's clock.
    pub at: EffectiveTime,
    /// When, on ours.
    pub made: ReceiveTime,
    /// The model's inputs in its order: 32-bit floating point numbers, little-endian; NaN: missing.
    pub inputs: Vec<u8>,
    /// Everything else, as JSON.
    pub body: Vec<u8>,
}

/// Which predictions; newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PredictionQuery {
    /// Only these.
    pub ids: Vec<PredictionId>,
    /// Of any of these patients.
    pub patients: Vec<PatientId>,
    /// By any of these models.
    pub models: Vec<String>,
    /// `champion` or `shadow`; none: either.
    pub role: Option<String>,
    /// Of any of these classes.
    pub classes: Vec<String>,
    /// As of when, on the patient's clock.
    pub at: Span,
    /// Made when, on ours.
    pub made: Span,
    /// Oldest first instead.
    pub oldest_first: bool,
    /// Which part.
    pub page: Page,
}

/// What a model said, without what it said it from.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskRow {
    /// Whose.
    pub patient: PatientId,
    /// `low`, `unsure`, `high`; `abstained` where the model did not judge.
    pub class: String,
    /// The probability, 0 to 1; none where the model did not judge.
    pub probability: Option<f64>,
    /// As of when, on the patient's clock.
    pub at: EffectiveTime,
}
