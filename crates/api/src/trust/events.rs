//! Security events: listed, counted, taken.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::Permission;
use serde::Deserialize;

use super::apart;
use super::view::{OpenEvents, SecurityEventView, TakeRequest};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Events in one answer.
const MOST: u32 = 500;

/// Which events are wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only those that nobody has taken.
    #[serde(default)]
    open: bool,
}

/// Security events: those nobody has taken first, then the newest; at most 500.
#[utoipa::path(get, path = "/api/v1/trust/events", tag = "trust", params(Wanted),
    responses((status = 200, body = Vec<SecurityEventView>)))]
pub(crate) async fn get_events(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Json<Vec<SecurityEventView>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/events", None).await?;
    if api.guard.is_open() {
        return Ok(Json(Vec::new()));
    }
    let guard = api.guard.clone();
    let found = apart(move || guard.security_events(wanted.open, MOST)).await?;
    Ok(Json(found.into_iter().map(SecurityEventView::from).collect()))
}

/// How many security events nobody has taken yet.
#[utoipa::path(get, path = "/api/v1/trust/events/open", tag = "trust",
    responses((status = 200, body = OpenEvents)))]
pub(crate) async fn get_open(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<OpenEvents>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/events/open", None).await?;
    if api.guard.is_open() {
        return Ok(Json(OpenEvents { open: 0 }));
    }
    let guard = api.guard.clone();
    Ok(Json(OpenEvents { open: apart(move || guard.open_security_events()).await? }))
}

/// Takes an event: somebody looked at it. Should it happen again, a new one begins.
#[utoipa::path(post, path = "/api/v1/trust/events/{number}/take", tag = "trust",
    params(("number" = i64, Path, description = "Number of the event")), request_body = TakeRequest,
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn take(
    State(api): State<Api>,
    Path(number): Path<i64>,
    headers: HeaderMap,
    Json(wanted): Json<TakeRequest>,
) -> Result<StatusCode, ApiError> {
    const ROUTE: &str = "/api/v1/trust/events/{number}/take";
    let actor = api.enter(&headers, Permission::SeeSecurity, ROUTE, None).await?;
    api.deed("take-security-event", &number.to_string(), &wanted.note).await?;
    let (guard, now) = (api.guard.clone(), api.now());
    apart(move || guard.take_security_event(number, &actor.name, &wanted.note, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
