//! Points and reasons: what is known of a patient, weighed. Each reason only ever adds, so that
//! whoever is worse in one thing and no better in any other never ranks lower.

use serde::{Deserialize, Serialize};
use vitals::time::{MINUTE, SECOND};

use crate::policy::Priority;
use crate::worklist::concern::{Sign, concern};
use crate::worklist::course::Slope;
use crate::worklist::Weights;

const HOUR: i64 = 60 * MINUTE;
/// What gives less than this is not told.
const TOLD_FROM: f64 = 0.5;
/// A trend that gains less concern than this is none.
const GAIN_MIN: f64 = 0.25;
/// Reasons told at most.
const REASONS_MAX: usize = 8;
/// An alert that sounds longer than this gains no more.
const WAITING_MAX: i64 = 30 * MINUTE;

/// What is known of a patient, as far as the worklist looks at it. Times in microseconds on the
/// patient's clock.
#[derive(Debug, Clone, Default)]
pub struct Situation<'a> {
    /// Now.
    pub now: i64,
    /// The early-warning score for the patient's age.
    pub score: Option<ScoreSeen<'a>>,
    /// Trends towards danger.
    pub gains: &'a [Gain],
    /// Models' risks.
    pub risks: &'a [Risk<'a>],
    /// Since when nobody has looked; none: it is not known, and does not count.
    pub unseen_since: Option<i64>,
    /// Open alerts.
    pub alerts: &'a [Alarm<'a>],
    /// Observations later than the score's band asks for.
    pub overdue: Option<Overdue<'a>>,
    /// Steps of pathways whose time limit has passed.
    pub steps: &'a [Step<'a>],
    /// Pathways that wait for a decision, by title.
    pub waiting: &'a [&'a str],
}

/// An early-warning score and what it was.
#[derive(Debug, Clone, Copy)]
pub struct ScoreSeen<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its total.
    pub value: f64,
    /// The least that it was within the window, and when.
    pub before: Option<(f64, i64)>,
}

/// A trend towards danger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Of what.
    pub sign: Sign,
    /// The line.
    pub slope: Slope,
    /// How many steps of concern it gains from its begin to where it leads.
    pub concern: f64,
}

/// A model's risk.
#[derive(Debug, Clone, Copy)]
pub struct Risk<'a> {
    /// Of what, as one says it in a sentence.
    pub of: &'a str,
    /// Probability, 0 to 1.
    pub probability: f64,
    /// What moved it most, if anything did.
    pub why: Option<&'a str>,
}

/// An open alert.
#[derive(Debug, Clone, Copy)]
pub struct Alarm<'a> {
    /// What people read.
    pub title: &'a str,
    /// How urgent.
    pub priority: Priority,
    /// Since when it has sounded; none: somebody has taken it.
    pub sounding_since: Option<i64>,
}

/// An observation that is overdue.
#[derive(Debug, Clone, Copy)]
pub struct Overdue<'a> {
    /// Of what.
    pub what: &'a str,
    /// When it was last measured.
    pub last: i64,
    /// How often it should be, in microseconds.
    pub every: i64,
}

/// A step whose time limit has passed.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Of which pathway.
    pub pathway: &'a str,
    /// What to do.
    pub title: &'a str,
    /// Until when it was to be done.
    pub due_at: i64,
}

/// Which kind of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReasonKind {
    /// A model's risk.
    Risk,
    /// The early-warning score.
    Score,
    /// A vital sign's trend.
    Trend,
    /// Nobody has looked for long.
    Unseen,
    /// An open alert.
    Alert,
    /// Observations are overdue.
    Overdue,
    /// A pathway waits.
    Pathway,
}

impl ReasonKind {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Score => "score",
            Self::Trend => "trend",
            Self::Unseen => "unseen",
            Self::Alert => "alert",
            Self::Overdue => "overdue",
            Self::Pathway => "pathway",
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Which kind.
    pub kind: ReasonKind,
    /// What it adds.
    pub points: f64,
    /// In words.
    pub text: String,
}

/// A patient's points and why.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rank {
    /// The sum, of what is not told as well.
    pub points: f64,
    /// Reasons, biggest first.
    pub reasons: Vec<Reason>,
}

/// What a line means for an adult; none where it leads nowhere worse. `scale` is the SpO2 scale.
#[must_use]
pub fn gain(sign: Sign, slope: Slope, scale: u8, weights: &Weights) -> Option<Gain> {
    let ahead = slope.to + slope.per_hour * weights.ahead_h;
    let gained = concern(sign, ahead, scale) - concern(sign, slope.from, scale);
    (gained >= GAIN_MIN).then_some(Gain { sign, slope, concern: gained })
}

