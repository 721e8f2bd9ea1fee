//! Access tokens, refresh tokens, and what is behind one.

use std::sync::Arc;

use oauth::{Client, Code, OauthError, Scopes};
use rusqlite::{Connection, OptionalExtension, params};
use vitals::time::SECOND;
use vitals::{PatientId, ReceiveTime};

use super::clients::client_row;
use super::{ACCESS_US, Grant, GrantError};
use crate::database::IMMEDIATE;
use crate::{Account, Guard, GuardError, Kind, secret};

/// Starts every access token, so that scanners find one that leaked.
const ACCESS_PREFIX: &str = "vwa_";
/// Starts every refresh token.
const REFRESH_PREFIX: &str = "vwr_";

/// Tokens that were just made.
#[derive(Clone)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// How long it lasts, in seconds.
    pub expires_in: i64,
    /// The refresh token, where there is one.
    pub refresh: Option<String>,
    /// What they are for.
    pub grant: Arc<Grant>,
    /// Who is behind them.
    pub account: Account,
    /// For the id token.
    pub nonce: Option<String>,
}

impl std::fmt::Debug for Tokens {
    /// Without the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("grant", &self.grant).finish_non_exhaustive()
    }
}

/// What is known of a token that is valid (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is for.
    pub grant: Arc<Grant>,
    /// Who is behind it.
    pub account: Account,
    /// When it was made.
    pub made: ReceiveTime,
    /// When it ends.
    pub expires: ReceiveTime,
    /// Whether it is a refresh token.
    pub refresh: bool,
}

/// How long tokens last, in microseconds.
pub(super) struct Life {
    pub(super) access: i64,
    pub(super) refresh: bool,
}

/// A grant with what only this module needs.
pub(super) struct Kept {
    pub(super) grant: Grant,
    account: String,
    kind: String,
    ends: i64,
}

impl Guard {
    /// Who is behind an access token, and what it may be used for: nothing when it is unknown,
    /// over, taken back, or its account is gone. Asks every time.
    #[must_use]
    pub fn access_token(&self, token: &str, now: ReceiveTime) -> Option<(Account, Arc<Grant>)> {
        if !token.starts_with(ACCESS_PREFIX) {
            return None;
        }
        let found = self.find_token(token, now).unwrap_or_else(|error| {
            tracing::error!(%error, "refused, for the account database failed");
            None
        });
        found.filter(|found| !found.refresh).map(|found| (found.account, found.grant))
    }

    /// What is known of a token, if it is valid.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn find_token(&self, token: &str, now: ReceiveTime) -> Result<Option<Found>, GrantError> {
        if self.is_open() {
            return Ok(None);
        }
        let row = self.people()?.database.with(|connection| {
            let row = token_row(connection, token)?;
            let valid = row.filter(|row| !row.used && row.expires > now.micros());
            let Some(row) = valid else { return Ok(None) };
            Ok(load(connection, row.grant)?.map(|kept| (kept, row)))
        })?;
        let Some((kept, row)) = row.filter(|(kept, _)| kept.ends > now.micros()) else { return Ok(None) };
        let Some(account) = self.behind(&kept)? else { return Ok(None) };
        let scopes = Scopes::parse(&row.scopes).unwrap_or_default();
        Ok(Some(Found {
            grant: Arc::new(Grant { scopes, ..kept.grant }),
            account,
            made: ReceiveTime(row.made),
            expires: ReceiveTime(row.expires),
            refresh: row.refresh,
        }))
    }

    /// The account behind a grant, if it may still come in.
    pub(super) fn behind(&self, kept: &Kept) -> Result<Option<Account>, GuardError> {
        let kind = if kept.kind == Kind::Service.name() { Kind::Service } else { Kind::Person };
        self.people()?.database.named(&kept.account, kind)
    }

    /// Gives new tokens for a refresh token, which is then used up. One that comes a second time
    /// is in two hands: everything of its grant ends.
    ///
    /// # Errors
    /// [`GrantError::Refused`] with `invalid_grant`, or `invalid_scope` for more than was given.
    pub fn refresh(
        &self,
        client: &Client,
        token: &str,
        scopes: Option<&Scopes>,
        now: ReceiveTime,
    ) -> Result<Tokens, GrantError> {
        let wrong = || GrantError::grant("the refresh token is not valid: unknown, used, over or another client's");
        let found = self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let row = token_row(&change, token)?.filter(|row| row.refresh);
            let Some(row) = row else { return Ok(Err(wrong())) };
            let kept = load(&change, row.grant)?.filter(|kept| kept.grant.client == client.id);
            let Some(kept) = kept else { return Ok(Err(wrong())) };
            if row.used {
                change.execute("DELETE FROM oauth_grant WHERE id = ?1", [kept.grant.id])?;
                change.commit()?;
                return Ok(Err(wrong()));
            }
            if row.expires <= now.micros() || kept.ends <= now.micros() {
                return Ok(Err(wrong()));
            }
            // What the client may have can have become less since.
            let given = kept.grant.scopes.within(&client.allowed());
            let narrowed = match scopes {
                Some(asked) if asked.within(&given) != *asked => {
                    let detail = "more scopes than were given";
                    return Ok(Err(OauthError::new(Code::InvalidScope, detail).into()));
                }
                Some(asked) => asked.clone(),
                None => given,
            };
            change.execute("UPDATE oauth_token SET used = 1 WHERE token = ?1", [&row.token])?;
            let issued = issue(&change, &kept, narrowed, Life { access: ACCESS_US, refresh: true }, now)?;
            change.commit()?;
            Ok(Ok((kept, issued)))
        })?;
        let (kept, mut issued) = found?;
        issued.account = self.behind(&kept)?.ok_or_else(wrong)?;
        Ok(issued)
    }

    /// Takes a token back (RFC 7009): an access token alone, a refresh token with everything of its
    /// grant. Another client's token, or none, changes nothing. True when something ended.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn revoke(&self, client: &Client, token: &str) -> Result<bool, GrantError> {
        let people = self.people()?;
        let ended = people.database.with(|connection| {
            let Some(row) = token_row(connection, token)? else { return Ok(false) };
            let Some(kept) = load(connection, row.grant)? else { return Ok(false) };
            if kept.grant.client != client.id {
                return Ok(false);
            }
            if row.refresh {
                connection.execute("DELETE FROM oauth_grant WHERE id = ?1", [row.grant])?;
            } else {
                connection.execute("DELETE FROM oauth_token WHERE token = ?1", [row.token])?;
            }
            Ok(true)
        })?;
        if ended {
            people.database.changed();
        }
        Ok(ended)
    }
}

