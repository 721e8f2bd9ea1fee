//! Devices: who is speaking, how well, on whom, where.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::{Category, Permission};
use serde::Serialize;
use utoipa::ToSchema;
use vitals::{
    Action, DeviceId, DirectoryEvent, EffectiveTime, HumanName, Identifier, LocationId, Patient,
    PatientId, Sex,
};

use crate::app::patients;
use crate::app::ward::load;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::view;

/// Most associations in one request.
const BULK_MAX: usize = 10_000;

/// One device with its association history.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceDetail {
    device: dto::DeviceView,
    associations: Vec<dto::AssociationView>,
}

/// Devices and how well they speak.
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices",
    responses((status = 200, body = dto::DevicePage)))]
pub(crate) async fn get_devices(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<dto::DevicePage>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeeDevices, "/api/v1/devices", None).await?;
    let may = |id: &DeviceId| viewer.decide_device(Permission::SeeDevices, id).allowed;
    let lines = api.live.devices();
    let seen = lines.iter().filter(|line| may(&line.device.id));
    let mut devices: Vec<dto::DeviceView> = seen.map(|line| viewer.device(line)).collect();
    devices.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Json(dto::DevicePage { devices, load: load(&api), now_ms: api.now().millis() }))
}

fn device_id(text: &str) -> Result<DeviceId, ApiError> {
    DeviceId::new(text).map_err(|error| ApiError::bad(error.to_string()))
}

/// One device with its association history.
#[utoipa::path(get, path = "/api/v1/devices/{id}", tag = "devices",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 200, body = DeviceDetail), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_device(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<DeviceDetail>, ApiError> {
    let (id, viewer) = (device_id(&id)?, api.viewer(&headers)?);
    let entered =
        api.enter_device(&headers, Permission::SeeDevices, "/api/v1/devices/{id}", &id, None).await;
    let line = match (entered, api.live.device(&id)) {
        (Ok(_), Some(line)) => line,
        // Whether there is a device of that name is not told either.
        (Ok(_) | Err(ApiError::Forbidden), _) => return Err(ApiError::NotFound("device")),
        (Err(error), _) => return Err(error),
    };
    let seen = line.associations.iter().filter(|a| viewer.may_see(&a.patient));
    let associations = seen.map(|a| patients::association(&api, a)).collect();
    Ok(Json(DeviceDetail { device: viewer.device(&line), associations }))
}

