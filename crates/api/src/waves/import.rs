//! A recording that somebody sends: EDF, EDF+, or a zip of a WFDB record. Its samples go the way of
//! any device's: through the journal, as a recording, never live.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use journal::{Draft, Lane, Outcome};
use mapping::{Details, measure_samples};
use record::{Channel, Recording, edf, labels};
use serde::Deserialize;
use store::DirectoryQuery;
use tokio::sync::Semaphore;
use vitals::time::{DAY, SECOND};
use vitals::{
    Content, DeviceId, DeviceTime, Event, Measurement, Message, Metric, MetricCode, Offset, Origin,
    PatientId, PatientRef, Protocol, Quality, Reading, SampleArray, Samples, TimeBase, Unit,
};

use super::shapes::{ImportedChannel, WaveImport};
use super::unzip;
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Largest file, in bytes.
pub(crate) const FILE_MAX: usize = 96 << 20;
/// Most samples of one recording.
const SAMPLES_MAX: usize = 48_000_000;
/// Most channels.
const CHANNELS_MAX: usize = 64;
/// Longest recording.
const LONGEST_US: i64 = 31 * DAY;
/// So much time goes into one journal entry …
const ENTRY_US: i64 = 10 * SECOND;
/// … as pieces of all channels by turns, as a monitor sends them: the analysis takes channels
/// together that go on side by side.
const PIECE_US: i64 = SECOND;
/// Recordings taken in at once, for what they take of memory; whoever comes next waits.
static AT_ONCE: Semaphore = Semaphore::const_new(1);
/// How long to wait until the engine has taken in the last of it.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    start_ms: Option<i64>,
    record: Option<String>,
}

