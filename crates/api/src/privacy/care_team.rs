//! A patient's care team.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::{Member, Permission, Span};
use vitals::PatientId;

use super::shapes::{CareTeamView, MemberView};
use super::{enter, form, guarded, records, shown_anew};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Longest role, in characters.
const ROLE_MAX: usize = 100;

fn view(member: &Member) -> MemberView {
    MemberView {
        account: member.account.clone(),
        role: member.role.clone(),
        from_ms: member.period.from_us.map(|us| us.div_euclid(1_000)),
        until_ms: member.period.until_us.map(|us| us.div_euclid(1_000)),
        team: member.team.clone(),
    }
}

/// The care team of these records of one patient.
pub(super) async fn list(api: &Api, patients: Vec<PatientId>) -> Result<CareTeamView, ApiError> {
    if api.guard.is_open() {
        return Ok(CareTeamView { members: Vec::new() });
    }
    let members = guarded(api, move |guard| {
        let mut all = Vec::new();
        for patient in &patients {
            all.extend(guard.care_team(patient)?);
        }
        Ok(all)
    })
    .await?;
    Ok(CareTeamView { members: members.iter().map(view).collect() })
}

/// A patient's care team.
#[utoipa::path(get, path = "/api/v1/patients/{id}/care-team", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = CareTeamView), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_care_team(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CareTeamView>, ApiError> {
    let route = "/api/v1/patients/{id}/care-team";
    let seen = enter(&api, &headers, Permission::SeeConsents, route, &id).await?;
    Ok(Json(list(&api, records(&seen)).await?))
}

/// Puts an account into a patient's care team, or changes its role and time there.
#[utoipa::path(put, path = "/api/v1/patients/{id}/care-team", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")), request_body = MemberView,
    responses((status = 200, body = CareTeamView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn put_member(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<MemberView>,
) -> Result<Json<CareTeamView>, ApiError> {
    let route = "/api/v1/patients/{id}/care-team";
    let seen = enter(&api, &headers, Permission::ManageConsents, route, &id).await?;
    if wanted.role.chars().count() > ROLE_MAX {
        return Err(ApiError::bad("role: 100 characters at most"));
    }
    if wanted.from_ms.zip(wanted.until_ms).is_some_and(|(from, until)| from >= until) {
        return Err(ApiError::bad("from_ms must lie before until_ms"));
    }
    let account = form::account_named(&api, &wanted.account).ok_or(ApiError::NotFound("account"))?;
    let micros = |ms: Option<i64>| ms.map(|ms| ms.saturating_mul(1_000));
    let member = Member {
        account,
        role: wanted.role,
        team: String::new(),
        period: Span { from_us: micros(wanted.from_ms), until_us: micros(wanted.until_ms) },
    };
    let patient = seen.patient.id.clone();
    api.deed("put-team-member", &member.account, "").await?;
    guarded(&api, move |guard| guard.put_team_member(&patient, &member)).await?;
    shown_anew(&api, &seen.patient.id);
    Ok(Json(list(&api, records(&seen)).await?))
}

/// Takes an account out of a patient's care team.
#[utoipa::path(delete, path = "/api/v1/patients/{id}/care-team/{account}", tag = "privacy",
    params(("id" = String, Path, description = "Patient id"),
        ("account" = String, Path, description = "Account name")),
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_member(
    State(api): State<Api>,
    Path((id, account)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/patients/{id}/care-team/{account}";
    let seen = enter(&api, &headers, Permission::ManageConsents, route, &id).await?;
    let patients = records(&seen);
    api.deed("remove-team-member", &api.guard.audit_name(&account), "").await?;
    let removed = guarded(&api, move |guard| {
        let mut removed = false;
        for patient in &patients {
            removed |= guard.remove_team_member(patient, &account)?;
        }
        Ok(removed)
    })
    .await?;
    shown_anew(&api, &seen.patient.id);
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound("member of the care team")) }
}
