//! Sessions: what a login gives, bound to the account and to the kind of connection it began on,
//! seen and ended by whoever they belong to.

use std::net::IpAddr;

use rusqlite::{OptionalExtension, params};
use vitals::ReceiveTime;
use vitals::time::MINUTE;

use crate::database::{Database, IMMEDIATE, account};
use crate::{Account, Entrance, Guard, GuardError, secret};

/// Sessions of one account at once; the one unused for longest ends for a new one.
const SESSIONS_MAX: i64 = 32;
/// The use of a session is noted at most this often, in microseconds, to spare the disk.
const NOTE_EVERY: i64 = MINUTE;
/// Hexadecimal digits of a token's fingerprint that name a session: enough to tell a person's
/// sessions apart, and of no use to take one over.
const ID_LEN: usize = 16;

/// How somebody proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A password alone.
    Password,
    /// A password and a code of an authenticator app.
    Totp,
    /// A passkey, with the finger or PIN that it asks for: two factors in one.
    Passkey,
    /// A password and a recovery code.
    Recovery,
    /// The site's identity provider, which did not say how.
    Provider,
    /// The site's identity provider, which asked for more than one factor.
    ProviderStrong,
    /// The same, and then a code of an authenticator app here.
    ProviderTotp,
}

impl Means {
    const ALL: [Self; 7] = [
        Self::Password, Self::Totp, Self::Passkey, Self::Recovery, Self::Provider,
        Self::ProviderStrong, Self::ProviderTotp,
    ];

    /// Lower kebab-case name, as in the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Recovery => "recovery",
            Self::Provider => "provider",
            Self::ProviderStrong => "provider-mfa",
            Self::ProviderTotp => "provider-totp",
        }
    }

    /// Whether more than one factor was shown.
    #[must_use]
    pub const fn strong(self) -> bool {
        !matches!(self, Self::Password | Self::Provider)
    }

    fn from_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|means| means.name() == name).unwrap_or(Self::Password)
    }
}

/// A session that is not over, as a request came in with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub account: Account,
    /// Names the session; opens nothing.
    pub id: String,
    /// How they proved who they are.
    pub means: Means,
    /// When it began.
    pub began: ReceiveTime,
}

impl Session {
    /// Whether it was begun with a second factor or a passkey.
    #[must_use]
    pub const fn strong(&self) -> bool {
        self.means.strong()
    }
}

/// A session as its owner sees it among others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    /// Names the session; opens nothing.
    pub id: String,
    /// When it began.
    pub began: ReceiveTime,
    /// When it was last used, to a minute.
    pub used: ReceiveTime,
    /// From which address it was begun.
    pub address: Option<IpAddr>,
    /// What the browser called itself; at most 200 characters.
    pub agent: String,
    /// How they proved who they are.
    pub means: Means,
    /// Whether it was begun over an encrypted connection.
    pub encrypted: bool,
}

/// The name of a session from its token's fingerprint.
pub(crate) fn session_id(key: &blake3::Hash) -> String {
    key.to_hex()[..ID_LEN].to_owned()
}

/// What of a browser's own name is kept.
fn shortened(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

impl Guard {
    /// Whose session this is: none when it is unknown or over. Counts as use of the session, so
    /// call it again from time to time for an answer that goes on for long.
    #[must_use]
    pub fn session(&self, token: &str, now: ReceiveTime) -> Option<Account> {
        self.session_on(token, None, now).map(|session| session.account)
    }

    /// [`Guard::session`] for a request over a connection of which it is known whether it is
    /// encrypted: a session begun over one kind is not taken over the other.
    #[must_use]
    pub fn session_on(
        &self,
        token: &str,
        encrypted: Option<bool>,
        now: ReceiveTime,
    ) -> Option<Session> {
        let Some(people) = &self.inner.people else {
            let (account, id) = (Account::trial(), String::new());
            return Some(Session { account, id, means: Means::Password, began: now });
        };
        let key = secret::fingerprint(token.as_bytes());
        people.database.session(&key, encrypted, now).unwrap_or_else(|error| {
            tracing::error!(%error, "refused, for the account database failed");
            None
        })
    }

    /// Ends a session by its token.
    pub fn logout(&self, token: &str) {
        if let Some(people) = &self.inner.people {
            let key = secret::fingerprint(token.as_bytes());
            if let Err(error) = people.database.end_session(&key) {
                tracing::error!(%error, "session not ended");
            }
        }
    }

    /// The sessions of an account that are not over, the last used first.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn sessions(&self, name: &str, now: ReceiveTime) -> Result<Vec<SessionFacts>, GuardError> {
        self.people()?.database.sessions(name, now)
    }

    /// Ends one session of an account, by its id.
    ///
    /// # Errors
    /// [`GuardError::Unknown`] when the account has no such session.
    pub fn end_session(&self, name: &str, id: &str) -> Result<(), GuardError> {
        match self.people()?.database.end_named(name, id)? {
            0 => Err(GuardError::Unknown("that session".to_owned())),
            _ => Ok(()),
        }
    }

    /// Ends all sessions of an account but the one named, if one is: how many.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn end_sessions(&self, name: &str, but: Option<&str>) -> Result<usize, GuardError> {
        self.people()?.database.end_others(name, but.unwrap_or_default())
    }

    /// Gives a session another token and another strength: whoever copied the old token before has
    /// nothing. The new token.
    ///
    /// # Errors
    /// [`GuardError::Unknown`] when the session is over.
    pub fn rotate_session(&self, token: &str, means: Means) -> Result<String, GuardError> {
        let next = secret::token()?;
        let keys = [token, &next].map(|token| secret::fingerprint(token.as_bytes()));
        match self.people()?.database.rotate_session(&keys[0], &keys[1], means)? {
            0 => Err(GuardError::Unknown("that session".to_owned())),
            _ => Ok(next),
        }
    }
}

