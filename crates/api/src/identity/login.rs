//! Logging in and out, and the very first administrator.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use guard::{Entrance, LoginError, Outcome, Permission, Session, Step};

use super::shapes::{LoggedOut, LoginMore, LoginOptions};
use super::{Did, blocking, cookies, refuse_login, refused, site};
use crate::access::session_token;
use crate::dto;
use crate::error::ApiError;
use crate::extract;
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

/// How one can log in here.
#[utoipa::path(get, path = "/api/v1/login/options", tag = "session",
    responses((status = 200, body = LoginOptions)))]
pub(crate) async fn login_options(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Json<LoginOptions> {
    let passkeys = site(&api, &headers, origin).is_some_and(|site| site.relying_party().is_some());
    let closed = !api.guard.is_open();
    let provider = api.outside.sign_on.as_ref().filter(|_| closed);
    let provider = provider.map(|sign_on| sign_on.settings.label.clone());
    Json(LoginOptions { passkeys: passkeys && closed, provider })
}

/// Logs in with name and password; the answer sets a cookie. Status 202: another step is needed.
#[utoipa::path(post, path = "/api/v1/login", tag = "session", request_body = dto::Login,
    responses((status = 200, body = dto::Session),
        (status = 202, body = LoginMore, description = "The password is right; show one of these now"),
        (status = 401, body = dto::ErrorBody),
        (status = 429, body = dto::ErrorBody, description = "Too many failed attempts: Retry-After says how many seconds to wait")))]
pub(crate) async fn login(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(login): extract::Json<dto::Login>,
) -> Result<Response, ApiError> {
    let (guard, now, entrance) = (api.guard.clone(), api.now(), entrance(&headers, origin));
    let name = api.guard.audit_name(&login.name);
    // Argon2 takes its time on purpose.
    let tried = blocking(move || guard.begin_login(&login.name, &login.password, &entrance, now));
    came(&api, name, LOGIN, tried.await?, origin).await
}

/// Answers a step of a login, after its record.
pub(super) async fn came(
    api: &Api,
    name: String,
    route: &'static str,
    tried: Result<Step, LoginError>,
    origin: Origin,
) -> Result<Response, ApiError> {
    match tried {
        Ok(Step::In(session, token)) => {
            Did::by(&session, "login", route).record(api).await?;
            entered(api, &session, &token, origin)
        }
        Ok(Step::More(token, needs)) => {
            let (action, object, outcome) = ("login-first-step", name.as_str(), Outcome::Allowed);
            let did = Did { session: None, actor: &name, action, route, object, detail: "", outcome };
            did.record(api).await?;
            let needs = needs.iter().map(|factor| factor.name().to_owned()).collect();
            let answer = (StatusCode::ACCEPTED, Json(LoginMore { needs }));
            Ok(cookies::with(answer, vec![cookies::half(&token, origin)?]))
        }
        Err(error) => Err(refuse_login(api, name, route, error).await?),
    }
}

/// The answer to whoever is in.
pub(super) fn entered(
    api: &Api,
    session: &Session,
    token: &str,
    origin: Origin,
) -> Result<Response, ApiError> {
    let answer = Json(describe(api, &session.account));
    Ok(cookies::with(answer, vec![cookies::session(token, origin)?, cookies::half("", origin)?]))
}

/// Where somebody comes in.
pub(super) fn entrance(headers: &HeaderMap, origin: Origin) -> Entrance {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Entrance {
        address: origin.address,
        encrypted: origin.encrypted,
        agent: agent.unwrap_or_default().to_owned(),
    }
}

/// Logs out.
#[utoipa::path(post, path = "/api/v1/logout", tag = "session", responses((status = 204),
    (status = 200, body = LoggedOut, description = "Who signed on at the identity provider goes on there, to log out there too")))]
pub(crate) async fn logout(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut answer = StatusCode::NO_CONTENT.into_response();
    if let Some(token) = session_token(&headers) {
        let session = api.guard.session_on(token, Some(origin.encrypted), api.now());
        if let Some(session) = session {
            api.guard.logout(token);
            Did::by(&session, "logout", "/api/v1/logout").record(&api).await?;
            answer = super::provider::logged_out(&api, &headers, &session);
        }
    }
    Ok(cookies::with(answer, vec![cookies::session("", origin)?]))
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
        (status = 202, body = LoginMore, description = "The administrator is made, and makes a second factor now"),
        (status = 401, body = dto::ErrorBody)))]
pub(crate) async fn setup(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    extract::Json(wanted): extract::Json<dto::Setup>,
) -> Result<Response, ApiError> {
    let (guard, now, entrance) = (api.guard.clone(), api.now(), entrance(&headers, origin));
    let made = blocking(move || {
        let account = guard.redeem(&wanted.code, &wanted.name, &wanted.password)?;
        Ok((account.name.clone(), guard.begin_login(&account.name, &wanted.password, &entrance, now)))
    });
    match made.await? {
        Ok((name, tried)) => {
            let (action, object, outcome) = ("setup", name.as_str(), Outcome::Allowed);
            let (actor, route) = (name.as_str(), SETUP);
            let did = Did { session: None, actor, action, route, object, detail: "", outcome };
            did.record(&api).await?;
            came(&api, name, SETUP, tried, origin).await
        }
        Err(error) => {
            if matches!(error, guard::GuardError::BadCode) {
                api.note("setup", SETUP);
            }
            Err(refused(error))
        }
    }
}

/// An account with what it may do.
pub(super) fn describe(api: &Api, account: &guard::Account) -> dto::Session {
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
