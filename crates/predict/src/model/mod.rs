//! A model that can judge: read from its file, checked, and laid out for speed.

mod calibration;
mod check;
mod file;
mod input;

pub use calibration::{Band, Calibration, Doubt, Knot, log_odds, logistic};
pub use check::ModelError;
pub use file::{Card, Check, FORMAT, Figure, File, Outcome, Requires, Threshold};
pub use input::{BINS_MAX, Distribution, Input};

use crate::feature::{Feature, Plan, Stat, Windows};
use crate::forest::{Answers, Explainer, Flat, Forest};
use crate::history::History;
use crate::prediction::{Because, Judged, Prediction, Reason, Warning};
use crate::words::Speaker;
use check::Asked;

/// Bytes of a model's file at most.
pub const FILE_MAX: usize = 32 * 1024 * 1024;
/// Subjects that an explanation names at most.
const BECAUSE_MAX: usize = 8;
/// What moved the log-odds by less is not worth a word.
const BECAUSE_LEAST: f64 = 0.02;
/// Warnings of one kind at most.
const WARNINGS_MAX: usize = 8;
/// What was missing in at most this share of rows is missed.
const SELDOM_MISSING: f32 = 0.05;

/// A model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// All but the trees, which are in `flat`.
    file: File,
    version: String,
    plan: Plan,
    flat: Flat,
    asked: Vec<Asked>,
    speaker: Speaker,
    /// Between what each input is usual.
    usual: Vec<(f32, f32)>,
    /// Inputs that were seldom missing in training, one a variable or fact.
    missed: Vec<u16>,
}

/// Room for computing, used again and again so that little is allocated.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    windows: Windows,
    row: Vec<f32>,
    answers: Answers,
    unusual: Vec<u16>,
    explainer: Explainer,
    shares: Vec<f64>,
    subjects: Vec<(f64, u16, f64)>,
}

impl Model {
    /// Reads and checks a model's file.
    ///
    /// # Errors
    /// What is wrong with the file and what to do about it.
    pub fn read(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > FILE_MAX {
            return Err(ModelError::TooLarge);
        }
        let mut file: File = serde_json::from_slice(bytes)?;
        check::check(&file)?;
        let plan = Plan::new(file.features.iter().map(|input| input.name.as_str()))?;
        let asked = check::resolve(&file, &plan)?;
        let reference: Vec<f32> = file.features.iter().map(|input| input.reference.unwrap_or(f32::NAN)).collect();
        let flat = Flat::new(&file.forest, &reference)?;
        file.forest = Forest { base: file.forest.base, trees: Vec::new() };
        let hash = blake3::hash(bytes).to_hex();
        let version = format!("{}+{}", file.version, &hash[..12]);
        let speaker = Speaker::new(plan.features());
        let usual = file.features.iter().map(|input| input.distribution.usual()).collect();
        let missed = missed(&file, &plan);
        Ok(Self { file, version, plan, flat, asked, speaker, usual, missed })
    }

