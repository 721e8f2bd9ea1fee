//! The policy: what alerts, how urgently, and whom.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use guard::{Kind, Permission};
use vitals::Event;

use crate::deeds::fingerprint;
use crate::dto;
use crate::error::ApiError;
use crate::extract::Json;
use crate::laboratory::{OfHouse, Review};
use crate::state::Api;

const REVIEWED: &str = "in this house a second person approves each change of the alarm policy. Propose it as a version \
    (page Laboratory, POST /api/v1/policy/versions, or `vitalwire policy propose`) and let somebody else approve it; what \
    cannot wait is put in force there with a reason, and reviewed later";

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

/// Puts a policy in force from now on: where there are no accounts, or one person may.
#[utoipa::path(put, path = "/api/v1/policy", tag = "policy", request_body = dto::PolicyView,
    responses((status = 200, body = dto::PolicyView), (status = 400, body = dto::ErrorBody),
        (status = 403, body = dto::ErrorBody, description = "Changes are reviewed by two people: propose a version")))]
pub(crate) async fn put_policy(
    State(api): State<Api>,
    house: OfHouse,
    headers: HeaderMap,
    Json(wanted): Json<dto::PolicyView>,
) -> Result<Json<dto::PolicyView>, ApiError> {
    let viewer = api.viewer(&headers)?;
    let actor = api.enter_as(&viewer, Permission::ManagePolicy, "/api/v1/policy", None).await?;
    let compiled = alert::Policy::parse(&wanted.text);
    compiled.map_err(|error| ApiError::bad(error.to_string()))?;
    let review = house.map(|Extension(house)| house.review).unwrap_or_default();
    if review == Review::TwoPerson && viewer.caller().account.kind != Kind::Trial {
        return Err(ApiError::Refused(REVIEWED));
    }
    api.deed("change-alert-policy", "", &fingerprint(&wanted.text)).await?;
    let since_ms = Some(api.now().millis());
    api.append(Event::Policy(actor.clone(), wanted.text.clone()), None).await?;
    Ok(Json(dto::PolicyView { text: wanted.text, by: actor.name, since_ms }))
}
