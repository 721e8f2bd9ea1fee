//! What devices themselves ask for: what to do, the image, the signed metadata; and what they say
//! of it. A device shows its certificate, or its own name and password (HTTP Basic); no account of a
//! person or program opens these routes.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use fleet::campaign::Report;
use guard::Presented;
use vitals::DeviceId;

use super::dto::{DeviceCommand, DeviceReport};
use super::{ask, facts};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::trust::readings::admitted;

/// Bytes of an image in one piece of an answer.
const PIECE: u64 = 64 << 10;

/// The certificate that a device shows, if it does.
type Shown = Option<Extension<Arc<Presented>>>;

/// The device that asks.
fn device(api: &Api, shown: Shown, headers: &HeaderMap) -> Result<DeviceId, ApiError> {
    if let Some(Extension(shown)) = shown {
        return admitted(api, &shown);
    }
    let credentials = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let encoded = credentials.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let decoded = encoded.and_then(|(_, text)| base64::engine::general_purpose::STANDARD.decode(text.trim()).ok());
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) = text.as_deref().and_then(|text| text.split_once(':')).ok_or(ApiError::Unauthorised)?;
    let found = api.guard.device(user, password.as_bytes());
    if found.is_none() {
        api.note("unknown-device", "/api/v1/fleet/firmware");
    }
    found.ok_or(ApiError::Unauthorised)
}

/// What the device that asks is to do.
#[utoipa::path(get, path = "/api/v1/fleet/firmware/offer", tag = "fleet-device",
    responses((status = 200, body = DeviceCommand), (status = 401, body = ErrorBody)))]
pub(crate) async fn get_offer(
    State(api): State<Api>,
    shown: Shown,
    headers: HeaderMap,
) -> Result<Json<DeviceCommand>, ApiError> {
    let device = device(&api, shown, &headers)?;
    let known = facts(&api.live, device.as_str());
    let command = ask(&api, move |depot| depot.command_for(device.as_str(), &known)).await?;
    let Some(command) = command else {
        return Ok(Json(DeviceCommand {
            command: "none".to_owned(),
            campaign: None,
            version: None,
            target: None,
            url: None,
            length: None,
            sha256: None,
        }));
    };
    let offer = command.offer;
    Ok(Json(DeviceCommand {
        command: command.command.to_owned(),
        campaign: Some(command.campaign),
        version: offer.as_ref().map(|o| o.version.clone()),
        target: offer.as_ref().map(|o| o.target.clone()),
        url: offer.as_ref().map(|o| o.url.clone()),
        length: offer.as_ref().map(|o| o.length),
        sha256: offer.map(|o| o.sha256),
    }))
}

/// Takes in how the device that asks gets on with its update.
#[utoipa::path(post, path = "/api/v1/fleet/firmware/report", tag = "fleet-device", request_body = DeviceReport,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(crate) async fn post_report(
    State(api): State<Api>,
    shown: Shown,
    headers: HeaderMap,
    Json(said): Json<DeviceReport>,
) -> Result<StatusCode, ApiError> {
    let device = device(&api, shown, &headers)?;
    let report = match said.state.as_str() {
        "downloading" => Report::Downloading,
        "installed" => Report::Installed,
        "running" => Report::Running(said.version),
        "failed" => Report::Failed(said.reason),
        "rolled-back" => Report::RolledBack,
        _ => return Err(ApiError::bad("state: downloading, installed, running, failed or rolled-back")),
    };
    let now = api.now().0;
    ask(&api, move |depot| depot.report_update(device.as_str(), &report, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file of the signed metadata, for devices that check it themselves (TUF).
#[utoipa::path(get, path = "/api/v1/fleet/firmware/metadata/{name}", tag = "fleet-device",
    params(("name" = String, Path, description = "`root.json`, `timestamp.json`, `snapshot.json` or `targets.json`")),
    responses((status = 200, body = String, content_type = "application/json"), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody)))]
pub(crate) async fn get_metadata(
    State(api): State<Api>,
    Path(name): Path<String>,
    shown: Shown,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    device(&api, shown, &headers)?;
    let files = ask(&api, depot::Depot::signed_metadata).await?;
    let found = files.into_iter().find(|(file, _)| *file == name);
    let (_, bytes) = found.ok_or(ApiError::NotFound("metadata file"))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

/// The image that the device that asks was offered, or a range of its bytes. While it is on a patient, or
/// when nothing is offered to it, it gets nothing.
#[utoipa::path(get, path = "/api/v1/fleet/firmware/{sha256}", tag = "fleet-device",
    params(("sha256" = String, Path, description = "SHA-256 of the image")),
    responses((status = 200, body = String, content_type = "application/octet-stream"),
        (status = 206, description = "The range.", body = String, content_type = "application/octet-stream"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 416, description = "No such range.", body = ErrorBody)))]
