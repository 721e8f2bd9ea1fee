//! Where devices deliver: an HTTPS listener whose paths are the secrets of subscriptions.
//!
//! A report is answered only when the journal has it (DU-1).

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_rustls::TlsAcceptor;

/// Connections at a time: a device keeps one or two.
const CONNECTIONS: usize = 1_024;
/// How long a handshake, and the headers of a request, may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a delivery may wait for its device's task and the journal.
const PLACE: Duration = Duration::from_secs(30);

/// One delivery.
pub(super) struct Delivery {
    /// The body as it came.
    pub(super) bytes: Bytes,
    /// To say that it is kept.
    pub(super) kept: oneshot::Sender<()>,
}

type Routes = Arc<Mutex<HashMap<String, mpsc::Sender<Delivery>>>>;

/// Hands deliveries to whom they are for.
#[derive(Clone, Default)]
pub(super) struct Sink {
    routes: Routes,
}

/// A path that is taken; free again when this goes.
pub(super) struct Route {
    routes: Routes,
    pub(super) path: String,
}

impl Drop for Route {
    fn drop(&mut self) {
        self.routes.lock().remove(&self.path);
    }
}

impl Sink {
    /// A path of its own, and what is delivered to it; `waiting` deliveries at most wait.
    pub(super) fn route(&self, waiting: usize) -> (Route, mpsc::Receiver<Delivery>) {
        let (sender, receiver) = mpsc::channel(waiting);
        let path = format!("/{}", super::line::uuid());
        self.routes.lock().insert(path.clone(), sender);
        (Route { routes: Arc::clone(&self.routes), path }, receiver)
    }

    /// Takes connections until the program stops.
    pub(super) async fn serve(self, listener: TcpListener, tls: Arc<rustls::ServerConfig>, mut stopping: watch::Receiver<bool>) {
        let acceptor = TlsAcceptor::from(tls);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                refused("connections");
                continue;
            };
            let (acceptor, sink, mut stopping) = (acceptor.clone(), self.clone(), stopping.clone());
            tokio::spawn(async move {
                let _place = place;
                let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await else {
                    refused("handshake");
                    return;
                };
                let service = service_fn(move |request| {
                    let sink = sink.clone();
                    async move { Ok::<_, Infallible>(sink.take(request).await) }
                });
                let serving = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(PATIENCE)
                    .serve_connection(TokioIo::new(stream), service);
                tokio::select! {
                    _ = serving => {}
                    _ = stopping.wait_for(|stop| *stop) => {}
                }
            });
        }
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::POST {
            refused("method");
            return answer(StatusCode::METHOD_NOT_ALLOWED);
        }
        let Some(route) = self.routes.lock().get(request.uri().path()).cloned() else {
            refused("path");
            return answer(StatusCode::NOT_FOUND);
        };
        let body = tokio::time::timeout(PLACE, Limited::new(request.into_body(), wire_dpws::LIMITS.bytes).collect());
        let Ok(Ok(body)) = body.await else {
            refused("body");
            return answer(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let (kept, told) = oneshot::channel();
        let delivery = Delivery { bytes: body.to_bytes(), kept };
        let done = async { route.send(delivery).await.is_ok() && told.await.is_ok() };
        match tokio::time::timeout(PLACE, done).await {
            Ok(true) => answer(StatusCode::ACCEPTED),
            _ => {
                refused("not-kept");
                answer(StatusCode::SERVICE_UNAVAILABLE)
            }
        }
    }
}

fn answer(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// Counts what was not taken (DU-2).
pub(super) fn refused(reason: &'static str) {
    metrics::counter!("vitalwire_sdc_refused_total", "reason" => reason).increment(1);
}
