//! What is known against devices, and which broke their habits.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use fleet::advisory::Via;
use guard::Permission;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ask;
use super::dto::{
    AcknowledgeRequest, AcknowledgedBy, AdvisoryLine, FleetCount, FleetFile, HabitFinding, VulnerabilityLine, ms,
};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// Lines in one answer.
const LINES_MAX: usize = 10_000;

/// Every vulnerability of every device: open ones first, the worst first.
#[utoipa::path(get, path = "/api/v1/fleet/vulnerabilities", tag = "fleet",
    responses((status = 200, body = Vec<VulnerabilityLine>)))]
pub(crate) async fn get_vulnerabilities(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<VulnerabilityLine>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/fleet/vulnerabilities", None).await?;
    let found = ask(&api, depot::Depot::vulnerabilities).await?;
    let lines = found.into_iter().take(LINES_MAX).map(|found| {
        let finding = found.finding;
        VulnerabilityLine {
            device: finding.device,
            id: finding.id,
            advisory: finding.advisory,
            title: finding.title,
            via: match finding.via {
                Via::Model => "model".to_owned(),
                Via::Component(name) => name,
            },
            version: finding.version,
            status: finding.status.name().to_owned(),
            certain: finding.certain,
            cvss: finding.cvss,
            severity: finding.severity.to_owned(),
            remediation: finding.remediation,
            acknowledged: found.acknowledged.map(|said| AcknowledgedBy {
                by: said.by,
                at_ms: ms(said.at_us),
                reason: said.reason,
            }),
        }
    });
    Ok(Json(lines.collect()))
}

/// Says why a vulnerability may stay as it is.
#[utoipa::path(post, path = "/api/v1/fleet/vulnerabilities/acknowledge", tag = "fleet",
    request_body = AcknowledgeRequest,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn acknowledge(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(wanted): Json<AcknowledgeRequest>,
) -> Result<StatusCode, ApiError> {
    let route = "/api/v1/fleet/vulnerabilities/acknowledge";
    let actor = api.enter(&headers, Permission::ManageFirmware, route, None).await?;
    let now = api.now().0;
    api.deed("acknowledge-vulnerability", &wanted.id, "").await?;
    let say = move |depot: &depot::Depot| {
        depot.acknowledge(&wanted.id, &wanted.device, &wanted.reason, &actor.name, now)
    };
    ask(&api, say).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The advisories that were imported.
#[utoipa::path(get, path = "/api/v1/fleet/advisories", tag = "fleet",
    responses((status = 200, body = Vec<AdvisoryLine>)))]
pub(crate) async fn get_advisories(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<AdvisoryLine>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/fleet/advisories", None).await?;
    let advisories = ask(&api, depot::Depot::advisories).await?.into_iter();
    Ok(Json(
        advisories
            .map(|a| AdvisoryLine {
                name: a.name,
                at_ms: ms(a.at_us),
                by: a.by,
                vulnerabilities: a.vulnerabilities.len(),
            })
            .collect(),
    ))
}

/// Takes in an advisory: CSAF 2.0, or a table; how many vulnerabilities it names.
#[utoipa::path(post, path = "/api/v1/fleet/advisories", tag = "fleet", request_body = FleetFile,
    responses((status = 200, body = FleetCount), (status = 400, body = ErrorBody)))]
pub(crate) async fn post_advisory(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(file): Json<FleetFile>,
) -> Result<Json<FleetCount>, ApiError> {
    let actor = api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/advisories", None).await?;
    let named = (1..=200).contains(&file.name.chars().count()) && !file.name.chars().any(char::is_control);
    if !named {
        return Err(ApiError::bad("give the file's name, 1 to 200 characters"));
    }
    let now = api.now().0;
    api.deed("import-advisory", &file.name, "").await?;
    let take = move |depot: &depot::Depot| {
        depot.import_advisory(&file.name, file.text.as_bytes(), &actor.name, now)
    };
    Ok(Json(FleetCount { count: ask(&api, take).await? }))
}

/// Forgets an advisory.
#[utoipa::path(delete, path = "/api/v1/fleet/advisories/{name}", tag = "fleet",
    params(("name" = String, Path, description = "Name of the file")),
    responses((status = 204), (status = 404, body = ErrorBody)))]
pub(crate) async fn delete_advisory(
    State(api): State<Api>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    api.enter(&headers, Permission::ManageFirmware, "/api/v1/fleet/advisories/{name}", None).await?;
    api.deed("remove-advisory", &name, "").await?;
    ask(&api, move |depot| depot.remove_advisory(&name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which findings are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfDevice {
    /// Of one device.
    device: Option<String>,
    /// At most so many, to 1,000.
    limit: Option<usize>,
}

/// Habits that devices broke, newest first.
#[utoipa::path(get, path = "/api/v1/fleet/findings", tag = "fleet", params(OfDevice),
    responses((status = 200, body = Vec<HabitFinding>)))]
pub(crate) async fn get_findings(
    State(api): State<Api>,
    Query(wanted): Query<OfDevice>,
    headers: HeaderMap,
) -> Result<Json<Vec<HabitFinding>>, ApiError> {
    api.enter(&headers, Permission::SeeSecurity, "/api/v1/fleet/findings", None).await?;
    let most = wanted.limit.unwrap_or(200).min(1_000);
    let events = ask(&api, move |depot| depot.events(wanted.device.as_deref(), most)).await?;
    let lines = events.into_iter().map(|event| HabitFinding {
        number: event.number,
        device: event.device,
        kind: event.kind,
        at_ms: ms(event.at_us),
        usual: event.usual,
        seen: event.seen,
    });
    Ok(Json(lines.collect()))
}
