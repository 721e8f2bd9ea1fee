//! `/api/v1/burden`: what alarms cost, by unit, bed, device and rule, without names; how often each
//! score was right in this house; the reports of the weeks.

use std::sync::Arc;

use alert::Policy;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::Extension;
use guard::{Permission, Units};
use parking_lot::Mutex;
use reckoning::{Asked, House, Reckoned, Report, Reports, ScoreRight};
use serde::{Deserialize, Serialize};
use store::Read;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::time::DAY;

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;
use crate::viewer::Viewer;

/// Longest time that one answer is about, in days.
const DAYS_MAX: i64 = 92;
/// Days over which scores are judged, and for how long that answer is good.
const SCORE_DAYS: i64 = 28;
const SCORES_GOOD_US: i64 = 15 * 60_000_000;

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_burden))
        .routes(routes!(export))
        .routes(routes!(get_scores))
        .routes(routes!(get_reports))
        .routes(routes!(get_report))
}

/// What these routes know of the house; a layer of the router.
#[derive(Clone, Default)]
pub struct Burden {
    house: Arc<House>,
    /// How scores did, and when that was looked at. One question at a time.
    scores: Arc<Mutex<Option<(i64, ScoresAnswer)>>>,
}

impl Burden {
    /// Of this house. Where the alert policy says the place's time zone, that goes before.
    #[must_use]
    pub fn new(house: House) -> Self {
        Self { house: Arc::new(house), scores: Arc::default() }
    }

    /// The house as the policy in force has it.
    #[must_use]
    pub fn house(&self, policy: &Policy) -> House {
        let mut house = House::clone(&self.house);
        if let Some(zone) = &policy.zone {
            house.settings.zone = zone.clone();
        }
        house
    }
}

/// What alarms cost in a stretch of time, beside as long a time before it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BurdenAnswer {
    /// First time.
    pub from_ms: i64,
    /// First time after.
    pub to_ms: i64,
    /// Time zone in which hours and days are counted.
    pub zone: String,
    /// Units that may be asked for.
    pub units: Vec<String>,
    /// That time.
    pub now: Reckoned,
    /// As long a time before it.
    pub before: Reckoned,
}

/// How often each score was right in this house.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoresAnswer {
    /// Days looked at.
    pub days: i64,
    /// Hours within which something real must follow.
    pub horizon_h: i64,
    /// Units of higher care, a move to which counts as real; none: moves don't count.
    pub higher_care: Vec<String>,
    /// By score and band.
    pub scores: Vec<ScoreRight>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    from_ms: Option<i64>,
    to_ms: Option<i64>,
    unit: Option<String>,
}

impl Wanted {
    /// The last week, where nothing is said; never more than the account's units.
    fn asked(&self, viewer: &Viewer, now: i64) -> Result<Asked, ApiError> {
        let to = self.to_ms.map_or(now, |ms| ms.saturating_mul(1_000));
        let from = self.from_ms.map_or(to.saturating_sub(7 * DAY), |ms| ms.saturating_mul(1_000));
        if from >= to || to.saturating_sub(from) > DAYS_MAX * DAY {
            return Err(ApiError::bad(format!("from_ms and to_ms: from before to, {DAYS_MAX} days at most")));
        }
        let units = match (&self.unit, &viewer.caller().account.units) {
            (Some(unit), _) if !viewer.works_with(unit) => return Err(ApiError::Forbidden),
            (Some(unit), _) => Some(vec![unit.clone()]),
            (None, Units::Of(units)) => Some(units.iter().cloned().collect()),
            (None, Units::All) => None,
        };
        Ok(Asked { from, to, now, units })
    }
}

/// The role of each account, for who took what.
pub fn roles(guard: &guard::Guard) -> impl Fn(&str) -> Option<String> + use<> {
    let people = if guard.is_open() { Vec::new() } else { guard.list_users().unwrap_or_default() };
    let known: std::collections::HashMap<String, String> =
        people.into_iter().map(|one| (one.name, one.role.name().to_owned())).collect();
    move |name: &str| known.get(name).cloned()
}

fn policy(api: &Api) -> Policy {
    Policy::parse(&api.live.policy().text).unwrap_or_else(|_| Policy::built_in())
}

async fn answer(api: &Api, burden: &Burden, viewer: &Viewer, wanted: &Wanted) -> Result<BurdenAnswer, ApiError> {
    let asked = wanted.asked(viewer, api.now().0)?;
    let policy = policy(api);
    let (house, role_of) = (burden.house(&policy), roles(&api.guard));
    let zone = house.settings.zone.iana_name().unwrap_or("UTC").to_owned();
    let before = Asked { from: asked.from - (asked.to - asked.from), to: asked.from, ..asked.clone() };
    let (from_ms, to_ms) = (asked.from / 1_000, asked.to / 1_000);
    let (now, before) = api
        .ask_settled(move |store: &dyn Read| {
            let now = reckoning::reckon(store, &house, &policy, &asked, &role_of)?;
            Ok((now, reckoning::reckon(store, &house, &policy, &before, &role_of)?))
        })
        .await?;
    Ok(BurdenAnswer { from_ms, to_ms, zone, units: units(api, viewer), now, before })
}

