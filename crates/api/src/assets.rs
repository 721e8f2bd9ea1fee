//! The pages, embedded in the program and compressed beforehand.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Pages;

/// A file of the pages; any other path is a page of its own, which the script draws.
pub(crate) async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let named = !path.is_empty() && path.contains('.');
    let path = if named { path } else { "index.html" };
    let zipped = accepts_gzip(&headers).then(|| Pages::get(&format!("{path}.gz"))).flatten();
    match (zipped, Pages::get(path)) {
        (Some(file), _) => answer(path, file, true),
        (None, Some(file)) => answer(path, file, false),
        (None, None) if named => StatusCode::NOT_FOUND.into_response(),
        (None, None) => {
            let text = "The pages are not part of this build. Run `make web`, then build again.";
            (StatusCode::NOT_FOUND, text).into_response()
        }
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let value = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains("gzip"))
}

fn answer(path: &str, file: EmbeddedFile, zipped: bool) -> Response {
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json" | "webmanifest") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    // Names under assets/ carry a hash of what is in them.
    let keep = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut answer = Response::new(Body::from(file.data.into_owned()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}
