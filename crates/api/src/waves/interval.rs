//! An interval of one waveform: whole samples while they are few, columns of lowest and highest
//! otherwise; as wave messages, or as JSON.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use guard::Permission;
use serde::Deserialize;
use store::{Read, Span, StoreError};
use vitals::{EffectiveTime, PatientId, SeriesId, SeriesKey};

use super::channels::subjects;
use super::past::{self, Columns};
use super::shapes::{WaveInterval, WaveStripView};
use super::strip::Strip;
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Most columns of one answer.
const COLUMNS_MAX: usize = 8_000;
/// Samples a column up to which whole samples are sent.
const WHOLE: u64 = 4;
/// Most samples of one answer.
const SAMPLES_MAX: u64 = 4_000_000;
/// The store is behind the present by less than this.
const FRESH_US: i64 = vitals::time::MINUTE;
/// Most samples in one wave message.
const MESSAGE_SAMPLES: usize = 1 << 20;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    from_ms: i64,
    to_ms: i64,
    columns: Option<usize>,
}

/// What the answer is made of.
enum Drawn {
    Samples(Vec<Strip>),
    Columns(Columns),
    TooMany,
    NotTheirs,
}

/// An interval of a waveform: wave messages, each after its length (u32, little-endian), or JSON if
/// that is what `Accept` asks for.
#[utoipa::path(get, path = "/api/v1/patients/{id}/waveforms/{series}", tag = "waveforms",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("series" = u32, Path, description = "Number of the channel"),
        ("from_ms" = i64, Query, description = "Milliseconds since 1970"),
        ("to_ms" = i64, Query, description = "Milliseconds since 1970; the interval ends before it"),
        ("columns" = Option<usize>, Query,
            description = "Columns that are drawn, 8,000 at most: an interval of more than four \
                samples a column comes as lowest and highest of each. Without it: every sample, \
                4,000,000 at most"),
    ),
    responses(
        (status = 200, content((WaveInterval = "application/json"), (Vec<u8> = "application/octet-stream"))),
        (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_waveform(
    State(api): State<Api>,
    Path((id, series)): Path<(String, u32)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/waveforms/{series}";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let (from, to) = interval(asked.from_ms, asked.to_ms)?;
    let columns = asked.columns.map(|columns| columns.clamp(1, COLUMNS_MAX));
    let (series, live, subjects) = (SeriesId(series), api.live.clone(), subjects(&seen));
    let line = seen.waves.iter().find(|line| line.series == series);
    let own = line.map(|line| SeriesKey {
        subject: Some(seen.patient.id.clone()),
        device: line.device.clone(),
        metric: line.metric,
        channel: line.channel,
    });
    let rate = line.and_then(|line| line.rate).map(vitals::Rate::hz);
    let (key, drawn) = api
        .ask(move |store| {
            let key = match own {
                Some(key) => Some(key),
                None => past::key_of(store, series, subjects)?,
            };
            let Some(key) = key else { return Ok((None, Drawn::NotTheirs)) };
            let samples = about(store, series, rate, (from, to))?;
            let drawn = match columns {
                Some(columns) if samples > WHOLE * columns as u64 => {
                    Drawn::Columns(Columns::of(store, &live, series, (from, to), columns)?)
                }
                None if samples > SAMPLES_MAX => Drawn::TooMany,
                _ => {
                    let span = Span::effective(EffectiveTime(from), EffectiveTime(to));
                    Drawn::Samples(past::strips(store, &live, series, span)?)
                }
            };
            Ok((Some(key), drawn))
        })
        .await?;
    let Some(key) = key else { return Err(ApiError::NotFound("waveform of this patient")) };
    let json = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if json.is_some_and(|accepts| accepts.contains("application/json")) {
        return as_json(series, &key, drawn).map(IntoResponse::into_response);
    }
    let bytes = as_messages(series, drawn)?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// An interval in microseconds.
pub(crate) fn interval(from_ms: i64, to_ms: i64) -> Result<(i64, i64), ApiError> {
    // Within these, differences of microseconds stay in range.
    let possible = -4_000_000_000_000_000..=4_000_000_000_000_000;
    let (from, to) = (from_ms.saturating_mul(1_000), to_ms.saturating_mul(1_000));
    if from >= to || !possible.contains(&from) || !possible.contains(&to) {
        return Err(ApiError::bad("from_ms must lie before to_ms; both are milliseconds since 1970"));
    }
    Ok((from, to))
}

/// About how many samples an interval has: by the channel's rate, else by the average of all that
/// is kept, where there are any.
fn about(
    store: &dyn Read,
    series: SeriesId,
    rate: Option<f64>,
    (from, to): (i64, i64),
) -> Result<u64, StoreError> {
    // What is not in the store yet is never much.
    let Some(extent) = store.wave_extent(series)? else { return Ok(0) };
    let (first, last) = (extent.first.0, extent.last.0);
    let average = || extent.samples as f64 * 1e6 / (last - first).max(1) as f64;
    let there = to.min(last.saturating_add(FRESH_US)).saturating_sub(from.max(first));
    Ok((rate.unwrap_or_else(average) * there.max(0) as f64 / 1e6) as u64)
}

fn too_many() -> ApiError {
    ApiError::bad(
        "the interval has more than 4,000,000 samples: say how many columns are drawn, or ask for \
         less at a time",
    )
}

fn as_messages(series: SeriesId, drawn: Drawn) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::new();
    let mut put = |message: &[u8]| {
        out.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(message);
    };
    match drawn {
        Drawn::Samples(strips) => {
            for mut strip in strips {
                while strip.len() > 0 {
                    put(&strip.take(MESSAGE_SAMPLES).message(series.0, 1, 0));
                }
            }
        }
        Drawn::Columns(columns) => {
            for (start, run) in columns.runs() {
                put(&columns.message(series.0, start, &run));
            }
        }
        Drawn::TooMany => return Err(too_many()),
        Drawn::NotTheirs => {}
    }
    Ok(out)
}

fn as_json(series: SeriesId, key: &SeriesKey, drawn: Drawn) -> Result<Json<WaveInterval>, ApiError> {
    let there = |value: f64| value.is_finite().then_some(value);
    let strips = match drawn {
        Drawn::Samples(strips) => strips
            .iter()
            .map(|strip| {
                let mut values = Vec::with_capacity(strip.len());
                strip.each(|_, value| values.push(there(value)));
                WaveStripView {
                    start_ms: strip.time_of(strip.first).0 as f64 / 1_000.0,
                    rate: [strip.rate.numerator(), strip.rate.denominator()],
                    values,
                    ..WaveStripView::default()
                }
            })
            .collect(),
        Drawn::Columns(columns) => {
            let rate = <[u32; 2]>::from(columns.rate());
            let view = |(start, run): (i64, Vec<(f64, f64)>)| WaveStripView {
                start_ms: start as f64 / 1_000.0,
                rate,
                low: run.iter().map(|ends| there(ends.0)).collect(),
                high: run.iter().map(|ends| there(ends.1)).collect(),
                values: Vec::new(),
            };
            columns.runs().into_iter().map(view).collect()
        }
        Drawn::TooMany => return Err(too_many()),
        Drawn::NotTheirs => Vec::new(),
    };
    let row = key.metric.metric();
    Ok(Json(WaveInterval {
        series: series.0,
        metric: key.metric.refid(),
        unit: row.map_or("", |row| row.unit.display()).to_owned(),
        strips,
    }))
}
