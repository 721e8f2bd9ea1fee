//! The platform behind the FHIR routes: messages go to the journal, answers come from the store,
//! which is made to catch up first, so that what was created is found.

use std::time::Duration;

use journal::{Draft, Lane, Outcome};
use store::{
    Attachment, DirectoryQuery, Order as StoreOrder, Page, Read, SeriesFilter, SeriesInfo, Span,
    StoreError,
};
use vitals::{
    DirectoryEvent, Event, Message, Offset, Point, ReadingRef, ReceiveTime, SeriesId, Value,
};
use wire_fhir::{Kind, Record, Stored};

use crate::app::readings::message_at;
use crate::error::ApiError;
use crate::fhir::backend::{
    BackendError, FhirBackend, Hint, ReadingPage, ReadingQuery, Reply, Submitted,
};
use crate::state::Api;

/// How long to wait for the engine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records of one kind that a search looks through.
const RECORDS_MAX: u64 = 100_000;
/// Readings fetched beyond a page, for those of equal time at its edge.
const EDGE: u64 = 64;

/// The platform as FHIR sees it.
pub struct Backend(pub Api);

fn failed(error: &ApiError) -> BackendError {
    match error {
        ApiError::Unavailable => BackendError::Unavailable(error.to_string()),
        _ => BackendError::Failed(error.to_string()),
    }
}

impl Backend {
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Read) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, BackendError> {
        self.0.ask_settled(question).await.map_err(|error| failed(&error))
    }
}

impl FhirBackend for Backend {
    fn now(&self) -> ReceiveTime {
        self.0.now()
    }

    fn submit(&self, message: Message, dedup: Option<u128>) -> Reply<'_, Submitted> {
        Box::pin(async move {
            let draft = Draft { event: Event::Message(message), dedup, lane: Lane::Numeric };
            match self.0.appender.append(draft).await {
                Ok(Outcome::Committed(offset)) => Ok(Submitted::Committed(offset)),
                Ok(Outcome::Duplicate(offset)) => Ok(Submitted::Duplicate(offset)),
                Ok(Outcome::Failed(error)) => Err(BackendError::Unavailable(error.to_string())),
                Err(closed) => Err(BackendError::Unavailable(closed.to_string())),
            }
        })
    }

    fn readings_of(&self, offset: Offset) -> Reply<'_, Vec<Stored>> {
        Box::pin(async move {
            self.0.live.progress().judge(offset, PATIENCE).await;
            let Some(message) = message_at(&self.0, offset) else { return Ok(Vec::new()) };
            self.ask(move |store| readings_of(store, &message, offset)).await
        })
    }

    fn reading(&self, reference: ReadingRef) -> Reply<'_, Option<Stored>> {
        Box::pin(async move {
            self.ask(move |store| {
                let Some(point) = store.reading(reference)? else { return Ok(None) };
                let ids = vec![reference.series];
                let info = store.series(&SeriesFilter { ids, ..SeriesFilter::default() })?.pop();
                info.map(|info| stored(store, &info, point)).transpose()
            })
            .await
        })
    }

    fn readings(&self, query: ReadingQuery) -> Reply<'_, ReadingPage> {
        Box::pin(async move {
            self.ask(move |store| {
                let Some(filter) = filter(&query) else { return Ok(ReadingPage::default()) };
                let series = store.series(&filter)?;
                if is_plain(&query) {
                    plain(store, &query, filter, &series)
                } else {
                    thorough(store, &query, &series)
                }
            })
            .await
        })
    }

    fn record(&self, kind: Kind, id: &str) -> Reply<'_, Option<Record>> {
        let id = id.to_owned();
        Box::pin(async move {
            let mut id = id;
            if kind == Kind::Patient {
                id = self.survivor(&id).await?;
            }
            let query = DirectoryQuery { ids: vec![id], ..DirectoryQuery::default() };
            Ok(self.directory(kind, query).await?.into_iter().next())
        })
    }

    fn records(&self, kind: Kind, hint: Hint) -> Reply<'_, Vec<Record>> {
        Box::pin(async move {
            let page = Page { skip: 0, limit: RECORDS_MAX };
            let all = DirectoryQuery { page, ..DirectoryQuery::default() };
            let queries = match hint {
                Hint::All => vec![all],
                Hint::Ids(ids) if ids.is_empty() => Vec::new(),
                Hint::Ids(ids) => vec![DirectoryQuery { ids, ..all }],
                Hint::Identifiers(values) => values
                    .into_iter()
                    .map(|value| DirectoryQuery { identifier: Some((None, value)), ..all.clone() })
                    .collect(),
                // Devices have no patient of their own; the caller filters.
                Hint::Patients(_) if kind != Kind::Encounter => vec![all],
                Hint::Patients(patients) => patients
                    .into_iter()
                    .map(|patient| DirectoryQuery { patient: Some(patient), ..all.clone() })
                    .collect(),
            };
            let mut records = Vec::new();
            for query in queries {
                records.extend(self.directory(kind, query).await?);
            }
            Ok(records)
        })
    }
}

