//! How long each kind of data is kept.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::{Permission, RetentionKind, RetentionRule};

use super::shapes::{RetentionForm, RetentionLine, RetentionView};
use super::{account, guarded};
use crate::dto;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

const ROUTE: &str = "/api/v1/retention";

/// How long each kind of data is kept.
#[utoipa::path(get, path = "/api/v1/retention", tag = "privacy",
    responses((status = 200, body = RetentionView)))]
pub(crate) async fn get_retention(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<RetentionView>, ApiError> {
    api.enter(&headers, Permission::ManageRetention, ROUTE, None).await?;
    Ok(Json(view(&api).await?))
}

/// Sets how long a kind of data is kept; it holds within minutes.
#[utoipa::path(put, path = "/api/v1/retention", tag = "privacy", request_body = RetentionForm,
    responses((status = 200, body = RetentionView), (status = 400, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn put_retention(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<RetentionForm>,
) -> Result<Json<RetentionView>, ApiError> {
    api.enter(&headers, Permission::ManageRetention, ROUTE, None).await?;
    let kind = RetentionKind::from_name(&wanted.kind).ok_or_else(|| {
        ApiError::bad(
            "kind: numerics, waveforms, alerts, quarantine, audit, directory-history, security-events or messages",
        )
    })?;
    let (by, now) = (account(&api, &headers)?.name, api.now());
    let days = wanted.days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"));
    api.deed("set-retention", kind.name(), &days).await?;
    guarded(&api, move |guard| guard.set_retention(kind, wanted.days, &by, now)).await?;
    Ok(Json(view(&api).await?))
}

async fn view(api: &Api) -> Result<RetentionView, ApiError> {
    let set: Vec<RetentionRule> =
        if api.guard.is_open() { Vec::new() } else { guarded(api, |guard| guard.retention()).await? };
    let line = |kind: RetentionKind| {
        let rule = set.iter().find(|rule| rule.kind == kind);
        RetentionLine {
            kind: kind.name().to_owned(),
            days: rule.and_then(|rule| rule.days),
            set: rule.is_some(),
            by: rule.map(|rule| rule.by.clone()).unwrap_or_default(),
            at_ms: rule.map(|rule| rule.at.millis()),
            enforced: kind.is_enforced(),
        }
    };
    Ok(RetentionView { rules: RetentionKind::ALL.into_iter().map(line).collect() })
}
