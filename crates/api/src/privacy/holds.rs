//! Legal holds: of a held patient nothing goes by age, and nobody erases it. The guard keeps who
//! said so and why; the store keeps the data by a hold over all times, as it keeps any stretch.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::{LegalHold, Permission};
use vitals::{Action, Actor, EffectiveTime, ReceiveTime};

use super::shapes::{HoldReason, LegalHoldView, LegalHolds};
use super::{enter, guarded, records};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Begins the reason of the store's hold that belongs to a legal hold; its name follows.
pub(crate) const LEGAL: &str = "legal hold ";

fn view(hold: &LegalHold) -> LegalHoldView {
    let released = hold.released.as_ref();
    LegalHoldView {
        id: hold.id.clone(),
        patient: hold.patient.to_string(),
        reason: hold.reason.clone(),
        by: hold.by.clone(),
        at_ms: hold.at.millis(),
        released_by: released.map(|(by, _, _)| by.clone()),
        released_ms: released.map(|(_, at, _): &(String, ReceiveTime, String)| at.millis()),
        released_reason: released.map(|(_, _, why)| why.clone()),
    }
}

fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if (3..=500).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(ApiError::bad("reason: 3 to 500 characters"))
    }
}

/// A patient's legal holds.
#[utoipa::path(get, path = "/api/v1/patients/{id}/legal-holds", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = LegalHolds), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_legal_holds(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<LegalHolds>, ApiError> {
    let route = "/api/v1/patients/{id}/legal-holds";
    let seen = enter(&api, &headers, Permission::ManageRetention, route, &id).await?;
    let patients = records(&seen);
    if api.guard.is_open() {
        return Ok(Json(LegalHolds { holds: Vec::new() }));
    }
    let holds = guarded(&api, move |guard| {
        let mut all = Vec::new();
        for patient in &patients {
            all.extend(guard.legal_holds(Some(patient))?);
        }
        Ok(all)
    })
    .await?;
    Ok(Json(LegalHolds { holds: holds.iter().map(view).collect() }))
}

/// Holds everything of a patient.
#[utoipa::path(post, path = "/api/v1/patients/{id}/legal-holds", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")), request_body = HoldReason,
    responses((status = 200, body = LegalHoldView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_legal_hold(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<HoldReason>,
) -> Result<Json<LegalHoldView>, ApiError> {
    let route = "/api/v1/patients/{id}/legal-holds";
    let seen = enter(&api, &headers, Permission::ManageRetention, route, &id).await?;
    let reason = reason(&wanted.reason)?;
    let caller = super::account(&api, &headers)?;
    let (patient, now, by) = (seen.patient.id.clone(), api.now(), caller.name.clone());
    api.deed("hold-patient", "", "").await?;
    let hold = guarded(&api, move |guard| guard.hold_patient(&patient, &reason, &by, now)).await?;
    let action = Action::Hold {
        patient: seen.patient.id.clone(),
        from: EffectiveTime(i64::MIN),
        to: EffectiveTime(i64::MAX),
        reason: format!("{LEGAL}{}", hold.id),
    };
    api.act(Actor { name: caller.name, role: caller.role }, action).await?;
    Ok(Json(view(&hold)))
}

/// Ends a legal hold: retention takes its course again.
#[utoipa::path(delete, path = "/api/v1/patients/{id}/legal-holds/{hold}", tag = "privacy",
    params(("id" = String, Path, description = "Patient id"),
        ("hold" = String, Path, description = "Name of the hold")), request_body = HoldReason,
    responses((status = 204), (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_legal_hold(
    State(api): State<Api>,
    Path((id, hold)): Path<(String, String)>,
    headers: HeaderMap,
    Json(wanted): Json<HoldReason>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/patients/{id}/legal-holds/{hold}";
    let seen = enter(&api, &headers, Permission::ManageRetention, route, &id).await?;
    let why = reason(&wanted.reason)?;
    let patients = records(&seen);
    let of = patients.clone();
    let name = hold.clone();
    let known = guarded(&api, move |guard| {
        let mut all = Vec::new();
        for patient in &of {
            all.extend(guard.legal_holds(Some(patient))?);
        }
        Ok(all.iter().any(|one| one.id == name && one.released.is_none()))
    })
    .await?;
    if !known {
        return Err(ApiError::NotFound("legal hold"));
    }
    let caller = super::account(&api, &headers)?;
    // First the data are let go, then the guard says so: in between, too much is kept, not too little.
    let kept = api.ask_settled(move |store| store.holds(&patients)).await?;
    let sought = format!("{LEGAL}{hold}");
    for one in kept.iter().filter(|one| one.released.is_none() && one.reason == sought) {
        let actor = Actor { name: caller.name.clone(), role: caller.role };
        api.act(actor, Action::ReleaseHold { hold: one.id, reason: why.clone() }).await?;
    }
    let (now, by) = (api.now(), caller.name);
    api.deed("release-patient", &hold, "").await?;
    guarded(&api, move |guard| guard.release_patient(&hold, &why, &by, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
