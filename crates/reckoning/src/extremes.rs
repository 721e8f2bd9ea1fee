//! How far alerts of limits went: the value furthest beyond the limit while each lasted.

use alert::{LimitRule, Policy};
use burden::Extreme;
use store::{Read, Span, StoreError};

use crate::alerts::{Alerts, Beyond};

/// Alerts of limits whose values are looked up, the newest.
pub const LIMITS_MAX: usize = 3_000;
/// Of an alert that lasted longer, this much is looked at, in microseconds: six hours.
const LOOKED_US: i64 = 6 * 3_600_000_000;
/// The clocks of values and alerts may differ by this much.
const APART_US: i64 = 1_000_000;

/// Looks up the extremes of the alerts that are of the policy's limits. A patient's own limits are
/// no question of the policy's: their alerts are left as they are.
pub(crate) fn look_up(store: &dyn Read, policy: &Policy, read: &mut Alerts) -> Result<(), StoreError> {
    let Alerts { alerts, beyond, .. } = read;
    for one in beyond {
        let Some(alert) = alerts.get_mut(one.alert) else { continue };
        let Some((mark, held_us)) = mark(policy, one, &alert.unit) else { continue };
        let to = alert.ended.unwrap_or(i64::MAX).min(alert.raised + LOOKED_US);
        // It held for a while before it was an alert.
        let span = Span { from: Some(alert.raised - held_us - APART_US), to: Some(to.saturating_add(1)) };
        let points = store.points(one.series, span)?;
        let values = points.iter().map(|point| point.value).filter(|value| value.is_finite());
        let value = if one.below { values.reduce(f64::min) } else { values.reduce(f64::max) };
        let Some((value, metric)) = value.zip(one.metric.metric()) else { continue };
        alert.extreme = Some(Extreme {
            metric: metric.name.to_owned(),
            unit: metric.unit.display().to_owned(),
            mark,
            below: one.below,
            value,
        });
    }
    Ok(())
}

/// The policy's limit that the alert says it went beyond, and for how long it must hold.
fn mark(policy: &Policy, one: &Beyond, unit: &str) -> Option<(f64, i64)> {
    let here = |rule: &&LimitRule| {
        rule.metric == one.metric && (rule.units.is_empty() || rule.units.iter().any(|name| name == unit))
    };
    policy.limits.iter().filter(here).find_map(|rule| {
        let (mark, critical) = match one.below {
            true => (rule.low, rule.critical_low),
            false => (rule.high, rule.critical_high),
        };
        let said = |mark: &f64| one.marks.iter().any(|said| **said == *mark.to_string());
        let ours = mark.iter().chain(&critical).any(said);
        mark.or(critical).filter(|_| ours).map(|mark| (mark, rule.for_us))
    })
}
