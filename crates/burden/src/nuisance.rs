//! Chattering and standing alarms.

use serde::{Deserialize, Serialize};

use crate::record::{Alert, grouped};

/// Three of one kind within a minute chatter (ANSI/ISA-18.2-2016; EEMUA publication 191).
const CHATTER: usize = 3;
const CHATTER_US: i64 = 60_000_000;
/// So many that ended by themselves within half a minute, in an hour, are a nuisance, too.
const FLEETING: usize = 5;
const FLEETING_WITHIN_US: i64 = 3_600_000_000;
/// What stands this long has become furniture (ISA-18.2: stale alarms, 24 hours).
const STANDING_US: i64 = 86_400_000_000;
/// Most that are told of either.
const MOST: usize = 50;
/// Alerts named of each.
const NAMED: usize = 5;

/// One kind of alarm at one bed that comes and goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenChatter))]
pub struct Chatter {
    /// Care unit.
    pub unit: String,
    /// Bed.
    pub bed: String,
    /// Device.
    pub device: String,
    /// Rule, limit or device alarm.
    pub rule: String,
    /// How often it came in all.
    pub alerts: u64,
    /// How many of them within a minute of two others.
    pub chattered: u64,
    /// How many ended by themselves within half a minute.
    pub fleeting: u64,
    /// Most within one minute.
    pub most: u64,
    /// First of them, in milliseconds since 1970.
    pub from_ms: i64,
    /// Last of them.
    pub to_ms: i64,
    /// The last of them, by name.
    pub episodes: Vec<String>,
}

/// An alarm that stood for a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenStanding))]
pub struct Standing {
    /// Its name.
    pub episode: String,
    /// Care unit.
    pub unit: String,
    /// Bed.
    pub bed: String,
    /// Rule, limit or device alarm.
    pub rule: String,
    /// For how long, in hours.
    pub hours: f64,
    /// Whether it still does.
    pub open: bool,
}

/// Kinds of alarm that chatter, the worst first.
pub(crate) fn chatter(alerts: &[Alert]) -> Vec<Chatter> {
    let kinds = grouped(alerts, |alert| [&*alert.unit, &*alert.bed, &*alert.device, &*alert.rule]);
    let mut found: Vec<Chatter> = kinds.into_iter().filter_map(|(key, mut alerts)| {
        alerts.sort_by_key(|alert| alert.raised);
        let times: Vec<i64> = alerts.iter().map(|alert| alert.raised).collect();
        let (chattered, most) = dense(&times, CHATTER, CHATTER_US);
        let fleeting: Vec<i64> = alerts.iter().filter(|alert| alert.fleeting()).map(|alert| alert.raised).collect();
        let nuisance = dense(&fleeting, FLEETING, FLEETING_WITHIN_US).0;
        if chattered == 0 && nuisance == 0 {
            return None;
        }
        let [unit, bed, device, rule] = key.map(str::to_owned);
        Some(Chatter {
            unit,
            bed,
            device,
            rule,
            alerts: times.len() as u64,
            chattered: chattered as u64,
            fleeting: fleeting.len() as u64,
            most: most as u64,
            from_ms: times.first().copied().unwrap_or_default() / 1_000,
            to_ms: times.last().copied().unwrap_or_default() / 1_000,
            episodes: alerts.iter().rev().take(NAMED).map(|alert| alert.episode.to_string()).collect(),
        })
    })
    .collect();
    found.sort_by_key(|one| std::cmp::Reverse((one.chattered.max(one.fleeting), one.alerts)));
    found.truncate(MOST);
    found
}

/// How many times lie in a window of `within` that holds at least `least` of them, and the most in
/// any. Times are in order.
fn dense(times: &[i64], least: usize, within: i64) -> (usize, usize) {
    let (mut counted, mut upto, mut most) = (0, 0, usize::from(!times.is_empty()));
    for (last, at) in times.iter().enumerate() {
        let first = times.partition_point(|time| *time <= at - within);
        let held = last + 1 - first;
        most = most.max(held);
        if held >= least {
            counted += last + 1 - first.max(upto);
            upto = last + 1;
        }
    }
    (counted, most)
}

/// Alarms that stood for a day or longer by `now`, the longest first.
pub(crate) fn standing(alerts: &[Alert], now: i64) -> Vec<Standing> {
    let stood = |alert: &Alert| alert.ended.unwrap_or(now) - alert.raised;
    let mut found: Vec<&Alert> = alerts.iter().filter(|alert| stood(alert) >= STANDING_US).collect();
    found.sort_by_key(|alert| std::cmp::Reverse(stood(alert)));
    found.truncate(MOST);
    let tell = |alert: &Alert| Standing {
        episode: alert.episode.to_string(),
        unit: alert.unit.to_string(),
        bed: alert.bed.to_string(),
        rule: alert.rule.to_string(),
        hours: (stood(alert) as f64 / 360e6).round() / 10.0,
        open: alert.ended.is_none(),
    };
    found.into_iter().map(tell).collect()
}
