//! Registered applications, and their proof that they are themselves.

use oauth::{Authentication, Client, Credentials, Proof, assertion};
use rusqlite::{OptionalExtension, params};
use vitals::ReceiveTime;
use vitals::time::SECOND;

use super::GrantError;
use crate::{Guard, GuardError, Kind, secret};

/// Starts every client's secret, so that scanners find one that leaked.
const SECRET_PREFIX: &str = "vwc_";

/// An application as it was registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// It.
    pub client: Client,
    /// Its secret, where it has one: shown once, only a fingerprint is kept.
    pub secret: Option<String>,
}

impl Guard {
    /// Registers an application; one with a secret gets it in the answer.
    ///
    /// # Errors
    /// [`GrantError::Client`] when it can't be registered so, [`GrantError::Exists`],
    /// [`GrantError::NoService`].
    pub fn add_client(&self, client: Client, now: ReceiveTime) -> Result<Registered, GrantError> {
        let people = self.people()?;
        client.check()?;
        if let Some(account) = &client.account
            && people.database.named(account, Kind::Service)?.is_none()
        {
            return Err(GrantError::NoService(account.clone()));
        }
        let secret = match client.authentication {
            Authentication::Secret => Some(format!("{SECRET_PREFIX}{}", secret::token()?)),
            Authentication::Public | Authentication::Key => None,
        };
        let kept = secret.as_ref().map(|secret| secret::fingerprint(secret.as_bytes()).to_hex().to_string());
        let json = serde_json::to_string(&client).map_err(|error| GrantError::Signing(error.to_string()))?;
        let added = people.database.with(|connection| {
            let sql = "INSERT INTO oauth_client (id, client, secret, added_us) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO NOTHING";
            Ok(connection.execute(sql, params![client.id, json, kept, now.micros()])?)
        })?;
        if added == 0 {
            return Err(GrantError::Exists(client.id));
        }
        Ok(Registered { client, secret })
    }

    /// Removes an application; everything that it was given ends at once.
    ///
    /// # Errors
    /// [`GrantError::Unknown`].
    pub fn remove_client(&self, id: &str) -> Result<(), GrantError> {
        let people = self.people()?;
        let removed = people.database.with(|connection| {
            Ok(connection.execute("DELETE FROM oauth_client WHERE id = ?1", [id])?)
        })?;
        if removed == 0 {
            return Err(GrantError::Unknown(id.to_owned()));
        }
        people.database.changed();
        Ok(())
    }

    /// Every application, by id.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn clients(&self) -> Result<Vec<Client>, GrantError> {
        Ok(self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached("SELECT client FROM oauth_client ORDER BY id")?;
            let rows = query.query_map([], |row| row.get::<_, String>(0))?;
            let texts = rows.collect::<Result<Vec<_>, _>>()?;
            Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
        })?)
    }

    /// The application of that id.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn client(&self, id: &str) -> Result<Option<Client>, GrantError> {
        let found = self.people()?.database.with(|connection| client_row(connection, id))?;
        Ok(found.map(|(client, _)| client))
    }

    /// Whether pages of this origin are some application's.
    #[must_use]
    pub fn is_client_origin(&self, origin: &str) -> bool {
        self.clients().is_ok_and(|all| all.iter().any(|client| client.calls_from(origin)))
    }

    /// The application that shows these credentials, if they are right. `keys` are the keys at its
    /// address, where it registered one; `audiences` are the addresses of our token endpoint. A
    /// signed proof is taken once.
    ///
    /// # Errors
    /// [`GrantError::Refused`] with `invalid_client`.
    pub fn prove_client(
        &self,
        shown: &Credentials,
        keys: Option<&jsonwebtoken::jwk::JwkSet>,
        audiences: &[&str],
        now: ReceiveTime,
    ) -> Result<Client, GrantError> {
        let people = self.people()?;
        let found = people.database.with(|connection| client_row(connection, &shown.client))?;
        let (client, kept) = found.ok_or(GrantError::client("no such client, or not its proof"))?;
        let wrong = GrantError::client("no such client, or not its proof");
        match (client.authentication, &shown.proof) {
            (Authentication::Public, Proof::Nothing) => Ok(client),
            (Authentication::Secret, Proof::Secret(secret)) => {
                let kept = kept.and_then(|hex| blake3::Hash::from_hex(hex).ok()).ok_or(wrong)?;
                let right = kept == secret::fingerprint(secret.as_bytes());
                right.then_some(client).ok_or(GrantError::client("no such client, or not its proof"))
            }
            (Authentication::Key, Proof::Assertion(jwt)) => {
                let none = GrantError::client("the client's keys could not be read");
                let keys = client.jwks.as_ref().or(keys).ok_or(none)?;
                let seconds = now.micros().div_euclid(SECOND);
                let proven = assertion::verify(jwt, &client.id, keys, audiences, seconds)
                    .map_err(|error| {
                        tracing::info!(%error, "a client's proof was refused");
                        GrantError::client("the assertion does not hold: iss and sub the client, aud this endpoint, exp within five minutes, RS384 or ES384 by a registered key")
                    })?;
                if self.first_use(&client.id, &proven, now)? {
                    Ok(client)
                } else {
                    Err(GrantError::client("this assertion was used before"))
                }
            }
            _ => Err(wrong),
        }
    }

    /// Notes that a proof was used; false when it was before.
    fn first_use(&self, client: &str, proven: &assertion::Proven, now: ReceiveTime) -> Result<bool, GuardError> {
        let jti = secret::fingerprint(proven.jti.as_bytes()).to_hex();
        // Nothing is taken at its end; kept a while longer, for clocks that are put back.
        let until = proven.expires.saturating_mul(SECOND).saturating_add(super::SERVICE_US);
        self.people()?.database.with(|connection| {
            connection.execute("DELETE FROM oauth_proof WHERE expires_us < ?1", [now.micros()])?;
            let sql = "INSERT INTO oauth_proof (client, jti, expires_us) VALUES (?1, ?2, ?3)
                       ON CONFLICT DO NOTHING";
            Ok(connection.execute(sql, params![client, jti.as_str(), until])? == 1)
        })
    }
}

/// An application and the fingerprint of its secret.
pub(super) fn client_row(
    connection: &rusqlite::Connection,
    id: &str,
) -> Result<Option<(Client, Option<String>)>, GuardError> {
    let mut query = connection.prepare_cached("SELECT client, secret FROM oauth_client WHERE id = ?1")?;
    let found = query.query_row([id], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).optional()?;
    Ok(found.and_then(|(text, secret)| Some((serde_json::from_str(&text).ok()?, secret))))
}