/// Weighs what is known.
#[must_use]
pub fn rank(seen: &Situation<'_>, weights: &Weights) -> Rank {
    let mut all = Vec::new();
    risks(seen, weights, &mut all);
    score(seen, weights, &mut all);
    for gain in seen.gains {
        add(&mut all, ReasonKind::Trend, weights.trend * gain.concern, trend(gain));
    }
    alerts(seen, weights, &mut all);
    if let Some(since) = seen.unseen_since {
        let for_us = seen.now.saturating_sub(since).max(0);
        let hours = (for_us as f64 / HOUR as f64).min(weights.unseen_hours_max);
        add(&mut all, ReasonKind::Unseen, weights.unseen_hour * hours, format!("not seen for {}", span(for_us)));
    }
    if let Some(overdue) = &seen.overdue {
        let age = seen.now.saturating_sub(overdue.last).max(0);
        let late = (age as f64 / overdue.every.max(1) as f64 - 1.0).clamp(0.0, 2.0);
        let text = format!("{} last measured {} ago, due every {}", overdue.what, span(age), span(overdue.every));
        add(&mut all, ReasonKind::Overdue, weights.overdue * late, text);
    }
    for step in seen.steps {
        let late = span(seen.now.saturating_sub(step.due_at).max(0));
        add(&mut all, ReasonKind::Pathway, weights.step_overdue, format!("{}: {} overdue for {late}", step.pathway, step.title));
    }
    for title in seen.waiting {
        add(&mut all, ReasonKind::Pathway, weights.pathway_waiting, format!("{title} suggested, nobody has decided"));
    }
    let points = all.iter().map(|reason| reason.points).sum();
    all.retain(|reason| reason.points >= TOLD_FROM);
    // Stable: of two that weigh the same the order above stands.
    all.sort_by(|a, b| b.points.total_cmp(&a.points));
    all.truncate(REASONS_MAX);
    Rank { points, reasons: all }
}

fn add(all: &mut Vec<Reason>, kind: ReasonKind, points: f64, text: String) {
    if points > 0.0 && points.is_finite() {
        all.push(Reason { kind, points, text });
    }
}

fn risks(seen: &Situation<'_>, weights: &Weights, all: &mut Vec<Reason>) {
    for risk in seen.risks {
        let probability = risk.probability.clamp(0.0, 1.0);
        let why = risk.why.map(|why| format!(": {why}")).unwrap_or_default();
        let text = format!("risk of {} {:.0} %{why}", risk.of, probability * 100.0);
        add(all, ReasonKind::Risk, weights.risk * probability, text);
    }
}

fn score(seen: &Situation<'_>, weights: &Weights, all: &mut Vec<Reason>) {
    let Some(score) = &seen.score else { return };
    let risen = score.before.map_or(0.0, |(before, _)| (score.value - before).max(0.0));
    let points = weights.score_point * score.value.max(0.0) + weights.score_rise * risen;
    let text = match score.before {
        Some((before, at)) if risen > 0.0 => {
            let ago = span(seen.now.saturating_sub(at));
            format!("{} {:.0}, was {before:.0} {ago} ago", score.name, score.value)
        }
        _ => format!("{} {:.0}", score.name, score.value),
    };
    add(all, ReasonKind::Score, points, text);
}

fn alerts(seen: &Situation<'_>, weights: &Weights, all: &mut Vec<Reason>) {
    for alert in seen.alerts {
        let by_priority = match alert.priority {
            Priority::High => weights.alert_high,
            Priority::Medium => weights.alert_medium,
            Priority::Low => weights.alert_low,
        };
        let name = alert.priority.name();
        let (points, text) = match alert.sounding_since {
            Some(since) => {
                let waits = seen.now.saturating_sub(since).max(0);
                let tens = waits.min(WAITING_MAX) as f64 / (10 * MINUTE) as f64;
                let untaken = format!("{name}-priority alert untaken for {}: {}", span(waits), alert.title);
                (by_priority + weights.alert_waiting * tens, untaken)
            }
            None => (by_priority * weights.alert_taken, format!("{name}-priority alert, taken: {}", alert.title)),
        };
        add(all, ReasonKind::Alert, points, text);
    }
}

fn trend(gain: &Gain) -> String {
    let Slope { from, to, over_us, .. } = gain.slope;
    let decimals = usize::from(gain.sign == Sign::Temperature);
    let way = if to > from { "rising" } else { "falling" };
    format!(
        "{} {way} {from:.decimals$}→{to:.decimals$}{} over {}",
        gain.sign.words(),
        gain.sign.unit(),
        span(over_us)
    )
}

/// How long, as one says it: `40 s`, `25 min`, `3 h`, `2 days`.
#[must_use]
pub fn span(us: i64) -> String {
    match us {
        ..90_000_000 => format!("{} s", us.max(0) / SECOND),
        us if us < 90 * MINUTE => format!("{} min", (us + MINUTE / 2) / MINUTE),
        us if us < 48 * HOUR => format!("{} h", (us + HOUR / 2) / HOUR),
        us => format!("{} days", (us + 12 * HOUR) / (24 * HOUR)),
    }
}
