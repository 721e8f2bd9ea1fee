//! Applications that may ask for access: registered and removed by administrators.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use guard::Permission;
use oauth::{Authentication, Client};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{blocking, told};
use crate::access::recorded;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// An application.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    /// Its `client_id`: 1 to 64 characters of A-Z a-z 0-9 . _ -
    id: String,
    /// What people see; at most 80 characters.
    name: String,
    /// How it proves itself: `public` (PKCE alone), `secret` or `key`.
    authentication: String,
    /// Where codes may be sent; compared as a whole.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// Where it is opened for a patient.
    #[serde(default)]
    launch_url: Option<String>,
    /// Its public keys, a JWK set.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
    /// Where its public keys are.
    #[serde(default)]
    jwks_uri: Option<String>,
    /// Scopes that it may have, separated by blanks.
    scopes: String,
    /// Whether people are not asked, because the house decided for them.
    #[serde(default)]
    trusted: bool,
    /// The service account as which it acts without a person.
    #[serde(default)]
    account: Option<String>,
    /// Further origins from which its pages call.
    #[serde(default)]
    origins: Vec<String>,
}

/// An application that was just registered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegisteredApplication {
    /// It.
    application: Application,
    /// Its secret, shown once.
    secret: Option<String>,
}

impl Application {
    fn of(client: Client) -> Self {
        Self {
            id: client.id,
            name: client.name,
            authentication: client.authentication.name().to_owned(),
            redirect_uris: client.redirect_uris,
            launch_url: client.launch_url,
            jwks: client.jwks.and_then(|keys| serde_json::to_value(keys).ok()),
            jwks_uri: client.jwks_uri,
            scopes: client.scopes,
            trusted: client.trusted,
            account: client.account,
            origins: client.origins,
        }
    }

    fn client(self) -> Result<Client, ApiError> {
        let wrong = "authentication is public, secret or key";
        let authentication = Authentication::from_name(&self.authentication).ok_or_else(|| ApiError::bad(wrong))?;
        let jwks = self.jwks.map(serde_json::from_value).transpose();
        Ok(Client {
            id: self.id,
            name: self.name,
            authentication,
            redirect_uris: self.redirect_uris,
            launch_url: self.launch_url,
            jwks: jwks.map_err(|_| ApiError::bad("jwks is no JWK set of public keys"))?,
            jwks_uri: self.jwks_uri,
            scopes: self.scopes,
            trusted: self.trusted,
            account: self.account,
            origins: self.origins,
        })
    }
}

/// Every application.
#[utoipa::path(get, path = "/api/v1/clients", tag = "applications",
    responses((status = 200, body = Vec<Application>)))]
pub(crate) async fn get_clients(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<Application>>, ApiError> {
    api.enter(&headers, Permission::ManageClients, "/api/v1/clients", None).await?;
    let clients = if api.guard.is_open() { Vec::new() } else { api.guard.clients().map_err(told)? };
    Ok(Json(clients.into_iter().map(Application::of).collect()))
}

/// Registers an application.
#[utoipa::path(post, path = "/api/v1/clients", tag = "applications", request_body = Application,
    responses((status = 200, body = RegisteredApplication), (status = 400, body = dto::ErrorBody),
        (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_client(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<Application>,
) -> Result<Json<RegisteredApplication>, ApiError> {
    api.enter(&headers, Permission::ManageClients, "/api/v1/clients", None).await?;
    let (client, guard, now) = (wanted.client()?, api.guard.clone(), api.now());
    let detail = format!("{}, {}", client.authentication.name(), client.scopes);
    api.deed("register-client", &client.id, &detail).await?;
    let made = blocking(move || guard.add_client(client, now)).await.map_err(told)?;
    Ok(Json(RegisteredApplication { application: Application::of(made.client), secret: made.secret }))
}

/// Removes an application; everything that it was given ends at once.
#[utoipa::path(delete, path = "/api/v1/clients/{id}", tag = "applications",
    params(("id" = String, Path, description = "Application id")),
    responses((status = 204), (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn delete_client(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageClients, "/api/v1/clients/{id}", None).await?;
    let guard = api.guard.clone();
    let known = !guard.is_open() && guard.client(&id).map_err(told)?.is_some();
    api.deed("remove-client", &recorded(&id, known), "").await?;
    blocking(move || guard.remove_client(&id)).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}
