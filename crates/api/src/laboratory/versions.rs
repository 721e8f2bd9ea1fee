//! Versions of the alarm policy: proposed, approved by a second person with the house's signature, rejected.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard::Permission;
use laboratory::versions::Version;
use laboratory::{Candidate, LabError, Report};

use super::dto::{PolicyApproval, PolicyProposal, PolicyRejection, PolicyVersion, PolicyVersions};
use super::force;
use super::standing::Now;
use super::work::TITLE_MAX;
use super::{Laboratory, OfHouse, of};
use crate::deeds::fingerprint;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::viewer::Viewer;

/// Longest reason, in characters.
pub(super) const REASON_MAX: usize = 2_000;

/// The versions of the policy, newest first.
#[utoipa::path(get, path = "/api/v1/policy/versions", tag = "laboratory",
    responses((status = 200, body = PolicyVersions)))]
pub(crate) async fn get_versions(
    State(api): State<Api>,
    house: OfHouse,
    headers: HeaderMap,
) -> Result<Json<PolicyVersions>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePolicy, "/api/v1/policy/versions", None).await?;
    let all = of(house)?.versions.lock().await.list().map_err(|error| ApiError::internal(&error))?;
    let now = Now::of(&api, &viewer);
    let views = all.into_iter().map(|version| {
        let mut view = now.view(version);
        view.version.policy.clear();
        if let Some(emergency) = &mut view.version.emergency {
            emergency.replaced.clear();
        }
        view
    });
    Ok(Json(PolicyVersions { versions: views.collect() }))
}

/// A version.
#[utoipa::path(get, path = "/api/v1/policy/versions/{number}", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")),
    responses((status = 200, body = PolicyVersion), (status = 404, body = crate::dto::ErrorBody)))]
pub(crate) async fn get_version(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
) -> Result<Json<PolicyVersion>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePolicy, "/api/v1/policy/versions/{number}", None).await?;
    let house = of(house)?;
    let version = house.versions.lock().await.get(number).map_err(|_| ApiError::NotFound("version"))?;
    Ok(Json(Now::of(&api, &viewer).view(version)))
}

