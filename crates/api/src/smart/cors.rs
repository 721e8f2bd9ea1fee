//! Pages of registered applications may call from their own origins: `/fhir`, and what leads to a
//! token. Cookies never come along, and no other page gets an answer.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::state::Api;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, content-type, accept, prefer, if-match, if-none-match, if-none-exist, \
    if-modified-since, x-requested-with, x-request-id";
const SHOWN: &str = "etag, location, last-modified, www-authenticate, retry-after, x-request-id";

fn is_shared(path: &str) -> bool {
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let standard = [
        "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/jwks", "/oauth/style",
        "/.well-known/smart-configuration", "/.well-known/openid-configuration",
    ];
    below("/fhir") || standard.contains(&path)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Answers preflights, and says in answers who may see them.
pub(crate) async fn cors(State(api): State<Api>, request: Request, next: Next) -> Response {
    if !is_shared(request.uri().path()) {
        return next.run(request).await;
    }
    let origin = text(request.headers(), header::ORIGIN).map(str::to_owned);
    let allowed = origin.filter(|origin| !api.guard.is_open() && api.guard.is_client_origin(origin));
    let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer = if asks && *request.method() == Method::OPTIONS {
        let status = if allowed.is_some() { StatusCode::NO_CONTENT } else { StatusCode::FORBIDDEN };
        let mut answer = status.into_response();
        if allowed.is_some() {
            let headers = answer.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
        answer
    } else {
        next.run(request).await
    };
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::is_shared;

    #[test]
    fn what_others_may_call_is_little() {
        for (path, expected) in [
            ("/fhir", true),
            ("/fhir/Patient/p-1", true),
            ("/fhirx", false),
            ("/oauth/token", true),
            ("/oauth/authorize", false),
            ("/api/v1/ward", false),
            ("/", false),
        ] {
            assert_eq!(is_shared(path), expected, "{path}");
        }
    }
}
