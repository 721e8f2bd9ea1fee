//! Limits that follow a normal: when they move, within which bounds, and what is told of it.

use alert::{Apply, BaselineRule, Limit, LimitRule, Policy};
use baseline::{Bounds, Followed, Moved, Usual, follow};
use vitals::metric::code;
use vitals::{EffectiveTime, MetricCode, PatientId, Point, Quality};

use super::{LimitChange, LimitEvent, Own, chooser, say};
use crate::effect::Effect;
use crate::patient::PatientState;
use crate::{Engine, Step};

/// A limit moves when it would by this many of the last digits that people read.
const WORTH_MOVING: f64 = 2.0;

/// What is in force and what the policy says, for one metric.
struct Judged {
    metric: MetricCode,
    now: Option<Limit>,
    before: Option<Limit>,
    policy: (Option<f64>, Option<f64>),
    why: String,
}

impl Engine {
    /// Lets limits follow what was learnt since the last call, if anything was or another hour began.
    pub(crate) fn follow_normals(&mut self, id: &PatientId, cx: &mut Step, out: &mut Vec<Effect>) {
        let Some((normals, patient)) = self.normals.get(id).zip(self.patients.get(id)) else { return };
        let policy = self.policy.clone();
        let hour = policy.hour(patient.clock);
        if !normals.moved && normals.hour == hour {
            return;
        }
        let limits = policy.limit_rules(&chooser(patient));
        let exactly = normals.exactly;
        let judged: Vec<Judged> = normals
            .all
            .iter()
            .filter_map(|own| judge(own, patient, &policy, &limits, exactly))
            .collect();
        let at = patient.clock;
        let Some(normals) = self.normals.get_mut(id) else { return };
        (normals.moved, normals.exactly, normals.hour) = (false, false, hour);
        self.unsaved_normals.insert(id.clone());
        for judged in &judged {
            let change = change(judged, at);
            self.keep_limit_change(id, &change, cx, out);
            let Some(normals) = self.normals.get_mut(id) else { return };
            if let Some(own) = normals.own_mut(judged.metric) {
                own.followed = judged.now;
            }
            normals.keep(change);
        }
        if exactly || !judged.is_empty() {
            self.take_up_followed(id);
        }
    }

    /// Puts the limits that follow in force.
    pub(crate) fn take_up_followed(&mut self, id: &PatientId) {
        let followed = self.normals.get(id).map(|normals| normals.followed()).unwrap_or_default();
        let policy = self.policy.clone();
        let Some(patient) = self.patients.get_mut(id) else { return };
        patient.followed = followed;
        if let Some(by) = patient.chosen_by.clone() {
            patient.configure(&policy, by);
        }
        self.touch_patient(id);
    }

    /// Keeps a change for good: as a text of the patient's series, with us as the device.
    fn keep_limit_change(
        &mut self,
        id: &PatientId,
        change: &LimitChange,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let series = self.derived_series(id, code::LIMIT_CHANGE, 0, out);
        let recorded = self.patients.get(id).is_some_and(|patient| patient.recorded);
        let flag = if recorded { Quality::RECORDED } else { Quality::empty() };
        let index = cx.next_derived;
        cx.next_derived = cx.next_derived.saturating_add(1);
        let point = Point {
            time: EffectiveTime(change.at),
            received: self.now,
            value: f64::NAN,
            offset: cx.offset,
            index,
            quality: Quality::DERIVED | flag,
        };
        out.push(Effect::Text(series, point, say::change(change)));
    }
}

