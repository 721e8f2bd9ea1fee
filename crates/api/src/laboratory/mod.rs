//! `/api/v1/laboratory`, `/api/v1/policy/versions`: changed alarm policies tried on this house's past, one
//! run at a time and last in line for a processor; and the versions of the policy that two people agreed on.

mod archive;
mod dto;
mod force;
mod keep;
mod runs;
mod standing;
mod versions;
mod work;

use std::sync::Arc;

use axum::Extension;
use engine::Known;
use journal::ReadJournal;
use laboratory::versions::Versions;
use store::{Reader, Side};
use tokio::sync::Mutex;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::state::Api;
use archive::Archive;
use keep::Runs;

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(runs::get_laboratory))
        .routes(routes!(runs::get_runs, runs::start))
        .routes(routes!(runs::get_run, runs::cancel))
        .routes(routes!(runs::get_alerts))
        .routes(routes!(versions::get_versions, versions::propose))
        .routes(routes!(versions::get_version))
        .routes(routes!(versions::approve))
        .routes(routes!(versions::reject))
        .routes(routes!(force::put_in_force))
        .routes(routes!(force::put_in_force_unreviewed))
        .routes(routes!(versions::get_signed))
}

/// What a store knows of the time before a journal's first entry, and the policy that was in force there
/// if the site had its own.
pub type Before = Arc<dyn Fn(&dyn ReadJournal) -> Result<(Known, Option<String>), String> + Send + Sync>;

/// Whom it takes to change the policy in force, where there are accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Review {
    /// A version that a second person approved; `PUT /api/v1/policy` is refused.
    #[default]
    TwoPerson,
    /// `PUT /api/v1/policy` puts a policy in force at once, too.
    OnePerson,
}

/// What these routes work with; a layer of the router.
#[derive(Clone)]
pub struct Laboratory {
    runs: Runs,
    before: Before,
    pub(crate) review: Review,
    /// One step at a time, so that two people who act at once do not both succeed.
    versions: Arc<Mutex<Versions>>,
}

impl Laboratory {
    /// With the policy's versions.
    #[must_use]
    pub fn new(versions: Versions, before: Before) -> Self {
        let versions = Arc::new(Mutex::new(versions));
        Self { runs: Runs::default(), before, review: Review::default(), versions }
    }

    /// The same with runs that outlive the program, and those of before.
    #[must_use]
    pub fn kept_in(self, reader: Reader, side: Arc<dyn Side>) -> Self {
        Self { runs: Runs::of(Archive { reader, side }), ..self }
    }

    /// The same with this review.
    #[must_use]
    pub fn with_review(self, review: Review) -> Self {
        Self { review, ..self }
    }
}

/// The laboratory of a request.
pub(crate) type OfHouse = Option<Extension<Laboratory>>;

fn of(found: OfHouse) -> Result<Laboratory, ApiError> {
    found.map(|Extension(laboratory)| laboratory).ok_or(ApiError::NotFound("laboratory"))
}
