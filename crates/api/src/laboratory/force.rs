//! Putting a version in force: an approved one, or in an emergency one that nobody reviewed.

use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Kind;
use laboratory::versions::Version;
use vitals::Event;

use super::OfHouse;
use super::dto::{PolicyEmergency, PolicyVersion};
use super::standing::{NOT_A_PERSON, Now};
use super::versions::{REASON_MAX, object, refused, said, step};
use crate::deeds::fingerprint;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::viewer::Viewer;

/// How often it is looked whether a policy that was put in force is seen to be, and how far apart.
const SEEN_TRIES: u32 = 100;
const SEEN_EVERY: Duration = Duration::from_millis(20);

/// Puts an approved version in force, if the policy that it replaces still is.
#[utoipa::path(post, path = "/api/v1/policy/versions/{number}/in-force", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")),
    responses((status = 200, body = PolicyVersion), (status = 404, body = crate::dto::ErrorBody),
        (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn put_in_force(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
) -> Result<Json<PolicyVersion>, ApiError> {
    let route = "/api/v1/policy/versions/{number}/in-force";
    let (viewer, house) = step(&api, house, &headers, route).await?;
    let versions = house.versions.lock().await;
    let version = versions.get(number).map_err(|_| ApiError::NotFound("version"))?;
    Now::of(&api, &viewer).expect(&version, &["approved"])?;
    // What was signed counts, not what lies beside it.
    let house_key = api.guard.audit_log().verifier().map_err(|error| ApiError::internal(&error))?;
    let signed = versions.signed(number).and_then(|signed| Version::read(&signed, &house_key)).map_err(refused)?;
    if signed.number != version.number || signed.policy != version.policy || signed.parent != version.parent {
        return Err(ApiError::Conflict("what was signed is another version: it is not put in force".to_owned()));
    }
    api.deed("change-alert-policy", &object(number), &fingerprint(&signed.policy)).await?;
    let now = Now::with(&viewer, signed.policy.clone());
    put(&api, &viewer, signed.policy).await?;
    Ok(Json(now.view(version)))
}

/// Puts a proposed version in force at once, without review, because it cannot wait. It stays marked until a
/// second person approves it or takes it back.
#[utoipa::path(post, path = "/api/v1/policy/versions/{number}/emergency", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")), request_body = PolicyEmergency,
    responses((status = 200, body = PolicyVersion), (status = 400, body = crate::dto::ErrorBody),
        (status = 403, body = crate::dto::ErrorBody), (status = 404, body = crate::dto::ErrorBody),
        (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn put_in_force_unreviewed(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
    Json(emergency): Json<PolicyEmergency>,
) -> Result<Json<PolicyVersion>, ApiError> {
    let route = "/api/v1/policy/versions/{number}/emergency";
    let (viewer, house) = step(&api, house, &headers, route).await?;
    let reason = said("reason", &emergency.reason, REASON_MAX)?;
    let account = &viewer.caller().account;
    if account.kind != Kind::Person {
        return Err(ApiError::Refused(NOT_A_PERSON));
    }
    let versions = house.versions.lock().await;
    let version = versions.get(number).map_err(|_| ApiError::NotFound("version"))?;
    let now = Now::of(&api, &viewer);
    now.expect(&version, &["proposed"])?;
    let text = fingerprint(&version.policy);
    api.deed("change-alert-policy-unreviewed", &object(number), &text).await?;
    let by = (account.name.as_str(), api.now().millis(), reason.as_str());
    let version = versions.force(number, by, &now.text).map_err(refused)?;
    put(&api, &viewer, version.policy.clone()).await?;
    Ok(Json(Now::with(&viewer, version.policy.clone()).view(version)))
}

/// Puts a policy in force, and waits until whoever asks next finds it.
pub(super) async fn put(api: &Api, viewer: &Viewer, text: String) -> Result<(), ApiError> {
    api.append(Event::Policy(viewer.caller().account.actor(), text.clone()), None).await?;
    for _ in 0..SEEN_TRIES {
        if api.live.policy().text == text {
            break;
        }
        tokio::time::sleep(SEEN_EVERY).await;
    }
    Ok(())
}
