//! What people see and do of edges.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::Permission;
use vitals::DeviceId;

use super::view::{EdgeCode, EdgeDetail, EdgeRequest, EdgeRules, EdgeView, ThisEdgeView};
use super::{Edges, ThisEdge, ask, secret};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Longest name, characters.
const NAME_MAX: usize = 200;

/// Every edge.
#[utoipa::path(get, path = "/api/v1/edges", tag = "edges", responses((status = 200, body = Vec<EdgeView>)))]
pub(crate) async fn get_edges(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    headers: HeaderMap,
) -> Result<Json<Vec<EdgeView>>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/edges", None).await?;
    let now = api.now().0;
    let all = ask(&edges, edge::Registry::all).await?;
    let views = all.iter().map(|edge| EdgeView::of(edge, now, &edges.configuration(&api, edge).etag));
    Ok(Json(views.collect()))
}

/// Registers an edge; the answer holds the code that it enrols with.
#[utoipa::path(post, path = "/api/v1/edges", tag = "edges", request_body = EdgeRequest,
    responses((status = 200, body = EdgeCode), (status = 400, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn post_edge(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    headers: HeaderMap,
    Json(wanted): Json<EdgeRequest>,
) -> Result<Json<EdgeCode>, ApiError> {
    let actor = api.enter(&headers, Permission::ManageDevices, "/api/v1/edges", None).await?;
    let id = DeviceId::new(&wanted.id).map_err(|error| ApiError::bad(error.to_string()))?;
    if wanted.name.chars().count() > NAME_MAX {
        return Err(ApiError::bad("a name has 200 characters at most"));
    }
    api.deed("register-edge", id.as_str(), "").await?;
    let (code, now) = (secret()?, api.now().0);
    let given = code.clone();
    ask(&edges, move |list| list.add(id.as_str(), &wanted.name, &actor.name, &given, now)).await?;
    Ok(Json(EdgeCode { code }))
}

/// One edge, with what it left out.
#[utoipa::path(get, path = "/api/v1/edges/{id}", tag = "edges", params(("id" = String, Path, description = "Edge id")),
    responses((status = 200, body = EdgeDetail), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_edge(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<EdgeDetail>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/edges/{id}", None).await?;
    let (edge, gaps) = ask(&edges, move |list| Ok((list.get(&id)?, list.gaps(&id)?))).await?;
    let view = EdgeView::of(&edge, api.now().0, &edges.configuration(&api, &edge).etag);
    let left_out = gaps.into_iter().map(Into::into).collect();
    Ok(Json(EdgeDetail { edge: view, devices: edge.devices, left_out }))
}

/// Removes an edge: its token no longer opens.
#[utoipa::path(delete, path = "/api/v1/edges/{id}", tag = "edges", params(("id" = String, Path, description = "Edge id")),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn delete_edge(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageDevices, "/api/v1/edges/{id}", None).await?;
    let id = DeviceId::new(&id).map_err(|_| ApiError::NotFound("edge"))?;
    api.deed("remove-edge", id.as_str(), "").await?;
    ask(&edges, move |list| list.remove(id.as_str())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says what an edge is to send.
#[utoipa::path(put, path = "/api/v1/edges/{id}/rules", tag = "edges", params(("id" = String, Path, description = "Edge id")),
    request_body = EdgeRules,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn put_rules(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<EdgeRules>,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageDevices, "/api/v1/edges/{id}/rules", None).await?;
    let id = DeviceId::new(&id).map_err(|_| ApiError::NotFound("edge"))?;
    let wrong = "waveforms: all, around-alerts or none; around_priority: low, medium or high; times: 0 to 3600 seconds";
    let rules = wanted.read().ok_or_else(|| ApiError::bad(wrong))?;
    api.deed("set-edge-rules", id.as_str(), "").await?;
    ask(&edges, move |list| list.set_rules(id.as_str(), rules)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an edge another code: its token no longer opens.
#[utoipa::path(post, path = "/api/v1/edges/{id}/code", tag = "edges", params(("id" = String, Path, description = "Edge id")),
    responses((status = 200, body = EdgeCode), (status = 404, body = ErrorBody)))]
pub(crate) async fn post_code(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<EdgeCode>, ApiError> {
    api.enter(&headers, Permission::ManageDevices, "/api/v1/edges/{id}/code", None).await?;
    let id = DeviceId::new(&id).map_err(|_| ApiError::NotFound("edge"))?;
    api.deed("new-edge-code", id.as_str(), "").await?;
    let (code, now) = (secret()?, api.now().0);
    let given = code.clone();
    ask(&edges, move |list| list.renew(id.as_str(), &given, now)).await?;
    Ok(Json(EdgeCode { code }))
}

/// Tells an edge to take another token: at its next word, without anybody going there.
#[utoipa::path(post, path = "/api/v1/edges/{id}/rotation", tag = "edges", params(("id" = String, Path, description = "Edge id")),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn post_rotation(
    State(api): State<Api>,
    Extension(edges): Extension<Arc<Edges>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageDevices, "/api/v1/edges/{id}/rotation", None).await?;
    let id = DeviceId::new(&id).map_err(|_| ApiError::NotFound("edge"))?;
    api.deed("rotate-edge-token", id.as_str(), "").await?;
    ask(&edges, move |list| list.want_rotation(id.as_str())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How this edge gets on; 404 where it is none.
#[utoipa::path(get, path = "/api/v1/edge", tag = "edges",
    responses((status = 200, body = ThisEdgeView), (status = 404, body = ErrorBody)))]
pub(crate) async fn this_edge(
    State(api): State<Api>,
    Extension(this): Extension<ThisEdge>,
    headers: HeaderMap,
) -> Result<Json<ThisEdgeView>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/edge", None).await?;
    // First the journal's end: what is acknowledged after this is not asked about.
    let next = api.appender.next_offset();
    let view = this.0.lock().clone().ok_or(ApiError::NotFound("edge here"))?;
    let mut view = view.seen(next);
    view.open_alerts = api.live.patients().iter().map(|patient| patient.alerts.len()).sum();
    Ok(Json(view))
}
