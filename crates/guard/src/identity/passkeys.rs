//! Passkeys (WebAuthn level 3, by `webauthn_rp`): discoverable, with user verification, so that
//! one is both the thing somebody has and the finger or PIN that they show.
//!
//! A ceremony's challenge is kept here, for five minutes and one use, and a registration's with
//! the account that began it. The clock of that limit is the library's own, which only runs on.

use std::collections::HashMap;
use std::time::Instant;

use rusqlite::{OptionalExtension, params};
use vitals::ReceiveTime;
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, USER_HANDLE_MAX_LEN,
    UserHandle64, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId, TimedCeremony};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication64, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

use crate::database::{Database, IMMEDIATE};
use crate::{Guard, GuardError, People, secret};

/// Ceremonies at once of each kind; the oldest ends for a new one.
const CEREMONIES_MAX: usize = 4_096;
/// Passkeys of one account.
const PASSKEYS_MAX: usize = 20;

type PublicKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// The page that people log in on, as their browsers know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Scheme, host and port: `https://ward.example:8443`.
    pub origin: String,
}

impl Site {
    /// What passkeys of this site are bound to: the host's name. None where browsers know no
    /// passkeys: an address in place of a name.
    #[must_use]
    pub fn relying_party(&self) -> Option<&str> {
        let rest = self.origin.split_once("://")?.1;
        let host = rest.split(['/', ':']).next()?;
        let named = host.parse::<std::net::IpAddr>().is_err() && !rest.starts_with('[');
        (named && !host.is_empty()).then_some(host)
    }

    fn rp_id(&self) -> Result<RpId, GuardError> {
        let host = self.relying_party().ok_or(GuardError::NoPasskeysHere)?;
        let domain = AsciiDomain::try_from(host.to_ascii_lowercase());
        domain.map(RpId::Domain).map_err(|_| GuardError::NoPasskeysHere)
    }
}

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Names it: hexadecimal digits.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was added.
    pub added: ReceiveTime,
    /// When it last logged in; when it was added if it never did.
    pub used: ReceiveTime,
}

/// The ceremonies that wait for a browser's answer, by their challenge.
#[derive(Default)]
pub(crate) struct Ceremonies {
    logins: HashMap<u128, DiscoverableAuthenticationServerState>,
    registrations: HashMap<u128, (String, RegistrationServerState<USER_HANDLE_MAX_LEN>)>,
}

/// Makes room for one more: what is over goes, and then the oldest.
fn make_room<T>(kept: &mut HashMap<u128, T>, ends: impl Fn(&T) -> Instant) {
    let now = Instant::now();
    kept.retain(|_, ceremony| ends(ceremony) > now);
    if kept.len() >= CEREMONIES_MAX {
        let oldest = kept.iter().min_by_key(|(_, ceremony)| ends(ceremony)).map(|(key, _)| *key);
        oldest.and_then(|key| kept.remove(&key));
    }
}

impl Guard {
    /// Begins a login with a passkey: what the browser's `navigator.credentials.get` takes as
    /// `publicKey`, in the JSON form of WebAuthn level 3.
    ///
    /// # Errors
    /// [`GuardError::NoPasskeysHere`] when browsers know none at this site.
    pub fn begin_passkey_login(&self, site: &Site) -> Result<String, GuardError> {
        let people = self.people()?;
        let rp = site.rp_id()?;
        let started = DiscoverableCredentialRequestOptions::passkey(&rp).start_ceremony();
        let (server, client) = started.map_err(|error| GuardError::Passkey(error.to_string()))?;
        let mut ceremonies = people.ceremonies.lock();
        make_room(&mut ceremonies.logins, TimedCeremony::expiration);
        ceremonies.logins.insert(server.sent_challenge().0, server);
        serde_json::to_string(&client).map_err(|error| GuardError::Passkey(error.to_string()))
    }

    /// Begins to add a passkey to an account: what the browser's `navigator.credentials.create`
    /// takes as `publicKey`.
    ///
    /// # Errors
    /// [`GuardError::NoPasskeysHere`]; [`GuardError::TooMany`].
    pub fn begin_passkey(&self, name: &str, site: &Site) -> Result<String, GuardError> {
        let people = self.people()?;
        let rp = site.rp_id()?;
        let handle = people.database.handle(name)?;
        let known = people.database.descriptors(name)?;
        if known.len() >= PASSKEYS_MAX {
            return Err(GuardError::TooMany("passkeys"));
        }
        let wrong = |error: String| GuardError::Passkey(error);
        let user = PublicKeyCredentialUserEntity {
            name: Username::try_from(name).map_err(|error| wrong(error.to_string()))?,
            id: &handle,
            display_name: None,
        };
        let mut options = PublicKeyCredentialCreationOptions::passkey(&rp, user, known);
        // Authenticators of phones and laptops don't know credProtect; user verification is asked for anyway.
        options.extensions.cred_protect = CredProtect::None;
        let started = options.start_ceremony();
        let (server, client) = started.map_err(|error| wrong(error.to_string()))?;
        let mut ceremonies = people.ceremonies.lock();
        make_room(&mut ceremonies.registrations, |(_, state)| state.expiration());
        let key = server.sent_challenge().0;
        ceremonies.registrations.insert(key, (name.to_owned(), server));
        serde_json::to_string(&client).map_err(|error| wrong(error.to_string()))
    }

