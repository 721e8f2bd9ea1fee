//! Who needs a look next, who looked, and care pathways: `/api/v1/worklist`, `…/seen`, `…/pathways`.
//! The order and the advice are the engine's; what people do goes to the journal as actions.

mod dto;

use alert::pathway::{Offer, OfferState, StepState};
use alert::{Limits, Policy};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use engine::PatientView;
use guard::{Categories, Category, Permission};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::{Action, Look, PathwayDeed, PatientId};

use crate::access::shown;
use crate::app::patients::known;
use crate::app::ward::ids;
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;
use crate::view;
use crate::viewer::Viewer;

pub use dto::WorklistLine;

/// Longest reason, in bytes.
const REASON_MAX: usize = 500;
/// A page opened again within this time by the same person is the same look, in microseconds.
const SAME_LOOK: i64 = 5 * 60_000_000;

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_worklist))
        .routes(routes!(post_seen))
        .routes(routes!(get_pathways))
        .routes(routes!(post_pathway))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    unit: Option<String>,
}

/// Who needs a look next, and why.
#[utoipa::path(get, path = "/api/v1/worklist", tag = "worklist",
    params(("unit" = Option<String>, Query, description = "Name of a unit")),
    responses((status = 200, body = dto::Worklist)))]
pub(crate) async fn get_worklist(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<dto::Worklist>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePatients, "/api/v1/worklist", None).await?;
    let now = api.now();
    // The position first: what changes meanwhile comes again on the stream.
    let position = api.live.changes().position();
    let mut seen = api.live.patients();
    seen.retain(|patient| view::on_ward(patient));
    if let Some(unit) = &asked.unit {
        seen.retain(|patient| patient.location.as_ref().is_some_and(|l| l.bed.unit == *unit));
    }
    seen.sort_by(|a, b| a.standing.before(&b.standing).then_with(|| a.patient.id.cmp(&b.patient.id)));
    let lines: Vec<WorklistLine> = seen.iter().filter_map(|patient| line(&viewer, patient, now.0)).collect();
    shown(ids(lines.iter().map(|line| line.patient.id.as_str())).iter());
    let places = lines.iter().filter_map(|line| line.location.as_ref());
    let mut units: Vec<String> = places.map(|place| place.unit.clone()).collect();
    units.sort();
    units.dedup();
    Ok(Json(dto::Worklist { now_ms: now.millis(), position, lines, units }))
}

/// Whether a line may be told to somebody who sees these kinds of data: its order says how ill one is.
pub(crate) fn may_see(kinds: Categories) -> bool {
    kinds.has(Category::Demographics) && kinds.has(Category::VitalSigns) && kinds.has(Category::Alerts)
}

/// A patient's line with what the viewer may see of it; none when that is nothing.
fn line(viewer: &Viewer, seen: &PatientView, now_us: i64) -> Option<WorklistLine> {
    let kinds = viewer.kinds_of(Permission::SeePatients, seen);
    let tile = viewer.tile(seen, now_us).filter(|_| may_see(kinds))?;
    Some(dto::line(seen, tile, now_us))
}

/// A patient's line, whole.
pub(crate) fn whole(seen: &PatientView, now_us: i64) -> WorklistLine {
    dto::line(seen, view::tile(seen, now_us), now_us)
}