/// What the limits of one metric are to be; none where nothing changes.
fn judge(
    own: &Own,
    patient: &PatientState,
    policy: &Policy,
    limits: &[LimitRule],
    exactly: bool,
) -> Option<Judged> {
    let metric = own.metric;
    let hour = policy.hour(patient.clock);
    let by_policy = limits.iter().find(|limit| limit.metric == metric);
    let marks = by_policy.map_or((None, None), |limit| (limit.low, limit.high));
    let set = patient.limits.iter().any(|limit| limit.metric == metric);
    let rule = policy.baseline_of(metric, &chooser(patient)).filter(|rule| rule.apply != Apply::Inform);
    let usual = rule.and_then(|rule| own.usual(rule, patient.clock, hour));
    let followed = match (rule, by_policy, usual) {
        (Some(rule), Some(limit), Some(usual)) if !set && whole(limit) => {
            Some((followed(rule, limit, &usual), usual))
        }
        _ => None,
    };
    let now = followed.filter(|(f, _)| f.low_moved != Moved::Not || f.high_moved != Moved::Not);
    let limit = now.map(|(f, _)| Limit { metric, low: f.low, high: f.high });
    let step = say::step(metric) * WORTH_MOVING;
    let same = match (own.followed, limit) {
        (None, None) => true,
        (Some(old), Some(new)) if exactly => old == new,
        (Some(old), Some(new)) => near(old.low, new.low, step) && near(old.high, new.high, step),
        _ => false,
    };
    if same {
        return None;
    }
    let why = match (now, set) {
        (Some((_, usual)), _) => say::why(own, rule, &usual),
        (None, true) => "a clinician set the limits".to_owned(),
        (None, false) if own.paused.is_some() => "paused".to_owned(),
        (None, false) if rule.is_none() => "the policy in force lets no limit follow".to_owned(),
        (None, false) if usual.is_none() => "the own normal is not known".to_owned(),
        (None, false) => "the own normal asks for the policy's limits".to_owned(),
    };
    Some(Judged { metric, now: limit, before: own.followed, policy: marks, why })
}

/// Whether each critical mark has a plain one before it: a patient's limits would drop it otherwise.
fn whole(limit: &LimitRule) -> bool {
    (limit.critical_low.is_none() || limit.low.is_some())
        && (limit.critical_high.is_none() || limit.high.is_some())
}

fn followed(rule: &BaselineRule, limit: &LimitRule, usual: &Usual) -> Followed {
    let distance = |plain: Option<f64>, percent: Option<f64>| {
        let percent = percent.map(|percent| percent / 100.0 * usual.centre.abs());
        plain.into_iter().chain(percent).reduce(f64::max)
    };
    let wide = rule.apply == Apply::Follow;
    let bounds = Bounds {
        low: limit.low,
        high: limit.high,
        critical_low: limit.critical_low,
        critical_high: limit.critical_high,
        below: distance(rule.below, rule.below_percent),
        above: distance(rule.above, rule.above_percent),
        never_below: rule.never_below.filter(|_| wide),
        never_above: rule.never_above.filter(|_| wide),
        low_at_most: rule.low_at_most,
        high_at_least: rule.high_at_least,
        step: say::step(rule.metric),
    };
    follow(usual.centre, &bounds)
}

fn near(old: Option<f64>, new: Option<f64>, step: f64) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => (old - new).abs() < step - f64::EPSILON,
        (old, new) => old.is_none() && new.is_none(),
    }
}

fn change(judged: &Judged, at: i64) -> LimitChange {
    let limits = judged.now.map_or(judged.policy, |limit| (limit.low, limit.high));
    let wider = |limit: Limit| {
        let (low, high) = judged.policy;
        limit.low.zip(low).is_some_and(|(own, policy)| own < policy)
            || limit.high.zip(high).is_some_and(|(own, policy)| own > policy)
    };
    let event = match judged.now {
        None => LimitEvent::Back,
        Some(limit) if wider(limit) => LimitEvent::Widened,
        Some(_) => LimitEvent::Tightened,
    };
    let before = judged.before.map_or(judged.policy, |limit| (limit.low, limit.high));
    let why = format!("{}; before {}", judged.why, say::range(judged.metric, before));
    LimitChange { at, metric: judged.metric, event, limits, why, by: "system".to_owned() }
}
