//! A person says yes: the grant, and the code that its application redeems.

use oauth::{Client, Code, OauthError, Scope, pkce};
use rusqlite::{Connection, OptionalExtension, params};
use vitals::{PatientId, ReceiveTime};

use super::tokens::{Life, issue, load};
use super::{ACCESS_US, CODE_US, Giving, GRANTS_MAX, GrantError, Tokens, OFFLINE_US, ONLINE_US};
use crate::database::IMMEDIATE;
use crate::{Guard, GuardError, secret};

/// What the application shows with a code.
pub struct Redeem<'a> {
    /// The code.
    pub code: &'a str,
    /// Where it was sent.
    pub redirect_uri: &'a str,
    /// What its challenge was made of.
    pub verifier: &'a str,
}

impl Guard {
    /// Keeps what a person gives, and answers the code for the application: good for a minute,
    /// once. What they gave is remembered, so that they are not asked for the same again.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn give(&self, giving: &Giving<'_>, now: ReceiveTime) -> Result<String, GrantError> {
        let people = self.people()?;
        let code = secret::token()?;
        people.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            tidy(&change, now)?;
            make_room(&change, &giving.account.name, &giving.asked.client)?;
            let grant = insert(&change, giving, now)?;
            let key = secret::fingerprint(code.as_bytes()).to_hex();
            let sql = "INSERT INTO oauth_code (code, grant_id, redirect_uri, challenge, nonce, expires_us)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let asked = giving.asked;
            let until = now.micros() + CODE_US;
            change.execute(
                sql,
                params![key.as_str(), grant, asked.redirect_uri, asked.challenge, asked.nonce, until],
            )?;
            let sql = "INSERT INTO oauth_consent (account, client, scopes, at_us) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO UPDATE SET scopes = excluded.scopes, at_us = excluded.at_us";
            let scopes = giving.scopes.to_string();
            change.execute(sql, params![giving.account.name, asked.client, scopes, now.micros()])?;
            Ok(change.commit()?)
        })?;
        Ok(code)
    }

    /// Gives the tokens of a code, once. A code that comes a second time, or with the wrong
    /// verifier, is in other hands: everything that came of it ends.
    ///
    /// # Errors
    /// [`GrantError::Refused`] with `invalid_grant`.
    pub fn redeem_code(
        &self,
        client: &Client,
        shown: &Redeem<'_>,
        now: ReceiveTime,
    ) -> Result<Tokens, GrantError> {
        let wrong = || GrantError::grant("the code is not valid: unknown, used, too old or another client's");
        let key = secret::fingerprint(shown.code.as_bytes()).to_hex();
        let people = self.people()?;
        let found = people.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let Some(found) = code_row(&change, key.as_str())? else { return Ok(None) };
            // Another client's code says nothing of whose it is.
            if found.client != client.id {
                return Ok(None);
            }
            let burnt = found.used || !pkce::proves(shown.verifier, &found.challenge);
            if burnt {
                change.execute("DELETE FROM oauth_grant WHERE id = ?1", [found.grant])?;
                change.commit()?;
                return Ok(None);
            }
            if found.expires <= now.micros() || found.redirect_uri != shown.redirect_uri {
                return Ok(None);
            }
            change.execute("UPDATE oauth_code SET used = 1 WHERE code = ?1", [key.as_str()])?;
            let Some(kept) = load(&change, found.grant)? else { return Ok(None) };
            let goes_on = kept.grant.scopes.all().iter().any(|s| matches!(s, Scope::Offline | Scope::Online));
            let life = Life { access: ACCESS_US, refresh: goes_on };
            let issued = issue(&change, &kept, kept.grant.scopes.clone(), life, now)?;
            change.commit()?;
            Ok(Some((kept, issued, found.nonce)))
        })?;
        let (kept, mut issued, nonce) = found.ok_or_else(wrong)?;
        issued.account = self.behind(&kept)?.ok_or_else(wrong)?;
        issued.nonce = nonce;
        Ok(issued)
    }

    /// Gives a backend service a token, as the service account that it acts for.
    ///
    /// # Errors
    /// [`GrantError::Refused`] when that account is gone.
    pub fn give_service(
        &self,
        client: &Client,
        scopes: &oauth::Scopes,
        now: ReceiveTime,
    ) -> Result<Tokens, GrantError> {
        let gone = || {
            GrantError::Refused(OauthError::new(Code::UnauthorizedClient, "the service account of this client is gone"))
        };
        let people = self.people()?;
        let name = client.account.as_deref().ok_or_else(gone)?;
        let account = people.database.named(name, crate::Kind::Service)?.ok_or_else(gone)?;
        let mut issued = people.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            tidy(&change, now)?;
            make_room(&change, &account.name, &client.id)?;
            let sql = "INSERT INTO oauth_grant (client, account, kind, scopes, strong, began_us, ends_us)
                       VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)";
            let until = now.micros() + super::SERVICE_US;
            change.execute(
                sql,
                params![client.id, account.name, account.kind.name(), scopes.to_string(), now.micros(), until],
            )?;
            let kept = load(&change, change.last_insert_rowid())?;
            let kept = kept.ok_or(GuardError::Unknown(account.name.clone()))?;
            let life = Life { access: super::SERVICE_US, refresh: false };
            let issued = issue(&change, &kept, scopes.clone(), life, now)?;
            change.commit()?;
            Ok(issued)
        })?;
        issued.account = account;
        Ok(issued)
    }
}

