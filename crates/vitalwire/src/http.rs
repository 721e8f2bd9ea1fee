//! The HTTP listener: plain or TLS, with limits on connections, on slow heads and on peers that
//! read nothing. What is answered is in the `api` crate.

use std::sync::Arc;
use std::time::Duration;

use api::origin::Peer;
use axum::Router;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use gateway::tls::TlsDoor;
use gateway::{Authenticator, Door, told};
use guard::Presented;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::patient_io::Patient;

/// How long a TLS handshake may take, and how long the head of a request, the time between two
/// requests included.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(30);
/// How long a peer may accept nothing of an answer.
const STUCK: Duration = Duration::from_secs(60);
/// How long answers may still take when the program stops.
const GOODBYE: Duration = Duration::from_millis(150);
/// Largest head of a request, in bytes.
const HEAD_BYTES: usize = 64 << 10;
/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until the program stops. Live streams never end by themselves: they are dropped then.
pub(crate) async fn serve(
    listener: TcpListener,
    secure: Option<TlsDoor>,
    identify: Arc<dyn Authenticator>,
    router: Router,
    connections_max: usize,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(connections_max));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Err(error) => {
                    tracing::warn!("http: accept failed: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                Ok((stream, peer)) => {
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        refused("too-many-connections");
                        continue;
                    };
                    let Ok(zone) = identify.zone(peer, "http") else {
                        refused("wrong-zone");
                        continue;
                    };
                    let door = Door { peer: Some(peer), listener: "http", zone, ..Door::default() };
                    let (secure, router) = (secure.clone(), router.clone());
                    let identify = Arc::clone(&identify);
                    connections.spawn(async move {
                        let _place = place;
                        admit(stream, door, secure, identify, router).await;
                    });
                }
            },
        }
    }
    // What is nearly answered is answered; live streams are cut off.
    let rest = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GOODBYE, rest).await;
}

/// Waits until the program stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn admit(
    stream: TcpStream,
    door: Door,
    secure: Option<TlsDoor>,
    identify: Arc<dyn Authenticator>,
    router: Router,
) {
    let address = door.peer.map(|peer| peer.ip().to_canonical());
    let peer = Peer { address, encrypted: secure.is_some() };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("http: cannot set TCP_NODELAY: {error}");
    }
    let Some(secure) = secure else { return talk(stream, peer, None, router).await };
    let Some(made) = secure.accept(stream, &door, HANDSHAKE).await else { return };
    let presented = made.presented;
    tokio::select! {
        () = talk(made.stream, peer, presented.clone(), router) => {}
        () = revoked(identify, presented) => refused("revoked"),
    }
}

/// Returns when the certificate that a connection was opened with is no longer let in.
async fn revoked(identify: Arc<dyn Authenticator>, presented: Option<Arc<Presented>>) {
    let Some(shown) = presented else { return std::future::pending().await };
    let mut moved = identify.moved();
    loop {
        told(&mut moved).await;
        if identify.judge(&shown).is_err() {
            return;
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    presented: Option<Arc<Presented>>,
    router: Router,
) {
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        if let Some(presented) = &presented {
            request.extensions_mut().insert(Arc::clone(presented));
        }
        let router = router.clone();
        async move {
            if !names_one_host(&request) {
                refused("host");
                return Ok(StatusCode::BAD_REQUEST.into_response());
            }
            router.oneshot(request).await
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream, STUCK)), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        // Never the request itself: an address may name a patient.
        tracing::debug!("http: connection ended: {}", kind(&error));
    }
}

/// RFC 9112, 3.2: a request of HTTP/1.1 says which host it means, once. Two would be two answers to
/// whom it is for, one for us and one for a proxy before us.
fn names_one_host(request: &hyper::Request<Body>) -> bool {
    let named = request.headers().get_all(header::HOST).iter().count();
    named == 1 || (named == 0 && request.version() < hyper::Version::HTTP_11)
}

fn kind(error: &hyper::Error) -> &'static str {
    if error.is_timeout() {
        refused("head-timeout");
        "the head of a request took too long"
    } else if error.is_parse() {
        refused("not-http");
        "not understood as HTTP"
    } else {
        "broken off"
    }
}

fn refused(reason: &'static str) {
    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => "http", "reason" => reason)
        .increment(1);
}
