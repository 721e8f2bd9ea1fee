//! What edges ask for, each with its own token: it is theirs alone and opens nothing else.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use edge::{Answer, Batch, Edge, Unread};
use guard::{Note, Outcome, Presented};
use journal::{AckQueue, Draft, Lane};
use sha2::{Digest, Sha256};
use vitals::time::SECOND;
use vitals::{Content, DeviceId, Event, Passed, ReceiveTime, RelayLine, Relayed};

use super::view::{EdgeCode, EdgeToken};
use super::{Edges, ask, secret};
use crate::access::source;
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// The certificate that an edge shows, if it does.
type Shown = Option<Extension<Arc<Presented>>>;

const ENROL: &str = "/api/v1/edges/{id}/enrolment";
const TOKEN: &str = "/api/v1/edges/{id}/token";
const CONFIGURATION: &str = "/api/v1/edges/{id}/configuration";
const BATCH: &str = "/api/v1/edges/{id}/batch";
/// An edge's clock that is off by more than this is corrected, microseconds.
const CLOCK_OFF: i64 = 2 * SECOND;
/// Most pieces in a batch.
const PIECES_MAX: usize = 10_000;

/// Lets an edge in for good, for the code that it was given.
#[utoipa::path(post, path = "/api/v1/edges/{id}/enrolment", tag = "edges",
    params(("id" = String, Path, description = "Edge id")), request_body = EdgeCode,
    responses((status = 200, body = EdgeToken), (status = 401, body = ErrorBody)))]
pub(crate) async fn enrol(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    Json(shown): Json<EdgeCode>,
) -> Result<Json<EdgeToken>, ApiError> {
    let (token, now, name) = (secret()?, api.now().0, id.clone());
    let given = token.clone();
    let made = ask(&edges, move |list| list.enrol(&name, &shown.code, &given, now)).await;
    note(&api, &id, ("enrol-edge", ENROL), made.is_ok());
    made.map(|()| Json(EdgeToken { token }))
}

/// Gives an edge another token. The one it has holds until it shows the other.
#[utoipa::path(post, path = "/api/v1/edges/{id}/token", tag = "edges",
    params(("id" = String, Path, description = "Edge id")),
    responses((status = 200, body = EdgeToken), (status = 401, body = ErrorBody)))]
pub(crate) async fn post_token(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    shown: Shown,
    headers: HeaderMap,
) -> Result<Json<EdgeToken>, ApiError> {
    admitted(&api, &edges, &id, (&headers, shown), ("rotate-edge-token", TOKEN)).await?;
    let token = secret()?;
    let given = token.clone();
    ask(&edges, move |list| list.give(&id, &given)).await?;
    Ok(Json(EdgeToken { token }))
}

/// What the edge is to do: its rules, the policy, the patients on its devices. With `If-None-Match`
/// 304 while nothing changed.
#[utoipa::path(get, path = "/api/v1/edges/{id}/configuration", tag = "edges",
    params(("id" = String, Path, description = "Edge id")),
    responses((status = 200, description = "The configuration"), (status = 304), (status = 401, body = ErrorBody)))]
pub(crate) async fn get_configuration(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    shown: Shown,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let edge = admitted(&api, &edges, &id, (&headers, shown), ("configure-edge", CONFIGURATION)).await?;
    let configuration = edges.configuration(&api, &edge);
    let etag = format!("\"{}\"", configuration.etag);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known == Some(etag.as_str()) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    Ok(([(header::ETAG, etag)], axum::Json(configuration)).into_response())
}

/// Takes in a batch of an edge; the answer says up to which number all is durable.
#[utoipa::path(post, path = "/api/v1/edges/{id}/batch", tag = "edges",
    params(("id" = String, Path, description = "Edge id")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "Up to which number all is durable"), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub(crate) async fn post_batch(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    shown: Shown,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let edge = admitted(&api, &edges, &id, (&headers, shown), ("deliver-batch", BATCH)).await?;
    let batch = Batch::read(&body).map_err(|error| ApiError::bad(error.to_string()))?;
    if batch.pieces.len() > PIECES_MAX {
        return Err(ApiError::bad("a batch has 10000 pieces at most"));
    }
    let name = DeviceId::new(&id).map_err(|_| ApiError::NotFound("edge"))?;
    // One batch at a time, so that order is kept.
    let turn = edges.turn(&id);
    let _mine = turn.lock().await;
    let now = api.now().0;
    let ahead = batch.sent_at.saturating_sub(now);
    let (drafts, unread, devices) = drafts(&name, &batch, ahead);
    if !unread.is_empty() {
        api.live.count("edge-unread", unread.len() as u64);
    }
    let delivered = drafts.len() as u64;
    commit(&api, drafts).await?;
    for one in &batch.health.thinned {
        tracing::debug!(edge = %name, class = one.class, reason = one.reason, pieces = one.pieces, "an edge left out");
    }
    let durable = batch.pieces.last().map_or(0, |(number, _)| *number);
    let (spool, health) = (batch.spool, batch.health);
    ask(&edges, move |list| {
        list.heard(&id, (spool, &health), (delivered, &devices), (now, ahead))
    })
    .await?;
    let configuration = edges.configuration(&api, &edge).etag;
    let rotate = edge.is_to_rotate(now);
    Ok(axum::Json(Answer { durable, configuration, now, unread, rotate }).into_response())
}

