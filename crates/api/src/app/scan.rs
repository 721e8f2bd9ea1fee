//! Putting a device on a patient by what is scanned at the bedside: the device's label and the
//! wristband, with a second identifier of the patient. What contradicts is said, and recorded.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::{DeviceLine, PatientView};
use fleet::association::{Conflict, Said, Situation, conflicts, read_wristband};
use fleet::udi::Udi;
use guard::{Deed, DocumentKind, Outcome, Permission, Record};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vitals::{Action, DeviceId, MetricCode, PatientId};
use wire_fhir::device_request;

use crate::access::{let_in, signed};
use crate::dto;
use crate::error::ApiError;
use crate::extract::Json;
use crate::privacy::guarded;
use crate::state::Api;
use crate::view;
use crate::viewer::{Viewer, survivor};

const ROUTE: &str = "/api/v1/associations/scan";
/// Orders that are looked through.
const ORDERS_MAX: usize = 10_000;

/// What was scanned and said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScanRequest {
    /// The device's label: a UDI (GS1, HIBCC, ICCBBA) as a scanner gives it, or the device's id.
    device_code: String,
    /// The wristband: GS1 with a GSRN (8018), or the record number.
    patient_code: String,
    /// The patient's family name, as they say it.
    family: Option<String>,
    /// The patient's date of birth (ISO), as they say it.
    birth_date: Option<String>,
    /// What an order names, where one was looked at elsewhere.
    order: Option<ScannedOrder>,
    /// The number of an order that is kept here (`DeviceRequest`): device and patient must be those
    /// that it names.
    order_number: Option<String>,
    /// Conflicts that whoever scans has looked at: `on-another`, `same-kind`, `other-bed`.
    #[serde(default)]
    accept: Vec<String>,
}

/// What an order names.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScannedOrder {
    /// Device id.
    device: String,
    /// The patient's record number.
    number: String,
}

/// What came of a scan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScanResult {
    /// Whether the device is on the patient now.
    associated: bool,
    /// The device that the label names.
    device: String,
    /// The patient whom the wristband names; none when nobody whom the caller may see.
    patient: Option<dto::PatientBrief>,
    /// Which identifiers agree with the record.
    agree: Vec<String>,
    /// What stands in the way, worst first.
    conflicts: Vec<ConflictView>,
}

/// One thing that stands in the way.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConflictView {
    /// `unknown-patient`, `identifiers`, `discharged`, `deceased`, `order`, `expired`, `on-another`,
    /// `same-kind`, `other-bed`.
    code: String,
    /// What it means and what to do.
    text: String,
    /// Whether it may be named in `accept`.
    may_be_accepted: bool,
}

