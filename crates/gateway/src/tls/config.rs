//! What is spoken: TLS 1.3 and 1.2 with the suites of BCP 195 (RFC 9325) alone, nothing resumed.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::verifier::LiveVerifier;
use super::{TlsFiles, bad_file, certificates};
use crate::{Authenticator, GatewayError};

/// Whether clients show certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They may; without one they come in by other means, or not.
    Offered,
    /// They must.
    Required,
}

impl ClientCertificates {
    /// What a device's listener asks for: a site that names its authority wants certificates shown.
    #[must_use]
    pub fn of(files: &TlsFiles) -> Self {
        if files.client_authority.is_some() { Self::Required } else { Self::Offered }
    }
}

/// Forward secrecy and authenticated encryption only (RFC 9325, 4.2). Written out, so that an
/// update of the library adds none.
fn provider() -> CryptoProvider {
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        ..default_provider()
    }
}

/// The configuration for these files as they are now; `judge` has authorities of its own and is
/// asked about every client's certificate.
pub(super) fn build(
    files: &TlsFiles,
    clients: ClientCertificates,
    judge: Option<&Arc<dyn Authenticator>>,
) -> Result<Built, GatewayError> {
    let refused = |error: &dyn std::fmt::Display| GatewayError::Tls(error.to_string());
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| bad_file(&files.key, &e))?;
    let provider = Arc::new(provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| refused(&e))?;
    let mut roots = rustls::RootCertStore::empty();
    if let Some(path) = &files.client_authority {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|e| bad_file(path, &e))?;
        }
    }
    for der in judge.map_or_else(Vec::new, |judge| judge.authorities()) {
        roots.add(CertificateDer::from(der)).map_err(|e| refused(&e))?;
    }
    if roots.is_empty() && clients == ClientCertificates::Required {
        return Err(GatewayError::Tls("client certificates are required, and no authority is known: set tls.client_authority, or enrol a device".to_owned()));
    }
    let chains = match roots.is_empty() {
        true => None,
        false => Some(chains(files, clients, roots, provider)?),
    };
    let builder = match (chains.clone(), judge) {
        (None, _) => builder.with_no_client_auth(),
        (Some(inner), None) => builder.with_client_cert_verifier(inner),
        (Some(inner), Some(judge)) => {
            builder.with_client_cert_verifier(Arc::new(LiveVerifier { inner, judge: Arc::clone(judge) }))
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| refused(&e))?;
    // A resumed session would skip the question whether its certificate still holds.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    // Without it a session's secret could be another's (RFC 7627; RFC 9325, 3.5).
    config.require_ems = true;
    Ok(Built { config: Arc::new(config), chains })
}

/// A configuration, and what it checks chains of clients' certificates by; none where it asks for none.
pub(super) struct Built {
    pub(super) config: Arc<ServerConfig>,
    pub(super) chains: Option<Arc<dyn ClientCertVerifier>>,
}

fn chains(
    files: &TlsFiles,
    clients: ClientCertificates,
    roots: rustls::RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, GatewayError> {
    let mut lists = Vec::new();
    for path in &files.revocation_lists {
        let found = CertificateRevocationListDer::pem_file_iter(path).map_err(|e| bad_file(path, &e))?;
        for list in found {
            lists.push(list.map_err(|e| bad_file(path, &e))?);
        }
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(lists)
        .only_check_end_entity_revocation()
        .allow_unknown_revocation_status();
    if clients == ClientCertificates::Offered {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(|e| GatewayError::Tls(e.to_string()))
}
