//! Certificates as an answer of enrolment over secure transport: a CMS SignedData with nothing but
//! certificates (RFC 7030, 4.1.3; RFC 5652), in lines of base64.

use cms::cert::x509::Certificate;
use cms::content_info::ContentInfo;
use der::{Decode, Encode};

use super::TrustError;
use crate::GuardError;

/// Letters of base64 in a line, as RFC 2045 has them.
const LINE: usize = 64;

/// `certs-only` of these certificates (DER), as base64 with line ends.
pub(crate) fn certs_only(certificates: &[Vec<u8>]) -> Result<String, GuardError> {
    let bad = |error: der::Error| TrustError::Authority(error.to_string());
    let chain: Vec<Certificate> = certificates
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()
        .map_err(bad)?;
    let info = ContentInfo::try_from(chain).map_err(bad)?;
    Ok(base64_lines(&info.to_der().map_err(bad)?))
}

/// Base64 in lines of 64 letters, each ended.
pub(crate) fn base64_lines(bytes: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    for line in text.as_bytes().chunks(LINE) {
        lines.extend(line.iter().map(|byte| char::from(*byte)));
        lines.push('\n');
    }
    lines
}

/// The bytes of base64, line ends and spaces left out; none when it is no base64.
pub(crate) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let letters: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, letters).ok()
}
