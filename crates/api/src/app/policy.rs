//! The policy: what alerts, how urgently, and whom.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use vitals::Event;

use crate::deeds::fingerprint;
use crate::dto;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

/// The policy in force.
#[utoipa::path(get, path = "/api/v1/policy", tag = "policy",
    responses((status = 200, body = dto::PolicyView)))]
pub(crate) async fn get_policy(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<dto::PolicyView>, ApiError> {
    api.enter(&headers, Permission::SeePolicy, "/api/v1/policy", None).await?;
    let policy = api.live.policy();
    Ok(Json(dto::PolicyView {
        text: policy.text,
        by: policy.by,
        since_ms: policy.since.map(vitals::ReceiveTime::millis),
    }))
}

/// Puts a policy in force from now on.
#[utoipa::path(put, path = "/api/v1/policy", tag = "policy", request_body = dto::PolicyView,
    responses((status = 200, body = dto::PolicyView), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn put_policy(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<dto::PolicyView>,
) -> Result<Json<dto::PolicyView>, ApiError> {
    let actor = api.enter(&headers, Permission::ManagePolicy, "/api/v1/policy", None).await?;
    let compiled = alert::Policy::parse(&wanted.text);
    compiled.map_err(|error| ApiError::bad(error.to_string()))?;
    api.deed("change-alert-policy", "", &fingerprint(&wanted.text)).await?;
    let since_ms = Some(api.now().millis());
    api.append(Event::Policy(actor.clone(), wanted.text.clone()), None).await?;
    Ok(Json(dto::PolicyView { text: wanted.text, by: actor.name, since_ms }))
}
