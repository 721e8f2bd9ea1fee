//! A normal and its limits in words.

use alert::BaselineRule;
use baseline::Usual;
use vitals::MetricCode;

use super::{LimitChange, Own};
use crate::telling::{number, say};

const HOUR: i64 = 3_600_000_000;

/// `HR 40–130 /min → widened: own normal …`
pub(super) fn change(change: &LimitChange) -> String {
    let label = change.metric.metric().map_or_else(|| change.metric.refid(), |row| row.label.to_owned());
    let range = range(change.metric, change.limits);
    format!("{label} limits {range}, {} by {}: {}", change.event.name(), change.by, change.why)
}

/// `40–130`, `≥ 88`, `≤ 39`, `none`
pub(super) fn range(metric: MetricCode, limits: (Option<f64>, Option<f64>)) -> String {
    match limits {
        (Some(low), Some(high)) => format!("{}–{}", number(metric, low), number(metric, high)),
        (Some(low), None) => format!("≥ {}", number(metric, low)),
        (None, Some(high)) => format!("≤ {}", number(metric, high)),
        (None, None) => "none".to_owned(),
    }
}

/// Where a limit that follows comes from.
pub(super) fn why(own: &Own, rule: Option<&BaselineRule>, usual: &Usual) -> String {
    let level = say(own.metric, usual.centre);
    if let Some((_, said)) = &own.stated {
        return format!("own normal {level}, stated by {} ({})", said.by, said.reason);
    }
    let spread = number(own.metric, usual.spread);
    let half = rule.map_or(0, |rule| rule.half_life_us / HOUR);
    let hours = if rule.is_some_and(|rule| rule.circadian) { ", by hour of the day" } else { "" };
    format!("own normal {level} ± {spread} from {} periods, half-life {half} h{hours}", own.normal.slots())
}

/// The last digit that people read of a metric.
pub(super) fn step(metric: MetricCode) -> f64 {
    let decimals = metric.metric().map_or(0, |row| row.decimals);
    1.0 / (0..decimals).fold(1.0, |power, _| power * 10.0)
}
