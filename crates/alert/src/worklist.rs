//! The worklist: who needs a look next, and why.
//!
//! What is known of a patient ([`Situation`]) gives points, each with its reason in words
//! ([`rank`]); the points of patients make an order that does not jump ([`Standing`]). Trends come
//! from [`Course`], the last hours of each vital sign. All weights stand in the policy
//! ([`Weights`]). Nothing here is an alarm: a worklist says where to look first.

mod concern;
mod course;
mod rank;
mod standing;

pub use concern::{Sign, concern};
pub use course::{Course, Slope};
pub use rank::{Alarm, Gain, Overdue, Rank, Reason, ReasonKind, Risk, ScoreSeen, Situation, Step, gain, rank, span};
pub use standing::Standing;

use serde::Deserialize;

use crate::policy::{PolicyError, contradiction};

/// What weighs how much, in points. The defaults put a point of an early-warning score at one
/// point, and everything else in relation to that; they are this program's, chosen so that
///
/// - an open, untaken high-priority alert goes before everything but another (IEC 60601-1-8: high
///   priority asks for immediate response);
/// - a vital sign that moves from the middle of its normal range to the edge of NEWS2's 3-point band
///   within hours weighs as much as a NEWS2 of 5 or 6, its threshold for urgent response (RCP 2017):
///   trends of vital signs add to their present values in telling who will deteriorate (Churpek,
///   Adhikari and Edelson, Resuscitation 2016; 102: 1–5);
/// - nobody who is well waits so long unseen that they are never seen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// A probability of 1 of a model's outcome.
    pub risk: f64,
    /// Each point of the early-warning score.
    pub score_point: f64,
    /// Each point that it has risen within the window.
    pub score_rise: f64,
    /// Each step of concern that a vital sign has gained by its trend (a step is a NEWS2 point).
    pub trend: f64,
    /// Each hour since somebody last looked…
    pub unseen_hour: f64,
    /// …counted up to this many.
    pub unseen_hours_max: f64,
    /// An open alert by priority.
    pub alert_high: f64,
    /// An open alert by priority.
    pub alert_medium: f64,
    /// An open alert by priority.
    pub alert_low: f64,
    /// What is left of that once somebody has taken it, as a share.
    pub alert_taken: f64,
    /// Each ten minutes that an alert sounds without being taken, for half an hour.
    pub alert_waiting: f64,
    /// Observations that are overdue by one whole interval; twice that at two.
    pub overdue: f64,
    /// A step of a pathway whose time limit has passed.
    pub step_overdue: f64,
    /// A pathway that waits for a decision.
    pub pathway_waiting: f64,
    /// How far back trends and scores are looked at, in hours: 1 to 6.
    pub window_h: f64,
    /// How far ahead a trend is drawn out, in hours.
    pub ahead_h: f64,
    /// A patient moves in the list only when the points have changed by this much…
    pub margin: f64,
    /// …and down only when that has lasted for this long, in seconds.
    pub settle_s: f64,
    /// How often to observe, in hours, by NEWS2 0, 1 to 4, one parameter of 3 or 5 to 6, and 7 or more
    /// (RCP 2017, chart 4; continuous monitoring is counted as every half hour).
    pub observe_h: [f64; 4],
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            risk: 12.0,
            score_point: 1.0,
            score_rise: 1.0,
            trend: 2.0,
            unseen_hour: 0.25,
            unseen_hours_max: 12.0,
            alert_high: 14.0,
            alert_medium: 7.0,
            alert_low: 1.0,
            alert_taken: 0.3,
            alert_waiting: 1.0,
            overdue: 1.5,
            step_overdue: 3.0,
            pathway_waiting: 2.0,
            window_h: 4.0,
            ahead_h: 1.0,
            margin: 1.0,
            settle_s: 600.0,
            observe_h: [12.0, 6.0, 1.0, 0.5],
        }
    }
}

/// Refuses weights that would turn the order around or make no sense.
pub(crate) fn check(weights: Weights) -> Result<Weights, PolicyError> {
    let w = &weights;
    let all = [
        w.risk, w.score_point, w.score_rise, w.trend, w.unseen_hour, w.unseen_hours_max, w.alert_high,
        w.alert_medium, w.alert_low, w.alert_taken, w.alert_waiting, w.overdue, w.step_overdue,
        w.pathway_waiting, w.ahead_h, w.margin, w.settle_s,
    ];
    if all.iter().any(|value| !(0.0..=86_400.0).contains(value)) {
        return Err(contradiction("worklist", "weights must not be negative, and at most 86,400"));
    }
    if !(1.0..=6.0).contains(&w.window_h) {
        return Err(contradiction("worklist", "window_h must lie between 1 and 6 hours"));
    }
    if w.alert_high < w.alert_medium || w.alert_medium < w.alert_low || w.alert_taken > 1.0 {
        return Err(contradiction("worklist", "alert_high ≥ alert_medium ≥ alert_low and alert_taken ≤ 1 must hold"));
    }
    if w.observe_h.windows(2).any(|pair| pair[0] < pair[1]) || w.observe_h[3] <= 0.0 {
        return Err(contradiction("worklist", "observe_h must not grow from band to band, and be more than 0"));
    }
    Ok(weights)
}
