//! `/api/v1/fleet`: inventory, firmware, vulnerabilities, campaigns, broken habits; and what devices
//! themselves ask for.

mod campaigns;
mod device;
mod dto;
mod images;
mod inventory;
mod limits;
mod security;

use depot::{Depot, DepotError};
use fleet::campaign::Facts;
use live::Live;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::{DeviceId, LinkState};

use crate::error::ApiError;
use crate::state::Api;

pub(crate) use limits::limit;
pub use limits::{HttpLimits, Limiter};

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(inventory::get_inventory))
        .routes(routes!(inventory::put_item, inventory::delete_item))
        .routes(routes!(inventory::import))
        .routes(routes!(inventory::get_minimums, inventory::put_minimums))
        .routes(routes!(inventory::post_sbom))
        .routes(routes!(security::get_vulnerabilities))
        .routes(routes!(security::acknowledge))
        .routes(routes!(security::get_advisories, security::post_advisory))
        .routes(routes!(security::delete_advisory))
        .routes(routes!(security::get_findings))
        .routes(routes!(images::get_images))
        .routes(routes!(campaigns::get_campaigns, campaigns::post_campaign))
        .routes(routes!(campaigns::get_campaign))
        .routes(routes!(campaigns::act))
        .routes(routes!(device::get_offer))
        .routes(routes!(device::post_report))
        .routes(routes!(device::get_metadata))
        .routes(routes!(device::get_image))
}

/// What the platform knows of a device now, for the gates of a campaign.
#[must_use]
pub fn facts(live: &Live, device: &str) -> Facts {
    let line = DeviceId::new(device).ok().and_then(|id| live.device(&id));
    line.map_or_else(Facts::default, |line| Facts {
        on_patient: line.patient.is_some(),
        online: line.link == LinkState::Online,
        battery_percent: line.battery,
        charging: None,
        version: line.device.version.clone(),
    })
}

/// Asks the depot on a thread that may block.
async fn ask<T: Send + 'static>(
    api: &Api,
    question: impl FnOnce(&Depot) -> Result<T, DepotError> + Send + 'static,
) -> Result<T, ApiError> {
    let depot = api.depot.clone();
    let answer = tokio::task::spawn_blocking(move || question(&depot)).await;
    answer.map_err(|error| ApiError::internal(&error))?.map_err(refused)
}

fn refused(error: DepotError) -> ApiError {
    match error {
        DepotError::Unknown(what) => ApiError::NotFound(what),
        DepotError::Campaign(error) => ApiError::Conflict(error.to_string()),
        error if error.is_asked_wrong() => ApiError::bad(error.to_string()),
        error => ApiError::internal(&error),
    }
}
