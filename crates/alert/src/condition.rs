//! Conditions: from values to "this holds now", with duration, hysteresis and clearing delay.

use serde::{Deserialize, Serialize};
use vitals::MetricCode;
use vitals::time::SECOND;

use crate::expression::{Comparison, Expression, Term, Truth};
use crate::policy::{Level, LimitRule, Policy, Priority};

mod elsewhere;

/// Which condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKey {
    /// A rule of the policy, by id.
    Rule(String),
    /// The limits of a metric.
    Limit(MetricCode),
    /// Silence of a device, by id.
    Gap(String),
    /// An alarm that a device raised, by a name that holds device and alarm.
    Alarm(String),
}

/// A patient's own limits of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// Of what.
    pub metric: MetricCode,
    /// Alarm below this.
    pub low: Option<f64>,
    /// Alarm above this.
    pub high: Option<f64>,
}

/// What decides which rules apply to a patient.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The care unit's name, if the patient is in one.
    pub unit: Option<&'a str>,
    /// Age in years, if known; unknown counts as adult.
    pub age_years: Option<f64>,
    /// The patient's own limits.
    pub own: &'a [Limit],
}

/// A condition that holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Active<'a> {
    /// Which.
    pub key: &'a ConditionKey,
    /// How urgent.
    pub priority: Priority,
    /// How far past the mark of its least urgent level, in the deciding comparison's unit.
    pub excess: f64,
    /// Of a limit: whether the value is below the low one, rather than above the high one.
    pub below: bool,
    /// Excess growth that makes a taken alert sound again.
    pub worsen_by: f64,
    /// The alert that it belongs to.
    pub group: &'a str,
    /// What people read.
    pub title: &'a str,
    /// The rule in force at its priority, as the policy says it.
    pub rule: &'a str,
    /// The metrics that it looks at.
    pub terms: &'a [Term],
    /// Whether it stays until reset.
    pub latch: bool,
    /// Index of its chain in the policy.
    pub chain: usize,
}

/// Pending durations survive missing values for this long: a sample lost to motion does not start
/// the count again.
const GRACE: i64 = 30 * SECOND;

/// The conditions of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Conditions {
    states: Vec<State>,
    #[serde(skip)]
    plan: Vec<Plan>,
    /// After this long without the values that decide it, a condition ends, in microseconds.
    #[serde(skip)]
    hold_us: i64,
    /// The same where somebody else tells when it ends.
    #[serde(skip)]
    longer_us: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    key: ConditionKey,
    /// Most urgent first, like the rule's.
    levels: [LevelState; 3],
    excess: f64,
    below: bool,
    /// Since when a value that decides it has been missing.
    unknown_since: Option<i64>,
    /// Whether it ended because its values stayed away.
    given_up: bool,
}

/// One level: on after it has held for its duration, off after it has been clear for long enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct LevelState {
    on: bool,
    held_since: Option<i64>,
    clear_since: Option<i64>,
}

/// What a state is judged by: compiled from the policy, never stored.
#[derive(Debug, Clone, PartialEq)]
struct Plan {
    levels: Vec<Level>,
    /// Each level in words; for a limit, what lies above and what below.
    rules: Vec<[String; 2]>,
    hysteresis: f64,
    clear_us: i64,
    worsen_by: f64,
    group: String,
    title: String,
    /// For a limit, when the value is below it.
    title_below: String,
    terms: Vec<Term>,
    latch: bool,
    chain: usize,
}

impl Conditions {
    /// Takes up the rules that apply now; what is known of conditions that stay is kept. To be
    /// called after reading back a stored state, and when policy, unit, age or limits change.
    pub fn configure(&mut self, policy: &Policy, limits: &Limits<'_>) {
        let mut old = std::mem::take(&mut self.states);
        self.hold_us = policy.hold_us;
        self.plan.clear();
        for (key, plan) in plans(policy, limits) {
            let state = match old.iter().position(|state| state.key == key) {
                Some(at) => old.swap_remove(at),
                None => State {
                    key,
                    levels: Default::default(),
                    excess: 0.0,
                    below: false,
                    unknown_since: None,
                    given_up: false,
                },
            };
            self.states.push(state);
            self.plan.push(plan);
        }
    }

    /// Whether any condition looks at this metric.
    #[must_use]
    pub fn looks_at(&self, metric: MetricCode) -> bool {
        self.plan.iter().any(|plan| plan.terms.contains(&metric))
    }

