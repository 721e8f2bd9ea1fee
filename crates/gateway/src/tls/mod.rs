//! TLS of a listener: certificate, key, whose client certificates are taken; read again when the
//! files change, and every handshake judged by who is in service at that moment.

mod config;
mod door;
mod turns;
mod verifier;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use guard::Presented;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsAcceptor;

use crate::GatewayError;

pub use config::ClientCertificates;
pub use door::{Secured, TlsDoor};

/// PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// Certificate chain, the listener's own first.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Authorities whose client certificates are taken, beside the house's own.
    pub client_authority: Option<PathBuf>,
    /// Lists of revoked certificates (PEM) of these authorities.
    pub revocation_lists: Vec<PathBuf>,
}

/// An acceptor for these files as they are now, without client certificates: whether they can be
/// used at all.
///
/// # Errors
/// [`GatewayError::TlsFile`] when a file can't be read, [`GatewayError::Tls`] when they do not fit.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, GatewayError> {
    let door = config::build(files, ClientCertificates::Offered, None)?.config;
    Ok(TlsAcceptor::from(door))
}

/// Until when the first certificate of a PEM file holds, in seconds since 1970, and its names.
///
/// # Errors
/// [`GatewayError::TlsFile`] when the file can't be read.
pub fn valid_until(path: &Path) -> Result<(i64, Arc<[String]>), GatewayError> {
    let chain = certificates(path)?;
    let shown = Presented::read(&chain[0]).ok_or_else(|| bad_file(path, &"not readable"))?;
    Ok((shown.until_us / 1_000_000, shown.names))
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
