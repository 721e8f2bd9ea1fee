//! `vitalwire demo`: the platform in a scratch folder, with a virtual ward.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::config::Config;
use crate::{serve, start_log, wiring};

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Occupied beds.
    #[arg(long, default_value_t = 24)]
    beds: usize,
    /// One seed, one ward.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds of illness per second on the wall.
    #[arg(long, default_value_t = 20.0)]
    speed: f64,
    /// Address for HTTP; 0 as port takes any free one.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Address for MQTT.
    #[arg(long, default_value = "127.0.0.1:0")]
    mqtt: SocketAddr,
    /// Address for MLLP.
    #[arg(long, default_value = "127.0.0.1:0")]
    mllp: SocketAddr,
    /// Folder to keep; without it a scratch folder is used and removed at the end.
    #[arg(long)]
    data: Option<PathBuf>,
}


pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    if std::env::var_os("RUST_LOG").is_some() {
        start_log();
    }
    let scratch = match &args.data {
        Some(_) => None,
        None => Some(Scratch::new()?),
    };
    let folder = args.data.clone().or_else(|| scratch.as_ref().map(|s| s.0.clone()));
    let folder = folder.context("no folder")?;
    let profiles = folder.join("profiles");
    std::fs::create_dir_all(&profiles).context("cannot make the scratch folder")?;
    std::fs::write(profiles.join("wearable.toml"), sim::ward::WEARABLE_PROFILE).context("cannot write a profile")?;
    let commands = folder.join("commands");
    std::fs::create_dir_all(&commands).context("cannot make the scratch folder")?;
    std::fs::write(commands.join("simulated-pump.toml"), sim::ward::PUMP_COMMANDS).context("cannot write what pumps take")?;
    let mut config = Config::default();
    config.http.listen = args.http;
    config.mqtt.listen = args.mqtt;
    config.mllp.listen = args.mllp;
    config.models.shipped = crate::config::Place::Champion;
    serve::check_exposure(&config, true)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(live(&args, &config, &folder))
}

async fn live(args: &Args, config: &Config, folder: &Path) -> anyhow::Result<()> {
    let platform = wiring::start(folder, config, true).await?;
    let ward = sim::ward::WardConfig {
        beds: args.beds,
        seed: args.seed,
        speed: args.speed,
        mqtt: platform.mqtt.to_string(),
        mllp: platform.mllp.to_string(),
        http: platform.http.to_string(),
        ..sim::ward::WardConfig::default()
    };
    println!("A virtual ward of {} beds is live. Open:\n", args.beds);
    println!("    http://{}\n", platform.http);
    println!("MQTT {}, MLLP {}. Nothing leaves this machine. Ctrl-C ends it.", platform.mqtt, platform.mllp);
    let ended = tokio::select! {
        ended = sim::ward::run(ward, |_| {}) => ended.map(|_| ()).context("the virtual ward ended"),
        stopped = serve::stop_signal() => stopped,
    };
    platform.stop().await;
    ended
}

/// A folder that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> anyhow::Result<Self> {
        let name = format!("vitalwire-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("could not remove {}: {error}", self.0.display());
        }
    }
}
