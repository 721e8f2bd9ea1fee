//! Quarantine: what could not be understood and why; released when the profile is put right.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::Permission;
use mapping::{RawMessage, StepKind, Trace};
use serde::{Deserialize, Serialize};
use store::{Page, QuarantineQuery, Read, QuarantineRow, QuarantineStatus, Span};
use utoipa::ToSchema;
use vitals::{Action, Actor, Content, Message, Offset, Origin, Protocol};

use crate::app::readings::{message_at, message_view};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Most messages released in one request.
const RELEASE_MAX: u64 = 1_000;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default = "fresh")]
    state: String,
    limit: Option<u64>,
    before: Option<i64>,
}

fn fresh() -> String {
    "new".to_owned()
}

/// Why a message is discarded.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Discard {
    reason: String,
}

/// Which messages to release.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ReleaseMatching {
    /// Topic, message type or resource type; none: any.
    address: Option<String>,
}

/// How many messages were released, and how many could not be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Released {
    released: u64,
    refused: u64,
}

/// What could not be understood, newest first.
#[utoipa::path(get, path = "/api/v1/quarantine", tag = "quarantine",
    params(
        ("state" = Option<String>, Query, description = "new (if not said), released, discarded, all"),
        ("limit" = Option<u64>, Query, description = "At most this many, 100 if not said"),
        ("before" = Option<i64>, Query, description = "Received before, in milliseconds, to go on"),
    ),
    responses((status = 200, body = dto::QuarantinePage)))]
