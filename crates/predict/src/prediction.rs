//! What a model says of a patient, why, and what it warns of.

use serde::{Deserialize, Serialize};

/// What a model says of a patient now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prediction {
    /// The risk, or why there is none.
    pub judged: Judged,
    /// Log-odds of the trees, before calibration; also where the model abstains, but then it means nothing.
    pub margin: f64,
    /// What it was computed from, in the order of the model's features; NaN where missing.
    #[serde(with = "rows")]
    pub inputs: Vec<f32>,
    /// What moved the risk, the greatest first. Empty where the model abstains.
    pub because: Vec<Because>,
    /// What to bear in mind.
    pub warnings: Vec<Warning>,
}

/// The same to the bit; inputs missing in both are the same.
impl PartialEq for Prediction {
    fn eq(&self, other: &Self) -> bool {
        let bits = |row: &[f32]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        self.judged == other.judged
            && self.margin.to_bits() == other.margin.to_bits()
            && bits(&self.inputs) == bits(&other.inputs)
            && self.because == other.because
            && self.warnings == other.warnings
    }
}

/// A risk, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// The risk.
    Risk {
        /// Of the event within the model's horizon, 0 to 1.
        probability: f32,
        /// Lower end of the interval in which the event's frequency lay for patients like this one.
        low: f32,
        /// Its upper end.
        high: f32,
        /// What the model can tell of the outcome.
        class: Class,
    },
    /// The model does not judge, for all these reasons.
    Abstained(Vec<Reason>),
}

/// What a model can tell of the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The event is excluded, at the model's level.
    Low,
    /// Neither the event nor its absence can be excluded.
    Unsure,
    /// The absence of the event is excluded, at the model's level.
    High,
}

/// What moved the risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Because {
    /// The number of the feature that moved it most among those of one subject.
    pub feature: u16,
    /// By how much the subject's features together moved the log-odds, against the model's reference; positive: up.
    pub log_odds: f32,
    /// In clinical words ("respiratory rate rising 18→26 over 5 h").
    pub text: String,
}

/// Why a model does not judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Not so many inputs as the model has features: they belong to another model or version.
    #[error("{found} inputs where this model has {expected}: they belong to another model or version")]
    OtherInputs {
        /// The model's.
        expected: u32,
        /// Those given.
        found: u32,
    },
    /// Something is not known at all.
    #[error("{words} is not known")]
    Unknown {
        /// What.
        words: String,
    },
    /// Something lies outside what the model is made for.
    #[error("{words} {value} is outside {limits}, for which the model is made")]
    Outside {
        /// What.
        words: String,
        /// Its value, rounded.
        value: String,
        /// Between what it must lie.
        limits: String,
    },
    /// Too little was measured.
    #[error("{}", not_measured(words, *at_least, *within_h))]
    NotMeasured {
        /// What of it was not measured in time.
        words: Vec<String>,
        /// How many are still needed.
        at_least: u32,
        /// Within how many hours.
        within_h: f32,
    },
    /// Too many inputs outside what training has seen.
    #[error("{} outside what the model has learned from: {}", lie(*found), words.join(", "))]
    Unusual {
        /// How many.
        found: u32,
        /// What they are about.
        words: Vec<String>,
    },
}

fn lie(found: u32) -> String {
    if found == 1 { "a value lies".to_owned() } else { format!("{found} values lie") }
}

fn not_measured(words: &[String], at_least: u32, within_h: f32) -> String {
    let when = if within_h < 1.0 { "this hour".to_owned() } else { format!("within {within_h} h") };
    if words.len() as u32 == at_least {
        format!("not measured {when}: {}", words.join(", "))
    } else {
        format!("too little measured {when}: {at_least} more of {}", words.join(", "))
    }
}

/// What to bear in mind about a judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// Outside what the model has learned from.
    #[error("{words} is outside what the model has learned from")]
    Unusual {
        /// The number of the feature.
        feature: u16,
        /// What, with its value.
        words: String,
    },
    /// Known of nearly every patient in training, but not of this one.
    #[error("{words} is missing, which is known of {of_100} of 100 patients")]
    Missing {
        /// The number of the feature.
        feature: u16,
        /// What.
        words: String,
        /// Of how many patients in 100 it was known in training.
        of_100: u8,
    },
}

/// Rows of numbers that may be missing: NaN in memory, none where stored.
mod rows {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(row: &[f32], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(row.iter().map(|value| Some(*value).filter(|value| value.is_finite())))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
        let row = Vec::<Option<f32>>::deserialize(from)?;
        Ok(row.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect())
    }
}
