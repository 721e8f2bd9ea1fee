//! Listeners of byte streams: accept, do TLS, count, start a task a connection. What is spoken on a stream, and who may
//! come in, is the protocol's ([`Spoken`]).

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use crate::tls::{ClientCertificates, TlsDoor, TlsFiles};
use crate::{Door, Doors, GatewayError};

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long connections may take to get their last answers when the program stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// A protocol that is spoken on connections of its own.
pub(crate) trait Spoken: Send + Sync + 'static {
    /// Its name in metrics, logs and rules of zones; with `-tls` for the encrypted listener.
    const NAME: &'static str;
    /// The name of its encrypted listener.
    const NAME_TLS: &'static str;

    /// The rest of the program.
    fn doors(&self) -> &Doors;
    /// Connections at once.
    fn connections_max(&self) -> usize;
    /// How long a handshake may take.
    fn patience(&self) -> Duration;
    /// Speaks with one peer until it is gone.
    fn speak<S: AsyncRead + AsyncWrite + Unpin + Send + Sync>(
        self: Arc<Self>,
        door: Door,
        stream: S,
    ) -> impl Future<Output = ()> + Send;
}

/// Serves `plain`, if it is there, and the TLS address until the program stops. Returns when the last
/// connection has ended.
///
/// # Errors
/// [`GatewayError`] when the TLS files or its address can't be used.
pub(crate) async fn serve<P: Spoken>(
    spoken: Arc<P>,
    plain: Option<TcpListener>,
    secure: Option<(SocketAddr, TlsFiles)>,
) -> Result<(), GatewayError> {
    let open = Arc::new(AtomicUsize::new(0));
    let unencrypted = async {
        if let Some(listener) = plain {
            accept(&spoken, &open, listener, None).await;
        }
    };
    match secure {
        None => unencrypted.await,
        Some((address, files)) => {
            let clients = ClientCertificates::of(&files);
            let identify = Arc::clone(&spoken.doors().identify);
            let door = TlsDoor::new(files, clients, identify)?;
            let watched = door.clone();
            let listener = TcpListener::bind(address).await?;
            let served = async {
                tokio::join!(unencrypted, accept(&spoken, &open, listener, Some(door)));
            };
            tokio::select! {
                () = served => {}
                () = watched.watch() => {}
            }
        }
    }
    let goodbye = async {
        while open.load(Ordering::Acquire) > 0 {
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    };
    if tokio::time::timeout(GOODBYE, goodbye).await.is_err() {
        tracing::warn!("{}: some connections did not end in time and are cut off", P::NAME);
    }
    Ok(())
}

/// Counts something that was refused or lost, by reason (DU-2).
pub(crate) fn count_refused<P: Spoken>(reason: &'static str) {
    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => P::NAME, "reason" => reason).increment(1);
}

/// Waits until the program stops.
pub(crate) async fn stopped(shutdown: &mut tokio::sync::watch::Receiver<bool>) {
    // An error means that nobody is left who could say so: the program is stopping.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

async fn accept<P: Spoken>(spoken: &Arc<P>, open: &Arc<AtomicUsize>, listener: TcpListener, secure: Option<TlsDoor>) {
    let mut shutdown = spoken.doors().shutdown.clone();
    loop {
        tokio::select! {
            () = stopped(&mut shutdown) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(spoken, open, stream, peer, secure.clone()),
                Err(error) => {
                    tracing::warn!("{}: accept failed: {error}", P::NAME);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

fn admit<P: Spoken>(
    spoken: &Arc<P>,
    open: &Arc<AtomicUsize>,
    stream: TcpStream,
    peer: SocketAddr,
    secure: Option<TlsDoor>,
) {
    let place = Place::take::<P>(open);
    if open.load(Ordering::Acquire) > spoken.connections_max() {
        return count_refused::<P>("too-many-connections");
    }
    let name = if secure.is_some() { P::NAME_TLS } else { P::NAME };
    let Ok(zone) = spoken.doors().identify.zone(peer, name) else {
        return count_refused::<P>("wrong-zone");
    };
    let door = Door { peer: Some(peer), listener: name, zone, ..Door::default() };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("{}: cannot set TCP_NODELAY: {error}", P::NAME);
    }
    let spoken = Arc::clone(spoken);
    tokio::spawn(async move {
        let _place = place;
        match secure {
            None => spoken.speak(door, stream).await,
            Some(secure) => {
                if let Some(made) = secure.accept(stream, &door, spoken.patience()).await {
                    let door = Door { encrypted: true, presented: made.presented, ..door };
                    spoken.speak(door, made.stream).await;
                }
            }
        }
    });
}

/// A counted place among the connections.
struct Place {
    open: Arc<AtomicUsize>,
    gauge: metrics::Gauge,
}

impl Place {
    fn take<P: Spoken>(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::AcqRel);
        let gauge = metrics::gauge!("vitalwire_gateway_connections", "protocol" => P::NAME);
        gauge.increment(1.0);
        Self { open: Arc::clone(open), gauge }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.gauge.decrement(1.0);
    }
}
