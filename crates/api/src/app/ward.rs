//! The whole ward, and how busy the program is.

use axum::extract::State;
use axum::http::HeaderMap;
use guard::Permission;
use serde::Deserialize;
use vitals::PatientId;

use crate::access::shown;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Query};
use crate::state::Api;
use crate::view;
use crate::viewer::Viewer;

/// Patients in no bed are shown at most this many, the last heard of first.
const WITHOUT_BED_MAX: usize = 200;

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    unit: Option<String>,
}

/// The whole ward, or one unit of it.
#[utoipa::path(get, path = "/api/v1/ward", tag = "ward",
    params(("unit" = Option<String>, Query, description = "Name of a unit")),
    responses((status = 200, body = dto::Ward)))]
pub(crate) async fn get_ward(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<dto::Ward>, ApiError> {
    let viewer = api.viewer(&headers)?;
    api.enter_as(&viewer, Permission::SeePatients, "/api/v1/ward", None).await?;
    let ward = ward(&api, &viewer, asked.unit.as_deref());
    shown(ids(ward.tiles.iter().map(|tile| tile.patient.id.as_str())).iter());
    Ok(Json(ward))
}

/// Ids of patients as an answer writes them.
pub(crate) fn ids<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<PatientId> {
    texts.filter_map(|text| PatientId::new(text).ok()).collect()
}

/// The ward as of now, with whatever the viewer may see of it.
#[must_use]
pub fn ward(api: &Api, viewer: &Viewer, unit: Option<&str>) -> dto::Ward {
    let now = api.now();
    // The position first: what changes while the tiles are made comes again on the stream.
    let position = api.live.changes().position();
    let mut seen = api.live.patients();
    seen.retain(|patient| view::on_ward(patient));
    if let Some(unit) = unit {
        seen.retain(|patient| patient.location.as_ref().is_some_and(|l| l.bed.unit == unit));
    }
    let (mut seen, mut others): (Vec<_>, Vec<_>) =
        seen.into_iter().partition(|patient| patient.location.is_some());
    others.retain(|patient| viewer.may_see(&patient.patient.id));
    others.sort_by_key(|patient| std::cmp::Reverse(patient.clock));
    others.truncate(WITHOUT_BED_MAX);
    seen.extend(others);
    let tiles = seen.iter().filter_map(|patient| viewer.tile(patient, now.0));
    let mut tiles: Vec<dto::Tile> = tiles.collect();
    tiles.sort_by(|a, b| {
        let key = |tile: &dto::Tile| {
            let place = tile.location.as_ref();
            (place.is_none(), place.map(|l| (l.unit.clone(), natural(&l.name))), tile.patient.id.clone())
        };
        key(a).cmp(&key(b))
    });
    let mut units: Vec<String> = api
        .live
        .locations()
        .iter()
        .filter(|location| !location.bed.bed.is_empty())
        .map(|location| location.bed.unit.clone())
        .filter(|unit| viewer.works_with(unit))
        .chain(tiles.iter().filter_map(|tile| tile.location.as_ref().map(|l| l.unit.clone())))
        .collect();
    units.sort();
    units.dedup();
    dto::Ward { now_ms: now.millis(), position, tiles, units }
}

/// Text and numbers apart, so that bed 10 comes after bed 9.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - text);
        let number = rest[text..text + digits].parse().unwrap_or(0);
        parts.push((rest[..text].to_owned(), number));
        rest = &rest[text + digits..];
    }
    parts
}

/// How busy the program is.
#[must_use]
pub fn load(api: &Api) -> dto::Load {
    let stats = api.appender.stats();
    let fills = stats.queued_bytes.into_iter().zip(stats.limit_bytes);
    let fill = fills.map(|(used, limit)| used as f64 / limit.max(1) as f64).fold(0.0, f64::max);
    let mut counted: Vec<(String, u64)> = api.live.counted().into_iter().collect();
    counted.push(("duplicate".to_owned(), stats.duplicates));
    counted.push(("not-written".to_owned(), stats.failed));
    dto::Load {
        messages_per_s: api.live.messages_per_s(api.now()),
        queue_fill: fill,
        slowed: fill > 0.9,
        behind: api.appender.next_offset().saturating_sub(api.live.progress().judged()),
        connections: gauges(api, "vitalwire_gateway_connections"),
        counted,
    }
}

/// Values of a gauge by protocol, from the metrics.
fn gauges(api: &Api, name: &str) -> Vec<(String, u64)> {
    let text = api.metrics.render();
    text.lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix("{protocol=\""))
        .filter_map(|line| {
            let (protocol, value) = line.split_once("\"} ")?;
            Some((protocol.to_owned(), value.parse::<f64>().ok()? as u64))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bed_ten_comes_after_bed_nine() {
        let mut beds = ["12-B", "9-A", "10-A", "Bed 2", "Bed 10"];
        beds.sort_by_key(|bed| natural(bed));
        assert_eq!(beds, ["9-A", "10-A", "12-B", "Bed 2", "Bed 10"]);
    }
}
