//! Beats, rhythms and bad signal of an interval.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::SELF_DEVICE;
use guard::Permission;
use live::Live;
use serde::Deserialize;
use store::{Order, Page, Read, ReadingQuery, SeriesFilter, SeriesInfo, Span, StoreError};
use vitals::time::HOUR;
use vitals::{DeviceId, Metric, MetricCode, PatientId, Point, SeriesId};

use super::channels::subjects;
use super::names;
use super::shapes::{BeatPage, QualitySpan, RhythmSpan};
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Longest interval.
const LONGEST_US: i64 = 26 * HOUR;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    from_ms: i64,
    to_ms: i64,
}

/// Heart beats, rhythms, and when a signal was not to be believed.
#[utoipa::path(get, path = "/api/v1/patients/{id}/beats", tag = "waveforms",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("from_ms" = i64, Query, description = "Milliseconds since 1970"),
        ("to_ms" = i64, Query, description = "Milliseconds since 1970; 26 hours later at most"),
    ),
    responses((status = 200, body = BeatPage), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_beats(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<BeatPage>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/beats";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let (from, to) = super::interval::interval(asked.from_ms, asked.to_ms)?;
    if to - from > LONGEST_US {
        return Err(ApiError::bad("to_ms may lie 26 hours behind from_ms at most"));
    }
    let (live, subjects) = (api.live.clone(), subjects(&seen));
    // What has not happened yet has no rhythm.
    let now = if seen.recorded { seen.clock } else { api.now().0 };
    let until = to.min(now.max(from));
    let question = move |store: &dyn Read| Marks::of(store, &live, subjects.clone(), (from, to));
    let mut marks = api.ask(question.clone()).await?;
    if marks.known == 0 {
        // The series may be so new that the store does not know it.
        marks = api.ask_settled(question).await?;
    }
    Ok(Json(marks.page(from, until)))
}

/// Points of the analysis of an interval.
pub(crate) struct Marks {
    /// Beats, in order of time: microseconds and class.
    pub(crate) beats: Vec<(i64, u8)>,
    /// Changes of rhythm: microseconds and number.
    pub(crate) rhythms: Vec<(i64, u8)>,
    /// Changes of quality by channel: microseconds and reason.
    pub(crate) quality: Vec<(SeriesId, Vec<(i64, u8)>)>,
    /// How many series of the analysis the store knows.
    known: usize,
}

impl Marks {
    /// What the analysis said between two times, with what held when the interval began.
    pub(crate) fn of(
        store: &dyn Read,
        live: &Live,
        subjects: Vec<PatientId>,
        (from, to): (i64, i64),
    ) -> Result<Self, StoreError> {
        let mut marks = Self { beats: Vec::new(), rhythms: Vec::new(), quality: Vec::new(), known: 0 };
        let code = |refid: &str| Metric::by_refid(refid).map(|metric| metric.code);
        let wanted = [code("VW_BEAT"), code("VW_RHYTHM"), code("VW_SIGNAL_REASON")];
        let own = DeviceId::sanitised(SELF_DEVICE);
        let filter = SeriesFilter { subjects: subjects.clone(), ..SeriesFilter::default() };
        let all = store.series(&filter)?;
        for info in all.iter().filter(|info| info.key.device == own) {
            let metric = Some(info.key.metric);
            marks.known += usize::from(wanted.contains(&metric));
            if metric == wanted[0] {
                marks.beats.extend(changes(store, live, info.id, (from, to), false)?);
            } else if metric == wanted[1] {
                marks.rhythms.extend(changes(store, live, info.id, (from, to), true)?);
            } else if metric == wanted[2] {
                if let Some(series) = about(info, &all) {
                    marks.quality.push((series, changes(store, live, info.id, (from, to), true)?));
                }
            }
        }
        marks.beats.sort_unstable();
        marks.rhythms.sort_unstable();
        Ok(marks)
    }

    fn page(&self, from: i64, until: i64) -> BeatPage {
        let rhythms = spans(&self.rhythms, from, until).into_iter().map(|(from, to, code)| RhythmSpan {
            from_ms: from.div_euclid(1_000),
            to_ms: to.div_euclid(1_000),
            rhythm: names::rhythm(code).to_owned(),
        });
        let quality = self.quality.iter().flat_map(|(series, changes)| {
            let bad = spans(changes, from, until).into_iter().filter(|(_, _, reason)| *reason != 0);
            bad.map(|(from, to, reason)| QualitySpan {
                series: series.0,
                from_ms: from.div_euclid(1_000),
                to_ms: to.div_euclid(1_000),
                reason: names::reason(reason).to_owned(),
            })
        });
        let beats = self.beats.iter();
        BeatPage {
            beats: beats.map(|(at, class)| (at.div_euclid(1_000), names::beat(*class))).collect(),
            rhythms: rhythms.collect(),
            quality: quality.collect(),
        }
    }
}

/// The waveform that a derived series is about: its channel holds the low half of the waveform's
/// metric and the waveform's channel.
fn about(derived: &SeriesInfo, all: &[SeriesInfo]) -> Option<SeriesId> {
    let (metric, channel) = (derived.key.channel & 0xffff, derived.key.channel >> 16);
    let waves = all.iter().filter(|info| {
        let MetricCode(code) = info.key.metric;
        code & 0xffff == metric && info.key.channel == channel && info.key.device != derived.key.device
    });
    // The device that came last is the one that is on the patient.
    waves.max_by_key(|info| info.id).map(|info| info.id)
}

/// Values of a series within the interval, with the last one before it if `before`; in order of time.
fn changes(
    store: &dyn Read,
    live: &Live,
    series: SeriesId,
    (from, to): (i64, i64),
    before: bool,
) -> Result<Vec<(i64, u8)>, StoreError> {
    // What is not in the store yet is asked for first: see `live::Tail`.
    let fresh = live.tail().points(series);
    let span = Span { from: Some(from), to: Some(to) };
    let mut points = store.points(series, span)?;
    if before {
        let query = ReadingQuery {
            series: SeriesFilter { ids: vec![series], ..SeriesFilter::default() },
            time: Span { from: None, to: Some(from) },
            order: Order::NewestFirst,
            page: Page { skip: 0, limit: 1 },
            ..ReadingQuery::default()
        };
        points.extend(store.readings(&query)?.into_iter().map(|(_, point)| point));
        points.extend(fresh.iter().filter(|point| point.time.0 < from));
    }
    points.extend(fresh.iter().filter(|point| span.holds(point.time.0)));
    points.sort_unstable_by_key(|point| (point.time, point.offset, point.index));
    points.dedup_by_key(|point: &mut Point| (point.time, point.offset, point.index));
    Ok(points.iter().map(|point| (point.time.0, point.value as u8)).collect())
}

/// Times between changes, cut to the interval; what stays the same is one span.
fn spans(changes: &[(i64, u8)], from: i64, until: i64) -> Vec<(i64, i64, u8)> {
    let mut spans: Vec<(i64, i64, u8)> = Vec::new();
    for (at, (begin, code)) in changes.iter().enumerate() {
        let end = changes.get(at + 1).map_or(until, |(next, _)| *next);
        let (begin, end) = ((*begin).max(from), end.min(until));
        if begin >= end {
            continue;
        }
        match spans.last_mut() {
            Some(last) if last.2 == *code && last.1 == begin => last.1 = end,
            _ => spans.push((begin, end, *code)),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::spans;

    #[test]
    fn what_stays_the_same_is_one_span() {
        let changes = [(-50, 1), (0, 1), (10, 4), (20, 4), (30, 1), (90, 2)];
        assert_eq!(spans(&changes, 5, 80), [(5, 10, 1), (10, 30, 4), (30, 80, 1)]);
        assert_eq!(spans(&changes, 0, 95), [(0, 10, 1), (10, 30, 4), (30, 90, 1), (90, 95, 2)]);
        assert_eq!(spans(&[], 0, 10), []);
    }
}
