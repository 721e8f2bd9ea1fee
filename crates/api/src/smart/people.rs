//! Who a person is, to applications: the `fhirUser` of an id token, and the resource behind it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use guard::{Account, Grant, Kind, Permission};
use oauth::{Action, Scope};
use serde_json::json;
use vitals::Role;

use crate::error::ApiError;
use crate::fhir_access::outcome;
use crate::state::Api;

/// Type and id of the resource that an account is.
pub(super) fn resource_of(account: &Account) -> (&'static str, String) {
    match (&account.patient, account.role) {
        (Some(patient), Role::Patient) => ("Patient", patient.to_string()),
        (_, Role::Caregiver | Role::Patient) => ("Person", guard::person_id(&account.name)),
        _ => ("Practitioner", guard::person_id(&account.name)),
    }
}

pub(super) async fn practitioner(state: State<Api>, id: Path<String>, headers: HeaderMap) -> Response {
    read(state, id, &headers, "Practitioner", "/fhir/Practitioner/{id}").await
}

pub(super) async fn person(state: State<Api>, id: Path<String>, headers: HeaderMap) -> Response {
    read(state, id, &headers, "Person", "/fhir/Person/{id}").await
}

/// Whoever asks may read who they are; nobody else is there.
async fn read(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: &HeaderMap,
    ty: &'static str,
    route: &'static str,
) -> Response {
    if let Err(error) = api.enter(headers, Permission::ReadFhir, route, None).await {
        return outcome(error);
    }
    let Ok(caller) = api.caller(headers) else { return outcome(ApiError::Unauthorised) };
    let account = caller.account;
    if account.kind != Kind::Person || resource_of(&account) != (ty, id) || !may(caller.grant.as_deref(), ty) {
        return outcome(ApiError::NotFound("resource"));
    }
    let (_, id) = resource_of(&account);
    let resource = json!({
        "resourceType": ty,
        "id": id,
        "identifier": [{"system": format!("{}/account", api.address(headers)), "value": account.name}],
        "active": true,
        "name": [{"text": account.name}],
    });
    ([(header::CONTENT_TYPE, "application/fhir+json; charset=utf-8")], Json(resource)).into_response()
}

fn may(grant: Option<&Grant>, ty: &str) -> bool {
    grant.is_none_or(|grant| {
        grant.scopes.has(&Scope::FhirUser) || !grant.scopes.rules(Action::Read, ty).is_empty()
    })
}
