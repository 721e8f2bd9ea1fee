//! TLS of both sides: certificates of the site's authority are required of whoever comes and of
//! whoever is notified. Names of hosts prove nothing here (MDPWS: devices have no DNS names); whose the
//! certificate is does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::settings::Settings;

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be used.
    #[error("{0}: {1}")]
    File(PathBuf, String),
    /// What the files hold can't be used.
    #[error("certificates for SDC: {0}")]
    Refused(String),
}

fn refused(error: impl std::fmt::Display) -> TlsError {
    TlsError::Refused(error.to_string())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bad = |error: rustls_pki_types::pem::Error| TlsError::File(path.to_owned(), error.to_string());
    let all: Vec<_> = CertificateDer::pem_file_iter(path).map_err(bad)?.collect::<Result<_, _>>().map_err(bad)?;
    if all.is_empty() {
        return Err(TlsError::File(path.to_owned(), "holds no certificate".to_owned()));
    }
    Ok(all)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| TlsError::File(path.to_owned(), error.to_string()))
}

fn roots(settings: &Settings) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&settings.authority)? {
        roots.add(certificate).map_err(refused)?;
    }
    Ok(Arc::new(roots))
}

/// For those who come.
pub(super) fn server(settings: &Settings) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(settings)?, Arc::clone(&provider));
    let verifier = verifier.build().map_err(refused)?;
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(refused)?.with_client_cert_verifier(verifier);
    let chain = certificates(&settings.certificate)?;
    let mut config = builder.with_single_cert(chain, key(&settings.key)?).map_err(refused)?;
    // A resumed session would skip the question whether its certificate still holds.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// For those who are notified.
pub(super) fn client(settings: &Settings) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(Chain { roots: roots(settings)?, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(refused)?.dangerous().with_custom_certificate_verifier(verifier);
    let chain = certificates(&settings.certificate)?;
    let config = builder.with_client_auth_cert(chain, key(&settings.key)?).map_err(refused)?;
    Ok(Arc::new(config))
}

/// Accepts a chain that leads to the authority; whose certificate it is, is asked after the handshake.
#[derive(Debug)]
struct Chain {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Chain {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let parsed = ParsedCertificate::try_from(own)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
