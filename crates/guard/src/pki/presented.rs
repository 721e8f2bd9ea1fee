//! A certificate as somebody shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vitals::ReceiveTime;
use x509_parser::extensions::GeneralName;

use super::authority::hex;

/// A certificate that was shown in a handshake, whose chain and key the handshake has proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The names in it: those of subjectAltName (DNS names, URIs, e-mail addresses), then the common name.
    pub names: Arc<[String]>,
    /// SHA-256 of the whole certificate.
    pub fingerprint: [u8; 32],
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// From when it holds, in microseconds since 1970.
    pub from_us: i64,
    /// Until when it holds, in microseconds since 1970.
    pub until_us: i64,
    /// The name of who signed it, as it stands in it.
    pub(super) issuer: Vec<u8>,
    /// Whether the authority behind it is trusted no longer.
    withdrawn: Withdrawn,
}

/// Set once, for all who hold the certificate. No part of what it is: it compares as equal.
#[derive(Debug, Clone, Default)]
struct Withdrawn(Arc<AtomicBool>);

impl PartialEq for Withdrawn {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Withdrawn {}

impl Presented {
    /// Reads a certificate (DER); none when it can't be read.
    #[must_use]
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
        let mut names = Vec::new();
        if let Ok(Some(alternatives)) = parsed.subject_alternative_name() {
            for name in &alternatives.value.general_names {
                if let GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) = name {
                    names.push((*text).to_owned());
                }
            }
        }
        let common = parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        names.extend(common.map(str::to_owned));
        let validity = parsed.validity();
        Some(Self {
            names: names.into(),
            fingerprint: sha256(der),
            serial: hex(parsed.raw_serial()),
            from_us: validity.not_before.timestamp().saturating_mul(1_000_000),
            until_us: validity.not_after.timestamp().saturating_mul(1_000_000),
            issuer: parsed.issuer().as_raw().to_vec(),
            withdrawn: Withdrawn::default(),
        })
    }

    /// Says that the authority behind it is trusted no longer: whoever came in with it is let in no
    /// more.
    pub fn withdraw(&self) {
        self.withdrawn.0.store(true, Ordering::Release);
    }

    /// Whether that was said.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.withdrawn.0.load(Ordering::Acquire)
    }

    /// Whether it holds at this moment.
    #[must_use]
    pub fn holds(&self, now: ReceiveTime) -> bool {
        (self.from_us..=self.until_us).contains(&now.micros())
    }
}

/// SHA-256, as certificates are named by everywhere.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}
