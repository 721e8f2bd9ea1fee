//! Reviewing emergency accesses.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::{Guard, Permission};

use super::break_glass::view;
use super::shapes::{BreakGlassView, ReviewRequest};
use super::{account, guarded};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Longest note, in characters.
const NOTE_MAX: usize = 500;

/// Says what a review of an emergency access found. Nobody reviews their own.
#[utoipa::path(post, path = "/api/v1/break-glass/{id}/review", tag = "privacy",
    params(("id" = String, Path, description = "Name of the access")), request_body = ReviewRequest,
    responses((status = 200, body = BreakGlassView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_review(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<ReviewRequest>,
) -> Result<Json<BreakGlassView>, ApiError> {
    let route = "/api/v1/break-glass/{id}/review";
    let asked = id.clone();
    let found = if api.guard.is_open() {
        None
    } else {
        guarded(&api, move |guard| guard.emergency(&asked)).await?
    };
    // The unit of that time decides who reviews, not where the patient lies by now.
    api.enter(&headers, Permission::ReviewAccess, route, None).await?;
    let (caller, now) = (account(&api, &headers)?, api.now());
    if found.is_none_or(|access| !Guard::hears_of_emergency(&caller, &access.unit)) {
        return Err(ApiError::NotFound("emergency access"));
    }
    let justified = match wanted.outcome.as_str() {
        "justified" => true,
        "not-justified" => false,
        _ => return Err(ApiError::bad("outcome: justified or not-justified")),
    };
    if wanted.note.chars().count() > NOTE_MAX {
        return Err(ApiError::bad("note: 500 characters at most"));
    }
    let outcome = if justified { "justified" } else { "not-justified" };
    api.deed("review-emergency", &id, outcome).await?;
    let reviewed =
        guarded(&api, move |guard| guard.review_emergency(&caller, &id, justified, wanted.note.trim(), now)).await?;
    metrics::counter!("vitalwire_break_glass_reviewed_total", "outcome" => outcome).increment(1);
    Ok(Json(view(&reviewed, now)))
}
