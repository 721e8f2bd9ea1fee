//! The authority itself: made once, signs devices' and servers' certificates and the list of those
//! revoked.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use time::{Duration, OffsetDateTime};
use vitals::{DeviceId, ReceiveTime};

use super::{AUTHORITY_FILE, AUTHORITY_KEY_FILE, DEVICE_URN, TrustError, keyfile};
use crate::{Guard, GuardError, secret};

/// How long our own authority holds, days: ten years.
const AUTHORITY_DAYS: i64 = 3_652;
/// How long before it is made a certificate begins: clocks of devices are behind.
const BEFORE: Duration = Duration::hours(1);
/// How long a list of revoked certificates holds.
const LIST_HOLDS: Duration = Duration::hours(24);

/// An authority with its key.
pub(crate) struct Authority {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) pem: String,
    /// Its name as it stands in certificates.
    pub(crate) subject: Vec<u8>,
    /// Whether it is of our own making: then every certificate of it is in our table.
    pub(crate) ours: bool,
    until: OffsetDateTime,
    key: KeyPair,
}

/// A certificate that was just signed.
pub(crate) struct Signed {
    pub(crate) der: Vec<u8>,
    pub(crate) serial: String,
    pub(crate) from_us: i64,
    pub(crate) until_us: i64,
}

impl Authority {
    /// The authority of a folder; made when there is none.
    fn own(folder: &Path, now: ReceiveTime) -> Result<Self, GuardError> {
        let (certificate, key) = (folder.join(AUTHORITY_FILE), folder.join(AUTHORITY_KEY_FILE));
        if !certificate.exists() {
            make(&certificate, &key, now)?;
        }
        Self::load(&certificate, &key, true)
    }