impl Backend {
    /// The id under which a merged patient lives on.
    async fn survivor(&self, id: &str) -> Result<String, BackendError> {
        let mut id = id.to_owned();
        for _ in 0..16 {
            let query = DirectoryQuery { ids: vec![id.clone()], ..DirectoryQuery::default() };
            let row = self.ask(move |store| store.patients(&query)).await?.rows.into_iter().next();
            match row.and_then(|row| row.merged_into) {
                Some(survivor) => id = survivor.to_string(),
                None => break,
            }
        }
        Ok(id)
    }

    async fn directory(
        &self,
        kind: Kind,
        query: DirectoryQuery,
    ) -> Result<Vec<Record>, BackendError> {
        let live = self.0.live.clone();
        self.ask(move |store| {
            let record = |event, version: u64, updated, patient| Record {
                event,
                version,
                updated,
                offset: version.saturating_sub(1),
                patient,
            };
            Ok(match kind {
                Kind::Patient => store
                    .patients(&query)?
                    .rows
                    .into_iter()
                    .filter(|row| row.merged_into.is_none())
                    .map(|row| {
                        record(DirectoryEvent::Patient(row.patient), row.version, row.updated, None)
                    })
                    .collect(),
                Kind::Encounter => store
                    .encounters(&query)?
                    .rows
                    .into_iter()
                    .map(|row| {
                        let event = DirectoryEvent::Encounter(row.encounter);
                        record(event, row.version, row.updated, None)
                    })
                    .collect(),
                Kind::Location => store
                    .locations(&query)?
                    .rows
                    .into_iter()
                    .map(|row| {
                        let event = DirectoryEvent::Location(row.location);
                        record(event, row.version, row.updated, None)
                    })
                    .collect(),
                Kind::Device => store
                    .devices(&query)?
                    .rows
                    .into_iter()
                    .map(|row| {
                        let on = live.device(&row.device.id).and_then(|line| line.patient.clone());
                        record(DirectoryEvent::Device(row.device), row.version, row.updated, on)
                    })
                    .collect(),
            })
        })
        .await
    }
}

/// The series that a query looks at; none when it can match nothing.
fn filter(query: &ReadingQuery) -> Option<SeriesFilter> {
    let series: Option<Vec<SeriesId>> =
        query.references.as_ref().map(|list| list.iter().map(|name| name.series).collect());
    let empty = |list: Option<usize>| list == Some(0);
    if empty(series.as_ref().map(Vec::len))
        || empty(query.subjects.as_ref().map(Vec::len))
        || empty(query.devices.as_ref().map(Vec::len))
        || empty(query.metrics.as_ref().map(Vec::len))
    {
        return None;
    }
    Some(SeriesFilter {
        ids: series.unwrap_or_default(),
        subjects: query.subjects.clone().unwrap_or_default(),
        without_subject: false,
        devices: query.devices.clone().unwrap_or_default(),
        metrics: query.metrics.clone().unwrap_or_default(),
    })
}

/// Whether the store can order, page and count it by itself.
fn is_plain(query: &ReadingQuery) -> bool {
    query.references.is_none()
        && query.statuses.is_none()
        && !query.order.by_received
        && query.effective.as_ref().is_none_or(|ranges| ranges.len() == 1)
        && query.received.as_ref().is_none_or(|ranges| ranges.len() == 1)
}

fn span(ranges: Option<&Vec<wire_fhir::search::Range>>) -> Span {
    let Some(range) = ranges.and_then(|ranges| ranges.first()) else { return Span::ALL };
    Span { from: Some(range.start), to: Some(range.end) }
}

