//! What patients see of their own record, and caregivers of the record of whoever invited them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use engine::PatientView;
use guard::{Categories, Category, Invitation, Permission, Span};
use vitals::{PatientId, Role};

use super::shapes::{
    AccessReport, CaregiverList, CaregiverView, ConsentForm, ConsentList, ConsentView, InvitationCode,
    InvitationForm, Invited, Me, OwnRecord, OwnValue,
};
use super::{account, accesses, consents, form, guarded, own, records, shown_anew};
use crate::access::recorded;
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;
use crate::view;

/// The patient whose own account asks, for what caregivers may not.
async fn myself(
    api: &Api,
    headers: &HeaderMap,
    permission: Permission,
    route: &'static str,
) -> Result<std::sync::Arc<PatientView>, ApiError> {
    let patient = match account(api, headers)?.role {
        Role::Patient => Some(own(api, headers, None).await?),
        _ => None,
    };
    api.enter(headers, permission, route, patient.as_ref()).await?;
    let patient = patient.ok_or(ApiError::NotFound("own record of this account"))?;
    known(api, patient.as_str())
}

/// Who asks, and the records they may speak of.
#[utoipa::path(get, path = "/api/v1/me", tag = "privacy", responses((status = 200, body = Me)))]
pub(crate) async fn get_me(State(api): State<Api>, headers: HeaderMap) -> Result<Json<Me>, ApiError> {
    let caller = account(&api, &headers)?;
    let now = api.now();
    let patients: Vec<PatientId> = match caller.role {
        Role::Patient => caller.patient.iter().cloned().collect(),
        _ if api.guard.is_open() => Vec::new(),
        _ => {
            let name = caller.name.clone();
            let cared = guarded(&api, move |guard| guard.cares_for(&name, now)).await?;
            cared.into_iter().map(|one| one.patient).collect()
        }
    };
    let route = "/api/v1/me";
    if patients.is_empty() {
        api.enter(&headers, Permission::SeeOwnRecord, route, None).await?;
    }
    let mut shown = Vec::new();
    for patient in &patients {
        api.enter(&headers, Permission::SeeOwnRecord, route, Some(patient)).await?;
        let facts = api.guard.patient_facts(patient);
        let seen = facts.consented(&caller, None, now, api.guard.stance());
        shown.push(match known(&api, patient.as_str()) {
            Ok(view) => record(&view, patient, seen, now.0),
            // Nothing was ever measured: there is a record all the same.
            Err(_) => OwnRecord {
                patient: patient.to_string(),
                name: String::new(),
                categories: names(seen),
                values: Vec::new(),
            },
        });
    }
    Ok(Json(Me {
        account: caller.name,
        role: caller.role.name().to_owned(),
        now_ms: now.millis(),
        records: shown,
    }))
}

fn names(categories: Categories) -> Vec<String> {
    categories.iter().map(|category| category.name().to_owned()).collect()
}

fn record(seen: &PatientView, asked: &PatientId, may: Categories, now_us: i64) -> OwnRecord {
    let tile = view::tile(seen, now_us);
    let value = |value: dto::CurrentValue| {
        let decimals = usize::from(value.decimals);
        let text = value.text.or_else(|| value.value.map(|number| format!("{number:.decimals$}")))?;
        Some(OwnValue { name: value.name, value: text, unit: value.unit, at_ms: value.time_ms })
    };
    let values = tile.values.into_iter().filter_map(value);
    OwnRecord {
        patient: asked.to_string(),
        name: if may.has(Category::Demographics) { tile.patient.name } else { String::new() },
        categories: names(may),
        values: if may.has(Category::VitalSigns) { values.collect() } else { Vec::new() },
    }
}

