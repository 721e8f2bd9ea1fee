//! Alerts: the worklist, one alert's history, and what people do to it.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::AlertRecord;
use guard::{Category, Permission};
use serde::Deserialize;
use store::{AlertEventRow, AlertQuery, Page, Span};
use vitals::{Action, EpisodeId, PatientId, ReceiveTime};

use crate::access::shown;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;
use crate::view;
use crate::viewer::Viewer;

/// Longest time for which an alert may be silenced.
const SNOOZE_MINUTES_MAX: u32 = 240;
const MINUTE_US: i64 = 60_000_000;
/// Most alerts that are looked through for those that a viewer may see.
const LOOKED_MAX: u64 = 20_000;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    #[serde(default = "open")]
    state: String,
    priority: Option<String>,
    unit: Option<String>,
    patient: Option<String>,
    limit: Option<u64>,
    before_ms: Option<i64>,
}

fn open() -> String {
    "open".to_owned()
}

/// Alerts: open ones by urgency, others newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts",
    params(
        ("state" = Option<String>, Query, description = "open (if not said), resolved, all"),
        ("priority" = Option<String>, Query, description = "At least: low, medium, high"),
        ("unit" = Option<String>, Query, description = "Name of a unit"),
        ("patient" = Option<String>, Query, description = "Patient id"),
        ("limit" = Option<u64>, Query, description = "At most this many, 200 if not said, 1,000 at most"),
        ("before_ms" = Option<i64>, Query, description = "Raised before, to go on"),
    ),
    responses((status = 200, body = dto::AlertPage)))]
