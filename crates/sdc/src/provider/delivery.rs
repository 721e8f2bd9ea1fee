//! Takes reports to one subscriber, in order, over one connection that is made again when it broke.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::access::{Access, Caller};

/// How long a report may take to be accepted.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer to a report.
const ANSWER_MAX: usize = 64 << 10;

/// Where a subscriber listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sink {
    /// Address.
    address: SocketAddr,
    /// Path and query.
    path: String,
}

impl Sink {
    /// Reads `https://address:port/path`: an IP address, for names are nobody's here, and the one
    /// that the subscriber came from, so that nobody has reports sent to somebody else.
    pub(super) fn read(url: &str, caller: &Caller) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let address: SocketAddr = match authority.parse() {
            Ok(address) => address,
            Err(_) => SocketAddr::new(authority.trim_matches(['[', ']']).parse().ok()?, 443),
        };
        let same = address.ip().to_canonical() == caller.address.to_canonical();
        let path = if path.is_empty() { "/".to_owned() } else { path.to_owned() };
        let plain = path.bytes().all(|b| b.is_ascii_graphic());
        (same && plain).then_some(Self { address, path })
    }
}

/// Delivers to one subscriber.
pub(super) struct Courier {
    /// TLS.
    pub(super) tls: Arc<ClientConfig>,
    /// Who may be there.
    pub(super) access: Access,
    /// Who subscribed.
    pub(super) caller: Caller,
    connection: Option<(SocketAddr, SendRequest<Full<Bytes>>)>,
}

impl Courier {
    pub(super) fn new(tls: Arc<ClientConfig>, access: Access, caller: Caller) -> Self {
        Self { tls, access, caller, connection: None }
    }

    /// Sends one message; tries once more over a new connection where the present one broke.
    pub(super) async fn send(&mut self, sink: &Sink, message: &str) -> Result<(), String> {
        let reused = self.connection.as_ref().is_some_and(|(known, _)| *known == sink.address);
        let mut sent = self.timely(sink, message).await;
        if matches!(sent, Some(Err(_))) && reused {
            sent = self.timely(sink, message).await;
        }
        sent.unwrap_or_else(|| Err("no answer in time".to_owned()))
    }

    /// One attempt; none where it took too long. A connection on which an answer is owed is not used again.
    async fn timely(&mut self, sink: &Sink, message: &str) -> Option<Result<(), String>> {
        let sent = tokio::time::timeout(PATIENCE, self.once(sink, message)).await.ok();
        if !matches!(sent, Some(Ok(()))) {
            self.connection = None;
        }
        sent
    }

    async fn once(&mut self, sink: &Sink, message: &str) -> Result<(), String> {
        if self.connection.as_ref().is_none_or(|(known, _)| *known != sink.address) {
            self.connection = Some((sink.address, self.connect(sink).await?));
        }
        let Some((_, sender)) = &mut self.connection else { return Err("not connected".to_owned()) };
        let request = Request::builder()
            .method(Method::POST)
            .uri(&sink.path)
            .header(header::HOST, sink.address.to_string())
            .header(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")
            .body(Full::new(Bytes::copy_from_slice(message.as_bytes())))
            .map_err(|error| error.to_string())?;
        sender.ready().await.map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        Limited::new(answer.into_body(), ANSWER_MAX).collect().await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(()) } else { Err(format!("answered {status}")) }
    }

    async fn connect(&self, sink: &Sink) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(sink.address).await.map_err(|error| error.to_string())?;
        // Reports are small and urgent. Where the option can't be set they are only later.
        let _ = stream.set_nodelay(true);
        let name = ServerName::IpAddress(sink.address.ip().into());
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await.map_err(|e| e.to_string())?;
        let der = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let there = der.and_then(|der| self.access.known(der, sink.address.ip()));
        if there.is_none_or(|there| there.account != self.caller.account) {
            return Err("somebody else listens there".to_owned());
        }
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            // How it ended is told by the next report that can't be sent.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

