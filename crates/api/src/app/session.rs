//! Logging in and out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use guard::{Account, Deed, Outcome, Permission, Record};

use crate::access::{COOKIE, session_token};
use crate::dto;
use crate::error::ApiError;
use crate::state::Api;

/// Who is asking.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = dto::Session), (status = 401, body = dto::ErrorBody)))]
pub(crate) async fn session(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<dto::Session>, ApiError> {
    let account = api.caller(&headers)?;
    Ok(Json(describe(&api, &account)))
}

/// Logs in; the answer sets a cookie.
#[utoipa::path(post, path = "/api/v1/login", tag = "session", request_body = dto::Login,
    responses((status = 200, body = dto::Session), (status = 401, body = dto::ErrorBody)))]
pub(crate) async fn login(
    State(api): State<Api>,
    Json(login): Json<dto::Login>,
) -> Result<Response, ApiError> {
    let (guard, now) = (api.guard.clone(), api.now());
    let name = api.guard.audit_name(&login.name);
    // Argon2 takes its time on purpose.
    let tried = tokio::task::spawn_blocking(move || guard.login(&login.name, &login.password, now))
        .await
        .map_err(|error| ApiError::internal(&error))?;
    let record = Record {
        at: now,
        actor: name,
        role: tried.as_ref().ok().map(|(account, _)| account.role),
        action: Deed::Named("login"),
        route: "/api/v1/login".to_owned(),
        subject: None,
        outcome: if tried.is_ok() { Outcome::Allowed } else { Outcome::Denied },
        detail: String::new(),
    };
    api.guard.audit(record).await.map_err(|error| ApiError::unavailable(&error.to_string()))?;
    let (account, token) = tried.map_err(|_| ApiError::Unauthorised)?;
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict");
    let mut answer = Json(describe(&api, &account)).into_response();
    let cookie = HeaderValue::from_str(&cookie).map_err(|error| ApiError::internal(&error))?;
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// Logs out.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses((status = 204)))]
pub(crate) async fn logout(State(api): State<Api>, headers: HeaderMap) -> Response {
    if let Some(token) = session_token(&headers) {
        api.guard.logout(token);
    }
    let mut answer = axum::http::StatusCode::NO_CONTENT.into_response();
    let cookie = "vitalwire-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
    answer.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_static(cookie));
    answer
}

fn describe(api: &Api, account: &Account) -> dto::Session {
    dto::Session {
        name: account.name.clone(),
        role: account.role.name().to_owned(),
        may: Permission::ALL
            .into_iter()
            .filter(|permission| api.guard.allows(account, *permission))
            .map(|permission| permission.name().to_owned())
            .collect(),
        open: api.guard.is_open(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
