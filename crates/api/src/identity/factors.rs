//! The second factors of the own account.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use guard::{Means, Session, TotpEnrolment};

use super::shapes::{Code, PasskeyAnswer, PasskeyOptions, RecoveryCodes, TotpBegun};
use super::steps::here;
use super::{Did, blocking, cookies, freshly, refused};
use crate::dto;
use crate::error::ApiError;
use crate::extract;
use crate::origin::Origin;
use crate::state::Api;

const TOTP: &str = "/api/v1/account/totp";
const CODES: &str = "/api/v1/account/recovery-codes";
const PASSKEYS: &str = "/api/v1/account/passkeys";

/// An authenticator app as it is shown, with its QR code.
pub(super) fn begun(enrolment: TotpEnrolment) -> Result<Json<TotpBegun>, ApiError> {
    let code = qrcode::QrCode::new(&enrolment.uri).map_err(|error| ApiError::internal(&error))?;
    // Black on white in any theme: cameras expect it.
    let qr = code
        .render::<qrcode::render::svg::Color<'_>>()
        .min_dimensions(220, 220)
        .dark_color(qrcode::render::svg::Color("#000000"))
        .light_color(qrcode::render::svg::Color("#ffffff"))
        .build();
    Ok(Json(TotpBegun { secret: enrolment.secret, uri: enrolment.uri, qr }))
}

/// Options that the guard made, as they are.
pub(super) fn raw(options: String) -> Result<Json<PasskeyOptions>, ApiError> {
    let raw = serde_json::value::RawValue::from_string(options);
    raw.map(|public_key| Json(PasskeyOptions { public_key })).map_err(|error| ApiError::internal(&error))
}

/// Recovery codes, and the session on a new token, for it is worth more now than before.
fn stronger(
    api: &Api,
    session: &Session,
    token: &str,
    origin: Origin,
    means: Means,
    recovery_codes: Vec<String>,
) -> Result<Response, ApiError> {
    let means = if session.strong() { session.means } else { means };
    let token = api.guard.rotate_session(token, means).map_err(refused)?;
    Ok(cookies::with(Json(RecoveryCodes { recovery_codes }), vec![cookies::session(&token, origin)?]))
}

/// Begins to enrol an authenticator app; one that is enrolled stays until the new one's first code.
#[utoipa::path(post, path = "/api/v1/account/totp", tag = "account",
    responses((status = 200, body = TotpBegun), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn begin_totp(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Json<TotpBegun>, ApiError> {
    let (session, _) = freshly(&api, &headers, origin)?;
    begun(api.guard.begin_totp(&session.account.name).map_err(refused)?)
}

/// Enrols the authenticator app with its first code; recovery codes come with a first factor.
#[utoipa::path(post, path = "/api/v1/account/totp/confirm", tag = "account", request_body = Code,
    responses((status = 200, body = RecoveryCodes), (status = 400, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn confirm_totp(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<Code>,
) -> Result<Response, ApiError> {
    let (session, token) = freshly(&api, &headers, origin)?;
    let (guard, name, now) = (api.guard.clone(), session.account.name.clone(), api.now());
    let codes = blocking(move || guard.confirm_totp(&name, &body.code, now)).await?.map_err(refused)?;
    let codes = codes.ok_or_else(|| ApiError::bad("this is not the code that the app shows now"))?;
    Did::by(&session, "enrol-totp", "/api/v1/account/totp/confirm").record(&api).await?;
    stronger(&api, &session, &token, origin, Means::Totp, codes)
}

/// Takes the authenticator app away.
#[utoipa::path(delete, path = "/api/v1/account/totp", tag = "account",
    responses((status = 204), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn remove_totp(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let (session, _) = freshly(&api, &headers, origin)?;
    api.guard.remove_totp(&session.account.name).map_err(refused)?;
    Did::by(&session, "remove-totp", TOTP).record(&api).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ten new recovery codes in place of those before.
#[utoipa::path(post, path = "/api/v1/account/recovery-codes", tag = "account",
    responses((status = 200, body = RecoveryCodes), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn new_recovery_codes(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let (session, _) = freshly(&api, &headers, origin)?;
    let recovery_codes = api.guard.new_recovery_codes(&session.account.name).map_err(refused)?;
    Did::by(&session, "new-recovery-codes", CODES).record(&api).await?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Begins to add a passkey.
#[utoipa::path(post, path = "/api/v1/account/passkeys/begin", tag = "account",
    responses((status = 200, body = PasskeyOptions), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn begin_passkey(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Json<PasskeyOptions>, ApiError> {
    let (session, _) = freshly(&api, &headers, origin)?;
    let site = here(&api, &headers, origin)?;
    raw(api.guard.begin_passkey(&session.account.name, &site).map_err(refused)?)
}

/// Adds a passkey; recovery codes come with a first factor.
#[utoipa::path(post, path = "/api/v1/account/passkeys", tag = "account", request_body = PasskeyAnswer,
    responses((status = 200, body = RecoveryCodes), (status = 400, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn add_passkey(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<PasskeyAnswer>,
) -> Result<Response, ApiError> {
    let (session, token) = freshly(&api, &headers, origin)?;
    let site = here(&api, &headers, origin)?;
    let (guard, name, now) = (api.guard.clone(), session.account.name.clone(), api.now());
    let answer = body.credential.to_string();
    let codes = blocking(move || guard.add_passkey(&name, &body.name, &answer, &site, now)).await?;
    let codes = codes.map_err(refused)?;
    Did::by(&session, "add-passkey", PASSKEYS).record(&api).await?;
    stronger(&api, &session, &token, origin, Means::Passkey, codes)
}

/// Takes a passkey away.
#[utoipa::path(delete, path = "/api/v1/account/passkeys/{id}", tag = "account",
    params(("id" = String, Path, description = "Names the passkey")),
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn remove_passkey(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Path(id): extract::Path<String>,
) -> Result<StatusCode, ApiError> {
    let (session, _) = freshly(&api, &headers, origin)?;
    api.guard.remove_passkey(&session.account.name, &id).map_err(refused)?;
    Did::by(&session, "remove-passkey", "/api/v1/account/passkeys/{id}").record(&api).await?;
    Ok(StatusCode::NO_CONTENT)
}
