//! Starts the SDC provider where the configuration has one.

use std::path::Path;

use anyhow::Context;
use journal::Appender;
use live::Live;
use sdc::provider::{Parts, Provider};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::clock;
use crate::config::Config;

/// Starts it; gives its tasks.
pub(crate) async fn start(
    data: &Path,
    config: &Config,
    guard: &guard::Guard,
    live: &Live,
    appender: &Appender,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let Some(settings) = config.sdc_provider()? else { return Ok(Vec::new()) };
    let hosts = settings.devices.len();
    let parts = Parts {
        guard: guard.clone(),
        live: live.clone(),
        appender: appender.clone(),
        clock,
        installation: installation(data)?,
        stopping,
    };
    let provider = Provider::start(settings, parts).await.context("cannot start the SDC provider")?;
    tracing::info!(address = %provider.address, hosts, "devices are offered over SDC");
    Ok(provider.tasks)
}

/// What names this installation for ever: drawn once and kept, so that devices keep their names.
fn installation(data: &Path) -> anyhow::Result<[u8; 16]> {
    let path = data.join("sdc.installation");
    let kept = std::fs::read(&path).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    if let Some(kept) = kept {
        return Ok(kept);
    }
    let mut drawn = [0; 16];
    getrandom::fill(&mut drawn).context("the system gives no randomness")?;
    std::fs::write(&path, drawn).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(drawn)
}
