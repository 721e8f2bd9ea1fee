//! What a model said of a patient, as it is kept: with all that it was said from.

use predict::Prediction;
use serde::{Deserialize, Serialize};
use vitals::{EffectiveTime, MetricCode, ModelRole, PatientId, PredictionId, ReadingRef, ReceiveTime};

/// What a model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Foretold {
    /// A risk.
    Risk {
        /// Probability of the outcome, 0 to 1.
        probability: f32,
        /// Between this …
        low: f32,
        /// … and this.
        high: f32,
        /// How it is to be taken.
        class: RiskClass,
    },
    /// It does not judge: why.
    Abstained(Vec<String>),
}

impl Foretold {
    /// `low`, `unsure`, `high`, `abstained`.
    #[must_use]
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Risk { class: RiskClass::Low, .. } => "low",
            Self::Risk { class: RiskClass::Unsure, .. } => "unsure",
            Self::Risk { class: RiskClass::High, .. } => "high",
            Self::Abstained(_) => "abstained",
        }
    }

    /// The probability, if it judged.
    #[must_use]
    pub const fn probability(&self) -> Option<f32> {
        match self {
            Self::Risk { probability, .. } => Some(*probability),
            Self::Abstained(_) => None,
        }
    }
}

/// How a risk is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskClass {
    /// Not raised.
    Low,
    /// The model can't tell.
    Unsure,
    /// Raised: somebody should look.
    High,
}

/// One cause of a risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// Which input, by its place in the model's list.
    pub feature: u16,
    /// How much it adds to the log odds.
    pub log_odds: f32,
    /// In words.
    pub text: String,
}

/// A recorded prediction. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictionRecord {
    /// Its name: the entry that it follows from, and a counter.
    pub id: PredictionId,
    /// Whose.
    pub patient: PatientId,
    /// Which model.
    pub model: String,
    /// Which version of it, with the hash of its file.
    pub version: String,
    /// What the model calls itself.
    pub title: String,
    /// What it predicts, in words.
    pub outcome: String,
    /// Within how many hours.
    pub horizon_h: f64,
    /// What the model was here.
    pub role: ModelRole,
    /// As of when, on the patient's clock.
    pub at: EffectiveTime,
    /// When, on ours.
    pub made: ReceiveTime,
    /// Whether the values were played back from a recording.
    pub recorded: bool,
    /// What it said.
    pub said: Foretold,
    /// The sum of the trees, before calibration, by its bits: to be compared when it is said again.
    pub margin_bits: u64,
    /// Why, most important first.
    pub because: Vec<Cause>,
    /// What is to be known of its inputs.
    pub warnings: Vec<String>,
    /// The newest readings of what the model looks at (PR-1).
    pub basis: Vec<(MetricCode, ReadingRef)>,
    /// The model's inputs in its order; NaN: missing. Kept beside the rest, to the bit.
    #[serde(skip)]
    pub inputs: Vec<f32>,
}

impl PredictionRecord {
    /// The inputs as bytes: little-endian.
    #[must_use]
    pub fn input_bytes(&self) -> Vec<u8> {
        self.inputs.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Inputs of their bytes.
    #[must_use]
    pub fn inputs_of(bytes: &[u8]) -> Vec<f32> {
        let each = bytes.chunks_exact(4).filter_map(|four| four.try_into().ok());
        each.map(f32::from_le_bytes).collect()
    }

    /// Whether a model, asked the same again, said the same to the bit: probability, interval, class,
    /// the sum of its trees, and its reasons.
    #[must_use]
    pub fn equals(&self, again: &Prediction) -> bool {
        self.said == said(again)
            && self.margin_bits == again.margin.to_bits()
            && self.because == causes(again)
    }
}

/// What a model said, as it is kept.
pub(super) fn said(prediction: &Prediction) -> Foretold {
    match &prediction.judged {
        predict::Judged::Risk { probability, low, high, class } => Foretold::Risk {
            probability: *probability,
            low: *low,
            high: *high,
            class: match class {
                predict::Class::Low => RiskClass::Low,
                predict::Class::Unsure => RiskClass::Unsure,
                predict::Class::High => RiskClass::High,
            },
        },
        predict::Judged::Abstained(reasons) => Foretold::Abstained(reasons.iter().map(ToString::to_string).collect()),
    }
}

/// Why, as it is kept.
pub(super) fn causes(prediction: &Prediction) -> Vec<Cause> {
    let causes = prediction.because.iter();
    causes.map(|why| Cause { feature: why.feature, log_odds: why.log_odds, text: why.text.clone() }).collect()
}
