//! Who asks, whether they may, and the record of it: before any answer leaves (SE-1).
//!
//! Every request passes [`gate`], which looks its route up in the one table of `rules` and refuses
//! what is not there. A handler then calls [`Api::enter`], which knows the patient and keeps the
//! record; an answer of a handler that did not is thrown away.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guard::{Account, Deed, Note, Outcome, Permission, Record};
use vitals::{Actor, PatientId};

use crate::error::ApiError;
use crate::fhir_access;
use crate::origin::{Origin, Peer, Strange, strange};
use crate::rules::{ROUTES, Rule, rule};
use crate::state::Api;

/// Name of the session cookie.
pub const COOKIE: &str = "vitalwire-session";

/// How long a request may take until its answer begins: whoever sends a byte an hour is cut off.
const TIME_MAX: Duration = Duration::from_secs(60);
/// The same for FHIR, whose bundles are large.
const FHIR_TIME_MAX: Duration = Duration::from_secs(300);

/// What is known of the request that a task works on.
#[derive(Default)]
struct Passing {
    source: Option<IpAddr>,
    /// Whether a record was kept.
    entered: Cell<bool>,
}

tokio::task_local! {
    static PASSING: Passing;
}

/// What the decision needs of a request.
struct Asked<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    template: Option<&'a str>,
    path: &'a str,
}

/// Lets a request through to its handler, and the handler's answer out.
pub(crate) async fn gate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let fhir = request.uri().path().starts_with("/fhir");
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let origin = Origin::of(peer, request.headers(), &api.trusted_proxies);
    let passing = Passing { source: origin.address, entered: Cell::new(false) };
    request.extensions_mut().insert(origin);
    let template = request.extensions().get::<MatchedPath>().cloned();
    let through = async {
        let asked = Asked {
            method: request.method(),
            headers: request.headers(),
            template: template.as_ref().map(MatchedPath::as_str),
            path: request.uri().path(),
        };
        let needs = match api.admit(asked).await {
            Ok(needs) => needs,
            Err(error) if fhir => return fhir_access::outcome(error),
            Err(error) => return error.into_response(),
        };
        let patience = if fhir { FHIR_TIME_MAX } else { TIME_MAX };
        let Ok(answer) = tokio::time::timeout(patience, next.run(request)).await else {
            return StatusCode::REQUEST_TIMEOUT.into_response();
        };
        let failed = answer.status().is_client_error() || answer.status().is_server_error();
        let entered = PASSING.with(|passing| passing.entered.get());
        if needs && !failed && !entered {
            return ApiError::internal(&"a handler answered without a record").into_response();
        }
        answer
    };
    let mut answer = PASSING.scope(passing, through).await;
    if origin.encrypted {
        let always = HeaderValue::from_static("max-age=31536000");
        answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    answer
}

impl Api {
    /// Whether a request may reach its handler; true when its answer needs a record.
    async fn admit(&self, asked: Asked<'_>) -> Result<bool, ApiError> {
        let Asked { method, headers, template, path } = asked;
        match strange(method, headers, self.guard.is_open()) {
            None => {}
            Some(Strange::OtherSite) => {
                self.note("foreign-page", "unknown");
                return Err(ApiError::Refused("sent by another site's page"));
            }
            Some(Strange::OtherHost) => {
                return Err(ApiError::Refused("--open answers to 127.0.0.1 and localhost only"));
            }
        }
        let (needed, known_only) = match rule(method, template, path) {
            Some(Rule::Public) => return Ok(false),
            Some(Rule::NoSuchMethod) => return Err(ApiError::NoSuchMethod),
            Some(Rule::Known) => (None, true),
            Some(Rule::Needs(permission)) => (Some(permission), false),
            None => {
                tracing::error!(route = template, "no rule says who may use this route: refused");
                return Err(ApiError::Forbidden);
            }
        };
        let known = self.caller(headers);
        // Pages ask who they are before anybody logs in: that is no attempt.
        if known.is_err() && (!known_only || has_credentials(headers)) {
            let route = template.and_then(route_name).unwrap_or("/fhir");
            self.note("unknown-caller", route);
        }
        let account = known?;
        let Some(permission) = needed else { return Ok(false) };
        if !self.guard.allows(&account, permission) {
            let route = template.unwrap_or("/fhir");
            self.record(&account, permission, route, None, Outcome::Denied).await?;
            return Err(ApiError::Forbidden);
        }
        Ok(true)
    }