    /// What programs call it (`sepsis`).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.file.id
    }

    /// Its makers' version, `+`, and the first 12 hexadecimal digits of the BLAKE3 hash of its file.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.file.title
    }

    /// What is predicted.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.file.outcome
    }

    /// Hours within which the event is predicted.
    #[must_use]
    pub const fn horizon_h(&self) -> f32 {
        self.file.outcome.horizon_h
    }

    /// Whom it is made for.
    #[must_use]
    pub fn population(&self) -> &str {
        &self.file.population
    }

    /// What it may be used for, and what not.
    #[must_use]
    pub fn intended_use(&self) -> &str {
        &self.file.intended_use
    }

    /// How it was made and how good it is.
    #[must_use]
    pub const fn card(&self) -> &Card {
        &self.file.card
    }

    /// How log-odds become probabilities.
    #[must_use]
    pub const fn calibration(&self) -> &Calibration {
        &self.file.calibration
    }

    /// Between what it does not know.
    #[must_use]
    pub const fn doubt(&self) -> &Doubt {
        &self.file.doubt
    }

    /// What it must know to judge.
    #[must_use]
    pub const fn requires(&self) -> &Requires {
        &self.file.requires
    }

    /// Probabilities from which something is proposed.
    #[must_use]
    pub fn thresholds(&self) -> &[Threshold] {
        &self.file.thresholds
    }

    /// The probability of the threshold with this id (`alert`).
    #[must_use]
    pub fn threshold(&self, id: &str) -> Option<f32> {
        self.file.thresholds.iter().find(|threshold| threshold.id == id).map(|threshold| threshold.probability)
    }

    /// What it looks at, in the order of inputs.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.file.features
    }

    /// Names of what it looks at, in the order of inputs.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.file.features.iter().map(|input| input.name.as_str())
    }

    /// Log-odds that the reference has, from which the explanation's shares start.
    #[must_use]
    pub const fn reference_margin(&self) -> f64 {
        self.flat.reference_margin()
    }

    /// Judges a stay as it is now.
    #[must_use]
    pub fn predict(&self, history: &History, scratch: &mut Scratch) -> Prediction {
        let mut row = std::mem::take(&mut scratch.row);
        self.plan.fill(history, &mut scratch.windows, &mut row);
        let prediction = self.judge_with(&row, scratch);
        scratch.row = row;
        prediction
    }

    /// Judges inputs in the order of [`Model::features`], NaN where missing: how a stored prediction is computed again.
    #[must_use]
    pub fn judge(&self, inputs: &[f32]) -> Prediction {
        self.judge_with(inputs, &mut Scratch::default())
    }

    /// The same as [`Model::judge`] in room that was used before.
    #[must_use]
    pub fn judge_with(&self, inputs: &[f32], scratch: &mut Scratch) -> Prediction {
        if inputs.len() != self.flat.width() {
            let reason = Reason::OtherInputs { expected: self.flat.width() as u32, found: inputs.len() as u32 };
            return abstained(vec![reason], 0.0, inputs);
        }
        scratch.answers.fill(inputs);
        self.find_unusual(inputs, &mut scratch.unusual);
        let warnings = self.warnings(inputs, &scratch.unusual);
        let mut reasons: Vec<Reason> = self.asked.iter().filter_map(|asked| asked.reason(inputs)).collect();
        let unusual = scratch.unusual.len();
        if unusual > usize::from(self.file.requires.unusual_most) {
            let words = warnings.iter().filter_map(|warning| match warning {
                Warning::Unusual { words, .. } => Some(words.clone()),
                Warning::Missing { .. } => None,
            });
            reasons.push(Reason::Unusual { found: unusual as u32, words: words.collect() });
        }
        if !reasons.is_empty() {
            let margin = self.flat.margin(&scratch.answers);
            return Prediction { warnings, ..abstained(reasons, margin, inputs) };
        }
        let (margin, because) = self.explain(inputs, scratch);
        let probability = self.file.calibration.probability(margin);
        let (low, high) = self.file.calibration.interval(probability);
        let probability = probability as f32;
        let class = self.file.doubt.class(probability);
        let judged = Judged::Risk { probability, low: low as f32, high: high as f32, class };
        Prediction { judged, margin, inputs: inputs.to_vec(), because, warnings }
    }

    /// Exact Shapley values of every input against the reference, in log-odds: they sum up to the margin less
    /// [`Model::reference_margin`], but for rounding. `inputs` must be as many as there are features.
    #[must_use]
    pub fn shapley(&self, inputs: &[f32]) -> Vec<f64> {
        let mut shares = Vec::new();
        if inputs.len() == self.flat.width() {
            let mut answers = Answers::default();
            answers.fill(inputs);
            Explainer::default().explain(&self.flat, &answers, &mut shares);
        }
        shares
    }

    /// The margin of the inputs that `scratch` has the answers of, and what moved it.
    fn explain(&self, inputs: &[f32], scratch: &mut Scratch) -> (f64, Vec<Because>) {
        let Scratch { answers, explainer, shares, subjects, .. } = scratch;
        let margin = explainer.explain(&self.flat, answers, shares);
        // Of each subject the sum, and the feature with the greatest share of it.
        subjects.clear();
        subjects.resize(self.speaker.subjects(), (0.0, 0, 0.0));
        for (number, share) in shares.iter().enumerate() {
            let subject = &mut subjects[self.speaker.subject_of(number)];
            subject.0 += share;
            if share.abs() > subject.2 {
                (subject.1, subject.2) = (number as u16, share.abs());
            }
        }
        subjects.retain(|subject| subject.0.abs() >= BECAUSE_LEAST);
        subjects.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(&b.1)));
        let told = subjects.iter().take(BECAUSE_MAX);
        let because = told.map(|(sum, feature, _)| Because {
            feature: *feature,
            log_odds: *sum as f32,
            text: self.speaker.say(*feature, inputs),
        });
        (margin, because.collect())
    }

    /// Numbers of inputs that lie outside what training has seen.
    fn find_unusual(&self, inputs: &[f32], found: &mut Vec<u16>) {
        found.clear();
        let outside = inputs.iter().zip(&self.usual).map(|(value, (low, high))| value < low || value > high);
        found.extend(outside.enumerate().filter(|(_, outside)| *outside).map(|(number, _)| number as u16));
    }

    /// One a variable or fact: what is said twice is not read twice.
    fn warnings(&self, inputs: &[f32], unusual: &[u16]) -> Vec<Warning> {
        let mut subjects = Vec::new();
        let told = unusual.iter().filter(|number| {
            let subject = self.speaker.subject_of(usize::from(**number));
            let first = !subjects.contains(&subject);
            subjects.push(subject);
            first
        });
        let mut warnings: Vec<Warning> = told
            .take(WARNINGS_MAX)
            .map(|number| {
                let at = usize::from(*number);
                Warning::Unusual { feature: *number, words: self.speaker.one(at, inputs[at]) }
            })
            .collect();
        let mut names: Vec<String> = Vec::new();
        for number in &self.missed {
            let at = usize::from(*number);
            if !inputs[at].is_nan() || names.len() == WARNINGS_MAX {
                continue;
            }
            let words = self.speaker.name(at);
            if !names.contains(&words) {
                let known = 1.0 - self.file.features[at].distribution.missing;
                let of_100 = (100.0 * known).round().clamp(0.0, 100.0) as u8;
                names.push(words.clone());
                warnings.push(Warning::Missing { feature: *number, words, of_100 });
            }
        }
        warnings
    }
}

fn missed(file: &File, plan: &Plan) -> Vec<u16> {
    let all = file.features.iter().zip(plan.features()).enumerate();
    all.filter(|(_, (input, feature))| {
        let itself = matches!(feature, Feature::Track(_, Stat::Last) | Feature::Fact(_));
        itself && input.distribution.missing <= SELDOM_MISSING
    })
    .map(|(number, _)| number as u16)
    .collect()
}

fn abstained(reasons: Vec<Reason>, margin: f64, inputs: &[f32]) -> Prediction {
    let judged = Judged::Abstained(reasons);
    Prediction { judged, margin, inputs: inputs.to_vec(), because: Vec::new(), warnings: Vec::new() }
}
