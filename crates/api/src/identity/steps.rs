//! The second steps of a login, and the passkey, which is both.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::{Extension, Json};
use guard::{LoginError, Site, Step};

use super::factors::{begun, raw};
use super::login::{came, describe, entrance};
use super::shapes::{Code, LoggedInEnrolled, PasskeyAnswer, PasskeyOptions, TotpBegun};
use super::{Did, blocking, cookies, refuse_login, refused, site};
use crate::dto;
use crate::error::ApiError;
use crate::extract;
use crate::origin::Origin;
use crate::state::Api;

const TOTP: &str = "/api/v1/login/totp";
const RECOVERY: &str = "/api/v1/login/recovery";
const PASSKEY: &str = "/api/v1/login/passkey";
const ENROL: &str = "/api/v1/login/enrol";

/// The half-done login of a request, and whose it is.
fn half(api: &Api, headers: &HeaderMap) -> Result<(String, String), ApiError> {
    let token = cookies::half_of(headers).ok_or(ApiError::Unauthorised)?;
    let name = api.guard.half_login(token, api.now()).ok_or(ApiError::Unauthorised)?;
    Ok((token.to_owned(), name))
}

/// Completes a login with a code of an authenticator app.
#[utoipa::path(post, path = "/api/v1/login/totp", tag = "session", request_body = Code,
    responses((status = 200, body = dto::Session), (status = 401, body = dto::ErrorBody),
        (status = 429, body = dto::ErrorBody, description = "Too many wrong codes: Retry-After says how many seconds to wait")))]
pub(crate) async fn login_totp(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<Code>,
) -> Result<Response, ApiError> {
    let (token, name) = half(&api, &headers)?;
    let (guard, now, entrance) = (api.guard.clone(), api.now(), entrance(&headers, origin));
    let tried = blocking(move || guard.login_totp(&token, &body.code, &entrance, now)).await?;
    came(&api, name, TOTP, tried, origin).await
}

/// Completes a login with a recovery code, which is then used up.
#[utoipa::path(post, path = "/api/v1/login/recovery", tag = "session", request_body = Code,
    responses((status = 200, body = dto::Session), (status = 401, body = dto::ErrorBody),
        (status = 429, body = dto::ErrorBody, description = "Too many wrong codes: Retry-After says how many seconds to wait")))]
pub(crate) async fn login_recovery(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<Code>,
) -> Result<Response, ApiError> {
    let (token, name) = half(&api, &headers)?;
    let (guard, now, entrance) = (api.guard.clone(), api.now(), entrance(&headers, origin));
    let tried = blocking(move || guard.login_recovery(&token, &body.code, &entrance, now)).await?;
    came(&api, name, RECOVERY, tried, origin).await
}

/// Where the page stands, or why there are no passkeys.
pub(super) fn here(api: &Api, headers: &HeaderMap, origin: Origin) -> Result<Site, ApiError> {
    site(api, headers, origin).ok_or_else(|| refused(guard::GuardError::NoPasskeysHere))
}

/// Begins a login with a passkey.
#[utoipa::path(post, path = "/api/v1/login/passkey/begin", tag = "session",
    responses((status = 200, body = PasskeyOptions),
        (status = 409, body = dto::ErrorBody, description = "Browsers know no passkeys at this address")))]
pub(crate) async fn begin_passkey_login(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Json<PasskeyOptions>, ApiError> {
    let site = here(&api, &headers, origin)?;
    raw(api.guard.begin_passkey_login(&site).map_err(refused)?)
}

/// Logs in with a passkey, by itself or as the second step.
#[utoipa::path(post, path = "/api/v1/login/passkey", tag = "session", request_body = PasskeyAnswer,
    responses((status = 200, body = dto::Session), (status = 401, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody, description = "Browsers know no passkeys at this address")))]
pub(crate) async fn login_passkey(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<PasskeyAnswer>,
) -> Result<Response, ApiError> {
    let site = here(&api, &headers, origin)?;
    let (guard, now, entrance) = (api.guard.clone(), api.now(), entrance(&headers, origin));
    let answer = body.credential.to_string();
    let tried = blocking(move || guard.login_passkey(&answer, &site, &entrance, now)).await?;
    came(&api, "unknown".to_owned(), PASSKEY, tried, origin).await
}

/// Shows a new authenticator app to whoever must make one to come in.
#[utoipa::path(post, path = "/api/v1/login/enrol/begin", tag = "session",
    responses((status = 200, body = TotpBegun), (status = 401, body = dto::ErrorBody)))]
pub(crate) async fn begin_enrolment(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<TotpBegun>, ApiError> {
    let (token, _) = half(&api, &headers)?;
    match api.guard.begin_totp_at_login(&token, api.now()) {
        Ok(enrolment) => begun(enrolment),
        Err(LoginError::Guard(error)) => Err(refused(error)),
        Err(_) => Err(ApiError::Unauthorised),
    }
}

/// Completes a login with the first code of a new authenticator app; the answer holds the recovery
/// codes, once.
#[utoipa::path(post, path = "/api/v1/login/enrol", tag = "session", request_body = Code,
    responses((status = 200, body = LoggedInEnrolled), (status = 401, body = dto::ErrorBody),
        (status = 429, body = dto::ErrorBody, description = "Too many wrong codes: Retry-After says how many seconds to wait")))]
pub(crate) async fn login_enrolled(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<Code>,
) -> Result<Response, ApiError> {
    let (token, name) = half(&api, &headers)?;
    let (guard, now, entrance) = (api.guard.clone(), api.now(), entrance(&headers, origin));
    let tried = blocking(move || guard.login_enrolled(&token, &body.code, &entrance, now)).await?;
    match tried {
        Ok((Step::In(session, token), recovery_codes)) => {
            Did::by(&session, "enrol-totp", ENROL).record(&api).await?;
            Did::by(&session, "login", ENROL).record(&api).await?;
            let session = describe(&api, &session.account);
            let answer = Json(LoggedInEnrolled { session, recovery_codes });
            let cookies = vec![cookies::session(&token, origin)?, cookies::half("", origin)?];
            Ok(cookies::with(answer, cookies))
        }
        Ok((Step::More(..), _)) => Err(ApiError::Unauthorised),
        Err(error) => Err(refuse_login(&api, name, ENROL, error).await?),
    }
}
