//! Care pathways of a policy: what is known to help in a state that the values show, as steps with
//! time limits. A pathway is suggested, never ordered (AL-5); what becomes of a suggestion is kept
//! by [`Offers`].

mod offer;
mod record;

pub use offer::{Offers, Refusal, Surroundings};
pub use record::{Decision, Offer, OfferChange, OfferEvent, OfferKind, OfferState, StepState, StepStatus};

use serde::Deserialize;

use crate::condition::{Limits, applies};
use crate::expression::Expression;
use crate::policy::{PolicyError, contradiction, seconds};

/// Steps of one pathway at most.
const STEPS_MAX: usize = 24;

/// A care pathway.
#[derive(Debug, Clone, PartialEq)]
pub struct Pathway {
    /// Name for programs.
    pub id: String,
    /// What people read.
    pub title: String,
    /// The publication that it follows.
    pub source: String,
    /// When it is suggested.
    pub when: Expression,
    /// After that has held for this long, in microseconds.
    pub for_us: i64,
    /// A suggestion is withdrawn, and a declined one forgotten, when the trigger has been off for
    /// this long, in microseconds.
    pub clear_us: i64,
    /// A declined one is suggested again when the trigger's excess has grown by this much…
    pub worsen_by: f64,
    /// …or the early-warning score by this many points.
    pub worsen_score: f64,
    /// Pathways that are not suggested while this one's trigger holds.
    pub supersedes: Vec<String>,
    /// Units that it applies to; empty: all.
    pub units: Vec<String>,
    /// Applies from this age in years.
    pub age_from: Option<f64>,
    /// Applies below this age in years.
    pub age_below: Option<f64>,
    /// What to do, in order.
    pub steps: Vec<PathwayStep>,
}

/// One step of a pathway.
#[derive(Debug, Clone, PartialEq)]
pub struct PathwayStep {
    /// Name for programs.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Within this long of the start, or of its condition's coming true, in microseconds; none: no
    /// limit.
    pub within_us: Option<i64>,
    /// Only if this holds; the clock of the step runs from then.
    pub when: Option<Expression>,
    /// The step that belongs before it.
    pub after: Option<String>,
}

impl Pathway {
    /// Whether it is for patients such as this.
    #[must_use]
    pub fn is_for(&self, limits: &Limits<'_>) -> bool {
        applies(limits, &self.units, self.age_from, self.age_below)
    }

    /// A step by name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&PathwayStep> {
        self.steps.iter().find(|step| step.id == id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathwayText {
    id: String,
    title: String,
    #[serde(default)]
    source: String,
    when: String,
    #[serde(default)]
    for_s: f64,
    #[serde(default = "an_hour")]
    clear_s: f64,
    worsen_by: Option<f64>,
    #[serde(default = "two_points")]
    worsen_score: f64,
    #[serde(default)]
    supersedes: Vec<String>,
    #[serde(default)]
    units: Vec<String>,
    age_from: Option<f64>,
    age_below: Option<f64>,
    step: Vec<StepText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    id: String,
    title: String,
    within_min: Option<f64>,
    when: Option<String>,
    after: Option<String>,
}

const fn an_hour() -> f64 {
    3_600.0
}

const fn two_points() -> f64 {
    2.0
}

/// Compiles a policy's pathways.
pub(crate) fn compile(texts: Vec<PathwayText>) -> Result<Vec<Pathway>, PolicyError> {
    let mut pathways: Vec<Pathway> = Vec::with_capacity(texts.len());
    for text in texts {
        let pathway = one(text)?;
        if pathways.iter().any(|other| other.id == pathway.id) {
            return Err(contradiction(&place(&pathway.id), "this id is used twice"));
        }
        pathways.push(pathway);
    }
    for pathway in &pathways {
        for other in &pathway.supersedes {
            if !pathways.iter().any(|known| known.id == *other && known.id != pathway.id) {
                return Err(contradiction(
                    &place(&pathway.id),
                    &format!("it supersedes `{other}`, which is no other pathway of this policy"),
                ));
            }
        }
    }
    Ok(pathways)
}

fn one(text: PathwayText) -> Result<Pathway, PolicyError> {
    let place = place(&text.id);
    if text.id.is_empty() || text.step.is_empty() || text.step.len() > STEPS_MAX {
        return Err(contradiction(&place, "a pathway has an id and 1 to 24 steps"));
    }
    let mut steps: Vec<PathwayStep> = Vec::with_capacity(text.step.len());
    for step in text.step {
        if steps.iter().any(|other| other.id == step.id) {
            return Err(contradiction(&place, &format!("the step `{}` is there twice", step.id)));
        }
        if let Some(before) = step.after.as_ref().filter(|id| !steps.iter().any(|other| other.id == **id)) {
            return Err(contradiction(&place, &format!("`{before}` is no step before `{}`", step.id)));
        }
        let within_us = step.within_min.map(|minutes| seconds(minutes * 60.0, &place)).transpose()?;
        let when = step.when.map(|when| expression(&text.id, &when)).transpose()?;
        steps.push(PathwayStep { id: step.id, title: step.title, within_us, when, after: step.after });
    }
    if steps.iter().all(|step| step.when.is_some()) {
        return Err(contradiction(&place, "at least one step must be without a condition"));
    }
    Ok(Pathway {
        when: expression(&text.id, &text.when)?,
        for_us: seconds(text.for_s, &place)?,
        clear_us: seconds(text.clear_s, &place)?,
        worsen_by: text.worsen_by.unwrap_or(f64::INFINITY),
        worsen_score: text.worsen_score.max(1.0),
        id: text.id,
        title: text.title,
        source: text.source,
        supersedes: text.supersedes,
        units: text.units,
        age_from: text.age_from,
        age_below: text.age_below,
        steps,
    })
}

fn expression(pathway: &str, text: &str) -> Result<Expression, PolicyError> {
    Expression::parse(text)
        .map_err(|source| PolicyError::Expression { rule: format!("pathway {pathway}"), source })
}

fn place(id: &str) -> String {
    format!("pathway `{id}`")
}
