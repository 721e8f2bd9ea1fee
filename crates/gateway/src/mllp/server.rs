//! The listener: accepts, does TLS, starts a task a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use super::config::{MllpConfig, MllpLimits};
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
    pub(super) limits: MllpLimits,
    pub(super) options: Arc<wire_hl7::Options>,
    pub(super) alert_managers: Vec<String>,
    /// What is left of each identity's allowance.
    pub(super) quotas: Quotas,
    connections: AtomicUsize,
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
        connections: AtomicUsize::new(0),
    });
    match config.tls {
        None => accept(&shared, listener, None).await,
        Some(secure) => {
            let clients = ClientCertificates::of(&secure.files);
            let identify = Arc::clone(&shared.doors.identify);
            let door = TlsDoor::new(secure.files, clients, identify)?;
            let watched = door.clone();
            let secure_listener = TcpListener::bind(secure.listen).await?;
            let served = async {
                tokio::join!(
                    accept(&shared, listener, None),
                    accept(&shared, secure_listener, Some(door))
                );
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
        tracing::warn!("mllp: some connections did not end in time and are cut off");
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
                    tracing::warn!("mllp: accept failed: {error}");
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
    let name = if secure.is_some() { "mllp-tls" } else { "mllp" };
    let Ok(zone) = shared.doors.identify.zone(peer, name) else {
        return count_refused("wrong-zone");
    };
    let door = Door { peer: Some(peer), listener: name, zone, ..Door::default() };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("mllp: cannot set TCP_NODELAY: {error}");
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
    match shared.doors.identify.mllp_at(&door) {
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
        let gauge = metrics::gauge!("vitalwire_gateway_connections", "protocol" => "mllp");
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
