//! The keys with which we sign who a person is (id tokens): RS256, as SMART asks for
//! (SMART App Launch 2.2 § 8.3), made when first needed, a new one every 90 days.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::traits::PublicKeyParts;
use rusqlite::params;
use serde_json::{Value as Json, json};
use vitals::ReceiveTime;
use vitals::time::SECOND;

use super::{GrantError, ID_TOKEN_S, KEY_SHOWN_US, KEY_US};
use crate::{Guard, GuardError, secret};

/// Size of our keys (NIST SP 800-57: good until 2030).
const BITS: usize = 2_048;

impl Guard {
    /// Our public keys, as a JWK set. Makes the first one: seconds of work, so call it where
    /// blocking is allowed.
    ///
    /// # Errors
    /// [`GrantError::Signing`], [`GrantError::Guard`].
    pub fn jwks(&self, now: ReceiveTime) -> Result<Json, GrantError> {
        self.signing_key(now)?;
        let oldest = now.micros() - KEY_US - KEY_SHOWN_US;
        let all = self.signing_keys()?.into_iter().filter(|(_, _, made)| *made > oldest);
        let keys: Result<Vec<Json>, GrantError> = all.map(|(kid, der, _)| public(&kid, &der)).collect();
        Ok(json!({ "keys": keys? }))
    }

    /// Signs claims as an id token: they are given issue and end times.
    ///
    /// # Errors
    /// [`GrantError::Signing`], [`GrantError::Guard`].
    pub fn sign_id_token(&self, mut claims: Json, now: ReceiveTime) -> Result<String, GrantError> {
        let (kid, der) = self.signing_key(now)?;
        let seconds = now.micros().div_euclid(SECOND);
        claims["iat"] = json!(seconds);
        claims["exp"] = json!(seconds + ID_TOKEN_S);
        let header = Header { kid: Some(kid), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_rsa_der(&der)).map_err(failed)
    }

    /// The key that signs now.
    fn signing_key(&self, now: ReceiveTime) -> Result<(String, Vec<u8>), GrantError> {
        let newest = self.signing_keys()?.into_iter().max_by_key(|(_, _, made)| *made);
        if let Some((kid, der, made)) = newest
            && made > now.micros() - KEY_US
        {
            return Ok((kid, der));
        }
        // Not under the lock: it takes long. Two made at once are both fine.
        let key = rsa::RsaPrivateKey::new(&mut rand::rngs::OsRng, BITS).map_err(failed)?;
        let der = key.to_pkcs1_der().map_err(failed)?.as_bytes().to_vec();
        let kid = secret::fingerprint(&key.n().to_bytes_be()).to_hex()[..16].to_owned();
        self.people()?.database.with(|connection| {
            let old = now.micros() - KEY_US - KEY_SHOWN_US;
            connection.execute("DELETE FROM oauth_key WHERE made_us <= ?1", [old])?;
            let sql = "INSERT INTO oauth_key (kid, key, made_us) VALUES (?1, ?2, ?3)";
            connection.execute(sql, params![kid, der, now.micros()])?;
            Ok(())
        })?;
        Ok((kid, der))
    }

    fn signing_keys(&self) -> Result<Vec<(String, Vec<u8>, i64)>, GuardError> {
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached("SELECT kid, key, made_us FROM oauth_key")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn public(kid: &str, der: &[u8]) -> Result<Json, GrantError> {
    let key = rsa::RsaPrivateKey::from_pkcs1_der(der).map_err(failed)?;
    let number = |n: &rsa::BigUint| URL_SAFE_NO_PAD.encode(n.to_bytes_be());
    Ok(json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": number(key.n()), "e": number(key.e()),
    }))
}

fn failed(error: impl std::fmt::Display) -> GrantError {
    GrantError::Signing(error.to_string())
}
