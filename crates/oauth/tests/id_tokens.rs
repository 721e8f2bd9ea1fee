//! ID tokens that hold, and everything that is wrong with others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use oauth::sign_on::{Expected, IdTokenError, kid, verify};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

const NOW: i64 = 1_790_000_000;
const EXPECTED: Expected<'_> =
    Expected { issuer: "https://id.example", client: "vitalwire", nonce: "n-1", now: NOW };

struct Key {
    private: EncodingKey,
    public: Value,
}

fn key(kid: &str, bits: usize) -> Key {
    let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, bits).expect("a key");
    let number = |n: &rsa::BigUint| URL_SAFE_NO_PAD.encode(n.to_bytes_be());
    let public = json!({"kty": "RSA", "kid": kid, "use": "sig", "n": number(key.n()), "e": number(key.e())});
    let private = EncodingKey::from_rsa_der(key.to_pkcs1_der().expect("DER").as_bytes());
    Key { private, public }
}

fn set(keys: &[&Value]) -> JwkSet {
    serde_json::from_value(json!({ "keys": keys })).expect("a set")
}

fn claims() -> Value {
    json!({"iss": EXPECTED.issuer, "aud": "vitalwire", "sub": "u-7", "nonce": "n-1", "iat": NOW - 5, "exp": NOW + 300})
}

fn signed(key: &EncodingKey, algorithm: Algorithm, kid: Option<&str>, claims: &Value) -> String {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    jsonwebtoken::encode(&header, claims, key).expect("signed")
}

#[test]
fn a_token_says_who_from_whom_for_whom_and_when() {
    let own = key("a", 2_048);
    let keys = set(&[&own.public]);
    for (changes, expected) in [
        (json!({}), Ok(())),
        (json!({"aud": ["vitalwire"]}), Ok(())),
        (json!({"aud": ["vitalwire", "other"], "azp": "vitalwire"}), Ok(())),
        (json!({"aud": ["vitalwire", "other"]}), Err(IdTokenError::Audience)),
        (json!({"aud": "other", "azp": "vitalwire"}), Err(IdTokenError::Audience)),
        (json!({"aud": "other"}), Err(IdTokenError::Audience)),
        (json!({"azp": "other"}), Err(IdTokenError::Audience)),
        (json!({"aud": null}), Err(IdTokenError::Audience)),
        (json!({"iss": "https://id.example/"}), Err(IdTokenError::Issuer)),
        (json!({"exp": NOW - 61}), Err(IdTokenError::Time)),
        (json!({"exp": NOW - 59}), Ok(())),
        (json!({"exp": null}), Err(IdTokenError::Time)),
        (json!({"iat": NOW + 61}), Err(IdTokenError::Time)),
        (json!({"iat": NOW - 601}), Err(IdTokenError::Time)),
        (json!({"nbf": NOW + 61}), Err(IdTokenError::Time)),
        (json!({"nonce": "n-2"}), Err(IdTokenError::Nonce)),
        (json!({"nonce": null}), Err(IdTokenError::Nonce)),
        (json!({"sub": ""}), Err(IdTokenError::Subject)),
        (json!({"sub": null}), Err(IdTokenError::Subject)),
    ] {
        let mut all = claims();
        for (name, value) in changes.as_object().expect("an object") {
            all[name] = value.clone();
        }
        let token = signed(&own.private, Algorithm::RS256, Some("a"), &all);
        assert_eq!(kid(&token).as_deref(), Some("a"));
        assert_eq!(verify(&token, &keys, &EXPECTED).map(|_| ()), expected, "{changes}");
    }
}

#[test]
fn only_the_providers_own_public_keys_sign() {
    let (own, other, small) = (key("a", 2_048), key("b", 2_048), key("c", 1_024));
    let keys = set(&[&own.public, &small.public]);
    let check = |token: &str, keys: &JwkSet| verify(token, keys, &EXPECTED).map(|_| ());
    let by = |key: &Key, kid| signed(&key.private, Algorithm::RS256, kid, &claims());
    assert_eq!(check(&by(&other, Some("a")), &keys), Err(IdTokenError::Signature));
    assert_eq!(check(&by(&other, Some("b")), &keys), Err(IdTokenError::UnknownKey));
    assert_eq!(check(&by(&small, Some("c")), &keys), Err(IdTokenError::UnknownKey), "too small");
    assert_eq!(check(&by(&own, None), &keys), Ok(()), "the one key that fits");
    let both = set(&[&own.public, &other.public]);
    assert_eq!(check(&by(&own, None), &both), Err(IdTokenError::UnknownKey), "which of two?");
    // Signed with what everybody can read, as if it were a shared secret.
    let public = own.public["n"].as_str().expect("a number").as_bytes();
    let forged = signed(&EncodingKey::from_secret(public), Algorithm::HS256, Some("a"), &claims());
    assert_eq!(check(&forged, &keys), Err(IdTokenError::Algorithm));
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let body = URL_SAFE_NO_PAD.encode(claims().to_string());
    assert_eq!(check(&format!("{header}.{body}."), &keys), Err(IdTokenError::Algorithm));
    assert_eq!(check("a.b.c", &keys), Err(IdTokenError::Unreadable));
    // A key that says how it signs signs in no other way.
    let mut said = own.public.clone();
    said["alg"] = json!("RS384");
    assert_eq!(check(&by(&own, Some("a")), &set(&[&said])), Err(IdTokenError::UnknownKey));
    let strong = signed(&own.private, Algorithm::RS384, Some("a"), &claims());
    assert_eq!(check(&strong, &set(&[&said])), Ok(()));
}
