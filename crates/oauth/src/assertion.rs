//! A client's proof by its own key: a JWT that it signed (`private_key_jwt`; RFC 7523 § 3, SMART
//! App Launch 2.2 § 4). RS384 and ES384, nothing else, whatever the JWT says of itself.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// Longest that a proof may be good for, in seconds (SMART App Launch 2.2 § 4.1).
pub const LIFE_MAX: i64 = 300;
/// How far clocks may differ, in seconds.
const SKEW: i64 = 30;
/// Longest JWT that is read, in bytes.
const LENGTH_MAX: usize = 8_192;
/// Keys that one client may have.
const KEYS_MAX: usize = 16;
/// Smallest RSA key, in bits (NIST SP 800-131A).
const RSA_BITS_MIN: usize = 2_048;
/// Largest RSA key: larger ones only cost time.
const RSA_BITS_MAX: usize = 4_096;

/// Why keys can't be a client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There are none, or too many.
    #[error("1 to 16 keys are expected")]
    Number,
    /// A key has no id, or two have the same.
    #[error("each key has an id (kid) of its own")]
    Id,
    /// A key of another kind.
    #[error("a key is RSA of 2048 to 4096 bits (RS384) or EC on P-384 (ES384), for signing")]
    Kind,
}

/// Why a proof does not hold. No text repeats anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// It can't be read.
    #[error("the assertion is no JWT")]
    Unreadable,
    /// Signed in a way that is not taken.
    #[error("the assertion is signed by RS384 or ES384, with a kid and without extensions")]
    Header,
    /// No such key.
    #[error("the client has no such key")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the signature is not by this key")]
    Signature,
    /// Issuer or subject is not the client.
    #[error("iss and sub are the client's id")]
    Who,
    /// For another server.
    #[error("aud is the address of the token endpoint")]
    Audience,
    /// Too old, too new, or good for too long.
    #[error("exp is in the future, at most five minutes; nbf and iat, if any, are past")]
    Time,
    /// No name of its own.
    #[error("jti has 1 to 255 characters")]
    Id,
}

/// A proof that holds. Whether it was seen before is for the caller to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Its own name, to be accepted once.
    pub jti: String,
    /// Until when it is good, in seconds since 1970.
    pub expires: i64,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The client that an assertion says it is of, unverified: to find its keys.
#[must_use]
pub fn claimed(assertion: &str) -> Option<String> {
    if assertion.len() > LENGTH_MAX {
        return None;
    }
    let payload = assertion.split('.').nth(1)?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.sub
}

/// Verifies a proof: `audiences` are the addresses of this token endpoint, `now` is in seconds
/// since 1970.
///
/// # Errors
/// [`AssertionError`].
pub fn verify(
    assertion: &str,
    client: &str,
    keys: &JwkSet,
    audiences: &[&str],
    now: i64,
) -> Result<Proven, AssertionError> {
    if assertion.len() > LENGTH_MAX {
        return Err(AssertionError::Unreadable);
    }
    let algorithm = algorithm(assertion)?;
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| AssertionError::Unreadable)?;
    let kid = header.kid.as_deref().ok_or(AssertionError::Header)?;
    if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(AssertionError::Header);
    }
    // The key's own kind says how it signs; the header has to agree, not to decide. Keys that the
    // header brings along (jwk, x5c) or points to (jku, x5u) are never looked at.
    let with_id = keys.keys.iter().filter(|key| key.common.key_id.as_deref() == Some(kid));
    let mut fitting = with_id.filter(|key| signs_by(key) == Ok(algorithm));
    let key = fitting.next().ok_or(AssertionError::UnknownKey)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| AssertionError::UnknownKey)?;
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(assertion, &key, &rules)
        .map_err(|_| AssertionError::Signature)?
        .claims;
    judge(claims, client, audiences, now)
}

