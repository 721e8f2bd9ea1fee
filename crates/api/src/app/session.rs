//! Logging in and out, and the very first administrator.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use guard::{Account, Deed, GuardError, LoginError, Note, Outcome, Permission, Record};

use crate::access::{COOKIE, session_token, source};
use crate::dto;
use crate::error::ApiError;
use crate::origin::Origin;
use crate::state::Api;

const LOGIN: &str = "/api/v1/login";
const SETUP: &str = "/api/v1/setup";

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
    responses((status = 200, body = dto::Session), (status = 401, body = dto::ErrorBody),
        (status = 429, body = dto::ErrorBody, description = "Too many failed attempts: Retry-After says how many seconds to wait")))]
pub(crate) async fn login(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    Json(login): Json<dto::Login>,
) -> Result<Response, ApiError> {
    let (guard, now) = (api.guard.clone(), api.now());
    let name = api.guard.audit_name(&login.name);
    // Argon2 takes its time on purpose.
    let tried = tokio::task::spawn_blocking(move || {
        guard.login_from(&login.name, &login.password, origin.address, now)
    })
    .await
    .map_err(|error| ApiError::internal(&error))?;
    match tried {
        Ok((account, token)) => {
            record(&api, &account.name, Some(&account), "login", LOGIN, Outcome::Allowed).await?;
            with_session(&api, &account, &token, origin)
        }
        Err(error) => Err(refuse(&api, name, error).await?),
    }
}

/// Records a login that did not work. Whoever guesses names, or goes on too fast, is counted.
async fn refuse(api: &Api, name: String, error: LoginError) -> Result<ApiError, ApiError> {
    let known = name != "unknown";
    if known && matches!(error, LoginError::Refused) {
        record(api, &name, None, "login", LOGIN, Outcome::Denied).await?;
    } else {
        let source = source();
        let note =
            Note { action: "login", route: LOGIN, actor: name, source, outcome: Outcome::Denied };
        api.guard.note(note, api.now());
    }
    Ok(match error {
        LoginError::Refused | LoginError::Begin => ApiError::WrongPassword,
        LoginError::SlowDown { wait_ms } => ApiError::SlowDown { wait_ms },
        LoginError::Busy => ApiError::SlowDown { wait_ms: 1_000 },
        LoginError::Guard(error) => ApiError::internal(&error),
    })
}

/// Logs out.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses((status = 204)))]
pub(crate) async fn logout(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(token) = session_token(&headers) {
        let account = api.guard.session(token, api.now());
        api.guard.logout(token);
        if let Some(account) = account {
            let route = "/api/v1/logout";
            record(&api, &account.name, Some(&account), "logout", route, Outcome::Allowed).await?;
        }
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    answer.headers_mut().insert(header::SET_COOKIE, cookie("", origin)?);
    Ok(answer)
}

/// Whether the first administrator is still to be made.
#[utoipa::path(get, path = "/api/v1/setup", tag = "session",
    responses((status = 200, body = dto::SetupState)))]
pub(crate) async fn setup_state(
    State(api): State<Api>,
) -> Result<Json<dto::SetupState>, ApiError> {
    let needed = api.guard.needs_setup().map_err(|error| ApiError::internal(&error))?;
    Ok(Json(dto::SetupState { needed }))
}

/// Makes the first administrator with the code that the server printed at its start, and logs in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "session", request_body = dto::Setup,
    responses((status = 200, body = dto::Session), (status = 400, body = dto::ErrorBody),
        (status = 401, body = dto::ErrorBody)))]
pub(crate) async fn setup(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    Json(wanted): Json<dto::Setup>,
) -> Result<Response, ApiError> {
    let (guard, now) = (api.guard.clone(), api.now());
    let made = tokio::task::spawn_blocking(move || {
        let account = guard.redeem(&wanted.code, &wanted.name, &wanted.password)?;
        guard
            .login_from(&account.name, &wanted.password, origin.address, now)
            .map_err(|error| GuardError::AuditFailed(error.to_string()))
    })
    .await
    .map_err(|error| ApiError::internal(&error))?;
    match made {
        Ok((account, token)) => {
            record(&api, &account.name, Some(&account), "setup", SETUP, Outcome::Allowed).await?;
            with_session(&api, &account, &token, origin)
        }
        Err(GuardError::BadCode) => {
            api.note("setup", SETUP);
            Err(ApiError::WrongCode)
        }
        Err(error @ (GuardError::BadName | GuardError::WeakPassword(_) | GuardError::Exists(_))) => {
            Err(ApiError::bad(error.to_string()))
        }
        Err(GuardError::Trial) => Err(ApiError::bad("accounts are off under --open")),
        Err(error) => Err(ApiError::internal(&error)),
    }
}

async fn record(
    api: &Api,
    actor: &str,
    account: Option<&Account>,
    action: &'static str,
    route: &str,
    outcome: Outcome,
) -> Result<(), ApiError> {
    let record = Record {
        at: api.now(),
        actor: actor.to_owned(),
        role: account.map(|account| account.role),
        action: Deed::Named(action),
        route: route.to_owned(),
        subject: None,
        outcome,
        detail: source().map_or_else(String::new, |source| format!("from {source}")),
        ..Record::default()
    };
    api.guard.audit(record).await.map_err(|error| ApiError::unavailable(&error.to_string()))
}

fn with_session(
    api: &Api,
    account: &Account,
    token: &str,
    origin: Origin,
) -> Result<Response, ApiError> {
    let mut answer = Json(describe(api, account)).into_response();
    answer.headers_mut().insert(header::SET_COOKIE, cookie(token, origin)?);
    Ok(answer)
}

/// The session cookie; an empty token takes it away. Over an encrypted connection it never goes
/// out on another.
fn cookie(token: &str, origin: Origin) -> Result<HeaderValue, ApiError> {
    let gone = if token.is_empty() { "; Max-Age=0" } else { "" };
    let secure = if origin.encrypted { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{gone}");
    HeaderValue::from_str(&text).map_err(|error| ApiError::internal(&error))
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
