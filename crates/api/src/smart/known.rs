//! What a server says of itself to applications that do not know it yet.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::blocking;
use crate::error::ApiError;
use crate::state::Api;

/// Under `--open` nobody needs a token, so nothing says where to get one.
fn off(api: &Api) -> Option<Response> {
    api.guard.is_open().then(|| StatusCode::NOT_FOUND.into_response())
}

pub(super) async fn smart(State(api): State<Api>, headers: HeaderMap) -> Response {
    off(&api).unwrap_or_else(|| Json(oauth::metadata::smart(&api.address(&headers))).into_response())
}

pub(super) async fn openid(State(api): State<Api>, headers: HeaderMap) -> Response {
    off(&api).unwrap_or_else(|| Json(oauth::metadata::openid(&api.address(&headers))).into_response())
}

/// `CapabilityStatement.rest.security` (SMART App Launch 2.2 § 3.2), unless all is open.
pub(crate) fn security(api: &Api, headers: &HeaderMap) -> Option<Value> {
    (!api.guard.is_open()).then(|| oauth::metadata::security(&api.address(headers)))
}

pub(super) async fn jwks(State(api): State<Api>) -> Result<Response, ApiError> {
    if let Some(off) = off(&api) {
        return Ok(off);
    }
    let (guard, now) = (api.guard.clone(), api.now());
    let keys = blocking(move || guard.jwks(now)).await.map_err(|error| ApiError::internal(&error))?;
    let kept = [(header::CACHE_CONTROL, "public, max-age=300")];
    Ok((kept, Json(keys)).into_response())
}

/// How applications may look to fit in (SMART App Launch 2.2 § 2.0.10.3).
pub(super) async fn style() -> Json<Value> {
    Json(json!({
        "color_background": "#ffffff",
        "color_error": "#b3261e",
        "color_highlight": "#0b57d0",
        "color_modal_backdrop": "",
        "color_success": "#146c2e",
        "color_text": "#1f1f1f",
        "dim_border_radius": "6px",
        "dim_font_size": "14px",
        "dim_spacing_size": "16px",
        "font_family_body": "system-ui, sans-serif",
        "font_family_heading": "system-ui, sans-serif",
    }))
}
