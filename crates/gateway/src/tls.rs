//! TLS of a listener: certificate, key and, for mutual TLS, the authority of client certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use x509_parser::extensions::GeneralName;

use crate::GatewayError;

/// PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, the listener's own first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// When given, clients must present a certificate signed by one of these authorities.
    pub client_authority: Option<PathBuf>,
}

/// An acceptor for these files; TLS 1.2 and 1.3.
///
/// # Errors
/// [`GatewayError::TlsFile`] when a file can't be read, [`GatewayError::Tls`] when they do not fit.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, GatewayError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| bad_file(&files.key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| GatewayError::Tls(e.to_string()))?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| bad_file(path, &e))?;
            }
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                provider,
            )
            .build()
            .map_err(|e| GatewayError::Tls(e.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config =
        builder.with_single_cert(chain, key).map_err(|e| GatewayError::Tls(e.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The names in a client's certificate, which the handshake has checked: those of subjectAltName
/// (DNS names, URIs, e-mail addresses), then the common name. Empty without a certificate, or when
/// it can't be read.
#[must_use]
pub fn names(chain: Option<&[CertificateDer<'_>]>) -> Arc<[String]> {
    let Some(own) = chain.and_then(<[_]>::first) else { return Arc::default() };
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(own) else {
        return Arc::default();
    };
    let mut names = Vec::new();
    if let Ok(Some(alternatives)) = certificate.subject_alternative_name() {
        for name in &alternatives.value.general_names {
            if let GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) = name {
                names.push((*text).to_owned());
            }
        }
    }
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    names.extend(common.map(str::to_owned));
    names.into()
}

/// Until when the first certificate of a PEM file holds, in seconds since 1970, and its names.
///
/// # Errors
/// [`GatewayError::TlsFile`] when the file can't be read.
pub fn valid_until(path: &Path) -> Result<(i64, Arc<[String]>), GatewayError> {
    let chain = certificates(path)?;
    let (_, certificate) =
        x509_parser::parse_x509_certificate(&chain[0]).map_err(|e| bad_file(path, &e))?;
    Ok((certificate.validity().not_after.timestamp(), names(Some(&chain))))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, GatewayError> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(|e| bad_file(path, &e))?
        .collect::<Result<_, _>>()
        .map_err(|e| bad_file(path, &e))?;
    if found.is_empty() {
        return Err(bad_file(path, &"no certificate in it"));
    }
    Ok(found)
}

fn bad_file(path: &Path, cause: &dyn std::fmt::Display) -> GatewayError {
    GatewayError::TlsFile { path: path.to_owned(), cause: cause.to_string() }
}
