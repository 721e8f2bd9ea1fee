//! Questions to a device over HTTPS, and what both sides of TLS need.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wire_dpws::{Envelope, Header, LIMITS, Payload, Prefixes};

use super::settings::Settings;

/// Our certificate chain, its key, and who signs certificates of the other side: PEM files.
#[derive(Debug, Clone, Copy)]
pub struct Papers<'a> {
    /// Chain.
    pub certificate: &'a Path,
    /// Key.
    pub key: &'a Path,
    /// Authority.
    pub authority: &'a Path,
}

/// How long a question may take in all. Descriptions are large, and devices are slow.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Why there is no answer. Texts hold nothing of what was sent.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// A certificate, key or authority can't be used.
    #[error("cannot use {0}: {1}; check the path and that it is PEM")]
    File(String, String),
    /// TLS refused the configuration.
    #[error("TLS configuration refused: {0}")]
    Tls(#[from] rustls::Error),
    /// The address is none that is asked.
    #[error("not an address of a device: write https://host:port/path")]
    Address,
    /// No connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// It took too long.
    #[error("no answer in {} s", PATIENCE.as_secs())]
    Late,
    /// The answer is no such message.
    #[error("the answer is not understood: {0}")]
    Answer(String),
    /// The device refused.
    #[error("the device answered with a fault: {0}")]
    Fault(String),
}

/// Asks devices. Cheap to clone.
#[derive(Clone)]
pub struct Line {
    tls: TlsConnector,
}

impl Line {
    /// A line with our certificate, which trusts the site's authority for devices.
    ///
    /// # Errors
    /// [`LineError`] when a file can't be used.
    pub fn new(papers: Papers<'_>) -> Result<Self, LineError> {
        let (chain, key) = own(papers)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(papers.authority)?)
            .with_client_auth_cert(chain, key)?;
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a body with its headers and reads the envelope that answers, with its bytes.
    ///
    /// # Errors
    /// [`LineError`].
    pub(super) async fn ask(&self, address: &str, text: String) -> Result<(Envelope, Bytes), LineError> {
        let exchange = async { self.open(address).await?.exchange(text).await };
        let (status, bytes) = tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| LineError::Late)??;
        understand(status, bytes)
    }

    /// Asks with one of the messages of the web services.
    ///
    /// # Errors
    /// [`LineError`].
    pub(crate) async fn ask_payload<P: Payload>(&self, to: &wire_dpws::Endpoint, payload: &P) -> Result<Envelope, LineError> {
        let header = Header { reply_to: Some(wire_dpws::Endpoint::anonymous()), ..Header::to(payload.action(), to, message_id()) };
        self.tell(&to.address, header, payload).await
    }

    /// The same with headers of the caller's; an answer may be empty.
    ///
    /// # Errors
    /// [`LineError`].
    pub(crate) async fn tell<P: Payload>(&self, address: &str, header: Header, payload: &P) -> Result<Envelope, LineError> {
        Ok(self.ask(address, Envelope::write_payload(header, payload)).await?.0)
    }

    /// Asks with one of the messages of the participant model.
    ///
    /// # Errors
    /// [`LineError`].
    pub async fn request(&self, address: &str, request: &wire_sdc::message::Request) -> Result<(Envelope, Bytes), LineError> {
        self.ask(address, written(address, request, Vec::new())).await
    }

    /// Connects; nothing is sent yet.
    ///
    /// # Errors
    /// [`LineError`].
    pub(crate) async fn open(&self, address: &str) -> Result<Open, LineError> {
        let broken = |error: &dyn std::fmt::Display| LineError::Connection(error.to_string());
        let uri: Uri = address.parse().map_err(|_| LineError::Address)?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or(LineError::Address)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let name = ServerName::try_from(host.clone()).map_err(|_| LineError::Address)?;
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|e| broken(&e))?;
        let _ = stream.set_nodelay(true);
        let stream = self.tls.connect(name, stream).await.map_err(|e| broken(&e))?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
        Ok(Open { sender, uri, running: tokio::spawn(connection) })
    }
}

