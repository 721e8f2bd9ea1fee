//! `vitalwire sim`: a virtual ward, or load, against a running platform.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Subcommand;
use sim::load::{MllpLoad, MqttLoad, WaveLoad};
use sim::scenario::Scenario;
use sim::ward::WardConfig;

/// Arguments of `sim`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Occupied beds, 1 to 1,000.
    #[arg(long, default_value_t = 24)]
    beds: usize,
    /// One seed, one ward.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds of illness per second on the wall, 1 to 600.
    #[arg(long, default_value_t = 20.0)]
    speed: f64,
    /// Seconds to run; without it until stopped.
    #[arg(long)]
    seconds: Option<u64>,
    /// What happens in a bed: `BED=NAME`, or `BED=NAME@SECOND` to begin later; beds count from 1. May be
    /// given for several beds; the others follow the default mix. Names: stable, sepsis, bleeding,
    /// opioid-depression, copd, atrial-fibrillation, recovery, sensor-off, motion-artefact,
    /// battery-dying, network-loss, wrong-clock, asystole, ventricular-tachycardia,
    /// ventricular-fibrillation, lead-off, bigeminy, pacemaker.
    #[arg(long = "scenario", value_name = "BED=NAME", value_parser = scenario)]
    scenarios: Vec<(usize, Scenario, f64)>,
    #[command(flatten)]
    to: To,
}

/// Reads `BED=NAME@SECOND`.
fn scenario(text: &str) -> Result<(usize, Scenario, f64), String> {
    let (bed, rest) = text.split_once('=').ok_or("write BED=NAME, such as 3=sepsis")?;
    let bed: usize = bed.parse().map_err(|_| "the bed is a number from 1 on")?;
    let (name, start) = rest.split_once('@').unwrap_or((rest, "0"));
    let scenario = Scenario::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Scenario::ALL.iter().map(|known| known.name()).collect();
        format!("no scenario is called {name}; there are {}", names.join(", "))
    })?;
    let start: f64 = start.parse().map_err(|_| "the start is a number of seconds")?;
    let bed = bed.checked_sub(1).ok_or("the bed is a number from 1 on")?;
    Ok((bed, scenario, start))
}

/// Where the platform listens.
#[derive(clap::Args, Clone)]
pub(crate) struct To {
    /// MQTT, host:port.
    #[arg(long, default_value = "127.0.0.1:1883", global = true)]
    pub(crate) mqtt: String,
    /// MLLP, host:port.
    #[arg(long, default_value = "127.0.0.1:2575", global = true)]
    pub(crate) mllp: String,
    /// HTTP, host:port.
    #[arg(long, default_value = "127.0.0.1:8080", global = true)]
    pub(crate) http: String,
    /// Service token, if authentication is on; also the MQTT password.
    #[arg(long, global = true, requires = "account")]
    pub(crate) token: Option<String>,
    /// Name of the service account that the token is of.
    #[arg(long, global = true)]
    pub(crate) account: Option<String>,
}

impl To {
    pub(crate) fn credentials(&self) -> Option<(String, String)> {
        self.account.clone().zip(self.token.clone())
    }
}

#[derive(Subcommand)]
enum What {
    /// Load on the MQTT listener: single-value messages, QoS 1.
    LoadMqtt {
        /// Connections.
        #[arg(long, default_value_t = 1_000)]
        connections: usize,
        /// Unacknowledged messages on each connection.
        #[arg(long, default_value_t = 16)]
        window: usize,
        /// Messages a second over all connections; without it as fast as they are acknowledged.
        #[arg(long)]
        rate: Option<f64>,
        /// Seconds to send.
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Waveform load on the MQTT listener: each bed sends a frame of ECG, pleth, arterial pressure and
    /// respiration and twelve numerics a second.
    LoadWaves {
        /// Beds; each is a connection.
        #[arg(long, default_value_t = 1_000)]
        beds: usize,
        /// Seconds to send.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// One seed, one set of patients.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Waveforms only.
        #[arg(long)]
        no_numerics: bool,
        /// Where to write what must be in the store afterwards: counts and checksums, as JSON.
        #[arg(long)]
        manifest: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Load on the MLLP listener: PCD-01 messages with twelve numerics.
    LoadMllp {
        /// Connections.
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Messages in flight on each connection.
        #[arg(long, default_value_t = 8)]
        window: usize,
        /// Seconds to send.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(async {
        match args.what {
            None => ward(args).await,
            Some(What::LoadMqtt { connections, window, rate, seconds, json }) => {
                let load = MqttLoad {
                    address: args.to.mqtt.clone(),
                    credentials: args.to.credentials(),
                    connections,
                    window,
                    rate_per_s: rate,
                    seconds,
                    ..MqttLoad::default()
                };
                report(&sim::load::run_mqtt(load, |_| {}).await?, json)
            }
            Some(What::LoadWaves { beds, seconds, seed, no_numerics, manifest, json }) => {
                let load = WaveLoad {
                    address: args.to.mqtt.clone(),
                    credentials: args.to.credentials(),
                    beds,
                    seconds,
                    numerics: !no_numerics,
                    seed,
                    ..WaveLoad::default()
                };
                let (outcome, stored) = sim::load::run_waves(load, |_| {}).await?;
                if let Some(path) = manifest {
                    std::fs::write(&path, serde_json::to_vec(&stored)?)
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                report(&outcome, json)
            }
            Some(What::LoadMllp { connections, window, seconds, json }) => {
                let load = MllpLoad {
                    address: args.to.mllp.clone(),
                    connections,
                    window,
                    seconds,
                    ..MllpLoad::default()
                };
                report(&sim::load::run_mllp(load, |_| {}).await?, json)
            }
        }
    })
}

async fn ward(args: Args) -> anyhow::Result<()> {
    let credentials = args.to.credentials();
    let config = WardConfig {
        beds: args.beds,
        seed: args.seed,
        speed: args.speed,
        scenarios: args.scenarios.clone(),
        mqtt: args.to.mqtt,
        mllp: args.to.mllp,
        http: args.to.http,
        token: args.to.token,
        mqtt_credentials: credentials,
        duration_s: args.seconds,
        ..WardConfig::default()
    };
    let mut told = Instant::now();
    let progress = sim::ward::run(config, |progress| {
        if told.elapsed() >= Duration::from_secs(5) {
            told = Instant::now();
            eprintln!(
                "{} s: {} sent, {} acknowledged, {} refused",
                progress.second, progress.sent, progress.acknowledged, progress.refused
            );
        }
    })
    .await?;
    println!("{}", serde_json::to_string(&progress)?);
    Ok(())
}

fn report(report: &sim::load::LoadReport, json: bool) -> anyhow::Result<()> {
    let text =
        if json { serde_json::to_string(report)? } else { serde_json::to_string_pretty(report)? };
    println!("{text}");
    Ok(())
}