/// A batch as events to be journaled, what is no piece, and the devices that spoke.
fn drafts(edge: &DeviceId, batch: &Batch, ahead: i64) -> (Vec<(Draft, u64)>, Vec<Unread>, Vec<String>) {
    let (mut drafts, mut unread, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    let lane = match batch.line {
        RelayLine::Numerics => Lane::Numeric,
        RelayLine::Waveforms => Lane::Waveform,
    };
    for (number, bytes) in &batch.pieces {
        let Some(mut what) = Batch::read_piece(bytes) else {
            unread.push(Unread(*number));
            continue;
        };
        if let Passed::Score(score) = &mut what
            && ahead.abs() > CLOCK_OFF
        {
            score.received = ReceiveTime(score.received.0.saturating_sub(ahead));
        }
        if let Passed::Message(message) = &mut what {
            if ahead.abs() > CLOCK_OFF {
                message.received = ReceiveTime(message.received.0.saturating_sub(ahead));
            }
            for content in &message.content {
                if let Content::Reading(reading) = content
                    && !devices.iter().any(|known| known == reading.device.as_str())
                {
                    devices.push(reading.device.to_string());
                }
            }
        }
        let dedup = Some(key(edge, batch.spool, batch.line, *number));
        let relayed = Relayed {
            edge: edge.clone(), spool: batch.spool, line: batch.line, number: *number, what,
        };
        drafts.push((Draft { event: Event::Relayed(relayed), dedup, lane }, *number));
    }
    (drafts, unread, devices)
}

/// Names a piece, so that the journal holds it once.
fn key(edge: &DeviceId, spool: u64, line: RelayLine, number: u64) -> u128 {
    let text = format!("edge|{edge}|{spool}|{line:?}|{number}");
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    u128::from_le_bytes(first)
}

/// Journals all of them, in order; returns when all are durable.
async fn commit(api: &Api, drafts: Vec<(Draft, u64)>) -> Result<(), ApiError> {
    let mut waiting = drafts.len();
    let acks = AckQueue::new();
    let queued = api.appender.enqueue_all(drafts, &acks).await;
    queued.map_err(|closed| ApiError::unavailable(&closed.to_string()))?;
    while waiting > 0 {
        for (_, outcome) in acks.wait().await {
            waiting = waiting.saturating_sub(1);
            if let journal::Outcome::Failed(error) = outcome {
                return Err(ApiError::unavailable(&error.to_string()));
            }
        }
    }
    Ok(())
}

/// The edge whose token was shown, and whose certificate if it shows one: once it has, it must.
async fn admitted(
    api: &Api,
    edges: &Arc<Edges>,
    id: &str,
    (headers, shown): (&HeaderMap, Shown),
    (action, route): (&'static str, &'static str),
) -> Result<Edge, ApiError> {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned();
    let (name, now) = (id.to_owned(), api.now());
    let edge = ask(edges, move |list| list.admit(&name, &token, now.0)).await;
    let edge = match (edge, shown) {
        (Ok(edge), Some(Extension(shown))) => match api.guard.judge(&shown, now) {
            Ok(Some(device)) if device.as_str() == id => {
                if edge.certificate.is_none() {
                    let name = id.to_owned();
                    ask(edges, move |list| list.certified(&name, now.0)).await?;
                }
                Ok(edge)
            }
            _ => Err(ApiError::Refused("this certificate is not that edge's, or is not let in now")),
        },
        (Ok(edge), None) if edge.certificate.is_some() => {
            Err(ApiError::Refused("this edge shows a certificate, and none was shown"))
        }
        (edge, _) => edge,
    };
    note(api, id, (action, route), edge.is_ok());
    edge
}

/// Notes that an edge was let in, or not: counted by the minute.
fn note(api: &Api, id: &str, (action, route): (&'static str, &'static str), good: bool) {
    let outcome = if good { Outcome::Allowed } else { Outcome::Denied };
    let actor = if good { id.to_owned() } else { "unknown".to_owned() };
    let (object, factor) = (String::new(), "token");
    api.guard.note(Note { action, route, actor, source: source(), outcome, object, factor }, api.now());
}
