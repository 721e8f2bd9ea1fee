//! Runs: what there is to try, started, looked at, cancelled.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::{Category, Permission};
use laboratory::{AlertLine, Progress, edit, replay};
use serde::Deserialize;
use vitals::PatientId;

use super::dto::{
    LaboratoryAlert, LaboratoryAlerts, LaboratoryAsked, LaboratoryDefaults, LaboratoryRun, LaboratoryRuns, LaboratoryView,
};
use super::work::{Order, POLICIES_MAX, policy};
use super::{OfHouse, of};
use crate::access::shown;
use crate::burden::Burden;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::foresight::Shelf;
use crate::state::Api;
use crate::view;
use crate::viewer::Viewer;

/// What there is to try: the journal's extent, the numbers of the policy in force.
#[utoipa::path(get, path = "/api/v1/laboratory", tag = "laboratory",
    responses((status = 200, body = LaboratoryView)))]
pub(crate) async fn get_laboratory(
    State(api): State<Api>,
    house: OfHouse,
    burden: Option<Extension<Burden>>,
    headers: HeaderMap,
) -> Result<Json<LaboratoryView>, ApiError> {
    api.enter(&headers, Permission::SeePolicy, "/api/v1/laboratory", None).await?;
    let house = of(house)?;
    let now = api.now();
    let text = api.live.policy().text;
    let in_force = policy(&text);
    let wards = burden.map(|Extension(burden)| burden).unwrap_or_default().house(&in_force);
    let usual = LaboratoryAsked::default();
    Ok(Json(LaboratoryView {
        from_ms: first_entry(&api).await?,
        to_ms: now.millis(),
        hash: laboratory::hash(&text),
        numbers: edit::parameters(&text).map_err(|error| ApiError::internal(&error))?,
        name: in_force.name,
        policies_max: POLICIES_MAX,
        events: replay::usual_events().into_iter().map(Into::into).collect(),
        told_events: replay::TOLD.map(str::to_owned).to_vec(),
        defaults: LaboratoryDefaults {
            horizon_h: usual.horizon_h,
            answered_after_s: usual.answered_after_s,
            night_from: usual.night_from,
            night_to: usual.night_to,
            transfer_to: wards.higher_care,
        },
        running: house.runs.running(),
    }))
}

/// When the journal begins, in milliseconds since 1970.
async fn first_entry(api: &Api) -> Result<Option<i64>, ApiError> {
    let journal = api.appender.reader();
    let read = tokio::task::spawn_blocking(move || journal.read(journal.first_offset(), 1));
    let entries = read.await.map_err(|error| ApiError::internal(&error))?;
    let entries = entries.map_err(|error| ApiError::internal(&error))?;
    Ok(entries.first().map(|entry| entry.at.millis()))
}

/// The runs that are kept, newest first.
#[utoipa::path(get, path = "/api/v1/laboratory/runs", tag = "laboratory",
    responses((status = 200, body = LaboratoryRuns)))]
pub(crate) async fn get_runs(
    State(api): State<Api>,
    house: OfHouse,
    headers: HeaderMap,
) -> Result<Json<LaboratoryRuns>, ApiError> {
    api.enter(&headers, Permission::SeePolicy, "/api/v1/laboratory/runs", None).await?;
    Ok(Json(LaboratoryRuns { runs: of(house)?.runs.list() }))
}

