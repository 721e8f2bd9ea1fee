//! All figures of a stretch of time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::flood::{Flood, floods};
use crate::limits::{LimitChange, limits};
use crate::monitored::Monitored;
use crate::nuisance::{Chatter, Standing, chatter, standing};
use crate::record::{Alert, Priority, grouped};
use crate::settings::Settings;
use crate::spread::{Share, Spread, share, spread};

/// Rows told of each breakdown; the rest is one sum.
const ROWS: usize = 25;
/// Floods told.
const FLOODS: usize = 100;

/// What figures are made from.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Alerts raised in that time.
    pub alerts: Vec<Alert>,
    /// Who was monitored in it.
    pub monitored: Vec<Monitored>,
    /// First time, in microseconds.
    pub from: i64,
    /// First time after.
    pub to: i64,
    /// Now: what is open is open until then.
    pub now: i64,
}

/// What alarms cost in a stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenFigures))]
pub struct Figures {
    /// Alerts.
    pub alerts: u64,
    /// Bed-days monitored.
    pub bed_days: f64,
    /// Alerts a bed-day; none when nobody was monitored.
    pub per_bed_day: Option<f64>,
    /// Of high, medium and low priority.
    pub high: u64,
    /// Of medium priority.
    pub medium: u64,
    /// Of low priority.
    pub low: u64,
    /// How many ended by themselves within half a minute.
    pub fleeting: Share,
    /// How long alerts lasted that are over.
    pub lasted: Spread,
    /// Until somebody took them, by role and shift.
    pub handling: Vec<Handling>,
    /// Alerts that lasted longer than two minutes and that nobody took.
    pub never_taken: u64,
    /// What clinicians said of them.
    pub judged: Judged,
    /// What happened at night.
    pub night: Night,
    /// By unit.
    pub units: Pareto,
    /// By bed.
    pub beds: Pareto,
    /// By device.
    pub devices: Pareto,
    /// By rule, limit and device alarm.
    pub rules: Pareto,
    /// By weekday and hour at the place.
    pub hours: Vec<Vec<u64>>,
    /// Floods, at beds and in units, in order of time.
    pub floods: Vec<Flood>,
    /// Minutes of all unit floods together.
    pub flood_minutes: f64,
    /// What comes and goes.
    pub chatter: Vec<Chatter>,
    /// What stood for a day.
    pub standing: Vec<Standing>,
    /// What other limits would have spared.
    pub limits: Vec<LimitChange>,
}

/// Until somebody came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenHandling))]
pub struct Handling {
    /// Role of who came; may be empty.
    pub role: String,
    /// Shift in which it was raised.
    pub shift: String,
    /// How long it took.
    pub took: Spread,
}

/// What clinicians said that alerts were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenJudged))]
pub struct Judged {
    /// Actionable, of all that were judged.
    pub actionable: Share,
    /// True, but nothing was to be done.
    pub not_actionable: u64,
    /// Not true.
    pub artefact: u64,
}

/// What happened at night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenNight))]
pub struct Night {
    /// Alerts raised at night.
    pub alerts: u64,
    /// How often somebody was asked at night: sounded, sounded again, passed on.
    pub calls: u64,
    /// How many of these were passed on to the next in the chain.
    pub passed_on: u64,
}

/// The few that make most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenPareto))]
pub struct Pareto {
    /// The largest, first.
    pub rows: Vec<Row>,
    /// How many others there are.
    pub others: u64,
    /// Alerts of these.
    pub other_alerts: u64,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenRow))]
pub struct Row {
    /// Which: unit, bed, device or rule; empty when nobody knows.
    pub name: String,
    /// For a bed, its unit.
    pub unit: String,
    /// Alerts.
    pub alerts: u64,
    /// Share of all, 0 to 1.
    pub share: f64,
    /// Share of all of this one and those before it.
    pub together: f64,
    /// Of high priority.
    pub high: u64,
    /// Ended by themselves within half a minute.
    pub fleeting: u64,
    /// Somebody said they were actionable, of all judged.
    pub actionable: Share,
    /// For a bed or a unit: bed-days monitored.
    pub bed_days: Option<f64>,
    /// The newest, by name.
    pub newest: String,
}

/// Somebody is asked for longer than this before it counts that nobody came.
const NEVER_TAKEN_US: i64 = 120_000_000;

