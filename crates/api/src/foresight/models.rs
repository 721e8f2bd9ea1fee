//! The models of this house, with their cards.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use predict::Model;
use serde::Deserialize;

use super::{OnShelf, Shelf, shelf};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// The models that judge here, and those that did.
#[utoipa::path(get, path = "/api/v1/models", tag = "models", responses((status = 200, body = dto::ModelPage)))]
pub(crate) async fn get_models(
    State(api): State<Api>,
    on_shelf: OnShelf,
    headers: HeaderMap,
) -> Result<Json<dto::ModelPage>, ApiError> {
    api.enter(&headers, Permission::SeePatients, "/api/v1/models", None).await?;
    let shelf = shelf(on_shelf);
    let mut models: Vec<dto::ModelBrief> = shelf.library.iter().map(|model| brief(&shelf, model)).collect();
    models.sort_by(|a, b| (order(&a.role), &a.id, &a.version).cmp(&(order(&b.role), &b.id, &b.version)));
    Ok(Json(dto::ModelPage { models }))
}

fn order(role: &str) -> u8 {
    match role {
        "champion" => 0,
        "shadow" => 1,
        _ => 2,
    }
}

/// Which version.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    version: Option<String>,
}

/// A model's card.
#[utoipa::path(get, path = "/api/v1/models/{model}", tag = "models",
    params(("model" = String, Path, description = "Id of a model"),
        ("version" = Option<String>, Query, description = "Which version; the one that judges if not said")),
    responses((status = 200, body = dto::ModelCard), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_model_card(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    on_shelf: OnShelf,
    headers: HeaderMap,
) -> Result<Json<dto::ModelCard>, ApiError> {
    api.enter(&headers, Permission::SeePatients, "/api/v1/models/{model}", None).await?;
    let shelf = shelf(on_shelf);
    let mut all: Vec<&Model> = shelf.library.iter().map(|model| &**model).filter(|model| model.id() == id).collect();
    all.sort_by_key(|model| order(&brief(&shelf, model).role));
    let wanted = |model: &&&Model| asked.version.as_deref().is_none_or(|version| model.version() == version);
    let model = all.iter().find(wanted).ok_or(ApiError::NotFound("model"))?;
    Ok(Json(card(&shelf, model)))
}

/// A model in one line.
pub(super) fn brief(shelf: &Shelf, model: &Model) -> dto::ModelBrief {
    let used = shelf.in_use.iter().find(|one| one.id == model.id() && one.version == model.version());
    dto::ModelBrief {
        id: model.id().to_owned(),
        version: model.version().to_owned(),
        title: model.title().to_owned(),
        outcome: model.outcome().words.clone(),
        horizon_h: model.horizon_h(),
        role: used.map_or("off", |one| one.role.name()).to_owned(),
    }
}

fn card(shelf: &Shelf, model: &Model) -> dto::ModelCard {
    let card = model.card();
    dto::ModelCard {
        model: brief(shelf, model),
        definition: model.outcome().definition.clone(),
        population: model.population().to_owned(),
        intended_use: model.intended_use().to_owned(),
        data: card.data.clone(),
        command: card.command.clone(),
        training: card.training.clone(),
        figures: card
            .figures
            .iter()
            .map(|figure| dto::FigureView {
                name: figure.name.clone(),
                on: figure.on.clone(),
                group: figure.group.clone(),
                patients: figure.patients,
                value: figure.value,
                low: figure.low,
                high: figure.high,
            })
            .collect(),
        limits: card.limits.clone(),
        inputs: model.inputs().len(),
        thresholds: model
            .thresholds()
            .iter()
            .map(|threshold| dto::ThresholdView {
                id: threshold.id.clone(),
                probability: threshold.probability,
                chosen: threshold.chosen.clone(),
            })
            .collect(),
    }
}