    /// Judges all conditions at `now` (microseconds) and gives those that hold.
    pub fn step(&mut self, value: &impl Fn(Term) -> Option<f64>, now: i64) -> Vec<Active<'_>> {
        self.judge(value, now);
        self.active()
    }

    /// Judges all conditions at `now` (microseconds).
    pub fn judge(&mut self, value: &impl Fn(Term) -> Option<f64>, now: i64) {
        for (state, plan) in self.states.iter_mut().zip(&self.plan) {
            state.step(plan, value, now, self.hold_us.max(self.longer_us));
        }
    }

    /// The conditions that hold, as last judged.
    #[must_use]
    pub fn active(&self) -> Vec<Active<'_>> {
        let pairs = self.states.iter().zip(&self.plan);
        pairs
            .filter_map(|(state, plan)| {
                let on = state.levels.iter().position(|level| level.on)?;
                let level = plan.levels.get(on)?;
                Some(Active {
                    key: &state.key,
                    priority: level.priority,
                    excess: state.excess,
                    below: state.below,
                    worsen_by: plan.worsen_by,
                    group: &plan.group,
                    title: if state.below { &plan.title_below } else { &plan.title },
                    rule: &plan.rules[on][usize::from(state.below)],
                    terms: &plan.terms,
                    latch: plan.latch,
                    chain: plan.chain,
                })
            })
            .collect()
    }

    /// The alert to which the first condition belongs that looks at this metric.
    #[must_use]
    pub fn group_of(&self, metric: MetricCode) -> Option<&str> {
        self.plan.iter().find(|plan| plan.terms.contains(&metric)).map(|plan| plan.group.as_str())
    }

    /// Whether a condition of this group ended because its values stayed away.
    #[must_use]
    pub fn given_up(&self, group: &str) -> bool {
        let pairs = self.states.iter().zip(&self.plan);
        pairs.into_iter().any(|(state, plan)| state.given_up && plan.group == group)
    }

    /// When a duration or clearing delay next runs out; [`Self::step`] is due then.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        let pairs = self.states.iter().zip(&self.plan);
        pairs.filter_map(|(state, plan)| state.due(plan, self.hold_us.max(self.longer_us))).min()
    }
}

impl State {
    fn step(&mut self, plan: &Plan, value: &impl Fn(Term) -> Option<f64>, now: i64, hold: i64) {
        let mut unknown = false;
        let mut higher_on = false;
        let mut excess = None;
        for (state, level) in self.levels.iter_mut().zip(&plan.levels) {
            // A level that is on stays so within its hysteresis.
            match level.when.evaluate(value, if state.on { plan.hysteresis } else { 0.0 }) {
                Truth::True(past) => {
                    let since = *state.held_since.get_or_insert(now);
                    state.clear_since = None;
                    // Below a level that is on, the lower ones need no time of their own.
                    state.on |= higher_on || now >= since.saturating_add(level.for_us);
                    excess = Some(past);
                }
                Truth::False => {
                    state.held_since = None;
                    if state.on {
                        let since = *state.clear_since.get_or_insert(now);
                        if now >= since.saturating_add(plan.clear_us) {
                            *state = LevelState::default();
                        }
                    }
                }
                Truth::Unknown => unknown = true,
            }
            higher_on |= state.on;
        }
        if let Some(excess) = excess {
            self.excess = excess;
            self.below = plan.below(value);
        }
        if unknown {
            self.wait(now, hold);
        } else {
            self.unknown_since = None;
            self.given_up = false;
        }
    }

    /// Nothing is known: what held goes on holding, for a while; what was counting waits.
    fn wait(&mut self, now: i64, hold: i64) {
        let waited = now.saturating_sub(*self.unknown_since.get_or_insert(now));
        if waited >= hold {
            self.given_up |= self.levels.iter().any(|level| level.on);
            self.levels = Default::default();
        } else if waited >= GRACE {
            for level in &mut self.levels {
                level.clear_since = None;
                level.held_since = level.held_since.filter(|_| level.on);
            }
        }
    }

    fn due(&self, plan: &Plan, hold: i64) -> Option<i64> {
        let on = self.levels.iter().any(|level| level.on);
        let levels = self.levels.iter().zip(&plan.levels);
        let counting = levels.filter_map(|(state, level)| {
            let held = state.held_since.filter(|_| !state.on).map(|at| at.saturating_add(level.for_us));
            let clear = state.clear_since.map(|at| at.saturating_add(plan.clear_us));
            held.into_iter().chain(clear).min()
        });
        let given_up = self.unknown_since.filter(|_| on).map(|at| at.saturating_add(hold));
        counting.chain(given_up).min()
    }
}

