//! Pages of stored readings: straight from the store where it can order, page and count by itself,
//! else by looking at every point, holding no more of them than the page needs.

use store::{Order as StoreOrder, Page, Read, SeriesFilter, SeriesInfo, Span, StoreError};
use vitals::{Point, ReadingRef, SeriesId};
use wire_fhir::Stored;
use wire_fhir::search::Range;

use super::merged::Survivors;
use super::stored::{bare, complete};
use crate::fhir::backend::{ReadingPage, ReadingQuery};

/// Readings fetched beyond a page, for those of equal time at its edge.
const EDGE: u64 = 64;
/// Candidates kept while looking at every point, beyond what the page needs.
const SPARE: usize = 4_096;

/// One page, and how many match on all pages.
pub(super) fn page(store: &dyn Read, query: &ReadingQuery) -> Result<ReadingPage, StoreError> {
    let Some(filter) = filter(query) else { return Ok(ReadingPage::default()) };
    let series = store.series(&filter)?;
    let (total, (mut readings, more)) = match &query.references {
        Some(names) => named(store, query, &series, names)?,
        None if is_plain(query) => plain(store, query, filter, &series)?,
        None => thorough(store, query, &series)?,
    };
    let mut survivors = Survivors::default();
    for stored in &mut readings {
        complete(store, stored, &mut survivors)?;
    }
    Ok(ReadingPage { total, readings, more })
}

/// Readings of a page, and whether more follow.
type Cut = (Vec<Stored>, bool);

/// The series that a query looks at; none when it can match nothing.
fn filter(query: &ReadingQuery) -> Option<SeriesFilter> {
    let series: Option<Vec<SeriesId>> =
        query.references.as_ref().map(|list| list.iter().map(|name| name.series).collect());
    let empty = |list: Option<usize>| list == Some(0);
    if empty(series.as_ref().map(Vec::len))
        || empty(query.subjects.as_ref().map(Vec::len))
        || empty(query.devices.as_ref().map(Vec::len))
        || empty(query.metrics.as_ref().map(Vec::len))
        || empty(query.effective.as_ref().map(Vec::len))
        || empty(query.received.as_ref().map(Vec::len))
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
    query.statuses.is_none()
        && query.effective.as_ref().is_none_or(|ranges| ranges.len() == 1)
        && query.received.as_ref().is_none_or(|ranges| ranges.len() == 1)
}

/// From the first to the last of some ranges.
fn span(ranges: Option<&Vec<Range>>) -> Span {
    let ends = ranges.and_then(|ranges| Some((ranges.first()?.start, ranges.last()?.end)));
    let Some((start, end)) = ends else { return Span::ALL };
    let bound = |at: i64, open: i64| (at != open).then_some(at);
    Span { from: bound(start, i64::MIN), to: bound(end, i64::MAX) }
}

/// A page straight from the store.
fn plain(
    store: &dyn Read,
    query: &ReadingQuery,
    filter: SeriesFilter,
    series: &[SeriesInfo],
) -> Result<(u64, Cut), StoreError> {
    let (time, received) = (span(query.effective.as_ref()), span(query.received.as_ref()));
    let total = store.count(&filter, time, received)?;
    if query.limit == 0 {
        return Ok((total, (Vec::new(), total > 0)));
    }
    let (mut from_time, mut from_received) = (time, received);
    if let Some(cursor) = query.after {
        // From the cursor's time on, for what shares it.
        let bound = if query.order.by_received { &mut from_received } else { &mut from_time };
        if query.order.ascending {
            bound.from = Some(bound.from.unwrap_or(i64::MIN).max(cursor.time));
        } else {
            let end = cursor.time.saturating_add(1);
            bound.to = Some(bound.to.unwrap_or(i64::MAX).min(end));
        }
    }
    let order =
        if query.order.ascending { StoreOrder::OldestFirst } else { StoreOrder::NewestFirst };
    let mut limit = query.limit as u64 + 1 + EDGE;
    loop {
        let asked = store::ReadingQuery {
            series: filter.clone(),
            time: from_time,
            received: from_received,
            order,
            by_received: query.order.by_received,
            page: Page { skip: 0, limit },
        };
        let rows = store.readings(&asked)?;
        let exhausted = (rows.len() as u64) < limit;
        let edge = rows.last().map(|(_, point)| query.time_of(point));
        let mut found = Vec::with_capacity(rows.len());
        for (id, point) in rows {
            if let Some(info) = series.iter().find(|info| info.id == id) {
                found.push(bare(info, point));
            }
        }
        let page = cut(query, found);
        // A page may only end where everything of equal time was in hand to be put in order.
        let whole = page.0.last().map(|last| query.time_of(&last.point)) != edge;
        if exhausted || (page.1 && whole) {
            return Ok((total, page));
        }
        limit *= 4;
    }
}

/// The readings of these names.
fn named(
    store: &dyn Read,
    query: &ReadingQuery,
    series: &[SeriesInfo],
    names: &[ReadingRef],
) -> Result<(u64, Cut), StoreError> {
    let mut found = Vec::new();
    for name in names {
        let info = series.iter().find(|info| info.id == name.series);
        if let (Some(info), Some(point)) = (info, store.reading(*name)?) {
            found.push(bare(info, point));
        }
    }
    found.retain(|stored| query.takes_series(&stored.key) && query.takes_point(&stored.point));
    let total = found.len() as u64;
    Ok((total, cut(query, found)))
}

/// A page from looking at every point: for what the store has no index for.
fn thorough(
    store: &dyn Read,
    query: &ReadingQuery,
    series: &[SeriesInfo],
) -> Result<(u64, Cut), StoreError> {
    let span = span(query.effective.as_ref());
    let mut total = 0;
    let mut kept: Vec<(i64, ReadingRef, usize, Point)> = Vec::new();
    let prune = |kept: &mut Vec<(i64, ReadingRef, usize, Point)>| {
        kept.sort_unstable_by(|a, b| {
            let order = (a.0, a.1).cmp(&(b.0, b.1));
            if query.order.ascending { order } else { order.reverse() }
        });
        kept.truncate(query.limit + 1);
    };
    for (at, info) in series.iter().enumerate() {
        for point in store.points(info.id, span)? {
            if !query.takes_point(&point) {
                continue;
            }
            total += 1;
            let name = ReadingRef { series: info.id, offset: point.offset, index: point.index };
            let place = (query.time_of(&point), name);
            if query.follows(place) {
                kept.push((place.0, place.1, at, point));
            }
            if kept.len() > query.limit + SPARE {
                prune(&mut kept);
            }
        }
    }
    prune(&mut kept);
    let more = kept.len() > query.limit;
    kept.truncate(query.limit);
    let readings = kept.into_iter().map(|(_, _, at, point)| bare(&series[at], point)).collect();
    Ok((total, (readings, more)))
}

/// Orders what was found and cuts the page out of it; whether more follow.
fn cut(query: &ReadingQuery, mut found: Vec<Stored>) -> Cut {
    found.retain(|stored| query.follows(query.place(stored)));
    found.sort_by(|a, b| {
        let order = query.place(a).cmp(&query.place(b));
        if query.order.ascending { order } else { order.reverse() }
    });
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    (found, more)
}
