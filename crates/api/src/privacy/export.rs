//! Everything that is known of one person as a ZIP that is made while it is sent: FHIR bundles, every
//! value as CSV, every sample as EDF+, alerts, consents, who saw it; a manifest with a hash of each.

use std::io::Write;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::{AlertRecord, PatientView};
use guard::Permission;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{AlertQuery, Page, Read, SeriesFilter, Span};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use vitals::PatientId;
use vitals::time::HOUR;
use wire_fhir::time;
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

use super::accesses::{self, Asked};
use super::{account, care_team, consents, enter, own, records};
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::Path;
use crate::fhir::backend::{Cursor, FhirBackend, Hint, ReadingQuery};
use crate::fhir_backend::Backend;
use crate::state::Api;
use crate::{view, waves};

/// Exports made at once: each keeps a processor busy.
static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// Pieces on their way to the reader; a slow reader slows the export.
const PIECES: usize = 16;
/// Observations of one bundle.
const BUNDLE: usize = 5_000;
/// Alerts of one question to the store.
const ALERTS: u64 = 1_000;

/// Everything that is known of one person.
#[utoipa::path(get, path = "/api/v1/patients/{id}/export", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_export(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let route = "/api/v1/patients/{id}/export";
    let seen = enter(&api, &headers, Permission::ExportPerson, route, &id).await?;
    export(api, seen).await
}

/// Everything that is known of oneself.
#[utoipa::path(get, path = "/api/v1/me/export", tag = "privacy",
    responses((status = 200, body = Vec<u8>, content_type = "application/zip"),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_my_export(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Caregivers see what they were invited to see; the whole record is the patient's alone.
    let patient = match account(&api, &headers)?.role {
        vitals::Role::Patient => Some(own(&api, &headers, None).await?),
        _ => None,
    };
    api.enter(&headers, Permission::SeeOwnRecord, "/api/v1/me/export", patient.as_ref()).await?;
    let patient = patient.ok_or(ApiError::NotFound("own record of this account"))?;
    let seen = known(&api, patient.as_str())?;
    export(api, seen).await
}

/// What is put together before the ZIP begins, all but values and samples: names and contents of files.
type Papers = Vec<(String, Value)>;

async fn export(api: Api, seen: std::sync::Arc<PatientView>) -> Result<Response, ApiError> {
    let place = AT_ONCE.acquire().await.map_err(|error| ApiError::internal(&error))?;
    let papers = papers(&api, &seen).await?;
    let (pieces, coming) = mpsc::channel::<Result<Bytes, std::io::Error>>(PIECES);
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let out = Pieces { pieces: pieces.clone(), filled: Vec::with_capacity(PIECE) };
        if let Err(error) = write(&api, &seen, papers, out) {
            tracing::warn!("an export was not finished: {error}");
            // The reader sees a broken answer, not a short ZIP.
            let _ = pieces.blocking_send(Err(std::io::Error::other("the export was not finished")));
        }
    });
    let head = [
        (header::CONTENT_TYPE, "application/zip"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"record.zip\""),
    ];
    Ok((head, Body::from_stream(ReceiverStream::new(coming))).into_response())
}

async fn papers(api: &Api, seen: &PatientView) -> Result<Papers, ApiError> {
    let ids = records(seen);
    let backend = Backend(api.clone());
    let failed = |error: crate::fhir::backend::BackendError| ApiError::internal(&error);
    let mut resources = Vec::new();
    let own = backend.record(wire_fhir::Kind::Patient, seen.patient.id.as_str()).await.map_err(failed)?;
    resources.extend(own.as_ref().and_then(wire_fhir::record::resource));
    let stays = backend.records(wire_fhir::Kind::Encounter, Hint::Patients(ids.clone())).await.map_err(failed)?;
    resources.extend(stays.iter().filter_map(wire_fhir::record::resource));
    let devices: Vec<String> = seen.devices.iter().map(|(id, ..)| id.to_string()).collect();
    let devices = backend.records(wire_fhir::Kind::Device, Hint::Ids(devices)).await.map_err(failed)?;
    resources.extend(devices.iter().filter_map(wire_fhir::record::resource));
    let given = consents::rows(api, ids.clone()).await?;
    let documents = given.iter().filter_map(|row| serde_json::from_str::<Value>(&row.json).ok());
    let mut files = vec![("fhir/record.json".to_owned(), bundle(resources))];
    files.push(("fhir/consents.json".to_owned(), bundle(documents.collect())));
    files.push(("alerts.json".to_owned(), value(&alerts(api, &ids).await?)));
    files.push(("consents.json".to_owned(), value(&consents::list(api, ids.clone()).await?)));
    files.push(("care-team.json".to_owned(), value(&care_team::list(api, ids.clone()).await?)));
    let all = Asked::since_ever();
    files.push(("accesses.json".to_owned(), value(&accesses::report(api, ids, &all).await?)));
    Ok(files)
}

fn value(shape: &impl Serialize) -> Value {
    serde_json::to_value(shape).unwrap_or_default()
}

