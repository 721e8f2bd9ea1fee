//! Who saw what of a patient and when, in plain words.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::{Access, Permission};
use serde::Deserialize;
use vitals::time::{DAY, HOUR};
use vitals::{PatientId, ReceiveTime};

use super::shapes::{AccessReport, AccessView};
use super::{enter, guarded, records, words};
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::state::Api;

/// How far back when nobody says.
const BACK_US: i64 = 90 * DAY;
/// Lines of one report.
const LINES_MAX: usize = 2_000;

/// Of which time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    from_ms: Option<i64>,
    to_ms: Option<i64>,
}

impl Asked {
    /// All that the log holds.
    pub(super) const fn since_ever() -> Self {
        Self { from_ms: Some(0), to_ms: None }
    }
}

/// Who saw what of a patient, for the security officer.
#[utoipa::path(get, path = "/api/v1/patients/{id}/accesses", tag = "privacy",
    params(("id" = String, Path, description = "Patient id"),
        ("from_ms" = Option<i64>, Query, description = "Milliseconds since 1970; 90 days ago if not said"),
        ("to_ms" = Option<i64>, Query, description = "Milliseconds since 1970; now if not said")),
    responses((status = 200, body = AccessReport), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_accesses(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<AccessReport>, ApiError> {
    let route = "/api/v1/patients/{id}/accesses";
    let seen = enter(&api, &headers, Permission::SeeAudit, route, &id).await?;
    Ok(Json(report(&api, records(&seen), &asked).await?))
}

/// The report on these records of one patient.
pub(super) async fn report(
    api: &Api,
    patients: Vec<PatientId>,
    asked: &Asked,
) -> Result<AccessReport, ApiError> {
    let now = api.now();
    let to = asked.to_ms.map_or(now.plus(1), ReceiveTime::from_millis);
    let from = asked.from_ms.map_or(to.plus(-BACK_US), ReceiveTime::from_millis);
    if from >= to {
        return Err(ApiError::bad("from_ms must lie before to_ms"));
    }
    let (found, mut more) = if api.guard.is_open() {
        (Vec::new(), false)
    } else {
        guarded(api, move |guard| guard.who_saw(&patients, from, to)).await?
    };
    let mut lines = summed_up(&found);
    more |= lines.len() > LINES_MAX;
    lines.truncate(LINES_MAX);
    Ok(AccessReport { from_ms: from.millis(), to_ms: to.millis(), accesses: lines, more })
}

/// One line for what one did again and again within an hour; the latest first, as it comes.
fn summed_up(found: &[Access]) -> Vec<AccessView> {
    let mut lines: Vec<AccessView> = Vec::new();
    for access in found {
        let what = words::deed(&access.action, &access.route);
        let outcome = match access.outcome.as_str() {
            "allowed" => "seen",
            "denied" => "refused",
            _ => "failed",
        };
        let at = access.at.div_euclid(1_000);
        let who = if access.client.is_empty() {
            access.actor.clone()
        } else {
            format!("{}, with the application {}", access.actor, access.client)
        };
        let same = lines.iter_mut().rev().take(50).find(|line| {
            line.who == who && line.what == what && line.outcome == outcome && line.last_ms - at < HOUR / 1_000
        });
        match same {
            Some(line) => {
                line.times += 1;
                line.at_ms = line.at_ms.min(at);
            }
            None => lines.push(AccessView {
                at_ms: at,
                last_ms: at,
                times: 1,
                who,
                role: access.role.clone(),
                what: what.to_owned(),
                outcome: outcome.to_owned(),
                purpose: words::purpose(&access.purpose).to_owned(),
            }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_again_is_one_line() {
        let access = |at: i64, actor: &str, route: &str| Access {
            number: 1,
            at,
            actor: actor.to_owned(),
            role: "nurse".to_owned(),
            action: "see-patients".to_owned(),
            route: route.to_owned(),
            outcome: "allowed".to_owned(),
            purpose: "TREAT".to_owned(),
            client: String::new(),
        };
        let trends = "/api/v1/patients/{id}/trends";
        let found = [
            access(3 * HOUR, "nora", trends),
            access(3 * HOUR - 1_000_000, "paul", trends),
            access(3 * HOUR - 2_000_000, "nora", trends),
            access(HOUR, "nora", trends),
        ];
        let lines = summed_up(&found);
        let told: Vec<_> = lines.iter().map(|line| (line.who.as_str(), line.times, line.at_ms)).collect();
        assert_eq!(told, [("nora", 2, 10_798_000), ("paul", 1, 10_799_000), ("nora", 1, 3_600_000)]);
        assert_eq!((lines[0].what.as_str(), lines[0].purpose.as_str()), ("Looked at trends", "treatment"));
    }
}
