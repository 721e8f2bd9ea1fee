//! A thousand beds that send waveforms: what it costs, how fast alerts are beside it, and whether
//! every sample is stored and every beat seen.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use flate2::Crc;
use sim::load::bed::BedManifest;
use sim::load::{self, WaveLoad, WaveManifest};
use store::{Reader, SeriesFilter, Span, SqliteStore, Store as _};
use vitals::{DeviceId, Metric, WaveSamples};

use crate::ingest::ms;
use crate::process::Peak;
use crate::report::{Budget, Report};
use crate::server::Server;
use crate::{Bench, alerting, floor, ward};

/// Beds, unless a run is to be smaller.
const BEDS: usize = 1_000;
/// The device that beats found by analysis are points of.
const SELF_DEVICE: &str = "vitalwire";

/// Ten minutes of a thousand beds, with alerts beside them.
///
/// # Errors
/// When the platform fails or loses a sample.
pub async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let beds = bench.beds.unwrap_or(BEDS);
    let seconds = if bench.quick { 60 } else { 600 };
    let floor = floor::measure(bench, beds, seconds.min(120)).await?;
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    ward::admit(&server, "wave", beds, None).await?;
    let probes = if bench.quick { 50 } else { 500 };
    let prepared = alerting::prepare(&server, probes).await?;
    let peak = Peak::watch(server.id());
    let load = WaveLoad { address: server.mqtt.clone(), beds, seconds, ..WaveLoad::default() };
    let first = std::time::Duration::from_secs(8);
    let probing = prepared.start(first, seconds as f64 - 12.0).await?;
    let (began, before) = (Instant::now(), server.usage().cpu_s);
    let (sent, manifest) = load::run_waves(load, |_| {}).await?;
    let used_s = server.usage().cpu_s - before;
    let cores = used_s / began.elapsed().as_secs_f64();
    let latency = alerting::joined(probing);
    ensure!(sent.refused == 0, "{} messages were refused", sent.refused);
    // The count has everything in it that was acknowledged before.
    let readings = server.stored().await?;
    let memory = peak.mib();
    server.stop().await?;
    let bed_hours = (beds as u64 * seconds) as f64 / 3_600.0;
    report.note(format!(
        "waves: {beds} beds for {seconds} s, {} samples acknowledged ({:.0}/s), {readings} readings stored",
        manifest.samples(),
        manifest.samples() as f64 / seconds as f64
    ));
    report.against("waves_cpu_cores", "waveforms of 1,000 beds: processor time, cores", cores, "", Budget::AtMost(1.0));
    report.add("waves_cpu_s_per_bed_hour", "… a bed-hour", used_s / bed_hours, "s");
    report.add("waves_floor_cpu_s_per_bed_hour", "… receiving, checksumming and writing alone", floor, "s");
    report.add("waves_floor_ratio", "… times the floor", used_s / bed_hours / floor, "×");
    report.against("waves_memory_mib", "… memory, peak", memory, "MiB", Budget::AtMost(1_024.0));
    report.add("waves_ack_p99_ms", "… a frame acknowledged, p99", ms(sent.latency.p99_us), "ms");
    check(folder.path(), &manifest, report)?;
    // A viewer of a thousand beds that this machine starves begins anew and misses alerts: the rest stands.
    let quantiles = latency?.quantiles();
    report.add("waves_alert_p50_ms", "… alerts beside it, p50", ms(quantiles.p50_us), "ms");
    let (what, p99) = ("… alerts beside it, p99", ms(quantiles.p99_us));
    report.against("waves_alert_p99_ms", what, p99, "ms", Budget::AtMost(20.0));
    Ok(())
}

/// Compares the store with what was acknowledged.
///
/// # Errors
/// When the store can't be read.
pub fn check(folder: &Path, manifest: &WaveManifest, report: &mut Report) -> anyhow::Result<()> {
    let samples = manifest.samples();
    let store_bytes = ["store.db", "store.db-wal"].map(|name| size(&folder.join(name))).iter().sum::<u64>();
    let journal_bytes = size(&folder.join("journal"));
    let found = Found::of(&folder.join("store.db"), manifest)?;
    let acknowledged: u64 = manifest.beds.iter().map(|bed| bed.acknowledged).sum();
    let sent: u64 = manifest.beds.iter().map(|bed| bed.sent).sum();
    report.note(format!(
        "waves: {sent} frames sent, {acknowledged} acknowledged; {samples} samples acknowledged, {} stored; {} of {} \
         waveforms with other samples than were sent{}",
        found.samples,
        found.different,
        manifest.beds.len() * 4,
        found.example.as_ref().map_or(String::new(), |text| format!(", such as {text}")),
    ));
    let lost = samples.abs_diff(found.samples) as f64;
    report.against("waves_lost_samples", "… samples lost or too many", lost, "", Budget::AtMost(0.0));
    let different = found.different as f64;
    report.against("waves_different", "… waveforms whose checksum differs", different, "", Budget::AtMost(0.0));
    let beats: u64 = manifest.beds.iter().map(|bed| bed.beats).sum();
    report.add("waves_beats_sent", "… heartbeats in them", beats as f64, "");
    report.add("waves_beats_found", "… heartbeats found", found.beats as f64, "");
    report.add("waves_bytes_per_sample_wire", "… bytes of a sample on the wire", manifest.frame_bytes as f64 / samples as f64, "B");
    report.add("waves_bytes_per_sample_journal", "… in the journal, numerics included", journal_bytes as f64 / samples as f64, "B");
    report.add("waves_bytes_per_sample_store", "… in the store, numerics included", store_bytes as f64 / samples as f64, "B");
    Ok(())
}