/// Works it all out.
#[must_use]
pub fn figures(input: &Input, settings: &Settings) -> Figures {
    let alerts = &input.alerts;
    let count = |wanted: Priority| alerts.iter().filter(|alert| alert.priority == wanted).count() as u64;
    let bed_days: f64 = input.monitored.iter().map(|one| one.days).sum();
    let total = alerts.len() as u64;
    let over = alerts.iter().filter_map(|alert| alert.ended.map(|ended| ended - alert.raised));
    let alone = |alert: &&Alert| {
        alert.taken.is_none() && alert.ended.unwrap_or(input.now) - alert.raised > NEVER_TAKEN_US
    };
    let mut hours = vec![vec![0; 24]; 7];
    for alert in alerts {
        let (day, hour) = settings.hour(alert.raised);
        hours[day][usize::try_from(hour).unwrap_or_default()] += 1;
    }
    let units = grouped(alerts, |alert| (&*alert.unit, ""));
    let beds = grouped(alerts, |alert| (&*alert.bed, &*alert.unit));
    let found = all_floods(&units, &beds);
    let unit_floods = found.iter().filter(|flood| flood.bed.is_empty());
    Figures {
        alerts: total,
        bed_days,
        per_bed_day: (bed_days > 0.0).then(|| total as f64 / bed_days),
        high: count(Priority::High),
        medium: count(Priority::Medium),
        low: count(Priority::Low),
        fleeting: share(alerts.iter().filter(|alert| alert.fleeting()).count() as u64, total),
        lasted: spread(over.collect()),
        handling: handling(alerts, settings),
        never_taken: alerts.iter().filter(alone).count() as u64,
        judged: judged(alerts.iter()),
        night: night(alerts, settings),
        units: pareto(units, &days(input, |one| (&one.unit, ""))),
        beds: pareto(beds, &days(input, |one| (&one.bed, &one.unit))),
        devices: pareto(grouped(alerts, |alert| (&*alert.device, "")), &BTreeMap::new()),
        rules: pareto(grouped(alerts, |alert| (&*alert.rule, "")), &BTreeMap::new()),
        hours,
        flood_minutes: unit_floods.map(|flood| (flood.to_ms - flood.from_ms) as f64 / 60e3).sum(),
        floods: found,
        chatter: chatter(alerts),
        standing: standing(alerts, input.now),
        limits: limits(alerts),
    }
}

/// By which two words something is grouped.
type Key<'a> = (&'a str, &'a str);

fn days<'a>(input: &'a Input, key: impl Fn(&'a Monitored) -> Key<'a>) -> BTreeMap<Key<'a>, f64> {
    let mut days = BTreeMap::new();
    for one in &input.monitored {
        *days.entry(key(one)).or_default() += one.days;
    }
    days
}

fn pareto(mut groups: Vec<(Key<'_>, Vec<&Alert>)>, days: &BTreeMap<Key<'_>, f64>) -> Pareto {
    groups.sort_by_key(|(_, alerts)| std::cmp::Reverse(alerts.len()));
    let total = groups.iter().map(|(_, alerts)| alerts.len()).sum::<usize>().max(1) as f64;
    let mut before = 0;
    let told = groups.iter().take(ROWS).map(|((name, unit), own)| {
        before += own.len();
        Row {
            name: (*name).to_owned(),
            unit: (*unit).to_owned(),
            alerts: own.len() as u64,
            share: own.len() as f64 / total,
            together: before as f64 / total,
            high: own.iter().filter(|alert| alert.priority == Priority::High).count() as u64,
            fleeting: own.iter().filter(|alert| alert.fleeting()).count() as u64,
            actionable: judged(own.iter().copied()).actionable,
            bed_days: days.get(&(*name, *unit)).copied(),
            newest: own.iter().max_by_key(|alert| alert.raised).map_or_else(String::new, |a| a.episode.to_string()),
        }
    });
    let rows: Vec<Row> = told.collect();
    let rest = groups.iter().skip(ROWS);
    let (others, other_alerts) = rest.fold((0, 0), |(n, sum), (_, own)| (n + 1, sum + own.len() as u64));
    Pareto { rows, others, other_alerts }
}

fn judged<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Judged {
    let mut counts = [0; 3];
    for verdict in alerts.filter_map(|alert| alert.verdict) {
        counts[verdict as usize] += 1;
    }
    let [actionable, not_actionable, artefact] = counts;
    Judged { actionable: share(actionable, counts.iter().sum()), not_actionable, artefact }
}

fn handling(alerts: &[Alert], settings: &Settings) -> Vec<Handling> {
    let mut took: BTreeMap<Key<'_>, Vec<i64>> = BTreeMap::new();
    for alert in alerts {
        if let Some((at, role)) = &alert.taken {
            took.entry((role, settings.shift(alert.raised))).or_default().push(at - alert.raised);
        }
    }
    let tell = |((role, shift), times): (Key<'_>, Vec<i64>)| Handling {
        role: role.to_owned(),
        shift: shift.to_owned(),
        took: spread(times),
    };
    took.into_iter().map(tell).collect()
}

fn night(alerts: &[Alert], settings: &Settings) -> Night {
    let calls = || alerts.iter().flat_map(|alert| &alert.calls).filter(|call| settings.night(call.at));
    Night {
        alerts: alerts.iter().filter(|alert| settings.night(alert.raised)).count() as u64,
        calls: calls().count() as u64,
        passed_on: calls().filter(|call| call.passed_on).count() as u64,
    }
}

/// Floods of every unit, and of every bed, in order of time.
fn all_floods(units: &[(Key<'_>, Vec<&Alert>)], beds: &[(Key<'_>, Vec<&Alert>)]) -> Vec<Flood> {
    let of_units = units.iter().flat_map(|((unit, _), alerts)| floods(alerts, unit, "", |alert| &alert.bed));
    let mut known: Vec<_> = beds.iter().filter(|((bed, _), _)| !bed.is_empty()).collect();
    known.sort_by_key(|((bed, unit), _)| (*unit, *bed));
    let of_beds = known.into_iter().flat_map(|((bed, unit), alerts)| floods(alerts, unit, bed, |alert| &alert.rule));
    let mut found: Vec<Flood> = of_units.chain(of_beds).collect();
    if found.len() > FLOODS {
        found.sort_by_key(|flood| std::cmp::Reverse(flood.alerts));
        found.truncate(FLOODS);
    }
    found.sort_by_key(|flood| flood.from_ms);
    found
}