pub(crate) async fn get_image(
    State(api): State<Api>,
    Path(sha256): Path<String>,
    shown: Shown,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let device = device(&api, shown, &headers)?;
    let known = facts(&api.live, device.as_str());
    let wanted = sha256.clone();
    let open = move |depot: &depot::Depot| {
        let offered = depot.command_for(device.as_str(), &known)?.and_then(|command| command.offer);
        match offered {
            Some(offer) if offer.sha256 == wanted => depot.image(&wanted).map(Some),
            _ => Ok(None),
        }
    };
    let opened = ask(&api, open).await?;
    let (file, length) = opened.ok_or_else(|| ApiError::Conflict("nothing is offered to this device now".to_owned()))?;
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok()).and_then(|text| range(text, length));
    let (status, from, to) = match range {
        None => (StatusCode::OK, 0, length),
        Some(Some((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(None) => {
            let unit = HeaderValue::from_str(&format!("bytes */{length}")).map_err(|e| ApiError::internal(&e))?;
            let error = ApiError::Malformed(StatusCode::RANGE_NOT_SATISFIABLE, "no such range".to_owned());
            let mut answer = error.into_response();
            answer.headers_mut().insert(header::CONTENT_RANGE, unit);
            return Ok(answer);
        }
    };
    let mut answer = Response::new(body(file, from, to - from));
    *answer.status_mut() = status;
    let heads = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_LENGTH, (to - from).to_string()),
        (header::ETAG, format!("\"{sha256}\"")),
        (header::CONTENT_RANGE, format!("bytes {from}-{}/{length}", to.saturating_sub(1))),
    ];
    let partial = status == StatusCode::PARTIAL_CONTENT;
    for (name, value) in heads.into_iter().filter(|(name, _)| partial || *name != header::CONTENT_RANGE) {
        let value = HeaderValue::from_str(&value).map_err(|e| ApiError::internal(&e))?;
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// One range of bytes, first and first after (RFC 9110, 14.2). None: not understood, so the whole is
/// sent; inner none: outside of the file.
fn range(text: &str, length: u64) -> Option<Option<(u64, u64)>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.trim(), to.trim()) {
        ("", last) => (length.saturating_sub(last.parse().ok()?), length),
        (from, "") => (from.parse().ok()?, length),
        (from, to) => (from.parse().ok()?, to.parse::<u64>().ok()?.saturating_add(1).min(length)),
    };
    Some((from < to && from < length).then_some((from, to)))
}

/// The bytes of a file, read piece by piece as they are sent.
fn body(file: std::fs::File, from: u64, length: u64) -> Body {
    let pieces = async_stream::stream! {
        let (mut file, mut at, mut left) = (Some(file), from, length);
        while left > 0 {
            let Some(mut reading) = file.take() else { return };
            let piece = left.min(PIECE);
            let read = tokio::task::spawn_blocking(move || {
                reading.seek(SeekFrom::Start(at))?;
                let mut bytes = Vec::new();
                reading.by_ref().take(piece).read_to_end(&mut bytes)?;
                Ok::<_, std::io::Error>((reading, bytes))
            });
            match read.await {
                Ok(Ok((reading, bytes))) if !bytes.is_empty() => {
                    at += bytes.len() as u64;
                    left -= bytes.len() as u64;
                    file = Some(reading);
                    yield Ok(bytes);
                }
                Ok(Ok(_)) => return yield Err(std::io::Error::other("the image is shorter than it was")),
                Ok(Err(error)) => return yield Err(error),
                Err(_) => return yield Err(std::io::Error::other("stopped")),
            }
        }
    };
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges() {
        for (text, expected) in [
            ("bytes=0-9", Some(Some((0, 10)))),
            ("bytes=90-", Some(Some((90, 100)))),
            ("bytes=-10", Some(Some((90, 100)))),
            ("bytes=0-1000", Some(Some((0, 100)))),
            ("bytes=100-", Some(None)),
            ("bytes=9-0", Some(None)),
            ("bytes=0-1,5-6", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(range(text, 100), expected, "{text}");
        }
    }
}
