//! Holds: intervals of a patient that are kept for ever. The strip around every alert is kept
//! without one.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::Permission;
use vitals::{Action, EffectiveTime, Hold, PatientId};

use super::channels::subjects;
use super::interval::interval;
use super::shapes::{HoldList, HoldRequest, HoldView};
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::privacy::LEGAL;
use crate::state::Api;

/// Longest hold.
const LONGEST_US: i64 = 31 * vitals::time::DAY;
/// Longest reason, in characters.
const REASON_MAX: usize = 500;

fn view(hold: &Hold) -> HoldView {
    HoldView {
        id: hold.id.to_string(),
        from_ms: hold.from.millis(),
        to_ms: hold.to.millis(),
        reason: hold.reason.clone(),
        by: hold.by.clone(),
        at_ms: hold.at.millis(),
    }
}

/// The intervals that are kept for ever, by their begin.
#[utoipa::path(get, path = "/api/v1/patients/{id}/holds", tag = "waveforms",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = HoldList), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_holds(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<HoldList>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/holds";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let holds = held(&api, &id).await?;
    Ok(Json(HoldList { holds: holds.iter().map(view).collect() }))
}

/// The holds of a patient that last.
async fn held(api: &Api, id: &str) -> Result<Vec<Hold>, ApiError> {
    let subjects = subjects(&*known(api, id)?);
    let mut holds = api.ask_settled(move |store| store.holds(&subjects)).await?;
    holds.retain(|hold| hold.released.is_none());
    Ok(holds)
}

/// Keeps an interval for ever.
#[utoipa::path(post, path = "/api/v1/patients/{id}/holds", tag = "waveforms",
    params(("id" = String, Path, description = "Patient id")), request_body = HoldRequest,
    responses((status = 200, body = HoldView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn post_hold(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<HoldRequest>,
) -> Result<Json<HoldView>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/holds";
    let actor = api.enter(&headers, Permission::ActOnAlerts, route, subject.as_ref()).await?;
    let patient = known(&api, &id)?.patient.id.clone();
    let (from, to) = interval(wanted.from_ms, wanted.to_ms)?;
    if to - from > LONGEST_US {
        return Err(ApiError::bad("one hold keeps 31 days at most"));
    }
    if wanted.reason.chars().count() > REASON_MAX {
        return Err(ApiError::bad("reason: 500 characters at most"));
    }
    if wanted.reason.starts_with(LEGAL) {
        return Err(ApiError::bad("reason: a legal hold is placed under /api/v1/patients/{id}/legal-holds"));
    }
    let action = Action::Hold {
        patient,
        from: EffectiveTime(from),
        to: EffectiveTime(to),
        reason: wanted.reason,
    };
    let name = api.act(actor, action).await?;
    let holds = held(&api, &id).await?;
    let made = holds.iter().find(|hold| hold.id == name);
    made.map(|hold| Json(view(hold))).ok_or_else(|| ApiError::unavailable("the hold is not stored yet"))
}

/// Ends a hold: retention takes its course again.
#[utoipa::path(delete, path = "/api/v1/patients/{id}/holds/{hold}", tag = "waveforms",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("hold" = String, Path, description = "Name of the hold"),
    ),
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_hold(
    State(api): State<Api>,
    Path((id, hold)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/holds/{hold}";
    let actor = api.enter(&headers, Permission::ActOnAlerts, route, subject.as_ref()).await?;
    let held = held(&api, &id).await?;
    let found = held.iter().find(|known| known.id.to_string() == hold);
    let found = found.ok_or(ApiError::NotFound("hold"))?;
    if found.reason.starts_with(LEGAL) {
        return Err(ApiError::Conflict("a legal hold is released where it was placed".to_owned()));
    }
    let hold = found.id;
    api.act(actor, Action::ReleaseHold { hold, reason: String::new() }).await?;
    Ok(StatusCode::NO_CONTENT)
}
