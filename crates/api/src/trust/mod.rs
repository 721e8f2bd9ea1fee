//! Trust in devices over HTTP: their life, their certificates, zones and security events; enrolment
//! over secure transport; readings of a device that shows its certificate.

pub(crate) mod certificates;
pub(crate) mod devices;
pub(crate) mod est;
pub(crate) mod events;
pub(crate) mod readings;
mod view;
pub(crate) mod zones;

use guard::{GuardError, TrustError};
use vitals::DeviceId;

use crate::error::ApiError;

fn device_id(text: &str) -> Result<DeviceId, ApiError> {
    DeviceId::new(text).map_err(|error| ApiError::bad(error.to_string()))
}

/// What went wrong, for a screen.
fn refused(error: GuardError) -> ApiError {
    match error {
        GuardError::Unknown(_) => ApiError::NotFound("device, certificate or event"),
        GuardError::Exists(_) | GuardError::Trial => ApiError::Conflict(error.to_string()),
        GuardError::Trust(TrustError::Authority(_)) => ApiError::internal(&error),
        GuardError::Trust(TrustError::BadRequest(_)) => ApiError::bad(error.to_string()),
        GuardError::Trust(_) => ApiError::Conflict(error.to_string()),
        error => ApiError::internal(&error),
    }
}

/// Does something that waits for the disk.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GuardError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))?.map_err(refused)
}
