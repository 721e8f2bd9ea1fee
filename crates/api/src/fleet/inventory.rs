//! Which devices there are, and what their firmware must be.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use depot::{Entry, Source};
use fleet::firmware::{Minimum, judge};
use fleet::inventory::{Item, from_csv};
use guard::Permission;
use serde::Deserialize;
use utoipa::IntoParams;
use vitals::DeviceId;

use super::dto::{FleetCount, FleetFile, FleetDevice, InventoryPage, ItemRequest, MinimumVersion, SbomRequest, ms};
use super::{ask, refused};
use crate::access::recorded;
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Devices in one answer, unless asked for fewer.
const PAGE_MAX: usize = 5_000;
/// Minimums of the firmware policy.
const MINIMUMS_MAX: usize = 5_000;
/// Longest text of one field, characters.
const TEXT_MAX: usize = 200;

/// Which devices are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Part of id, maker, model, serial, UDI, asset number or firmware.
    q: String,
    /// `ok`, `below` or `unknown`.
    verdict: String,
    /// At most so many, to 5,000.
    limit: Option<usize>,
}

/// The inventory, with what the firmware policy says of each device.
#[utoipa::path(get, path = "/api/v1/fleet/inventory", tag = "fleet", params(Wanted),
    responses((status = 200, body = InventoryPage)))]
pub(crate) async fn get_inventory(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Json<InventoryPage>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/fleet/inventory", None).await?;
    let (entries, minimums) = ask(&api, |depot| Ok((depot.inventory()?, depot.minimums()?))).await?;
    let text = wanted.q.trim().to_lowercase();
    let mut verdicts = BTreeMap::new();
    let (mut devices, mut total) = (Vec::new(), 0);
    let most = wanted.limit.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    for entry in entries.iter().filter(|entry| text.is_empty() || holds(&entry.item, &text)) {
        let item = &entry.item;
        let verdict = judge(&minimums, &item.manufacturer, &item.model, &item.firmware);
        *verdicts.entry(verdict.name().to_owned()).or_default() += 1;
        if !wanted.verdict.is_empty() && wanted.verdict != verdict.name() {
            continue;
        }
        total += 1;
        if devices.len() < most {
            devices.push(device(&api, entry, verdict.name(), verdict.why()));
        }
    }
    Ok(Json(InventoryPage { devices, total, verdicts, now_ms: api.now().millis() }))
}

fn holds(item: &Item, text: &str) -> bool {
    let fields = [
        &item.device, &item.manufacturer, &item.model, &item.serial, &item.udi, &item.asset, &item.firmware,
    ];
    fields.iter().any(|field| field.to_lowercase().contains(text))
}

fn device(api: &Api, entry: &Entry, verdict: &str, why: String) -> FleetDevice {
    let item = &entry.item;
    let id = DeviceId::new(&item.device).ok();
    let line = id.as_ref().and_then(|id| api.live.device(id));
    let breaks = id.map(|id| api.depot.breaks(&id, api.now().0)).unwrap_or_default();
    FleetDevice {
        device: item.device.clone(),
        manufacturer: item.manufacturer.clone(),
        model: item.model.clone(),
        serial: item.serial.clone(),
        udi: item.udi.clone(),
        udi_di: item.udi_parts().map(|udi| format!("{} {}", udi.agency.name(), udi.device)),
        firmware: item.firmware.clone(),
        asset: item.asset.clone(),
        sbom: item.sbom.clone(),
        source: match entry.source {
            Source::Heard => "heard",
            Source::List => "list",
            Source::Hand => "hand",
        }
        .to_owned(),
        first_ms: ms(entry.first_us),
        changed_ms: ms(entry.last_us),
        heard_ms: line.as_ref().and_then(|line| line.heard_at).map(|at| ms(at.0)),
        on_patient: line.is_some_and(|line| line.patient.is_some()),
        verdict: verdict.to_owned(),
        why,
        breaks: breaks.into_iter().map(|kind| kind.name().to_owned()).collect(),
    }
}

