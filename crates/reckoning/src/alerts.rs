//! Alerts as `burden` knows them, from their rows, records and histories.

use std::collections::{HashMap, HashSet};

use alert::ConditionKey;
use burden::{Alert, Call, Priority, Verdict};
use serde::Deserialize;
use store::{AlertEventRow, AlertQuery, AlertRow, Page, Read, SeriesFilter, Span, StoreError};
use vitals::{EpisodeId, LocationId, MetricCode, ReadingRef, SeriesId};

use crate::places::Places;
use crate::{Asked, RoleOf};

/// Alerts that one answer looks at, the newest.
pub const ALERTS_MAX: usize = 250_000;
/// Alerts read at a time.
const PAGE: u64 = 20_000;
/// Series looked up at a time.
const SERIES: usize = 500;
/// Characters of a title.
const TITLE: usize = 80;
/// What the platform itself is called as a device.
const OURSELVES: &str = "vitalwire";

/// What the record of an alert says that is asked here; the record says more.
#[derive(Deserialize)]
struct Record {
    episode: Episode,
    location: Option<LocationId>,
}

#[derive(Deserialize)]
struct Episode {
    condition: ConditionKey,
    title: String,
    reason: String,
    readings: Vec<ReadingRef>,
}

/// A limit that an alert went beyond, to be looked up.
pub(crate) struct Beyond {
    /// Which of the alerts.
    pub(crate) alert: usize,
    pub(crate) metric: MetricCode,
    pub(crate) below: bool,
    pub(crate) reason: String,
    pub(crate) readings: Vec<ReadingRef>,
}

/// What was read.
pub(crate) struct Alerts {
    pub(crate) alerts: Vec<Alert>,
    pub(crate) beyond: Vec<Beyond>,
    pub(crate) series: HashMap<SeriesId, (MetricCode, String)>,
    pub(crate) cut: bool,
}

pub(crate) fn read(
    store: &dyn Read,
    places: &Places,
    asked: &Asked,
    role_of: RoleOf<'_>,
) -> Result<Alerts, StoreError> {
    let mut read = Alerts { alerts: Vec::new(), beyond: Vec::new(), series: HashMap::new(), cut: false };
    let mut about: Vec<Vec<ReadingRef>> = Vec::new();
    let mut to = asked.to;
    loop {
        // By time, not by number: an index leads to where the last page ended.
        let query = AlertQuery {
            raised: Span { from: Some(asked.from), to: Some(to) },
            page: Page { skip: 0, limit: PAGE },
            ..AlertQuery::default()
        };
        let rows = store.alerts(&query)?.rows;
        let Some(oldest) = rows.last().map(|row| row.raised.0) else { break };
        let whole = (rows.len() as u64) < PAGE;
        // Those raised at the very moment where the page ends come again with the next one.
        let newer: Vec<AlertRow> = rows.into_iter().filter(|row| whole || row.raised.0 > oldest).collect();
        let named: Vec<EpisodeId> = newer.iter().map(|row| row.episode).collect();
        for (row, events) in newer.into_iter().zip(store.alert_histories(&named)?) {
            let Ok(record) = serde_json::from_slice::<Record>(&row.body) else { continue };
            let alert = one(&row, &record, &events, places, role_of);
            if !asked.takes(&alert.unit) {
                continue;
            }
            if let ConditionKey::Limit(metric) = record.episode.condition {
                read.beyond.push(Beyond {
                    alert: read.alerts.len(),
                    metric,
                    below: record.episode.title.ends_with(" low"),
                    reason: record.episode.reason,
                    readings: record.episode.readings.clone(),
                });
            }
            about.push(if alert.device.is_empty() { record.episode.readings } else { Vec::new() });
            read.alerts.push(alert);
        }
        if whole {
            break;
        }
        if read.alerts.len() >= ALERTS_MAX {
            read.cut = true;
            break;
        }
        // A moment with more alerts than a page holds is passed over rather than read for ever.
        to = if to == oldest + 1 { oldest } else { oldest + 1 };
    }
    read.series = series(store, about.iter().flatten())?;
    for (alert, readings) in read.alerts.iter_mut().zip(&about) {
        let devices = readings.iter().filter_map(|reading| read.series.get(&reading.series));
        let theirs = devices.map(|(_, device)| device).find(|device| device.as_str() != OURSELVES);
        if let Some(device) = theirs {
            alert.device.clone_from(device);
        }
    }
    Ok(read)
}

