//! What it takes to run: memory at a thousand beds, and the way back after a crash at full load.

use std::time::{Duration, Instant};

use anyhow::ensure;
use sim::load::{self, MqttLoad};
use tokio::task::JoinSet;

use crate::device::Device;
use crate::ingest::CONNECTIONS;
use crate::process::Peak;
use crate::report::{Budget, Report};
use crate::server::Server;
use crate::ward::{self, Bed};
use crate::Bench;

/// Beds in the measure of memory.
const BEDS: usize = 1_000;

/// Resident memory with a thousand monitored patients: twelve numerics a second each.
///
/// # Errors
/// When the platform fails or loses a value.
pub async fn memory(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    ward::admit(&server, "bed", BEDS, None).await?;
    let peak = Peak::watch(server.id());
    let seconds = bench.seconds(60.0) as u64;
    let mut tasks = JoinSet::new();
    let (began, before) = (Instant::now(), server.usage().cpu_s);
    for index in 0..BEDS {
        let address = server.mqtt.clone();
        tasks.spawn(monitor(address, index, seconds));
    }
    let mut sent = 0;
    while let Some(done) = tasks.join_next().await {
        sent += done??;
    }
    let cpu = (server.usage().cpu_s - before) / began.elapsed().as_secs_f64();
    let values = sent * 12;
    // The scores derived from them are readings, too.
    let stored = server.stored_at_least(values).await?;
    report.note(format!("{BEDS} beds: {values} values acknowledged, {stored} readings stored"));
    report.against(
        "memory_1000_beds_mib",
        "memory at 1,000 beds × 12 numerics at 1 Hz, peak",
        peak.mib(),
        "MiB",
        Budget::AtMost(1_024.0),
    );
    report.against(
        "cpu_1000_beds_cores",
        "… processor time, cores",
        cpu,
        "",
        Budget::AtMost(1.0),
    );
    Ok(())
}

/// A monitor that sends once a second; the number of messages acknowledged.
async fn monitor(address: String, index: usize, seconds: u64) -> anyhow::Result<u64> {
    let mut bed = Bed::new(index as u64 + 1);
    let mut device = Device::connect(&address, &format!("bed-{index}"), "measurements").await?;
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    tokio::time::sleep(Duration::from_micros(index as u64 * 997)).await;
    beat.reset();
    for _ in 0..seconds {
        beat.tick().await;
        device.send(&bed.pack(ward::now_us())).await?;
        device.settle(0).await?;
    }
    Ok(seconds)
}

/// SIGKILL at full load, then the time until the platform serves again on the same folder.
///
/// # Errors
/// When the platform does not come back, or lost something acknowledged.
pub async fn restart(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    // Within the ten seconds after which the store commits at the latest: the worst moment is
    // just before that.
    let before = bench.seconds(18.0);
    let load = MqttLoad {
        address: server.mqtt.clone(),
        connections: CONNECTIONS,
        seconds: before + 10.0,
        ..MqttLoad::default()
    };
    let loading = tokio::spawn(load::run_mqtt(load, |_| {}));
    while server.metric("vitalwire_journal_entries_total").await? < 1.0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs_f64(before)).await;
    server.kill()?;
    let load = loading.await??;
    let (server, took) = Server::start(&bench.binary, folder.path()).await?;
    let stored = server.stored_at_least(load.acknowledged).await?;
    ensure!(stored <= load.sent, "{stored} stored, but only {} sent", load.sent);
    report.note(format!(
        "restart: {} acknowledged before the kill, {stored} stored after it",
        load.acknowledged
    ));
    report.against(
        "restart_s",
        "restart after kill -9 at full load, to ready",
        took.as_secs_f64(),
        "s",
        Budget::AtMost(3.0),
    );
    Ok(())
}