/// How the JWT says that it is signed, before anything else of it is believed.
fn algorithm(assertion: &str) -> Result<Algorithm, AssertionError> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
    }
    let first = assertion.split('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(first).map_err(|_| AssertionError::Unreadable)?;
    let header: Header = serde_json::from_slice(&bytes).map_err(|_| AssertionError::Unreadable)?;
    match header.alg.as_str() {
        "RS384" => Ok(Algorithm::RS384),
        "ES384" => Ok(Algorithm::ES384),
        _ => Err(AssertionError::Header),
    }
}

fn judge(claims: Claims, client: &str, audiences: &[&str], now: i64) -> Result<Proven, AssertionError> {
    if claims.iss.as_deref() != Some(client) || claims.sub.as_deref() != Some(client) {
        return Err(AssertionError::Who);
    }
    let meant = match &claims.aud {
        Some(Audience::One(aud)) => audiences.contains(&aud.as_str()),
        // Good for others as well is good for them to use here.
        Some(Audience::Many(all)) => all.len() == 1 && audiences.contains(&all[0].as_str()),
        None => false,
    };
    if !meant {
        return Err(AssertionError::Audience);
    }
    let seconds = |time: f64| (time.is_finite() && time.abs() < 1e15).then_some(time as i64);
    let expires = claims.exp.and_then(seconds).ok_or(AssertionError::Time)?;
    let begun = [claims.nbf, claims.iat].into_iter().flatten();
    let begun = begun.map(seconds).all(|time| time.is_some_and(|time| time <= now + SKEW));
    if !begun || expires <= now || expires > now + LIFE_MAX + SKEW {
        return Err(AssertionError::Time);
    }
    let jti = claims.jti.filter(|jti| (1..=255).contains(&jti.len())).ok_or(AssertionError::Id)?;
    Ok(Proven { jti, expires })
}

/// Checks keys before they are taken as a client's.
///
/// # Errors
/// [`KeyError`].
pub fn check_keys(keys: &JwkSet) -> Result<(), KeyError> {
    if !(1..=KEYS_MAX).contains(&keys.keys.len()) {
        return Err(KeyError::Number);
    }
    for (place, key) in keys.keys.iter().enumerate() {
        let id = key.common.key_id.as_deref().filter(|id| (1..=255).contains(&id.len()));
        let id = id.ok_or(KeyError::Id)?;
        let way = signs_by(key)?;
        let same = |other: &Jwk| {
            other.common.key_id.as_deref() == Some(id) && signs_by(other) == Ok(way)
        };
        if keys.keys[..place].iter().any(same) {
            return Err(KeyError::Id);
        }
        DecodingKey::from_jwk(key).map_err(|_| KeyError::Kind)?;
    }
    Ok(())
}

/// How a key signs, by what it is.
fn signs_by(key: &Jwk) -> Result<Algorithm, KeyError> {
    let sign = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let verify = key.common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
    let of = |wanted| key.common.key_algorithm.is_none_or(|named| named == wanted);
    let found = match &key.algorithm {
        AlgorithmParameters::RSA(rsa) if of(KeyAlgorithm::RS384) => {
            let size = URL_SAFE_NO_PAD.decode(&rsa.n).map_or(0, |bytes| bits(&bytes));
            let exponent = URL_SAFE_NO_PAD.decode(&rsa.e).unwrap_or_default();
            // 1 and even exponents make any signature right.
            let sound = exponent.last().is_some_and(|last| last % 2 == 1) && bits(&exponent) >= 2;
            (sound && (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&size)).then_some(Algorithm::RS384)
        }
        AlgorithmParameters::EllipticCurve(ec) if of(KeyAlgorithm::ES384) => {
            (ec.curve == EllipticCurve::P384).then_some(Algorithm::ES384)
        }
        _ => None,
    };
    found.filter(|_| sign && verify).ok_or(KeyError::Kind)
}

/// Bits of a whole number, most significant byte first.
fn bits(bytes: &[u8]) -> usize {
    let first = bytes.iter().position(|byte| *byte != 0);
    first.map_or(0, |place| {
        (bytes.len() - place) * 8 - bytes[place].leading_zeros() as usize
    })
}

