//! One patient: the page's beginning, limits, SpO2 scale.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use engine::PatientView;
use guard::{Category, Permission};
use serde::Deserialize;
use store::{AssociationQuery, SeriesFilter};
use vitals::{Action, AssociationBasis, Association, Metric, PatientId};

use crate::access::shown;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;
use crate::view;
use crate::viewer::{Viewer, redacted, survivor};

/// The patient whose id is in the path; for a record that was merged, the one that lives on.
pub(crate) fn known(api: &Api, id: &str) -> Result<Arc<PatientView>, ApiError> {
    let id = PatientId::new(id).map_err(|error| ApiError::bad(error.to_string()))?;
    survivor(&api.live, &id).ok_or(ApiError::NotFound("patient"))
}

fn metric(refid: &str) -> Result<&'static Metric, ApiError> {
    Metric::by_refid(refid).ok_or_else(|| {
        ApiError::bad("metric: not a known reference id; write one such as MDC_ECG_HEART_RATE")
    })
}

/// Everything the patient page begins with.
#[utoipa::path(get, path = "/api/v1/patients/{id}", tag = "patients",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = dto::PatientPage), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_patient(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::PatientPage>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let viewer = api.viewer(&headers)?;
    let route = "/api/v1/patients/{id}";
    api.enter_as(&viewer, Permission::SeePatients, route, subject.as_ref()).await?;
    page(&api, &viewer, &id).await
}

/// The page, without the kinds of data that consents withhold.
async fn page(api: &Api, viewer: &Viewer, id: &str) -> Result<Json<dto::PatientPage>, ApiError> {
    let position = api.live.changes().position();
    let seen = known(api, id)?;
    let kinds = viewer.kinds_of(Permission::SeePatients, &seen);
    let now = api.now();
    let mut subjects = vec![seen.patient.id.clone()];
    subjects.extend(seen.merged.iter().cloned());
    let people = subjects.clone();
    let (series, associations) = api
        .ask_settled(move |store| {
            let filter = SeriesFilter { subjects, ..SeriesFilter::default() };
            let series = store.series(&filter)?;
            let mut associations = Vec::new();
            for patient in people {
                let query = AssociationQuery { patient: Some(patient), ..Default::default() };
                associations.extend(store.associations(&query)?);
            }
            Ok((series, associations))
        })
        .await?;
    let mut associations: Vec<dto::AssociationView> =
        associations.iter().map(|row| association(api, &row.association)).collect();
    associations.sort_by_key(|row| std::cmp::Reverse(row.start_ms));
    let mut alerts: Vec<dto::Alert> =
        seen.alerts.iter().map(|episode| view::open_alert(episode, &seen, &api.live)).collect();
    alerts.sort_by_key(|alert| (priority_order(&alert.priority), alert.raised_ms));
    let mut page = dto::PatientPage {
        tile: redacted(view::tile(&seen, now.0), kinds),
        scores: seen.scores.iter().map(|(metric, score)| view::score(*metric, score, &seen)).collect(),
        risks: seen.risks.iter().map(|line| crate::foresight::risk(line, if seen.recorded { seen.clock } else { now.0 })).collect(),
        alerts,
        series: series.iter().map(series_view).collect(),
        associations,
        limits: seen
            .limits
            .iter()
            .map(|limit| dto::MetricLimits {
                metric: limit.metric.refid(),
                low: limit.low,
                high: limit.high,
                source: view::limits(&seen, limit.metric).map(|l| l.source).unwrap_or_default(),
                reason: followed_why(&seen, limit.metric),
            })
            .collect(),
        spo2_scale: seen.spo2_scale,
        now_ms: now.millis(),
        position,
    };
    if !kinds.has(Category::VitalSigns) {
        page.scores.clear();
        page.risks.clear();
        page.series.clear();
        page.limits.clear();
    }
    if !kinds.has(Category::Alerts) {
        page.alerts.clear();
    }
    if !kinds.has(Category::DeviceData) {
        page.associations.clear();
    }
    Ok(Json(page))
}

/// Most urgent first.
pub(crate) fn priority_order(priority: &str) -> u8 {
    match priority {
        "high" => 0,
        "medium" => 1,
        _ => 2,
    }
}

fn series_view(info: &store::SeriesInfo) -> dto::SeriesView {
    let row = info.key.metric.metric();
    let refid = info.key.metric.refid();
    dto::SeriesView {
        id: info.id.0,
        label: row.map_or_else(|| refid.clone(), |row| row.label.to_owned()),
        name: row.map_or_else(|| refid.clone(), |row| row.name.to_owned()),
        unit: row.map_or("", |row| row.unit.display()).to_owned(),
        category: row.map_or("", |row| row.category).to_owned(),
        device: info.key.device.to_string(),
        channel: info.key.channel,
        metric: refid,
    }
}

