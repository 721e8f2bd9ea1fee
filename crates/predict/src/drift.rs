//! Drift watch: whether today's inputs are still those that a model has learned from, and whether its risks still come
//! true. Counted one judgement at a time, in bounded room; who is told, and when, is not decided here.
//!
//! Inputs are compared by the population stability index over the bins of the training data (Siddiqi, Credit Risk
//! Scorecards, 2006: below 0.1 little has changed, from 0.25 on it is another population) and by the share that is
//! missing. Risks are compared with outcomes by their sums and by risk-adjusted cumulative sums (Steiner and others,
//! Biostatistics 1 (2000) 441-452) that see odds twice or half of those predicted.

use serde::{Deserialize, Serialize};

use crate::model::{Input, Model};

/// Fewer judgements than this tell nothing yet.
pub const ROWS_LEAST: u32 = 1_000;
/// At so many judgements all counts are halved, so that the past fades.
const ROWS_HALVED: u32 = 50_000;
/// From this index on inputs have shifted.
pub const INDEX_SHIFTED: f64 = 0.25;
/// From this difference on between shares missing, an input is missing more often, or less often.
pub const MISSING_SHIFTED: f64 = 0.2;
/// A cumulative sum from which on risks no longer come true.
pub const SUM_SHIFTED: f64 = 4.5;
/// Shares are taken for at least this, so that an empty bin does not weigh infinitely.
const SHARE_LEAST: f64 = 1e-4;

/// What one input's values were.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Tally {
    missing: u32,
    bins: Vec<u32>,
}

/// The watch over one version of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    version: String,
    rows: u32,
    inputs: Vec<Tally>,
    outcomes: Outcomes,
}

/// An input that is not what it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Its number among the model's features.
    pub feature: u16,
    /// Its name.
    pub name: String,
    /// Population stability index of its known values.
    pub index: f64,
    /// Share missing now.
    pub missing: f64,
    /// Share missing in training.
    pub missing_in_training: f64,
}

impl Drift {
    /// A watch that has seen nothing.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let empty = |input: &Input| Tally { missing: 0, bins: vec![0; input.distribution.shares.len()] };
        let inputs = model.inputs().iter().map(empty).collect();
        Self { version: model.version().to_owned(), rows: 0, inputs, outcomes: Outcomes::default() }
    }

    /// Whether it watches over this version of this model; counts of another say nothing.
    #[must_use]
    pub fn is_of(&self, model: &Model) -> bool {
        self.version == model.version() && self.inputs.len() == model.inputs().len()
    }

    /// Judgements counted, those that have faded left out.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// Counts the inputs of a judgement; those of another model are left out.
    pub fn count(&mut self, model: &Model, inputs: &[f32]) {
        if !self.is_of(model) || inputs.len() != self.inputs.len() {
            return;
        }
        self.rows += 1;
        for ((tally, input), value) in self.inputs.iter_mut().zip(model.inputs()).zip(inputs) {
            if value.is_nan() {
                tally.missing += 1;
            } else if let Some(bin) = tally.bins.get_mut(input.distribution.bin(*value)) {
                *bin += 1;
            }
        }
        if self.rows >= ROWS_HALVED {
            self.rows /= 2;
            for tally in &mut self.inputs {
                tally.missing /= 2;
                tally.bins.iter_mut().for_each(|bin| *bin /= 2);
            }
        }
    }

    /// How an input compares with training; none before [`ROWS_LEAST`] judgements.
    #[must_use]
    pub fn compare(&self, model: &Model, number: usize) -> Option<Shift> {
        if self.rows < ROWS_LEAST || !self.is_of(model) {
            return None;
        }
        let (tally, input) = (self.inputs.get(number)?, model.inputs().get(number)?);
        Some(Shift {
            feature: number as u16,
            name: input.name.clone(),
            index: index(&input.distribution.shares, &tally.bins),
            missing: f64::from(tally.missing) / f64::from(self.rows),
            missing_in_training: f64::from(input.distribution.missing),
        })
    }

    /// Inputs that have shifted, the most first.
    #[must_use]
    pub fn shifted(&self, model: &Model) -> Vec<Shift> {
        let all = (0..self.inputs.len()).filter_map(|number| self.compare(model, number));
        let mut shifted: Vec<Shift> = all.filter(Shift::is_notable).collect();
        shifted.sort_by(|a, b| b.index.total_cmp(&a.index).then(a.feature.cmp(&b.feature)));
        shifted
    }

    /// Risks and what became of them.
    #[must_use]
    pub const fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Counts a risk whose horizon has passed, and whether the event came. One judgement a patient and horizon: hourly
    /// ones of the same patient say nearly the same.
    pub fn count_outcome(&mut self, probability: f32, happened: bool) {
        self.outcomes.count(f64::from(probability), happened);
    }

    /// Begins anew, as after somebody has looked into it.
    pub fn restart(&mut self) {
        self.rows = 0;
        for tally in &mut self.inputs {
            tally.missing = 0;
            tally.bins.fill(0);
        }
        self.outcomes = Outcomes::default();
    }
}

