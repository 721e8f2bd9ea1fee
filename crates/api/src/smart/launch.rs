//! An application is opened from a patient's page (EHR launch; SMART App Launch 2.2 § 2.0.3).

use axum::extract::State;
use axum::http::HeaderMap;
use guard::{Context, Permission};
use oauth::form::with_parameters;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::PatientId;

use super::consent::in_person;
use super::told;
use crate::app::patients;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// An application that can be opened for a patient.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Launchable {
    /// Its id.
    client: String,
    /// Its name.
    name: String,
}

/// Which application is opened.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct LaunchRequest {
    /// Its id.
    client: String,
}

/// Where to open it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Launch {
    /// Its address, with what it needs to begin: good for five minutes, once, for this person.
    url: String,
}

/// Applications that can be opened for a patient.
#[utoipa::path(get, path = "/api/v1/launches", tag = "applications",
    responses((status = 200, body = Vec<Launchable>)))]
pub(crate) async fn launchable(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<Launchable>>, ApiError> {
    api.enter(&headers, Permission::SeePatients, "/api/v1/launches", None).await?;
    if api.guard.is_open() {
        return Ok(Json(Vec::new()));
    }
    let clients = api.guard.clients().map_err(told)?.into_iter();
    let with_address = clients.filter(|client| client.launch_url.is_some());
    Ok(Json(with_address.map(|client| Launchable { client: client.id, name: client.name }).collect()))
}

/// Opens an application for a patient.
#[utoipa::path(post, path = "/api/v1/patients/{id}/launch", tag = "applications",
    params(("id" = String, Path, description = "Patient id")), request_body = LaunchRequest,
    responses((status = 200, body = Launch), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn launch(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<LaunchRequest>,
) -> Result<Json<Launch>, ApiError> {
    let subject = PatientId::new(&id).ok();
    api.enter(&headers, Permission::SeePatients, "/api/v1/patients/{id}/launch", subject.as_ref()).await?;
    // Whoever opens it agrees in the same browser.
    let session = in_person(&api, &headers)?;
    let seen = patients::known(&api, &id)?;
    let client = api.guard.client(&wanted.client).map_err(told)?;
    let found = client.and_then(|client| client.launch_url.map(|url| (client.id, url)));
    let (client, url) = found.ok_or(ApiError::NotFound("application"))?;
    let context = Context {
        patient: Some(seen.patient.id.clone()),
        encounter: seen.encounter.as_ref().map(|encounter| encounter.id.to_string()),
    };
    api.deed("launch-application", &client, "").await?;
    let handle = api.guard.begin_launch(&client, &session.account, &context, api.now()).map_err(told)?;
    let iss = format!("{}/fhir", api.address(&headers));
    Ok(Json(Launch { url: with_parameters(&url, &[("iss", &iss), ("launch", &handle)]) }))
}