fn bundle(resources: Vec<Value>) -> Value {
    let entries: Vec<Value> = resources.into_iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

async fn alerts(api: &Api, ids: &[PatientId]) -> Result<Vec<dto::Alert>, ApiError> {
    let ids = ids.to_vec();
    let rows = api
        .ask_settled(move |store| {
            let mut rows = Vec::new();
            for id in ids {
                let before = rows.len();
                loop {
                    let page = Page { skip: (rows.len() - before) as u64, limit: ALERTS };
                    let query = AlertQuery { patient: Some(id.clone()), page, ..AlertQuery::default() };
                    let found = store.alerts(&query)?;
                    let last = (found.rows.len() as u64) < ALERTS;
                    rows.extend(found.rows);
                    if last {
                        break;
                    }
                }
            }
            Ok(rows)
        })
        .await?;
    let records = rows.iter().filter_map(|row| serde_json::from_slice::<AlertRecord>(&row.body).ok());
    Ok(records.map(|record| view::alert(&record, &api.live)).collect())
}

/// Bytes of a piece.
const PIECE: usize = 64 * 1024;

/// Hands what is written over in pieces, and waits while the reader is slow.
struct Pieces {
    pieces: mpsc::Sender<Result<Bytes, std::io::Error>>,
    filled: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.filled.extend_from_slice(bytes);
        if self.filled.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.filled.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.filled, Vec::with_capacity(PIECE)));
        self.pieces.blocking_send(Ok(piece)).map_err(|_| std::io::Error::other("nobody reads any more"))
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The ZIP with the hashes of what is in it.
struct Archive {
    zip: ZipWriter<StreamWriter<Pieces>>,
    manifest: Vec<Value>,
    problems: Vec<String>,
}

impl Archive {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Failed> {
        self.zip.start_file(name, SimpleFileOptions::default())?;
        self.zip.write_all(bytes)?;
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        self.manifest.push(json!({"file": name, "bytes": bytes.len(), "sha256": hash}));
        Ok(())
    }
}

fn write(api: &Api, seen: &PatientView, papers: Papers, out: Pieces) -> Result<(), Failed> {
    let mut archive = Archive { zip: ZipWriter::new_stream(out), manifest: Vec::new(), problems: Vec::new() };
    for (name, json) in &papers {
        archive.put(name, &serde_json::to_vec_pretty(json)?)?;
    }
    let store = api.reader.as_ref();
    let ids = records(seen);
    observations(&mut archive, api, &ids)?;
    let filter = SeriesFilter { subjects: ids.clone(), ..SeriesFilter::default() };
    let mut waves: Option<(i64, i64)> = None;
    for info in store.series(&filter)? {
        series(&mut archive, store, &info)?;
        if let Some(extent) = store.wave_extent(info.id)? {
            let (first, last) = (extent.first.0, extent.last.0);
            waves = Some(waves.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
        }
    }
    if let Some((first, last)) = waves {
        samples(&mut archive, api, seen, &ids, (first, last))?;
    }
    let note = "fhir/ holds every value as an Observation; series/ holds them again as CSV.";
    let manifest = json!({
        "made": time::format(api.now().micros()),
        "patient": seen.patient.id.as_str(),
        "note": note,
        "files": archive.manifest,
        "problems": archive.problems,
    });
    archive.zip.start_file("manifest.json", SimpleFileOptions::default())?;
    archive.zip.write_all(&serde_json::to_vec_pretty(&manifest)?)?;
    archive.zip.finish()?.into_inner().flush()?;
    Ok(())
}

/// Every value as an Observation, bundle by bundle: what is in memory stays small.
fn observations(archive: &mut Archive, api: &Api, ids: &[PatientId]) -> Result<(), Failed> {
    let (backend, runtime) = (Backend(api.clone()), tokio::runtime::Handle::current());
    let mut after = None;
    for number in 1_u32.. {
        let subjects = Some(ids.to_vec());
        let query = ReadingQuery { subjects, after, limit: BUNDLE, ..ReadingQuery::default() };
        let page = runtime.block_on(backend.readings(query))?;
        let Some(last) = page.readings.last() else { break };
        after = Some(Cursor { time: last.point.time.micros(), reference: last.reference() });
        let resources = page.readings.iter().map(wire_fhir::project::observation).collect();
        let name = format!("fhir/observations-{number:05}.json");
        archive.put(&name, &serde_json::to_vec(&bundle(resources))?)?;
        if !page.more {
            break;
        }
    }
    Ok(())
}

fn series(archive: &mut Archive, store: &dyn Read, info: &store::SeriesInfo) -> Result<(), Failed> {
    let points = store.points(info.id, Span::ALL)?;
    if points.is_empty() {
        return Ok(());
    }
    let metric = info.key.metric.metric();
    let unit = metric.map_or("", |row| row.unit.display());
    let mut text = format!("# {} by {}, in {unit}\ntime,received,value,status\n", info.key.metric.refid(), info.key.device);
    for point in &points {
        let value = if point.value.is_nan() { String::new() } else { point.value.to_string() };
        let (at, received) = (time::format(point.time.micros()), time::format(point.received.micros()));
        text.push_str(&format!("{at},{received},{value},{}\n", wire_fhir::project::status(point.quality)));
    }
    archive.put(&format!("series/{:05}-{}.csv", info.id.0, info.key.metric.refid()), text.as_bytes())
}

/// Samples hour by hour: what is in memory stays small however long the stay was.
fn samples(
    archive: &mut Archive,
    api: &Api,
    seen: &PatientView,
    ids: &[PatientId],
    (first, last): (i64, i64),
) -> Result<(), Failed> {
    let mut from = first.div_euclid(HOUR) * HOUR;
    while from <= last {
        let hour = (from, from + HOUR);
        match waves::edf(api.reader.as_ref(), &api.live, ids.to_vec(), &seen.patient.id, hour) {
            Ok(Some(bytes)) => {
                let name: String = time::format(from).chars().take(13).filter(|c| *c != '-').collect();
                archive.put(&format!("waveforms/{name}.edf"), &bytes)?;
            }
            Ok(None) => {}
            Err(problem) => archive.problems.push(format!("waveforms of {}: {problem}", time::format(from))),
        }
        from += HOUR;
    }
    Ok(())
}
