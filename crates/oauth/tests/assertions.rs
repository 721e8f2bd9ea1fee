//! A client's proof by its key: the right one, and each way to forge one that is known.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use oauth::assertion::{AssertionError, KeyError, Proven, check_keys, claimed, verify};
use p384::elliptic_curve::sec1::ToEncodedPoint;
use p384::pkcs8::EncodePrivateKey;
use rand::SeedableRng;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value as Json, json};

const TOKEN: &str = "https://ehr.example/oauth/token";
const NOW: i64 = 1_800_000_000;

static RSA: LazyLock<rsa::RsaPrivateKey> = LazyLock::new(|| {
    let mut random = rand::rngs::StdRng::seed_from_u64(4);
    rsa::RsaPrivateKey::new(&mut random, 2_048).expect("a key")
});

fn ec() -> p384::SecretKey {
    p384::SecretKey::from_slice(&[7; 48]).expect("a key")
}

fn rsa_jwk() -> Json {
    let number = |n: &rsa::BigUint| URL_SAFE_NO_PAD.encode(n.to_bytes_be());
    json!({"kty": "RSA", "kid": "r", "alg": "RS384", "n": number(RSA.n()), "e": number(RSA.e())})
}

fn ec_jwk() -> Json {
    let point = ec().public_key().to_encoded_point(false);
    let part = |bytes: Option<_>| URL_SAFE_NO_PAD.encode::<&[u8]>(bytes.map(|b: &p384::FieldBytes| b.as_ref()).unwrap_or_default());
    json!({"kty": "EC", "crv": "P-384", "kid": "e", "x": part(point.x()), "y": part(point.y())})
}

fn keys(all: &[Json]) -> JwkSet {
    serde_json::from_value(json!({ "keys": all })).expect("a JWK set")
}

fn rsa_key() -> EncodingKey {
    EncodingKey::from_rsa_der(RSA.to_pkcs1_der().expect("DER").as_bytes())
}

fn ec_key() -> EncodingKey {
    EncodingKey::from_ec_der(ec().to_pkcs8_der().expect("DER").as_bytes())
}

fn claims(change: (&str, Json)) -> Json {
    let mut all = json!({"iss": "lab", "sub": "lab", "aud": TOKEN, "jti": "j-1", "exp": NOW + 240});
    if !change.0.is_empty() {
        all[change.0] = change.1;
    }
    all
}

fn signed(algorithm: Algorithm, kid: &str, claims: &Json, key: &EncodingKey) -> String {
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
    encode(&header, claims, key).expect("a JWT")
}

fn judged(jwt: &str) -> Result<Proven, AssertionError> {
    verify(jwt, "lab", &keys(&[rsa_jwk(), ec_jwk()]), &[TOKEN], NOW)
}

#[test]
fn both_kinds_of_key_prove() {
    for (algorithm, kid, key) in [(Algorithm::RS384, "r", rsa_key()), (Algorithm::ES384, "e", ec_key())] {
        let jwt = signed(algorithm, kid, &claims(("", Json::Null)), &key);
        assert_eq!(judged(&jwt), Ok(Proven { jti: "j-1".to_owned(), expires: NOW + 240 }));
        assert_eq!(claimed(&jwt).as_deref(), Some("lab"));
    }
}

#[test]
fn claims_are_those_of_the_standard() {
    use AssertionError::{Audience, Id, Time, Who};
    for (change, expected) in [
        (("iss", json!("other")), Some(Who)),
        (("sub", json!("other")), Some(Who)),
        (("iss", Json::Null), Some(Who)),
        (("aud", json!("https://evil.example/token")), Some(Audience)),
        (("aud", json!([TOKEN])), None),
        (("aud", json!([TOKEN, "https://evil.example/token"])), Some(Audience)),
        (("aud", json!([])), Some(Audience)),
        (("aud", Json::Null), Some(Audience)),
        (("exp", json!(NOW)), Some(Time)),
        (("exp", json!(NOW - 1)), Some(Time)),
        (("exp", json!(NOW + 331)), Some(Time)),
        (("exp", json!(NOW as f64 + 240.5)), None),
        (("exp", Json::Null), Some(Time)),
        (("exp", json!(1e300)), Some(Time)),
        (("nbf", json!(NOW + 60)), Some(Time)),
        (("nbf", json!(NOW)), None),
        (("iat", json!(NOW + 60)), Some(Time)),
        (("iat", json!(NOW - 10)), None),
        (("jti", Json::Null), Some(Id)),
        (("jti", json!("")), Some(Id)),
        (("jti", json!("x".repeat(256))), Some(Id)),
    ] {
        let jwt = signed(Algorithm::ES384, "e", &claims(change.clone()), &ec_key());
        assert_eq!(judged(&jwt).err(), expected, "{change:?}");
    }
}