/// Puts a device on a patient by what is scanned, if nothing stands in the way.
#[utoipa::path(post, path = "/api/v1/associations/scan", tag = "devices", request_body = ScanRequest,
    responses((status = 200, body = ScanResult), (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn scan(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<ScanRequest>,
) -> Result<Json<ScanResult>, ApiError> {
    let viewer = api.viewer(&headers)?;
    let band = read_wristband(&wanted.patient_code).map_err(|error| ApiError::bad(error.to_string()))?;
    let whom = patient_of(&api, &viewer, &band.number)?;
    let (line, label) = match device_of(&api, &wanted.device_code) {
        Ok(found) => found,
        Err(error) => {
            api.enter_as(&viewer, Permission::Associate, ROUTE, None).await?;
            return Err(error);
        }
    };
    let device = line.device.id.clone();
    let id = whom.as_ref().map(|seen| seen.patient.id.clone());
    let actor = api.enter_device(&headers, Permission::Associate, ROUTE, &device, id.as_ref()).await?;
    let ordered = match wanted.order_number.as_deref().map(str::trim).filter(|number| !number.is_empty()) {
        Some(number) => Some(ordered(&api, number, &line).await?),
        None => None,
    };
    let said = Said { family: wanted.family.clone(), birth_date: wanted.birth_date.clone(), number: Some(band.number) };
    let found = judge(&api, &wanted, (&line, label.as_ref()), whom.as_deref(), (&said, ordered));
    let agreement = whom.as_ref().map(|seen| said.against(&seen.patient)).unwrap_or_default();
    let accepted = |conflict: &Conflict| {
        conflict.may_be_accepted() && wanted.accept.iter().any(|name| name == conflict.name())
    };
    let left: Vec<Conflict> = found.into_iter().filter(|conflict| !accepted(conflict)).collect();
    let associated = match id {
        Some(patient) if left.is_empty() => {
            api.act(actor, Action::Associate { device: device.clone(), patient, since: None }).await?;
            true
        }
        _ => {
            refused(&api, &device, id.as_ref(), &left).await?;
            false
        }
    };
    Ok(Json(ScanResult {
        associated,
        device: device.to_string(),
        patient: whom.map(|seen| view::patient(&seen.patient, seen.age_years)),
        agree: agreement.agree.into_iter().map(str::to_owned).collect(),
        conflicts: left.into_iter().map(shown).collect(),
    }))
}

/// The one patient of that number whom the caller may see; none when there is nobody.
fn patient_of(api: &Api, viewer: &Viewer, number: &str) -> Result<Option<Arc<PatientView>>, ApiError> {
    let mut all = api.live.patients();
    all.retain(|seen| seen.patient.identifiers.iter().any(|one| one.value == number) && viewer.may_see(&seen.patient.id));
    if all.len() > 1 {
        return Err(ApiError::Conflict("two patients have this number: choose the patient by hand".to_owned()));
    }
    Ok(all.pop())
}

/// The device that a label names, and what the label says.
fn device_of(api: &Api, code: &str) -> Result<(Arc<DeviceLine>, Option<Udi>), ApiError> {
    if let Some(line) = DeviceId::new(code.trim()).ok().and_then(|id| api.live.device(&id)) {
        return Ok((line, None));
    }
    let label = fleet::udi::read(code);
    let whole = code.trim();
    let named = |line: &Arc<DeviceLine>| {
        let device = &line.device;
        let identifiers = &device.identifiers;
        if identifiers.iter().any(|one| one.value == whole) {
            return true;
        }
        let Ok(label) = &label else { return false };
        // The same model by its own label, and this one of it by its serial number.
        let model = identifiers.iter().filter_map(|one| fleet::udi::read(&one.value).ok());
        let same_model = model.into_iter().any(|own| own.device == label.device && (own.serial.is_none() || own.serial == label.serial));
        let serial = label.serial.as_deref().is_some_and(|serial| serial == device.serial);
        serial && (same_model || identifiers.iter().any(|one| one.value == label.device))
    };
    let mut found: Vec<_> = api.live.devices().into_iter().filter(named).collect();
    match (found.pop(), found.is_empty(), label) {
        (Some(line), true, label) => Ok((line, label.ok())),
        (Some(_), false, _) => Err(ApiError::Conflict("several devices have this label: give the device's id".to_owned())),
        (None, _, Err(error)) if code.trim_start().starts_with(['(', ']', '+', '=']) => Err(ApiError::bad(error.to_string())),
        (None, ..) => Err(ApiError::NotFound("device with this label")),
    }
}

/// What the active order of this number names: the device (this one, where it names its kind) and
/// for whom.
async fn ordered(api: &Api, number: &str, line: &DeviceLine) -> Result<(String, PatientId), ApiError> {
    let rows = guarded(api, |guard| guard.documents(DocumentKind::DeviceRequest, None, ORDERS_MAX)).await?;
    let found = rows.into_iter().filter(|row| row.status == "active").find_map(|row| {
        let json = serde_json::from_str(&row.json).ok()?;
        let order = device_request::read(&json).ok().filter(|order| order.numbers.iter().any(|own| own == number))?;
        Some((order, row.patient))
    });
    let (order, patient) = found.ok_or(ApiError::NotFound("active order with this number"))?;
    // A record that was merged since is the one that lives on.
    let patient = survivor(&api.live, &patient).map_or(patient, |seen| seen.patient.id.clone());
    let of_kind = order.kind.is_some() && order.kind == line.device.kind;
    let device = order.device.unwrap_or_else(|| if of_kind { line.device.id.to_string() } else { String::new() });
    Ok((device, patient))
}

fn judge(
    api: &Api,
    wanted: &ScanRequest,
    (line, label): (&DeviceLine, Option<&Udi>),
    whom: Option<&PatientView>,
    (said, kept): (&Said, Option<(String, PatientId)>),
) -> Vec<Conflict> {
    let others: Vec<(DeviceId, Option<MetricCode>)> = whom
        .iter()
        .flat_map(|seen| &seen.devices)
        .map(|(id, ..)| (id.clone(), api.live.device(id).and_then(|other| other.device.kind)))
        .collect();
    let mounted = line.device.location.as_ref();
    let bed = whom.and_then(|seen| seen.location.as_ref()).map(|place| &place.id);
    let today = jiff::Timestamp::from_millisecond(api.now().millis()).unwrap_or_default().to_string();
    let ordered = wanted.order.as_ref().map(|order| {
        let whose = whom.filter(|seen| seen.patient.identifiers.iter().any(|one| one.value == order.number));
        let nobody = PatientId::from_identifier("ordered", &order.number);
        (order.device.as_str(), whose.map_or(nobody, |seen| seen.patient.id.clone()))
    });
    let ordered = kept.or_else(|| ordered.map(|(device, whose)| (device.to_owned(), whose)));
    conflicts(&Situation {
        device: &line.device.id,
        kind: line.device.kind,
        on: line.patient.as_ref(),
        mounted_elsewhere: mounted.is_some() && mounted != bed,
        expires: label.and_then(|label| label.expires.as_deref()),
        today: today.get(..10).unwrap_or_default(),
        patient: whom.map(|seen| &seen.patient),
        present: whom.is_some_and(|seen| seen.encounter.is_some()),
        others: &others,
        said,
        order: ordered.as_ref().map(|(device, whose)| (device.as_str(), whose)),
    })
}

/// Records that a device was not put on somebody, and why.
async fn refused(
    api: &Api,
    device: &DeviceId,
    patient: Option<&PatientId>,
    left: &[Conflict],
) -> Result<(), ApiError> {
    let entered = let_in().unwrap_or_else(|| Record::new(api.now(), "unknown", "associate-device"));
    let names: Vec<&str> = left.iter().map(|conflict| conflict.name()).collect();
    api.keep(signed(Record {
        action: Deed::Named("associate-device"),
        outcome: Outcome::Denied,
        subject: patient.cloned(),
        object: device.to_string(),
        detail: format!("in the way: {}", names.join(", ")),
        policies: Vec::new(),
        ..entered
    }))
    .await
}

fn shown(conflict: Conflict) -> ConflictView {
    ConflictView {
        code: conflict.name().to_owned(),
        text: conflict.text().to_owned(),
        may_be_accepted: conflict.may_be_accepted(),
    }
}
