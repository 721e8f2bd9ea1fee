//! Alarm floods: more alarms than one can attend to.

use serde::{Deserialize, Serialize};

use crate::record::Alert;

/// Ten alarms in ten minutes begin a flood; it is over when fewer than five come in ten minutes
/// (ANSI/ISA-18.2-2016 on alarm floods; EEMUA publication 191).
const BEGINS: usize = 10;
const OVER_BELOW: usize = 5;
const WINDOW_US: i64 = 600_000_000;
/// Alerts named of each flood.
const NAMED: usize = 5;

/// A flood, at one bed or in one unit: that is what one person or one team attends to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenFlood))]
pub struct Flood {
    /// Care unit.
    pub unit: String,
    /// Bed; empty for a flood of the whole unit.
    pub bed: String,
    /// First alarm, in milliseconds since 1970.
    pub from_ms: i64,
    /// Last alarm.
    pub to_ms: i64,
    /// Alarms in it.
    pub alerts: u64,
    /// Most in any ten minutes.
    pub most: u64,
    /// What made most of them, with how many.
    pub mostly: String,
    /// How many that is.
    pub mostly_count: u64,
    /// The first of them, by name.
    pub episodes: Vec<String>,
}

/// Floods among alarms that all ask for the same people, in order of time. `name` says of each
/// alert what made it.
#[must_use]
pub fn floods<'a>(alerts: &[&'a Alert], unit: &str, bed: &str, name: impl Fn(&'a Alert) -> &'a str) -> Vec<Flood> {
    let mut alerts = alerts.to_vec();
    alerts.sort_by_key(|alert| alert.raised);
    let within = |last: usize| {
        let since = alerts[last].raised - WINDOW_US;
        last + 1 - alerts[..=last].partition_point(|alert| alert.raised <= since)
    };
    let mut found = Vec::new();
    let mut next = 0;
    while next < alerts.len() {
        if within(next) < BEGINS {
            next += 1;
            continue;
        }
        let first = next + 1 - within(next);
        let (mut most, mut last) = (within(next), next);
        while let Some(alert) = alerts.get(last + 1) {
            // Between two alarms the rate falls as the older ones leave the window.
            let still = alerts[..=last].iter().rev().take_while(|a| a.raised > alert.raised - WINDOW_US).count();
            if still + 1 < OVER_BELOW {
                break;
            }
            last += 1;
            most = most.max(within(last));
        }
        found.push(told(&alerts[first..=last], (unit, bed), most, &name));
        next = last + 1;
    }
    found
}

fn told<'a>(
    alerts: &[&'a Alert],
    (unit, bed): (&str, &str),
    most: usize,
    name: &impl Fn(&'a Alert) -> &'a str,
) -> Flood {
    let mut names: Vec<&str> = alerts.iter().map(|alert| name(alert)).collect();
    names.sort_unstable();
    let groups = names.chunk_by(|a, b| a == b);
    let mostly = groups.max_by_key(|group| group.len()).unwrap_or_default();
    Flood {
        unit: unit.to_owned(),
        bed: bed.to_owned(),
        from_ms: alerts.first().map_or(0, |alert| alert.raised / 1_000),
        to_ms: alerts.last().map_or(0, |alert| alert.raised / 1_000),
        alerts: alerts.len() as u64,
        most: most as u64,
        mostly: mostly.first().copied().unwrap_or_default().to_owned(),
        mostly_count: mostly.len() as u64,
        episodes: alerts.iter().take(NAMED).map(|alert| alert.episode.to_string()).collect(),
    }
}
