//! The policy document: what alerts, how urgently, and whom.
//!
//! TOML; an unknown key is an error. `default-policy.toml` beside this file is in force until a
//! site puts its own in place, and shows every key.

use std::fmt;

use serde::Deserialize;
use vitals::{MetricCode, Role};

use crate::escalation::{Chain, Step};
use crate::expression::{Expression, ExpressionError, term};
use crate::own::{BaselineRule, BaselineText};
use crate::pathway::{Pathway, PathwayText};
use crate::worklist::Weights;

/// Alarm priority (IEC 60601-1-8:2006 clause 6.1.2), least first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Awareness is required.
    Low,
    /// Prompt response is required.
    Medium,
    /// Immediate response is required.
    High,
}

impl Priority {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Why a policy document is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, an unknown key, or a value of the wrong type.
    #[error("the policy is not well-formed: {0}")]
    Syntax(String),
    /// A rule's expression.
    #[error("rule `{rule}`: {source}")]
    Expression {
        /// Which rule.
        rule: String,
        /// What is wrong with it.
        source: ExpressionError,
    },
    /// A name that nothing has.
    #[error("{place}: `{name}` is unknown; {advice}")]
    Unknown {
        /// Where.
        place: String,
        /// The name.
        name: String,
        /// What to write instead.
        advice: String,
    },
    /// Values that contradict each other.
    #[error("{place}: {problem}")]
    Contradiction {
        /// Where.
        place: String,
        /// What.
        problem: String,
    },
}

/// A compiled policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// Rules, in document order.
    pub rules: Vec<Rule>,
    /// Limits by metric.
    pub limits: Vec<LimitRule>,
    /// When silence alerts.
    pub gap: Gap,
    /// A condition whose values are missing goes on holding for this long, in microseconds.
    pub hold_us: i64,
    /// Whether somebody has to confirm that a device mounted at a bed is on who lies there.
    pub confirm_place: bool,
    /// Chains; the first is the default.
    pub chains: Vec<Chain>,
    /// Care pathways, in document order.
    pub pathways: Vec<Pathway>,
    /// What weighs how much in the worklist.
    pub worklist: Weights,
    /// What is learnt of a patient's own normal, in document order.
    pub baselines: Vec<BaselineRule>,
    /// The place's clock; none: UTC.
    pub zone: Option<jiff::tz::TimeZone>,
    /// The text that it was compiled from.
    pub text: String,
}

/// One rule: a condition with up to three levels of priority.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name for programs.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Conditions of one patient with the same group make one alert.
    pub group: String,
    /// Levels, most urgent first.
    pub levels: Vec<Level>,
    /// How far a value must come back before the condition clears, in the comparison's unit.
    pub hysteresis: f64,
    /// How long it must be clear before it counts as gone, in microseconds.
    pub clear_us: i64,
    /// An acknowledged alert sounds again when the excess grows by this much (AL-3).
    pub worsen_by: f64,
    /// Whether the alert stays after the condition is gone until somebody resets it.
    pub latch: bool,
    /// Units that it applies to; empty: all.
    pub units: Vec<String>,
    /// Applies from this age in years.
    pub age_from: Option<f64>,
    /// Applies below this age in years.
    pub age_below: Option<f64>,
    /// Index of its chain.
    pub chain: usize,
}

/// One level of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Priority while it holds.
    pub priority: Priority,
    /// What must hold.
    pub when: Expression,
    /// For how long, in microseconds.
    pub for_us: i64,
}

/// Limits of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitRule {
    /// Of what.
    pub metric: MetricCode,
    /// Medium priority below this.
    pub low: Option<f64>,
    /// Medium priority above this.
    pub high: Option<f64>,
    /// High priority below this.
    pub critical_low: Option<f64>,
    /// High priority above this.
    pub critical_high: Option<f64>,
    /// For how long, in microseconds.
    pub for_us: i64,
    /// How far back before it clears.
    pub hysteresis: f64,
    /// How long clear before it is gone, in microseconds.
    pub clear_us: i64,
    /// Excess growth that sounds again.
    pub worsen_by: f64,
    /// Group.
    pub group: String,
    /// Units that it applies to; empty: all.
    pub units: Vec<String>,
    /// Applies from this age in years.
    pub age_from: Option<f64>,
    /// Applies below this age in years.
    pub age_below: Option<f64>,
}