impl Plan {
    /// Of a limit: whether the value is on the low side.
    fn below(&self, value: &impl Fn(Term) -> Option<f64>) -> bool {
        if self.title_below.is_empty() {
            return false;
        }
        let mut below = false;
        for level in &self.levels {
            level.when.comparisons(&mut |term, comparison, mark| {
                let less = matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
                let margin = self.hysteresis;
                below |= less && value(term).is_some_and(|value| value < mark + margin);
            });
        }
        below
    }
}

fn plans(policy: &Policy, limits: &Limits<'_>) -> Vec<(ConditionKey, Plan)> {
    let rules = policy.rules.iter().filter(|rule| {
        applies(limits, &rule.units, rule.age_from, rule.age_below)
    });
    let mut plans: Vec<(ConditionKey, Plan)> = rules
        .map(|rule| {
            let mut terms = Vec::new();
            for level in &rule.levels {
                level.when.comparisons(&mut |term, _, _| {
                    if !terms.contains(&term) {
                        terms.push(term);
                    }
                });
            }
            let plan = Plan {
                levels: rule.levels.clone(),
                rules: rule.levels.iter().map(|level| [level.to_string(), String::new()]).collect(),
                title_below: String::new(),
                hysteresis: rule.hysteresis,
                clear_us: rule.clear_us,
                worsen_by: rule.worsen_by,
                group: rule.group.clone(),
                title: rule.title.clone(),
                terms,
                latch: rule.latch,
                chain: rule.chain,
            };
            (ConditionKey::Rule(rule.id.clone()), plan)
        })
        .collect();
    for rule in effective_limits(policy, limits) {
        plans.push((ConditionKey::Limit(rule.metric), limit_plan(&rule)));
    }
    plans
}

pub(crate) fn applies(limits: &Limits<'_>, units: &[String], from: Option<f64>, below: Option<f64>) -> bool {
    let unit = units.is_empty()
        || limits.unit.is_some_and(|unit| units.iter().any(|name| name.eq_ignore_ascii_case(unit)));
    let age = limits.age_years.unwrap_or(40.0);
    unit && from.is_none_or(|from| age >= from) && below.is_none_or(|below| age < below)
}

/// The limits in force for a patient: the policy's first match per metric — a rule that names the
/// unit goes before one that does not — with the patient's own low and high in place of its.
pub(crate) fn effective_limits(policy: &Policy, limits: &Limits<'_>) -> Vec<LimitRule> {
    let mut chosen: Vec<LimitRule> = Vec::new();
    for named in [true, false] {
        for rule in policy.limits.iter().filter(|rule| rule.units.is_empty() != named) {
            if applies(limits, &rule.units, rule.age_from, rule.age_below)
                && chosen.iter().all(|other| other.metric != rule.metric)
            {
                chosen.push(rule.clone());
            }
        }
    }
    for own in limits.own {
        match chosen.iter_mut().find(|rule| rule.metric == own.metric) {
            Some(rule) => {
                rule.low = own.low;
                rule.high = own.high;
                // A critical mark inside the patient's own limits would alarm on what is allowed.
                rule.critical_low = rule.critical_low.filter(|c| own.low.is_some_and(|l| *c < l));
                rule.critical_high = rule.critical_high.filter(|c| own.high.is_some_and(|h| *c > h));
            }
            None => chosen.push(LimitRule {
                metric: own.metric,
                low: own.low,
                high: own.high,
                critical_low: None,
                critical_high: None,
                for_us: 10_000_000,
                hysteresis: 0.0,
                clear_us: 15_000_000,
                worsen_by: f64::INFINITY,
                group: "deterioration".to_owned(),
                units: Vec::new(),
                age_from: None,
                age_below: None,
            }),
        }
    }
    chosen
}

impl Policy {
    /// The limits in force for a patient, as `(metric, low, high)`.
    #[must_use]
    pub fn limits_for(&self, limits: &Limits<'_>) -> Vec<Limit> {
        effective_limits(self, limits)
            .into_iter()
            .map(|rule| Limit {
                metric: rule.metric,
                low: rule.low.or(rule.critical_low),
                high: rule.high.or(rule.critical_high),
            })
            .collect()
    }
}

