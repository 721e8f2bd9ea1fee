//! What a device is made of (IEEE 11073-10201: device, VMD, channel, metric), what it says of itself,
//! its calibration, and which devices at beds wait for somebody to say that they belong there.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::DeviceLine;
use guard::Permission;
use jiff::civil::Date;
use vitals::metric::MetricKind;
use vitals::{ClockMethod, Component, DeviceId, MetricCode, Value, property};
use wire_fhir::containment::{self, Part};
use wire_fhir::device_metric::{self, Calibration};

use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::fhir_backend::said;
use crate::state::Api;
use crate::view;

/// What a device is made of, and what it says of itself.
#[utoipa::path(get, path = "/api/v1/devices/{id}/model", tag = "devices",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 200, body = dto::DeviceModel), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_model(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::DeviceModel>, ApiError> {
    let id = DeviceId::new(&id).map_err(|error| ApiError::bad(error.to_string()))?;
    let route = "/api/v1/devices/{id}/model";
    let entered = api.enter_device(&headers, Permission::SeeDevices, route, &id, None).await;
    let line = match (entered, api.live.device(&id)) {
        (Ok(_), Some(line)) => line,
        // Whether there is a device of that name is not told either.
        (Ok(_) | Err(ApiError::Forbidden), _) => return Err(ApiError::NotFound("device")),
        (Err(error), _) => return Err(error),
    };
    let asked = vec![id.clone()];
    let mut said = api.ask(move |store| said::of(store, &asked)).await?;
    let today = jiff::Timestamp::from_millisecond(api.now().millis()).unwrap_or_default();
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    Ok(Json(model(&line, &said.remove(&id).unwrap_or_default(), today)))
}

/// Devices mounted at a bed that are not on who lies there: somebody may confirm them by a scan.
#[utoipa::path(get, path = "/api/v1/associations/proposals", tag = "devices",
    responses((status = 200, body = Vec<dto::Proposal>)))]
pub(crate) async fn get_proposals(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<dto::Proposal>>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::Associate, "/api/v1/associations/proposals", None).await?;
    let places = api.live.locations();
    let patients = api.live.patients();
    let mut found = Vec::new();
    for line in api.live.devices() {
        let Some(place) = line.device.location.as_ref() else { continue };
        let lies = patients.iter().find(|seen| seen.location.as_ref().is_some_and(|bed| bed.id == *place));
        let Some(seen) = lies.filter(|seen| line.patient.as_ref() != Some(&seen.patient.id)) else { continue };
        let theirs = viewer.may_see(&seen.patient.id)
            && viewer.decide_device(Permission::Associate, &line.device.id).allowed;
        let Some(location) = places.iter().find(|known| known.id == *place).filter(|_| theirs) else { continue };
        found.push(dto::Proposal {
            device: line.device.id.to_string(),
            name: line.device.name.clone(),
            location: view::location(location),
            patient: view::patient(&seen.patient, seen.age_years),
            on_another: line.patient.is_some(),
        });
    }
    found.sort_by(|a, b| (&a.location.id, &a.device).cmp(&(&b.location.id, &b.device)));
    crate::access::shown(super::ward::ids(found.iter().map(|one| one.patient.id.as_str())).iter());
    Ok(Json(found))
}