/// Makes tokens of a grant. The account is filled in by the caller, outside of the lock.
pub(super) fn issue(
    connection: &Connection,
    kept: &Kept,
    scopes: Scopes,
    life: Life,
    now: ReceiveTime,
) -> Result<Tokens, GuardError> {
    let ends = (now.micros() + life.access).min(kept.ends);
    let access = put(connection, kept, ACCESS_PREFIX, &scopes, (now.micros(), ends))?;
    let refresh = match life.refresh {
        true => Some(put(connection, kept, REFRESH_PREFIX, &scopes, (now.micros(), kept.ends))?),
        false => None,
    };
    Ok(Tokens {
        access,
        expires_in: (ends - now.micros()) / SECOND,
        refresh,
        grant: Arc::new(Grant { scopes, ..kept.grant.clone() }),
        account: Account::new(&kept.account, vitals::Role::Service, Kind::Service),
        nonce: None,
    })
}

fn put(
    connection: &Connection,
    kept: &Kept,
    prefix: &str,
    scopes: &Scopes,
    (made, expires): (i64, i64),
) -> Result<String, GuardError> {
    let token = format!("{prefix}{}", secret::token()?);
    let kind = if prefix == REFRESH_PREFIX { "refresh" } else { "access" };
    let sql = "INSERT INTO oauth_token (token, grant_id, kind, scopes, made_us, expires_us)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let key = secret::fingerprint(token.as_bytes()).to_hex();
    connection.execute(
        sql,
        params![key.as_str(), kept.grant.id, kind, scopes.to_string(), made, expires],
    )?;
    Ok(token)
}

struct TokenRow {
    token: String,
    grant: i64,
    refresh: bool,
    scopes: String,
    made: i64,
    expires: i64,
    used: bool,
}

impl Guard {
    /// The client that a refresh token was given to, for one that does not name itself. What it
    /// may do with it is decided by [`Guard::prove_client`] and [`Guard::refresh`].
    #[must_use]
    pub fn client_of_refresh(&self, token: &str) -> Option<String> {
        let found = self.people().ok()?.database.with(|connection| {
            let row = token_row(connection, token)?.filter(|row| row.refresh);
            let Some(row) = row else { return Ok(None) };
            Ok(load(connection, row.grant)?.map(|kept| kept.grant.client))
        });
        found.ok().flatten()
    }
}

fn token_row(connection: &Connection, token: &str) -> Result<Option<TokenRow>, GuardError> {
    let sql = "SELECT token, grant_id, kind, scopes, made_us, expires_us, used FROM oauth_token WHERE token = ?1";
    let key = secret::fingerprint(token.as_bytes()).to_hex();
    let mut query = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(TokenRow {
            token: row.get(0)?,
            grant: row.get(1)?,
            refresh: row.get::<_, String>(2)? == "refresh",
            scopes: row.get(3)?,
            made: row.get(4)?,
            expires: row.get(5)?,
            used: row.get(6)?,
        })
    };
    Ok(query.query_row([key.as_str()], read).optional()?)
}

/// A grant; none when it is not there, or its session is over.
pub(super) fn load(connection: &Connection, id: i64) -> Result<Option<Kept>, GuardError> {
    let sql = "SELECT client, account, kind, scopes, patient, encounter, strong, began_us, ends_us
               FROM oauth_grant g WHERE id = ?1 AND (session IS NULL OR EXISTS
               (SELECT 1 FROM session s WHERE s.token > g.session AND s.token < g.session || 'g'))";
    let mut query = connection.prepare_cached(sql)?;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Kept {
            grant: Grant {
                id,
                client: row.get(0)?,
                scopes: Scopes::parse(&row.get::<_, String>(3)?).unwrap_or_default(),
                patient: row.get::<_, Option<String>>(4)?.and_then(|id| PatientId::new(&id).ok()),
                encounter: row.get(5)?,
                strong: row.get(6)?,
                began: ReceiveTime(row.get(7)?),
            },
            account: row.get(1)?,
            kind: row.get(2)?,
            ends: row.get(8)?,
        })
    };
    let found = query.query_row([id], read).optional()?;
    // An application that was registered anew is another one.
    let Some(kept) = found else { return Ok(None) };
    Ok(client_row(connection, &kept.grant.client)?.map(|_| kept))
}
