//! What a model's file must keep to, and what it asks of inputs once it does.

use super::file::{Check, FORMAT, File};
use crate::feature::{Feature, Plan, Stat, UnknownFeature};
use crate::forest::{TreeError, WIDTH_MAX};
use crate::prediction::Reason;
use crate::variable::Variable;

/// Why a file is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Larger than any model of this kind.
    #[error("the file is larger than 32 MiB, which no model is; check that it is the right one")]
    TooLarge,
    /// Not JSON, or not of a model's form.
    #[error("the file is not a model: {0}; take one that `vitalwire model train` wrote")]
    Form(#[from] serde_json::Error),
    /// Written in a format that this program does not know.
    #[error("the file's format is {found:?}, but this program reads {FORMAT:?}; update the program or train again")]
    Format {
        /// What it says, at most 60 characters of it.
        found: String,
    },
    /// A feature that this program cannot compute.
    #[error("{0}; update the program, or train the model with features that it has")]
    Feature(#[from] UnknownFeature),
    /// A tree that cannot be walked.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Anything else.
    #[error("{what} in `{at}`; mend the file or take it as `vitalwire model train` wrote it")]
    Wrong {
        /// Where.
        at: String,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Characters of a text of the file at most.
const TEXT_MAX: usize = 20_000;
/// Entries of a list of the file at most, other than of features and trees.
const LIST_MAX: usize = 4_096;

fn wrong<T>(at: impl Into<String>, what: &'static str) -> Result<T, ModelError> {
    Err(ModelError::Wrong { at: at.into(), what })
}

/// Everything that does not need the features resolved.
pub(super) fn check(file: &File) -> Result<(), ModelError> {
    if file.format != FORMAT {
        return Err(ModelError::Format { found: file.format.chars().take(60).collect() });
    }
    let named = |id: &str| {
        let letters = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        letters && (1..=64).contains(&id.len())
    };
    if !named(&file.id) {
        return wrong("id", "not 1 to 64 lower-case letters, digits and hyphens");
    }
    let version = file.version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if !version || !(1..=32).contains(&file.version.len()) {
        return wrong("version", "not 1 to 32 letters, digits, points and hyphens");
    }
    if !(0.0..=8_760.0).contains(&file.outcome.horizon_h) {
        return wrong("outcome.horizon_h", "not between 0 and 8,760 hours");
    }
    if file.features.is_empty() || file.features.len() > WIDTH_MAX {
        return wrong("features", "none, or more than 4,096");
    }
    let texts = [&file.title, &file.population, &file.intended_use, &file.outcome.words, &file.outcome.definition];
    let card = [&file.card.data, &file.card.command, &file.card.training];
    if texts.into_iter().chain(card).any(|text| text.len() > TEXT_MAX) {
        return wrong("title … card", "a text of more than 20,000 bytes");
    }
    let lists = [file.card.figures.len(), file.card.limits.len(), file.thresholds.len(), file.requires.checks.len()];
    if lists.into_iter().any(|length| length > LIST_MAX) {
        return wrong("thresholds … card", "a list of more than 4,096 entries");
    }
    file.calibration.check().or_else(|what| wrong("calibration", what))?;
    file.doubt.check().or_else(|what| wrong("doubt", what))?;
    for threshold in &file.thresholds {
        if !named(&threshold.id) || !(0.0..=1.0).contains(&threshold.probability) {
            return wrong("thresholds", "an id that is none, or a probability not between 0 and 1");
        }
    }
    let mut names = std::collections::HashSet::new();
    for input in &file.features {
        let at = || format!("features.{}", input.name.chars().take(60).collect::<String>());
        input.distribution.check().or_else(|what| wrong(at(), what))?;
        if !input.reference.is_none_or(f32::is_finite) {
            return wrong(at(), "a reference that is not a number");
        }
        if !names.insert(input.name.as_str()) {
            return wrong(at(), "the same feature twice");
        }
    }
    Ok(())
}

/// Something asked of inputs, by their numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    Range { at: usize, words: String, from: f32, to: f32, may_be_missing: bool },
    Measured { ages: Vec<(usize, Variable)>, at_least: usize, within_h: f32 },
}

/// What the file asks, by numbers of inputs.
pub(super) fn resolve(file: &File, plan: &Plan) -> Result<Vec<Asked>, ModelError> {
    let number = |feature: Feature| plan.features().iter().position(|own| *own == feature);
    file.requires.checks.iter().map(|check| match check {
        Check::Range { feature, words, from, to, may_be_missing } => {
            let at = number(feature.parse()?);
            let (from, to) = (from.unwrap_or(f32::NEG_INFINITY), to.unwrap_or(f32::INFINITY));
            match at {
                Some(at) if from <= to => {
                    Ok(Asked::Range { at, words: words.clone(), from, to, may_be_missing: *may_be_missing })
                }
                Some(_) => wrong("requires.checks", "a range whose end is below its beginning"),
                None => wrong("requires.checks", "a range of something that is no feature of the model"),
            }
        }
        Check::Measured { variables, at_least, within_h } => {
            let age = |name: &String| {
                let variable = Variable::by_column(name)?;
                number(Feature::Track(variable, Stat::Age)).map(|at| (at, variable))
            };
            let ages: Option<Vec<_>> = variables.iter().map(age).collect();
            let at_least = usize::from(*at_least);
            match ages {
                Some(ages) if at_least <= ages.len() && *within_h >= 0.0 => {
                    Ok(Asked::Measured { ages, at_least, within_h: *within_h })
                }
                Some(_) => wrong("requires.checks", "more measurements asked for than variables named, or hours below 0"),
                None => wrong("requires.checks", "a variable that is none, or whose `.age` is no feature of the model"),
            }
        }
    })
    .collect()
}

impl Asked {
    /// Why these inputs do not satisfy it, none if they do.
    pub fn reason(&self, inputs: &[f32]) -> Option<Reason> {
        match self {
            Self::Range { at, words, from, to, may_be_missing } => {
                let value = inputs[*at];
                if value.is_nan() {
                    return (!may_be_missing).then(|| Reason::Unknown { words: words.clone() });
                }
                let limits = match (from.is_finite(), to.is_finite()) {
                    (true, true) => format!("{from} to {to}"),
                    (true, false) => format!("{from} and more"),
                    _ => format!("up to {to}"),
                };
                let value_words = format!("{}", (value * 10.0).round() / 10.0);
                let inside = (*from..=*to).contains(&value);
                (!inside).then(|| Reason::Outside { words: words.clone(), value: value_words, limits })
            }
            Self::Measured { ages, at_least, within_h } => {
                let in_time = |at: &usize| inputs[*at] <= *within_h;
                let found = ages.iter().filter(|(at, _)| in_time(at)).count();
                let lacking = || ages.iter().filter(|(at, _)| !in_time(at)).map(|(_, variable)| variable.words().to_owned());
                (found < *at_least).then(|| Reason::NotMeasured {
                    words: lacking().collect(),
                    at_least: (at_least - found) as u32,
                    within_h: *within_h,
                })
            }
        }
    }
}
