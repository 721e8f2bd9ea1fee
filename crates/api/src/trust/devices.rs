//! Devices and their life: seen by whoever may see security, changed by whoever manages trust.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use guard::{Claim, Code, DeviceStep, Permission};

use super::view::{
    ClaimRequest, EnrolmentCode, RightsRequest, TrustedDetail, TrustedDevice, Why,
};
use super::{apart, device_id};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Every device that is known or was heard.
#[utoipa::path(get, path = "/api/v1/trust/devices", tag = "trust",
    responses((status = 200, body = Vec<TrustedDevice>)))]
pub(crate) async fn get_trusted(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<TrustedDevice>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/devices", None).await?;
    if api.guard.is_open() {
        return Ok(Json(Vec::new()));
    }
    let guard = api.guard.clone();
    let found = apart(move || guard.trusted_devices()).await?;
    Ok(Json(found.into_iter().map(TrustedDevice::from).collect()))
}

/// One device with its life and certificates.
#[utoipa::path(get, path = "/api/v1/trust/devices/{id}", tag = "trust",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 200, body = TrustedDetail), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_trusted_one(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<TrustedDetail>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/devices/{id}", None).await?;
    let id = device_id(&id)?;
    let guard = api.guard.clone();
    let (found, life, certificates) = apart(move || {
        Ok((guard.trusted_device(&id)?, guard.life_of(&id)?, guard.certificates(Some(&id))?))
    })
    .await?;
    let device = found.ok_or(ApiError::NotFound("device"))?.into();
    Ok(Json(TrustedDetail {
        device,
        life: life.into_iter().map(Into::into).collect(),
        certificates: certificates.into_iter().map(Into::into).collect(),
    }))
}

/// Tells of a device that is to come.
#[utoipa::path(post, path = "/api/v1/trust/devices/{id}/announcement", tag = "trust",
    params(("id" = String, Path, description = "Device id")), request_body = Why,
    responses((status = 204), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn announce(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(Why { why }): Json<Why>,
) -> Result<StatusCode, ApiError> {
    const ROUTE: &str = "/api/v1/trust/devices/{id}/announcement";
    let actor = api.enter(&headers, Permission::ManageTrust, ROUTE, None).await?;
    let id = device_id(&id)?;
    api.deed("announce-device", id.as_str(), &why).await?;
    let (guard, now) = (api.guard.clone(), api.now());
    apart(move || guard.announce_device(&id, &actor.name, &why, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes responsibility for a device; the answer holds the code that it enrols with, once.
#[utoipa::path(post, path = "/api/v1/trust/devices/{id}/claim", tag = "trust",
    params(("id" = String, Path, description = "Device id")), request_body = ClaimRequest,
    responses((status = 200, body = EnrolmentCode), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn claim(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<ClaimRequest>,
) -> Result<Json<EnrolmentCode>, ApiError> {
    const ROUTE: &str = "/api/v1/trust/devices/{id}/claim";
    let actor = api.enter(&headers, Permission::ManageTrust, ROUTE, None).await?;
    let id = device_id(&id)?;
    api.deed("claim-device", id.as_str(), &wanted.why).await?;
    let (guard, now, device) = (api.guard.clone(), api.now(), id.clone());
    let ClaimRequest { zone, kind, metrics, activate: activates, why } = wanted;
    let claim = Claim { zone, kind, metrics, activates, why };
    let code = apart(move || guard.claim_device(&device, &claim, &actor.name, now)).await?;
    shown(&api, id.as_str(), &code, &headers).await
}

/// Gives a device another enrolment code in place of any before: its key or its code was lost.
#[utoipa::path(post, path = "/api/v1/trust/devices/{id}/code", tag = "trust",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 200, body = EnrolmentCode), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn new_code(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<EnrolmentCode>, ApiError> {
    const ROUTE: &str = "/api/v1/trust/devices/{id}/code";
    api.enter(&headers, Permission::ManageTrust, ROUTE, None).await?;
    let id = device_id(&id)?;
    api.deed("new-enrolment-code", id.as_str(), "").await?;
    let (guard, now, device) = (api.guard.clone(), api.now(), id.clone());
    let code = apart(move || guard.new_code(&device, now)).await?;
    shown(&api, id.as_str(), &code, &headers).await
}

async fn shown(
    api: &Api,
    id: &str,
    code: &Code,
    headers: &HeaderMap,
) -> Result<Json<EnrolmentCode>, ApiError> {
    let (guard, now) = (api.guard.clone(), api.now());
    let sha256 = apart(move || guard.authority_sha256(now)).await?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    Ok(Json(EnrolmentCode::of(id, code, host, sha256)))
}

/// Moves a device on in its life: `verify`, `activate`, `suspend` or `retire`.
#[utoipa::path(post, path = "/api/v1/trust/devices/{id}/steps/{step}", tag = "trust",
    params(("id" = String, Path, description = "Device id"),
        ("step" = String, Path, description = "verify, activate, suspend or retire")),
    request_body = Why,
    responses((status = 204), (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn step(
    State(api): State<Api>,
    Path((id, step)): Path<(String, String)>,
    headers: HeaderMap,
    Json(Why { why }): Json<Why>,
) -> Result<StatusCode, ApiError> {
    const ROUTE: &str = "/api/v1/trust/devices/{id}/steps/{step}";
    let actor = api.enter(&headers, Permission::ManageTrust, ROUTE, None).await?;
    let id = device_id(&id)?;
    let step = DeviceStep::from_name(&step).filter(|step| *step != DeviceStep::Claim);
    let step = step.ok_or_else(|| ApiError::bad("a step is verify, activate, suspend or retire"))?;
    if why.trim().is_empty() {
        return Err(ApiError::bad("say why: it is kept with the step"));
    }
    api.deed(step.deed(), id.as_str(), &why).await?;
    let (guard, now) = (api.guard.clone(), api.now());
    apart(move || guard.move_device(&id, step, &actor.name, &why, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says where a device belongs and what it may send.
#[utoipa::path(put, path = "/api/v1/trust/devices/{id}/rights", tag = "trust",
    params(("id" = String, Path, description = "Device id")), request_body = RightsRequest,
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn put_rights(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<RightsRequest>,
) -> Result<StatusCode, ApiError> {
    const ROUTE: &str = "/api/v1/trust/devices/{id}/rights";
    api.enter(&headers, Permission::ManageTrust, ROUTE, None).await?;
    let id = device_id(&id)?;
    let RightsRequest { zone, kind, metrics } = wanted;
    let detail = format!("zone {zone}, kind {kind}, {} more", metrics.len());
    api.deed("set-device-rights", id.as_str(), &detail).await?;
    let guard = api.guard.clone();
    apart(move || guard.set_device_rights(&id, &zone, &kind, &metrics)).await?;
    Ok(StatusCode::NO_CONTENT)
}
