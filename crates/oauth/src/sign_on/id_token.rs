//! Whether an ID token holds (OpenID Connect Core 1.0 § 3.1.3.7), with the strictness that costs
//! honest providers nothing: no secret-key algorithms, whatever the token says of itself.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::Claims;

/// How far clocks may differ, in seconds.
const SKEW: i64 = 60;
/// Oldest token that is taken, in seconds: it was made for this very login.
const AGE_MAX: i64 = 600;
/// Longest token that is read, in bytes: groups can be many.
const LENGTH_MAX: usize = 64 << 10;
/// Smallest RSA key, in bytes of its modulus (NIST SP 800-131A: 2048 bits).
const MODULUS_MIN: usize = 256;

/// Ways of signing that are taken: with a public key, all of them.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384,
    Algorithm::PS512, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA,
];

/// What a token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who issued it.
    pub issuer: &'a str,
    /// For whom: our `client_id`.
    pub client: &'a str,
    /// For which login.
    pub nonce: &'a str,
    /// Now, in seconds since 1970.
    pub now: i64,
}

/// Why a token does not hold. No text repeats anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// It can't be read.
    #[error("the ID token is no JWT")]
    Unreadable,
    /// Signed in a way that is not taken.
    #[error("the ID token is signed in a way that is not taken")]
    Algorithm,
    /// No such key.
    #[error("the provider shows no such key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the ID token's signature is not by the provider's key")]
    Signature,
    /// Another issuer.
    #[error("the ID token is another issuer's")]
    Issuer,
    /// For somebody else.
    #[error("the ID token is for another client")]
    Audience,
    /// Too old, or not yet good.
    #[error("the ID token is over, too old or not good yet")]
    Time,
    /// For another login.
    #[error("the ID token is for another login")]
    Nonce,
    /// Of nobody.
    #[error("the ID token names nobody")]
    Subject,
}

impl IdTokenError {
    /// Kebab-case name, for the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "id-token-unreadable",
            Self::Algorithm => "id-token-algorithm",
            Self::UnknownKey => "id-token-unknown-key",
            Self::Signature => "id-token-signature",
            Self::Issuer => "id-token-issuer",
            Self::Audience => "id-token-audience",
            Self::Time => "id-token-time",
            Self::Nonce => "id-token-nonce",
            Self::Subject => "id-token-subject",
        }
    }
}

/// The key that a token says it is signed by, unverified: to find it.
#[must_use]
pub fn kid(token: &str) -> Option<String> {
    Some(header(token).ok()?.get("kid")?.as_str()?.to_owned())
}

/// Verifies a token: what it says.
///
/// # Errors
/// [`IdTokenError`].
pub fn verify(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Claims, IdTokenError> {
    let header = header(token)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm: Algorithm =
        text("alg").and_then(|name| name.parse().ok()).ok_or(IdTokenError::Algorithm)?;
    if !ALGORITHMS.contains(&algorithm) || header.contains_key("crit") || header.contains_key("zip") {
        return Err(IdTokenError::Algorithm);
    }
    let named = |key: &&Jwk| text("kid").is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
    let mut fitting = keys.keys.iter().filter(named).filter(|key| signs_by(key, algorithm));
    let key = fitting.next().ok_or(IdTokenError::UnknownKey)?;
    // Without a name there has to be one key alone (§ 10.1).
    if text("kid").is_none() && fitting.next().is_some() {
        return Err(IdTokenError::UnknownKey);
    }
    let key = DecodingKey::from_jwk(key).map_err(|_| IdTokenError::UnknownKey)?;
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &rules)
        .map_err(|_| IdTokenError::Signature)?
        .claims;
    judge(&claims, expected)?;
    Ok(claims)
}

fn header(token: &str) -> Result<Claims, IdTokenError> {
    if token.len() > LENGTH_MAX {
        return Err(IdTokenError::Unreadable);
    }
    let first = token.split('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(first).map_err(|_| IdTokenError::Unreadable)?;
    serde_json::from_slice(&bytes).map_err(|_| IdTokenError::Unreadable)
}

/// Whether a key signs in this way, by what it is: the token has to agree, not to decide.
fn signs_by(key: &Jwk, algorithm: Algorithm) -> bool {
    let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let named = key.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
    let kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(rsa), Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512
            | Algorithm::PS256 | Algorithm::PS384 | Algorithm::PS512) => {
            URL_SAFE_NO_PAD.decode(&rsa.n).is_ok_and(|n| n.iter().skip_while(|b| **b == 0).count() >= MODULUS_MIN)
        }
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES256) => ec.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(ec), Algorithm::ES384) => ec.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(pair), Algorithm::EdDSA) => pair.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    signs && named && kind
}

fn judge(claims: &Claims, expected: &Expected<'_>) -> Result<(), IdTokenError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(IdTokenError::Issuer);
    }
    let (ours, alone) = match claims.get("aud") {
        Some(Value::String(one)) => (one == expected.client, true),
        Some(Value::Array(many)) => (many.iter().any(|one| one == expected.client), many.len() == 1),
        _ => (false, false),
    };
    // One for several has to say that it was made for us (§ 3.1.3.7, 4 and 5).
    let party = text("azp").map_or(alone, |party| party == expected.client);
    if !ours || !party {
        return Err(IdTokenError::Audience);
    }
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).filter(|time| time.abs() < 1e15).map(|time| time as i64);
    let (Some(until), Some(made)) = (seconds("exp"), seconds("iat")) else {
        return Err(IdTokenError::Time);
    };
    let begun = seconds("nbf").is_none_or(|from| from <= expected.now + SKEW);
    let fresh = made <= expected.now + SKEW && made >= expected.now - AGE_MAX;
    if !begun || !fresh || until <= expected.now - SKEW {
        return Err(IdTokenError::Time);
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(IdTokenError::Nonce);
    }
    // § 2: at most 255 ASCII characters.
    let subject = text("sub").is_some_and(|sub| (1..=255).contains(&sub.len()) && sub.is_ascii());
    if subject { Ok(()) } else { Err(IdTokenError::Subject) }
}