pub(crate) async fn get_quarantine(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<dto::QuarantinePage>, ApiError> {
    api.enter(&headers, Permission::SeeQuarantine, "/api/v1/quarantine", None).await?;
    let status = match asked.state.as_str() {
        "all" => None,
        name => Some(
            QuarantineStatus::from_name(name)
                .ok_or_else(|| ApiError::bad("state: new, released, discarded or all"))?,
        ),
    };
    let query = QuarantineQuery {
        status,
        received: Span { from: None, to: asked.before.map(|ms| ms.saturating_mul(1_000)) },
        page: Page { skip: 0, limit: asked.limit.unwrap_or(100).min(1_000) },
        ..QuarantineQuery::default()
    };
    let question = move |store: &dyn Read| {
        Ok((store.quarantine(&query)?, store.quarantine_kinds(QuarantineStatus::New)?))
    };
    let (found, kinds) = api.ask_settled(question).await?;
    let by_kind = kinds.into_iter().map(|(kind, count)| (kind.name().to_owned(), count));
    Ok(Json(dto::QuarantinePage {
        items: found.rows.iter().map(item).collect(),
        total: found.total,
        by_kind: by_kind.collect(),
    }))
}

fn item(row: &QuarantineRow) -> dto::QuarantineItem {
    let body: serde_json::Value = serde_json::from_slice(&row.problems).unwrap_or_default();
    let problems = body["problems"].as_array().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    dto::QuarantineItem {
        offset: row.offset,
        received_ms: row.received.millis(),
        protocol: row.protocol.clone(),
        address: row.address.clone(),
        sender: row.sender.clone(),
        profile: row.profile.clone(),
        size: body["size"].as_u64().unwrap_or(row.payload.len() as u64) as usize,
        state: row.status.name().to_owned(),
        understood: body["understood"].as_u64().unwrap_or(0) as u32,
        problems: problems
            .map(|problem| dto::ProblemView {
                kind: text(&problem["kind"]),
                path: text(&problem["path"]),
                detail: text(&problem["detail"]),
            })
            .collect(),
    }
}

async fn found(api: &Api, offset: Offset) -> Result<QuarantineRow, ApiError> {
    api.ask_settled(move |store| store.quarantine_item(offset))
        .await?
        .ok_or(ApiError::NotFound("quarantined message"))
}

/// The message as it was received: from the journal, else from what quarantine keeps of it.
fn original(api: &Api, row: &QuarantineRow) -> Message {
    message_at(api, row.offset).unwrap_or_else(|| Message {
        origin: Origin {
            protocol: protocol(&row.protocol),
            address: row.address.clone(),
            sender: row.sender.clone(),
            message_id: String::new(),
            profile: row.profile.clone(),
        },
        received: row.received,
        time_base: vitals::TimeBase::Live,
        payload: row.payload.clone(),
        content: Vec::new(),
        problems: Vec::new(),
    })
}

fn protocol(name: &str) -> Protocol {
    [
        Protocol::Mqtt, Protocol::Mllp, Protocol::Fhir, Protocol::Http, Protocol::Sdc, Protocol::Coap, Protocol::Phd,
        Protocol::Bluetooth,
    ]
        .into_iter()
        .find(|protocol| protocol.name() == name)
        .unwrap_or(Protocol::Internal)
}

/// One quarantined message, whole, with how the profiles of now read it.
#[utoipa::path(get, path = "/api/v1/quarantine/{offset}", tag = "quarantine",
    params(("offset" = u64, Path, description = "Journal entry")),
    responses((status = 200, body = dto::QuarantineDetail), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_item(
    State(api): State<Api>,
    Path(offset): Path<u64>,
    headers: HeaderMap,
) -> Result<Json<dto::QuarantineDetail>, ApiError> {
    api.enter(&headers, Permission::SeeQuarantine, "/api/v1/quarantine/{offset}", None).await?;
    let row = found(&api, offset).await?;
    let message = original(&api, &row);
    let trace = api.library.profiles().trace(&raw(&message));
    let by_profile = matches!(message.origin.protocol, Protocol::Mqtt | Protocol::Coap | Protocol::Bluetooth);
    Ok(Json(dto::QuarantineDetail {
        item: item(&row),
        message: message_view(&message),
        trace: if by_profile { steps(&trace) } else { Vec::new() },
        would_yield: if by_profile { trace.values.len() as u32 } else { 0 },
    }))
}

fn raw(message: &Message) -> RawMessage<'_> {
    RawMessage {
        topic: &message.origin.address,
        payload: &message.payload,
        content_type: None,
        received: message.received,
    }
}

/// The steps of a trace, as people read them.
pub(crate) fn steps(trace: &Trace) -> Vec<dto::TraceStep> {
    trace
        .steps
        .iter()
        .map(|step| dto::TraceStep {
            step: match step.kind {
                StepKind::Matched => "matched",
                StepKind::NotMatched => "not matched",
                StepKind::Extracted => "extracted",
                StepKind::Absent => "absent",
                StepKind::Converted => "converted",
                StepKind::Problem => "problem",
            }
            .to_owned(),
            ok: step.kind != StepKind::Problem,
            detail: [step.profile.as_str(), step.at.as_str(), step.detail.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
        })
        .collect()
}

/// Releases one message: it is mapped again with the profiles of now, and its values flow.
#[utoipa::path(post, path = "/api/v1/quarantine/{offset}/release", tag = "quarantine",
    params(("offset" = u64, Path, description = "Journal entry")),
    responses((status = 200, body = Released), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn release(
    State(api): State<Api>,
    Path(offset): Path<u64>,
    headers: HeaderMap,
) -> Result<Json<Released>, ApiError> {
    let route = "/api/v1/quarantine/{offset}/release";
    let actor = api.enter(&headers, Permission::ReleaseQuarantine, route, None).await?;
    let row = found(&api, offset).await?;
    release_row(&api, &actor, &row).await?;
    Ok(Json(Released { released: 1, refused: 0 }))
}

/// Releases every new message that the profiles of now understand.
#[utoipa::path(post, path = "/api/v1/quarantine/release-matching", tag = "quarantine",
    request_body = ReleaseMatching, responses((status = 200, body = Released)))]
pub(crate) async fn release_matching(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<ReleaseMatching>,
) -> Result<Json<Released>, ApiError> {
    let route = "/api/v1/quarantine/release-matching";
    let actor = api.enter(&headers, Permission::ReleaseQuarantine, route, None).await?;
    let query = QuarantineQuery {
        status: Some(QuarantineStatus::New),
        page: Page { skip: 0, limit: RELEASE_MAX },
        ..QuarantineQuery::default()
    };
    let rows = api.ask_settled(move |store| store.quarantine(&query)).await?.rows;
    let mut result = Released { released: 0, refused: 0 };
    // Oldest first, so that values arrive in order.
    for row in rows.iter().rev() {
        if wanted.address.as_ref().is_some_and(|address| *address != row.address) {
            continue;
        }
        match release_row(&api, &actor, row).await {
            Ok(()) => result.released += 1,
            Err(ApiError::Conflict(_)) => result.refused += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(Json(result))
}

async fn release_row(api: &Api, actor: &Actor, row: &QuarantineRow) -> Result<(), ApiError> {
    if row.status != QuarantineStatus::New {
        return Err(ApiError::Conflict("it was released or discarded already".to_owned()));
    }
    let mut message = original(api, row);
    let had: Vec<Content> = std::mem::take(&mut message.content);
    let mapped = api.library.profiles().map_again(&raw(&message));
    let by_profile = matches!(message.origin.protocol, Protocol::Mqtt | Protocol::Http | Protocol::Coap | Protocol::Bluetooth);
    if !by_profile || mapped.content.is_empty() {
        return Err(ApiError::Conflict(
            "the profiles of now do not understand it either; mend the profile first".to_owned(),
        ));
    }
    message.origin.profile = mapped.profile;
    message.time_base = mapped.time_base;
    // What flowed when it came in does not flow again.
    message.content = mapped.content.into_iter().filter(|part| !had.contains(part)).collect();
    message.problems = Vec::new();
    let action = Action::Release { quarantined: row.offset, message: Box::new(message) };
    api.act(actor.clone(), action).await?;
    Ok(())
}

/// Discards one message: it was looked at and is of no use.
#[utoipa::path(post, path = "/api/v1/quarantine/{offset}/discard", tag = "quarantine",
    params(("offset" = u64, Path, description = "Journal entry")), request_body = Discard,
    responses((status = 204), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn discard(
    State(api): State<Api>,
    Path(offset): Path<u64>,
    headers: HeaderMap,
    Json(wanted): Json<Discard>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/quarantine/{offset}/discard";
    let actor = api.enter(&headers, Permission::ReleaseQuarantine, route, None).await?;
    if wanted.reason.trim().is_empty() {
        return Err(ApiError::bad("discard: give a reason"));
    }
    if found(&api, offset).await?.status != QuarantineStatus::New {
        return Err(ApiError::Conflict("it was released or discarded already".to_owned()));
    }
    api.act(actor, Action::Discard { quarantined: offset, reason: wanted.reason }).await?;
    Ok(StatusCode::NO_CONTENT)
}
