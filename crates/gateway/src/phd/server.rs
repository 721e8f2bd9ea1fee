//! The listener: accepts, does TLS, starts a task a connection.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use vitals::DeviceId;
use wire_phd::config::Configuration;
use wire_phd::manager::Settings;

use super::config::{PhdConfig, PhdLimits};
use super::connection::Connection;
use super::{count_refused, stopped};
use crate::quota::Quotas;
use crate::tls::{ClientCertificates, TlsDoor};
use crate::{Door, Doors, GatewayError};

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long connections may take to get their last answers when the program stops.
const GOODBYE: Duration = Duration::from_secs(5);

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
    connections: AtomicUsize,
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
        connections: AtomicUsize::new(0),
    });
    let unencrypted = async {
        if let Some(listener) = plain {
            accept(&shared, listener, None).await;
        }
    };
    match config.tls {
        None => unencrypted.await,
        Some(secure) => {
            let clients = ClientCertificates::of(&secure.files);
            let identify = Arc::clone(&shared.doors.identify);
            let door = TlsDoor::new(secure.files, clients, identify)?;
            let watched = door.clone();
            let listener = TcpListener::bind(secure.listen).await?;
            let served = async {
                tokio::join!(unencrypted, accept(&shared, listener, Some(door)));
            };
            tokio::select! {
                () = served => {}
                () = watched.watch() => {}
            }
        }
    }
    let goodbye = async {
        while shared.connections.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    };
    if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
        tracing::warn!("phd: some connections did not end in time and are cut off");
    }
    Ok(())
}

async fn accept(shared: &Arc<Shared>, listener: TcpListener, secure: Option<TlsDoor>) {
    let mut shutdown = shared.doors.shutdown.clone();
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(shared, stream, peer, secure.clone()),
                Err(error) => {
                    tracing::warn!("phd: accept failed: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

fn admit(shared: &Arc<Shared>, stream: TcpStream, peer: SocketAddr, secure: Option<TlsDoor>) {
    let place = Place::take(shared);
    if shared.connections.load(Ordering::Acquire) > shared.limits.connections {
        return count_refused("too-many-connections");
    }
    let name = if secure.is_some() { "phd-tls" } else { "phd" };
    let Ok(zone) = shared.doors.identify.zone(peer, name) else {
        return count_refused("wrong-zone");
    };
    let door = Door { peer: Some(peer), listener: name, zone, ..Door::default() };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("phd: cannot set TCP_NODELAY: {error}");
    }
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let _place = place;
        match secure {
            None => serve_one(shared, door, stream).await,
            Some(secure) => {
                if let Some(made) = secure.accept(stream, &door, shared.limits.patience).await {
                    let door = Door { encrypted: true, presented: made.presented, ..door };
                    serve_one(shared, door, made.stream).await;
                }
            }
        }
    });
}

async fn serve_one<S: AsyncRead + AsyncWrite + Unpin>(shared: Arc<Shared>, door: Door, stream: S) {
    match shared.doors.identify.phd(&door) {
        Ok(identity) => {
            let address = door.peer.map(|peer| peer.ip().to_canonical());
            Connection::new(shared, identity, address, stream).serve().await;
        }
        Err(_) => count_refused("not-allowed"),
    }
}

/// A counted place among the connections.
struct Place {
    shared: Arc<Shared>,
    gauge: metrics::Gauge,
}

impl Place {
    fn take(shared: &Arc<Shared>) -> Self {
        shared.connections.fetch_add(1, Ordering::AcqRel);
        let gauge = metrics::gauge!("vitalwire_gateway_connections", "protocol" => "phd");
        gauge.increment(1.0);
        Self { shared: Arc::clone(shared), gauge }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.connections.fetch_sub(1, Ordering::AcqRel);
        self.gauge.decrement(1.0);
    }
}
