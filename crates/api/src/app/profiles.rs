//! Device profiles: seen, tried on a payload, kept.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use library::LibraryError;
use mapping::RawMessage;
use vitals::Action;

use crate::app::quarantine::steps;
use crate::app::readings::message_at;
use crate::deeds::fingerprint;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// Every profile.
#[utoipa::path(get, path = "/api/v1/profiles", tag = "quarantine",
    responses((status = 200, body = Vec<dto::ProfileView>)))]
pub(crate) async fn get_profiles(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<dto::ProfileView>>, ApiError> {
    api.enter(&headers, Permission::SeeQuarantine, "/api/v1/profiles", None).await?;
    let built_in = api.library.profiles().list();
    let built_in = built_in.into_iter().filter(|listed| listed.file.is_empty());
    let built_in = built_in.map(|listed| dto::ProfileView {
        name: listed.name,
        text: format!("{}\n{}\n", listed.description, listed.topics.join("\n")),
        error: String::new(),
        built_in: true,
    });
    let files = api.library.files().into_iter().map(|file| dto::ProfileView {
        name: file.name,
        text: file.text,
        error: file.error,
        built_in: false,
    });
    Ok(Json(built_in.chain(files).collect()))
}

/// Keeps a profile; it is in force when this answers.
#[utoipa::path(put, path = "/api/v1/profiles/{name}", tag = "quarantine",
    params(("name" = String, Path, description = "File name; folders are separated by /")),
    request_body = dto::ProfileView,
    responses((status = 200, body = Vec<dto::ProfileView>), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn put_profile(
    State(api): State<Api>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::ProfileView>,
) -> Result<Json<Vec<dto::ProfileView>>, ApiError> {
    let route = "/api/v1/profiles/{name}";
    let actor = api.enter(&headers, Permission::ManageProfiles, route, None).await?;
    api.deed("change-profile", &name, &fingerprint(&wanted.text)).await?;
    let (library, file) = (api.library.clone(), name.clone());
    tokio::task::spawn_blocking(move || library.keep(&file, &wanted.text))
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|error| match error {
            LibraryError::Write { .. } => ApiError::unavailable(&error.to_string()),
            _ => ApiError::bad(error.to_string()),
        })?;
    let note = Action::Note { subject: format!("profile {name}"), detail: "changed".to_owned() };
    api.act(actor, note).await?;
    get_profiles(State(api), headers).await
}

/// Tries a profile on a payload; nothing is kept.
#[utoipa::path(post, path = "/api/v1/profiles/test", tag = "quarantine",
    request_body = dto::ProfileTest,
    responses((status = 200, body = dto::ProfileTestResult), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn test_profile(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<dto::ProfileTest>,
) -> Result<Json<dto::ProfileTestResult>, ApiError> {
    api.enter(&headers, Permission::SeeQuarantine, "/api/v1/profiles/test", None).await?;
    let kept = wanted.offset.and_then(|offset| message_at(&api, offset));
    let topic = wanted.topic.or_else(|| kept.as_ref().map(|message| message.origin.address.clone()));
    let payload =
        wanted.payload.map(String::into_bytes).or_else(|| kept.map(|message| message.payload));
    let (Some(topic), Some(payload)) = (topic, payload) else {
        return Err(ApiError::bad("give a topic and a payload, or the offset of a kept message"));
    };
    let profiles = match api.library.try_out(&wanted.name, &wanted.text) {
        Ok(profiles) => profiles,
        Err(error) => {
            return Ok(Json(dto::ProfileTestResult {
                error: error.to_string(),
                trace: Vec::new(),
                values: Vec::new(),
                problems: Vec::new(),
            }));
        }
    };
    let raw = RawMessage {
        topic: &topic,
        payload: &payload,
        content_type: None,
        received: api.now(),
    };
    let trace = profiles.trace(&raw);
    Ok(Json(dto::ProfileTestResult {
        error: String::new(),
        trace: steps(&trace),
        values: trace
            .values
            .iter()
            .map(|value| format!("{}: {} {} {}", value.device, value.metric, value.value, value.unit))
            .collect(),
        problems: trace
            .problems
            .iter()
            .map(|problem| dto::ProblemView {
                kind: problem.kind.to_owned(),
                path: problem.path.clone(),
                detail: problem.detail.clone(),
            })
            .collect(),
    }))
}
