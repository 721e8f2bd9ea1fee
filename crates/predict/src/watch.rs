//! What the owner of a model is to know: that its inputs are no longer those it has learned from, that its risks no longer
//! come true, that it seldom judges. Who is told, and how, is not decided here.
//!
//! - DW-1: a matter is news once. It is news again only when it got worse (a second level), or after somebody looked into
//!   it, which begins the watch anew.
//!
//! Hourly judgements of one patient are much alike: a thousand of them from ten patients would look like another
//! population (marks that do not ask for how many cry wolf in small samples: Potgieter and others, arXiv 2307.11878).
//! Inputs and abstentions are therefore told of from [`PATIENTS_LEAST`] patients on: the index of ten bins is about
//! Pearson's chi-squared of nine degrees of freedom over the number of patients, so that of an unchanged population it is
//! about 9/200, and 0.25, which is 50/200, comes by chance once in ten million times.

use serde::{Deserialize, Serialize};

use crate::drift::{Drift, Outcomes, ROWS_LEAST, Shift};
use crate::model::Model;

/// Fewer patients than this tell nothing yet of inputs and abstentions.
pub const PATIENTS_LEAST: u32 = 200;
/// Fewer settled risks than this tell nothing yet of outcomes.
pub const SETTLED_LEAST: u32 = 50;
/// A model that abstains from this share of judgements judges seldom …
pub const ABSTAINED_OFTEN: f64 = 0.5;
/// … and from this one on, hardly ever.
const ABSTAINED_NEARLY_ALWAYS: f64 = 0.9;
/// An input's index from which on it is worse than shifted.
const INDEX_FAR: f64 = 1.0;
/// A cumulative sum from which on it is worse than shifted: twice the first mark.
const SUM_FAR: f64 = 2.0 * crate::drift::SUM_SHIFTED;
/// Inputs that are named.
const NAMED: usize = 3;
/// Patients are told apart by so many bits of a hash; more than some thousand are counted as fewer than they are.
const WORDS: usize = 64;

/// What is the matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Matter {
    /// Inputs are not those of training.
    Inputs,
    /// Risks do not come true.
    Outcomes,
    /// It seldom judges.
    Abstentions,
}

impl Matter {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Inputs, Self::Outcomes, Self::Abstentions];

    /// `inputs`, `outcomes`, `abstentions`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Outcomes => "outcomes",
            Self::Abstentions => "abstentions",
        }
    }
}

/// Something that is the matter now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub matter: Matter,
    /// 1, or 2 when it is far off.
    pub level: u8,
    /// In a sentence, without patient data.
    pub text: String,
}

/// The watch over one version of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    drift: Drift,
    abstained: u32,
    /// Which hashes patients had.
    patients: Vec<u64>,
    /// Of each matter the level that was news last.
    told: [u8; 3],
}

impl Watch {
    /// A watch that has seen nothing.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        Self { drift: Drift::new(model), abstained: 0, patients: vec![0; WORDS], told: [0; 3] }
    }

    /// Whether it watches over this version of this model.
    #[must_use]
    pub fn is_of(&self, model: &Model) -> bool {
        self.drift.is_of(model) && self.patients.len() == WORDS
    }

    /// Counts the inputs of a judgement of a patient, named by a hash; `judged`: whether the model judged.
    pub fn count(&mut self, model: &Model, inputs: &[f32], judged: bool, patient: u64) {
        let before = self.drift.rows();
        self.drift.count(model, inputs);
        if self.drift.rows() == before {
            return;
        }
        self.abstained += u32::from(!judged);
        if self.drift.rows() < before {
            self.abstained /= 2;
        }
        let bit = patient % (WORDS as u64 * 64);
        if let Some(word) = self.patients.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    /// Counts a risk whose horizon has passed, and whether the event came: one a patient and horizon.
    pub fn settle(&mut self, probability: f32, happened: bool) {
        self.drift.count_outcome(probability, happened);
    }

    /// Judgements counted, those that have faded left out.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.drift.rows()
    }

    /// Patients they were of; counted low beyond some thousand.
    #[must_use]
    pub fn patients(&self) -> u32 {
        self.patients.iter().map(|word| word.count_ones()).sum()
    }

    /// Share of judgements from which the model abstained; none before the first.
    #[must_use]
    pub fn abstained(&self) -> Option<f64> {
        (self.rows() > 0).then(|| f64::from(self.abstained) / f64::from(self.rows()))
    }

    /// Risks and what became of them.
    #[must_use]
    pub const fn outcomes(&self) -> &Outcomes {
        self.drift.outcomes()
    }

    /// Inputs that have shifted, the most first; none before enough was seen.
    #[must_use]
    pub fn shifted(&self, model: &Model) -> Vec<Shift> {
        if self.patients() < PATIENTS_LEAST { Vec::new() } else { self.drift.shifted(model) }
    }

    /// What is the matter now.
    #[must_use]
    pub fn findings(&self, model: &Model) -> Vec<Finding> {
        [self.of_inputs(model), self.of_outcomes(), self.of_abstentions()].into_iter().flatten().collect()
    }

    /// What is the matter and was not told before, or not as bad (DW-1). It counts as told from here on.
    pub fn news(&mut self, model: &Model) -> Vec<Finding> {
        let mut findings = self.findings(model);
        findings.retain(|finding| finding.level > self.told[finding.matter as usize]);
        for finding in &findings {
            self.told[finding.matter as usize] = finding.level;
        }
        findings
    }

    /// Begins anew, as after somebody has looked into it.
    pub fn restart(&mut self) {
        self.drift.restart();
        self.abstained = 0;
        self.patients.fill(0);
        self.told = [0; 3];
    }

    fn of_inputs(&self, model: &Model) -> Option<Finding> {
        let shifted = self.shifted(model);
        let most = shifted.first()?;
        let all = model.inputs().len();
        let far = most.index >= INDEX_FAR || 2 * shifted.len() > all;
        let named: Vec<String> = shifted.iter().take(NAMED).map(ToString::to_string).collect();
        let text = format!(
            "{} of {all} inputs are not as in training, most of all {}",
            shifted.len(),
            named.join("; ")
        );
        Some(Finding { matter: Matter::Inputs, level: 1 + u8::from(far), text })
    }

    fn of_outcomes(&self) -> Option<Finding> {
        let outcomes = self.outcomes();
        if outcomes.count < SETTLED_LEAST || !outcomes.shifted() {
            return None;
        }
        let way = if outcomes.more > outcomes.fewer { "more" } else { "fewer" };
        let text = format!(
            "{way} events come than the model expects: {} where {:.1} were to be expected, of {} risks",
            outcomes.observed, outcomes.expected, outcomes.count
        );
        let far = outcomes.more.max(outcomes.fewer) >= SUM_FAR;
        Some(Finding { matter: Matter::Outcomes, level: 1 + u8::from(far), text })
    }

    fn of_abstentions(&self) -> Option<Finding> {
        let share = self.abstained().filter(|share| *share >= ABSTAINED_OFTEN)?;
        if self.rows() < ROWS_LEAST || self.patients() < PATIENTS_LEAST {
            return None;
        }
        let text = format!("the model abstained from {:.0} of 100 judgements", 100.0 * share);
        Some(Finding { matter: Matter::Abstentions, level: 1 + u8::from(share >= ABSTAINED_NEARLY_ALWAYS), text })
    }
}
