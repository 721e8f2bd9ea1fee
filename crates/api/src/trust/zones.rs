//! Zones: what is configured, and that roles work from theirs only.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guard::{Account, Note, Outcome, Permission, SecurityEvent};

use super::apart;
use super::view::ZoneView;
use crate::access::{COOKIE, HOST_COOKIE, session_token, source};
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

/// The zones that are configured; none: everything is one.
#[utoipa::path(get, path = "/api/v1/trust/zones", tag = "trust",
    responses((status = 200, body = Vec<ZoneView>)))]
pub(crate) async fn get_zones(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<ZoneView>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/trust/zones", None).await?;
    let settings = api.guard.trust();
    let devices = match api.guard.is_open() {
        true => Vec::new(),
        false => {
            let guard = api.guard.clone();
            apart(move || guard.trusted_devices()).await?
        }
    };
    let count = |name: &str| devices.iter().filter(|device| device.zone == name).count();
    Ok(Json(settings.zones.0.iter().map(|zone| ZoneView::of(zone, count(&zone.name))).collect()))
}

/// Refuses whoever is known and works from a network that is not their role's, a login as well.
pub(crate) async fn gate(State(api): State<Api>, request: Request, next: Next) -> Response {
    if api.guard.trust().zones.0.is_empty() {
        return next.run(request).await;
    }
    // Who is not known is refused further in.
    if let Ok(account) = api.guard_caller(request.headers())
        && !admitted(&api, &account)
    {
        return ApiError::Refused("this role does not work from this network").into_response();
    }
    let answer = next.run(request).await;
    let began = answer.headers().get_all(header::SET_COOKIE).iter().find_map(began);
    if let Some(token) = began
        && let Some(account) = api.guard.session(&token, api.now())
        && !admitted(&api, &account)
    {
        // Nobody has its token, and nobody shall.
        api.guard.logout(&token);
        return ApiError::Refused("this role does not work from this network").into_response();
    }
    answer
}

impl Api {
    /// Whose session or token a request carries.
    fn guard_caller(&self, headers: &HeaderMap) -> Result<Account, ApiError> {
        if let Some(account) = session_token(headers).and_then(|token| self.guard.session(token, self.now())) {
            return Ok(account);
        }
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
        token.and_then(|token| self.guard.bearer(token, self.now())).ok_or(ApiError::Unauthorised)
    }
}

/// The session token that an answer begins.
fn began(value: &HeaderValue) -> Option<String> {
    let (name, token) = value.to_str().ok()?.split(';').next()?.trim().split_once('=')?;
    (matches!(name, COOKIE | HOST_COOKIE) && !token.is_empty()).then(|| token.to_owned())
}

fn admitted(api: &Api, account: &Account) -> bool {
    let from = source();
    if api.guard.trust().zones.admit(account.role, from) {
        return true;
    }
    let now = api.now();
    let note = Note {
        action: "wrong-zone",
        route: "HTTP",
        actor: account.name.clone(),
        source: from,
        outcome: Outcome::Denied,
        object: String::new(),
        factor: "",
    };
    api.guard.note_because(note, "wrong-zone", now);
    let address = from.map_or_else(|| "somewhere".to_owned(), |ip| ip.to_string());
    api.guard.security_event(SecurityEvent {
        kind: "wrong-zone",
        device: None,
        zone: api.guard.trust().zones.at(from, "http").unwrap_or_default().to_owned(),
        evidence: format!("an account in the role {} was refused from {address}", account.role.name()),
        at: now,
    });
    false
}
