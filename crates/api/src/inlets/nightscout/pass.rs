//! Passes of the Nightscout API: an app shows its token once, and a pass that runs out after that. A pass
//! has the shape of a JWT, because apps read from it when it ends; here it is only looked up. Passes live
//! in memory: after a restart apps ask for another, as they do when one has run out.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

/// How long a pass is good, in seconds.
pub(super) const GOOD_S: i64 = 8 * 3_600;
/// Most passes at a time.
const PASSES_MAX: usize = 50_000;

/// What a pass stands for: a header that the sender could show itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// The digest of a device's password.
    Digest(String),
    /// A program's token.
    Token(String),
}

type Passes = HashMap<[u8; 32], (i64, Credential)>;

/// The passes that are good, by their hash.
fn passes() -> &'static Mutex<Passes> {
    static PASSES: OnceLock<Mutex<Passes>> = OnceLock::new();
    PASSES.get_or_init(Mutex::default)
}

/// A new pass for a sender of this name.
///
/// # Errors
/// [`ApiError::Unavailable`] when there is no chance to draw, or no room.
pub(super) fn issue(name: &str, credential: Credential, now_s: i64) -> Result<String, ApiError> {
    let mut chance = [0_u8; 32];
    getrandom::fill(&mut chance).map_err(|_| ApiError::unavailable("no random numbers"))?;
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let body = part(json!({"sub": name, "iat": now_s, "exp": now_s + GOOD_S}));
    let pass = format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(chance));
    let mut passes = passes().lock();
    if passes.len() >= PASSES_MAX {
        passes.retain(|_, (end, _)| *end > now_s);
    }
    if passes.len() >= PASSES_MAX {
        return Err(ApiError::unavailable("too many passes"));
    }
    passes.insert(Sha256::digest(pass.as_bytes()).into(), (now_s + GOOD_S, credential));
    Ok(pass)
}

/// The headers with what a pass stands for in its place, if they carry one that is good.
pub(super) fn opened(headers: &HeaderMap, now_s: i64) -> HeaderMap {
    let mut headers = headers.clone();
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(pass) = shown.and_then(|text| text.strip_prefix("Bearer ")).map(str::trim) else { return headers };
    let hash: [u8; 32] = Sha256::digest(pass.as_bytes()).into();
    let found = passes().lock().get(&hash).filter(|(end, _)| *end > now_s).map(|(_, credential)| credential.clone());
    let put = match found {
        None => return headers,
        Some(Credential::Digest(digest)) => HeaderValue::from_str(&digest).map(|value| ("api-secret", value)),
        Some(Credential::Token(token)) => HeaderValue::from_str(&format!("Bearer {token}")).map(|value| ("authorization", value)),
    };
    headers.remove(header::AUTHORIZATION);
    if let Ok((name, value)) = put {
        headers.insert(name, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_good_for_a_while() {
        let now = 1_700_000_000;
        let device = issue("cgm-1", Credential::Digest("ab".repeat(20)), now).expect("drawn");
        let program = issue("ehr", Credential::Token("vw_x".to_owned()), now).expect("drawn");
        let with = |pass: &str| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {pass}")).expect("ascii"))]);
        let shown = opened(&with(&device), now + GOOD_S - 1);
        assert_eq!((shown.get("api-secret").map(HeaderValue::as_bytes), shown.get("authorization")), (Some("ab".repeat(20).as_bytes()), None));
        assert_eq!(opened(&with(&program), now)["authorization"], "Bearer vw_x");
        // Run out, or of nobody: as it was sent, which opens nothing.
        assert_eq!(opened(&with(&device), now + GOOD_S), with(&device));
        assert_eq!(opened(&with("a.b.c"), now), with("a.b.c"));
        let body = URL_SAFE_NO_PAD.decode(device.split('.').nth(1).expect("a part")).expect("base64");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!((body["sub"].as_str(), body["exp"].as_i64()), (Some("cgm-1"), Some(now + GOOD_S)));
    }
}