/// Takes in a recording: EDF, EDF+, or a zip with a WFDB record. The same file again changes nothing.
#[utoipa::path(post, path = "/api/v1/patients/{id}/waveforms/import", tag = "waveforms",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("start_ms" = Option<i64>, Query, description = "When it began, milliseconds since 1970: \
            needed when the file does not say, and stronger than what it says"),
        ("record" = Option<String>, Query, description = "Which record of the zip"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "The file, 96 MiB and 48,000,000 samples at most"),
    responses((status = 200, body = WaveImport), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn import_waveforms(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<WaveImport>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/waveforms/import";
    let actor = api.enter(&headers, Permission::SendReadings, route, subject.as_ref()).await?;
    let patient = person(&api, &id).await?;
    let _place = AT_ONCE.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let read = tokio::task::spawn_blocking(move || Import::read(&body, &asked));
    let import = read.await.map_err(|error| ApiError::internal(&error))??;
    let mut last = None;
    for entry in import.entries() {
        let message = import.message(&api, &patient, &actor.name, entry);
        last = Some(append(&api, message).await?);
    }
    if let Some(last) = last {
        api.live.progress().judge(last, PATIENCE).await;
    }
    Ok(Json(import.report))
}

/// The patient of that id, also one of whom nothing was measured yet.
async fn person(api: &Api, id: &str) -> Result<PatientId, ApiError> {
    match known(api, id) {
        Ok(seen) => return Ok(seen.patient.id.clone()),
        Err(ApiError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let query = DirectoryQuery { ids: vec![id.to_owned()], ..DirectoryQuery::default() };
    let found = api.ask_settled(move |store| store.patients(&query)).await?.rows.pop();
    let row = found.ok_or(ApiError::NotFound("patient"))?;
    Ok(row.merged_into.unwrap_or(row.patient.id))
}

async fn append(api: &Api, message: Message) -> Result<Offset, ApiError> {
    // The same file again changes nothing: samples that are there already are not stored twice.
    let draft = Draft { event: Event::Message(message), dedup: None, lane: Lane::Waveform };
    match api.appender.append(draft).await {
        Ok(Outcome::Committed(offset) | Outcome::Duplicate(offset)) => Ok(offset),
        Ok(Outcome::Failed(error)) => Err(ApiError::unavailable(&error.to_string())),
        Err(closed) => Err(ApiError::unavailable(&closed.to_string())),
    }
}

/// A recording that can be taken in.
struct Import {
    device: DeviceId,
    /// When it began, in microseconds since 1970.
    start: i64,
    channels: Vec<Wanted>,
    /// Begin and end of its samples, in microseconds after the start.
    span: (i64, i64),
    report: WaveImport,
}

/// A channel with what it is taken for.
struct Wanted {
    metric: &'static Metric,
    unit: Unit,
    /// Which of several of its metric.
    number: u32,
    channel: Channel,
}

impl Import {
    fn read(bytes: &[u8], asked: &Asked) -> Result<Self, ApiError> {
        let recording = recording(bytes, asked)?;
        let start = asked.start_ms.map(|ms| ms.saturating_mul(1_000)).or(recording.start_us());
        let start = start.ok_or_else(|| {
            ApiError::bad("the file does not say when it began: say it with start_ms=")
        })?;
        let span = recording.span_us().ok_or_else(|| ApiError::bad("the file has no samples"))?;
        let samples: usize = recording.channels.iter().map(samples).sum();
        let within = (0..LONGEST_US).contains(&(span.1.saturating_sub(span.0)));
        if samples > SAMPLES_MAX || recording.channels.len() > CHANNELS_MAX || !within {
            return Err(ApiError::bad(
                "a recording may have 48,000,000 samples in 64 channels over 31 days: send it in parts",
            ));
        }
        let mut problems: Vec<String> = recording.problems.iter().map(ToString::to_string).collect();
        if !recording.annotations.is_empty() {
            problems.push(format!(
                "{} annotations are not taken: beats and rhythms are found anew",
                recording.annotations.len()
            ));
        }
        let channels = wanted(recording.channels, &mut problems);
        if channels.is_empty() {
            return Err(ApiError::bad("no channel of the file is known: name them as in IEEE 11073 or WFDB (II, ABP, PLETH …)"));
        }
        // The same file is the same device: what is there already is known again.
        let mut hash = crc32fast::Hasher::new();
        hash.update(bytes);
        let device = DeviceId::sanitised(&format!("recording-{:08x}-{}", hash.finalize(), bytes.len()));
        let report = WaveImport {
            device: device.to_string(),
            channels: channels.iter().map(Wanted::report).collect(),
            samples: channels.iter().map(|wanted| samples_u64(&wanted.channel)).sum(),
            from_ms: (start + span.0).div_euclid(1_000),
            to_ms: (start + span.1).div_euclid(1_000),
            problems,
        };
        Ok(Self { device, start, channels, span, report })
    }

    /// The times of the journal entries that it takes, in microseconds after the start.
    fn entries(&self) -> impl Iterator<Item = (i64, i64)> + use<> {
        let (begin, end) = self.span;
        let count = (end - begin + ENTRY_US - 1) / ENTRY_US;
        (0..count).map(move |at| (begin + at * ENTRY_US, begin + (at + 1) * ENTRY_US))
    }

    /// The samples of an entry, all channels by turns.
    fn measurements(&self, span: (i64, i64)) -> impl Iterator<Item = Measurement> {
        let pieces = (span.0..span.1).step_by(PIECE_US as usize).map(|from| (from, from + PIECE_US));
        pieces
            .flat_map(|piece| self.channels.iter().map(move |wanted| (wanted, piece)))
            .flat_map(|(wanted, piece)| wanted.measurements(self.start, piece))
    }

    fn message(&self, api: &Api, patient: &PatientId, sender: &str, span: (i64, i64)) -> Message {
        let patient = PatientRef { id: patient.clone(), identifiers: Vec::new(), name: None };
        let reading = Reading {
            device: self.device.clone(),
            patient: Some(patient),
            measurements: self.measurements(span).collect(),
        };
        Message {
            origin: Origin {
                protocol: Protocol::Http,
                address: "waveforms/import".to_owned(),
                sender: sender.to_owned(),
                message_id: String::new(),
                profile: "recording".to_owned(),
            },
            received: api.now(),
            time_base: TimeBase::Recorded,
            payload: Vec::new(),
            content: vec![Content::Reading(reading)],
            problems: Vec::new(),
        }
    }
}

fn samples(channel: &Channel) -> usize {
    channel.segments.iter().map(|segment| segment.samples.len()).sum()
}

fn samples_u64(channel: &Channel) -> u64 {
    samples(channel) as u64
}

fn recording(bytes: &[u8], asked: &Asked) -> Result<Recording, ApiError> {
    let failed = |error: record::Error| ApiError::bad(format!("the file can't be read: {error}"));
    if bytes.starts_with(b"PK") {
        return unzip::record(bytes, asked.record.as_deref());
    }
    if bytes.starts_with(b"0       ") {
        return edf::read(bytes).map_err(failed);
    }
    Err(ApiError::bad("a recording is an EDF or EDF+ file, or a zip with a WFDB record"))
}

/// The channels that are known for what they are; of the others a line each.
fn wanted(channels: Vec<Channel>, problems: &mut Vec<String>) -> Vec<Wanted> {
    let mut numbers: HashMap<MetricCode, u32> = HashMap::new();
    let mut wanted = Vec::new();
    for channel in channels {
        let metric = channel.metric.or_else(|| labels::metric(&channel.label));
        let Some(metric) = metric.and_then(MetricCode::metric) else {
            problems.push(format!("channel {}: not known what it is", channel.label));
            continue;
        };
        let unit = match labels::unit(&channel.unit) {
            Some(unit) => unit,
            // Files that leave the unit out mean the usual one.
            None if channel.unit.trim().is_empty() => metric.unit,
            None => {
                problems.push(format!("channel {}: its unit is not known", channel.label));
                continue;
            }
        };
        if metric.normalise(1.0, unit).is_none() {
            problems.push(format!("channel {}: its unit does not fit {}", channel.label, metric.refid));
            continue;
        }
        let number = numbers.entry(metric.code).or_default();
        wanted.push(Wanted { metric, unit, number: *number, channel });
        *number += 1;
    }
    wanted
}

impl Wanted {
    fn report(&self) -> ImportedChannel {
        let rate = self.channel.rate;
        ImportedChannel {
            label: self.channel.label.clone(),
            metric: self.metric.refid.to_owned(),
            rate: [rate.numerator(), rate.denominator()],
            samples: samples_u64(&self.channel),
        }
    }

    /// The samples between two times, a measurement for each segment.
    fn measurements(&self, start: i64, (from, to): (i64, i64)) -> impl Iterator<Item = Measurement> {
        let rate = self.channel.rate;
        self.channel.segments.iter().filter_map(move |segment| {
            let end = segment.first + segment.samples.len() as u64;
            let number = |time: i64| {
                rate.index_at(time.saturating_sub(segment.anchor_us)).clamp(segment.first, end)
            };
            let (first, last) = (number(from) - segment.first, number(to) - segment.first);
            let counts = segment.samples.get(first as usize..last as usize)?;
            if counts.is_empty() {
                return None;
            }
            let samples = Samples::Counts(counts.to_vec());
            let array = SampleArray { rate, scale: segment.scale, sequence: None, samples };
            let details = Details {
                device_time: Some(DeviceTime(start + segment.time_us(rate, first))),
                quality: Quality::empty(),
                channel: self.number,
            };
            measure_samples(self.metric, array, Some(self.unit), details).ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::{Segment, Start};
    use vitals::{Rate, Scale, Value};

    fn channel(label: &str, seconds: usize) -> Channel {
        let samples: Vec<i32> = (0..100 * seconds as i32).collect();
        let segments = vec![Segment { anchor_us: 0, first: 0, scale: Scale::ONE, samples }];
        let rate = Rate::new(100, 1).expect("not zero");
        Channel { label: label.to_owned(), metric: None, unit: "mV".to_owned(), rate, segments }
    }

    #[test]
    fn channels_take_turns_second_by_second() {
        let recording = Recording {
            start: Start::At(0),
            channels: vec![channel("II", 12), channel("V1", 12), channel("Angle", 12)],
            ..Recording::default()
        };
        let (bytes, _) = edf::write(&recording, edf::Options::default()).expect("written");
        let import = Import::read(&bytes, &Asked { start_ms: None, record: None }).expect("read");
        assert_eq!(import.report.samples, 2_400);
        assert!(import.report.problems.iter().any(|line| line.contains("Angle")), "{:?}", import.report.problems);
        let spans: Vec<_> = import.entries().collect();
        assert_eq!(spans, [(0, ENTRY_US), (ENTRY_US, 2 * ENTRY_US)]);
        let turns: Vec<Measurement> = spans.into_iter().flat_map(|span| import.measurements(span)).collect();
        let told = turns.iter().map(|one| {
            let Value::SampleArray(array) = &one.value else { panic!("samples") };
            (one.metric.refid(), one.device_time.map_or(0, DeviceTime::millis), array.len())
        });
        let (first, second) = ("MDC_ECG_ELEC_POTL_II".to_owned(), "MDC_ECG_ELEC_POTL_V1".to_owned());
        let expected = (0..12).flat_map(|at| [(first.clone(), at * 1_000, 100), (second.clone(), at * 1_000, 100)]);
        assert_eq!(told.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}
