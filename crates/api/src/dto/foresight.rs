//! What predictive models say, and the models themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one model said of a patient last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RiskView {
    /// Id of the model.
    pub model: String,
    /// Its version, with the hash of its file.
    pub version: String,
    /// What it calls itself.
    pub title: String,
    /// What it predicts (`sepsis`).
    pub outcome: String,
    /// Within how many hours.
    pub horizon_h: f32,
    /// `low`, `unsure`, `high`; `abstained` where it does not judge.
    pub class: String,
    /// Probability of the outcome, 0 to 1; none where it does not judge.
    pub probability: Option<f32>,
    /// Between this …
    pub low: Option<f32>,
    /// … and this.
    pub high: Option<f32>,
    /// Why it does not judge.
    pub reasons: Vec<String>,
    /// What moved the risk, in words, most important first.
    pub because: Vec<String>,
    /// What to bear in mind: what is missing or unusual.
    pub warnings: Vec<String>,
    /// The last hours as `[time_ms, probability]`, oldest first, at most 72 pairs.
    pub trend: Vec<(i64, f32)>,
    /// When it judged, on the patient's clock.
    pub time_ms: i64,
    /// Whether that is too long ago to be the present risk.
    pub stale: bool,
    /// The recorded prediction, for `/api/v1/predictions/{prediction}`.
    pub prediction: Option<String>,
}

/// One recorded prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionView {
    /// Its name.
    pub id: String,
    /// Whose.
    pub patient: String,
    /// Id of the model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// What it calls itself.
    pub title: String,
    /// What it predicts.
    pub outcome: String,
    /// Within how many hours.
    pub horizon_h: f64,
    /// `champion` or `shadow`.
    pub role: String,
    /// As of when, on the patient's clock.
    pub at_ms: i64,
    /// When it was made, on ours.
    pub made_ms: i64,
    /// Whether the values were played back from a recording.
    pub recorded: bool,
    /// `low`, `unsure`, `high`, `abstained`.
    pub class: String,
    /// Probability, 0 to 1.
    pub probability: Option<f32>,
    /// Between this …
    pub low: Option<f32>,
    /// … and this.
    pub high: Option<f32>,
    /// Why it does not judge.
    pub reasons: Vec<String>,
    /// What moved the risk.
    pub because: Vec<CauseView>,
    /// What is to be known of its inputs.
    pub warnings: Vec<String>,
    /// The newest readings of what it looks at, for `/api/v1/readings/{reading}` (PR-1).
    pub basis: Vec<BasisView>,
    /// Its inputs in the model's order; none in a list. Missing ones have no value.
    pub inputs: Vec<InputView>,
}

/// What moved a risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CauseView {
    /// In words.
    pub text: String,
    /// By how much it moved the log-odds; positive: up.
    pub log_odds: f32,
}

/// A reading that a prediction rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BasisView {
    /// Of what: a reference id.
    pub metric: String,
    /// Its name.
    pub reading: String,
}

/// One input of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InputView {
    /// What the model calls it.
    pub name: String,
    /// Its value; none: missing.
    pub value: Option<f32>,
}

/// Some predictions.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PredictionPage {
    /// Newest first, without inputs.
    pub predictions: Vec<PredictionView>,
    /// How many there are.
    pub total: u64,
}

/// A prediction said again from its stored inputs by the same version of its model.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Recomputed {
    /// Which.
    pub prediction: String,
    /// Whether everything is the same to the bit; none when the model is not here any more.
    pub equal: Option<bool>,
    /// The probability as it was stored.
    pub stored: Option<f32>,
    /// The probability as it is now.
    pub again: Option<f32>,
    /// In words.
    pub text: String,
}

/// A model as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelBrief {
    /// Its id.
    pub id: String,
    /// Its version, with the hash of its file.
    pub version: String,
    /// What it calls itself.
    pub title: String,
    /// What it predicts.
    pub outcome: String,
    /// Within how many hours.
    pub horizon_h: f32,
    /// `champion`, `shadow`, or `off` for one that judged before.
    pub role: String,
}

/// The models of this house.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ModelPage {
    /// Those that judge first.
    pub models: Vec<ModelBrief>,
}

/// A model with its card: what it is for, on whom it was made, how good it is, what it cannot do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelCard {
    /// Which model.
    pub model: ModelBrief,
    /// How the outcome was told from the data.
    pub definition: String,
    /// Whom it is made for.
    pub population: String,
    /// What it may be used for, and what not.
    pub intended_use: String,
    /// Which data it was trained on.
    pub data: String,
    /// The command that makes it again.
    pub command: String,
    /// How it was trained.
    pub training: String,
    /// Figures with the patients that they were computed on.
    pub figures: Vec<FigureView>,
    /// What it cannot do.
    pub limits: Vec<String>,
    /// How many inputs it looks at.
    pub inputs: usize,
    /// Probabilities from which something is proposed.
    pub thresholds: Vec<ThresholdView>,
}

/// A figure of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FigureView {
    /// What.
    pub name: String,
    /// On which patients, and whether the model had seen them.
    pub on: String,
    /// A subgroup; none: all.
    pub group: Option<String>,
    /// How many patients.
    pub patients: u32,
    /// The figure.
    pub value: f64,
    /// Lower end of its 95% interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// A probability from which something is proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ThresholdView {
    /// What programs call it.
    pub id: String,
    /// From this probability on.
    pub probability: f32,
    /// How it was chosen.
    pub chosen: String,
}

/// Somebody looked into a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelLookedInto {
    /// Which version; the champion if not said.
    pub version: Option<String>,
    /// What was found and done. No patient's name.
    pub why: String,
}
