//! What a device asks to be certified: a PKCS#10 request (RFC 2986), read and proved.

use rcgen::SubjectPublicKeyInfo;
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject;
use vitals::DeviceId;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::TrustError;

/// Largest request read, bytes.
const REQUEST_MAX: usize = 16 << 10;
/// Smallest RSA key taken, bits (RFC 9325, 4.5).
const RSA_BITS_MIN: usize = 2_048;

/// The key of a request that was proved to be its sender's.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) key: SubjectPublicKeyInfo,
}

/// Reads a request in DER or PEM, proves that whoever made it has the key, and that it asks for no
/// other name than the device's.
pub(crate) fn read(bytes: &[u8], device: &DeviceId) -> Result<Request, TrustError> {
    let bad = |why: &str| TrustError::BadRequest(why.to_owned());
    if bytes.len() > REQUEST_MAX {
        return Err(bad("it is larger than 16 KiB"));
    }
    let unwrapped = bytes.starts_with(b"-----").then(|| CertificateSigningRequestDer::from_pem_slice(bytes));
    let der = match unwrapped {
        Some(Ok(der)) => der,
        Some(Err(_)) => return Err(bad("it is no PEM")),
        None => CertificateSigningRequestDer::from(bytes),
    };
    let (rest, request) =
        X509CertificationRequest::from_der(&der).map_err(|_| bad("it is no PKCS#10 in DER"))?;
    if !rest.is_empty() {
        return Err(bad("something stands behind it"));
    }
    request.verify_signature().map_err(|_| {
        bad("its signature does not fit its key (ECDSA P-256 or P-384, RSA or Ed25519 with SHA-2)")
    })?;
    let info = &request.certification_request_info;
    let common = info.subject.iter_common_name().filter_map(|name| name.as_str().ok());
    let mut names: Vec<&str> = common.collect();
    for extension in request.requested_extensions().into_iter().flatten() {
        let ParsedExtension::SubjectAlternativeName(alternatives) = extension else { continue };
        for name in &alternatives.general_names {
            match name {
                GeneralName::DNSName(text) | GeneralName::URI(text) => names.push(text),
                _ => return Err(bad("it asks for a name of a kind that devices do not get")),
            }
        }
    }
    let own = |name: &&str| name.strip_prefix(super::DEVICE_URN).unwrap_or(name) == device.as_str();
    if !names.iter().all(own) {
        return Err(bad("it asks for another name than the device's id"));
    }
    if let Ok(PublicKey::RSA(key)) = info.subject_pki.parsed()
        && key.key_size() < RSA_BITS_MIN
    {
        return Err(bad("its RSA key has less than 2,048 bits"));
    }
    let key = SubjectPublicKeyInfo::from_der(info.subject_pki.raw)
        .map_err(|_| bad("its key is none that is certified here (ECDSA P-256, P-384, RSA, Ed25519)"))?;
    Ok(Request { key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    fn request(common: &str, names: &[&str]) -> Vec<u8> {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if !common.is_empty() {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        let name = |text: &&str| SanType::DnsName((*text).try_into().expect("a name"));
        params.subject_alt_names = names.iter().map(name).collect();
        params.serialize_request(&key).expect("a request").der().to_vec()
    }

    #[test]
    fn only_its_own_name_and_only_with_its_key() {
        let id = DeviceId::new("pump-7").expect("an id");
        for (common, names, taken) in [
            ("pump-7", &[][..], true),
            ("", &[], true),
            ("", &["pump-7"], true),
            ("pump-8", &[], false),
            ("pump-7", &["his.example"], false),
        ] {
            assert_eq!(read(&request(common, names), &id).is_ok(), taken, "{common} {names:?}");
        }
        let whole = request("pump-7", &[]);
        let good = read(&whole, &id).expect("taken").key;
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            // What does not count (an algorithm's parameters) may differ; the key may not.
            let found = read(&flipped, &id).map(|request| request.key);
            assert!(found.is_err() || found.is_ok_and(|key| key == good), "a flipped bit in byte {at}");
        }
        assert!(read(&whole[..whole.len() - 1], &id).is_err());
        assert!(read(&[whole.as_slice(), b"x"].concat(), &id).is_err());
        assert!(read(&vec![0; REQUEST_MAX + 1], &id).is_err());
    }
}
