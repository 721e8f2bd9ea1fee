//! `vitalwire serve`: run the platform.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::{Misuse, start_log, wiring};

/// Arguments of `serve`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Data folder: journal, store, accounts, audit log, profiles.
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// Configuration file (TOML); every value can be overridden by a VITALWIRE_… variable.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Address for HTTP: pages, application API, FHIR. [default: 127.0.0.1:8080]
    #[arg(long)]
    http: Option<SocketAddr>,
    /// Address for MQTT. [default: 127.0.0.1:1883]
    #[arg(long)]
    mqtt: Option<SocketAddr>,
    /// Address for HL7 v2 over MLLP. [default: 127.0.0.1:2575]
    #[arg(long)]
    mllp: Option<SocketAddr>,
    /// Turn authentication off for a trial; refuses any address but loopback.
    #[arg(long)]
    open: bool,
}

impl Args {
    fn configuration(&self) -> Result<Config, Misuse> {
        let mut config = Config::load(self.config.as_deref(), std::env::vars())?;
        config.http.listen = self.http.unwrap_or(config.http.listen);
        config.mqtt.listen = self.mqtt.unwrap_or(config.mqtt.listen);
        config.mllp.listen = self.mllp.unwrap_or(config.mllp.listen);
        check_exposure(&config, self.open)?;
        Ok(config)
    }
}

/// A trial stays on this machine.
pub(crate) fn check_exposure(config: &Config, open: bool) -> Result<(), Misuse> {
    let mut addresses =
        vec![config.http.listen, config.mqtt.listen, config.mllp.listen];
    addresses.extend(config.mqtt_tls().map(|_| config.mqtt.tls_listen));
    addresses.extend(config.mllp_tls().map(|_| config.mllp.tls_listen));
    match addresses.iter().find(|address| !address.ip().is_loopback()) {
        Some(address) if open => Err(Misuse(format!(
            "--open turns authentication off and refuses {address}: only loopback addresses such \
             as 127.0.0.1 will do"
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.configuration()?;
    start_log();
    let runtime = tokio::runtime::Runtime::new().context("cannot start")?;
    runtime.block_on(async {
        let platform = wiring::start(&args.data, &config, args.open).await?;
        tracing::info!(
            http = %platform.http, mqtt = %platform.mqtt, mllp = %platform.mllp,
            open = args.open, "vitalwire is running"
        );
        if !args.open {
            tracing::info!(
                "log in with an account; make the first one with `vitalwire user add NAME \
                 --role administrator --data {}`",
                args.data.display()
            );
        }
        stop_signal().await?;
        tracing::info!("stopping");
        platform.stop().await;
        Ok(())
    })
}

/// Returns at SIGINT or SIGTERM.
pub(crate) async fn stop_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot watch for SIGINT")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
