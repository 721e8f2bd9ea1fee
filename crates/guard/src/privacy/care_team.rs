//! Care teams: which accounts care for a patient, in which role and when.

use rusqlite::params;
use vitals::{PatientId, ReceiveTime};

use super::Span;
use super::consents::{Document, put_document};
use crate::{Guard, GuardError};

/// Members of one patient's care team.
const MEMBERS_MAX: i64 = 500;

/// One of a care team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Account name.
    pub account: String,
    /// In the team, in plain words: `attending`, `primary nurse`.
    pub role: String,
    /// Id of the `CareTeam` that says so; empty: put in one by one.
    pub team: String,
    /// When.
    pub period: Span,
}

impl Guard {
    /// A patient's care team, also those whose time is over or to come, by account.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn care_team(&self, patient: &PatientId) -> Result<Vec<Member>, GuardError> {
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT account, role, team, from_us, until_us FROM care_team_member
                 WHERE patient = ?1 ORDER BY account, team",
            )?;
            let rows = query.query_map([patient.as_str()], |row| {
                Ok(Member {
                    account: row.get(0)?,
                    role: row.get(1)?,
                    team: row.get(2)?,
                    period: Span { from_us: row.get(3)?, until_us: row.get(4)? },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Puts an account into a care team, or changes what was said of it.
    ///
    /// # Errors
    /// [`GuardError::Unknown`] when there is no such account; [`GuardError::TooMany`].
    pub fn put_team_member(&self, patient: &PatientId, member: &Member) -> Result<(), GuardError> {
        let people = self.people()?;
        people.database.with(|connection| {
            let change = connection.transaction()?;
            insert(&change, patient, member)?;
            Ok(change.commit()?)
        })?;
        people.facts.read(&people.database, patient)
    }

    /// Takes an account out of a care team; whether it was in it.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn remove_team_member(&self, patient: &PatientId, account: &str) -> Result<bool, GuardError> {
        let people = self.people()?;
        let removed = people.database.with(|connection| {
            let sql = "DELETE FROM care_team_member WHERE patient = ?1 AND account = ?2";
            Ok(connection.execute(sql, params![patient.as_str(), account])?)
        })?;
        people.facts.read(&people.database, patient)?;
        Ok(removed > 0)
    }

    /// Keeps a `CareTeam` document, and its members in place of those it had before. Its version.
    ///
    /// # Errors
    /// As [`Guard::put_team_member`].
    pub fn put_care_team(
        &self,
        document: &Document,
        members: &[Member],
        by: &str,
        now: ReceiveTime,
    ) -> Result<i64, GuardError> {
        let people = self.people()?;
        let mut before = None;
        let version = people.database.with(|connection| {
            let change = connection.transaction()?;
            let sql = "SELECT patient FROM care_team_member WHERE team = ?1 LIMIT 1";
            let mut query = change.prepare_cached(sql)?;
            let mut rows = query.query([&document.id])?;
            if let Some(row) = rows.next()? {
                before = PatientId::new(&row.get::<_, String>(0)?).ok();
            }
            drop(rows);
            drop(query);
            change.execute("DELETE FROM care_team_member WHERE team = ?1", [&document.id])?;
            for member in members {
                insert(&change, &document.patient, &Member { team: document.id.clone(), ..member.clone() })?;
            }
            let version = put_document(&change, document, by, now)?;
            change.commit()?;
            Ok(version)
        })?;
        if let Some(before) = before.filter(|before| *before != document.patient) {
            people.facts.read(&people.database, &before)?;
        }
        people.facts.read(&people.database, &document.patient)?;
        Ok(version)
    }
}

fn insert(db: &rusqlite::Connection, patient: &PatientId, member: &Member) -> Result<(), GuardError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE name = ?1)";
    if !db.query_row(sql, [&member.account], |row| row.get::<_, bool>(0))? {
        return Err(GuardError::Unknown(member.account.clone()));
    }
    let sql = "SELECT count(*) FROM care_team_member WHERE patient = ?1";
    if db.query_row(sql, [patient.as_str()], |row| row.get::<_, i64>(0))? >= MEMBERS_MAX {
        return Err(GuardError::TooMany("members of a care team"));
    }
    let sql = "INSERT INTO care_team_member (patient, account, role, team, from_us, until_us)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (patient, account, team) DO UPDATE SET role = excluded.role,
                   from_us = excluded.from_us, until_us = excluded.until_us";
    let period = member.period;
    let account = &member.account;
    db.execute(sql, params![patient.as_str(), account, member.role, member.team, period.from_us, period.until_us])?;
    Ok(())
}