fn model(line: &DeviceLine, said: &[(MetricCode, Value)], today: Date) -> dto::DeviceModel {
    let device = &line.device;
    let text = |wanted: MetricCode| {
        said.iter().find(|(metric, _)| *metric == wanted).and_then(|(_, value)| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    };
    let due = text(property::CALIBRATION_DUE);
    let overdue = due.as_deref().and_then(|due| due.get(..10)?.parse::<Date>().ok()).is_some_and(|due| due < today);
    let written = device_metric::calibrations(device);
    let newest = written.iter().filter_map(|one| one.time.clone()).max();
    dto::DeviceModel {
        kind: device.kind.map(name_of).unwrap_or_default(),
        identifiers: device
            .identifiers
            .iter()
            .map(|one| dto::DeviceIdentifier {
                kind: one.kind.clone(),
                system: one.system.clone(),
                value: one.value.clone(),
            })
            .collect(),
        clock_method: match device.clock {
            ClockMethod::Unknown => "unknown",
            ClockMethod::Synchronised => "synchronised",
            ClockMethod::Manual => "manual",
            ClockMethod::None => "none",
        }
        .to_owned(),
        calibrated: text(property::CALIBRATED).or(newest),
        calibration_due: due,
        calibration_overdue: overdue,
        properties: said.iter().filter_map(|(metric, value)| shown(*metric, value)).collect(),
        parts: parts(line, &written),
    }
}

/// A property in words; calibration stands elsewhere.
fn shown(metric: MetricCode, value: &Value) -> Option<dto::DeviceProperty> {
    let row = metric.metric()?;
    let value = match (metric, value) {
        (property::CALIBRATED | property::CALIBRATION_DUE, _) => return None,
        (property::TIME_SYNC, Value::Enumeration(code, _)) => {
            u32::try_from(*code).ok().and_then(property::sync_name).map_or_else(|| code.to_string(), str::to_owned)
        }
        (property::REGULATION, Value::Enumeration(2, _)) => "not regulated".to_owned(),
        (property::REGULATION, Value::Enumeration(..)) => "regulated".to_owned(),
        (property::TIME_CAPABILITIES, Value::Enumeration(bits, _)) => format!("{bits:016b}"),
        (_, Value::Text(text)) => text.clone(),
        (_, Value::Numeric(number)) => format!("{number} {}", row.unit.ucum()),
        _ => return None,
    };
    Some(dto::DeviceProperty { metric: row.refid.to_owned(), name: row.name.to_owned(), value })
}

type Written = [Calibration];

fn parts(line: &DeviceLine, written: &Written) -> Vec<dto::DevicePart> {
    let device = &line.device;
    let kind = device.kind.map(|kind| kind.refid()).unwrap_or_default();
    let mut all = vec![part(device.id.to_string(), 0, &device.name, kind)];
    if device.components.is_empty() {
        implied(line, written, &mut all);
    } else {
        told(&device.components, written, &mut all);
    }
    all
}

fn part(id: String, level: u8, name: &str, code: String) -> dto::DevicePart {
    dto::DevicePart { id, level, name: name.to_owned(), code, metrics: Vec::new() }
}

/// The parts that a device's metrics imply; what the table has not stands below the device.
fn implied(line: &DeviceLine, written: &Written, all: &mut Vec<dto::DevicePart>) {
    let device = &line.device.id;
    let inside = containment::parts_of(&line.metrics);
    let tree = inside.iter().filter(|one| one.within.is_none()).flat_map(|vmd| {
        std::iter::once(vmd).chain(inside.iter().filter(|one| one.within == Some(vmd.code)))
    });
    for one in tree {
        let level = if one.within.is_some() { 2 } else { 1 };
        all.push(part(containment::id(device, *one), level, words(*one), one.refid.to_owned()));
    }
    for metric in &line.metrics {
        let Some(row) = metric.metric() else { continue };
        if property::ALL.contains(metric) {
            continue;
        }
        let id = containment::channel_of(row).map(|channel| containment::id(device, channel));
        let at = all.iter().position(|part| id.as_ref() == Some(&part.id)).unwrap_or(0);
        all[at].metrics.push(measured(*metric, written));
    }
}

/// The parts that a device told of (SDC), by their places in it.
fn told(components: &[Component], written: &Written, all: &mut Vec<dto::DevicePart>) {
    let mut components: Vec<&Component> = components.iter().collect();
    components.sort_by_key(|one| one.channel);
    for one in components {
        let (vmd, channel, metric) = (one.channel >> 20, one.channel >> 10 & 0x3ff, one.channel & 0x3ff);
        let measures = metric != 0 || one.kind.metric().is_some();
        if measures && let Some(last) = all.last_mut() {
            let mut view = measured(one.kind, written);
            if !one.name.is_empty() {
                view.name.clone_from(&one.name);
            }
            last.metrics.push(view);
        } else if vmd != 0 {
            let level = if channel == 0 { 1 } else { 2 };
            all.push(part(String::new(), level, &one.name, one.kind.refid()));
        }
    }
}

fn measured(metric: MetricCode, written: &Written) -> dto::DeviceMetricView {
    let row = metric.metric();
    let own = written.iter().find(|one| one.metric == Some(metric));
    dto::DeviceMetricView {
        metric: metric.refid(),
        name: row.map_or_else(|| metric.refid(), |row| row.name.to_owned()),
        unit: row.filter(|row| row.kind != MetricKind::Text && row.kind != MetricKind::Enumeration)
            .map(|row| row.unit.display().to_owned())
            .unwrap_or_default(),
        calibration: own.and_then(|one| one.state.clone()),
        calibrated: own.and_then(|one| one.time.clone()),
    }
}

fn name_of(kind: MetricCode) -> String {
    kind.metric().map_or_else(|| kind.refid(), |row| row.name.to_owned())
}

/// A part in words.
const fn words(part: Part) -> &'static str {
    match part.code {
        69_798 => "ECG",
        69_799 => "ECG leads",
        70_739 => "Heart rate",
        69_710 => "Blood pressure, invasive",
        69_711 => "Pressure line",
        70_686 => "Blood pressure, cuff",
        70_687 => "Cuff",
        69_642 => "Pulse oximetry",
        69_643 => "Pulse oximeter probe",
        69_902 => "Temperature",
        69_903 => "Temperature probe",
        _ => part.refid,
    }
}
