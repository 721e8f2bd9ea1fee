//! What another limit would have spared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vitals::Verdict;

use crate::record::Alert;

/// How far an alert of a limit went.
#[derive(Debug, Clone, PartialEq)]
pub struct Extreme {
    /// Of what, in words.
    pub metric: String,
    /// Its unit, as people write it.
    pub unit: String,
    /// The limit that was in force.
    pub mark: f64,
    /// Whether it is the lower one.
    pub below: bool,
    /// The value furthest beyond it while the alert lasted.
    pub value: f64,
}

impl Extreme {
    /// How far beyond the limit, in the metric's unit; 0 or more.
    fn beyond(&self) -> f64 {
        if self.below { self.mark - self.value } else { self.value - self.mark }
    }
}

/// One limit, and what moving it would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenLimitChange))]
pub struct LimitChange {
    /// Of what.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// The limit.
    pub mark: f64,
    /// Whether it is the lower one.
    pub below: bool,
    /// Alerts of it whose values are known.
    pub alerts: u64,
    /// What moving it would have done, by how far.
    pub steps: Vec<Step>,
}

/// What moving a limit so far would have done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenStep))]
pub struct Step {
    /// The limit instead.
    pub mark: f64,
    /// Alerts that would not have been.
    pub spared: u64,
    /// How many of those somebody said were actionable.
    pub spared_actionable: u64,
}

/// Fewer alerts than this say nothing about a limit.
const LEAST: usize = 3;

/// Limits by how many alerts they made, and what moving them by a few steps would have spared: the
/// alerts whose value never went beyond the mark moved. Said of what was, not of what would have
/// been: an alert that did not sound might have been longer.
pub(crate) fn limits(alerts: &[Alert]) -> Vec<LimitChange> {
    let mut by_limit: BTreeMap<(String, bool, i64), Vec<(&Alert, &Extreme)>> = BTreeMap::new();
    for alert in alerts {
        let Some(extreme) = alert.extreme.as_ref().filter(|extreme| extreme.beyond() >= 0.0) else { continue };
        let key = (extreme.metric.clone(), extreme.below, (extreme.mark * 1_000.0).round() as i64);
        by_limit.entry(key).or_default().push((alert, extreme));
    }
    let mut found: Vec<LimitChange> = by_limit
        .into_values()
        .filter(|alerts| alerts.len() >= LEAST)
        .filter_map(|alerts| {
            let first = alerts.first()?.1;
            let step = step(first.mark);
            let steps = (1..=5).map(|count| {
                let by = step * f64::from(count);
                let spared = alerts.iter().filter(|(_, extreme)| extreme.beyond() <= by + 1e-9);
                let actionable = spared.clone().filter(|(alert, _)| alert.verdict == Some(Verdict::Actionable));
                Step {
                    mark: if first.below { first.mark - by } else { first.mark + by },
                    spared: spared.count() as u64,
                    spared_actionable: actionable.count() as u64,
                }
            });
            Some(LimitChange {
                metric: first.metric.clone(),
                unit: first.unit.clone(),
                mark: first.mark,
                below: first.below,
                alerts: alerts.len() as u64,
                steps: steps.collect(),
            })
        })
        .collect();
    found.sort_by_key(|limit| std::cmp::Reverse(limit.alerts));
    found
}

/// A step that a person would try: about a fiftieth of the mark, as 0.1, 0.2, 0.5, 1, 2, 5 ….
fn step(mark: f64) -> f64 {
    let wanted = (mark.abs() / 50.0).max(0.1);
    let ten = 10_f64.powf(wanted.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * ten).find(|step| *step >= wanted - 1e-9).unwrap_or(1.0)
}
