//! The house for those who run it: which beds are taken and how much care they need, without a
//! name, a value or a time that tells who came when.

use axum::extract::State;
use axum::http::HeaderMap;
use engine::PatientView;
use guard::Permission;
use score::Band;
use vitals::time::HOUR;

use super::shapes::{BedView, Beds};
use crate::error::ApiError;
use crate::extract::Json;
use crate::state::Api;

/// Beds without names and values.
#[utoipa::path(get, path = "/api/v1/operations/beds", tag = "privacy",
    responses((status = 200, body = Beds)))]
pub(crate) async fn get_beds(State(api): State<Api>, headers: HeaderMap) -> Result<Json<Beds>, ApiError> {
    api.enter(&headers, Permission::SeeMinimised, "/api/v1/operations/beds", None).await?;
    Ok(Json(beds(&api)))
}

fn beds(api: &Api) -> Beds {
    let now = api.now();
    let patients = api.live.patients();
    let mut beds: Vec<BedView> = api
        .live
        .locations()
        .iter()
        .filter(|location| !location.bed.bed.is_empty())
        .map(|location| {
            let here = |seen: &&std::sync::Arc<PatientView>| {
                seen.location.as_ref().is_some_and(|place| place.id == location.id)
            };
            let lying = patients.iter().find(here);
            BedView {
                unit: location.bed.unit.clone(),
                bed: location.name.clone(),
                occupied: lying.is_some(),
                hours: lying.and_then(|seen| hours(seen, now.0)),
                acuity: lying.and_then(|seen| acuity(seen)).map(str::to_owned),
                devices: lying.map_or(0, |seen| u32::try_from(seen.devices.len()).unwrap_or(u32::MAX)),
            }
        })
        .collect();
    beds.sort_by(|a, b| (&a.unit, &a.bed).cmp(&(&b.unit, &b.bed)));
    Beds { now_ms: now.millis(), beds }
}

/// Since when in whole hours: an exact time of admission tells who it is.
fn hours(seen: &PatientView, now_us: i64) -> Option<u32> {
    let start = seen.encounter.as_ref()?.start?;
    u32::try_from((now_us - start.0).max(0) / HOUR).ok()
}

/// In three bands, by the early-warning score and by alerts that nobody took: no number.
fn acuity(seen: &PatientView) -> Option<&'static str> {
    let score = seen.scores.iter().find(|(metric, _)| *metric == seen.primary).map(|(_, score)| score.band);
    let urgent = seen.alerts.iter().any(|episode| episode.priority == alert::Priority::High);
    match score {
        _ if urgent => Some("urgent"),
        Some(Band::High) => Some("urgent"),
        Some(Band::Medium | Band::LowMedium) => Some("watch"),
        Some(_) => Some("routine"),
        None if seen.values.is_empty() => None,
        None => Some("routine"),
    }
}