/// A page straight from the store.
fn plain(
    store: &dyn Read,
    query: &ReadingQuery,
    filter: SeriesFilter,
    series: &[SeriesInfo],
) -> Result<ReadingPage, StoreError> {
    let (time, received) = (span(query.effective.as_ref()), span(query.received.as_ref()));
    let total = store.count(&filter, time, received)?;
    if query.limit == 0 {
        return Ok(ReadingPage { total, ..ReadingPage::default() });
    }
    // From the cursor's time on, for what shares it.
    let mut from_cursor = time;
    if let Some(cursor) = query.after {
        if query.order.ascending {
            from_cursor.from = Some(time.from.unwrap_or(i64::MIN).max(cursor.time));
        } else {
            let end = cursor.time.saturating_add(1);
            from_cursor.to = Some(time.to.unwrap_or(i64::MAX).min(end));
        }
    }
    let order = if query.order.ascending { StoreOrder::OldestFirst } else { StoreOrder::NewestFirst };
    let mut limit = query.limit as u64 + 1 + EDGE;
    loop {
        let asked = store::ReadingQuery {
            series: filter.clone(),
            time: from_cursor,
            received,
            order,
            page: Page { skip: 0, limit },
        };
        let rows = store.readings(&asked)?;
        let exhausted = (rows.len() as u64) < limit;
        let mut found = Vec::with_capacity(rows.len());
        for (id, point) in rows {
            if let Some(info) = series.iter().find(|info| info.id == id) {
                found.push(bare(info, point));
            }
        }
        let page = cut(query, found);
        // All of a page's edge must be in hand before it can be put in order.
        if exhausted || page.0.len() + (EDGE as usize) / 2 > query.limit && page.1 {
            return finish(store, total, page);
        }
        limit *= 4;
    }
}

/// A page from looking at every point: for what the store has no index for.
fn thorough(
    store: &dyn Read,
    query: &ReadingQuery,
    series: &[SeriesInfo],
) -> Result<ReadingPage, StoreError> {
    let mut found = Vec::new();
    match &query.references {
        Some(names) => {
            for name in names {
                let info = series.iter().find(|info| info.id == name.series);
                if let (Some(info), Some(point)) = (info, store.reading(*name)?) {
                    found.push(bare(info, point));
                }
            }
            found.retain(|stored| query.takes_series(&stored.key));
        }
        None => {
            for info in series {
                let points = store.points(info.id, Span::ALL)?;
                found.extend(points.into_iter().map(|point| bare(info, point)));
            }
        }
    }
    found.retain(|stored| query.takes_point(&stored.point));
    let total = found.len() as u64;
    finish(store, total, cut(query, found))
}

/// Orders what was found and cuts the page out of it; whether more follow.
fn cut(query: &ReadingQuery, mut found: Vec<Stored>) -> (Vec<Stored>, bool) {
    found.retain(|stored| query.follows(query.place(stored)));
    found.sort_by(|a, b| {
        let order = query.place(a).cmp(&query.place(b));
        if query.order.ascending { order } else { order.reverse() }
    });
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    (found, more)
}

fn finish(
    store: &dyn Read,
    total: u64,
    (mut readings, more): (Vec<Stored>, bool),
) -> Result<ReadingPage, StoreError> {
    for stored in &mut readings {
        stored.attachment = attachment(store, stored.reference(), &stored.point)?;
    }
    Ok(ReadingPage { total, readings, more })
}

fn bare(info: &SeriesInfo, point: Point) -> Stored {
    Stored { series: info.id, key: info.key.clone(), point, attachment: None }
}

fn stored(store: &dyn Read, info: &SeriesInfo, point: Point) -> Result<Stored, StoreError> {
    let mut stored = bare(info, point);
    stored.attachment = attachment(store, stored.reference(), &point)?;
    Ok(stored)
}

fn attachment(
    store: &dyn Read,
    name: ReadingRef,
    point: &Point,
) -> Result<Option<Value>, StoreError> {
    if !point.value.is_nan() {
        return Ok(None);
    }
    Ok(store.attachment(name)?.map(|attachment| match attachment {
        Attachment::Text(text) => Value::Text(text),
        Attachment::Samples(samples) => Value::SampleArray(samples),
    }))
}

fn readings_of(
    store: &dyn Read,
    message: &Message,
    offset: Offset,
) -> Result<Vec<Stored>, StoreError> {
    let mut found = Vec::new();
    for (first, reading, measurement) in message.readings() {
        let metrics = match &measurement.value {
            Value::Compound(parts) => parts.iter().map(|(metric, _)| *metric).collect(),
            _ => vec![measurement.metric],
        };
        for (index, metric) in (first..).zip(metrics) {
            let filter = SeriesFilter {
                devices: vec![reading.device.clone()],
                metrics: vec![metric],
                ..SeriesFilter::default()
            };
            for info in store.series(&filter)? {
                let name = ReadingRef { series: info.id, offset, index };
                if let Some(point) = store.reading(name)? {
                    found.push(stored(store, &info, point)?);
                    break;
                }
            }
        }
    }
    Ok(found)
}
