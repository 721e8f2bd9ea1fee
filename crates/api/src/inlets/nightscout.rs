//! The Nightscout API (version 1; version 3 in [`third`]) for apps of continuous glucose meters: they upload entries,
//! treatments and device status here, and followers read glucose back.
//!
//! Whoever uploads is a device: `api-secret` is the SHA-1 of its password. A document is a message of
//! its own, so that overlapping uploads store each value once.

mod pass;
mod read;
pub(crate) mod third;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use guard::Permission;
use serde_json::{Value, json};
use vitals::DeviceId;

use super::sender::{self, with_token};
use super::{Fate, Piece, Sender, Shown, take};
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use read::Asked;

/// Most documents in one request.
const DOCUMENTS_MAX: usize = 5_000;
/// Largest body after unpacking, in bytes.
const UNPACKED_MAX: u64 = 16 << 20;

type Answer = Result<Json<Value>, ApiError>;

/// Takes entries.
pub(crate) async fn post_entries(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes,
) -> Answer {
    upload(&api, shown, query.as_deref(), &headers, &body, "/api/v1/entries").await
}

/// Takes treatments.
pub(crate) async fn post_treatments(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes,
) -> Answer {
    upload(&api, shown, query.as_deref(), &headers, &body, "/api/v1/treatments").await
}

/// Takes the status of a phone, a pump and a loop.
pub(crate) async fn post_device_status(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes,
) -> Answer {
    upload(&api, shown, query.as_deref(), &headers, &body, "/api/v1/devicestatus").await
}

/// Takes therapy settings, which are kept in the journal as they are.
pub(crate) async fn post_profile(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes,
) -> Answer {
    upload(&api, shown, query.as_deref(), &headers, &body, "/api/v1/profile").await
}

/// Glucose, newest first.
pub(crate) async fn get_entries(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let asked = Asked::read(query.as_deref(), None)?;
    read::entries(&api, shown, &with_token(&headers, query.as_deref()), asked).await
}

/// Glucose of one kind (`sgv`, `mbg`), or the newest value (`current`).
pub(crate) async fn get_entries_of(
    State(api): State<Api>, Path(kind): Path<String>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let asked = Asked::read(query.as_deref(), Some(kind.trim_end_matches(".json")))?;
    read::entries(&api, shown, &with_token(&headers, query.as_deref()), asked).await
}

/// Insulin and carbohydrates, newest first.
pub(crate) async fn get_treatments(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let asked = Asked::read(query.as_deref(), None)?;
    read::treatments(&api, shown, &with_token(&headers, query.as_deref()), asked).await
}

/// What is not kept as documents is answered as an empty list, to whoever may ask.
pub(crate) async fn get_nothing(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let headers = with_token(&headers, query.as_deref());
    known(&api, shown, &headers).await?;
    Ok(Json(json!([])))
}

/// What apps ask first: that there is a server, in which units it counts, what time it has.
pub(crate) async fn get_status(State(api): State<Api>) -> Answer {
    let now = api.now();
    Ok(Json(json!({
        "status": "ok", "name": "Vitalwire", "version": "15.0.0", "apiEnabled": true,
        "careportalEnabled": true, "boluscalcEnabled": false, "serverTime": read::rfc3339(now.micros()),
        "serverTimeEpoch": now.millis(),
        "settings": {"units": "mg/dl", "timeFormat": 24, "enable": []}, "extendedSettings": {},
    })))
}

/// Whether a credential is good.
pub(crate) async fn get_verified(
    State(api): State<Api>, shown: Shown, RawQuery(query): RawQuery, headers: HeaderMap,
) -> Answer {
    let writes = known(&api, shown, &with_token(&headers, query.as_deref())).await?;
    let message = json!({"canRead": true, "canWrite": writes, "isAdmin": false, "message": "OK", "rolefound": "FOUND"});
    Ok(Json(json!({"status": "ok", "message": message})))
}

