//! Enrolment over secure transport (RFC 7030): the authority, a first certificate for a code, the
//! next one for the present one. Keys are made by devices themselves; `serverkeygen` is not offered.

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard::{
    Certified, Deed, Guard, GuardError, Note, Outcome, Presented, Record, SecurityEvent, TrustError,
};
use vitals::DeviceId;

use crate::origin::Origin;
use crate::state::Api;

const ENROLL: &str = "/.well-known/est/simpleenroll";
const REENROLL: &str = "/.well-known/est/simplereenroll";

type Shown = Option<Extension<Arc<Presented>>>;

/// A refusal in plain text, as RFC 7030 (4.2.3) has it.
fn answer(status: StatusCode, why: &str) -> Response {
    let mut answer = (status, [(header::CONTENT_TYPE, "text/plain")], format!("{why}\n")).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let ask = header::HeaderValue::from_static("Basic realm=\"enrolment: device id and one-time code\"");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
    }
    answer
}

fn certificates(text: String) -> Response {
    let kind = [
        (header::CONTENT_TYPE, "application/pkcs7-mime; smime-type=certs-only"),
        (header::HeaderName::from_static("content-transfer-encoding"), "base64"),
    ];
    (kind, text).into_response()
}

/// The certificate of the authority.
pub(crate) async fn cacerts(State(api): State<Api>) -> Response {
    if api.guard.is_open() {
        return answer(StatusCode::NOT_FOUND, "accounts are off under --open: nothing is certified");
    }
    let (guard, now) = (api.guard.clone(), api.now());
    match tokio::task::spawn_blocking(move || guard.authority_certs_only(now)).await {
        Ok(Ok(text)) => certificates(text),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

/// Nothing is asked of a request beyond what RFC 7030 asks anyway.
pub(crate) async fn csrattrs() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Keys are made where they are used.
pub(crate) async fn serverkeygen() -> Response {
    answer(StatusCode::NOT_IMPLEMENTED, "keys are made by the device itself: use simpleenroll")
}

fn failed(error: &dyn std::fmt::Display) -> Response {
    tracing::error!("enrolment failed: {error}");
    answer(StatusCode::INTERNAL_SERVER_ERROR, "something failed inside; it is in the log")
}

/// A first certificate: device id and one-time code as HTTP Basic, or the next one with mutual TLS.
pub(crate) async fn simpleenroll(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    shown: Shown,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = insecure(origin) {
        return refusal;
    }
    let Some((user, code)) = basic(&headers) else {
        return match shown {
            Some(Extension(shown)) => renew(api, shown, body, ENROLL).await,
            None => answer(StatusCode::UNAUTHORIZED, "give device id and one-time code, or a certificate"),
        };
    };
    let Ok(id) = DeviceId::new(&user) else {
        return answer(StatusCode::UNAUTHORIZED, "the user name is the device's id");
    };
    let Some(csr) = request(&body) else {
        return answer(StatusCode::BAD_REQUEST, "the body is a PKCS#10 request: base64, PEM or DER");
    };
    let (guard, now, device) = (api.guard.clone(), api.now(), id.clone());
    let made = tokio::task::spawn_blocking(move || guard.enrol_device(&device, &code, &csr, now)).await;
    match made {
        Ok(made) => settled(&api, &id, "enrol-device", ENROLL, made).await,
        Err(error) => failed(&error),
    }
}

/// The next certificate, asked for with the present one.
pub(crate) async fn simplereenroll(
    State(api): State<Api>,
    Extension(origin): Extension<Origin>,
    shown: Shown,
    body: Bytes,
) -> Response {
    if let Some(refusal) = insecure(origin) {
        return refusal;
    }
    match shown {
        Some(Extension(shown)) => renew(api, shown, body, REENROLL).await,
        None => answer(StatusCode::UNAUTHORIZED, "renewal needs the present certificate (mutual TLS)"),
    }
}

async fn renew(api: Api, shown: Arc<Presented>, body: Bytes, route: &'static str) -> Response {
    let Some(csr) = request(&body) else {
        return answer(StatusCode::BAD_REQUEST, "the body is a PKCS#10 request: base64, PEM or DER");
    };
    let named = shown.names.iter().find_map(|name| {
        DeviceId::new(name.strip_prefix(guard::DEVICE_URN).unwrap_or(name)).ok()
    });
    let Some(id) = named else {
        return answer(StatusCode::FORBIDDEN, "the certificate names no device");
    };
    let (guard, now) = (api.guard.clone(), api.now());
    let made = tokio::task::spawn_blocking(move || guard.renew_device(&shown, &csr, now)).await;
    match made {
        Ok(made) => settled(&api, &id, "renew-device", route, made).await,
        Err(error) => failed(&error),
    }
}

/// Records what came of it, and answers after that.
async fn settled(
    api: &Api,
    id: &DeviceId,
    deed: &'static str,
    route: &'static str,
    made: Result<Certified, GuardError>,
) -> Response {
    let made = match made {
        Ok(made) => made,
        Err(error) => return turned_away(api, id, deed, route, &error),
    };
    let record = Record {
        at: api.now(),
        actor: id.to_string(),
        action: Deed::Named(deed),
        route: route.to_owned(),
        outcome: Outcome::Allowed,
        detail: format!("certificate {}, now {}", made.serial, made.state.name()),
        ..Record::default()
    };
    if let Err(error) = api.guard.audit(crate::access::signed(record)).await {
        return failed(&error);
    }
    match made.certs_only() {
        Ok(text) => certificates(text),
        Err(error) => failed(&error),
    }
}

fn turned_away(
    api: &Api,
    id: &DeviceId,
    deed: &'static str,
    route: &'static str,
    error: &GuardError,
) -> Response {
    let (status, why) = match error {
        GuardError::Trust(TrustError::BadCode) => (StatusCode::UNAUTHORIZED, "bad-code"),
        GuardError::Trust(TrustError::BadRequest(_)) => (StatusCode::BAD_REQUEST, "bad-request"),
        GuardError::Trust(TrustError::Refused(_)) => (StatusCode::FORBIDDEN, "not-allowed"),
        GuardError::Trial => (StatusCode::NOT_FOUND, "trial"),
        error => return failed(error),
    };
    let (now, source) = (api.now(), crate::access::source());
    let known = !matches!(api.guard.admit_device(id), Err(guard::Refusal::Unknown));
    let actor = if known { id.to_string() } else { "unknown".to_owned() };
    let (object, factor, outcome) = (String::new(), "", Outcome::Denied);
    let note = Note { action: deed, route, actor, source, outcome, object, factor };
    api.guard.note_because(note, why, now);
    if why == "bad-code" {
        let from = source.map_or_else(|| "somewhere".to_owned(), |ip| ip.to_string());
        api.guard.security_event(SecurityEvent {
            kind: "enrolment-refused",
            device: Some(id.clone()),
            zone: String::new(),
            evidence: format!("a code that does not hold, from {from}"),
            at: now,
        });
        api.guard.heard(id, source, "enrolment", now);
    }
    answer(status, &error.to_string())
}

/// Codes and certificates go over TLS, or within this machine.
fn insecure(origin: Origin) -> Option<Response> {
    let within = origin.address.is_none_or(|address| address.is_loopback());
    let fine = origin.encrypted || within;
    (!fine).then(|| answer(StatusCode::FORBIDDEN, "enrolment needs TLS: use https"))
}

/// User name and password of HTTP Basic.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(Guard::from_base64(token.trim().as_bytes())?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// The request in a body: base64 as RFC 7030 has it, or what tools make: PEM, DER.
fn request(body: &[u8]) -> Option<Vec<u8>> {
    if body.starts_with(&[0x30]) && !body.iter().all(u8::is_ascii) || body.starts_with(b"-----") {
        return Some(body.to_vec());
    }
    Guard::from_base64(body)
}
