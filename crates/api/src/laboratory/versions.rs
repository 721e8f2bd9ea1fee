//! Versions of the alarm policy: proposed from a run, approved by a second person with the house's
//! signature, put in force.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use guard::{Kind, Permission};
use laboratory::versions::Version;
use laboratory::{LabError, Report};
use vitals::Event;

use super::dto::{
    PolicyApproval, PolicyProposal, PolicyRejection, PolicyVersion, PolicyVersionMay, PolicyVersions,
};
use super::work::TITLE_MAX;
use super::{Laboratory, OfHouse, of};
use crate::deeds::fingerprint;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::viewer::Viewer;

/// Longest reason, in characters.
const REASON_MAX: usize = 2_000;
/// How often it is looked whether a policy that was put in force is seen to be, and how far apart.
const SEEN_TRIES: u32 = 100;
const SEEN_EVERY: Duration = Duration::from_millis(20);
const OWN: &str = "you proposed it: a second person approves";
const NOT_A_PERSON: &str = "a version is approved by a person who is signed in under their own name";

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

/// Proposes a policy that was tried.
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
    let found = house.runs.found(proposal.run)?;
    let candidate = found.candidates.get(proposal.candidate).filter(|_| proposal.candidate > 0);
    let candidate = candidate.ok_or(ApiError::NotFound("candidate"))?;
    let now = Now::of(&api, &viewer);
    if now.hash != found.parent {
        return Err(ApiError::Conflict(
            "another policy came in force since that run was asked for: run it again, so that its figures are true"
                .to_owned(),
        ));
    }
    if candidate.hash() == found.parent {
        return Err(ApiError::Conflict("that is the policy in force: it changes nothing".to_owned()));
    }
    let report = &found.result.report;
    let version = Version {
        number: 0,
        title,
        reason,
        policy: candidate.policy.text.clone(),
        hash: String::new(),
        parent: String::new(),
        changed: Vec::new(),
        more: false,
        simulated: simulated(report),
        present: report.policies.first().cloned(),
        figures: report.policies.get(proposal.candidate).cloned(),
        difference: report.differences.get(proposal.candidate - 1).cloned(),
        proposed_by: actor.name,
        proposed_ms: api.now().millis(),
        approved_by: None,
        approved_ms: None,
        approval: String::new(),
        ended: None,
    };
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
    now.expect(&version, "proposed")?;
    api.deed("approve-alert-policy", &object(number), &fingerprint(&version.policy)).await?;
    let log = api.guard.audit_log();
    let sign = |text: &str| log.state(text).map_err(|error| error.to_string());
    let by = (viewer.caller().account.name.as_str(), api.now().millis(), note.as_str());
    Ok(Json(now.view(versions.approve(number, by, sign).map_err(refused)?)))
}

/// Ends a version that is not in force: who proposed it withdraws it, others reject it.
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
    api.deed("reject-alert-policy", &object(number), "").await?;
    let ended = versions.end(number, &viewer.caller().account.name, api.now().millis(), &reason);
    Ok(Json(now.view(ended.map_err(refused)?)))
}

/// Puts an approved version in force, if the policy that it replaces still is.
#[utoipa::path(post, path = "/api/v1/policy/versions/{number}/in-force", tag = "laboratory",
    params(("number" = u64, Path, description = "Number of the version")),
    responses((status = 200, body = PolicyVersion), (status = 404, body = crate::dto::ErrorBody),
        (status = 409, body = crate::dto::ErrorBody)))]