/// Proposes a policy that was tried, or a whole one.
#[utoipa::path(post, path = "/api/v1/policy/versions", tag = "laboratory", request_body = PolicyProposal,
    responses((status = 201, body = PolicyVersion), (status = 400, body = crate::dto::ErrorBody),
        (status = 404, body = crate::dto::ErrorBody), (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn propose(
    State(api): State<Api>,
    house: OfHouse,
    headers: HeaderMap,
    Json(proposal): Json<PolicyProposal>,
) -> Result<(StatusCode, Json<PolicyVersion>), ApiError> {
    let viewer = api.viewer(&headers)?;
    let actor = api.enter_as(&viewer, Permission::ManagePolicy, "/api/v1/policy/versions", None).await?;
    let house = of(house)?;
    let title = said("title", &proposal.title, TITLE_MAX)?;
    let reason = said("reason", &proposal.reason, REASON_MAX)?;
    let now = Now::of(&api, &viewer);
    let version = match (&proposal.policy, proposal.run, proposal.candidate) {
        (None, Some(run), Some(candidate)) => tried(&house, run, candidate, &now)?,
        (Some(text), None, None) => whole(text)?,
        _ => return Err(ApiError::bad("give run and candidate of what was tried, or the text of a policy")),
    };
    if laboratory::hash(&version.policy) == now.hash {
        return Err(ApiError::Conflict("that is the policy in force: it changes nothing".to_owned()));
    }
    let version = Version { title, reason, proposed_by: actor.name, proposed_ms: api.now().millis(), ..version };
    let versions = house.versions.lock().await;
    api.deed("propose-alert-policy", "", &fingerprint(&version.policy)).await?;
    let version = versions.propose(version, &now.text).map_err(refused)?;
    Ok((StatusCode::CREATED, Json(now.view(version))))
}

/// Approves somebody else's proposal: the version is signed with the house's key.
#[utoipa::path(post, path = "/api/v1/policy/versions/{number}/approval", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")), request_body = PolicyApproval,
    responses((status = 200, body = PolicyVersion), (status = 403, body = crate::dto::ErrorBody),
        (status = 404, body = crate::dto::ErrorBody), (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn approve(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
    Json(approval): Json<PolicyApproval>,
) -> Result<Json<PolicyVersion>, ApiError> {
    let route = "/api/v1/policy/versions/{number}/approval";
    let (viewer, house) = step(&api, house, &headers, route).await?;
    let note = approval.note.trim().to_owned();
    if note.chars().count() > REASON_MAX {
        return Err(ApiError::bad(format!("note: {REASON_MAX} characters at most")));
    }
    let now = Now::of(&api, &viewer);
    let versions = house.versions.lock().await;
    let version = versions.get(number).map_err(|_| ApiError::NotFound("version"))?;
    if let Some(why) = now.not_by_them(&version) {
        return Err(ApiError::Refused(why));
    }
    now.expect(&version, &["proposed", "unreviewed"])?;
    api.deed("approve-alert-policy", &object(number), &fingerprint(&version.policy)).await?;
    let log = api.guard.audit_log();
    let sign = |text: &str| log.state(text).map_err(|error| error.to_string());
    let by = (viewer.caller().account.name.as_str(), api.now().millis(), note.as_str());
    Ok(Json(now.view(versions.approve(number, by, sign).map_err(refused)?)))
}

/// Ends a version that is not in force: who proposed it withdraws it, others reject it. One that is in force
/// without review is taken back: the policy that it replaced is in force again.
#[utoipa::path(post, path = "/api/v1/policy/versions/{number}/rejection", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")), request_body = PolicyRejection,
    responses((status = 200, body = PolicyVersion), (status = 400, body = crate::dto::ErrorBody),
        (status = 404, body = crate::dto::ErrorBody), (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn reject(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
    Json(rejection): Json<PolicyRejection>,
) -> Result<Json<PolicyVersion>, ApiError> {
    let route = "/api/v1/policy/versions/{number}/rejection";
    let (viewer, house) = step(&api, house, &headers, route).await?;
    let reason = said("reason", &rejection.reason, REASON_MAX)?;
    let now = Now::of(&api, &viewer);
    let versions = house.versions.lock().await;
    let version = versions.get(number).map_err(|_| ApiError::NotFound("version"))?;
    let state = now.state(&version);
    if matches!(state, "in-force" | "rejected" | "withdrawn") {
        return Err(ApiError::Conflict(format!("the version is {state}")));
    }
    let back = version.emergency.as_ref().filter(|_| state == "unreviewed").map(|one| one.replaced.clone());
    let (now, deed) = match &back {
        Some(text) => (Now::with(&viewer, text.clone()), "take-back-alert-policy"),
        None => (now, "reject-alert-policy"),
    };
    api.deed(deed, &object(number), &back.as_deref().map(fingerprint).unwrap_or_default()).await?;
    if let Some(text) = back {
        force::put(&api, &viewer, text).await?;
    }
    let ended = versions.end(number, &viewer.caller().account.name, api.now().millis(), &reason);
    Ok(Json(now.view(ended.map_err(refused)?)))
}

/// An approved version as it was signed, for whoever checks it elsewhere.
#[utoipa::path(get, path = "/api/v1/policy/versions/{number}/signed", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")),
    responses((status = 200, content_type = "text/plain", body = String), (status = 404, body = crate::dto::ErrorBody)))]
pub(crate) async fn get_signed(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    api.enter(&headers, Permission::SeePolicy, "/api/v1/policy/versions/{number}/signed", None).await?;
    let signed = of(house)?.versions.lock().await.signed(number);
    let signed = signed.map_err(|_| ApiError::NotFound("approved version"))?;
    let kind = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"alarm-policy-{number}.policy\"")),
    ];
    Ok((kind, signed).into_response())
}

/// A version of a run's candidate, with its figures.
fn tried(house: &Laboratory, run: i64, candidate: usize, now: &Now) -> Result<Version, ApiError> {
    let found = house.runs.found(run)?;
    let tried = found.candidates.get(candidate).filter(|_| candidate > 0);
    let tried = tried.ok_or(ApiError::NotFound("candidate"))?;
    if now.hash != found.parent {
        return Err(ApiError::Conflict(
            "another policy came in force since that run was asked for: run it again, so that its figures are true"
                .to_owned(),
        ));
    }
    let report = &found.result.report;
    Ok(Version {
        policy: tried.policy.text.clone(),
        simulated: simulated(report),
        present: report.policies.first().cloned(),
        figures: report.policies.get(candidate).cloned(),
        difference: report.differences.get(candidate - 1).cloned(),
        ..Version::default()
    })
}

/// A version of a whole policy, without figures.
fn whole(text: &str) -> Result<Version, ApiError> {
    Candidate::of("proposed", text).map_err(|error| ApiError::bad(error.to_string()))?;
    Ok(Version { policy: text.to_owned(), simulated: "not simulated".to_owned(), ..Version::default() })
}

/// Whoever takes a step with a version.
pub(super) async fn step(
    api: &Api,
    house: OfHouse,
    headers: &HeaderMap,
    route: &'static str,
) -> Result<(Viewer, Laboratory), ApiError> {
    let viewer = api.viewer(headers)?;
    api.enter_as(&viewer, Permission::ManagePolicy, route, None).await?;
    Ok((viewer, of(house)?))
}

/// A text that may not be empty.
pub(super) fn said(what: &str, text: &str, most: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(ApiError::bad(format!("{what}: 1 to {most} characters")));
    }
    Ok(text.to_owned())
}

/// A version as a record names it.
pub(super) fn object(number: u64) -> String {
    format!("version {number}")
}

pub(super) fn refused(error: LabError) -> ApiError {
    match error {
        LabError::File { .. } => ApiError::internal(&error),
        other => ApiError::Conflict(other.to_string()),
    }
}

/// What was simulated, in words.
fn simulated(report: &Report) -> String {
    let day = |ms: Option<i64>| {
        let moment = jiff::Timestamp::from_millisecond(ms.unwrap_or_default()).unwrap_or_default();
        moment.strftime("%Y-%m-%d %H:%M UTC").to_string()
    };
    format!(
        "{}, {} patients, {:.1} bed-days, {} to {}",
        report.source, report.patients, report.bed_days, day(report.from_ms), day(report.to_ms)
    )
}
