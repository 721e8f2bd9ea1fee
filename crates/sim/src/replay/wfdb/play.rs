//! Plays records: each is a device on a connection of its own, its frames and numerics in order of time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::super::play::{Player, Shared, joined};
use super::super::{EPOCH, ReplayConfig, ReplayReport, Speed};
use super::frames::Frames;
use super::{Found, Track, WfdbSource, find, read};
use crate::error::SimError;
use crate::link::Http;
use crate::wire::frame::{HAS_TIME, RECORDED};
use crate::wire::senml;

/// Plays all records of the source; what was sent is added to the report.
pub(in crate::replay) async fn play(
    config: &Arc<ReplayConfig>,
    source: &WfdbSource,
    shared: &Arc<Shared>,
    report: &mut ReplayReport,
) -> Result<(), SimError> {
    let found = Arc::new(find(source, config.patients)?);
    shared.total.store(found.len() as u64, Ordering::Relaxed);
    // Paced records all play at the same time, others as many as there are connections.
    let lanes = if config.speed == Speed::Max { config.connections } else { found.len() };
    let lanes = Arc::new(Semaphore::new(lanes.max(1)));
    let mut tasks: JoinSet<Result<Track, SimError>> = JoinSet::new();
    for at in 0..found.len() {
        let lane = Arc::clone(&lanes).acquire_owned().await;
        let (config, shared) = (Arc::clone(config), Arc::clone(shared));
        let (source, found) = (source.clone(), Arc::clone(&found));
        tasks.spawn(async move {
            let _lane = lane;
            one(config, &source, found, at, shared).await
        });
        while let Some(done) = tasks.try_join_next() {
            count(report, joined(done)?);
        }
    }
    while let Some(done) = tasks.join_next().await {
        count(report, joined(done)?);
    }
    Ok(())
}

fn count(report: &mut ReplayReport, track: Track) {
    let sent: u64 = track.counts.values().sum();
    report.patients += 1;
    report.values += sent;
    report.distinct_values += sent;
    for (metric, count) in &track.counts {
        *report.by_metric.entry(metric.clone()).or_default() += count;
    }
    for (what, count) in track.left_out {
        *report.left_out.entry(what).or_default() += count;
    }
    report.by_device.insert(track.device, track.counts);
}

async fn one(
    config: Arc<ReplayConfig>,
    source: &WfdbSource,
    found: Arc<Found>,
    at: usize,
    shared: Arc<Shared>,
) -> Result<Track, SimError> {
    let (reading, files) = (source.clone(), Arc::clone(&found));
    let track = joined(tokio::task::spawn_blocking(move || read(&reading, &files, at)).await)?;
    let base_us = if source.as_live { now_us() } else { EPOCH };
    let http = Http::new(&config.http, config.token.clone());
    http.post("/api/v1/associations", &Value::Array(vec![association(&track, base_us)])).await?;
    let times = match config.speed {
        Speed::Max => None,
        Speed::Times(times) => Some(times),
    };
    let pace = Pace { begin: Instant::now(), times };
    let mut player = Player::new(Arc::clone(&config), Arc::clone(&shared), http, at);
    send(&mut player, &track, source.as_live, base_us, &pace).await?;
    player.finish().await?;
    shared.patients.fetch_add(1, Ordering::Relaxed);
    Ok(track)
}

fn association(track: &Track, base_us: i64) -> Value {
    json!({
        "device": track.device,
        "identifier": track.patient,
        "since_ms": base_us / 1_000 - 1,
        "name": "",
        "birth_date": null,
        "sex": "unknown",
    })
}

async fn send(
    player: &mut Player,
    track: &Track,
    as_live: bool,
    base_us: i64,
    pace: &Pace,
) -> Result<(), SimError> {
    let flags = if as_live { HAS_TIME } else { HAS_TIME | RECORDED };
    let numerics_on = if as_live { "measurements" } else { "recording" };
    let waves_topic = format!("vitalwire/{}/waveform", track.device);
    let numerics_topic = format!("vitalwire/{}/{numerics_on}", track.device);
    let mut moments = track.numerics.iter().peekable();
    let mut frames = Frames::new(track, base_us, flags).peekable();
    loop {
        // A frame is sent when its second is over.
        let frame_us = frames.peek().map(|second| (second.number + 1) * 1_000_000);
        let moment_us = moments.peek().map(|moment| moment.time_us);
        match (moment_us, frame_us) {
            (None, None) => return Ok(()),
            (Some(moment_us), frame_us) if frame_us.is_none_or(|frame_us| moment_us < frame_us) => {
                let Some(moment) = moments.next() else { continue };
                pace.wait(player, moment_us).await?;
                let value = |(name, unit, value): &(&'static str, &'static str, f64)| senml::Value { name, unit, value: *value };
                let pack: Vec<senml::Value<'_>> = moment.values.iter().map(value).collect();
                player.publish(&numerics_topic, &senml::json(base_us + moment_us, &pack), pack.len()).await?;
            }
            (_, frame_us) => {
                let Some(second) = frames.next() else { continue };
                pace.wait(player, frame_us.unwrap_or(0)).await?;
                player.publish(&waves_topic, &second.payload, second.samples).await?;
            }
        }
    }
}

/// When what belongs to a time of the record is due.
struct Pace {
    begin: Instant,
    times: Option<f64>,
}

impl Pace {
    async fn wait(&self, player: &mut Player, time_us: i64) -> Result<(), SimError> {
        let Some(times) = self.times else { return Ok(()) };
        let due = self.begin + Duration::from_secs_f64(time_us.max(0) as f64 / 1e6 / times);
        if due > Instant::now() {
            player.settle().await?;
            sleep_until(due).await;
        }
        Ok(())
    }
}

fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}
