//! A patient's consents for staff: what they say in plain words, and the form that writes one. What
//! is written is a FHIR `Consent` as any other, and holds before the answer leaves.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::{ConsentRow, Document, DocumentKind, Permission};
use serde_json::Value;
use vitals::{PatientId, ReceiveTime};
use wire_fhir::consent::{Consent, read, write};

use super::shapes::{ConsentForm, ConsentList, ConsentView};
use super::{enter, form, guarded, records, shown_anew, words};
use crate::access::recorded;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Consents listed of one patient.
const LISTED_MAX: usize = 200;

pub(super) fn view(row: &ConsentRow) -> ConsentView {
    let said = serde_json::from_str::<Value>(&row.json).ok().and_then(|json| read(&json).ok());
    ConsentView {
        id: row.id.clone(),
        status: row.status.clone(),
        sentences: said.map_or_else(Vec::new, |consent| words::sentences(&consent.rule)),
        by: row.by.clone(),
        updated_ms: row.updated.millis(),
        version: row.version,
    }
}

/// The consents of these records of one patient.
pub(super) async fn list(api: &Api, patients: Vec<PatientId>) -> Result<ConsentList, ApiError> {
    let rows = rows(api, patients).await?;
    let stance = api.guard.stance();
    let treatment = if stance.treatment {
        "Without a consent, those who treat the patient may see the record."
    } else {
        "Without a consent, nobody may see the record."
    };
    let research = if stance.research {
        "Without a consent, researchers see data without names."
    } else {
        "Without a consent, researchers see nothing."
    };
    let emergency = if stance.emergency_overrides {
        "An emergency opens what a consent refuses; each time is reviewed."
    } else {
        "What a consent refuses stays closed in an emergency, unless the consent says otherwise."
    };
    let stance = [treatment, research, emergency].map(str::to_owned).to_vec();
    Ok(ConsentList { stance, consents: rows.iter().map(view).collect() })
}

/// The newest version of each consent of these records.
pub(super) async fn rows(api: &Api, patients: Vec<PatientId>) -> Result<Vec<ConsentRow>, ApiError> {
    if api.guard.is_open() {
        return Ok(Vec::new());
    }
    guarded(api, move |guard| {
        let mut rows = Vec::new();
        for patient in &patients {
            rows.extend(guard.documents(DocumentKind::Consent, Some(patient), LISTED_MAX)?);
        }
        rows.sort_by(|a, b| b.updated.cmp(&a.updated).then(a.id.cmp(&b.id)));
        Ok(rows)
    })
    .await
}

/// Keeps the consent of a form.
pub(super) async fn put(
    api: &Api,
    patient: &PatientId,
    wanted: &ConsentForm,
    by: &str,
) -> Result<ConsentView, ApiError> {
    let rule = form::rule(wanted)?;
    let provision =
        form::provision(api, &rule, "consent").map_err(|(path, detail)| ApiError::bad(format!("{path}: {detail}")))?;
    let (now, patient, by) = (api.now(), patient.clone(), by.to_owned());
    let research = wanted.purposes.iter().any(|code| code == "HRESCH");
    let kept = patient.clone();
    api.deed("put-consent", "", if wanted.permit { "permits" } else { "refuses" }).await?;
    let row = guarded(api, move |guard| {
        let id = guard.new_document_id()?;
        let consent = Consent { patient: kept.to_string(), status: "active".to_owned(), rule };
        let json = write(&consent, &id, &wire_fhir::time::format(now.micros()), research);
        let document = Document {
            kind: DocumentKind::Consent,
            id,
            patient: kept.clone(),
            status: "active".to_owned(),
            json: json.to_string(),
            rules: Some(provision),
        };
        let version = guard.put_consent(&document, &by, now)?;
        Ok(ConsentRow {
            id: document.id,
            version,
            patient: kept,
            status: document.status,
            json: document.json,
            by,
            updated: now,
        })
    })
    .await?;
    shown_anew(api, &patient);
    Ok(view(&row))
}

/// Takes a consent back: a new version that is not in force. False when it is none of these
/// records'.
pub(super) async fn withdraw(
    api: &Api,
    patients: &[PatientId],
    id: String,
    by: &str,
) -> Result<bool, ApiError> {
    let (now, by, patients): (ReceiveTime, _, _) = (api.now(), by.to_owned(), patients.to_vec());
    api.deed("withdraw-consent", &recorded(&id, false), "").await?;
    let withdrawn = guarded(api, move |guard| {
        let Some(row) = guard.document(DocumentKind::Consent, &id)? else { return Ok(None) };
        if !patients.contains(&row.patient) {
            return Ok(None);
        }
        let mut json: Value = serde_json::from_str(&row.json).unwrap_or_default();
        json["status"] = "inactive".into();
        let document = Document {
            kind: DocumentKind::Consent,
            id,
            patient: row.patient.clone(),
            status: "inactive".to_owned(),
            json: json.to_string(),
            rules: None,
        };
        guard.put_consent(&document, &by, now)?;
        Ok(Some(row.patient))
    })
    .await?;
    if let Some(patient) = &withdrawn {
        shown_anew(api, patient);
    }
    Ok(withdrawn.is_some())
}

/// A patient's consents.
#[utoipa::path(get, path = "/api/v1/patients/{id}/consents", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = ConsentList), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_consents(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<ConsentList>, ApiError> {
    let route = "/api/v1/patients/{id}/consents";
    let seen = enter(&api, &headers, Permission::SeeConsents, route, &id).await?;
    Ok(Json(list(&api, records(&seen)).await?))
}

/// Records a consent on a patient's behalf.
#[utoipa::path(post, path = "/api/v1/patients/{id}/consents", tag = "privacy",
    params(("id" = String, Path, description = "Patient id")), request_body = ConsentForm,
    responses((status = 200, body = ConsentView), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_consent(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<ConsentForm>,
) -> Result<Json<ConsentView>, ApiError> {
    let route = "/api/v1/patients/{id}/consents";
    let seen = enter(&api, &headers, Permission::ManageConsents, route, &id).await?;
    let by = super::account(&api, &headers)?.name;
    Ok(Json(put(&api, &seen.patient.id, &wanted, &by).await?))
}

/// Takes a consent back on a patient's behalf. It stays in the history.
#[utoipa::path(delete, path = "/api/v1/patients/{id}/consents/{consent}", tag = "privacy",
    params(("id" = String, Path, description = "Patient id"),
        ("consent" = String, Path, description = "Id of the consent")),
    responses((status = 204), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn delete_consent(
    State(api): State<Api>,
    Path((id, consent)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/patients/{id}/consents/{consent}";
    let seen = enter(&api, &headers, Permission::ManageConsents, route, &id).await?;
    let by = super::account(&api, &headers)?.name;
    if withdraw(&api, &records(&seen), consent, &by).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound("consent"))
    }
}
