//! Alerts as `burden` knows them, of a stretch of time: hours as they were kept, with the places, roles
//! and units of today.

use std::collections::HashMap;
use std::sync::Arc;

use burden::Alert;
use store::{Read, Span, StoreError};
use vitals::{LocationId, MetricCode, SeriesId};

use crate::extremes::LIMITS_MAX;
use crate::hours::{self, Hour, Limit, Word};
use crate::places::Places;
use crate::{Asked, RoleOf};

/// Alerts that one answer looks at, the newest; and those raised in the hour of the oldest of them.
pub const ALERTS_MAX: usize = 250_000;

/// A limit that an alert went beyond, to be looked up.
pub(crate) struct Beyond {
    /// Which of the alerts.
    pub(crate) alert: usize,
    pub(crate) metric: MetricCode,
    pub(crate) below: bool,
    /// What the value was beyond, as its reason writes it.
    pub(crate) marks: Vec<Arc<str>>,
    pub(crate) series: SeriesId,
}

/// What was read, newest first.
pub(crate) struct Alerts {
    pub(crate) alerts: Vec<Alert>,
    /// At most [`LIMITS_MAX`].
    pub(crate) beyond: Vec<Beyond>,
    pub(crate) cut: bool,
}

pub(crate) fn read(
    store: &dyn Read,
    places: &Places,
    asked: &Asked,
    role_of: RoleOf<'_>,
) -> Result<Alerts, StoreError> {
    let mut reading = Reading {
        places,
        asked,
        role_of,
        texts: HashMap::new(),
        roles: HashMap::new(),
        limits: 0,
        read: Alerts { alerts: Vec::new(), beyond: Vec::new(), cut: false },
    };
    for hour in store.alert_hours(Span { from: Some(asked.from), to: Some(asked.to) })? {
        if reading.read.alerts.len() >= ALERTS_MAX {
            reading.read.cut = true;
            break;
        }
        hours::read(store, &hour, |hour| reading.add(hour))?;
    }
    Ok(reading.read)
}

/// Alerts while they are read. Each text is there once.
struct Reading<'a> {
    places: &'a Places,
    asked: &'a Asked,
    role_of: RoleOf<'a>,
    texts: HashMap<String, Arc<str>>,
    roles: HashMap<String, Arc<str>>,
    /// Alerts of limits so far.
    limits: usize,
    read: Alerts,
}

impl Reading<'_> {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let made: Arc<str> = Arc::from(text);
        self.texts.insert(text.to_owned(), Arc::clone(&made));
        made
    }

    fn role(&mut self, by: &str) -> Arc<str> {
        if let Some(known) = self.roles.get(by) {
            return Arc::clone(known);
        }
        let role = (self.role_of)(by).unwrap_or_default();
        let made = self.text(&role);
        self.roles.insert(by.to_owned(), Arc::clone(&made));
        made
    }

    fn add(&mut self, hour: Hour<'_>) {
        let texts: Vec<Arc<str>> = hour.words.iter().map(|word| self.text(word)).collect();
        let told = |word: Word| texts.get(word as usize).cloned().unwrap_or_default();
        let mut lay: HashMap<Word, (Arc<str>, Arc<str>)> = HashMap::new();
        for noted in hour.alerts {
            if noted.raised < self.asked.from || noted.raised >= self.asked.to {
                continue;
            }
            let (unit, bed) = lay.entry(noted.location).or_insert_with(|| self.place(&told(noted.location))).clone();
            let of_row = told(noted.unit);
            let unit = if of_row.is_empty() { unit } else { of_row };
            if !self.asked.takes(&unit) {
                continue;
            }
            self.limit(&texts, noted.limit);
            let taken = noted.taken.map(|(at, by)| (at, self.role(&told(by))));
            self.read.alerts.push(Alert {
                episode: noted.episode,
                raised: noted.raised,
                ended: noted.ended,
                priority: noted.priority,
                unit,
                bed,
                device: told(noted.device),
                rule: told(noted.rule),
                taken,
                calls: noted.calls,
                verdict: noted.verdict,
                extreme: None,
            });
        }
    }

    fn place(&mut self, location: &str) -> (Arc<str>, Arc<str>) {
        let places = self.places;
        let (unit, bed) = places.of(LocationId::new(location).ok().as_ref());
        (self.text(unit), self.text(bed))
    }

    fn limit(&mut self, texts: &[Arc<str>], limit: Option<Limit>) {
        let Some(limit) = limit else { return };
        self.limits += 1;
        let Some(series) = limit.series.filter(|_| self.limits <= LIMITS_MAX) else { return };
        self.read.beyond.push(Beyond {
            alert: self.read.alerts.len(),
            metric: limit.metric,
            below: limit.below,
            marks: limit.marks.iter().filter_map(|mark| texts.get(*mark as usize).cloned()).collect(),
            series,
        });
    }
}