/// What is in the store.
#[derive(Debug, Default)]
struct Found {
    samples: u64,
    different: usize,
    example: Option<String>,
    beats: u64,
}

impl Found {
    fn of(file: &Path, manifest: &WaveManifest) -> anyhow::Result<Self> {
        // As the program that was measured left it: encrypted, the key beside it.
        let keys = file.with_file_name("keys");
        let source = vault::Source::File(keys.join(vault::MASTER_FILE));
        let key = vault::Vault::open(&keys, source)?.key(&seal::Domain::Store)?;
        let store = SqliteStore::open_sealed(file, &key)?.reader();
        let mut found = Self::default();
        for (index, bed) in manifest.beds.iter().enumerate() {
            found.waveforms(&store, bed)?;
            let filter = SeriesFilter {
                subjects: vec![ward::patient("wave", index)],
                devices: vec![DeviceId::new(SELF_DEVICE)?],
                metrics: Metric::by_refid("VW_BEAT").map(|metric| metric.code).into_iter().collect(),
                ..SeriesFilter::default()
            };
            found.beats += store.count(&filter, Span::default(), Span::default())?;
        }
        Ok(found)
    }

    fn waveforms(&mut self, store: &Reader, bed: &BedManifest) -> anyhow::Result<()> {
        for channel in &bed.channels {
            let metric = Metric::by_refid(&channel.metric).context("a metric of the table")?;
            let filter = SeriesFilter {
                devices: vec![DeviceId::new(&bed.device)?],
                metrics: vec![metric.code],
                ..SeriesFilter::default()
            };
            let (mut crc, mut samples) = (Crc::new(), 0);
            let mut bytes = Vec::new();
            for series in store.series(&filter)? {
                for strip in store.wave_strip(series.id, Span::default())? {
                    let WaveSamples::Counts(counts) = &strip.samples else { continue };
                    bytes.clear();
                    counts.iter().for_each(|count| bytes.extend(count.to_le_bytes()));
                    crc.update(&bytes);
                    samples += counts.len() as u64;
                }
            }
            self.samples += samples;
            if (samples, crc.sum()) != (channel.samples, channel.crc32) {
                self.different += 1;
                self.example.get_or_insert_with(|| {
                    format!("{} of {}: {samples} samples, not {}", channel.metric, bed.device, channel.samples)
                });
            }
        }
        Ok(())
    }
}

/// Bytes of a file, or of all files in a folder.
fn size(path: &Path) -> u64 {
    let Ok(about) = std::fs::metadata(path) else { return 0 };
    if about.is_file() {
        return about.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| size(&entry.path())).sum()
}

/// SIGKILL twice under full waveform load: every acknowledged frame is there once.
///
/// # Errors
/// When the platform does not come back or loses a sample.
pub async fn restart(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let beds = bench.beds.unwrap_or(BEDS);
    let folder = bench.folder()?;
    let (mut server, _) = Server::start(&bench.binary, folder.path()).await?;
    ward::admit(&server, "wave", beds, None).await?;
    let pause = bench.seconds(30.0);
    let seconds = (3.0 * pause) as u64 + 15;
    let load = WaveLoad { address: server.mqtt.clone(), beds, seconds, ..WaveLoad::default() };
    let loading = tokio::spawn(load::run_waves(load, |_| {}));
    let mut slowest = 0.0_f64;
    for _ in 0..2 {
        tokio::time::sleep(std::time::Duration::from_secs_f64(pause + 4.0)).await;
        let took;
        (server, took) = server.killed(&bench.binary, folder.path()).await?;
        slowest = slowest.max(took.as_secs_f64());
    }
    let (sent, manifest) = loading.await??;
    ensure!(manifest.reconnects >= 2 * beds as u64, "only {} connections broke", manifest.reconnects);
    ensure!(sent.refused == 0, "{} messages were refused", sent.refused);
    server.stored().await?;
    server.stop().await?;
    let mut after = Report::default();
    check(folder.path(), &manifest, &mut after)?;
    let figure = |key: &str| after.get(key).unwrap_or(f64::NAN);
    let wrong = figure("waves_lost_samples") + figure("waves_different");
    report.note(format!(
        "waves-restart: two kills, {} frames acknowledged over {} connections that broke",
        manifest.beds.iter().map(|bed| bed.acknowledged).sum::<u64>(),
        manifest.reconnects
    ));
    report.against("waves_restart_s", "restart after kill -9 under waveforms of 1,000 beds", slowest, "s", Budget::AtMost(3.0));
    let what = "… samples lost or too many, waveforms that differ";
    report.against("waves_restart_wrong", what, wrong, "", Budget::AtMost(0.0));
    Ok(())
}