/// Writes what a person knows of a device.
#[utoipa::path(put, path = "/api/v1/fleet/inventory/{id}", tag = "fleet",
    params(("id" = String, Path, description = "Device id")), request_body = ItemRequest,
    responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_item(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<ItemRequest>,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/inventory/{id}", None).await?;
    let device = DeviceId::new(&id).map_err(|error| ApiError::bad(error.to_string()))?;
    let fields = [
        &wanted.manufacturer, &wanted.model, &wanted.serial, &wanted.udi, &wanted.firmware, &wanted.asset,
    ];
    if fields.iter().any(|text| text.chars().count() > TEXT_MAX) {
        return Err(ApiError::bad("a field is longer than 200 characters"));
    }
    if !wanted.udi.is_empty() {
        fleet::udi::read(&wanted.udi).map_err(|error| ApiError::bad(format!("udi: {error}")))?;
    }
    let item = Item {
        device: device.to_string(),
        manufacturer: wanted.manufacturer,
        model: wanted.model,
        serial: wanted.serial,
        udi: wanted.udi,
        firmware: wanted.firmware,
        asset: wanted.asset,
        sbom: String::new(),
    };
    let now = api.now().0;
    api.deed("put-inventory-item", device.as_str(), "").await?;
    ask(&api, move |depot| depot.put_items(&[item], Source::Hand, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a device out of the inventory.
#[utoipa::path(delete, path = "/api/v1/fleet/inventory/{id}", tag = "fleet",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn delete_item(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/inventory/{id}", None).await?;
    api.deed("remove-inventory-item", &recorded(&id, DeviceId::new(&id).is_ok_and(|id| api.live.device(&id).is_some())), "").await?;
    ask(&api, move |depot| depot.remove_item(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes in a list of devices (CSV with headings); how many were new or changed.
#[utoipa::path(post, path = "/api/v1/fleet/import", tag = "fleet", request_body = FleetFile,
    responses((status = 200, body = FleetCount), (status = 400, body = ErrorBody)))]
pub(crate) async fn import(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(file): Json<FleetFile>,
) -> Result<Json<FleetCount>, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/import", None).await?;
    let items = from_csv(&file.text).map_err(ApiError::BadRequest)?;
    let now = api.now().0;
    api.deed("import-inventory", "", &format!("{} devices", items.len())).await?;
    let count = ask(&api, move |depot| depot.put_items(&items, Source::List, now)).await?;
    Ok(Json(FleetCount { count }))
}

/// The firmware policy: the oldest version of each model that is good enough.
#[utoipa::path(get, path = "/api/v1/fleet/minimums", tag = "fleet",
    responses((status = 200, body = Vec<MinimumVersion>)))]
pub(crate) async fn get_minimums(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<MinimumVersion>>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/fleet/minimums", None).await?;
    let minimums = api.depot.minimums().map_err(refused)?.into_iter();
    Ok(Json(
        minimums
            .map(|m| MinimumVersion { manufacturer: m.manufacturer, model: m.model, version: m.version })
            .collect(),
    ))
}

/// Puts another firmware policy in force.
#[utoipa::path(put, path = "/api/v1/fleet/minimums", tag = "fleet", request_body = Vec<MinimumVersion>,
    responses((status = 204), (status = 400, body = ErrorBody)))]
pub(crate) async fn put_minimums(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<Vec<MinimumVersion>>,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/minimums", None).await?;
    if wanted.len() > MINIMUMS_MAX {
        return Err(ApiError::bad("at most 5,000 minimums"));
    }
    let minimums = wanted.into_iter().map(|m| Minimum {
        manufacturer: m.manufacturer,
        model: m.model,
        version: m.version,
    });
    let minimums: Vec<Minimum> = minimums.collect();
    api.deed("set-minimum-versions", "", &format!("of {} models", minimums.len())).await?;
    ask(&api, move |depot| depot.set_minimums(minimums)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Attaches a bill of materials (CycloneDX JSON) to devices; how many parts it names.
#[utoipa::path(post, path = "/api/v1/fleet/sboms", tag = "fleet", request_body = SbomRequest,
    responses((status = 200, body = FleetCount), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn post_sbom(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<SbomRequest>,
) -> Result<Json<FleetCount>, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/sboms", None).await?;
    api.deed("attach-sbom", "", &format!("to {} devices", wanted.devices.len())).await?;
    let attach = move |depot: &depot::Depot| depot.attach_sbom(wanted.text.as_bytes(), &wanted.devices);
    let (_, count) = ask(&api, attach).await?;
    Ok(Json(FleetCount { count }))
}
