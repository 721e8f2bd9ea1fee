//! Who people are, over HTTP: logging in step by step, their own account, and everybody's for
//! whoever manages users. What is decided is decided in `guard`; here are routes, cookies, records.

mod account;
mod cookies;
mod factors;
mod login;
mod provider;
mod shapes;
mod steps;
mod users;

use axum::http::HeaderMap;
use guard::{Deed, GuardError, LoginError, Note, Outcome, Record, Session, Site};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::time::MINUTE;

use crate::access::{session_token, source};
use crate::error::ApiError;
use crate::origin::Origin;
use crate::state::Api;

/// Factors are changed in a session that is no older than this, in microseconds: a screen that was
/// left open does not become somebody else's key.
const FRESH: i64 = 30 * MINUTE;

/// The routes of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(login::session))
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(login::setup_state, login::setup))
        .routes(routes!(login::login_options))
        .routes(routes!(provider::start))
        .routes(routes!(provider::callback))
        .routes(routes!(provider::link, provider::unlink))
        .routes(routes!(steps::login_totp))
        .routes(routes!(steps::login_recovery))
        .routes(routes!(steps::begin_passkey_login))
        .routes(routes!(steps::login_passkey))
        .routes(routes!(steps::begin_enrolment))
        .routes(routes!(steps::login_enrolled))
        .routes(routes!(account::get_account))
        .routes(routes!(account::change_password))
        .routes(routes!(account::get_sessions, account::end_other_sessions))
        .routes(routes!(account::end_session))
        .routes(routes!(factors::begin_totp, factors::remove_totp))
        .routes(routes!(factors::confirm_totp))
        .routes(routes!(factors::new_recovery_codes))
        .routes(routes!(factors::begin_passkey))
        .routes(routes!(factors::add_passkey))
        .routes(routes!(factors::remove_passkey))
        .routes(routes!(users::get_users, users::add_user))
        .routes(routes!(users::change_user, users::remove_user))
        .routes(routes!(users::set_password))
        .routes(routes!(users::reset_factors))
        .routes(routes!(users::rotate_token))
        .routes(routes!(users::end_user_sessions))
}

/// Runs what may take its time (Argon2, the disk) where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))
}

/// The session and its token that a request came with: of a person, not of a program.
fn signed_in(api: &Api, headers: &HeaderMap, origin: Origin) -> Result<(Session, String), ApiError> {
    if api.guard.is_open() {
        return Err(ApiError::Conflict("accounts are off under --open".to_owned()));
    }
    let token = session_token(headers).ok_or(ApiError::Forbidden)?;
    let session = api.guard.session_on(token, Some(origin.encrypted), api.now());
    Ok((session.ok_or(ApiError::Unauthorised)?, token.to_owned()))
}

/// [`signed_in`], of late: for changing factors.
fn freshly(api: &Api, headers: &HeaderMap, origin: Origin) -> Result<(Session, String), ApiError> {
    let (session, token) = signed_in(api, headers, origin)?;
    if api.now().micros() - session.began.micros() > FRESH {
        return Err(ApiError::Conflict(
            "log out and in again first: this is changed within half an hour of logging in".to_owned(),
        ));
    }
    Ok((session, token))
}

/// The page as its browser knows it: as configured, or as called on this machine.
fn site(api: &Api, headers: &HeaderMap, origin: Origin) -> Option<Site> {
    if let Some(origin) = api.guard.login_rules().origin {
        return Some(Site { origin });
    }
    let host = headers.get(axum::http::header::HOST)?.to_str().ok()?;
    let scheme = if origin.encrypted { "https" } else { "http" };
    let site = Site { origin: format!("{scheme}://{host}") };
    (site.relying_party() == Some("localhost")).then_some(site)
}

/// What the guard refuses, as an answer.
fn refused(error: GuardError) -> ApiError {
    match error {
        GuardError::BadName | GuardError::WeakPassword(_) | GuardError::BadUnit
        | GuardError::Passkey(_) => ApiError::bad(error.to_string()),
        GuardError::Exists(_) => ApiError::Conflict("there is an account of that name".to_owned()),
        GuardError::LastAdministrator | GuardError::FactorRequired | GuardError::NoPasskeysHere
        | GuardError::TooMany(_) | GuardError::Provided => ApiError::Conflict(error.to_string()),
        GuardError::Trial => ApiError::Conflict("accounts are off under --open".to_owned()),
        GuardError::Unknown(_) => ApiError::NotFound("account, session or factor"),
        GuardError::BadCode => ApiError::WrongCode,
        error => ApiError::internal(&error),
    }
}

/// Writes a record of what somebody did to themselves or another account.
struct Did<'a> {
    session: Option<&'a Session>,
    /// The account's name, where there is no session.
    actor: &'a str,
    action: &'static str,
    route: &'static str,
    object: &'a str,
    detail: &'a str,
    outcome: Outcome,
}

impl<'a> Did<'a> {
    fn by(session: &'a Session, action: &'static str, route: &'static str) -> Self {
        let actor = &session.account.name;
        let (object, detail) = (actor.as_str(), "");
        Self { session: Some(session), actor, action, route, object, detail, outcome: Outcome::Allowed }
    }

    async fn record(self, api: &Api) -> Result<(), ApiError> {
        let record = Record {
            at: api.now(),
            actor: self.actor.to_owned(),
            role: self.session.map(|session| session.account.role),
            action: Deed::Named(self.action),
            route: self.route.to_owned(),
            outcome: self.outcome,
            object: self.object.to_owned(),
            detail: self.detail.to_owned(),
            session: self.session.map(|session| session.id.clone()).unwrap_or_default(),
            factor: self.session.map_or("", |session| session.means.name()).to_owned(),
            ..Record::default()
        };
        api.keep(record).await
    }
}

/// Records a login that did not work. Whoever guesses names, or goes on too fast, is counted.
async fn refuse_login(
    api: &Api,
    name: String,
    route: &'static str,
    error: LoginError,
) -> Result<ApiError, ApiError> {
    if name != "unknown" && matches!(error, LoginError::Refused) {
        let (action, object, outcome) = ("login", name.as_str(), Outcome::Denied);
        let did = Did { session: None, actor: &name, action, route, object, detail: "", outcome };
        did.record(api).await?;
    } else {
        let (source, outcome) = (source(), Outcome::Denied);
        let (object, factor) = (String::new(), "");
        api.guard.note(Note { action: "login", route, actor: name, source, outcome, object, factor }, api.now());
    }
    Ok(match error {
        LoginError::Refused => ApiError::WrongPassword,
        LoginError::SlowDown { wait_ms } => ApiError::SlowDown { wait_ms },
        LoginError::Busy => ApiError::SlowDown { wait_ms: 1_000 },
        LoginError::Begin => ApiError::WrongCode,
        LoginError::Guard(error) => refused(error),
    })
}