#[test]
fn jwts_can_not_be_forged() {
    use AssertionError::{Header as BadHeader, Signature, Unreadable, UnknownKey};
    let fine = claims(("", Json::Null));
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let bare = |header: Json, signature: &str| format!("{}.{}.{signature}", part(&header), part(&fine));
    let public = EncodingKey::from_secret(rsa_jwk()["n"].as_str().expect("n").as_bytes());
    let other = p384::SecretKey::from_slice(&[8; 48]).expect("a key");
    let other = EncodingKey::from_ec_der(other.to_pkcs8_der().expect("DER").as_bytes());
    let right = signed(Algorithm::ES384, "e", &fine, &ec_key());
    let (head, _) = right.rsplit_once('.').expect("three parts");
    let moved = right.replace(&part(&fine), &part(&claims(("jti", json!("j-2")))));
    let with = |name: &str, value: Json| {
        let mut header = json!({"alg": "ES384", "kid": "e"});
        header[name] = value;
        bare(header, right.rsplit_once('.').expect("three parts").1)
    };
    for (what, jwt, expected) in [
        ("alg none", bare(json!({"alg": "none", "kid": "e"}), ""), BadHeader),
        ("alg None", bare(json!({"alg": "None", "kid": "e"}), ""), BadHeader),
        ("no alg", bare(json!({"kid": "e"}), ""), Unreadable),
        ("HS256 with the public key", signed(Algorithm::HS256, "r", &fine, &public), BadHeader),
        ("HS384 with the public key", signed(Algorithm::HS384, "r", &fine, &public), BadHeader),
        ("RS256", signed(Algorithm::RS256, "r", &fine, &rsa_key()), BadHeader),
        ("unknown kid", signed(Algorithm::ES384, "x", &fine, &ec_key()), UnknownKey),
        ("no kid", encode(&Header::new(Algorithm::ES384), &fine, &ec_key()).expect("a JWT"), BadHeader),
        ("the other key's kid", signed(Algorithm::ES384, "r", &fine, &ec_key()), UnknownKey),
        ("another's key", signed(Algorithm::ES384, "e", &fine, &other), Signature),
        ("changed claims", moved, Signature),
        ("no signature", format!("{head}."), Signature),
        ("zero signature", format!("{head}.{}", URL_SAFE_NO_PAD.encode([0; 96])), Signature),
        ("own key in the header", with("jwk", ec_jwk()), Signature),
        ("critical extension", with("crit", json!(["b64"])), BadHeader),
        ("two parts", head.to_owned(), Signature),
        ("nothing", String::new(), Unreadable),
        ("too long", "a".repeat(8_193), Unreadable),
    ] {
        let found = judged(&jwt).expect_err(what);
        // What can't be read at all may be seen as that first.
        assert!(found == expected || found == Unreadable, "{what}: {found:?}, not {expected:?}");
    }
}

#[test]
fn keys_are_strong_and_have_names() {
    let with = |mut key: Json, name: &str, value: Json| {
        key[name] = value;
        key
    };
    let mut random = rand::rngs::StdRng::seed_from_u64(5);
    let weak = rsa::RsaPrivateKey::new(&mut random, 1_024).expect("a key");
    let weak = with(rsa_jwk(), "n", json!(URL_SAFE_NO_PAD.encode(weak.n().to_bytes_be())));
    for (what, all, expected) in [
        ("both", vec![rsa_jwk(), ec_jwk()], Ok(())),
        ("none", vec![], Err(KeyError::Number)),
        ("too many", vec![ec_jwk(); 17], Err(KeyError::Number)),
        ("twice", vec![ec_jwk(), ec_jwk()], Err(KeyError::Id)),
        ("no kid", vec![with(ec_jwk(), "kid", Json::Null)], Err(KeyError::Id)),
        ("1024 bits", vec![weak], Err(KeyError::Kind)),
        ("exponent 1", vec![with(rsa_jwk(), "e", json!("AQ"))], Err(KeyError::Kind)),
        ("P-256", vec![with(ec_jwk(), "crv", json!("P-256"))], Err(KeyError::Kind)),
        ("for encryption", vec![with(ec_jwk(), "use", json!("enc"))], Err(KeyError::Kind)),
        ("a secret", vec![json!({"kty": "oct", "kid": "s", "k": "AAAA"})], Err(KeyError::Kind)),
        ("RS256", vec![with(rsa_jwk(), "alg", json!("RS256"))], Err(KeyError::Kind)),
    ] {
        assert_eq!(check_keys(&keys(&all)), expected, "{what}");
    }
}
