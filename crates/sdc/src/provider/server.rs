//! The HTTPS listener: client certificates required, limits on connections, heads, bodies and time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::access::Caller;
use super::run::Shared;

const CONNECTIONS_MAX: usize = 256;
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(60);
/// Largest request: the largest that anybody has reason to send is a context state.
const BODY_MAX: usize = 256 << 10;
const BODY: Duration = Duration::from_secs(10);

/// A message id nobody else has.
pub(super) fn message_id() -> String {
    format!("urn:uuid:{}", uuid(random()))
}

/// Random bytes; all nought where the system has none, which it always has.
pub(super) fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no randomness");
    }
    bytes
}

/// Bytes as a UUID of version 4 (RFC 9562).
pub(super) fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Returns when the program stops.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped, too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Serves until the program stops.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    shared: Arc<Shared>,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stopping) => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            shared.live.count("sdc-too-many-connections", 1);
            continue;
        };
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            connection(stream, peer, acceptor, shared).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        shared.live.count("sdc-handshake-failed", 1);
        return;
    };
    let der = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let caller = der.and_then(|der| shared.access.known(der, peer.ip().to_canonical()));
    let Some(caller) = caller else {
        shared.live.count("sdc-unknown-peer", 1);
        return;
    };
    let service = service_fn(|request| {
        let (shared, caller) = (Arc::clone(&shared), caller.clone());
        async move { Ok::<_, Infallible>(answer(request, &shared, &caller).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "SDC: a connection ended");
    }
}

async fn answer(request: Request<Incoming>, shared: &Arc<Shared>, caller: &Caller) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    if request.method() == Method::GET {
        let wanted = request.uri().query() == Some("wsdl");
        return match shared.wsdl(&path).filter(|_| wanted) {
            Some(text) => respond(StatusCode::OK, "text/xml; charset=utf-8", text),
            None => respond(StatusCode::NOT_FOUND, "text/plain", String::new()),
        };
    }
    if request.method() != Method::POST {
        return respond(StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new());
    }
    let body = Limited::new(request.into_body(), BODY_MAX).collect();
    let Ok(Ok(body)) = tokio::time::timeout(BODY, body).await else {
        shared.live.count("sdc-bad-body", 1);
        return respond(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", String::new());
    };
    let (status, text) = shared.answer(&path, &body.to_bytes(), caller).await;
    respond(status, "application/soap+xml; charset=utf-8", text)
}

fn respond(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