/// Who saw what of one's own record. A caregiver sees it of nobody.
#[utoipa::path(get, path = "/api/v1/me/accesses", tag = "privacy",
    params(("from_ms" = Option<i64>, Query, description = "Milliseconds since 1970; 90 days ago if not said"),
        ("to_ms" = Option<i64>, Query, description = "Milliseconds since 1970; now if not said")),
    responses((status = 200, body = AccessReport), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_accesses(
    State(api): State<Api>,
    Query(asked): Query<accesses::Asked>,
    headers: HeaderMap,
) -> Result<Json<AccessReport>, ApiError> {
    let seen = myself(&api, &headers, Permission::SeeOwnRecord, "/api/v1/me/accesses").await?;
    Ok(Json(accesses::report(&api, records(&seen), &asked).await?))
}

/// One's own consents.
#[utoipa::path(get, path = "/api/v1/me/consents", tag = "privacy",
    responses((status = 200, body = ConsentList), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_consents(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<ConsentList>, ApiError> {
    let seen = myself(&api, &headers, Permission::SeeOwnRecord, "/api/v1/me/consents").await?;
    Ok(Json(consents::list(&api, records(&seen)).await?))
}

/// Gives a consent, or refuses one.
#[utoipa::path(post, path = "/api/v1/me/consents", tag = "privacy", request_body = ConsentForm,
    responses((status = 200, body = ConsentView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_consent(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<ConsentForm>,
) -> Result<Json<ConsentView>, ApiError> {
    let seen = myself(&api, &headers, Permission::ManageOwnConsent, "/api/v1/me/consents").await?;
    let by = account(&api, &headers)?.name;
    Ok(Json(consents::put(&api, &seen.patient.id, &wanted, &by).await?))
}

/// Takes one's own consent back.
#[utoipa::path(delete, path = "/api/v1/me/consents/{consent}", tag = "privacy",
    params(("consent" = String, Path, description = "Id of the consent")),
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_consent(
    State(api): State<Api>,
    Path(consent): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/me/consents/{consent}";
    let seen = myself(&api, &headers, Permission::ManageOwnConsent, route).await?;
    let by = account(&api, &headers)?.name;
    if consents::withdraw(&api, &records(&seen), consent, &by).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("consent"))
    }
}

/// Caregivers and open invitations.
#[utoipa::path(get, path = "/api/v1/me/caregivers", tag = "privacy",
    responses((status = 200, body = CaregiverList), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_caregivers(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<CaregiverList>, ApiError> {
    let seen = myself(&api, &headers, Permission::SeeOwnRecord, "/api/v1/me/caregivers").await?;
    let patients = records(&seen);
    let found = guarded(&api, move |guard| {
        let mut all = Vec::new();
        for patient in &patients {
            all.extend(guard.caregivers(patient)?);
        }
        Ok(all)
    })
    .await?;
    let ms = |us: Option<i64>| us.map(|us| us.div_euclid(1_000));
    let caregivers = found.into_iter().map(|one| CaregiverView {
        id: one.id,
        label: one.label,
        account: one.account,
        categories: names(one.categories),
        until_ms: ms(one.period.until_us),
        invited_ms: one.invited.millis(),
        expires_ms: one.expires.millis(),
    });
    Ok(Json(CaregiverList { caregivers: caregivers.collect() }))
}

/// Invites a caregiver: the answer holds a link that is shown once, used once, within a week.
#[utoipa::path(post, path = "/api/v1/me/caregivers", tag = "privacy", request_body = InvitationForm,
    responses((status = 200, body = Invited), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_caregiver(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<InvitationForm>,
) -> Result<Json<Invited>, ApiError> {
    let seen = myself(&api, &headers, Permission::ManageOwnConsent, "/api/v1/me/caregivers").await?;
    let label = wanted.label.trim().to_owned();
    if !(1..=100).contains(&label.chars().count()) {
        return Err(ApiError::bad("label: 1 to 100 characters"));
    }
    let chosen: Categories = form::categories(&wanted.categories)?.into_iter().collect();
    let now = api.now();
    let until_us = wanted.until_ms.map(|ms| ms.saturating_mul(1_000));
    if until_us.is_some_and(|until| until <= now.0) {
        return Err(ApiError::bad("until_ms must lie ahead"));
    }
    let invitation = Invitation {
        label,
        // Whoever is invited knows by whom.
        categories: if chosen.is_empty() { Categories::ALL } else { chosen.with(Category::Demographics) },
        period: Span { from_us: None, until_us },
    };
    let patient = seen.patient.id.clone();
    api.deed("invite-caregiver", "", "").await?;
    let (id, code) = guarded(&api, move |guard| guard.invite_caregiver(&patient, &invitation, now)).await?;
    let link = format!("/me#invitation={code}");
    Ok(Json(Invited { id, code, link }))
}

/// Dismisses a caregiver, or takes an invitation back, at once.
#[utoipa::path(delete, path = "/api/v1/me/caregivers/{caregiver}", tag = "privacy",
    params(("caregiver" = String, Path, description = "Id of the caregiver")),
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_caregiver(
    State(api): State<Api>,
    Path(caregiver): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/me/caregivers/{caregiver}";
    let seen = myself(&api, &headers, Permission::ManageOwnConsent, route).await?;
    let patients = records(&seen);
    api.deed("dismiss-caregiver", &recorded(&caregiver, false), "").await?;
    let removed = guarded(&api, move |guard| {
        let mut removed = false;
        for patient in &patients {
            removed |= guard.dismiss_caregiver(patient, &caregiver)?;
        }
        Ok(removed)
    })
    .await?;
    shown_anew(&api, &seen.patient.id);
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound("caregiver")) }
}

/// Uses an invitation: the account is a caregiver from now on.
#[utoipa::path(post, path = "/api/v1/me/invitation", tag = "privacy", request_body = InvitationCode,
    responses((status = 204), (status = 400, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn accept(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<InvitationCode>,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::SeeOwnRecord, "/api/v1/me/invitation", None).await?;
    let (caller, now) = (account(&api, &headers)?, api.now());
    api.deed("accept-invitation", "", "").await?;
    guarded(&api, move |guard| guard.accept_invitation(&caller, &wanted.code, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
