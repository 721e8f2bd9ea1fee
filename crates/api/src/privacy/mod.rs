//! Whose record somebody may open and who did: break-glass, consents, care teams, caregivers, the
//! access report, views without names, retention, and the export of one person. What is decided
//! and kept is the guard's; here it becomes routes.

mod accesses;
mod break_glass;
mod care_team;
mod consents;
mod export;
pub(crate) mod fhir;
mod form;
mod holds;
mod me;
mod operations;
mod research;
mod retention;
mod reviews;
pub mod shapes;
mod words;

use std::sync::Arc;

use axum::http::HeaderMap;
use engine::PatientView;
use guard::{Account, Guard, GuardError, Permission};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::{PatientId, Role};

pub(crate) use holds::LEGAL;

use crate::app::patients::known;
use crate::error::ApiError;
use crate::state::Api;

/// The routes of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(break_glass::get_break_glass, break_glass::post_break_glass))
        .routes(routes!(break_glass::get_mine))
        .routes(routes!(break_glass::delete_break_glass))
        .routes(routes!(reviews::post_review))
        .routes(routes!(consents::get_consents, consents::post_consent))
        .routes(routes!(consents::delete_consent))
        .routes(routes!(care_team::get_care_team, care_team::put_member))
        .routes(routes!(care_team::delete_member))
        .routes(routes!(accesses::get_accesses))
        .routes(routes!(export::get_export))
        .routes(routes!(me::get_me))
        .routes(routes!(me::get_accesses))
        .routes(routes!(me::get_consents, me::post_consent))
        .routes(routes!(me::delete_consent))
        .routes(routes!(me::get_caregivers, me::post_caregiver))
        .routes(routes!(me::delete_caregiver))
        .routes(routes!(me::accept))
        .routes(routes!(export::get_my_export))
        .routes(routes!(operations::get_beds))
        .routes(routes!(research::get_subjects))
        .routes(routes!(research::get_series))
        .routes(routes!(retention::get_retention, retention::put_retention))
        .routes(routes!(holds::get_legal_holds, holds::post_legal_hold))
        .routes(routes!(holds::delete_legal_hold))
}

/// Asks the guard on a thread that may block.
pub(crate) async fn guarded<T: Send + 'static>(
    api: &Api,
    work: impl FnOnce(&Guard) -> Result<T, GuardError> + Send + 'static,
) -> Result<T, ApiError> {
    let guard = api.guard.clone();
    let done = tokio::task::spawn_blocking(move || work(&guard)).await;
    done.map_err(|error| ApiError::internal(&error))?.map_err(refusal)
}

/// What the guard refuses, for a screen.
fn refusal(error: GuardError) -> ApiError {
    match error {
        GuardError::BadOpening | GuardError::BadInvitation | GuardError::BadRetention => {
            ApiError::bad(error.to_string())
        }
        GuardError::TooMany(_)
        | GuardError::OwnReview
        | GuardError::OtherPatient
        | GuardError::Held
        | GuardError::Trial => ApiError::Conflict(error.to_string()),
        GuardError::Unknown(_) => ApiError::NotFound("account"),
        error => ApiError::internal(&error),
    }
}

/// Who asks.
fn account(api: &Api, headers: &HeaderMap) -> Result<Account, ApiError> {
    Ok(api.caller(headers)?.account)
}

/// The id in a path, if it is one.
fn subject(id: &str) -> Option<PatientId> {
    PatientId::new(id).ok()
}

/// Lets somebody do something about the patient in the path; the patient who lives on.
async fn enter(
    api: &Api,
    headers: &HeaderMap,
    permission: Permission,
    route: &'static str,
    id: &str,
) -> Result<Arc<PatientView>, ApiError> {
    api.enter(headers, permission, route, subject(id).as_ref()).await?;
    known(api, id)
}

/// The patient and every record that was merged into it: what is known of one is of all.
fn records(seen: &PatientView) -> Vec<PatientId> {
    std::iter::once(&seen.patient.id).chain(&seen.merged).cloned().collect()
}

/// Whose own record an account speaks of: a patient's is theirs; a caregiver says whose, unless
/// there is one alone.
async fn own(api: &Api, headers: &HeaderMap, wanted: Option<&str>) -> Result<PatientId, ApiError> {
    let account = account(api, headers)?;
    if account.role == Role::Patient {
        let own = account.patient.ok_or(ApiError::NotFound("record of this account; ask who made it"))?;
        return match wanted {
            Some(wanted) if wanted != own.as_str() => Err(ApiError::Forbidden),
            _ => Ok(own),
        };
    }
    let now = api.now();
    let name = account.name.clone();
    let cared = guarded(api, move |guard| guard.cares_for(&name, now)).await?;
    let mut patients = cared.into_iter().map(|one| one.patient);
    let found = match wanted {
        Some(wanted) => patients.find(|patient| patient.as_str() == wanted),
        None => patients.next(),
    };
    found.ok_or(ApiError::NotFound("record that this account was invited to"))
}

/// A live stream shows a patient anew, for everybody according to what they may see now.
fn shown_anew(api: &Api, patient: &PatientId) {
    api.live.changes().push(live::Change::Patient(patient.clone()));
}
