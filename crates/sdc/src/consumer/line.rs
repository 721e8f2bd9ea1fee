//! Questions to a device over HTTPS, and what both sides of TLS need.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wire_dpws::{Envelope, Header, LIMITS, Payload, Prefixes};

use super::settings::Settings;

/// How long a question may take in all. Descriptions are large, and devices are slow.
const PATIENCE: Duration = Duration::from_secs(20);

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
    pub fn new(settings: &Settings) -> Result<Self, LineError> {
        let (chain, key) = own(settings)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(&settings.authority)?)
            .with_client_auth_cert(chain, key)?;
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends a body with its headers and reads the envelope that answers, with its bytes.
    ///
    /// # Errors
    /// [`LineError`].
    pub(super) async fn ask(&self, address: &str, text: String) -> Result<(Envelope, Bytes), LineError> {
        let bytes = match tokio::time::timeout(PATIENCE, self.exchange(address, text)).await {
            Ok(bytes) => bytes?,
            Err(_) => return Err(LineError::Late),
        };
        // The parts of DPWS whose answer has no body are answered by an empty one by some devices.
        if bytes.is_empty() {
            return Ok((Envelope::default(), bytes));
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

    /// Asks with one of the messages of the web services.
    ///
    /// # Errors
    /// [`LineError`].
    pub(super) async fn ask_payload<P: Payload>(&self, to: &wire_dpws::Endpoint, payload: &P) -> Result<Envelope, LineError> {
        let header = Header { reply_to: Some(wire_dpws::Endpoint::anonymous()), ..Header::to(payload.action(), to, message_id()) };
        Ok(self.ask(&to.address, Envelope::write_payload(header, payload)).await?.0)
    }

    /// Asks with one of the messages of the participant model.
    ///
    /// # Errors
    /// [`LineError`].
    pub async fn request(&self, address: &str, request: &wire_sdc::message::Request) -> Result<(Envelope, Bytes), LineError> {
        let mut header = Header::request(request.action(), address, message_id());
        header.reply_to = Some(wire_dpws::Endpoint::anonymous());
        let mut prefixes = Prefixes::default();
        for ns in [wire_sdc::MSG, wire_sdc::PM, wire_sdc::EXT, wire_sdc::XSD] {
            prefixes.prefix(ns);
        }
        self.ask(address, Envelope { header, body: Some(request.write()) }.write(&prefixes)).await
    }

    async fn exchange(&self, address: &str, text: String) -> Result<Bytes, LineError> {
        let broken = |error: &dyn std::fmt::Display| LineError::Connection(error.to_string());
        let uri: Uri = address.parse().map_err(|_| LineError::Address)?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https")).ok_or(LineError::Address)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(443);
        let name = ServerName::try_from(host.clone()).map_err(|_| LineError::Address)?;
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|e| broken(&e))?;
        let _ = stream.set_nodelay(true);
        let stream = self.tls.connect(name, stream).await.map_err(|e| broken(&e))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
        let running = tokio::spawn(connection);
        let request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header("Host", uri.authority().map_or("", |authority| authority.as_str()))
            .header("Content-Type", "application/soap+xml; charset=utf-8")
            .header("Connection", "close")
            .body(Full::new(Bytes::from(text)))
            .map_err(|e| broken(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| broken(&e))?;
        let body = Limited::new(answer.into_body(), LIMITS.bytes).collect().await;
        running.abort();
        Ok(body.map_err(|e| broken(&e))?.to_bytes())
    }
}

/// What the listener for reports speaks: devices must show a certificate of the authority.
pub(super) fn server(settings: &Settings) -> Result<Arc<ServerConfig>, LineError> {
    let (chain, key) = own(settings)?;
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

fn own(settings: &Settings) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), LineError> {
    let bad = |path: &Path, error: &dyn std::fmt::Display| LineError::File(path.display().to_string(), error.to_string());
    let key = PrivateKeyDer::from_pem_file(&settings.key).map_err(|e| bad(&settings.key, &e))?;
    Ok((certificates(&settings.certificate)?, key))
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
pub(super) fn message_id() -> String {
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
