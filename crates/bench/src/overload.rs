//! Ten times what can be sustained, for a minute (DU-3): memory stays bounded, alerts come in
//! time, senders are slowed and not cut off, and nothing acknowledged is lost.

use std::time::Duration;

use anyhow::ensure;
use sim::load::{self, MqttLoad};

use crate::alerting;
use crate::ingest::ms;
use crate::process::Peak;
use crate::report::{Budget, Report};
use crate::server::Server;
use crate::Bench;

/// What is taken for sustainable when nothing was measured before, messages a second.
const SUSTAINABLE: f64 = 100_000.0;
/// Connections that flood.
const FLOODING: usize = 1_000;
/// Messages each of them may have unacknowledged.
const WINDOW: usize = 256;

/// What the platform says of itself while it is flooded.
#[derive(Debug, Default, Clone)]
struct Seen {
    slowed: bool,
    fill: f64,
    behind: u64,
    messages_per_s: f64,
    metric_bytes: f64,
}

/// Floods the platform.
///
/// # Errors
/// When the platform fails, cuts a sender off, or loses something acknowledged.
pub async fn flood(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    let probes = if bench.quick { 100 } else { 500 };
    let prepared = alerting::prepare(&server, probes).await?;
    let seconds = bench.seconds(60.0);
    let offered = 10.0 * report.get("mqtt_observations_per_s").unwrap_or(SUSTAINABLE);
    let load = MqttLoad {
        address: server.mqtt.clone(),
        connections: FLOODING,
        window: WINDOW,
        rate_per_s: Some(offered),
        seconds,
        prefix: "flood".to_owned(),
        ..MqttLoad::default()
    };
    let peak = Peak::watch(server.id());
    let probing = prepared.start(Duration::from_secs(4), seconds - 8.0).await?;
    let loading = tokio::spawn(load::run_mqtt(load, |_| {}));
    let mut seen = Seen::default();
    while !loading.is_finished() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        look(&server, &mut seen).await?;
    }
    let load = loading.await??;
    let latency = alerting::joined(probing)?;
    ensure!(load.broken == 0, "{} senders were cut off", load.broken);
    // Each probe sent two readings.
    let acknowledged = load.acknowledged + 2 * probes as u64;
    let stored = server.stored_at_least(acknowledged).await?;
    ensure!(load.refused == 0, "{} messages were refused", load.refused);
    ensure!(seen.slowed, "the devices page did not say that senders are slowed: {seen:?}");
    ensure!(seen.metric_bytes > 0.0, "/metrics did not show the queue: {seen:?}");
    report.note(format!(
        "overload: {offered:.0}/s offered for {seconds:.0} s, {} acknowledged, {stored} readings \
         stored; the devices page said: slowed, queue {:.0} % full, {:.0} messages/s, at most {} \
         entries behind",
        load.acknowledged,
        seen.fill * 100.0,
        seen.messages_per_s,
        seen.behind
    ));
    let quantiles = latency.quantiles();
    report.add("overload_taken_per_s", "ten times the load for a minute: taken", load.messages_per_s, "/s");
    report.against("overload_memory_mib", "… peak memory", peak.mib(), "MiB", Budget::AtMost(1_024.0));
    report.add("overload_alert_p50_ms", "… alerts of other patients, p50", ms(quantiles.p50_us), "ms");
    report.against(
        "overload_alert_p99_ms",
        "… alerts of other patients, p99",
        ms(quantiles.p99_us),
        "ms",
        Budget::AtMost(20.0),
    );
    report.against(
        "overload_cut_off",
        "… senders cut off",
        load.broken as f64,
        "",
        Budget::AtMost(0.0),
    );
    Ok(())
}

async fn look(server: &Server, seen: &mut Seen) -> anyhow::Result<()> {
    let page = server.http.json("/api/v1/devices").await?;
    let of = &page["load"];
    seen.slowed |= of["slowed"].as_bool() == Some(true);
    seen.fill = seen.fill.max(of["queue_fill"].as_f64().unwrap_or(0.0));
    seen.behind = seen.behind.max(of["behind"].as_u64().unwrap_or(0));
    seen.messages_per_s = seen.messages_per_s.max(of["messages_per_s"].as_f64().unwrap_or(0.0));
    let queued = server.metric("vitalwire_journal_queued_bytes").await?;
    seen.metric_bytes = seen.metric_bytes.max(queued);
    Ok(())
}
