//! Recorded predictions: listed, shown with their inputs, said again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use engine::PredictionRecord;
use guard::{Category, Permission};
use serde::Deserialize;
use store::{Page, PredictionQuery, PredictionRow, Span};
use vitals::{PatientId, PredictionId};

use super::{OnShelf, Shelf, names, parts, record_of, shelf};
use crate::access::shown;
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Predictions of one answer, if nothing else is asked for, and at most.
const LISTED: u64 = 100;
const LISTED_MAX: u64 = 2_000;

/// Which predictions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    model: Option<String>,
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    limit: Option<u64>,
}

/// What models said of a patient, newest first. What models in the shadow said is for their owner alone.
#[utoipa::path(get, path = "/api/v1/patients/{id}/predictions", tag = "models",
    params(("id" = String, Path, description = "Patient id"),
        ("model" = Option<String>, Query, description = "Only by this model"),
        ("from_ms" = Option<i64>, Query, description = "As of this time or later, on the patient's clock"),
        ("to_ms" = Option<i64>, Query, description = "As of before this time"),
        ("limit" = Option<u64>, Query, description = "So many at most, 2,000; 100 if not said")),
    responses((status = 200, body = dto::PredictionPage), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_predictions(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<dto::PredictionPage>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/predictions";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let mut patients = vec![seen.patient.id.clone()];
    patients.extend(seen.merged.iter().cloned());
    let owner = api.viewer(&headers)?.at_all(Permission::ManagePolicy);
    let query = PredictionQuery {
        patients,
        models: asked.model.into_iter().collect(),
        role: (!owner).then(|| "champion".to_owned()),
        at: Span {
            from: asked.from_ms.map(|ms| ms.saturating_mul(1_000)),
            to: asked.to_ms.map(|ms| ms.saturating_mul(1_000)),
        },
        page: Page { skip: 0, limit: asked.limit.unwrap_or(LISTED).min(LISTED_MAX) },
        ..PredictionQuery::default()
    };
    let found = api.ask_settled(move |store| store.predictions(&query)).await?;
    shown([&seen.patient.id]);
    let predictions = found.rows.iter().filter_map(record_of).map(|record| view(&record, Vec::new()));
    Ok(Json(dto::PredictionPage { predictions: predictions.collect(), total: found.total }))
}

/// One prediction with all that it was said from.
#[utoipa::path(get, path = "/api/v1/predictions/{prediction}", tag = "models",
    params(("prediction" = String, Path, description = "Name of a prediction")),
    responses((status = 200, body = dto::PredictionView), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_prediction(
    State(api): State<Api>,
    Path(name): Path<String>,
    on_shelf: OnShelf,
    headers: HeaderMap,
) -> Result<Json<dto::PredictionView>, ApiError> {
    let (record, shelf) = found(&api, &headers, "/api/v1/predictions/{prediction}", &name, shelf(on_shelf)).await?;
    let values = names(&shelf, &record).into_iter().zip(&record.inputs);
    let inputs = values.map(|(name, value)| dto::InputView { name, value: value.is_finite().then_some(*value) });
    Ok(Json(view(&record, inputs.collect())))
}

/// Says a prediction again from its stored inputs, by the same version of its model.
#[utoipa::path(get, path = "/api/v1/predictions/{prediction}/recompute", tag = "models",
    params(("prediction" = String, Path, description = "Name of a prediction")),
    responses((status = 200, body = dto::Recomputed), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn recompute(
    State(api): State<Api>,
    Path(name): Path<String>,
    on_shelf: OnShelf,
    headers: HeaderMap,
) -> Result<Json<dto::Recomputed>, ApiError> {
    let route = "/api/v1/predictions/{prediction}/recompute";
    let (record, shelf) = found(&api, &headers, route, &name, shelf(on_shelf)).await?;
    let stored = record.said.probability();
    let Some(model) = shelf.library.find(&record.model, &record.version) else {
        let text = format!("{} {} is not in this data folder any more: it cannot be asked again", record.model, record.version);
        return Ok(Json(dto::Recomputed { prediction: name, equal: None, stored, again: None, text }));
    };
    let prediction = model.judge(&record.inputs);
    let again = match &prediction.judged {
        predict::Judged::Risk { probability, .. } => Some(*probability),
        predict::Judged::Abstained(_) => None,
    };
    let equal = record.equals(&prediction);
    let text = if equal { "Said again, it is the same to the bit" } else { "Said again, it is not the same" };
    Ok(Json(dto::Recomputed { prediction: name, equal: Some(equal), stored, again, text: text.to_owned() }))
}

/// A prediction that the caller may see.
async fn found(
    api: &Api,
    headers: &HeaderMap,
    route: &'static str,
    name: &str,
    shelf: Arc<Shelf>,
) -> Result<(PredictionRecord, Arc<Shelf>), ApiError> {
    let id: PredictionId =
        name.parse().map_err(|_| ApiError::bad("a prediction is named p<offset>-<index>"))?;
    let query = PredictionQuery { ids: vec![id], ..PredictionQuery::default() };
    let row: Option<PredictionRow> = api.ask_settled(move |store| Ok(store.predictions(&query)?.rows.pop())).await?;
    let whose = row.as_ref().map(|row| survivor(api, &row.patient));
    api.enter_found(headers, Permission::SeePatients, route, whose.as_ref(), "prediction").await?;
    let viewer = api.viewer(headers)?;
    let may = |row: &PredictionRow| {
        let shown_to_all = row.role == "champion" || viewer.at_all(Permission::ManagePolicy);
        shown_to_all && viewer.kinds(Permission::SeePatients, &survivor(api, &row.patient)).has(Category::VitalSigns)
    };
    let row = row.filter(may).ok_or(ApiError::NotFound("prediction"))?;
    let record = record_of(&row).ok_or(ApiError::NotFound("prediction"))?;
    shown([&survivor(api, &row.patient)]);
    Ok((record, shelf))
}

/// The record that a patient lives on as.
pub(super) fn survivor(api: &Api, id: &PatientId) -> PatientId {
    crate::viewer::survivor(&api.live, id).map_or_else(|| id.clone(), |seen| seen.patient.id.clone())
}

fn view(record: &PredictionRecord, inputs: Vec<dto::InputView>) -> dto::PredictionView {
    let (probability, low, high, reasons) = parts(&record.said);
    let because = record.because.iter();
    let basis = record.basis.iter();
    dto::PredictionView {
        id: record.id.to_string(),
        patient: record.patient.to_string(),
        model: record.model.clone(),
        version: record.version.clone(),
        title: record.title.clone(),
        outcome: record.outcome.clone(),
        horizon_h: record.horizon_h,
        role: record.role.name().to_owned(),
        at_ms: record.at.millis(),
        made_ms: record.made.millis(),
        recorded: record.recorded,
        class: record.said.class().to_owned(),
        probability,
        low,
        high,
        reasons,
        because: because.map(|c| dto::CauseView { text: c.text.clone(), log_odds: c.log_odds }).collect(),
        warnings: record.warnings.clone(),
        basis: basis
            .map(|(metric, name)| dto::BasisView { metric: metric.refid(), reading: name.to_string() })
            .collect(),
        inputs,
    }
}