/// Begins a run. One at a time.
#[utoipa::path(post, path = "/api/v1/laboratory/runs", tag = "laboratory", request_body = LaboratoryAsked,
    responses((status = 202, body = LaboratoryRun, description = "It goes on; ask for it again."),
        (status = 400, body = crate::dto::ErrorBody), (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn start(
    State(api): State<Api>,
    house: OfHouse,
    burden: Option<Extension<Burden>>,
    shelf: Option<Extension<Arc<Shelf>>>,
    headers: HeaderMap,
    Json(asked): Json<LaboratoryAsked>,
) -> Result<(StatusCode, Json<LaboratoryRun>), ApiError> {
    let actor = api.enter(&headers, Permission::ManagePolicy, "/api/v1/laboratory/runs", None).await?;
    let house = of(house)?;
    house.runs.free()?;
    let base = api.live.policy().text;
    let zone = burden.map(|Extension(burden)| burden).unwrap_or_default().house(&policy(&base)).settings.zone;
    let made = tokio::task::spawn_blocking(move || Order::of(asked, base, zone)).await;
    let order = made.map_err(|error| ApiError::internal(&error))??;
    let tried = format!("{} policies", order.candidates.len());
    api.deed("simulate-alert-policy", "", &tried).await?;
    let (journal, before) = (api.appender.reader(), Arc::clone(&house.before));
    let models = shelf.map(|Extension(shelf)| shelf.library.clone()).unwrap_or_default();
    let (by, asked, now) = (actor.name, order.asked.clone(), api.now().millis());
    let (live, runs) = (api.live.clone(), house.runs.clone());
    let work = move |progress: &Progress| {
        let mut found = order.run(journal.as_ref(), &before, models, progress)?;
        // Of whoever was erased meanwhile nothing is kept.
        let known = |line: &AlertLine| {
            PatientId::new(&line.patient).is_ok_and(|id| crate::viewer::survivor(&live, &id).is_some())
        };
        for differing in &mut found.differing {
            differing.gone.retain(known);
            differing.new.retain(known);
        }
        Ok(found)
    };
    let begun = tokio::task::spawn_blocking(move || runs.start((&by, asked, now), work)).await;
    let id = begun.map_err(|error| ApiError::internal(&error))??;
    let run = house.runs.get(id).ok_or(ApiError::NotFound("run"))?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// A run, with what it found.
#[utoipa::path(get, path = "/api/v1/laboratory/runs/{id}", tag = "laboratory",
    params(("id" = i64, Path, description = "Number of the run")),
    responses((status = 200, body = LaboratoryRun), (status = 404, body = crate::dto::ErrorBody)))]
pub(crate) async fn get_run(
    State(api): State<Api>,
    house: OfHouse,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Json<LaboratoryRun>, ApiError> {
    api.enter(&headers, Permission::SeePolicy, "/api/v1/laboratory/runs/{id}", None).await?;
    of(house)?.runs.get(id).map(Json).ok_or(ApiError::NotFound("run"))
}

/// Cancels a run that goes on; forgets one that is over.
#[utoipa::path(delete, path = "/api/v1/laboratory/runs/{id}", tag = "laboratory",
    params(("id" = i64, Path, description = "Number of the run")),
    responses((status = 204), (status = 404, body = crate::dto::ErrorBody)))]
pub(crate) async fn cancel(
    State(api): State<Api>,
    house: OfHouse,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManagePolicy, "/api/v1/laboratory/runs/{id}", None).await?;
    api.deed("cancel-simulation", &id.to_string(), "").await?;
    let runs = of(house)?.runs;
    let known = tokio::task::spawn_blocking(move || runs.cancel(id)).await;
    if known.map_err(|error| ApiError::internal(&error))? { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NotFound("run")) }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    candidate: usize,
}

/// The alerts in which a candidate differs from the present, of the patients whom the account may see.
#[utoipa::path(get, path = "/api/v1/laboratory/runs/{id}/alerts", tag = "laboratory",
    params(
        ("id" = i64, Path, description = "Number of the run"),
        ("candidate" = usize, Query, description = "Place of the candidate in the run's result, from 1"),
    ),
    responses((status = 200, body = LaboratoryAlerts), (status = 404, body = crate::dto::ErrorBody),
        (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn get_alerts(
    State(api): State<Api>,
    house: OfHouse,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Json<LaboratoryAlerts>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePatients, "/api/v1/laboratory/runs/{id}/alerts", None).await?;
    let found = of(house)?.runs.found(id)?;
    let differing = wanted.candidate.checked_sub(1).and_then(|at| found.differing.get(at));
    let differing = differing.ok_or(ApiError::NotFound("candidate"))?;
    let gone: Vec<_> = differing.gone.iter().filter_map(|line| seen(&api, &viewer, line, true)).collect();
    let new: Vec<_> = differing.new.iter().filter_map(|line| seen(&api, &viewer, line, false)).collect();
    let hidden = differing.gone.len() + differing.new.len() - gone.len() - new.len();
    let ids: Vec<PatientId> = gone
        .iter()
        .chain(&new)
        .filter_map(|alert| PatientId::new(&alert.patient.id).ok())
        .collect();
    shown(&ids);
    Ok(Json(LaboratoryAlerts { candidate: wanted.candidate, gone, new, hidden, cut: differing.cut }))
}

/// An alert for somebody who may see it; `raised` says that it was.
fn seen(api: &Api, viewer: &Viewer, line: &AlertLine, raised: bool) -> Option<LaboratoryAlert> {
    let id = PatientId::new(&line.patient).ok()?;
    // Whoever was erased or is not known any more is shown to nobody.
    let patient = crate::viewer::survivor(&api.live, &id)?;
    if !viewer.kinds_of(Permission::SeePatients, &patient).has(Category::Alerts) {
        return None;
    }
    Some(LaboratoryAlert {
        patient: view::patient(&patient.patient, patient.age_years),
        episode: raised.then(|| line.id.clone()),
        cause: line.cause.clone(),
        title: line.title.clone(),
        priority: line.priority.name().to_owned(),
        begin_ms: line.begin_ms,
        end_ms: line.end_ms,
        preceded: line.preceded,
    })
}