/// Puts a device on a patient, whomever it was on before.
#[utoipa::path(post, path = "/api/v1/devices/{id}/association", tag = "devices",
    params(("id" = String, Path, description = "Device id")), request_body = dto::AssociateRequest,
    responses((status = 204), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn associate(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::AssociateRequest>,
) -> Result<StatusCode, ApiError> {
    let device = device_id(&id)?;
    let patient = match (&wanted.patient, &wanted.identifier) {
        (Some(patient), _) => {
            PatientId::new(patient).map_err(|error| ApiError::bad(error.to_string()))?
        }
        (None, Some(identifier)) => {
            let (system, value) = split_identifier(identifier)?;
            PatientId::from_identifier(system, value)
        }
        (None, None) => return Err(ApiError::bad("give patient or identifier")),
    };
    let route = "/api/v1/devices/{id}/association";
    let actor =
        api.enter_device(&headers, Permission::Associate, route, &device, Some(&patient)).await?;
    let since = wanted.since_ms.map(EffectiveTime::from_millis);
    api.act(actor, Action::Associate { device, patient, since }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn split_identifier(text: &str) -> Result<(&str, &str), ApiError> {
    text.rsplit_once('|')
        .filter(|(_, value)| !value.is_empty())
        .ok_or_else(|| ApiError::bad("identifier: system|value"))
}

/// Takes a device off whomever it is on.
#[utoipa::path(delete, path = "/api/v1/devices/{id}/association", tag = "devices",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 204), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn disassociate(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let device = device_id(&id)?;
    let on = api.live.device(&device).and_then(|line| line.patient.clone());
    let route = "/api/v1/devices/{id}/association";
    let actor =
        api.enter_device(&headers, Permission::Associate, route, &device, on.as_ref()).await?;
    api.act(actor, Action::Disassociate { device, at: None }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mounts a device at a bed: whoever is in the bed is on the device.
#[utoipa::path(post, path = "/api/v1/devices/{id}/mount", tag = "devices",
    params(("id" = String, Path, description = "Device id")), request_body = dto::MountRequest,
    responses((status = 204), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn mount(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::MountRequest>,
) -> Result<StatusCode, ApiError> {
    let device = device_id(&id)?;
    let route = "/api/v1/devices/{id}/mount";
    let actor = api.enter_device(&headers, Permission::ManageDevices, route, &device, None).await?;
    let location = wanted.location.as_deref().map(LocationId::new).transpose();
    let location = location.map_err(|error| ApiError::bad(error.to_string()))?;
    api.act(actor, Action::Mount { device, location }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts many devices on patients; patients not known yet are created.
#[utoipa::path(post, path = "/api/v1/associations", tag = "devices",
    request_body = Vec<dto::BulkAssociation>,
    responses((status = 204), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn bulk(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<Vec<dto::BulkAssociation>>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/associations";
    let viewer = api.viewer(&headers)?;
    let actor = api.enter_as(&viewer, Permission::Associate, route, None).await?;
    if wanted.len() > BULK_MAX {
        return Err(ApiError::bad("at most 10,000 associations in one request"));
    }
    let mut actions = Vec::with_capacity(wanted.len() * 2);
    for one in &wanted {
        let device = device_id(&one.device)?;
        let patient = patient_of(one)?;
        let id = patient.id.clone();
        let kind = Category::DeviceData;
        if !viewer.decide(Permission::Associate, &id, kind).allowed
            || !viewer.decide_device(Permission::Associate, &device).allowed
        {
            // Refused with a record of whom it was about.
            api.enter_device(&headers, Permission::Associate, route, &device, Some(&id)).await?;
        }
        actions.push(Action::Directory(DirectoryEvent::Patient(patient)));
        let since = one.since_ms.map(EffectiveTime::from_millis);
        actions.push(Action::Associate { device, patient: id, since });
    }
    // All are queued before the first is waited for, so that they share commits.
    let appends = actions.into_iter().map(|action| api.act(actor.clone(), action));
    futures_util::future::try_join_all(appends).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn patient_of(one: &dto::BulkAssociation) -> Result<Patient, ApiError> {
    let (system, value) = split_identifier(&one.identifier)?;
    let mut patient = Patient::unknown(PatientId::from_identifier(system, value));
    patient.identifiers.push(Identifier {
        system: system.to_owned(),
        value: value.to_owned(),
        kind: "MR".to_owned(),
    });
    let (family, given) = one.name.split_once(',').unwrap_or((one.name.as_str(), ""));
    patient.name =
        HumanName { family: family.trim().to_owned(), given: given.trim().to_owned() };
    patient.birth_date.clone_from(&one.birth_date);
    patient.sex = match one.sex.as_str() {
        "male" => Sex::Male,
        "female" => Sex::Female,
        "other" => Sex::Other,
        _ => Sex::Unknown,
    };
    Ok(patient)
}

/// Every place, with who is there.
#[utoipa::path(get, path = "/api/v1/locations", tag = "ward",
    responses((status = 200, body = Vec<dto::LocationView>)))]
pub(crate) async fn get_locations(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<dto::LocationView>>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePatients, "/api/v1/locations", None).await?;
    let mut patients = api.live.patients();
    patients.retain(|seen| seen.location.is_some() && viewer.may_see(&seen.patient.id));
    let places = api.live.locations();
    Ok(Json(
        places
            .iter()
            .map(|place| dto::LocationView {
                location: view::location(place),
                patient: patients
                    .iter()
                    .find(|seen| seen.location.as_ref().is_some_and(|l| l.id == place.id))
                    .map(|seen| view::patient(&seen.patient, seen.age_years)),
            })
            .collect(),
    ))
}