pub(crate) async fn put_in_force(
    State(api): State<Api>,
    house: OfHouse,
    Path(number): Path<u64>,
    headers: HeaderMap,
) -> Result<Json<PolicyVersion>, ApiError> {
    let route = "/api/v1/policy/versions/{number}/in-force";
    let (viewer, house) = step(&api, house, &headers, route).await?;
    let versions = house.versions.lock().await;
    let version = versions.get(number).map_err(|_| ApiError::NotFound("version"))?;
    Now::of(&api, &viewer).expect(&version, "approved")?;
    // What was signed counts, not what lies beside it.
    let house_key = api.guard.audit_log().verifier().map_err(|error| ApiError::internal(&error))?;
    let signed = versions.signed(number).and_then(|signed| Version::read(&signed, &house_key)).map_err(refused)?;
    if signed.number != version.number || signed.policy != version.policy || signed.parent != version.parent {
        return Err(ApiError::Conflict("what was signed is another version: it is not put in force".to_owned()));
    }
    api.deed("change-alert-policy", &object(number), &fingerprint(&signed.policy)).await?;
    api.append(Event::Policy(viewer.caller().account.actor(), signed.policy.clone()), None).await?;
    let now = Now::with(&viewer, signed.policy.clone());
    // Whoever asks next is to find it.
    for _ in 0..SEEN_TRIES {
        if api.live.policy().text == signed.policy {
            break;
        }
        tokio::time::sleep(SEEN_EVERY).await;
    }
    Ok(Json(now.view(version)))
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

/// Whoever takes a step with a version.
async fn step(
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
fn said(what: &str, text: &str, most: usize) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most {
        return Err(ApiError::bad(format!("{what}: 1 to {most} characters")));
    }
    Ok(text.to_owned())
}

/// A version as a record names it.
fn object(number: u64) -> String {
    format!("version {number}")
}

fn refused(error: LabError) -> ApiError {
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

/// The policy in force, and who looks.
struct Now {
    text: String,
    hash: String,
    name: String,
    kind: Kind,
    manages: bool,
}

impl Now {
    fn of(api: &Api, viewer: &Viewer) -> Self {
        Self::with(viewer, api.live.policy().text)
    }

    fn with(viewer: &Viewer, text: String) -> Self {
        let account = &viewer.caller().account;
        Self {
            hash: laboratory::hash(&text),
            text,
            name: account.name.clone(),
            kind: account.kind,
            manages: viewer.at_all(Permission::ManagePolicy),
        }
    }

    fn state(&self, version: &Version) -> &'static str {
        match &version.ended {
            Some(ended) if ended.how == "rejected" => "rejected",
            Some(_) => "withdrawn",
            None if version.approved_by.is_some() && version.hash == self.hash => "in-force",
            None if version.parent != self.hash => "outdated",
            None if version.approved_by.is_some() => "approved",
            None => "proposed",
        }
    }

    fn expect(&self, version: &Version, wanted: &str) -> Result<(), ApiError> {
        match self.state(version) {
            state if state == wanted => Ok(()),
            "outdated" => Err(ApiError::Conflict(
                "another policy came in force since it was proposed: run and propose it again".to_owned(),
            )),
            "proposed" => Err(ApiError::Conflict("the version is not approved by a second person yet".to_owned())),
            state => Err(ApiError::Conflict(format!("the version is {state} already"))),
        }
    }

    /// Why this account cannot be the second person.
    fn not_by_them(&self, version: &Version) -> Option<&'static str> {
        match self.kind {
            Kind::Person if version.proposed_by == self.name => Some(OWN),
            Kind::Person => None,
            Kind::Service | Kind::Trial => Some(NOT_A_PERSON),
        }
    }

    fn view(&self, version: Version) -> PolicyVersion {
        let state = self.state(&version);
        let open = matches!(state, "proposed" | "approved" | "outdated");
        let own = version.proposed_by == self.name;
        let not_theirs = self.not_by_them(&version);
        let may = PolicyVersionMay {
            approve: self.manages && state == "proposed" && not_theirs.is_none(),
            reject: self.manages && open && !own,
            withdraw: self.manages && open && own,
            put_in_force: self.manages && state == "approved",
        };
        let why_not = match state {
            "proposed" if !self.manages => Some("the right to manage the alarm policy is needed".to_owned()),
            "proposed" => not_theirs.map(str::to_owned),
            "approved" if !self.manages => Some("the right to manage the alarm policy is needed".to_owned()),
            "outdated" => Some("another policy came in force since: run and propose it again".to_owned()),
            _ => None,
        };
        PolicyVersion { state: state.to_owned(), may, why_not, version }
    }
}