    /// Adds a passkey: `answer` is what the browser made of [`Guard::begin_passkey`], as its
    /// `toJSON` gives it. New recovery codes come with the first factor of an account.
    ///
    /// # Errors
    /// [`GuardError::Passkey`] when the answer is not to a ceremony of this account, or not right.
    pub fn add_passkey(
        &self,
        name: &str,
        label: &str,
        answer: &str,
        site: &Site,
        now: ReceiveTime,
    ) -> Result<Vec<String>, GuardError> {
        let people = self.people()?;
        let wrong = |error: &dyn std::fmt::Display| GuardError::Passkey(error.to_string());
        let answer =
            Registration::from_json_relaxed(answer.as_bytes()).map_err(|error| wrong(&error))?;
        let challenge = answer.challenge_relaxed().map_err(|error| wrong(&error))?.0;
        let kept = people.ceremonies.lock().registrations.remove(&challenge);
        let (_, state) = kept
            .filter(|(whose, _)| whose.eq_ignore_ascii_case(name))
            .ok_or_else(|| wrong(&"this was begun too long ago; begin again"))?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &[site.origin.as_str()],
            ..Default::default()
        };
        let made = state.verify(&site.rp_id()?, &answer, &options).map_err(|error| wrong(&error))?;
        let row = Row {
            id: made.id().as_ref().to_vec(),
            key: made.static_state().encode().map_err(|error| wrong(&error))?,
            state: made.dynamic_state().encode().map_err(|error| wrong(&error))?,
            transports: made.transports().encode().map_err(|error| wrong(&error))?,
        };
        let first = {
            let factors = people.database.factors(name)?;
            factors.recovery == 0
        };
        people.database.put_passkey(name, &label_of(label), &row, now)?;
        if first { people.new_recovery_codes(name) } else { Ok(Vec::new()) }
    }

    /// Takes a passkey away.
    ///
    /// # Errors
    /// [`GuardError::Unknown`]; [`GuardError::FactorRequired`] when the role must have a factor
    /// and this is the last.
    pub fn remove_passkey(&self, name: &str, id: &str) -> Result<(), GuardError> {
        let people = self.people()?;
        let factors = self.factors(name)?;
        if factors.required && !factors.totp && factors.passkeys.len() == 1 {
            return Err(GuardError::FactorRequired);
        }
        people.database.remove_passkey(name, id)
    }
}

impl People {
    /// Whose passkey answered a login's ceremony rightly.
    pub(super) fn verify_passkey(
        &self,
        answer: &str,
        site: &Site,
        now: ReceiveTime,
    ) -> Result<Option<String>, GuardError> {
        let Ok(rp) = site.rp_id() else { return Ok(None) };
        let Ok(answer) = DiscoverableAuthentication64::from_json_relaxed(answer.as_bytes()) else {
            return Ok(None);
        };
        let Ok(challenge) = answer.challenge_relaxed() else { return Ok(None) };
        let Some(state) = self.ceremonies.lock().logins.remove(&challenge.0) else {
            return Ok(None);
        };
        let id = answer.raw_id();
        let handle = answer.response().user_handle();
        let Some((name, kept)) = self.database.passkey(id.as_ref(), handle.as_ref())? else {
            return Ok(None);
        };
        let Ok(fixed) = StaticState::<PublicKey>::decode(kept.key.as_slice()) else { return Ok(None) };
        let Ok(moving) = DynamicState::decode(kept.state) else { return Ok(None) };
        let Ok(mut credential) = AuthenticatedCredential::new(id, handle, fixed, moving) else {
            return Ok(None);
        };
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &[site.origin.as_str()],
            ..Default::default()
        };
        match state.verify(&rp, &answer, &mut credential, &options) {
            Ok(_) => {
                let state = credential.dynamic_state().encode();
                let state = state.map_err(|error| GuardError::Passkey(error.to_string()))?;
                self.database.used_passkey(id.as_ref(), &state, now)?;
                Ok(Some(name))
            }
            Err(error) => {
                tracing::warn!(%error, "a passkey was refused");
                Ok(None)
            }
        }
    }
}

