//! An interval of a patient's waveforms as a file: WFDB, EDF+, CSV, Parquet or FHIR.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use guard::Permission;
use live::Live;
use serde::Deserialize;
use store::{Read, SeriesFilter, Span, StoreError};
use tokio::sync::Semaphore;
use vitals::{EffectiveTime, PatientId, Rate, SeriesId, SeriesKey};

use super::channels::subjects;
use super::interval::interval;
use super::marks::Marks;
use super::past;
use super::strip::Strip;
use super::{encode, recorded};
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::fhir_backend::interval as fhir;
use crate::state::Api;

/// Most samples of one file: a day of an ECG at 250 Hz, with respiration beside it.
const SAMPLES_MAX: u64 = 30_000_000;
/// The same of texts, which take many bytes a sample.
const TEXT_SAMPLES_MAX: u64 = 3_000_000;
/// Files made at once, for what they take of memory; whoever comes next waits.
static AT_ONCE: Semaphore = Semaphore::const_new(1);

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    from_ms: i64,
    to_ms: i64,
    format: String,
    series: Option<String>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Wfdb,
    Edf,
    Csv,
    Parquet,
    Fhir,
}

impl Format {
    fn of(name: &str) -> Option<Self> {
        match name {
            "wfdb" => Some(Self::Wfdb),
            "edf" => Some(Self::Edf),
            "csv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "fhir" => Some(Self::Fhir),
            _ => None,
        }
    }

    fn most(self) -> u64 {
        if matches!(self, Self::Csv | Self::Fhir) { TEXT_SAMPLES_MAX } else { SAMPLES_MAX }
    }
}

/// A channel of the interval.
pub(super) struct Taken {
    pub(super) series: SeriesId,
    pub(super) key: SeriesKey,
    pub(super) strips: Vec<Strip>,
}

/// What the interval holds, or how many samples there are too many of.
enum Gathered {
    There(Vec<Taken>, Marks),
    TooMany(u64),
}

/// A finished file.
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) bytes: Vec<u8>,
    /// What could not be said in it.
    pub(super) problems: Vec<String>,
}