pub(crate) async fn get_alerts(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<dto::AlertPage>, ApiError> {
    let patient = asked.patient.as_deref().map(PatientId::new).transpose();
    let patient = patient.map_err(|error| ApiError::bad(error.to_string()))?;
    let viewer = api.viewer(&headers)?;
    let route = "/api/v1/alerts";
    api.enter_as(&viewer, Permission::SeePatients, route, patient.as_ref()).await?;
    let position = api.live.changes().position();
    let open = match asked.state.as_str() {
        "open" => Some(true),
        "resolved" => Some(false),
        "all" => None,
        _ => return Err(ApiError::bad("state: open, resolved or all")),
    };
    let limit = asked.limit.unwrap_or(200).min(1_000);
    let query = AlertQuery {
        patient,
        unit: asked.unit,
        open,
        priority_min: match asked.priority.as_deref() {
            Some("high") => 3,
            Some("medium") => 2,
            _ => 0,
        },
        raised: Span { from: None, to: asked.before_ms.map(|ms| ms.saturating_mul(1_000)) },
        urgent_first: open == Some(true),
        page: Page { skip: 0, limit },
        ..AlertQuery::default()
    };
    let (records, total) = seen(&api, &viewer, query).await?;
    shown(records.iter().map(|record| &record.patient));
    let alerts = records.iter().map(|record| view::alert(record, &api.live)).collect();
    Ok(Json(dto::AlertPage { alerts, total, position }))
}

/// The alerts of patients whom the viewer may see, and how many there are: where others lie in
/// between, of the first [`LOOKED_MAX`].
async fn seen(
    api: &Api,
    viewer: &Viewer,
    query: AlertQuery,
) -> Result<(Vec<AlertRecord>, u64), ApiError> {
    let wanted = query.page.limit as usize;
    let (mut records, mut looked, mut hidden) = (Vec::new(), 0, false);
    let mut page = query.page;
    loop {
        let part = AlertQuery { page, ..query.clone() };
        let found = api.ask_settled(move |store| store.alerts(&part)).await?;
        let all = found.rows.len();
        looked += all as u64;
        let read = found.rows.iter().filter_map(|row| serde_json::from_slice::<AlertRecord>(&row.body).ok());
        let before = records.len();
        let kinds = |record: &AlertRecord| viewer.kinds(Permission::SeePatients, &record.patient);
        records.extend(read.filter(|record| kinds(record).has(Category::Alerts)));
        hidden |= records.len() - before < all;
        if !hidden {
            return Ok((records, found.total));
        }
        if looked >= found.total || looked >= LOOKED_MAX || all == 0 {
            let total = records.len() as u64;
            records.truncate(wanted);
            return Ok((records, total));
        }
        page = Page { skip: looked, limit: 1_000 };
    }
}

fn episode(text: &str) -> Result<EpisodeId, ApiError> {
    text.parse().map_err(|_| ApiError::bad("an episode is named e<offset>-<index>"))
}

/// One alert with its history.
#[utoipa::path(get, path = "/api/v1/alerts/{episode}", tag = "alerts",
    params(("episode" = String, Path, description = "Episode id")),
    responses((status = 200, body = dto::AlertHistory), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_alert(
    State(api): State<Api>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::AlertHistory>, ApiError> {
    let found = found(&api, episode(&text)?).await?;
    let (whose, route) = (found.as_ref().map(|(record, _)| &record.patient), "/api/v1/alerts/{episode}");
    api.enter_found(&headers, Permission::SeePatients, route, whose, "alert").await?;
    let (record, events) = found.ok_or(ApiError::NotFound("alert"))?;
    Ok(Json(history(&api, &record, &events)))
}

/// An alert and what happened to it, if there is one of that id.
async fn found(
    api: &Api,
    id: EpisodeId,
) -> Result<Option<(AlertRecord, Vec<AlertEventRow>)>, ApiError> {
    let (row, events) =
        api.ask_settled(move |store| Ok((store.alert(id)?, store.alert_events(id)?))).await?;
    let Some(row) = row else { return Ok(None) };
    let record = serde_json::from_slice(&row.body).map_err(|error| ApiError::internal(&error))?;
    Ok(Some((record, events)))
}

fn history(api: &Api, record: &AlertRecord, events: &[AlertEventRow]) -> dto::AlertHistory {
    dto::AlertHistory {
        alert: view::alert(record, &api.live),
        events: events.iter().map(event).collect(),
    }
}

fn event(row: &AlertEventRow) -> dto::AlertEvent {
    let body: serde_json::Value = serde_json::from_slice(&row.body).unwrap_or_default();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    dto::AlertEvent {
        time_ms: row.at.millis(),
        kind: row.kind.clone(),
        priority: text("priority"),
        actor: row.actor.clone(),
        detail: text("detail"),
        verdict: body["verdict"].as_str().map(ToOwned::to_owned),
    }
}

/// Does something to an alert: `acknowledge`, `snooze`, `escalate`, `reset`; or says what it was:
/// `judge`, also after it is over. Whoever acknowledges or resets may say it in one go.
#[utoipa::path(post, path = "/api/v1/alerts/{episode}/{action}", tag = "alerts",
    params(
        ("episode" = String, Path, description = "Episode id"),
        ("action" = String, Path, description = "acknowledge, snooze, escalate, reset, judge"),
    ),
    request_body = dto::AlertAction,
    responses((status = 200, body = dto::Alert), (status = 400, body = dto::ErrorBody),
        (status = 404, body = dto::ErrorBody), (status = 409, body = dto::ErrorBody)))]
pub(crate) async fn post_alert(
    State(api): State<Api>,
    Path((text, verb)): Path<(String, String)>,
    headers: HeaderMap,
    Json(wanted): Json<dto::AlertAction>,
) -> Result<Json<dto::Alert>, ApiError> {
    let route = "/api/v1/alerts/{episode}/{action}";
    let episode = episode(&text)?;
    let there = found(&api, episode).await?;
    let whose = there.as_ref().map(|(record, _)| &record.patient);
    let actor = api.enter_found(&headers, Permission::ActOnAlerts, route, whose, "alert").await?;
    let verdict = wanted.verdict()?;
    let until = |minutes: u32| ReceiveTime(api.now().0 + i64::from(minutes) * MINUTE_US);
    let action = match verb.as_str() {
        "acknowledge" => Action::Acknowledge {
            episode,
            until: wanted.minutes.map(until),
            note: wanted.reason,
        },
        "snooze" => match wanted.minutes {
            Some(minutes @ 1..=SNOOZE_MINUTES_MAX) if !wanted.reason.trim().is_empty() => {
                Action::Snooze { episode, until: until(minutes), reason: wanted.reason }
            }
            _ => return Err(ApiError::bad("snooze: minutes from 1 to 240, and a reason")),
        },
        "escalate" => Action::Escalate { episode, reason: wanted.reason },
        "reset" => Action::Reset { episode, note: wanted.reason },
        "judge" => match verdict {
            Some(verdict) => Action::Judge { episode, verdict, note: wanted.reason },
            None => return Err(ApiError::bad("judge: a verdict, actionable, not-actionable or artefact")),
        },
        _ => return Err(ApiError::NotFound("action")),
    };
    let (before, events) = there.ok_or(ApiError::NotFound("alert"))?;
    let before = history(&api, &before, &events).alert;
    let judges = verb == "judge";
    if before.state == "resolved" && !judges {
        return Err(ApiError::Conflict("the alert is over already".to_owned()));
    }
    if verb == "reset" && before.state != "latched" {
        return Err(ApiError::Conflict("only a latched alert can be reset".to_owned()));
    }
    api.act(actor.clone(), action).await?;
    if let Some(verdict) = verdict.filter(|_| !judges) {
        api.act(actor, Action::Judge { episode, verdict, note: String::new() }).await?;
    }
    let (after, events) = found(&api, episode).await?.ok_or(ApiError::NotFound("alert"))?;
    Ok(Json(history(&api, &after, &events).alert))
}
