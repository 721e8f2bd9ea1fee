//! SMART on FHIR: applications ask for access here (`/oauth`), people agree, and `/fhir` opens as
//! far as was agreed.
//!
//! What is right and wrong with a request is `oauth`'s to say, what was given `guard`'s to keep;
//! here are the HTTP around them and the pages' own routes. A grant opens `/fhir` and nothing of
//! `/api/v1`.

mod authorize;
mod clients;
mod consent;
mod cors;
mod enforce;
mod keys;
mod known;
mod launch;
mod people;
mod token;
mod whose;
mod write;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use guard::GrantError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::fhir;
use crate::state::Api;

pub(crate) use cors::cors;
pub(crate) use enforce::run;
pub(crate) use known::security;

/// Routes that other sites' pages and programs may send to: each proves itself in its own way, or
/// changes nothing, and none looks at a cookie.
const OPEN_TO_OTHERS: [&str; 4] =
    ["/oauth/authorize", "/oauth/token", "/oauth/introspect", "/oauth/revoke"];

/// Whether a request of another site's page may come to this path.
pub(crate) fn is_open_to_others(path: &str) -> bool {
    OPEN_TO_OTHERS.contains(&path)
}

/// The pages' routes.
pub(crate) fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(consent::asked, consent::decide))
        .routes(routes!(consent::applications))
        .routes(routes!(consent::take_back))
        .routes(routes!(clients::get_clients, clients::post_client))
        .routes(routes!(clients::delete_client))
        .routes(routes!(launch::launchable))
        .routes(routes!(launch::launch))
}

/// The routes of the standards.
pub(crate) fn standard() -> Router<Api> {
    Router::new()
        .route("/.well-known/smart-configuration", get(known::smart))
        .route("/fhir/.well-known/smart-configuration", get(known::smart))
        .route("/.well-known/openid-configuration", get(known::openid))
        .route("/fhir/Practitioner/{id}", get(people::practitioner))
        .route("/fhir/Person/{id}", get(people::person))
        .route("/oauth/jwks", get(known::jwks))
        .route("/oauth/style", get(known::style))
        .route("/oauth/authorize", get(authorize::by_query).post(authorize::by_form))
        .route("/oauth/token", post(token::token))
        .route("/oauth/introspect", post(token::introspect))
        .route("/oauth/revoke", post(token::revoke))
}

impl Api {
    /// The address under which whoever sent this request reaches us, without a slash at its end:
    /// the configured one, else the one that the request names.
    pub(crate) fn address(&self, headers: &HeaderMap) -> String {
        match &self.public_url {
            Some(configured) => configured.to_string(),
            None => {
                let base = fhir::base(headers);
                base.strip_suffix("/fhir").unwrap_or(&base).to_owned()
            }
        }
    }
}

/// What goes wrong with grants, as the pages' API tells it.
fn told(error: GrantError) -> ApiError {
    match error {
        GrantError::Refused(error) => ApiError::bad(error.detail),
        GrantError::Client(error) => ApiError::bad(error.to_string()),
        GrantError::NoService(_) => ApiError::bad(error.to_string()),
        GrantError::Exists(_) => ApiError::Conflict(error.to_string()),
        GrantError::Unknown(_) => ApiError::NotFound("application"),
        GrantError::Guard(guard::GuardError::Trial) => {
            ApiError::Conflict("applications are off under --open: start without it".to_owned())
        }
        GrantError::Signing(_) | GrantError::Guard(_) => ApiError::internal(&error),
    }
}

/// Work that waits for the disk or computes for long.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GrantError> + Send + 'static,
) -> Result<T, GrantError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(GrantError::Signing(error.to_string())))
}