/// Whether whoever asks may upload; an error for nobody known.
async fn known(api: &Api, shown: Shown, headers: &HeaderMap) -> Result<bool, ApiError> {
    if sender::device(api, shown, headers, "/api/v1/verifyauth")?.is_some() {
        return Ok(true);
    }
    Ok(api.viewer(headers)?.at_all(Permission::SendReadings))
}

async fn upload(
    api: &Api,
    shown: Shown,
    query: Option<&str>,
    headers: &HeaderMap,
    body: &Bytes,
    route: &'static str,
) -> Answer {
    let headers = with_token(headers, query);
    let sender = Sender::of(api, shown, &headers, route).await?;
    let body = unpacked(&headers, body)?;
    let documents = match serde_json::from_slice(&body) {
        Ok(Value::Array(items)) => items,
        Ok(item @ Value::Object(_)) => vec![item],
        _ => return Err(ApiError::bad("send a JSON document, or a list of documents")),
    };
    if documents.len() > DOCUMENTS_MAX {
        return Err(ApiError::Malformed(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {DOCUMENTS_MAX} documents in one request")));
    }
    let fates = keep(api, &sender, query, &documents).await?;
    // As Nightscout answers: the documents, each with an id. What is in quarantine is told beside.
    let answered = documents.into_iter().zip(fates).map(|(mut document, fate)| {
        if let Value::Object(fields) = &mut document {
            let id = fields.get("_id").and_then(Value::as_str).map(str::to_owned);
            fields.insert("_id".to_owned(), Value::from(id.unwrap_or_else(|| read::document_id(&without_id(&Value::Object(fields.clone()))))));
            if let Some(problem) = fate.problems.first() {
                fields.insert("quarantined".to_owned(), Value::from(format!("{}: {}", problem.kind.name(), problem.detail)));
            }
        }
        document
    });
    Ok(Json(Value::Array(answered.collect())))
}

/// Keeps documents; what became of each.
async fn keep(api: &Api, sender: &Sender, query: Option<&str>, documents: &[Value]) -> Result<Vec<Fate>, ApiError> {
    let mut pieces = Vec::with_capacity(documents.len());
    for document in documents {
        let device = device_of(sender, query, document);
        let payload = serde_json::to_vec(&without_id(document)).map_err(|error| ApiError::internal(&error))?;
        pieces.push(Piece { topic: format!("vitalwire/{device}/nightscout"), payload });
    }
    take(api, sender, pieces).await
}

/// Of which device a document is: the sender's own; of a program the one that the address names, or
/// the document.
fn device_of(sender: &Sender, query: Option<&str>, document: &Value) -> DeviceId {
    if let Sender::Device(own) = sender {
        return own.clone();
    }
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let named = pairs.find(|(key, _)| key == "device").map(|(_, value)| value.into_owned());
    let said = || ["device", "enteredBy"].iter().find_map(|key| document[*key].as_str()).map(str::to_owned);
    let name = named.or_else(said).filter(|name| !name.is_empty());
    DeviceId::sanitised(&name.unwrap_or_else(|| "nightscout".to_owned()))
}

/// Without what a former server added: it is not of the content.
fn without_id(document: &Value) -> Value {
    let mut document = document.clone();
    if let Value::Object(fields) = &mut document {
        for mark in ["_id", "srvModified", "srvCreated", "subject", "modifiedBy"] {
            fields.shift_remove(mark);
        }
    }
    document
}

/// The body, unpacked if it was packed.
fn unpacked(headers: &HeaderMap, body: &Bytes) -> Result<Vec<u8>, ApiError> {
    use std::io::Read;
    let packed = headers.get(header::CONTENT_ENCODING).is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if !packed {
        return Ok(body.to_vec());
    }
    let mut plain = Vec::new();
    let read = flate2::read::GzDecoder::new(body.as_ref()).take(UNPACKED_MAX + 1).read_to_end(&mut plain);
    match read {
        Ok(_) if plain.len() as u64 <= UNPACKED_MAX => Ok(plain),
        Ok(_) => Err(ApiError::Malformed(StatusCode::PAYLOAD_TOO_LARGE, "the body unpacks to more than 16 MiB".to_owned())),
        Err(_) => Err(ApiError::bad("the body is not gzip")),
    }
}
