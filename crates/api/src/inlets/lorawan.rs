//! Uplinks as LoRaWAN network servers post them (The Things Stack, ChirpStack). Each integration is a
//! program with a token of its own, which the server sends as a header.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Piece, Sender, Shown, take};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

const ROUTE: &str = "/api/v1/lorawan/{integration}";
/// What ChirpStack sends besides uplinks and the device's status, and nobody measures.
const OTHER_EVENTS: [&str; 6] = ["join", "ack", "txack", "log", "location", "integration"];

/// What became of an uplink.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UplinkTaken {
    /// Values that were taken.
    values: usize,
    /// Whether it had come before.
    duplicate: bool,
    /// Why the rest stands in quarantine.
    quarantined: Vec<String>,
}

/// Takes an uplink. What no profile understands is taken, too, and stands in quarantine: a network
/// server that gets an error tries again for a while and then drops it.
#[utoipa::path(post, path = "/api/v1/lorawan/{integration}", tag = "devices",
    request_body(content = String, content_type = "application/json", description = "An uplink as the network server posts it."),
    params(("integration" = String, Path, description = "Which integration, as the site calls it: letters, digits, - _ ."),
        ("event" = Option<String>, Query, description = "ChirpStack's kind of event.")),
    responses((status = 200, body = UplinkTaken), (status = 202, body = UplinkTaken), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn post_uplink(
    State(api): State<Api>,
    Path(integration): Path<String>,
    shown: Shown,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<UplinkTaken>), ApiError> {
    let good = !integration.is_empty()
        && integration.len() <= 64
        && integration.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let sender = Sender::of(&api, shown, &headers, ROUTE).await?;
    if !good {
        return Err(ApiError::bad("integration: letters, digits, - _ ."));
    }
    let pairs = query.unwrap_or_default();
    let event = form_urlencoded::parse(pairs.as_bytes()).find(|(key, _)| key == "event").map(|(_, value)| value.into_owned());
    if let Some(event) = OTHER_EVENTS.into_iter().find(|other| event.as_deref() == Some(other)) {
        metrics::counter!("vitalwire_lorawan_events_total", "event" => event).increment(1);
        return Ok((StatusCode::ACCEPTED, Json(UplinkTaken { values: 0, duplicate: false, quarantined: Vec::new() })));
    }
    let piece = Piece { topic: format!("lorawan/{integration}/up"), payload: body.to_vec() };
    let fates = take(&api, &sender, vec![piece]).await?;
    let fate = fates.into_iter().next().unwrap_or_default();
    let quarantined = fate.problems.iter().map(|p| format!("{}: {}", p.kind.name(), p.detail)).collect();
    Ok((StatusCode::OK, Json(UplinkTaken { values: fate.values, duplicate: fate.again, quarantined })))
}