/// Notes that somebody looked after a patient.
#[utoipa::path(post, path = "/api/v1/patients/{id}/seen", tag = "worklist",
    params(("id" = String, Path, description = "Patient id")),
    request_body = dto::Looked,
    responses((status = 204), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn post_seen(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(looked): Json<dto::Looked>,
) -> Result<StatusCode, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/seen";
    let actor = api.enter(&headers, Permission::ActOnAlerts, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let how = match looked.how.as_str() {
        "" | "bedside" => Look::Bedside,
        "opened" => Look::Opened,
        _ => return Err(ApiError::bad("how: bedside or opened")),
    };
    let clock = if seen.recorded { seen.clock } else { api.now().0 };
    let again = |last: &engine::Seen| last.by == actor.name && clock < last.at.saturating_add(SAME_LOOK);
    // Pages that are opened again and again are no news for the journal.
    if how == Look::Bedside || !seen.seen.as_ref().is_some_and(again) {
        api.act(actor, Action::Seen { patient: seen.patient.id.clone(), how }).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A patient's care pathways: suggested, followed, declined, ended.
#[utoipa::path(get, path = "/api/v1/patients/{id}/pathways", tag = "worklist",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = dto::PatientPathways), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_pathways(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::PatientPathways>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/pathways";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    Ok(Json(pathways(&api, &seen)))
}

fn pathways(api: &Api, seen: &PatientView) -> dto::PatientPathways {
    let unit = seen.location.as_ref().map(|place| place.bed.unit.as_str());
    let limits = Limits { unit, age_years: seen.age_years, own: &[] };
    let policy = Policy::parse(&api.live.policy().text).ok();
    let open = |id: &str| seen.pathways.iter().any(|offer| offer.pathway == id && offer.ended_at.is_none());
    let available = policy.iter().flat_map(|policy| &policy.pathways);
    let available = available.filter(|pathway| pathway.is_for(&limits) && !open(&pathway.id));
    dto::PatientPathways {
        pathways: seen.pathways.iter().map(dto::PathwayView::from).collect(),
        available: available
            .map(|pathway| dto::PathwayBrief {
                pathway: pathway.id.clone(),
                title: pathway.title.clone(),
                source: pathway.source.clone(),
            })
            .collect(),
        now_ms: if seen.recorded { seen.clock.div_euclid(1_000) } else { api.now().millis() },
    }
}

/// Decides on a pathway or one of its steps.
#[utoipa::path(post, path = "/api/v1/patients/{id}/pathways/{pathway}/{action}", tag = "worklist",
    params(
        ("id" = String, Path, description = "Patient id"),
        ("pathway" = String, Path, description = "The pathway's name in the policy"),
        ("action" = String, Path, description = "start, decline, stop, done, not-applicable, decline-step"),
    ),
    request_body = dto::PathwayDecision,
    responses((status = 200, body = dto::PatientPathways), (status = 400, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn post_pathway(
    State(api): State<Api>,
    Path((id, pathway, verb)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(wanted): Json<dto::PathwayDecision>,
) -> Result<Json<dto::PatientPathways>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/pathways/{pathway}/{action}";
    let actor = api.enter(&headers, Permission::ActOnAlerts, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let deed = deed(&verb, wanted)?;
    if deed.needs_reason() && deed.reason().trim().is_empty() {
        return Err(ApiError::bad("reason: say why; whatever is left out is kept with its reason"));
    }
    let open = seen.pathways.iter().find(|offer| offer.pathway == pathway && offer.ended_at.is_none());
    if open.is_none() && !pathways(&api, &seen).available.iter().any(|known| known.pathway == pathway) {
        return Err(ApiError::NotFound("pathway"));
    }
    fits(open, &deed)?;
    let patient = seen.patient.id.clone();
    api.act(actor, Action::Pathway { patient, pathway, deed }).await?;
    let seen = known(&api, &id)?;
    Ok(Json(pathways(&api, &seen)))
}

fn deed(verb: &str, wanted: dto::PathwayDecision) -> Result<PathwayDeed, ApiError> {
    let dto::PathwayDecision { step, reason } = wanted;
    if reason.len() > REASON_MAX {
        return Err(ApiError::bad("reason: at most 500 bytes"));
    }
    Ok(match verb {
        "start" => PathwayDeed::Start { reason },
        "decline" => PathwayDeed::Decline { reason },
        "stop" => PathwayDeed::Stop { reason },
        "done" => PathwayDeed::StepDone { step, note: reason },
        "not-applicable" => PathwayDeed::StepNotApplicable { step, reason },
        "decline-step" => PathwayDeed::StepDeclined { step, reason },
        _ => return Err(ApiError::NotFound("action")),
    })
}

/// Whether a deed fits what the pathway is like now. The engine decides; this says why it would not.
fn fits(open: Option<&Offer>, deed: &PathwayDeed) -> Result<(), ApiError> {
    let conflict = |text: &str| Err(ApiError::Conflict(text.to_owned()));
    match (open, deed) {
        (None, PathwayDeed::Start { .. }) => Ok(()),
        (None, _) => conflict("the pathway is over, or was never suggested"),
        (Some(offer), PathwayDeed::Start { .. }) if offer.state == OfferState::Running => {
            conflict("the pathway is being followed already")
        }
        (Some(_), PathwayDeed::Start { .. }) => Ok(()),
        (Some(offer), PathwayDeed::Decline { .. }) if offer.state != OfferState::Suggested => {
            conflict("only a pathway that is suggested can be declined")
        }
        (Some(_), PathwayDeed::Decline { .. }) => Ok(()),
        (Some(offer), _) if offer.state != OfferState::Running => conflict("the pathway is not being followed"),
        (Some(offer), deed) => match deed.step() {
            None => Ok(()),
            Some(id) => match offer.steps.iter().find(|step| step.id == id) {
                None => Err(ApiError::NotFound("step")),
                Some(step) if matches!(step.state, StepState::Open | StepState::Waiting) => Ok(()),
                Some(_) => conflict("somebody has decided on this step already"),
            },
        },
    }
}