/// One line of an association history.
pub(crate) fn association(api: &Api, association: &Association) -> dto::AssociationView {
    let patient = api.live.patient(&association.patient).map_or_else(
        || view::patient(&vitals::Patient::unknown(association.patient.clone()), None),
        |seen| view::patient(&seen.patient, seen.age_years),
    );
    let (basis, by) = match &association.basis {
        AssociationBasis::Person(name) => ("person", name.clone()),
        AssociationBasis::Location(place) => ("location", place.to_string()),
        AssociationBasis::Message => ("message", String::new()),
    };
    dto::AssociationView {
        device: association.device.to_string(),
        device_name: api
            .live
            .device(&association.device)
            .map_or_else(|| association.device.to_string(), |line| line.device.name.clone()),
        patient,
        basis: basis.to_owned(),
        by,
        start_ms: association.start.millis(),
        end_ms: association.end.map(vitals::EffectiveTime::millis),
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sought {
    #[serde(default)]
    q: String,
}

/// Patients whose name or record number contains a text; at most 50.
#[utoipa::path(get, path = "/api/v1/patients", tag = "patients",
    params(("q" = Option<String>, Query, description = "Part of a name or record number")),
    responses((status = 200, body = Vec<dto::PatientBrief>)))]
pub(crate) async fn find_patients(
    State(api): State<Api>,
    Query(sought): Query<Sought>,
    headers: HeaderMap,
) -> Result<Json<Vec<dto::PatientBrief>>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePatients, "/api/v1/patients", None).await?;
    let text = sought.q.to_lowercase();
    let mut found: Vec<dto::PatientBrief> = api
        .live
        .patients()
        .iter()
        .map(|seen| (seen, view::patient(&seen.patient, seen.age_years)))
        .filter(|(_, patient)| {
            patient.name.to_lowercase().contains(&text) || patient.mrn.to_lowercase().contains(&text)
        })
        .filter(|(seen, _)| viewer.may_see(&seen.patient.id))
        .map(|(_, patient)| patient)
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    found.truncate(50);
    shown(super::ward::ids(found.iter().map(|patient| patient.id.as_str())).iter());
    Ok(Json(found))
}

/// Sets a patient's own limits of one metric; both empty: back to the policy's.
#[utoipa::path(put, path = "/api/v1/patients/{id}/limits", tag = "patients",
    params(("id" = String, Path, description = "Patient id")), request_body = dto::MetricLimits,
    responses((status = 200, body = dto::PatientPage), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn put_limits(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(limits): Json<dto::MetricLimits>,
) -> Result<Json<dto::PatientPage>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/limits";
    let actor = api.enter(&headers, Permission::SetLimits, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let metric = metric(&limits.metric)?;
    check_limits(metric, limits.low, limits.high)?;
    let action = Action::SetLimits {
        patient: seen.patient.id.clone(),
        metric: metric.code,
        low: limits.low,
        high: limits.high,
        reason: limits.reason,
    };
    api.act(actor, action).await?;
    get_patient(State(api), Path(id), headers).await
}

/// Why limits that follow the patient's own normal are as they are; empty for others.
fn followed_why(view: &PatientView, metric: vitals::MetricCode) -> String {
    if !view.followed.iter().any(|limit| limit.metric == metric) {
        return String::new();
    }
    let mut changes = view.limit_changes.iter().rev();
    changes.find(|change| change.metric == metric).map_or_else(String::new, |change| change.why.clone())
}

fn check_limits(metric: &Metric, low: Option<f64>, high: Option<f64>) -> Result<(), ApiError> {
    if low.zip(high).is_some_and(|(low, high)| low >= high) {
        return Err(ApiError::bad("low must lie below high"));
    }
    let possible = metric.plausible.unwrap_or((f64::MIN, f64::MAX));
    let outside = |limit: f64| !(possible.0..=possible.1).contains(&limit);
    if low.into_iter().chain(high).any(outside) {
        return Err(ApiError::bad(format!(
            "limits of {} must lie between {} and {} {}",
            metric.name,
            possible.0,
            possible.1,
            metric.unit.display()
        )));
    }
    Ok(())
}

/// Chooses the SpO2 scale of NEWS2.
#[utoipa::path(put, path = "/api/v1/patients/{id}/spo2-scale", tag = "patients",
    params(("id" = String, Path, description = "Patient id")), request_body = dto::Spo2Scale,
    responses((status = 200, body = dto::PatientPage), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn put_spo2_scale(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::Spo2Scale>,
) -> Result<Json<dto::PatientPage>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/spo2-scale";
    let actor = api.enter(&headers, Permission::SetLimits, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    if !matches!(wanted.scale, 1 | 2) {
        return Err(ApiError::bad("scale: 1, or 2 for a prescribed range of 88–92%"));
    }
    let action = Action::SetSpo2Scale {
        patient: seen.patient.id.clone(),
        scale: wanted.scale,
        reason: wanted.reason,
    };
    api.act(actor, action).await?;
    get_patient(State(api), Path(id), headers).await
}
