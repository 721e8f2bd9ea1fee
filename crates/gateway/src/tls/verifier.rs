//! Client certificates, proved by the library and then judged by who is in service at this moment.

use std::cell::RefCell;
use std::sync::Arc;

use guard::{Presented, Refusal};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::Authenticator;

tokio::task_local! {
    /// Why the handshake that this task is in was refused: the library's errors say no names.
    pub(super) static REFUSED: RefCell<Option<(Refusal, Option<Presented>)>>;
}

pub(super) struct LiveVerifier {
    pub(super) inner: Arc<dyn ClientCertVerifier>,
    pub(super) judge: Arc<dyn Authenticator>,
}

impl std::fmt::Debug for LiveVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveVerifier").finish_non_exhaustive()
    }
}

impl ClientCertVerifier for LiveVerifier {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let shown = Presented::read(end_entity);
        let verified = match self.inner.verify_client_cert(end_entity, intermediates, now) {
            Ok(verified) => verified,
            Err(error) => {
                tell(reason(&error), shown);
                return Err(error);
            }
        };
        let Some(shown) = shown else {
            tell(Refusal::BadCertificate, None);
            return Err(Error::InvalidCertificate(CertificateError::BadEncoding));
        };
        match self.judge.judge(&shown) {
            Ok(()) => Ok(verified),
            Err(refusal) => {
                tell(refusal, Some(shown));
                // The alert that the other end sees.
                Err(Error::InvalidCertificate(match refusal {
                    Refusal::Revoked => CertificateError::Revoked,
                    Refusal::Expired => CertificateError::Expired,
                    _ => CertificateError::ApplicationVerificationFailure,
                }))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn tell(refusal: Refusal, shown: Option<Presented>) {
    // Outside of a handshake of ours nobody asks.
    let _ = REFUSED.try_with(|told| *told.borrow_mut() = Some((refusal, shown)));
}

/// What the library's refusal means.
pub(super) fn reason(error: &Error) -> Refusal {
    match error {
        Error::NoCertificatesPresented => Refusal::NoCertificate,
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Refusal::Expired,
            CertificateError::Revoked => Refusal::Revoked,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Refusal::OtherAuthority,
            _ => Refusal::BadCertificate,
        },
        _ => Refusal::BadCertificate,
    }
}
