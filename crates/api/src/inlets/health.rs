//! Data points of phones and their clouds over HTTP: Open mHealth, IEEE 1752.1, Health Connect, events of
//! inhalers and pill dispensers. A data point is a message of its own.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vitals::DeviceId;

use super::{Piece, Sender, Shown, take};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

const ROUTE: &str = "/api/v1/device/health";
/// Most data points in one request.
const POINTS_MAX: usize = 5_000;

/// What became of the data points of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthTaken {
    /// Values that were taken.
    values: usize,
    /// Data points that had come before.
    duplicates: usize,
    /// Why the others stand in quarantine.
    quarantined: Vec<String>,
}

/// Takes a data point, or a list of them: of the device that sends, or of the one that a program names
/// (`?device=`).
#[utoipa::path(post, path = "/api/v1/device/health", tag = "devices", request_body = Value,
    params(("device" = Option<String>, Query, description = "Whose data points these are, when a program sends them.")),
    responses((status = 200, body = HealthTaken), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 413, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn post_health(
    State(api): State<Api>,
    shown: Shown,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<HealthTaken>, ApiError> {
    let sender = Sender::of(&api, shown, &headers, ROUTE).await?;
    let query = query.unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let named = pairs.find(|(key, _)| key == "device").map(|(_, value)| value.into_owned());
    let device = match (&sender, named) {
        (Sender::Device(own), _) => own.clone(),
        (Sender::Program(_), Some(name)) => DeviceId::new(&name).map_err(|_| ApiError::bad("device: a device's id"))?,
        (Sender::Program(_), None) => return Err(ApiError::bad("device: say whose data points these are")),
    };
    let points = match serde_json::from_slice(&body) {
        Ok(Value::Array(items)) => items,
        Ok(item @ Value::Object(_)) => vec![item],
        _ => return Err(ApiError::bad("send a JSON data point, or a list of data points")),
    };
    if points.len() > POINTS_MAX {
        let why = format!("at most {POINTS_MAX} data points in one request");
        return Err(ApiError::Malformed(StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    let topic = format!("vitalwire/{device}/health");
    let pieces = points.iter().map(|point| Piece { topic: topic.clone(), payload: point.to_string().into_bytes() });
    let fates = take(&api, &sender, pieces.collect()).await?;
    let told = fates.iter().flat_map(|fate| &fate.problems);
    Ok(Json(HealthTaken {
        values: fates.iter().map(|fate| fate.values).sum(),
        duplicates: fates.iter().filter(|fate| fate.again).count(),
        quarantined: told.map(|p| format!("{}: {}", p.kind.name(), p.detail)).collect(),
    }))
}
