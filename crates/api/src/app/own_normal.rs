//! A patient's own normal: what is known of it, and what a clinician decides about it.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::{NormalLine, NormalState, PatientView};
use guard::Permission;
use vitals::{Action, BaselineStep, Metric, MetricCode, PatientId};

use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

const ROUTE: &str = "/api/v1/patients/{id}/own-normal";
/// Letters of a reason.
const REASON_MAX: usize = 500;

/// What is usual for a patient, and which limits follow it.
#[utoipa::path(get, path = "/api/v1/patients/{id}/own-normal", tag = "patients",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = dto::OwnNormals), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_own_normal(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::OwnNormals>, ApiError> {
    let subject = PatientId::new(&id).ok();
    api.enter(&headers, Permission::SeePatients, ROUTE, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    Ok(Json(told(&seen)))
}

/// Pauses, resumes, resets or states a patient's own normal of one metric.
#[utoipa::path(post, path = "/api/v1/patients/{id}/own-normal", tag = "patients",
    params(("id" = String, Path, description = "Patient id")), request_body = dto::OwnNormalDecision,
    responses((status = 200, body = dto::OwnNormals), (status = 400, body = dto::ErrorBody)))]
pub(crate) async fn post_own_normal(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(decision): Json<dto::OwnNormalDecision>,
) -> Result<Json<dto::OwnNormals>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let actor = api.enter(&headers, Permission::SetLimits, ROUTE, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let metric = Metric::by_refid(&decision.metric)
        .filter(|metric| seen.normals.iter().any(|line| line.metric == metric.code))
        .ok_or_else(|| ApiError::bad("metric: no own normal is learnt of it for this patient"))?;
    let step = step(&decision, metric)?;
    let reason = decision.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX {
        return Err(ApiError::bad("reason: say why, in 500 letters at most"));
    }
    let patient = seen.patient.id.clone();
    let action = Action::Baseline { patient, metric: metric.code, step, reason: reason.to_owned() };
    api.act(actor, action).await?;
    let seen = known(&api, &id)?;
    Ok(Json(told(&seen)))
}

fn step(decision: &dto::OwnNormalDecision, metric: &Metric) -> Result<BaselineStep, ApiError> {
    match (decision.step.as_str(), decision.centre) {
        ("pause", None) => Ok(BaselineStep::Pause),
        ("resume", None) => Ok(BaselineStep::Resume),
        ("reset", None) => Ok(BaselineStep::Reset),
        ("state", Some(centre)) => {
            let (low, high) = metric.plausible.unwrap_or((f64::MIN, f64::MAX));
            if (low..=high).contains(&centre) {
                Ok(BaselineStep::State { centre })
            } else {
                Err(ApiError::bad(format!("centre: {} must lie between {low} and {high}", metric.name)))
            }
        }
        ("state", None) => Err(ApiError::bad("centre: the level that is normal is needed")),
        (_, Some(_)) => Err(ApiError::bad("centre: only for the step `state`")),
        _ => Err(ApiError::bad("step: one of pause, resume, reset, state")),
    }
}

fn told(view: &PatientView) -> dto::OwnNormals {
    dto::OwnNormals {
        normals: view.normals.iter().map(normal).collect(),
        now_ms: view.clock.div_euclid(1_000),
        changes: view.limit_changes.iter().rev().map(change).collect(),
    }
}

fn change(change: &engine::LimitChange) -> dto::OwnLimitChange {
    dto::OwnLimitChange {
        at_ms: change.at.div_euclid(1_000),
        metric: change.metric.refid(),
        name: name(change.metric),
        event: change.event.name().to_owned(),
        low: change.limits.0,
        high: change.limits.1,
        why: change.why.clone(),
        by: change.by.clone(),
    }
}

fn normal(line: &NormalLine) -> dto::OwnNormal {
    let row = line.metric.metric();
    let band = |(centre, low, high): (f64, f64, f64)| dto::UsualBand { centre, low, high };
    let (state, decision) = match &line.state {
        NormalState::Learning => ("learning", None),
        NormalState::Known => ("known", None),
        NormalState::Paused(decision) => ("paused", Some(decision)),
        NormalState::Stated(decision) => ("stated", Some(decision)),
    };
    dto::OwnNormal {
        metric: line.metric.refid(),
        name: name(line.metric),
        unit: row.map_or("", |row| row.unit.display()).to_owned(),
        decimals: row.map_or(0, |row| row.decimals),
        state: state.to_owned(),
        apply: line.apply.name().to_owned(),
        usual: line.usual.map(band),
        hour: line.hour,
        hours: line.hours.iter().copied().map(band).collect(),
        began_ms: line.began.map(|began| began.div_euclid(1_000)),
        periods: line.slots,
        periods_needed: line.slots_min,
        warm_up_h: line.warm_up_us as f64 / 3.6e9,
        half_life_h: line.half_life_us as f64 / 3.6e9,
        change: line.change.map(|(sign, since)| dto::LevelChange { up: sign > 0.0, since_ms: since.div_euclid(1_000) }),
        trend_per_h: line.trend.map(|trend| trend.slope_per_h),
        policy_low: line.by_policy.0,
        policy_high: line.by_policy.1,
        low_bound: line.bounds.0,
        high_bound: line.bounds.1,
        by: decision.map_or_else(String::new, |decision| decision.by.clone()),
        reason: decision.map_or_else(String::new, |decision| decision.reason.clone()),
    }
}

fn name(metric: MetricCode) -> String {
    metric.metric().map_or_else(|| metric.refid(), |row| row.name.to_owned())
}
