//! Who may use `/fhir`: the same doorkeeper as everywhere, answering in FHIR's own form.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guard::Permission;
use vitals::{DeviceId, PatientId};

use crate::access::{recorded, shown};
use crate::error::ApiError;
use crate::fhir::{Security, Sender};
use crate::fhir_backend::seen_by;
use crate::rules::{Rule, rule};
use crate::smart;
use crate::state::Api;

/// Keeps the record of a request, with the patient that its path names.
pub(crate) async fn enter(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = request.uri().path();
    let permission = match rule(request.method(), template.as_deref(), path) {
        Some(Rule::Public) => {
            if let Some(security) = smart::security(&api, request.headers()) {
                request.extensions_mut().insert(Security(security));
            }
            return next.run(request).await;
        }
        Some(Rule::Needs(permission)) => permission,
        _ => return outcome(ApiError::Forbidden),
    };
    let (route, subject) = (route(template.as_deref()), subject(path, request.uri().query()));
    let viewer = match api.viewer(request.headers()) {
        Ok(viewer) => viewer,
        Err(error) => return outcome(error),
    };
    let object = object(&api, path);
    let detail = if permission == Permission::WriteFhir { request.method().to_string() } else { String::new() };
    match api.enter_about(&viewer, permission, (route, subject.as_ref()), (&object, &detail)).await {
        Ok(actor) => {
            request.extensions_mut().insert(Sender(actor.name));
            let (grant, seer) = (viewer.caller().grant.clone(), viewer.clone());
            let answer = async {
                match grant {
                    Some(grant) => smart::run(&api, &seer, &grant, request, next).await,
                    None => next.run(request).await,
                }
            };
            seen_by(viewer, answer).await
        }
        // Whether there is such a patient elsewhere is not told: both are answered alike.
        Err(ApiError::Forbidden | ApiError::BreakGlass)
            if permission == Permission::WriteFhir && !viewer.whole_house() && viewer.at_all(permission) =>
        {
            outcome(ApiError::Refused(NOT_ADMITTED))
        }
        Err(error) => outcome(error),
    }
}

/// Why somebody who works with some units may not write a patient by their address.
const NOT_ADMITTED: &str = "this account writes patients of its own units; a new one is written in a transaction, \
    together with an Encounter in progress in one of them";

/// The template as a constant, for the record.
fn route(template: Option<&str>) -> &'static str {
    const TEMPLATES: [&str; 4] = [
        "/fhir/{type}",
        "/fhir/{type}/_search",
        "/fhir/{type}/{id}",
        "/fhir/{type}/{id}/_history/{version}",
    ];
    TEMPLATES.into_iter().find(|known| template == Some(*known)).unwrap_or("/fhir")
}

/// What a request is about, as the record may name it: a type, and an id that we know.
fn object(api: &Api, path: &str) -> String {
    let mut parts = path.trim_start_matches("/fhir").split('/').filter(|part| !part.is_empty());
    let Some(ty) = parts.next().filter(|ty| wire_fhir::is_resource_type(ty)) else { return String::new() };
    let Some(id) = parts.next().filter(|id| *id != "_search" && ty != "Patient") else { return ty.to_owned() };
    let known = match ty {
        "Device" => DeviceId::new(id).is_ok_and(|id| api.live.device(&id).is_some()),
        "Location" => api.live.locations().iter().any(|place| place.id.as_str() == id),
        _ => false,
    };
    format!("{ty}/{}", recorded(id, known))
}

/// Whose data a request is about, as far as its address says so.
fn subject(path: &str, query: Option<&str>) -> Option<PatientId> {
    let by_path = path.strip_prefix("/fhir/Patient/").and_then(|rest| rest.split('/').next());
    let by_query = || {
        let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(name, _)| matches!(*name, "patient" | "subject"));
        let (_, value) = named.next()?;
        Some(value.strip_prefix("Patient/").or(value.strip_prefix("Patient%2F")).unwrap_or(value))
    };
    let id = by_path.filter(|id| *id != "_search").or_else(by_query)?;
    PatientId::new(id).ok()
}

/// Says whose data are in a resource or bundle that is about to be answered.
pub(crate) fn shown_in(resource: &serde_json::Value) {
    let entries = resource["entry"].as_array().map_or(&[][..], Vec::as_slice);
    let inside = entries.iter().map(|entry| &entry["resource"]);
    let ids = std::iter::once(resource).chain(inside).filter_map(patient_of);
    shown(ids.collect::<Vec<_>>().iter());
}

/// Whose a resource is.
fn patient_of(resource: &serde_json::Value) -> Option<PatientId> {
    if resource["resourceType"] == "Patient" {
        return PatientId::new(resource["id"].as_str()?).ok();
    }
    let named = |member: &str| resource[member]["reference"].as_str()?.strip_prefix("Patient/");
    PatientId::new(named("subject").or_else(|| named("patient"))?).ok()
}

/// A refusal as an OperationOutcome.
pub(crate) fn outcome(error: ApiError) -> Response {
    let code = match error {
        ApiError::Unauthorised => "login",
        ApiError::Forbidden | ApiError::BreakGlass | ApiError::Refused(_) => "forbidden",
        ApiError::NoSuchMethod => "not-supported",
        ApiError::Internal => "exception",
        _ => "transient",
    };
    let body = serde_json::json!({
        "resourceType": "OperationOutcome",
        "issue": [{ "severity": "error", "code": code, "diagnostics": error.to_string() }],
    });
    let status = error.into_response().status();
    let kind = [(header::CONTENT_TYPE, "application/fhir+json")];
    (status, kind, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patient_in_an_address_is_found() {
        for (path, query, expected) in [
            ("/fhir/Patient/p-1", None, Some("p-1")),
            ("/fhir/Patient/p-1/_history/2", None, Some("p-1")),
            ("/fhir/Patient", Some("name=x"), None),
            ("/fhir/Patient/_search", None, None),
            ("/fhir/Observation", Some("code=8867-4&patient=p-1"), Some("p-1")),
            ("/fhir/Observation", Some("subject=Patient/p-1"), Some("p-1")),
            ("/fhir/Observation", Some("subject=Patient%2Fp-1"), Some("p-1")),
            ("/fhir/Observation/o-1", None, None),
        ] {
            let found = subject(path, query);
            assert_eq!(found.as_ref().map(PatientId::as_str), expected, "{path} {query:?}");
        }
    }
}