/// When a device's silence alerts (AL-2).
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// A streaming device silent for this long, in microseconds.
    pub after_us: i64,
    /// A slower device: this many times its usual interval, if that is longer.
    pub intervals: f64,
    /// The device must have spoken for this long before its gap is over, in microseconds.
    pub clear_us: i64,
    /// Priority.
    pub priority: Priority,
    /// Index of its chain.
    pub chain: usize,
}

/// In words: `NEWS2 ≥ 7 for 10 s`.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.when)?;
        if self.for_us > 0 { write!(f, " for {} s", self.for_us / 1_000_000) } else { Ok(()) }
    }
}

impl Policy {
    /// The policy in force until a site puts its own in place.
    ///
    /// # Panics
    /// Never: the document is part of the program and compiled in a test.
    #[must_use]
    pub fn built_in() -> Self {
        Self::parse(include_str!("default-policy.toml")).expect("the built-in policy compiles")
    }

    /// Compiles a policy document.
    ///
    /// # Errors
    /// [`PolicyError`] naming the rule or key and what to do.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document: Document =
            toml::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string()))?;
        let chains = chains(document.chain)?;
        let texts = crate::bands::with_included(&document.include, document.rule)?;
        let mut rules = Vec::with_capacity(texts.len());
        for rule in texts {
            let rule = compile_rule(rule, &chains)?;
            if rules.iter().any(|other: &Rule| other.id == rule.id) {
                return Err(contradiction(&format!("rule `{}`", rule.id), "this id is used twice"));
            }
            rules.push(rule);
        }
        let limits = document.limit.into_iter().map(compile_limit).collect::<Result<_, _>>()?;
        let gap = document.gap.unwrap_or_default();
        Ok(Self {
            name: document.name,
            rules,
            limits,
            gap: Gap {
                after_us: seconds(gap.after_s, "gap.after_s")?,
                intervals: gap.intervals.max(1.0),
                clear_us: seconds(gap.clear_s, "gap.clear_s")?,
                priority: gap.priority,
                chain: chain_index(&chains, gap.chain.as_deref(), "gap")?,
            },
            hold_us: seconds(document.hold_s, "hold_s")?,
            confirm_place: matches!(document.association.by_place, ByPlace::Confirm),
            chains,
            pathways: crate::pathway::compile(document.pathway)?,
            worklist: crate::worklist::check(document.worklist)?,
            baselines: crate::own::compile(document.baseline)?,
            zone: crate::own::zone(document.zone.as_deref())?,
            text: text.to_owned(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: String,
    zone: Option<String>,
    #[serde(default)]
    baseline: Vec<BaselineText>,
    #[serde(default = "an_hour")]
    hold_s: f64,
    /// Sets of response bands of the program's own.
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    rule: Vec<RuleText>,
    #[serde(default)]
    limit: Vec<LimitText>,
    gap: Option<GapText>,
    #[serde(default)]
    association: AssociationText,
    chain: Vec<ChainText>,
    #[serde(default)]
    pathway: Vec<PathwayText>,
    #[serde(default)]
    worklist: Weights,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct AssociationText {
    by_place: ByPlace,
}

/// What a device that is mounted at a bed means for who lies there.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
enum ByPlace {
    #[default]
    AtOnce,
    Confirm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleText {
    pub(crate) id: String,
    title: String,
    group: String,
    level: Vec<LevelText>,
    #[serde(default)]
    hysteresis: f64,
    #[serde(default)]
    clear_s: f64,
    worsen_by: Option<f64>,
    #[serde(default)]
    latch: bool,
    #[serde(default)]
    units: Vec<String>,
    age_from: Option<f64>,
    age_below: Option<f64>,
    chain: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelText {
    priority: Priority,
    when: String,
    #[serde(default)]
    for_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitText {
    metric: String,
    low: Option<f64>,
    high: Option<f64>,
    critical_low: Option<f64>,
    critical_high: Option<f64>,
    #[serde(default)]
    for_s: f64,
    #[serde(default)]
    hysteresis: f64,
    #[serde(default)]
    clear_s: f64,
    worsen_by: Option<f64>,
    group: Option<String>,
    #[serde(default)]
    units: Vec<String>,
    age_from: Option<f64>,
    age_below: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GapText {
    after_s: f64,
    intervals: f64,
    #[serde(default)]
    clear_s: f64,
    priority: Priority,
    chain: Option<String>,
}

impl Default for GapText {
    fn default() -> Self {
        Self { after_s: 60.0, intervals: 4.0, clear_s: 0.0, priority: Priority::Low, chain: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainText {
    name: String,
    repeat_s: f64,
    step: Vec<StepText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepText {
    role: String,
    after_s: f64,
}

fn chains(texts: Vec<ChainText>) -> Result<Vec<Chain>, PolicyError> {
    if texts.is_empty() || texts.iter().any(|chain| chain.step.is_empty()) {
        return Err(contradiction("chain", "at least one chain with one step is needed"));
    }
    texts
        .into_iter()
        .map(|text| {
            let place = format!("chain `{}`", text.name);
            let steps = text
                .step
                .into_iter()
                .map(|step| {
                    let role = Role::from_name(&step.role)
                        .ok_or_else(|| unknown(&place, &step.role, &roles()))?;
                    Ok(Step { role, after_us: seconds(step.after_s, &place)? })
                })
                .collect::<Result<_, _>>()?;
            let repeat_us = seconds(text.repeat_s, &place)?.max(10_000_000);
            Ok(Chain { name: text.name, steps, repeat_us })
        })
        .collect()
}

fn compile_rule(text: RuleText, chains: &[Chain]) -> Result<Rule, PolicyError> {
    let place = format!("rule `{}`", text.id);
    let mut levels = text
        .level
        .into_iter()
        .map(|level| {
            let when = Expression::parse(&level.when)
                .map_err(|source| PolicyError::Expression { rule: text.id.clone(), source })?;
            Ok(Level { priority: level.priority, when, for_us: seconds(level.for_s, &place)? })
        })
        .collect::<Result<Vec<_>, PolicyError>>()?;
    if levels.is_empty() || levels.len() > 3 {
        return Err(contradiction(&place, "a rule has one to three levels"));
    }
    levels.sort_by_key(|level| std::cmp::Reverse(level.priority));
    Ok(Rule {
        chain: chain_index(chains, text.chain.as_deref(), &place)?,
        clear_us: seconds(text.clear_s, &place)?,
        id: text.id,
        title: text.title,
        group: text.group,
        levels,
        hysteresis: text.hysteresis.max(0.0),
        worsen_by: text.worsen_by.unwrap_or(f64::INFINITY),
        latch: text.latch,
        units: text.units,
        age_from: text.age_from,
        age_below: text.age_below,
    })
}

fn compile_limit(text: LimitText) -> Result<LimitRule, PolicyError> {
    let place = format!("limit `{}`", text.metric);
    let metric = term(&text.metric).ok_or_else(|| {
        unknown(&place, &text.metric, "write a metric's reference id or label")
    })?;
    let ascending = [text.critical_low, text.low, text.high, text.critical_high];
    let given: Vec<f64> = ascending.into_iter().flatten().collect();
    if given.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(contradiction(&place, "critical_low ≤ low ≤ high ≤ critical_high must hold"));
    }
    Ok(LimitRule {
        metric,
        low: text.low,
        high: text.high,
        critical_low: text.critical_low,
        critical_high: text.critical_high,
        for_us: seconds(text.for_s, &place)?,
        hysteresis: text.hysteresis.max(0.0),
        clear_us: seconds(text.clear_s, &place)?,
        worsen_by: text.worsen_by.unwrap_or(f64::INFINITY),
        group: text.group.unwrap_or_else(|| "deterioration".to_owned()),
        units: text.units,
        age_from: text.age_from,
        age_below: text.age_below,
    })
}

fn an_hour() -> f64 {
    3_600.0
}

fn chain_index(chains: &[Chain], name: Option<&str>, place: &str) -> Result<usize, PolicyError> {
    let Some(name) = name else { return Ok(0) };
    chains.iter().position(|chain| chain.name == name).ok_or_else(|| {
        let names: Vec<&str> = chains.iter().map(|chain| chain.name.as_str()).collect();
        unknown(place, name, &format!("chains are {}", names.join(", ")))
    })
}

pub(crate) fn seconds(value: f64, place: &str) -> Result<i64, PolicyError> {
    if (0.0..=31_536_000.0).contains(&value) {
        Ok((value * 1e6) as i64)
    } else {
        Err(contradiction(place, "seconds must lie between 0 and a year"))
    }
}

fn roles() -> String {
    format!("roles are {}", Role::ALL.map(Role::name).join(", "))
}

fn unknown(place: &str, name: &str, advice: &str) -> PolicyError {
    PolicyError::Unknown { place: place.into(), name: name.into(), advice: advice.into() }
}

pub(crate) fn contradiction(place: &str, problem: &str) -> PolicyError {
    PolicyError::Contradiction { place: place.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests;