impl Shift {
    /// Whether somebody should know.
    #[must_use]
    pub fn is_notable(&self) -> bool {
        self.index >= INDEX_SHIFTED || (self.missing - self.missing_in_training).abs() >= MISSING_SHIFTED
    }
}

impl std::fmt::Display for Shift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, index, missing, missing_in_training, .. } = self;
        let (now, then) = (100.0 * missing, 100.0 * missing_in_training);
        write!(f, "{name}: stability index {index:.2}; missing {now:.0}% of the time, {then:.0}% in training")
    }
}

/// Population stability index of counts against shares; 0 where either has nothing.
fn index(shares: &[f32], counts: &[u32]) -> f64 {
    let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    if total == 0.0 {
        return 0.0;
    }
    let part = |(share, count): (&f32, &u32)| {
        let (then, now) = (f64::from(*share).max(SHARE_LEAST), (f64::from(*count) / total).max(SHARE_LEAST));
        (now - then) * libm::log(now / then)
    };
    shares.iter().zip(counts).map(part).sum()
}

/// Risks and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// Risks counted.
    pub count: u32,
    /// Events that came.
    pub observed: u32,
    /// Events that were to be expected: the sum of risks.
    pub expected: f64,
    /// Variance of that sum, were the risks right.
    pub variance: f64,
    /// Cumulative sum that grows while odds are twice those predicted.
    pub more: f64,
    /// Cumulative sum that grows while odds are half those predicted.
    pub fewer: f64,
}

impl Outcomes {
    fn count(&mut self, probability: f64, happened: bool) {
        if !(0.0..=1.0).contains(&probability) {
            return;
        }
        self.count = self.count.saturating_add(1);
        self.observed = self.observed.saturating_add(u32::from(happened));
        self.expected += probability;
        self.variance += probability * (1.0 - probability);
        let weight = |ratio: f64| {
            let event = if happened { libm::log(ratio) } else { 0.0 };
            event - libm::log(1.0 - probability + ratio * probability)
        };
        self.more = (self.more + weight(2.0)).max(0.0);
        self.fewer = (self.fewer + weight(0.5)).max(0.0);
    }

    /// Events observed to events expected; none before any was to be expected.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        (self.expected > 0.0).then(|| f64::from(self.observed) / self.expected)
    }

    /// Observed less expected in standard deviations.
    #[must_use]
    pub fn deviation(&self) -> Option<f64> {
        (self.variance > 0.0).then(|| (f64::from(self.observed) - self.expected) / self.variance.sqrt())
    }

    /// Whether events have become clearly more or fewer than predicted.
    #[must_use]
    pub fn shifted(&self) -> bool {
        self.more >= SUM_SHIFTED || self.fewer >= SUM_SHIFTED
    }
}
