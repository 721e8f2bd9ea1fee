//! Break-glass: opening a patient in an emergency, what is open, and ending it.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::PatientView;
use guard::{BreakGlass, Categories, Guard, Opening, Permission, Reason};
use vitals::time::DAY;
use vitals::{PatientId, ReceiveTime};

use super::shapes::{BreakGlassMine, BreakGlassOpened, BreakGlassQueue, BreakGlassRequest, BreakGlassView};
use super::{account, guarded, shown_anew};
use crate::access::recorded;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Accesses of this time are listed for review.
const LISTED_US: i64 = 400 * DAY;
/// Most of them.
const LISTED_MAX: usize = 500;

const ROUTE: &str = "/api/v1/break-glass";

pub(super) fn view(access: &BreakGlass, now: ReceiveTime) -> BreakGlassView {
    let review = access.review.as_ref();
    let outcome = |justified| if justified { "justified" } else { "not-justified" };
    BreakGlassView {
        id: access.id.clone(),
        patient: access.patient.to_string(),
        unit: access.unit.clone(),
        account: access.account.clone(),
        role: access.role.clone(),
        reason: access.reason.clone(),
        words: access.words.clone(),
        began_ms: access.began.millis(),
        until_ms: access.until.millis(),
        ended_ms: access.ended.map(ReceiveTime::millis),
        open: access.is_open(now),
        outcome: review.map(|review| outcome(review.justified).to_owned()),
        note: review.map(|review| review.note.clone()),
        reviewer: review.map(|review| review.by.clone()),
        reviewed_ms: review.map(|review| review.at.millis()),
    }
}

/// Whom a text names: by id, or exactly by an identifier. Nobody is found by a part of either.
fn named(api: &Api, text: &str) -> Option<std::sync::Arc<PatientView>> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Some(seen) = PatientId::new(text).ok().and_then(|id| api.live.patient(&id)) {
        return Some(seen);
    }
    let mut matching = api.live.patients().into_iter().filter(|seen| {
        seen.patient.identifiers.iter().any(|identifier| identifier.value == text)
            || seen.merged.iter().any(|id| id.as_str() == text)
    });
    // Two people with one number: whoever is meant must be named by id.
    matching.next().filter(|_| matching.next().is_none())
}

/// Opens a patient for the caller, at once and for a time. It is told to those who review it.
#[utoipa::path(post, path = "/api/v1/break-glass", tag = "privacy", request_body = BreakGlassRequest,
    responses((status = 200, body = BreakGlassOpened), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_break_glass(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<BreakGlassRequest>,
) -> Result<Json<BreakGlassOpened>, ApiError> {
    let seen = named(&api, &wanted.patient);
    let id = seen.as_ref().map(|seen| seen.patient.id.clone());
    api.enter(&headers, Permission::UseBreakGlass, ROUTE, id.as_ref()).await?;
    let seen = seen.ok_or(ApiError::NotFound("patient: give the id, or exactly the record number"))?;
    let reason = Reason::from_name(&wanted.reason)
        .ok_or_else(|| ApiError::bad("reason: emergency, cover, consult, alarm or other"))?;
    let caller = account(&api, &headers)?;
    let (patient, now) = (seen.patient.id.clone(), api.now());
    let opening = Opening {
        patient: patient.clone(),
        unit: seen.location.as_ref().map(|place| place.bed.unit.clone()).unwrap_or_default(),
        reason,
        words: wanted.words,
        minutes: wanted.minutes,
    };
    let before = api.guard.patient_facts(&patient).consented(&caller, None, now, api.guard.stance());
    let opener = caller.clone();
    api.deed("open-patient", reason.name(), &format!("for {} minutes", opening.minutes)).await?;
    let access = guarded(&api, move |guard| guard.open_patient(&opener, &opening, now)).await?;
    let after = api.guard.patient_facts(&patient).consented(&caller, None, now, api.guard.stance());
    metrics::counter!("vitalwire_break_glass_total", "reason" => reason.name()).increment(1);
    shown_anew(&api, &patient);
    let names = |categories: Categories| categories.iter().map(|one| one.name().to_owned()).collect();
    Ok(Json(BreakGlassOpened {
        access: view(&access, now),
        withheld: names(after.complement()),
        overridden: names(before.complement().and(after)),
    }))
}

/// Emergency accesses that the caller may review, the latest first.
#[utoipa::path(get, path = "/api/v1/break-glass", tag = "privacy",
    responses((status = 200, body = BreakGlassQueue)))]
pub(crate) async fn get_break_glass(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<BreakGlassQueue>, ApiError> {
    api.enter(&headers, Permission::ReviewAccess, ROUTE, None).await?;
    let (caller, now) = (account(&api, &headers)?, api.now());
    let mut all = if api.guard.is_open() {
        Vec::new()
    } else {
        guarded(&api, move |guard| guard.emergencies(now.plus(-LISTED_US), LISTED_MAX)).await?
    };
    all.retain(|access| Guard::hears_of_emergency(&caller, &access.unit));
    let waiting = all.iter().filter(|access| access.review.is_none()).count() as u64;
    let accesses = all.iter().map(|access| view(access, now)).collect();
    Ok(Json(BreakGlassQueue { now_ms: now.millis(), waiting, accesses }))
}

/// What the caller has open.
#[utoipa::path(get, path = "/api/v1/break-glass/mine", tag = "privacy",
    responses((status = 200, body = BreakGlassMine)))]
pub(crate) async fn get_mine(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<BreakGlassMine>, ApiError> {
    api.enter(&headers, Permission::UseBreakGlass, "/api/v1/break-glass/mine", None).await?;
    let (caller, now) = (account(&api, &headers)?, api.now());
    let mut all = if api.guard.is_open() {
        Vec::new()
    } else {
        guarded(&api, move |guard| guard.emergencies(now.plus(-DAY), LISTED_MAX)).await?
    };
    all.retain(|access| access.is_open(now) && access.account.eq_ignore_ascii_case(&caller.name));
    Ok(Json(BreakGlassMine { now_ms: now.millis(), open: all.iter().map(|access| view(access, now)).collect() }))
}

/// Ends the caller's own emergency access.
#[utoipa::path(delete, path = "/api/v1/break-glass/{id}", tag = "privacy",
    params(("id" = String, Path, description = "Name of the access")),
    responses((status = 200, body = BreakGlassView), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_break_glass(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<BreakGlassView>, ApiError> {
    let route = "/api/v1/break-glass/{id}";
    let asked = id.clone();
    let found = if api.guard.is_open() {
        None
    } else {
        guarded(&api, move |guard| guard.emergency(&asked)).await?
    };
    let patient = found.map(|access| access.patient);
    api.enter(&headers, Permission::UseBreakGlass, route, patient.as_ref()).await?;
    let (caller, now) = (account(&api, &headers)?, api.now());
    api.deed("close-patient", &recorded(&id, false), "").await?;
    let closed = guarded(&api, move |guard| guard.close_patient(&caller.name, &id, now)).await?;
    let closed = closed.ok_or(ApiError::NotFound("access of yours that is open"))?;
    shown_anew(&api, &closed.patient);
    Ok(Json(view(&closed, now)))
}