struct CodeRow {
    grant: i64,
    client: String,
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    expires: i64,
    used: bool,
}

fn code_row(connection: &Connection, key: &str) -> Result<Option<CodeRow>, GuardError> {
    let sql = "SELECT c.grant_id, g.client, c.redirect_uri, c.challenge, c.nonce, c.expires_us, c.used
               FROM oauth_code c JOIN oauth_grant g ON g.id = c.grant_id WHERE c.code = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(CodeRow {
            grant: row.get(0)?,
            client: row.get(1)?,
            redirect_uri: row.get(2)?,
            challenge: row.get(3)?,
            nonce: row.get(4)?,
            expires: row.get(5)?,
            used: row.get(6)?,
        })
    };
    Ok(connection.query_row(sql, [key], read).optional()?)
}

fn insert(connection: &Connection, giving: &Giving<'_>, now: ReceiveTime) -> Result<i64, GuardError> {
    // Without either, the grant lasts for its code and one access token.
    let (life, session) = if giving.scopes.has(&Scope::Offline) {
        (OFFLINE_US, None)
    } else if giving.scopes.has(&Scope::Online) {
        (ONLINE_US, Some(giving.session))
    } else {
        (CODE_US + ACCESS_US, None)
    };
    let sql = "INSERT INTO oauth_grant
               (client, account, kind, scopes, patient, encounter, session, strong, began_us, ends_us)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    connection.execute(
        sql,
        params![
            giving.asked.client,
            giving.account.name,
            giving.account.kind.name(),
            giving.scopes.to_string(),
            giving.context.patient.as_ref().map(PatientId::as_str),
            giving.context.encounter,
            session,
            giving.strong,
            now.micros(),
            now.micros() + life
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Forgets what is over.
fn tidy(connection: &Connection, now: ReceiveTime) -> Result<(), GuardError> {
    connection.execute("DELETE FROM oauth_grant WHERE ends_us <= ?1", [now.micros()])?;
    let sql = "DELETE FROM oauth_token WHERE kind = 'access' AND expires_us <= ?1";
    connection.execute(sql, [now.micros()])?;
    Ok(())
}

fn make_room(connection: &Connection, account: &str, client: &str) -> Result<(), GuardError> {
    let sql = "DELETE FROM oauth_grant WHERE account = ?1 AND client = ?2 AND id NOT IN
               (SELECT id FROM oauth_grant WHERE account = ?1 AND client = ?2 ORDER BY id DESC LIMIT ?3)";
    connection.execute(sql, params![account, client, GRANTS_MAX - 1])?;
    Ok(())
}
