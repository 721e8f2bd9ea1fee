//! The own account: what there is, the password, the sessions.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use guard::LoginError;

use super::shapes::{self, OwnAccount, PasswordChange, SessionView};
use super::{Did, blocking, cookies, refuse_login, refused, signed_in, site};
use crate::dto;
use crate::error::ApiError;
use crate::extract;
use crate::origin::Origin;
use crate::state::Api;

const PASSWORD: &str = "/api/v1/account/password";
const SESSIONS: &str = "/api/v1/account/sessions";

/// The own account and its factors.
#[utoipa::path(get, path = "/api/v1/account", tag = "account",
    responses((status = 200, body = OwnAccount), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn get_account(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Json<OwnAccount>, ApiError> {
    let (session, _) = signed_in(&api, &headers, origin)?;
    let facts = api.guard.account_fact(&session.account.name).map_err(refused)?;
    let factors = api.guard.factors(&session.account.name).map_err(refused)?;
    let site = site(&api, &headers, origin);
    Ok(Json(OwnAccount {
        name: facts.account.name,
        role: facts.account.role.name().to_owned(),
        units: shapes::units(&facts.account.units),
        provided: facts.provided,
        totp: factors.totp,
        passkeys: shapes::passkeys(&factors),
        recovery_codes_left: factors.recovery,
        second_factor_required: factors.required,
        passkeys_here: site.is_some_and(|site| site.relying_party().is_some()),
    }))
}

/// Changes the own password; the own session goes on with another token, all others end.
#[utoipa::path(post, path = "/api/v1/account/password", tag = "account", request_body = PasswordChange,
    responses((status = 204), (status = 400, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody, description = "The present password is wrong, or there are no accounts")))]
pub(crate) async fn change_password(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(body): extract::Json<PasswordChange>,
) -> Result<Response, ApiError> {
    let (session, token) = signed_in(&api, &headers, origin)?;
    let (guard, name, id) = (api.guard.clone(), session.account.name.clone(), session.id.clone());
    let (address, now) = (origin.address, api.now());
    let tried = blocking(move || {
        guard.change_own_password(&name, &body.present, &body.next, &id, address, now)
    });
    match tried.await? {
        Ok(()) => {}
        Err(LoginError::Guard(error)) => return Err(refused(error)),
        Err(error) => {
            let name = session.account.name.clone();
            return Err(match refuse_login(&api, name, PASSWORD, error).await? {
                // The session itself is good: 401 would send the page to the login.
                ApiError::WrongPassword => {
                    ApiError::Conflict("the present password is wrong".to_owned())
                }
                error => error,
            });
        }
    }
    Did::by(&session, "change-password", PASSWORD).record(&api).await?;
    let token = api.guard.rotate_session(&token, session.means).map_err(refused)?;
    let answer = StatusCode::NO_CONTENT.into_response();
    Ok(cookies::with(answer, vec![cookies::session(&token, origin)?]))
}

/// The own sessions, the last used first.
#[utoipa::path(get, path = "/api/v1/account/sessions", tag = "account",
    responses((status = 200, body = Vec<SessionView>), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn get_sessions(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Json<Vec<SessionView>>, ApiError> {
    let (session, _) = signed_in(&api, &headers, origin)?;
    let sessions = api.guard.sessions(&session.account.name, api.now()).map_err(refused)?;
    Ok(Json(sessions.into_iter().map(|facts| shapes::session(facts, &session.id)).collect()))
}

/// Ends all own sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/account/sessions", tag = "account",
    responses((status = 204), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn end_other_sessions(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let (session, _) = signed_in(&api, &headers, origin)?;
    api.guard.end_sessions(&session.account.name, Some(&session.id)).map_err(refused)?;
    Did::by(&session, "end-sessions", SESSIONS).record(&api).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends one of the own sessions.
#[utoipa::path(delete, path = "/api/v1/account/sessions/{id}", tag = "account",
    params(("id" = String, Path, description = "Names the session")),
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn end_session(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Path(id): extract::Path<String>,
) -> Result<StatusCode, ApiError> {
    let (session, _) = signed_in(&api, &headers, origin)?;
    api.guard.end_session(&session.account.name, &id).map_err(refused)?;
    Did::by(&session, "end-session", "/api/v1/account/sessions/{id}").record(&api).await?;
    Ok(StatusCode::NO_CONTENT)
}