/// What a passkey is called: what its owner typed, shortened.
fn label_of(typed: &str) -> String {
    let label: String = typed.trim().chars().filter(|c| !c.is_control()).take(64).collect();
    if label.is_empty() { "Passkey".to_owned() } else { label }
}

/// What is kept of a passkey.
struct Row {
    id: Vec<u8>,
    key: Vec<u8>,
    state: [u8; 7],
    transports: u8,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Database {
    /// What authenticators know an account by: random, made when it is first needed.
    fn handle(&self, name: &str) -> Result<UserHandle64, GuardError> {
        let sql = "SELECT handle FROM handle WHERE account = ?1";
        let fresh = secret::random::<USER_HANDLE_MAX_LEN>()?;
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let make = "INSERT INTO handle (account, handle) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            change.execute(make, params![name, fresh.as_slice()])?;
            let kept: [u8; USER_HANDLE_MAX_LEN] = change.query_row(sql, [name], |row| row.get(0))?;
            change.commit()?;
            UserHandle64::decode(kept).map_err(|error| GuardError::Passkey(error.to_string()))
        })
    }

    /// The passkeys of an account, the oldest first.
    pub(super) fn passkeys(&self, name: &str) -> Result<Vec<Passkey>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare(
            "SELECT id, name, added_us, used_us FROM passkey WHERE account = ?1 ORDER BY added_us, id",
        )?;
        let rows = query.query_map([name], |row| {
            Ok(Passkey {
                id: hex(&row.get::<_, Vec<u8>>(0)?),
                name: row.get(1)?,
                added: ReceiveTime(row.get(2)?),
                used: ReceiveTime(row.get(3)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// An account's passkeys as browsers are told of them, so that none is made twice.
    fn descriptors(
        &self,
        name: &str,
    ) -> Result<Vec<PublicKeyCredentialDescriptor<Vec<u8>>>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare("SELECT id, transports FROM passkey WHERE account = ?1")?;
        let rows = query
            .query_map([name], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u8>(1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        let descriptors = rows.into_iter().filter_map(|(id, transports)| {
            let id = CredentialId::<Vec<u8>>::decode(id).ok()?;
            let transports = AuthTransports::decode(transports).ok()?;
            Some(PublicKeyCredentialDescriptor { id, transports })
        });
        Ok(descriptors.collect())
    }

    fn put_passkey(
        &self,
        name: &str,
        label: &str,
        row: &Row,
        now: ReceiveTime,
    ) -> Result<(), GuardError> {
        let sql = "INSERT INTO passkey
                   (id, account, name, key, state, transports, added_us, used_us)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (id) DO NOTHING";
        let values = params![
            row.id, name, label, row.key, row.state.as_slice(), row.transports, now.micros()
        ];
        match self.lock().execute(sql, values)? {
            0 => Err(GuardError::Passkey("this passkey is known already".to_owned())),
            _ => Ok(()),
        }
    }

    /// A passkey of the account that the authenticator names, and whose it is.
    fn passkey(&self, id: &[u8], handle: &[u8]) -> Result<Option<(String, Row)>, GuardError> {
        let sql = "SELECT passkey.account, key, state, transports FROM passkey
                   JOIN handle ON handle.account = passkey.account WHERE id = ?1 AND handle = ?2";
        let connection = self.lock();
        let mut query = connection.prepare_cached(sql)?;
        let found = query.query_row(params![id, handle], |row| {
            let kept = Row {
                id: id.to_vec(),
                key: row.get(1)?,
                state: row.get(2)?,
                transports: row.get(3)?,
            };
            Ok((row.get::<_, String>(0)?, kept))
        });
        Ok(found.optional()?)
    }

    fn used_passkey(&self, id: &[u8], state: &[u8], now: ReceiveTime) -> Result<(), GuardError> {
        let sql = "UPDATE passkey SET state = ?1, used_us = ?2 WHERE id = ?3";
        self.lock().execute(sql, params![state, now.micros(), id])?;
        Ok(())
    }

    fn remove_passkey(&self, name: &str, id: &str) -> Result<(), GuardError> {
        let sql = "DELETE FROM passkey WHERE account = ?1 AND lower(hex(id)) = ?2";
        match self.lock().execute(sql, params![name, id])? {
            0 => Err(GuardError::Unknown("that passkey".to_owned())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_bound_to_names_and_not_to_addresses() {
        for (origin, expected) in [
            ("http://localhost:8080", Some("localhost")),
            ("https://ward.example", Some("ward.example")),
            ("https://ward.example:8443", Some("ward.example")),
            ("http://127.0.0.1:8080", None),
            ("http://[::1]:8080", None),
            ("ward.example", None),
            ("https://", None),
        ] {
            assert_eq!(Site { origin: origin.to_owned() }.relying_party(), expected, "{origin}");
        }
    }
}