/// Names of the units that the account works with.
fn units(api: &Api, viewer: &Viewer) -> Vec<String> {
    let places = api.live.locations();
    let mut units: Vec<String> = places.iter().map(|place| place.bed.unit.clone()).collect();
    units.sort_unstable();
    units.dedup();
    units.retain(|unit| !unit.is_empty() && viewer.works_with(unit));
    units
}

/// What alarms cost: rates, floods, nuisances, what other limits would have spared.
#[utoipa::path(get, path = "/api/v1/burden", tag = "burden",
    params(
        ("from_ms" = Option<i64>, Query, description = "Raised from then on; seven days before the end if not said"),
        ("to_ms" = Option<i64>, Query, description = "Raised before; now if not said; 92 days at most"),
        ("unit" = Option<String>, Query, description = "Name of a unit; all of the account's if not said"),
    ),
    responses((status = 200, body = BurdenAnswer)))]
pub(crate) async fn get_burden(
    State(api): State<Api>,
    burden: Option<Extension<Burden>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Json<BurdenAnswer>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeeBurden, "/api/v1/burden", None).await?;
    let burden = burden.map(|Extension(burden)| burden).unwrap_or_default();
    Ok(Json(answer(&api, &burden, &viewer, &wanted).await?))
}

/// The same as a table: `section,name,unit,figure,value`.
#[utoipa::path(get, path = "/api/v1/burden/export", tag = "burden",
    params(
        ("from_ms" = Option<i64>, Query, description = "As in the figures"),
        ("to_ms" = Option<i64>, Query, description = "As in the figures"),
        ("unit" = Option<String>, Query, description = "As in the figures"),
    ),
    responses((status = 200, content_type = "text/csv", body = String)))]
pub(crate) async fn export(
    State(api): State<Api>,
    burden: Option<Extension<Burden>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeeBurden, "/api/v1/burden/export", None).await?;
    let burden = burden.map(|Extension(burden)| burden).unwrap_or_default();
    let answer = answer(&api, &burden, &viewer, &wanted).await?;
    let kind = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"alarm-burden.csv\""),
    ];
    Ok((kind, ::burden::csv(&answer.now.figures)).into_response())
}

/// How often each score's warning was followed by something real in this house, over four weeks.
#[utoipa::path(get, path = "/api/v1/burden/scores", tag = "burden",
    responses((status = 200, body = ScoresAnswer)))]
pub(crate) async fn get_scores(
    State(api): State<Api>,
    burden: Option<Extension<Burden>>,
    headers: HeaderMap,
) -> Result<Json<ScoresAnswer>, ApiError> {
    api.enter(&headers, Permission::SeePolicy, "/api/v1/burden/scores", None).await?;
    let burden = burden.map(|Extension(burden)| burden).unwrap_or_default();
    let (house, now) = (burden.house(&policy(&api)), api.now().0);
    let asked = Asked { from: now - SCORE_DAYS * DAY, to: now, now, units: None };
    let told = api
        .ask(move |store| {
            // Whoever asks while it is worked out waits for that answer.
            let mut known = burden.scores.lock();
            if let Some((_, answer)) = known.as_ref().filter(|(at, _)| now - at < SCORES_GOOD_US) {
                return Ok(answer.clone());
            }
            let answer = ScoresAnswer {
                days: SCORE_DAYS,
                horizon_h: reckoning::HORIZON_US / vitals::time::HOUR,
                higher_care: house.higher_care.clone(),
                scores: reckoning::scores(store, &house, &asked)?,
            };
            *known = Some((now, answer.clone()));
            Ok(answer)
        })
        .await?;
    Ok(Json(told))
}

/// The reports of the weeks, newest first: of the whole house, for who works with all of it.
#[utoipa::path(get, path = "/api/v1/burden/reports", tag = "burden",
    responses((status = 200, body = Vec<Reports>)))]
pub(crate) async fn get_reports(
    State(api): State<Api>,
    headers: HeaderMap,
) -> Result<Json<Vec<Reports>>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeeBurden, "/api/v1/burden/reports", None).await?;
    if !viewer.whole_house() {
        return Ok(Json(Vec::new()));
    }
    Ok(Json(api.ask(|store| reckoning::kept(store)).await?))
}

/// The report of a week.
#[utoipa::path(get, path = "/api/v1/burden/reports/{name}", tag = "burden",
    params(("name" = String, Path, description = "`2026-W47`")),
    responses((status = 200, body = Report), (status = 404, body = crate::dto::ErrorBody)))]
pub(crate) async fn get_report(
    State(api): State<Api>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Report>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeeBurden, "/api/v1/burden/reports/{name}", None).await?;
    if !viewer.whole_house() {
        return Err(ApiError::NotFound("report"));
    }
    let found = api.ask(move |store| reckoning::kept_one(store, &name)).await?;
    found.map(Json).ok_or(ApiError::NotFound("report"))
}