/// Metric and device of the series that readings are in.
fn series<'a>(
    store: &dyn Read,
    readings: impl Iterator<Item = &'a ReadingRef>,
) -> Result<HashMap<SeriesId, (MetricCode, String)>, StoreError> {
    let ids: HashSet<SeriesId> = readings.map(|reading| reading.series).collect();
    let ids: Vec<SeriesId> = ids.into_iter().collect();
    let mut found = HashMap::new();
    for part in ids.chunks(SERIES) {
        let filter = SeriesFilter { ids: part.to_vec(), ..SeriesFilter::default() };
        for one in store.series(&filter)? {
            found.insert(one.id, (one.key.metric, one.key.device.to_string()));
        }
    }
    Ok(found)
}

fn one(
    row: &AlertRow,
    record: &Record,
    events: &[AlertEventRow],
    places: &Places,
    role_of: RoleOf<'_>,
) -> Alert {
    let (unit, bed) = places.of(record.location.as_ref());
    let told = History::of(events, role_of);
    let resolved = told.resolved.or((!row.open).then_some(row.changed.0));
    Alert {
        episode: row.episode.to_string(),
        raised: row.raised.0,
        ended: resolved,
        priority: told.highest.max(match row.priority {
            3.. => Priority::High,
            2 => Priority::Medium,
            _ => Priority::Low,
        }),
        unit: if row.unit.is_empty() { unit.to_owned() } else { row.unit.clone() },
        bed: bed.to_owned(),
        device: row.device.as_ref().map_or_else(String::new, ToString::to_string),
        rule: record.episode.title.chars().take(TITLE).collect(),
        patient: row.patient.as_ref().map_or_else(String::new, ToString::to_string),
        taken: told.taken,
        calls: told.calls,
        verdict: told.verdict,
        extreme: None,
    }
}

/// What happened to an alert, as far as it is asked here.
struct History {
    highest: Priority,
    taken: Option<(i64, String)>,
    calls: Vec<Call>,
    verdict: Option<Verdict>,
    resolved: Option<i64>,
}

impl History {
    fn of(events: &[AlertEventRow], role_of: RoleOf<'_>) -> Self {
        let mut told =
            Self { highest: Priority::Low, taken: None, calls: Vec::new(), verdict: None, resolved: None };
        let mut quiet = false;
        for event in events {
            let body: serde_json::Value = serde_json::from_slice(&event.body).unwrap_or_default();
            let word = |key: &str| body[key].as_str().unwrap_or_default();
            told.highest = told.highest.max(match word("priority") {
                "high" => Priority::High,
                "medium" => Priority::Medium,
                _ => Priority::Low,
            });
            let call = |passed_on| Call { at: event.at.0, passed_on };
            match event.kind.as_str() {
                "raised" | "sounding" => told.calls.push(call(false)),
                // One that nobody has taken sounds already.
                "worsened" if quiet => told.calls.push(call(false)),
                "escalated" => told.calls.push(call(true)),
                "acknowledged" | "snoozed" if told.taken.is_none() => {
                    told.taken = Some((event.at.0, role_of(&event.actor).unwrap_or_default()));
                }
                "judged" => told.verdict = Verdict::from_name(word("verdict")),
                "resolved" => told.resolved = Some(event.at.0),
                _ => {}
            }
            quiet = match event.kind.as_str() {
                "acknowledged" | "snoozed" => true,
                "raised" | "sounding" | "worsened" | "escalated" => false,
                _ => quiet,
            };
        }
        told
    }
}
