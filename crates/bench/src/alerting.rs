//! From the last byte of a measurement to the alert on the live stream.
//!
//! Each probe is a patient of its own with a monitor of its own, whose cuff pressure falls from
//! 120 to 60 mmHg once: one episode, one alert. Probes run on a thread of their own, so that the
//! load generator's work is not counted as the platform's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use sim::histogram::Histogram;
use sim::load::{self, MqttLoad};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;

use crate::device::Device;
use crate::ingest::{CONNECTIONS, ms};
use crate::report::{Budget, Report};
use crate::server::Server;
use crate::{Bench, ward};

/// How long an alert may take before it counts as not come.
const LAST: Duration = Duration::from_secs(20);
/// Monitors that wait for their turn say so often that they are there.
const PING_EVERY: Duration = Duration::from_secs(100);
/// Observations a second of which latency is measured at a fifth.
const FULL_RATE: f64 = 100_000.0;

/// Alerts at a fifth of the full load.
///
/// # Errors
/// When the platform fails or an alert does not come.
pub async fn at_a_fifth(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    let probes = if bench.quick { 200 } else { 1_000 };
    let prepared = prepare(&server, probes).await?;
    let seconds = bench.seconds(24.0);
    let load = MqttLoad {
        address: server.mqtt.clone(),
        connections: CONNECTIONS,
        rate_per_s: Some(FULL_RATE / 5.0),
        seconds: seconds + 4.0,
        ..MqttLoad::default()
    };
    let probing = prepared.start(Duration::from_secs(3), seconds - 3.0).await?;
    let load = load::run_mqtt(load, |_| {}).await?;
    let latency = joined(probing)?;
    report.note(format!(
        "alerts: {} probes beside {:.0} observations/s, whose acknowledgements took {:.1} ms at \
         p99",
        latency.total(),
        load.messages_per_s,
        ms(load.latency.p99_us)
    ));
    let quantiles = latency.quantiles();
    report.add("alert_p50_ms", "measurement in → alert on the live stream, p50", ms(quantiles.p50_us), "ms");
    report.against(
        "alert_p99_ms",
        "measurement in → alert on the live stream, p99, at 20 % load",
        ms(quantiles.p99_us),
        "ms",
        Budget::AtMost(20.0),
    );
    Ok(())
}

/// A thread that probes.
pub type Probing = std::thread::JoinHandle<anyhow::Result<Histogram>>;

/// The outcome of a probing thread.
///
/// # Errors
/// What went wrong there.
pub fn joined(probing: Probing) -> anyhow::Result<Histogram> {
    probing.join().map_err(|_| anyhow::anyhow!("the probing thread panicked"))?
}

/// Patients on monitors, ready to be probed.
pub struct Prepared {
    http: String,
    mqtt: String,
    probes: usize,
}

/// Admits the probes' patients.
///
/// # Errors
/// When the platform refuses.
pub async fn prepare(server: &Server, probes: usize) -> anyhow::Result<Prepared> {
    ward::admit(server, "probe", probes, None).await?;
    Ok(Prepared { http: server.http.address().to_owned(), mqtt: server.mqtt.clone(), probes })
}

impl Prepared {
    /// Connects all monitors on a thread of its own and returns when they are; there they wait
    /// until `first` has passed, and are probed one after the other, evenly over `seconds`.
    ///
    /// # Errors
    /// When the monitors can't be connected.
    pub async fn start(self, first: Duration, seconds: f64) -> anyhow::Result<Probing> {
        let (ready, connected) = oneshot::channel();
        let probing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(self.run(ready, first, seconds))
        });
        if connected.await.is_err() {
            joined(probing)?;
            bail!("the probes ended before they began");
        }
        Ok(probing)
    }

    async fn run(
        self,
        ready: oneshot::Sender<()>,
        first: Duration,
        seconds: f64,
    ) -> anyhow::Result<Histogram> {
        let http = crate::http::Http::new(&self.http);
        let mut devices = Vec::with_capacity(self.probes);
        for index in 0..self.probes {
            let id = format!("probe-{index}");
            let mut device = Device::connect(&self.mqtt, &id, "measurements").await?;
            device.send(&pressure(120)).await?;
            device.settle(0).await?;
            devices.push(device);
        }
        let stream = http.stream("/api/v1/live").await?;
        let (told, mut alerts) = unbounded_channel();
        let listening = tokio::spawn(listen(stream, told));
        let begin = Instant::now() + first;
        ready.send(()).ok().context("nobody waits for the probes")?;
        tokio::time::sleep_until(begin.into()).await;
        let pause = Duration::from_secs_f64(seconds / self.probes as f64);
        let mut sent = HashMap::new();
        let mut pinged = Instant::now();
        for index in 0..devices.len() {
            tokio::time::sleep_until((begin + pause * index as u32).into()).await;
            if pinged.elapsed() > PING_EVERY {
                pinged = Instant::now();
                for device in &mut devices {
                    device.ping().await?;
                }
            }
            let device = &mut devices[index];
            let at = Instant::now();
            device.send(&pressure(60)).await?;
            sent.insert(ward::patient("probe", index).to_string(), at);
        }
        let latency = gather(&mut alerts, sent).await?;
        listening.abort();
        for device in &mut devices {
            device.settle(0).await?;
        }
        Ok(latency)
    }
}

/// A cuff pressure as the monitor of a probe sends it.
fn pressure(systolic: u32) -> Vec<u8> {
    let now = ward::now_us();
    let (whole, part) = (now / 1_000_000, now % 1_000_000);
    format!("[{{\"n\":\"MDC_PRESS_BLD_NONINV_SYS\",\"t\":{whole}.{part:06},\"v\":{systolic}}}]")
        .into_bytes()
}

async fn gather(
    alerts: &mut UnboundedReceiver<(String, Instant)>,
    mut sent: HashMap<String, Instant>,
) -> anyhow::Result<Histogram> {
    let mut latency = Histogram::default();
    let deadline = Instant::now() + LAST;
    while !sent.is_empty() {
        let next = tokio::time::timeout_at(deadline.into(), alerts.recv()).await;
        let Ok(Some((patient, at))) = next else { break };
        if let Some(sent) = sent.remove(&patient) {
            latency.record(at.duration_since(sent).as_micros() as u64);
        }
    }
    ensure!(sent.is_empty(), "{} alerts did not come within {} s", sent.len(), LAST.as_secs());
    Ok(latency)
}

/// Tells of each alert when it arrives, with the patient's id.
async fn listen(
    mut stream: Incoming,
    told: tokio::sync::mpsc::UnboundedSender<(String, Instant)>,
) -> anyhow::Result<()> {
    let mut text = Vec::new();
    while let Some(frame) = stream.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let at = Instant::now();
        text.extend_from_slice(&data);
        while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = text.drain(..end + 2).collect();
            if let Some(patient) = alert_of(&event) {
                told.send((patient, at)).ok().context("nobody waits for alerts")?;
            }
        }
    }
    Ok(())
}

fn alert_of(event: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(event).ok()?;
    text.lines().find(|line| *line == "event: alert" || *line == "event:alert")?;
    let data = text.lines().find_map(|line| line.strip_prefix("data:"))?;
    let json: serde_json::Value = serde_json::from_str(data.trim()).ok()?;
    find_patient(&json)
}

/// The id within the first object named `patient`.
fn find_patient(json: &serde_json::Value) -> Option<String> {
    let object = json.as_object()?;
    if let Some(id) = object.get("patient").and_then(|patient| patient["id"].as_str()) {
        return Some(id.to_owned());
    }
    object.values().find_map(find_patient)
}