/// A message of the participant model as it is sent, with more headers.
pub(crate) fn written(address: &str, request: &wire_sdc::message::Request, more: Vec<markup::Element>) -> String {
    let mut header = Header::request(request.action(), address, message_id());
    header.reply_to = Some(wire_dpws::Endpoint::anonymous());
    header.more = more;
    let mut prefixes = Prefixes::default();
    for ns in [wire_sdc::MSG, wire_sdc::PM, wire_sdc::EXT, wire_sdc::XSD] {
        prefixes.prefix(ns);
    }
    if !header.more.is_empty() {
        prefixes.prefix(wire_dpws::names::MDPWS);
    }
    Envelope { header, body: Some(request.write()) }.write(&prefixes)
}

/// A connection to a device, for one exchange.
pub(crate) struct Open {
    sender: hyper::client::conn::http1::SendRequest<Full<Bytes>>,
    uri: Uri,
    running: tokio::task::JoinHandle<Result<(), hyper::Error>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Open {
    /// Sends a message and gives what comes back.
    ///
    /// # Errors
    /// [`LineError::Connection`].
    pub(crate) async fn exchange(mut self, text: String) -> Result<(StatusCode, Bytes), LineError> {
        let broken = |error: &dyn std::fmt::Display| LineError::Connection(error.to_string());
        let request = Request::post(self.uri.path_and_query().map_or("/", |path| path.as_str()))
            .header("Host", self.uri.authority().map_or("", |authority| authority.as_str()))
            .header("Content-Type", "application/soap+xml; charset=utf-8")
            .header("Connection", "close")
            .body(Full::new(Bytes::from(text)))
            .map_err(|e| broken(&e))?;
        let answer = self.sender.send_request(request).await.map_err(|e| broken(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LIMITS.bytes).collect().await;
        Ok((status, body.map_err(|e| broken(&e))?.to_bytes()))
    }
}

/// The envelope that answers, with its bytes.
///
/// # Errors
/// [`LineError::Answer`] and [`LineError::Fault`].
pub(crate) fn understand(status: StatusCode, bytes: Bytes) -> Result<(Envelope, Bytes), LineError> {
    // The parts of DPWS whose answer has no body are answered by an empty one by some devices.
    if bytes.is_empty() {
        let told = if status.is_success() { Ok(()) } else { Err(LineError::Answer(format!("status {status}"))) };
        return told.map(|()| (Envelope::default(), bytes));
    }
    let envelope = Envelope::read(&bytes, &LIMITS).map_err(|e| LineError::Answer(e.to_string()))?;
    match envelope.fault() {
        Some(fault) => {
            let subcode = fault.subcode.map_or_else(|| String::from("no code"), |name| name.local.to_string());
            Err(LineError::Fault(subcode))
        }
        None => Ok((envelope, bytes)),
    }
}

/// What the listener for reports speaks: devices must show a certificate of the authority.
pub(super) fn server(settings: &Settings) -> Result<Arc<ServerConfig>, LineError> {
    let (chain, key) = own(settings.papers())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let refused = |error: &dyn std::fmt::Display| LineError::File(settings.authority.display().to_string(), error.to_string());
    let roots = Arc::new(roots(&settings.authority)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier.map_err(|e| refused(&e))?)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn own(papers: Papers<'_>) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), LineError> {
    let bad = |path: &Path, error: &dyn std::fmt::Display| LineError::File(path.display().to_string(), error.to_string());
    let key = PrivateKeyDer::from_pem_file(papers.key).map_err(|e| bad(papers.key, &e))?;
    Ok((certificates(papers.certificate)?, key))
}

fn roots(path: &Path) -> Result<RootCertStore, LineError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|e| LineError::File(path.display().to_string(), e.to_string()))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LineError> {
    let bad = |error: &dyn std::fmt::Display| LineError::File(path.display().to_string(), error.to_string());
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|e| bad(&e))?
        .collect::<Result<_, _>>()
        .map_err(|e| bad(&e))?;
    if all.is_empty() { Err(bad(&"no certificate in it")) } else { Ok(all) }
}

/// A fresh message id (RFC 4122, version 4).
pub(crate) fn message_id() -> String {
    format!("urn:uuid:{}", uuid())
}

/// A random UUID.
pub(super) fn uuid() -> String {
    let mut bytes = [0_u8; 16];
    // Without chance there is no TLS either.
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
