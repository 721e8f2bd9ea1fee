//! How models do here, for who manages the alert policy: the watch over each, who looked into it, and models of one outcome
//! beside each other.

use std::sync::Arc;

use alert::Policy;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::Permission;
use reckoning::Asked;
use reckoning::models::{Comparison, Look, WatchView, Watched, Watcher};
use serde::Deserialize;
use vitals::time::DAY;

use super::{OnShelf, shelf};
use crate::burden::Burden;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Days that a comparison is about, if nothing is said, and at most.
const DAYS: i64 = 28;
const DAYS_MAX: i64 = 92;
/// Longest text of who looked into a model, in bytes.
const WHY_MAX: usize = 500;

fn watcher(on_shelf: OnShelf) -> Result<Arc<Watcher>, ApiError> {
    shelf(on_shelf).watcher.clone().ok_or(ApiError::NotFound("model"))
}

/// The watch over every model that judges: inputs, outcomes, abstentions, what the owner was told.
#[utoipa::path(get, path = "/api/v1/models/watch", tag = "models",
    responses((status = 200, body = Vec<WatchView>)))]
pub(crate) async fn get_watches(
    State(api): State<Api>,
    on_shelf: OnShelf,
    headers: HeaderMap,
) -> Result<Json<Vec<WatchView>>, ApiError> {
    api.enter(&headers, Permission::ManagePolicy, "/api/v1/models/watch", None).await?;
    let Some(watcher) = shelf(on_shelf).watcher.clone() else { return Ok(Json(Vec::new())) };
    let views = api.ask(move |_| watcher.watched().iter().map(|watched| watcher.view(watched)).collect()).await?;
    Ok(Json(views))
}

/// Which version.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    version: Option<String>,
}

/// A model that judges here: the champion of this id, unless a version is asked for.
fn found<'a>(watcher: &'a Watcher, id: &str, version: Option<&str>) -> Result<&'a Watched, ApiError> {
    let mut all: Vec<&Watched> = watcher.watched().iter().filter(|one| one.model.id() == id).collect();
    all.sort_by_key(|one| one.role);
    let wanted = |one: &&Watched| version.is_none_or(|version| one.model.version() == version);
    all.into_iter().find(wanted).ok_or(ApiError::NotFound("model that judges"))
}

/// The watch over one model that judges.
#[utoipa::path(get, path = "/api/v1/models/{model}/watch", tag = "models",
    params(("model" = String, Path, description = "Id of a model"),
        ("version" = Option<String>, Query, description = "Which version; the champion if not said")),
    responses((status = 200, body = WatchView), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_watch(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    on_shelf: OnShelf,
    headers: HeaderMap,
) -> Result<Json<WatchView>, ApiError> {
    api.enter(&headers, Permission::ManagePolicy, "/api/v1/models/{model}/watch", None).await?;
    let watcher = watcher(on_shelf)?;
    let view = api
        .ask(move |_| {
            let Ok(watched) = found(&watcher, &id, wanted.version.as_deref()) else { return Ok(None) };
            watcher.view(watched).map(Some)
        })
        .await?;
    view.map(Json).ok_or(ApiError::NotFound("model that judges"))
}

/// Notes that somebody looked into a model: its notice goes, and its watch begins anew.
#[utoipa::path(post, path = "/api/v1/models/{model}/looked-into", tag = "models",
    params(("model" = String, Path, description = "Id of a model")),
    request_body = dto::ModelLookedInto,
    responses((status = 204), (status = 400, body = dto::ErrorBody), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn post_looked_into(
    State(api): State<Api>,
    Path(id): Path<String>,
    on_shelf: OnShelf,
    headers: HeaderMap,
    Json(looked): Json<dto::ModelLookedInto>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/models/{model}/looked-into";
    let actor = api.enter(&headers, Permission::ManagePolicy, route, None).await?;
    let why = looked.why.trim().to_owned();
    if why.is_empty() || why.len() > WHY_MAX {
        return Err(ApiError::bad("why: what was found and done, in up to 500 bytes"));
    }
    let watcher = watcher(on_shelf)?;
    let name = found(&watcher, &id, looked.version.as_deref())?.name();
    let name = format!("{}@{}", name.0, name.1);
    // The words stay with the watch: they may name somebody.
    api.deed("look-into-model", &name, "its watch begins anew").await?;
    let look = Look { at_ms: api.now().millis(), by: actor.name, why };
    api.ask(move |_| match found(&watcher, &id, looked.version.as_deref()) {
        Ok(watched) => watcher.looked_into(watched, look),
        Err(_) => Ok(()),
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Of which time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    from_ms: Option<i64>,
    to_ms: Option<i64>,
}

impl Period {
    fn asked(&self, now: i64) -> Result<Asked, ApiError> {
        let to = self.to_ms.map_or(now, |ms| ms.saturating_mul(1_000));
        let from = self.from_ms.map_or(to.saturating_sub(DAYS * DAY), |ms| ms.saturating_mul(1_000));
        if from >= to || to.saturating_sub(from) > DAYS_MAX * DAY {
            return Err(ApiError::bad(format!("from_ms and to_ms: from before to, {DAYS_MAX} days at most")));
        }
        Ok(Asked { from, to, now, units: None })
    }
}

/// The models of one outcome beside each other, and beside published scores, on the same patients at the same moments.
#[utoipa::path(get, path = "/api/v1/models/{model}/compare", tag = "models",
    params(("model" = String, Path, description = "Id of a model"),
        ("from_ms" = Option<i64>, Query, description = "Predictions made from then on; 28 days before the end if not said"),
        ("to_ms" = Option<i64>, Query, description = "Made before; now if not said; 92 days at most")),
    responses((status = 200, body = Comparison), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_comparison(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(period): Query<Period>,
    on_shelf: OnShelf,
    burden: Option<Extension<Burden>>,
    headers: HeaderMap,
) -> Result<Json<Comparison>, ApiError> {
    api.enter(&headers, Permission::ManagePolicy, "/api/v1/models/{model}/compare", None).await?;
    let watcher = watcher(on_shelf)?;
    let asked = period.asked(api.now().0)?;
    let policy = Policy::parse(&api.live.policy().text).unwrap_or_else(|_| Policy::built_in());
    let house = burden.map(|Extension(burden)| burden).unwrap_or_default().house(&policy);
    let told = api.ask_settled(move |_| watcher.compare(&house, &id, &asked)).await?;
    told.map(Json).ok_or(ApiError::NotFound("model that judges"))
}
