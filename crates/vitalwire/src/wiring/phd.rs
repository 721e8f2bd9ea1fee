//! The listener of personal health devices, where an address is configured.

use anyhow::bail;
use gateway::Doors;
use tokio::task::JoinHandle;

use crate::config::Config;

/// Starts it; gives its task.
pub(super) async fn start(config: &Config, doors: &Doors) -> anyhow::Result<Option<JoinHandle<()>>> {
    let Some(settings) = config.phd_listener()? else { return Ok(None) };
    if config.phd.tls_listen.is_some() && settings.tls.is_none() {
        bail!("phd.tls_listen: a certificate and its key are needed, as phd.certificate and phd.key, in [tls], or by tls.self_signed");
    }
    let plain = match config.phd.listen {
        Some(address) => {
            let listener = super::bind("personal health devices", address).await?;
            tracing::info!(address = %listener.local_addr()?, "phd: listening");
            Some(listener)
        }
        None => None,
    };
    let doors = doors.clone();
    Ok(Some(tokio::spawn(async move {
        if let Err(error) = gateway::phd::serve(settings, doors, plain).await {
            tracing::error!("the listener of personal health devices ended: {error}");
        }
    })))
}
