//! The cookies of a login. Over an encrypted connection their names begin with `__Host-`, which
//! browsers take from this host alone, over TLS alone.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::access::{COOKIE, HOST_COOKIE};
use crate::error::ApiError;
use crate::origin::Origin;

/// Names the cookie of a login that is half done.
const HALF: &str = "vitalwire-login";

/// Names the cookie of a browser that is away at the identity provider.
const AWAY: &str = "vitalwire-away";
const HOST_AWAY: &str = "__Host-vitalwire-away";

/// The session cookie; an empty token takes it away.
pub(super) fn session(token: &str, origin: Origin) -> Result<HeaderValue, ApiError> {
    let name = if origin.encrypted { HOST_COOKIE } else { COOKIE };
    let gone = if token.is_empty() { "; Max-Age=0" } else { "" };
    let secure = if origin.encrypted { "; Secure" } else { "" };
    value(&format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{gone}"))
}

/// The cookie of a login that is half done, for five minutes; an empty token takes it away.
pub(super) fn half(token: &str, origin: Origin) -> Result<HeaderValue, ApiError> {
    let age = if token.is_empty() { 0 } else { 300 };
    let secure = if origin.encrypted { "; Secure" } else { "" };
    value(&format!(
        "{HALF}={token}; Path=/api/v1/login; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"
    ))
}

/// The token of the login that is half done.
pub(super) fn half_of(headers: &HeaderMap) -> Option<&str> {
    named(headers, HALF)
}

/// The cookie of a browser that is away at the identity provider, for ten minutes; an empty token
/// takes it away. The provider's page sends the browser back, so it cannot be `Strict`; it opens
/// nothing by itself.
pub(super) fn away(token: &str, origin: Origin) -> Result<HeaderValue, ApiError> {
    let age = if token.is_empty() { 0 } else { 600 };
    let (name, path, secure) = match origin.encrypted {
        true => (HOST_AWAY, "/", "; Secure"),
        false => (AWAY, "/api/v1/oidc", ""),
    };
    value(&format!("{name}={token}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"))
}

/// The token of a browser that was away.
pub(super) fn away_of(headers: &HeaderMap) -> Option<&str> {
    named(headers, HOST_AWAY).or_else(|| named(headers, AWAY))
}

/// A cookie's value.
pub(super) fn named<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// An answer that sets cookies.
pub(super) fn with(answer: impl IntoResponse, cookies: Vec<HeaderValue>) -> Response {
    let mut answer = answer.into_response();
    for cookie in cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

fn value(text: &str) -> Result<HeaderValue, ApiError> {
    HeaderValue::from_str(text).map_err(|error| ApiError::internal(&error))
}