impl Database {
    /// Begins a session, and forgets those that are over.
    pub(crate) fn begin_session(
        &self,
        token: &blake3::Hash,
        name: &str,
        means: Means,
        entrance: &Entrance,
        now: ReceiveTime,
    ) -> Result<(), GuardError> {
        let (began, used) =
            (now.micros() - self.times.absolute_us, now.micros() - self.times.idle_us);
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            change.execute(
                "DELETE FROM session WHERE began_us <= ?1 OR used_us <= ?2",
                [began, used],
            )?;
            let sql = "DELETE FROM session WHERE token IN (SELECT token FROM session
                       WHERE account = ?1 ORDER BY used_us DESC LIMIT -1 OFFSET ?2)";
            change.execute(sql, params![name, SESSIONS_MAX - 1])?;
            let sql = "INSERT INTO session
                       (token, account, began_us, used_us, means, encrypted, address, agent)
                       VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7)";
            let address = entrance.address.map(|address| address.to_string());
            change.execute(sql, params![
                token.to_hex().as_str(), name, now.micros(), means.name(), entrance.encrypted,
                address.unwrap_or_default(), shortened(&entrance.agent),
            ])?;
            let sql = "UPDATE account SET used_us = ?1 WHERE name = ?2";
            change.execute(sql, params![now.micros(), name])?;
            Ok(change.commit()?)
        })
    }

    /// Whose session this is, if it is not over; notes that it was used.
    fn session(
        &self,
        token: &blake3::Hash,
        encrypted: Option<bool>,
        now: ReceiveTime,
    ) -> Result<Option<Session>, GuardError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached(
            "SELECT account.name, kind, role, units, patient, began_us, session.used_us, means,
             encrypted FROM session JOIN account ON account.name = session.account
             WHERE token = ?1 AND NOT disabled",
        )?;
        let key = token.to_hex();
        let found = query.query_row([key.as_str()], |row| {
            let session = Session {
                account: account(row)?,
                id: session_id(token),
                means: Means::from_name(&row.get::<_, String>(7)?),
                began: ReceiveTime(row.get(5)?),
            };
            Ok((session, row.get::<_, i64>(6)?, row.get::<_, bool>(8)?))
        });
        let Some((session, used, was)) = found.optional()? else {
            return Ok(None);
        };
        if encrypted.is_some_and(|encrypted| encrypted != was) {
            return Ok(None);
        }
        let now = now.micros();
        let (began, times) = (session.began.micros(), self.times);
        if now - began >= times.absolute_us || now - used >= times.idle_us {
            return Ok(None);
        }
        if now - used >= NOTE_EVERY.min(times.idle_us / 4) {
            let mut note = connection.prepare_cached(
                "UPDATE session SET used_us = ?1 WHERE token = ?2 AND used_us < ?1",
            )?;
            note.execute(params![now, key.as_str()])?;
        }
        Ok(Some(session))
    }

    fn sessions(&self, name: &str, now: ReceiveTime) -> Result<Vec<SessionFacts>, GuardError> {
        let (began, used) =
            (now.micros() - self.times.absolute_us, now.micros() - self.times.idle_us);
        let connection = self.lock();
        let mut query = connection.prepare(
            "SELECT token, began_us, used_us, address, agent, means, encrypted FROM session
             WHERE account = ?1 COLLATE NOCASE AND began_us > ?2 AND used_us > ?3
             ORDER BY used_us DESC, began_us DESC, token",
        )?;
        let rows = query.query_map(params![name, began, used], |row| {
            let token: String = row.get(0)?;
            Ok(SessionFacts {
                id: token.get(..ID_LEN).unwrap_or_default().to_owned(),
                began: ReceiveTime(row.get(1)?),
                used: ReceiveTime(row.get(2)?),
                address: row.get::<_, String>(3)?.parse().ok(),
                agent: row.get(4)?,
                means: Means::from_name(&row.get::<_, String>(5)?),
                encrypted: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn end_session(&self, token: &blake3::Hash) -> Result<(), GuardError> {
        let key = token.to_hex();
        self.lock().execute("DELETE FROM session WHERE token = ?1", [key.as_str()])?;
        self.changed();
        Ok(())
    }

    fn end_named(&self, name: &str, id: &str) -> Result<usize, GuardError> {
        let sql = "DELETE FROM session WHERE account = ?1 COLLATE NOCASE AND substr(token, 1, ?2) = ?3";
        let ended = self.lock().execute(sql, params![name, ID_LEN as i64, id])?;
        self.changed();
        Ok(ended)
    }

    fn end_others(&self, name: &str, but: &str) -> Result<usize, GuardError> {
        let sql = "DELETE FROM session WHERE account = ?1 COLLATE NOCASE AND substr(token, 1, ?2) <> ?3";
        let ended = self.lock().execute(sql, params![name, ID_LEN as i64, but])?;
        self.changed();
        Ok(ended)
    }

    fn rotate_session(
        &self,
        old: &blake3::Hash,
        new: &blake3::Hash,
        means: Means,
    ) -> Result<usize, GuardError> {
        let sql = "UPDATE session SET token = ?1, means = ?2 WHERE token = ?3";
        let keys = [new.to_hex(), old.to_hex()];
        Ok(self.lock().execute(sql, params![keys[0].as_str(), means.name(), keys[1].as_str()])?)
    }
}
