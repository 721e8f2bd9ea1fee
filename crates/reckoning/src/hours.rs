//! Alerts by the hour in which they were raised: read from their rows and histories, kept as bytes once
//! the hour is over, and read from those as long as nothing of them changed. What may change without an
//! alert's changing (names of places, roles, the policy) is not in them.

use std::collections::{HashMap, HashSet};

use alert::ConditionKey;
use burden::{Call, Priority, Verdict};
use serde::{Deserialize, Serialize};
use store::{AlertEventRow, AlertHour, AlertQuery, AlertRow, Page, Read, Side, Span, StoreError};
use vitals::time::HOUR;
use vitals::{DeviceId, EpisodeId, LocationId, MetricCode, ReadingRef, SeriesId};

/// Alerts read at a time.
const PAGE: u64 = 20_000;
/// Hours kept in one transaction.
const KEPT_AT_ONCE: usize = 24;
/// Characters of a title.
const TITLE: usize = 80;
/// What the platform itself is called as a device.
const OURSELVES: &str = "vitalwire";
/// How an hour is written, its first byte: another number for each change of what is in [`Hour`]. One that
/// is written in another way is read anew.
const FORMAT: u8 = 1;
const DAMAGED: StoreError = StoreError::Damaged { what: "an hour of alerts" };

/// Index of a word of an [`Hour`].
pub(crate) type Word = u32;

/// The alerts raised within an hour, newest first.
#[derive(Deserialize)]
pub(crate) struct Hour<'a> {
    #[serde(borrow)]
    pub(crate) words: Vec<&'a str>,
    pub(crate) alerts: Vec<Noted>,
}

/// One alert, as its rows say.
#[derive(Serialize, Deserialize)]
pub(crate) struct Noted {
    pub(crate) episode: EpisodeId,
    pub(crate) raised: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) priority: Priority,
    /// May be empty, as the device and the name of the place may.
    pub(crate) unit: Word,
    pub(crate) location: Word,
    pub(crate) device: Word,
    pub(crate) rule: Word,
    /// When and by whom it was first taken.
    pub(crate) taken: Option<(i64, Word)>,
    pub(crate) calls: Vec<Call>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) limit: Option<Limit>,
}

/// A limit that an alert went beyond.
#[derive(Serialize, Deserialize)]
pub(crate) struct Limit {
    pub(crate) metric: MetricCode,
    pub(crate) below: bool,
    /// Numbers that its reason says the value was beyond, as they stand there.
    pub(crate) marks: Vec<Word>,
    /// Where its values are.
    pub(crate) series: Option<SeriesId>,
}

/// Keeps every hour over at `now` that is not kept yet; how many those were. One whose alerts change
/// meanwhile is left for the next time.
///
/// # Errors
/// [`StoreError`] when the store can't be read or written.
pub fn keep_hours(store: &dyn Read, side: &dyn Side, now: i64) -> Result<usize, StoreError> {
    let wanted = store.alert_hours_without(FORMAT, now / HOUR)?;
    for part in wanted.chunks(KEPT_AT_ONCE) {
        let read = |one: &AlertHour| Ok(AlertHour { body: Some(fresh(store, one.hour)?), ..one.clone() });
        side.keep_alert_hours(&part.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?)?;
    }
    Ok(wanted.len())
}

/// Has `then` look at an hour: as it is kept, else as its rows say.
pub(crate) fn read<T>(store: &dyn Read, one: &AlertHour, then: impl FnOnce(Hour<'_>) -> T) -> Result<T, StoreError> {
    if let Some(hour) = one.body.as_deref().and_then(Hour::of) {
        return Ok(then(hour));
    }
    let bytes = fresh(store, one.hour)?;
    Hour::of(&bytes).map(then).ok_or(DAMAGED)
}

impl<'a> Hour<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (format, hour) = bytes.split_first()?;
        if *format == FORMAT { postcard::from_bytes(hour).ok() } else { None }
    }
}

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

/// An hour as its rows say, as bytes.
fn fresh(store: &dyn Read, hour: i64) -> Result<Vec<u8>, StoreError> {
    let mut out = Writing::default();
    let (from, mut to) = (hour * HOUR, (hour + 1) * HOUR);
    loop {
        // By time, not by number: an index leads to where the last page ended.
        let query = AlertQuery {
            raised: Span { from: Some(from), to: Some(to) },
            page: Page { skip: 0, limit: PAGE },
            ..AlertQuery::default()
        };
        let rows = store.alerts(&query)?.rows;
        let Some(oldest) = rows.last().map(|row| row.raised.0) else { break };
        let whole = (rows.len() as u64) < PAGE;
        // Those raised at the very moment where the page ends come again with the next one.
        let newer: Vec<AlertRow> = rows.into_iter().filter(|row| whole || row.raised.0 > oldest).collect();
        out.add(store, &newer)?;
        if whole {
            break;
        }
        // A moment with more alerts than a page holds is passed over rather than read for ever.
        to = if to == oldest + 1 { oldest } else { oldest + 1 };
    }
    postcard::to_stdvec(&(FORMAT, &out.words, &out.alerts)).map_err(|_| DAMAGED)
}