    fn load(certificate: &Path, key: &Path, ours: bool) -> Result<Self, GuardError> {
        let pem = std::fs::read_to_string(certificate).map_err(|e| GuardError::file(certificate, e))?;
        let wrong = |why: &str| TrustError::Authority(format!("{}: {why}", certificate.display()));
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| wrong("no certificate in it (PEM)"))?;
        let pair = KeyPair::from_pem(&keyfile::read(key)?)
            .map_err(|e| TrustError::Authority(format!("{}: {e}", key.display())))?;
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&der).map_err(|_| wrong("not readable"))?;
        if !parsed.is_ca() {
            return Err(wrong("it is no authority (basicConstraints)").into());
        }
        if parsed.public_key().raw != pair.subject_public_key_info() {
            return Err(wrong("its key is another one").into());
        }
        let (subject, until) = (parsed.subject().as_raw().to_vec(), parsed.validity().not_after);
        let until = until.to_datetime();
        Ok(Self { pem, subject, ours, until, key: pair, certificate: der.into_owned() })
    }

    /// Certifies a device's key.
    pub(crate) fn device(
        &self,
        id: &DeviceId,
        key: &impl PublicKeyData,
        days: u32,
        now: ReceiveTime,
    ) -> Result<Signed, GuardError> {
        let mut params = CertificateParams::default();
        let name = |text: String| text.try_into().map_err(|_| TrustError::Authority("the id is no name".to_owned()));
        params.subject_alt_names =
            vec![SanType::URI(name(format!("{DEVICE_URN}{id}"))?), SanType::DnsName(name(id.to_string())?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(params, id.as_str(), key, days, now)
    }

    /// Certifies a server's key.
    fn server(
        &self,
        names: &[String],
        key: &impl PublicKeyData,
        days: u32,
        now: ReceiveTime,
    ) -> Result<Signed, GuardError> {
        let mut params = CertificateParams::new(names).map_err(TrustError::from)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let first = names.iter().find(|name| name.parse::<IpAddr>().is_err());
        self.sign(params, first.map_or("vitalwire", String::as_str), key, days, now)
    }

    fn sign(
        &self,
        mut params: CertificateParams,
        common: &str,
        key: &impl PublicKeyData,
        days: u32,
        now: ReceiveTime,
    ) -> Result<Signed, GuardError> {
        let now = date(now);
        // A certificate cannot outlive who vouches for it.
        let until = (now + Duration::days(i64::from(days.max(1)))).min(self.until);
        if until <= now {
            return Err(TrustError::Authority("it has expired: make a new one".to_owned()).into());
        }
        let serial = serial()?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = now - BEFORE;
        params.not_after = until;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let made: Certificate =
            params.signed_by(key, &self.issuer()?).map_err(TrustError::from)?;
        Ok(Signed {
            der: made.der().to_vec(),
            serial: hex(&serial),
            from_us: (now - BEFORE).unix_timestamp() * 1_000_000,
            until_us: until.unix_timestamp() * 1_000_000,
        })
    }

    /// Signs the list of revoked certificates: serial, when, why.
    pub(crate) fn list(
        &self,
        revoked: Vec<RevokedCertParams>,
        now: ReceiveTime,
    ) -> Result<Vec<u8>, GuardError> {
        let at = date(now);
        let params = CertificateRevocationListParams {
            this_update: at,
            next_update: at + LIST_HOLDS,
            // Grows with the clock, so that a later list always has a greater number.
            crl_number: SerialNumber::from_slice(&now.micros().max(0).to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs: revoked,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer()?).map_err(TrustError::from)?;
        Ok(list.der().to_vec())
    }

    fn issuer(&self) -> Result<Issuer<'_, &KeyPair>, GuardError> {
        Ok(Issuer::from_ca_cert_der(&self.certificate, &self.key).map_err(TrustError::from)?)
    }
}

fn make(certificate: &Path, key: &Path, now: ReceiveTime) -> Result<(), GuardError> {
    let pair = KeyPair::generate().map_err(TrustError::from)?;
    let mut params = CertificateParams::default();
    // Its own name in every house, so that two are told apart in a list of authorities.
    let mark = &blake3::hash(pair.public_key_raw()).to_hex()[..8];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Vitalwire authority {mark}"));
    params.serial_number = Some(SerialNumber::from_slice(&serial()?));
    params.not_before = date(now) - BEFORE;
    params.not_after = date(now) + Duration::days(AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages =
        vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let made = params.self_signed(&pair).map_err(TrustError::from)?;
    // The key first: a certificate without one would be taken for complete.
    keyfile::write(key, &pair.serialize_pem())?;
    keyfile::replace(certificate, made.pem().as_bytes())
}

/// A serial number: 127 random bits, positive (RFC 5280, 4.1.2.2; CA/Browser Forum asks for 64).
fn serial() -> Result<[u8; 16], GuardError> {
    let mut serial = secret::random::<16>()?;
    serial[0] = serial[0] & 0x7f | 0x40;
    Ok(serial)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whole seconds, as certificates have them.
pub(crate) fn date(at: ReceiveTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.micros().div_euclid(1_000_000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = super::answer::base64_lines(der);
    format!("-----BEGIN {label}-----\n{text}-----END {label}-----\n")
}

impl Guard {
    /// The authority, made at first need.
    pub(super) fn authority(&self, now: ReceiveTime) -> Result<std::sync::Arc<Authority>, GuardError> {
        let pki = &self.inner.pki;
        let mut kept = pki.authority.lock();
        if let Some(authority) = kept.as_ref() {
            return Ok(std::sync::Arc::clone(authority));
        }
        let settings = self.trust();
        let found = match &settings.authority {
            Some((certificate, key)) => Authority::load(certificate, key, false)?,
            None => Authority::own(&pki.folder, now)?,
        };
        let found = std::sync::Arc::new(found);
        *kept = Some(std::sync::Arc::clone(&found));
        Ok(found)
    }

    /// The certificate of the authority (PEM), made at first need: whoever connects trusts this.
    ///
    /// # Errors
    /// [`GuardError`] when it can't be made or read.
    pub fn authority_pem(&self, now: ReceiveTime) -> Result<String, GuardError> {
        Ok(self.authority(now)?.pem.clone())
    }

    /// The certificate of the authority (DER).
    ///
    /// # Errors
    /// [`GuardError`] when it can't be made or read.
    pub fn authority_der(&self, now: ReceiveTime) -> Result<Vec<u8>, GuardError> {
        Ok(self.authority(now)?.certificate.to_vec())
    }

    /// SHA-256 of the authority's certificate, hexadecimal: what people and devices compare.
    ///
    /// # Errors
    /// [`GuardError`] when it can't be made or read.
    pub fn authority_sha256(&self, now: ReceiveTime) -> Result<String, GuardError> {
        Ok(hex(&super::presented::sha256(&self.authority(now)?.certificate)))
    }

    /// Whether devices may have been certified here: an authority is configured or was made.
    #[must_use]
    pub fn has_authority(&self) -> bool {
        self.trust().authority.is_some() || self.inner.pki.folder.join(AUTHORITY_FILE).exists()
    }

    /// A key and certificate for a server of that names: chain (PEM, the server's first) and key (PEM).
    ///
    /// # Errors
    /// [`GuardError`] when the authority can't be used.
    pub fn server_certificate(
        &self,
        names: &[String],
        now: ReceiveTime,
    ) -> Result<(String, String), GuardError> {
        let authority = self.authority(now)?;
        let key = KeyPair::generate().map_err(TrustError::from)?;
        let made = authority.server(names, &key, self.trust().days, now)?;
        let chain = format!("{}{}", pem("CERTIFICATE", &made.der), authority.pem);
        Ok((chain, key.serialize_pem()))
    }

    /// Replaces a file in the guard's care: whole or not at all, mode 0600.
    ///
    /// # Errors
    /// [`GuardError::File`].
    pub fn keep_private(path: &Path, bytes: &[u8]) -> Result<(), GuardError> {
        keyfile::replace(path, bytes)
    }
}
