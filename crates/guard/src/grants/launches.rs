//! What comes before a grant: the record system opens an application for a patient, and a person
//! is asked.

use rusqlite::{OptionalExtension, params};
use vitals::{PatientId, ReceiveTime};

use super::{GrantError, LAUNCH_US, PENDING_US};
use crate::{Account, Guard, GuardError, secret};

/// What an application is opened for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Which patient.
    pub patient: Option<PatientId>,
    /// Which encounter of theirs, by its id.
    pub encounter: Option<String>,
}

/// A request that a person was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// As it came, to be judged again.
    pub query: String,
}

impl Guard {
    /// Opens an application for a patient: the handle that it gives back within five minutes, once,
    /// and only when the same person is logged in.
    ///
    /// # Errors
    /// [`GrantError::Unknown`] for an application that is not there.
    pub fn begin_launch(
        &self,
        client: &str,
        account: &Account,
        context: &Context,
        now: ReceiveTime,
    ) -> Result<String, GrantError> {
        let people = self.people()?;
        let handle = secret::token()?;
        let key = secret::fingerprint(handle.as_bytes()).to_hex();
        let patient = context.patient.as_ref().map(PatientId::as_str);
        people.database.with(|connection| {
            connection.execute("DELETE FROM oauth_launch WHERE expires_us <= ?1", [now.micros()])?;
            let sql = "INSERT INTO oauth_launch (handle, client, account, patient, encounter, expires_us)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let until = now.micros() + LAUNCH_US;
            connection.execute(
                sql,
                params![key.as_str(), client, account.name, patient, context.encounter, until],
            )?;
            Ok(())
        })?;
        Ok(handle)
    }

    /// What a launch is for, if it waits for this application and person. `take`: it is used up.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn launch(
        &self,
        handle: &str,
        client: &str,
        account: &Account,
        take: bool,
        now: ReceiveTime,
    ) -> Result<Option<Context>, GrantError> {
        let key = secret::fingerprint(handle.as_bytes()).to_hex();
        let found = self.people()?.database.with(|connection| {
            let wanted = params![key.as_str(), client, account.name, now.micros()];
            let sql = "SELECT patient, encounter FROM oauth_launch
                       WHERE handle = ?1 AND client = ?2 AND account = ?3 COLLATE NOCASE AND expires_us > ?4";
            let found = connection
                .query_row(sql, wanted, |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
                .optional()?;
            // One connection, one lock: nobody else takes it in between.
            if take && found.is_some() {
                connection.execute("DELETE FROM oauth_launch WHERE handle = ?1", [key.as_str()])?;
            }
            Ok(found)
        })?;
        Ok(found.map(|(patient, encounter)| Context { patient: PatientId::new(&patient).ok(), encounter }))
    }

    /// Keeps a request that a person is asked about; the ticket says their answer is to this one.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn put_pending(&self, account: &Account, query: &str, now: ReceiveTime) -> Result<String, GrantError> {
        let ticket = secret::token()?;
        let key = secret::fingerprint(ticket.as_bytes()).to_hex();
        self.people()?.database.with(|connection| {
            // A person thinks about few at once; what is older than that is forgotten.
            let sql = "DELETE FROM oauth_pending WHERE expires_us <= ?1 OR account = ?2 AND rowid NOT IN
                       (SELECT rowid FROM oauth_pending WHERE account = ?2 ORDER BY expires_us DESC LIMIT 7)";
            connection.execute(sql, params![now.micros(), account.name])?;
            let sql = "INSERT INTO oauth_pending (ticket, account, query, expires_us) VALUES (?1, ?2, ?3, ?4)";
            connection.execute(sql, params![key.as_str(), account.name, query, now.micros() + PENDING_US])?;
            Ok(())
        })?;
        Ok(ticket)
    }

    /// Takes back what a ticket stands for, once.
    ///
    /// # Errors
    /// [`GrantError::Guard`] when the database fails.
    pub fn take_pending(
        &self,
        account: &Account,
        ticket: &str,
        now: ReceiveTime,
    ) -> Result<Option<Pending>, GrantError> {
        let key = secret::fingerprint(ticket.as_bytes()).to_hex();
        Ok(self.people()?.database.with(|connection| {
            let sql = "DELETE FROM oauth_pending
                       WHERE ticket = ?1 AND account = ?2 COLLATE NOCASE AND expires_us > ?3 RETURNING query";
            let wanted = params![key.as_str(), account.name, now.micros()];
            let found = connection.query_row(sql, wanted, |row| row.get(0)).optional();
            found.map(|query| query.map(|query| Pending { query })).map_err(GuardError::from)
        })?)
    }
}
