//! How many observations and messages a second are acknowledged after they are durable, and
//! whether every one of them is then in the store.

use std::time::Instant;

use anyhow::ensure;
use sim::load::{self, LoadReport, MllpLoad, MqttLoad};

use crate::report::{Budget, Report};
use crate::server::Server;
use crate::Bench;

/// Devices in the MQTT measures.
pub const CONNECTIONS: usize = 10_000;

/// What a run over MQTT found.
pub struct Ingested {
    /// From the client's side.
    pub load: LoadReport,
    /// From the first message until every acknowledged one was in the store, s.
    pub stored_s: f64,
}

/// Durable QoS 1 observations: many devices, one value a message.
///
/// # Errors
/// When the platform fails, or the store does not hold exactly what was acknowledged.
pub async fn mqtt(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let wide = one(bench, 16, report).await?;
    report.against(
        "mqtt_observations_per_s",
        "durable QoS 1 observations, 10,000 connections, 16 in flight each",
        wide.load.messages_per_s,
        "/s",
        Budget::AtLeast(100_000.0),
    );
    let rate = wide.load.acknowledged as f64 / wide.stored_s;
    report.add("mqtt_stored_per_s", "… until all of them are in the store", rate, "/s");
    report.add("mqtt_ack_p50_ms", "… acknowledged, p50", ms(wide.load.latency.p50_us), "ms");
    report.add("mqtt_ack_p99_ms", "… acknowledged, p99", ms(wide.load.latency.p99_us), "ms");
    let narrow = one(bench, 1, report).await?;
    report.add(
        "mqtt_window_1_per_s",
        "durable QoS 1 observations, 10,000 connections, 1 in flight each",
        narrow.load.messages_per_s,
        "/s",
    );
    Ok(())
}

async fn one(bench: &Bench, window: usize, report: &mut Report) -> anyhow::Result<Ingested> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    let load = MqttLoad {
        address: server.mqtt.clone(),
        connections: CONNECTIONS,
        window,
        seconds: bench.seconds(10.0),
        ..MqttLoad::default()
    };
    let before = server.usage().cpu_s;
    let began = Instant::now();
    let load = load::run_mqtt(load, |_| {}).await?;
    // Connecting is not part of it.
    let connecting = began.elapsed().as_secs_f64() - load.seconds;
    ensure!(load.broken == 0 && load.refused == 0, "connections broke or were refused: {load:?}");
    let stored = server.stored_at_least(load.acknowledged).await?;
    let stored_s = began.elapsed().as_secs_f64() - connecting;
    ensure!(stored == load.acknowledged, "{stored} stored, {} acknowledged", load.acknowledged);
    let cpu = (server.usage().cpu_s - before) / load.acknowledged as f64 * 1e6;
    report.note(format!(
        "MQTT, {window} in flight: {} acknowledged, {stored} stored; server {cpu:.2} µs of \
         processor time a message, {:.0} MiB",
        load.acknowledged,
        server.usage().memory_mib
    ));
    Ok(Ingested { load, stored_s })
}

/// MLLP: PCD-01 reports with twelve numerics.
///
/// # Errors
/// As [`mqtt`].
pub async fn mllp(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    let load = MllpLoad {
        address: server.mllp.clone(),
        seconds: bench.seconds(10.0) as u64,
        ..MllpLoad::default()
    };
    let before = server.usage().cpu_s;
    let load = load::run_mllp(load, |_| {}).await?;
    ensure!(load.broken == 0 && load.refused == 0, "connections broke or were refused: {load:?}");
    let values = load.acknowledged * load.values_per_message;
    let stored = server.stored_at_least(values).await?;
    ensure!(stored == values, "{stored} stored, {values} acknowledged");
    let cpu = (server.usage().cpu_s - before) / load.acknowledged as f64 * 1e6;
    report.note(format!(
        "MLLP: {} messages acknowledged, {stored} values stored; server {cpu:.1} µs of processor \
         time a message",
        load.acknowledged
    ));
    report.against(
        "mllp_messages_per_s",
        "MLLP PCD-01 messages with 12 numerics, AA after commit",
        load.messages_per_s,
        "/s",
        Budget::AtLeast(10_000.0),
    );
    report.add("mllp_ack_p99_ms", "… acknowledged, p99", ms(load.latency.p99_us), "ms");
    Ok(())
}

/// Microseconds as milliseconds.
#[must_use]
pub fn ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}
