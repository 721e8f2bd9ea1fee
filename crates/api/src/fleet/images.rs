//! Which signed firmware is here.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;

use super::ask;
use super::dto::ImageLine;
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

/// The firmware images that the trusted metadata names.
#[utoipa::path(get, path = "/api/v1/fleet/images", tag = "fleet",
    responses((status = 200, body = Vec<ImageLine>)))]
pub(crate) async fn get_images(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<ImageLine>>, ApiError> {
    api.enter(&headers, Permission::SeeDevices, "/api/v1/fleet/images", None).await?;
    let images = ask(&api, depot::Depot::targets).await?.into_iter();
    Ok(Json(
        images
            .map(|image| ImageLine {
                path: image.signed.path,
                length: image.signed.length,
                sha256: image.signed.sha256,
                manufacturer: image.signed.manufacturer,
                model: image.signed.model,
                version: image.signed.version,
                here: image.here,
            })
            .collect(),
    ))
}