fn limit_plan(rule: &LimitRule) -> Plan {
    let name = rule.metric.metric().map_or_else(|| rule.metric.refid(), |m| m.name.to_owned());
    let mut levels = Vec::new();
    let mut rules = Vec::new();
    let marks = [
        (Priority::High, rule.critical_low, rule.critical_high),
        (Priority::Medium, rule.low, rule.high),
    ];
    for (priority, low, high) in marks {
        let compare = |mark: Option<f64>, comparison| {
            mark.map(|mark| Expression::Compare(rule.metric, comparison, mark))
        };
        let (low, high) = (compare(low, Comparison::Less), compare(high, Comparison::Greater));
        let level = |when| Level { priority, when, for_us: rule.for_us };
        let said = |side: &Option<Expression>| {
            side.clone().map_or_else(String::new, |when| level(when).to_string())
        };
        rules.push([said(&high), said(&low)]);
        let parts: Vec<Expression> = low.into_iter().chain(high).collect();
        if parts.is_empty() {
            rules.pop();
        } else {
            levels.push(level(Expression::Or(parts)));
        }
    }
    Plan {
        rules,
        levels,
        hysteresis: rule.hysteresis,
        clear_us: rule.clear_us,
        worsen_by: rule.worsen_by,
        group: rule.group.clone(),
        title: format!("{name} high"),
        title_below: format!("{name} low"),
        terms: vec![rule.metric],
        latch: false,
        chain: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::metric::code;

    const POLICY: &str = r#"
        name = "test"
        [[chain]]
        name = "ward"
        repeat_s = 60
        step = [{ role = "nurse", after_s = 0 }]
        [[limit]]
        metric = "HR"
        high = 120
        critical_high = 150
        for_s = 10
        hysteresis = 5
        clear_s = 10
    "#;

    /// Feeds `(second, heart rate)` and expects the active priority after each.
    fn check(steps: &[(i64, Option<f64>, Option<Priority>)]) {
        let policy = Policy::parse(POLICY).expect("test policy");
        let mut conditions = Conditions::default();
        conditions.configure(&policy, &Limits { unit: None, age_years: None, own: &[] });
        for (second, rate, expected) in steps {
            let value = |term| if term == code::HEART_RATE { *rate } else { None };
            let active = conditions.step(&value, second * 1_000_000);
            assert_eq!(active.first().map(|a| a.priority), *expected, "at {second} s");
        }
    }

    #[test]
    fn a_limit_waits_holds_and_clears() {
        let medium = Some(Priority::Medium);
        check(&[
            (0, Some(130.0), None),
            (9, Some(130.0), None),
            (10, Some(130.0), medium),
            (20, Some(117.0), medium),
            (21, Some(114.0), medium),
            (30, Some(114.0), medium),
            (31, Some(114.0), None),
        ]);
    }

    #[test]
    fn a_short_excursion_does_not_count() {
        check(&[(0, Some(130.0), None), (5, Some(100.0), None), (12, Some(130.0), None)]);
    }

    #[test]
    fn priority_rises_and_falls_with_the_value() {
        let (medium, high) = (Some(Priority::Medium), Some(Priority::High));
        check(&[
            (0, Some(160.0), None),
            (10, Some(160.0), high),
            (11, Some(147.0), high),
            (12, Some(140.0), high),
            (21, Some(140.0), high),
            (22, Some(140.0), medium),
            (23, Some(151.0), medium),
            (33, Some(151.0), high),
        ]);
    }

    #[test]
    fn a_lost_sample_does_not_start_the_count_again() {
        let medium = Some(Priority::Medium);
        check(&[
            (0, Some(130.0), None),
            (4, None, None),
            (5, Some(130.0), None),
            (9, None, None),
            (10, Some(130.0), medium),
        ]);
        check(&[(0, Some(130.0), None), (1, None, None), (31, None, None), (32, Some(130.0), None)]);
    }

    #[test]
    fn what_is_no_longer_measured_ends_after_a_while() {
        let medium = Some(Priority::Medium);
        check(&[
            (0, Some(130.0), None),
            (10, Some(130.0), medium),
            (20, None, medium),
            (20 + 3_599, None, medium),
            (20 + 3_600, None, None),
        ]);
    }

    #[test]
    fn missing_values_hold_what_held() {
        let medium = Some(Priority::Medium);
        check(&[(0, Some(130.0), None), (10, Some(130.0), medium), (500, None, medium)]);
    }

    #[test]
    fn own_limits_take_the_policys_place() {
        let policy = Policy::parse(POLICY).expect("test policy");
        let own = [Limit { metric: code::HEART_RATE, low: Some(50.0), high: Some(160.0) }];
        let limits = policy.limits_for(&Limits { unit: None, age_years: None, own: &own });
        assert_eq!(limits, own);
    }
}
