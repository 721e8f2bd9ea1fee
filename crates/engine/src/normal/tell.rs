//! A patient's own normal as seen from outside.

use alert::{Apply, Limit, LimitRule, Policy};
use baseline::Trend;
use vitals::{MetricCode, PatientId};

use super::{Own, Decision, chooser, settings};
use crate::Engine;
use crate::patient::PatientState;

/// Where the learning of one normal stands.
#[derive(Debug, Clone, PartialEq)]
pub enum NormalState {
    /// Too little was seen yet.
    Learning,
    /// It is known.
    Known,
    /// Somebody paused it.
    Paused(Decision),
    /// Somebody stated it.
    Stated(Decision),
}

/// One metric's normal as seen from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalLine {
    /// Of what.
    pub metric: MetricCode,
    /// Whether limits follow it.
    pub apply: Apply,
    /// Where it stands.
    pub state: NormalState,
    /// Level and usual band now, if it is known: centre, low, high.
    pub usual: Option<(f64, f64, f64)>,
    /// The hour of the place's day, 0 to 23.
    pub hour: u8,
    /// The same by hour of the place's day, for a rule that looks at it.
    pub hours: Vec<(f64, f64, f64)>,
    /// When learning began, in microseconds.
    pub began: Option<i64>,
    /// Periods that had a value.
    pub slots: usize,
    /// Periods that are needed.
    pub slots_min: usize,
    /// After this long a value counts half, in microseconds.
    pub half_life_us: i64,
    /// Nothing is said before this long, in microseconds.
    pub warm_up_us: i64,
    /// A lasting change of level: 1 upward or −1 downward, and since when in microseconds.
    pub change: Option<(f64, i64)>,
    /// A trend that holds.
    pub trend: Option<Trend>,
    /// The limits that follow it now.
    pub followed: Option<Limit>,
    /// The policy's limits.
    pub by_policy: (Option<f64>, Option<f64>),
    /// Where limits may lie at most: lowest low, highest high.
    pub bounds: (Option<f64>, Option<f64>),
}

impl Engine {
    /// A patient's normals as seen from outside, by metric; of those that the policy asks for.
    #[must_use]
    pub fn normal_lines(&self, id: &PatientId) -> Vec<NormalLine> {
        let Some((normals, patient)) = self.normals.get(id).zip(self.patients.get(id)) else {
            return Vec::new();
        };
        let limits = self.policy.limit_rules(&chooser(patient));
        let lines = normals.all.iter();
        lines.filter_map(|own| line(own, patient, &self.policy, &limits)).collect()
    }
}

fn line(own: &Own, patient: &PatientState, policy: &Policy, limits: &[LimitRule]) -> Option<NormalLine> {
    let rule = policy.baseline_of(own.metric, &chooser(patient))?;
    let now = patient.clock;
    let usual = |hour: u8| own.usual(rule, now, hour).map(|u| (u.centre, u.low, u.high));
    let present = usual(policy.hour(now));
    let state = match (&own.paused, &own.stated) {
        (Some(said), _) => NormalState::Paused(said.clone()),
        (None, Some((_, said))) => NormalState::Stated(said.clone()),
        (None, None) if present.is_some() => NormalState::Known,
        (None, None) => NormalState::Learning,
    };
    let learning = settings(rule);
    let spread = own.usual(rule, now, policy.hour(now)).map(|usual| usual.spread);
    let by_policy = limits.iter().find(|limit| limit.metric == own.metric);
    let by_policy = by_policy.map_or((None, None), |limit| (limit.low, limit.high));
    let wide = rule.apply == Apply::Follow;
    Some(NormalLine {
        metric: own.metric,
        apply: rule.apply,
        state,
        usual: present,
        hour: policy.hour(now),
        hours: if rule.circadian && present.is_some() { (0..24).filter_map(usual).collect() } else { Vec::new() },
        began: own.normal.began(),
        slots: own.normal.slots(),
        slots_min: rule.slots_min,
        half_life_us: rule.half_life_us,
        warm_up_us: rule.warm_up_us,
        change: own.normal.change(&learning, now).map(|change| (change.direction.sign(), change.since)),
        trend: spread.and_then(|spread| own.normal.trend(&learning, now).filter(|t| t.holds(spread))),
        followed: own.followed,
        by_policy,
        bounds: (
            rule.never_below.filter(|_| wide).or(by_policy.0),
            rule.never_above.filter(|_| wide).or(by_policy.1),
        ),
    })
}
