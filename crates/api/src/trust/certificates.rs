//! Certificates: listed, revoked; the authority; the list of revoked ones for others.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard::{Permission, Presented, RevocationReason};

use super::view::{AuthorityView, CertificateView, RevokeRequest};
use super::{apart, refused};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Certificates of devices, those that end last first.
#[utoipa::path(get, path = "/api/v1/trust/certificates", tag = "trust",
    responses((status = 200, body = Vec<CertificateView>)))]
pub(crate) async fn get_certificates(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<CertificateView>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/certificates", None).await?;
    if api.guard.is_open() {
        return Ok(Json(Vec::new()));
    }
    let guard = api.guard.clone();
    let found = apart(move || guard.certificates(None)).await?;
    Ok(Json(found.into_iter().map(CertificateView::from).collect()))
}

/// Revokes a certificate by its serial number or SHA-256. Sessions opened with it end at once.
#[utoipa::path(post, path = "/api/v1/trust/certificates/{serial}/revoke", tag = "trust",
    params(("serial" = String, Path, description = "Serial number or SHA-256, hexadecimal")),
    request_body = RevokeRequest,
    responses((status = 204), (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn revoke(
    State(api): State<Api>,
    Path(serial): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<RevokeRequest>,
) -> Result<StatusCode, ApiError> {
    const ROUTE: &str = "/api/v1/trust/certificates/{serial}/revoke";
    let actor = api.enter(&headers, Permission::ManageTrust, ROUTE, None).await?;
    let reason = RevocationReason::from_name(&wanted.reason).ok_or_else(|| {
        ApiError::bad(format!("a reason is one of {}", RevocationReason::ALL.map(RevocationReason::name).join(", ")))
    })?;
    let plain = serial.len() <= 128 && serial.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    if !plain {
        return Err(ApiError::NotFound("certificate"));
    }
    api.deed("revoke-certificate", &serial, reason.name()).await?;
    let (guard, now) = (api.guard.clone(), api.now());
    apart(move || guard.revoke_certificate(&serial, reason, &actor.name, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The authority that certifies devices, and what kinds of devices are known.
#[utoipa::path(get, path = "/api/v1/trust/authority", tag = "trust",
    responses((status = 200, body = AuthorityView)))]
pub(crate) async fn get_authority(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<AuthorityView>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/authority", None).await?;
    let mut view = AuthorityView {
        pem: String::new(),
        sha256: String::new(),
        until_ms: None,
        days: api.guard.trust().days,
        kinds: guard::kinds().map(str::to_owned).collect(),
    };
    if api.guard.has_authority() {
        let (guard, now) = (api.guard.clone(), api.now());
        let (pem, sha256, der) = apart(move || {
            Ok((guard.authority_pem(now)?, guard.authority_sha256(now)?, guard.authority_der(now)?))
        })
        .await?;
        view.until_ms = Presented::read(&der).map(|shown| shown.until_us / 1_000);
        (view.pem, view.sha256) = (pem, sha256);
    }
    Ok(Json(view))
}

/// The list of revoked certificates (RFC 5280), for others: whoever comes in here is asked about live.
pub(crate) async fn revocation_list(State(api): State<Api>) -> Result<Response, ApiError> {
    if api.guard.is_open() || !api.guard.has_authority() {
        return Err(ApiError::NotFound("list: nothing was certified yet"));
    }
    let (guard, now) = (api.guard.clone(), api.now());
    let list = tokio::task::spawn_blocking(move || guard.revocation_list(now)).await;
    let list = list.map_err(|error| ApiError::internal(&error))?.map_err(refused)?;
    Ok(([(header::CONTENT_TYPE, "application/pkix-crl")], list).into_response())
}
