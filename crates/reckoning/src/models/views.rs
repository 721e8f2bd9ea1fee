//! The watch over a model as people are shown it.

use serde::{Deserialize, Serialize};

/// Something that is the matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelMatter))]
pub struct MatterView {
    /// `inputs`, `outcomes`, `abstentions`.
    pub matter: String,
    /// 1, or 2 when it is far off.
    pub level: u8,
    /// In a sentence.
    pub text: String,
}

/// What the owner was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelNotice))]
pub struct Notice {
    /// The how manieth of this watch, from 1.
    pub number: u32,
    /// When.
    pub at_ms: i64,
    /// What was the matter then.
    pub matters: Vec<MatterView>,
}

/// Somebody looked into it: the watch began anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelLook))]
pub struct Look {
    /// When.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// What was found, in that person's words.
    pub why: String,
}

/// An input that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelShift))]
pub struct ShiftView {
    /// The input.
    pub name: String,
    /// Population stability index of its known values; shifted from 0.25 on.
    pub index: f64,
    /// Share missing now.
    pub missing: f64,
    /// Share missing in training.
    pub missing_in_training: f64,
}

/// Risks and what became of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelOutcomes))]
pub struct OutcomesView {
    /// Risks whose horizon has passed, one a patient and horizon.
    pub risks: u32,
    /// Events that came.
    pub observed: u32,
    /// Events that were to be expected.
    pub expected: f64,
    /// The first to the second; none before any was to be expected.
    pub ratio: Option<f64>,
    /// Their difference in standard deviations.
    pub deviation: Option<f64>,
    /// Cumulative sum that grows while odds are twice those predicted; shifted from 4.5 on.
    pub more: f64,
    /// The same for half of them.
    pub fewer: f64,
}

/// How one version of a model does here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ModelWatch))]
pub struct WatchView {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// `champion`, `shadow`.
    pub role: String,
    /// Who is told; may be empty.
    pub owner: String,
    /// What counts as the event, as the configuration writes it.
    pub events: Vec<String>,
    /// The same in words.
    pub events_words: Vec<String>,
    /// Since when this watch counts; none before the first judgement.
    pub since_ms: Option<i64>,
    /// Judgements counted, those that have faded left out.
    pub judgements: u32,
    /// Patients they were of.
    pub patients: u32,
    /// Judgements and patients from which on inputs and abstentions are told of.
    pub judgements_least: u32,
    /// See `judgements_least`.
    pub patients_least: u32,
    /// Share from which the model abstained.
    pub abstained: Option<f64>,
    /// Inputs that are not what they were, the most first.
    pub shifted: Vec<ShiftView>,
    /// How many inputs there are.
    pub inputs: u32,
    /// Risks and what became of them.
    pub outcomes: OutcomesView,
    /// What is the matter now.
    pub matters: Vec<MatterView>,
    /// What the owner was told, until somebody looked into it.
    pub notice: Option<Notice>,
    /// Who looked into it, the latest first.
    pub looks: Vec<Look>,
}