/// An interval of all waveforms as a file.
#[utoipa::path(get, path = "/api/v1/patients/{id}/waveforms/export", tag = "waveforms",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("from_ms" = i64, Query, description = "Milliseconds since 1970"),
        ("to_ms" = i64, Query, description = "Milliseconds since 1970; the interval ends before it"),
        ("format" = String, Query, description = "`wfdb` (a zip), `edf` (EDF+), `csv`, `parquet`, \
            `fhir` (a Bundle of Observations with SampledData)"),
        ("series" = Option<String>, Query, description = "Only these channels: numbers, separated by commas"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream",
            description = "The file. The header `vitalwire-problems` counts what it could not say."),
        (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn export_waveforms(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/waveforms/export";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let (from, to) = interval(asked.from_ms, asked.to_ms)?;
    let format = Format::of(&asked.format)
        .ok_or_else(|| ApiError::bad("format: wfdb, edf, csv, parquet or fhir"))?;
    let only = asked.series.as_deref().map(numbers).transpose()?;
    let _place = AT_ONCE.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let (live, subjects) = (api.live.clone(), subjects(&seen));
    let gathered = api
        .ask_settled(move |store| gather(store, &live, subjects, only, (from, to), format.most()))
        .await?;
    let (taken, marks) = match gathered {
        Gathered::TooMany(samples) => return Err(too_many(samples, format)),
        Gathered::There(taken, _) if taken.is_empty() => {
            return Err(ApiError::NotFound("waveform in this interval"));
        }
        Gathered::There(taken, marks) => (taken, marks),
    };
    let patient = seen.patient.id.clone();
    let made = tokio::task::spawn_blocking(move || make(format, from, &patient, taken, &marks));
    let file = made.await.map_err(|error| ApiError::internal(&error))?.map_err(|error| {
        ApiError::Conflict(format!("the interval can't be written in this format: {error}"))
    })?;
    let name = format!("attachment; filename=\"{}\"", file.name);
    let head = [
        (header::CONTENT_TYPE, file.kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::HeaderName::from_static("vitalwire-problems"), file.problems.len().to_string()),
    ];
    Ok((head, file.bytes).into_response())
}

fn numbers(text: &str) -> Result<Vec<SeriesId>, ApiError> {
    text.split(',')
        .map(|number| number.trim().parse().map(SeriesId))
        .collect::<Result<_, _>>()
        .map_err(|_| ApiError::bad("series: numbers of channels, separated by commas"))
}

fn too_many(samples: u64, format: Format) -> ApiError {
    ApiError::bad(format!(
        "about {samples} samples in this interval, and a file of this format takes {}: ask for \
         fewer channels (series=) or a shorter time",
        format.most()
    ))
}

fn gather(
    store: &dyn Read,
    live: &Live,
    subjects: Vec<PatientId>,
    only: Option<Vec<SeriesId>>,
    (from, to): (i64, i64),
    most: u64,
) -> Result<Gathered, StoreError> {
    let filter = SeriesFilter { subjects: subjects.clone(), ..SeriesFilter::default() };
    let mut wanted = Vec::new();
    let mut samples = 0.0;
    for info in store.series(&filter)? {
        if only.as_ref().is_some_and(|only| !only.contains(&info.id)) {
            continue;
        }
        let Some(extent) = store.wave_extent(info.id)? else { continue };
        let (first, last) = (extent.first.0.max(from), extent.last.0.min(to));
        if first < to && last >= from {
            let share = (last - first).max(0) as f64 / (extent.last.0 - extent.first.0).max(1) as f64;
            samples += extent.samples as f64 * share;
            wanted.push(info);
        }
    }
    if samples as u64 > most {
        return Ok(Gathered::TooMany(samples as u64));
    }
    let span = Span::effective(EffectiveTime(from), EffectiveTime(to));
    let mut taken = Vec::new();
    for info in wanted {
        let strips = past::strips(store, live, info.id, span)?;
        if !strips.is_empty() {
            taken.push(Taken { series: info.id, key: info.key, strips });
        }
    }
    let marks = Marks::of(store, live, subjects, (from, to))?;
    Ok(Gathered::There(taken, marks))
}

fn make(
    format: Format,
    from: i64,
    patient: &PatientId,
    taken: Vec<Taken>,
    marks: &Marks,
) -> Result<File, record::Error> {
    if format == Format::Fhir {
        let bundle = fhir::bundle(patient, taken.into_iter().flat_map(fhir_strips));
        let bytes = serde_json::to_vec(&bundle).unwrap_or_default();
        let (name, kind) = ("waveforms.json", "application/fhir+json");
        return Ok(File { name, kind, bytes, problems: Vec::new() });
    }
    let (recording, problems) = recorded::recording(from, taken, marks)?;
    encode::file(format, &recording, problems)
}

/// The strips of a channel as FHIR shows them: one Observation a minute at most.
fn fhir_strips(taken: Taken) -> Vec<fhir::Strip> {
    let minute = |rate: Rate| usize::try_from(rate.samples_in(vitals::time::MINUTE)).unwrap_or(1).max(1);
    let mut parts = Vec::new();
    for mut rest in taken.strips {
        while rest.len() > 0 {
            let part = rest.take(minute(rest.rate));
            let mut values = Vec::with_capacity(part.len());
            part.each(|_, value| values.push(value));
            parts.push(fhir::Strip {
                series: taken.series,
                key: taken.key.clone(),
                time: part.time_of(part.first),
                rate: part.rate,
                values,
            });
        }
    }
    parts
}

/// All waveforms of an interval as EDF+; none when there are no samples. For the export of a
/// person, which asks for an hour at a time.
///
/// # Errors
/// In words: the store can't be read, or the samples can't be said in EDF+.
pub(crate) fn edf(
    store: &dyn Read,
    live: &Live,
    subjects: Vec<PatientId>,
    patient: &PatientId,
    (from, to): (i64, i64),
) -> Result<Option<Vec<u8>>, String> {
    let gathered = gather(store, live, subjects, None, (from, to), u64::MAX).map_err(|error| error.to_string())?;
    match gathered {
        Gathered::There(taken, marks) if !taken.is_empty() => {
            let file = make(Format::Edf, from, patient, taken, &marks).map_err(|error| error.to_string())?;
            Ok(Some(file.bytes))
        }
        _ => Ok(None),
    }
}
