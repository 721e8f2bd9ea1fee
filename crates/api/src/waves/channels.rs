//! Which waveforms a patient has.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::HeaderMap;
use engine::{PatientView, WaveLine};
use guard::Permission;
use store::{SeriesFilter, SeriesInfo, WaveExtent};
use vitals::time::SECOND;
use vitals::{EffectiveTime, PatientId, Rate, SeriesId, SeriesKey};

use super::names;
use super::shapes::{WaveChannel, WaveChannels};
use crate::app::patients::known;
use crate::dto;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;

/// A channel that brought nothing for this long is not live.
const LIVE_US: i64 = 10 * SECOND;

/// The patient, and whoever was merged into them.
pub(crate) fn subjects(seen: &PatientView) -> Vec<PatientId> {
    let mut subjects = vec![seen.patient.id.clone()];
    subjects.extend(seen.merged.iter().cloned());
    subjects
}

/// The waveforms of a patient: those that come now, and all that are kept.
#[utoipa::path(get, path = "/api/v1/patients/{id}/waveforms", tag = "waveforms",
    params(("id" = String, Path, description = "Patient id")),
    responses((status = 200, body = WaveChannels), (status = 404, body = dto::ErrorBody)))]
pub(crate) async fn get_waveforms(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<WaveChannels>, ApiError> {
    let subject = PatientId::new(&id).ok();
    let route = "/api/v1/patients/{id}/waveforms";
    api.enter(&headers, Permission::SeePatients, route, subject.as_ref()).await?;
    let seen = known(&api, &id)?;
    let stored = stored(&api, subjects(&seen)).await?;
    let mut channels: Vec<WaveChannel> =
        seen.waves.iter().filter_map(|line| present(&api, &seen, line, &stored)).collect();
    for (info, extent) in &stored {
        if seen.waves.iter().all(|line| line.series != info.id) {
            channels.push(past(info, extent));
        }
    }
    channels.sort_by_key(|channel| channel.series);
    Ok(Json(WaveChannels { channels }))
}

/// The waveforms that the store has of some patients.
pub(crate) async fn stored(
    api: &Api,
    subjects: Vec<PatientId>,
) -> Result<Vec<(SeriesInfo, WaveExtent)>, ApiError> {
    api.ask(move |store| {
        let filter = SeriesFilter { subjects, ..SeriesFilter::default() };
        let mut found = Vec::new();
        for info in store.series(&filter)? {
            if let Some(extent) = store.wave_extent(info.id)? {
                found.push((info, extent));
            }
        }
        Ok(found)
    })
    .await
}

fn blank(series: SeriesId, key: &SeriesKey) -> WaveChannel {
    let row = key.metric.metric();
    let refid = key.metric.refid();
    WaveChannel {
        series: series.0,
        device: key.device.to_string(),
        label: row.map_or_else(|| refid.clone(), |row| row.label.to_owned()),
        unit: row.map_or("", |row| row.unit.display()).to_owned(),
        metric: refid,
        rate: [0, 1],
        first_ms: 0,
        last_ms: 0,
        live: false,
        recorded: false,
        quality: names::reason(0).to_owned(),
        quality_index: None,
        drift_ppm: None,
        counted: BTreeMap::new(),
    }
}

/// A channel that the engine knows; none if it never brought a sample.
fn present(
    api: &Api,
    seen: &PatientView,
    line: &WaveLine,
    stored: &[(SeriesInfo, WaveExtent)],
) -> Option<WaveChannel> {
    let key = SeriesKey {
        subject: Some(seen.patient.id.clone()),
        device: line.device.clone(),
        metric: line.metric,
        channel: line.channel,
    };
    let fresh = api.live.waves().since(line.series, 0);
    let extent = stored.iter().find(|(info, _)| info.id == line.series).map(|(_, extent)| extent);
    let first = [extent.map(|extent| extent.first), fresh.first().map(|(_, run)| run.start())];
    let last = [extent.map(|extent| extent.last), fresh.last().map(|(_, run)| last_sample(run))];
    let (index, reason) = line.quality.map_or((None, 0), |(index, reason)| (Some(index), reason));
    let heard = fresh.last().map(|(_, run)| run.received.0);
    Some(WaveChannel {
        rate: line.rate.map_or([0, 1], fraction),
        first_ms: first.into_iter().flatten().min()?.millis(),
        last_ms: last.into_iter().flatten().max()?.millis(),
        live: !seen.recorded && heard.is_some_and(|at| api.now().0 - at < LIVE_US),
        recorded: seen.recorded,
        quality: names::reason(reason).to_owned(),
        quality_index: index,
        drift_ppm: line.drift_ppm,
        counted: line.counted.iter().cloned().collect(),
        ..blank(line.series, &key)
    })
}

fn last_sample(run: &vitals::WaveRun) -> EffectiveTime {
    run.time_of((run.samples.len() as u64).saturating_sub(1))
}

fn fraction(rate: Rate) -> [u32; 2] {
    [rate.numerator(), rate.denominator()]
}

/// A channel of which only the store knows: of a device that the patient no longer has.
fn past(info: &SeriesInfo, extent: &WaveExtent) -> WaveChannel {
    let span = (extent.last.0 - extent.first.0) as f64 / SECOND as f64;
    let rate = Rate::from_hz((extent.samples.saturating_sub(1)) as f64 / span);
    WaveChannel {
        rate: rate.map_or([0, 1], fraction),
        first_ms: extent.first.millis(),
        last_ms: extent.last.millis(),
        ..blank(info.id, &info.key)
    }
}
