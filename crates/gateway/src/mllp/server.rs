//! What connections share, and who is spoken with.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use super::config::{MllpConfig, MllpLimits};
use super::connection::Connection;
use super::count_refused;
use crate::quota::Quotas;
use crate::stream::{self, Spoken};
use crate::{Door, Doors, GatewayError};

/// What every connection shares.
pub(super) struct Shared {
    pub(super) doors: Doors,
    pub(super) limits: MllpLimits,
    pub(super) options: Arc<wire_hl7::Options>,
    pub(super) alert_managers: Vec<String>,
    /// What is left of each identity's allowance.
    pub(super) quotas: Quotas,
}

/// Serves the configured plain and TLS addresses until the program stops; `listener` is bound to
/// the plain one. Returns when the last connection has got its answers.
///
/// # Errors
/// [`GatewayError`] when the TLS files or its address can't be used.
pub async fn serve(
    config: MllpConfig,
    doors: Doors,
    listener: TcpListener,
) -> Result<(), GatewayError> {
    let shared = Arc::new(Shared {
        doors,
        limits: config.limits,
        options: Arc::new(config.options),
        alert_managers: config.alert_managers,
        quotas: Quotas::new("mllp"),
    });
    let secure = config.tls.map(|secure| (secure.listen, secure.files));
    stream::serve(shared, Some(listener), secure).await
}

impl Spoken for Shared {
    const NAME: &'static str = "mllp";
    const NAME_TLS: &'static str = "mllp-tls";

    fn doors(&self) -> &Doors {
        &self.doors
    }

    fn connections_max(&self) -> usize {
        self.limits.connections
    }

    fn patience(&self) -> Duration {
        self.limits.patience
    }

    async fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + Sync>(self: Arc<Self>, door: Door, stream: S) {
        match self.doors.identify.mllp_at(&door) {
            Ok(identity) => {
                let address = door.peer.map(|peer| peer.ip().to_canonical());
                Connection::new(self, identity, address, stream).serve().await;
            }
            Err(_) => count_refused("not-allowed"),
        }
    }
}
