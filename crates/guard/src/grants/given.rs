//! What a person gave to applications: seen, remembered, taken back.

use oauth::Scopes;
use rusqlite::{OptionalExtension, params};
use vitals::ReceiveTime;

use super::GrantError;
use super::clients::client_row;
use crate::{Account, Guard, GuardError};

/// An application that a person let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its id.
    pub client: String,
    /// Its name.
    pub name: String,
    /// What it was given last.
    pub scopes: Scopes,
    /// When that was.
    pub at: ReceiveTime,
    /// Whether it holds anything that still works.
    pub active: bool,
}

/// What applications know an account by: as good as its name to tell people apart, and fit to be
/// the id of a FHIR resource.
#[must_use]
pub fn person_id(name: &str) -> String {
    format!("a-{}", &blake3::hash(name.to_lowercase().as_bytes()).to_hex()[..16])
}

impl Guard {
    /// What a person gave to an application before; nothing when they did not, or took it back.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn remembered(&self, account: &Account, client: &str) -> Result<Scopes, GrantError> {
        let found = self.people()?.database.with(|connection| {
            let sql = "SELECT scopes FROM oauth_consent WHERE account = ?1 AND client = ?2";
            let found = connection.query_row(sql, [account.name.as_str(), client], |row| row.get::<_, String>(0));
            found.optional().map_err(GuardError::from)
        })?;
        Ok(found.and_then(|text| Scopes::parse(&text).ok()).unwrap_or_default())
    }

    /// Every application that a person let in.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn given(&self, account: &Account, now: ReceiveTime) -> Result<Vec<Given>, GrantError> {
        Ok(self.people()?.database.with(|connection| {
            let sql = "SELECT client, scopes, at_us, EXISTS (SELECT 1 FROM oauth_grant g
                       WHERE g.account = c.account AND g.client = c.client AND g.ends_us > ?2)
                       FROM oauth_consent c WHERE account = ?1 ORDER BY client";
            let mut query = connection.prepare_cached(sql)?;
            let read = |row: &rusqlite::Row<'_>| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get(3)?))
            };
            let rows = query.query_map(params![account.name, now.micros()], read)?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let mut all = Vec::new();
            for (client, scopes, at, active) in rows {
                let Some((found, _)) = client_row(connection, &client)? else { continue };
                all.push(Given {
                    client,
                    name: found.name,
                    scopes: Scopes::parse(&scopes).unwrap_or_default(),
                    at: ReceiveTime(at),
                    active,
                });
            }
            Ok(all)
        })?)
    }

    /// Takes back everything that a person gave to an application: its tokens end at once. False
    /// when there was nothing.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn take_back(&self, account: &Account, client: &str) -> Result<bool, GrantError> {
        let people = self.people()?;
        let ended = people.database.with(|connection| {
            let who = [account.name.as_str(), client];
            let grants = connection.execute("DELETE FROM oauth_grant WHERE account = ?1 AND client = ?2", who)?;
            let sql = "DELETE FROM oauth_consent WHERE account = ?1 AND client = ?2";
            Ok(grants + connection.execute(sql, who)? > 0)
        })?;
        if ended {
            people.database.changed();
        }
        Ok(ended)
    }
}