/// An hour while it is put together.
#[derive(Default)]
struct Writing {
    words: Vec<String>,
    alerts: Vec<Noted>,
    known: HashMap<String, Word>,
}

impl Writing {
    fn word(&mut self, text: &str) -> Word {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let word = self.words.len() as Word;
        self.known.insert(text.to_owned(), word);
        self.words.push(text.to_owned());
        word
    }

    fn add(&mut self, store: &dyn Read, rows: &[AlertRow]) -> Result<(), StoreError> {
        let read = |row: &AlertRow| serde_json::from_slice::<Record>(&row.body).ok();
        let told: Vec<(&AlertRow, Record)> = rows.iter().filter_map(|row| Some((row, read(row)?))).collect();
        let named: Vec<EpisodeId> = told.iter().map(|(row, _)| row.episode).collect();
        let series = series(store, told.iter().flat_map(|(_, record)| &record.episode.readings))?;
        for ((row, record), events) in told.iter().zip(store.alert_histories(&named)?) {
            let noted = self.noted(row, record, &events, &series);
            self.alerts.push(noted);
        }
        Ok(())
    }

    fn noted(&mut self, row: &AlertRow, record: &Record, events: &[AlertEventRow], series: &Series) -> Noted {
        let told = History::of(events);
        let title: String = record.episode.title.chars().take(TITLE).collect();
        let mut of_readings = record.episode.readings.iter().map(|one| one.series);
        let limit = match record.episode.condition {
            ConditionKey::Limit(of) => Some(Limit {
                metric: of,
                below: record.episode.title.ends_with(" low"),
                marks: self.marks(&record.episode),
                series: of_readings.find(|id| series.get(id).is_some_and(|(metric, _)| *metric == of)),
            }),
            _ => None,
        };
        let devices = record.episode.readings.iter().filter_map(|reading| series.get(&reading.series));
        let theirs = devices.map(|(_, device)| device).find(|device| device.as_str() != OURSELVES);
        Noted {
            episode: row.episode,
            raised: row.raised.0,
            ended: told.resolved.or((!row.open).then_some(row.changed.0)),
            priority: told.highest.max(match row.priority {
                3.. => Priority::High,
                2 => Priority::Medium,
                _ => Priority::Low,
            }),
            unit: self.word(&row.unit),
            location: self.word(record.location.as_ref().map_or("", LocationId::as_str)),
            device: self.word(row.device.as_ref().or(theirs).map_or("", DeviceId::as_str)),
            rule: self.word(&title),
            taken: told.taken.map(|(at, by)| (at, self.word(by))),
            calls: told.calls,
            verdict: told.verdict,
            limit,
        }
    }

    /// What stands after the sign in the reason: `SpO2 < 88 for 15 s` says 88.
    fn marks(&mut self, episode: &Episode) -> Vec<Word> {
        let sign = if episode.title.ends_with(" low") { "< " } else { "> " };
        let after = episode.reason.match_indices(sign).map(|(at, _)| &episode.reason[at + sign.len()..]);
        let numbers: Vec<&str> = after.filter_map(|rest| Some(&rest[..rest.find([' ', ')'])?])).collect();
        numbers.into_iter().map(|number| self.word(number)).collect()
    }
}

type Series = HashMap<SeriesId, (MetricCode, DeviceId)>;

/// Metric and device of the series that readings are in.
fn series<'a>(store: &dyn Read, readings: impl Iterator<Item = &'a ReadingRef>) -> Result<Series, StoreError> {
    let ids: HashSet<SeriesId> = readings.map(|reading| reading.series).collect();
    let ids: Vec<SeriesId> = ids.into_iter().collect();
    let keys = store.series_keys(&ids)?.into_iter();
    Ok(keys.map(|(id, key)| (id, (key.metric, key.device))).collect())
}

/// What happened to an alert, as far as it is asked here.
struct History<'a> {
    highest: Priority,
    taken: Option<(i64, &'a str)>,
    calls: Vec<Call>,
    verdict: Option<Verdict>,
    resolved: Option<i64>,
}

impl<'a> History<'a> {
    fn of(events: &'a [AlertEventRow]) -> Self {
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
                    told.taken = Some((event.at.0, &event.actor));
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
