//! What connections share, and who is spoken with.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use vitals::DeviceId;
use wire_phd::config::Configuration;
use wire_phd::manager::Settings;

use super::config::{PhdConfig, PhdLimits};
use super::connection::Connection;
use super::count_refused;
use crate::quota::Quotas;
use crate::stream::{self, Spoken};
use crate::{Door, Doors, GatewayError};

/// What every connection shares.
pub(super) struct Shared {
    pub(super) doors: Doors,
    pub(super) limits: PhdLimits,
    pub(super) manager: Settings,
    /// What is left of each identity's allowance.
    pub(super) quotas: Quotas,
    /// Configurations that devices sent, by their system id.
    pub(super) known: Mutex<HashMap<Vec<u8>, Vec<Configuration>>>,
    /// On which connection each device is now.
    pub(super) present: Mutex<HashMap<DeviceId, u64>>,
    pub(super) next_connection: AtomicU64,
}

/// Serves `plain`, if it is there, and the configured TLS address until the program stops. Returns
/// when the last connection has ended.
///
/// # Errors
/// [`GatewayError`] when the TLS files or its address can't be used.
pub async fn serve(config: PhdConfig, doors: Doors, plain: Option<TcpListener>) -> Result<(), GatewayError> {
    let shared = Arc::new(Shared {
        doors,
        limits: config.limits,
        manager: config.manager,
        quotas: Quotas::new("phd"),
        known: Mutex::default(),
        present: Mutex::default(),
        next_connection: AtomicU64::new(0),
    });
    let secure = config.tls.map(|secure| (secure.listen, secure.files));
    stream::serve(shared, plain, secure).await
}

impl Spoken for Shared {
    const NAME: &'static str = "phd";
    const NAME_TLS: &'static str = "phd-tls";

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
        match self.doors.identify.phd(&door) {
            Ok(identity) => {
                let address = door.peer.map(|peer| peer.ip().to_canonical());
                Connection::new(self, identity, address, stream).serve().await;
            }
            Err(_) => count_refused("not-allowed"),
        }
    }
}