    /// Who asks.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`] when nobody known does.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Account, ApiError> {
        if self.guard.is_open() {
            return Ok(Account::trial());
        }
        if let Some(token) = bearer(headers) {
            return self.guard.bearer(token, self.now()).ok_or(ApiError::Unauthorised);
        }
        session_token(headers)
            .and_then(|token| self.guard.session(token, self.now()))
            .ok_or(ApiError::Unauthorised)
    }

    /// Lets a caller in to do one thing, and keeps a record of that, allowed or not.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`], [`ApiError::Forbidden`]; [`ApiError::Unavailable`] when no
    /// record can be kept: no audit, no access.
    pub async fn enter(
        &self,
        headers: &HeaderMap,
        permission: Permission,
        route: &'static str,
        subject: Option<&PatientId>,
    ) -> Result<Actor, ApiError> {
        let account = self.caller(headers)?;
        let allowed = self.guard.allows(&account, permission);
        let outcome = if allowed { Outcome::Allowed } else { Outcome::Denied };
        self.record(&account, permission, route, subject, outcome).await?;
        if allowed {
            Ok(Actor { name: account.name, role: account.role })
        } else {
            Err(ApiError::Forbidden)
        }
    }

    async fn record(
        &self,
        account: &Account,
        permission: Permission,
        route: &str,
        subject: Option<&PatientId>,
        outcome: Outcome,
    ) -> Result<(), ApiError> {
        let record = Record {
            at: self.now(),
            actor: account.name.clone(),
            role: Some(account.role),
            action: Deed::Permitted(permission),
            route: route.to_owned(),
            subject: subject.map(|id| self.recorded_as(id)),
            outcome,
            detail: source().map_or_else(String::new, |source| format!("from {source}")),
            ..Record::default()
        };
        self.guard.audit(record).await.map_err(|error| ApiError::unavailable(&error.to_string()))?;
        // Outside of a request, such as in a test of one handler, there is nothing to tell.
        let _ = PASSING.try_with(|passing| passing.entered.set(true));
        Ok(())
    }

    /// A patient as the record names them: by an id that we made or know. What else was typed as
    /// one may be a name, so its hash stands for it.
    fn recorded_as(&self, id: &PatientId) -> PatientId {
        let made = id.as_str().strip_prefix("p-").is_some_and(|rest| {
            rest.len() == 16 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        });
        if made || self.live.patient(id).is_some() {
            return id.clone();
        }
        PatientId::from_identifier("unknown", id.as_str())
    }

    /// Counts a refusal of somebody who is not known.
    pub(crate) fn note(&self, action: &'static str, route: &'static str) {
        let note = Note {
            action,
            route,
            actor: "unknown".to_owned(),
            source: source(),
            outcome: Outcome::Denied,
        };
        self.guard.note(note, self.now());
    }
}

/// Lets a task that goes on after its request's answer act for the same source.
pub(crate) async fn on_behalf(source: Option<IpAddr>, task: impl Future<Output = ()>) {
    PASSING.scope(Passing { source, entered: Cell::new(false) }, task).await;
}

/// The address that the present request comes from.
pub(crate) fn source() -> Option<IpAddr> {
    PASSING.try_with(|passing| passing.source).ok().flatten()
}

/// The same text, as a constant: audit notes hold no text that a request made.
fn route_name(template: &str) -> Option<&'static str> {
    ROUTES.iter().map(|(_, path, _)| *path).find(|path| *path == template)
}

fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || session_token(headers).is_some()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The session token that a request carries.
#[must_use]
pub fn session_token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
