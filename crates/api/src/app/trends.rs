//! Trends: every metric over time, thinned for drawing without losing extremes, with the values
//! that are not in the store yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use engine::PatientView;
use futures_util::future::try_join_all;
use guard::Permission;
use live::Live;
use serde::Deserialize;
use store::{Read, SeriesFilter, Span, StoreError};
use vitals::{EffectiveTime, Metric, PatientId, Point, SeriesId};

use crate::app::patients::known;
use crate::app::readings::span_name;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;
use crate::view;

/// Intervals when nobody says how many.
const POINTS: usize = 800;
/// Most intervals.
const POINTS_MAX: usize = 4_000;
/// Most processors that one answer may keep busy.
const SHARES_MAX: usize = 4;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    metrics: String,
    from: i64,
    to: i64,
    points: Option<usize>,
}

/// One interval of one line.
#[derive(Debug, Clone, Copy)]
struct Interval {
    low: f64,
    high: f64,
    last: f64,
    /// Time of the last value known, to join devices.
    at: i64,
    doubtful: bool,
    series: SeriesId,
}

/// What a line is drawn from.
#[derive(Clone)]
struct Frame {
    span: Span,
    from: i64,
    width: i64,
    count: usize,
}

/// Trends of a patient.
#[utoipa::path(get, path = "/api/v1/patients/{id}/trends", tag = "patients",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("metrics" = String, Query, description = "Reference ids, separated by commas"),
        ("from" = i64, Query, description = "Milliseconds since 1970"),
        ("to" = i64, Query, description = "Milliseconds since 1970"),
        ("points" = Option<usize>, Query, description = "Intervals, 800 if not said, 4,000 at most"),
    ),
    responses((status = 200, body = dto::Trends), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn get_trends(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<dto::Trends>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/trends";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    if asked.from >= asked.to {
        return Err(ApiError::bad("from must lie before to; both are milliseconds since 1970"));
    }
    let metrics = asked
        .metrics
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| {
            Metric::by_refid(name)
                .ok_or_else(|| ApiError::bad("metrics: reference ids such as MDC_ECG_HEART_RATE"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let count = asked.points.unwrap_or(POINTS).clamp(1, POINTS_MAX);
    let (from, to) = (asked.from.saturating_mul(1_000), asked.to.saturating_mul(1_000));
    let width = ((to - from) / count as i64).max(1_000);
    let frame = Frame {
        span: Span::effective(EffectiveTime(from), EffectiveTime(to)),
        from,
        width,
        count,
    };
    let mut subjects = vec![seen.patient.id.clone()];
    subjects.extend(seen.merged.iter().cloned());
    let source = Source { seen, subjects, live: api.live.clone(), frame };
    // Decoding is most of the work: every processor takes a share of the lines.
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let share = metrics.len().div_ceil(processors.min(SHARES_MAX)).max(1);
    let shares = metrics.chunks(share).map(|some| {
        let (some, source) = (some.to_vec(), source.clone());
        api.ask(move |store| some.into_iter().map(|metric| source.line(store, metric)).collect())
    });
    let shares: Vec<Vec<dto::TrendLine>> = try_join_all(shares).await?;
    let lines = shares.into_iter().flatten().collect();
    Ok(Json(dto::Trends { from_ms: asked.from, to_ms: asked.to, lines }))
}

/// What the lines of an answer come from.
#[derive(Clone)]
struct Source {
    seen: Arc<PatientView>,
    /// The patient, and whoever was merged into them.
    subjects: Vec<PatientId>,
    live: Live,
    frame: Frame,
}

impl Source {
    fn line(&self, store: &dyn Read, metric: &Metric) -> Result<dto::TrendLine, StoreError> {
        let filter = SeriesFilter {
            subjects: self.subjects.clone(),
            metrics: vec![metric.code],
            ..SeriesFilter::default()
        };
        let mut intervals = BTreeMap::new();
        for info in store.series(&filter)? {
            // What is not in the store yet is asked for first: see `live::Tail`.
            let fresh = self.live.tail().points(info.id);
            gather(store, info.id, &fresh, &self.frame, &mut intervals)?;
        }
        Ok(line(metric, &intervals, &self.frame, view::limits(&self.seen, metric.code)))
    }
}

fn gather(
    store: &dyn Read,
    series: SeriesId,
    fresh: &[Point],
    frame: &Frame,
    intervals: &mut BTreeMap<i64, Interval>,
) -> Result<(), StoreError> {
    let thinned = store.thinned(series, frame.span, frame.count)?;
    for bucket in thinned.buckets.iter().filter(|bucket| !bucket.last.is_nan()) {
        let interval = Interval {
            low: bucket.min,
            high: bucket.max,
            last: bucket.last,
            at: bucket.start.0,
            doubtful: bucket.doubtful,
            series,
        };
        join(intervals, frame.start(bucket.start.0), interval);
    }
    for point in fresh.iter().filter(|p| frame.span.holds(p.time.0) && !p.value.is_nan()) {
        let interval = Interval {
            low: point.value,
            high: point.value,
            last: point.value,
            at: point.time.0,
            doubtful: !point.quality.usable(),
            series,
        };
        join(intervals, frame.start(point.time.0), interval);
    }
    Ok(())
}

impl Frame {
    fn start(&self, time: i64) -> i64 {
        self.from + (time - self.from).div_euclid(self.width) * self.width
    }
}

/// Joins what falls into one interval. Values that are not believed count only where there are no
/// others.
fn join(intervals: &mut BTreeMap<i64, Interval>, start: i64, new: Interval) {
    let Some(old) = intervals.get_mut(&start) else {
        intervals.insert(start, new);
        return;
    };
    match (old.doubtful, new.doubtful) {
        (true, false) => *old = new,
        (false, true) => {}
        _ => {
            old.low = old.low.min(new.low);
            old.high = old.high.max(new.high);
            if new.at >= old.at {
                (old.last, old.at, old.series) = (new.last, new.at, new.series);
            }
        }
    }
}

fn line(
    metric: &Metric,
    intervals: &BTreeMap<i64, Interval>,
    frame: &Frame,
    limits: Option<dto::Limits>,
) -> dto::TrendLine {
    let mut line = dto::TrendLine {
        metric: metric.refid.to_owned(),
        label: metric.label.to_owned(),
        unit: metric.unit.display().to_owned(),
        decimals: metric.decimals,
        time_ms: Vec::with_capacity(intervals.len()),
        low: Vec::with_capacity(intervals.len()),
        high: Vec::with_capacity(intervals.len()),
        last: Vec::with_capacity(intervals.len()),
        reading: Vec::with_capacity(intervals.len()),
        doubtful: Vec::with_capacity(intervals.len()),
        limits,
    };
    for (start, interval) in intervals {
        line.time_ms.push(start.div_euclid(1_000));
        line.low.push(interval.low);
        line.high.push(interval.high);
        line.last.push(interval.last);
        line.reading.push(span_name(interval.series, *start, start + frame.width));
        line.doubtful.push(interval.doubtful);
    }
    line
}
