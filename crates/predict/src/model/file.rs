//! A model as it is written: one JSON file that a person can read and that says everything about itself.

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, Doubt};
use super::input::Input;
use crate::forest::Forest;

/// What `format` says in files that this program reads.
pub const FORMAT: &str = "vitalwire-model/1";

/// The file. `docs/interfaces/models.md` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// [`FORMAT`].
    pub format: String,
    /// What it is called by programs: lower-case letters, digits and hyphens (`sepsis`).
    pub id: String,
    /// Version of the model as its makers count (`1.0.0`).
    pub version: String,
    /// What it is called by people.
    pub title: String,
    /// What is predicted.
    pub outcome: Outcome,
    /// Whom it is made for.
    pub population: String,
    /// What it may be used for, and what not.
    pub intended_use: String,
    /// What it must know to judge.
    pub requires: Requires,
    /// How log-odds become probabilities.
    pub calibration: Calibration,
    /// Between what it does not know.
    pub doubt: Doubt,
    /// Probabilities from which something is proposed.
    pub thresholds: Vec<Threshold>,
    /// How it was made and how good it is.
    pub card: Card,
    /// What it looks at, in the order of rows.
    pub features: Vec<Input>,
    /// The trees.
    pub forest: Forest,
}

/// What is predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// In a few words, as they stand behind "risk of" ("sepsis").
    pub words: String,
    /// How it was told from the data.
    pub definition: String,
    /// Within how many hours from now.
    pub horizon_h: f32,
}

/// A probability from which something is proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// What it is called by programs (`alert`).
    pub id: String,
    /// From this probability on.
    pub probability: f32,
    /// How it was chosen, on which patients.
    pub chosen: String,
}

/// What must be known for a judgement. Everything asked is a feature of the model, so that a stored prediction can be
/// judged again from its inputs alone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// All of them must hold.
    pub checks: Vec<Check>,
    /// More inputs outside what training has seen than this are too many.
    pub unusual_most: u16,
}

/// Something that must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Check {
    /// A feature lies between two numbers, both allowed.
    Range {
        /// Its name.
        feature: String,
        /// What clinicians call it, as the sentence's subject ("age").
        words: String,
        /// At least.
        from: Option<f32>,
        /// At most.
        to: Option<f32>,
        /// Whether it may be missing.
        may_be_missing: bool,
    },
    /// So many of these variables were measured within the last hours. Their `.age` must be features of the model.
    Measured {
        /// Names of variables (`HR`).
        variables: Vec<String>,
        /// How many of them at least.
        at_least: u16,
        /// Within how many hours; 0 is the present hour.
        within_h: f32,
    },
}

/// How a model was made and how good it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Which data it was trained on, with public address and licence.
    pub data: String,
    /// The command that makes it again, byte for byte.
    pub command: String,
    /// How it was trained.
    pub training: String,
    /// Figures with the patients that they were computed on.
    pub figures: Vec<Figure>,
    /// What it cannot do, in sentences.
    pub limits: Vec<String>,
}

/// A figure of a model card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What ("AUROC").
    pub name: String,
    /// On which patients, and whether the model or a threshold had seen them.
    pub on: String,
    /// A subgroup ("women", "65 to 79 years"), none for all.
    pub group: Option<String>,
    /// How many patients.
    pub patients: u32,
    /// The figure.
    pub value: f64,
    /// Lower end of its 95% interval.
    pub low: Option<f64>,
    /// Upper end of its 95% interval.
    pub high: Option<f64>,
}
