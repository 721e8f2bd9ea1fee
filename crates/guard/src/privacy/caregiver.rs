//! Caregivers: whom a patient lets see some of the own record, for some time. An invitation is a
//! code that is shown once and used once; whoever logs in with an account of the role `caregiver`
//! and brings it is one from then on, until the time is over or the patient dismisses them.

use rusqlite::{OptionalExtension, Row, params};
use vitals::time::DAY;
use vitals::{PatientId, ReceiveTime, Role};

use super::{Categories, Span, new_id};
use crate::{Account, Guard, GuardError, secret};

/// How long an invitation can be used, in microseconds.
const INVITED_FOR: i64 = 7 * DAY;
/// Caregivers and invitations of one patient.
const CAREGIVERS_MAX: i64 = 50;

/// A caregiver, or an invitation that nobody used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caregiver {
    /// Names it.
    pub id: String,
    /// Of whom.
    pub patient: PatientId,
    /// Account; none while the invitation is open.
    pub account: Option<String>,
    /// How the patient calls them.
    pub label: String,
    /// What they may see.
    pub categories: Categories,
    /// When.
    pub period: Span,
    /// When the patient invited them.
    pub invited: ReceiveTime,
    /// Until when the invitation can be used.
    pub expires: ReceiveTime,
}

/// What an invitation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// How the patient calls them; 1 to 100 characters.
    pub label: String,
    /// What they may see.
    pub categories: Categories,
    /// When.
    pub period: Span,
}

impl Guard {
    /// Invites a caregiver: the invitation's id and its code, to be shown once.
    ///
    /// # Errors
    /// [`GuardError::TooMany`]; [`GuardError`] when the database fails.
    pub fn invite_caregiver(
        &self,
        patient: &PatientId,
        invitation: &Invitation,
        now: ReceiveTime,
    ) -> Result<(String, String), GuardError> {
        let (id, code) = (new_id('g')?, secret::setup_code()?);
        let key = secret::fingerprint(secret::typed_code(&code).as_bytes()).to_hex();
        self.people()?.database.with(|connection| {
            let sql = "SELECT count(*) FROM caregiver WHERE patient = ?1";
            if connection.query_row(sql, [patient.as_str()], |row| row.get::<_, i64>(0))? >= CAREGIVERS_MAX {
                return Err(GuardError::TooMany("caregivers"));
            }
            let sql = "INSERT INTO caregiver (id, patient, account, code, label, categories, from_us,
                       until_us, invited_us, expires_us) VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            let period = invitation.period;
            connection.execute(
                sql,
                params![
                    id,
                    patient.as_str(),
                    key.as_str(),
                    invitation.label,
                    invitation.categories.bits(),
                    period.from_us,
                    period.until_us,
                    now.micros(),
                    now.plus(INVITED_FOR).micros()
                ],
            )?;
            Ok(())
        })?;
        Ok((id, code))
    }

    /// Uses an invitation: whose caregiver the account is from now on.
    ///
    /// # Errors
    /// [`GuardError::BadInvitation`] when the code is wrong, used or too old, or the account is no
    /// caregiver's.
    pub fn accept_invitation(
        &self,
        account: &Account,
        code: &str,
        now: ReceiveTime,
    ) -> Result<PatientId, GuardError> {
        if account.role != Role::Caregiver {
            return Err(GuardError::BadInvitation);
        }
        let people = self.people()?;
        let key = secret::fingerprint(secret::typed_code(code).as_bytes()).to_hex();
        let patient = people.database.with(|connection| {
            let sql = "UPDATE caregiver SET account = ?1, code = NULL
                       WHERE code = ?2 AND expires_us > ?3 RETURNING patient";
            let values = params![account.name, key.as_str(), now.micros()];
            Ok(connection.query_row(sql, values, |row| row.get::<_, String>(0)).optional()?)
        })?;
        let patient = patient.and_then(|id| PatientId::new(&id).ok()).ok_or(GuardError::BadInvitation)?;
        people.facts.read(&people.database, &patient)?;
        Ok(patient)
    }

    /// A patient's caregivers and open invitations, the oldest first.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn caregivers(&self, patient: &PatientId) -> Result<Vec<Caregiver>, GuardError> {
        self.people()?.database.with(|connection| {
            let sql = format!("{COLUMNS} WHERE patient = ?1 ORDER BY invited_us, id");
            let mut query = connection.prepare_cached(&sql)?;
            let rows = query.query_map([patient.as_str()], caregiver)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// For whom an account cares now.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn cares_for(&self, account: &str, now: ReceiveTime) -> Result<Vec<Caregiver>, GuardError> {
        self.people()?.database.with(|connection| {
            let sql = format!("{COLUMNS} WHERE account = ?1 ORDER BY invited_us, id");
            let mut query = connection.prepare_cached(&sql)?;
            let rows = query.query_map([account], caregiver)?;
            let all = rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten();
            Ok(all.filter(|one| one.period.has(now.micros())).collect())
        })
    }

    /// Dismisses a caregiver or takes an invitation back, at once; whether there was one.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn dismiss_caregiver(&self, patient: &PatientId, id: &str) -> Result<bool, GuardError> {
        let people = self.people()?;
        let removed = people.database.with(|connection| {
            let sql = "DELETE FROM caregiver WHERE patient = ?1 AND id = ?2";
            Ok(connection.execute(sql, params![patient.as_str(), id])?)
        })?;
        people.facts.read(&people.database, patient)?;
        Ok(removed > 0)
    }
}

const COLUMNS: &str = "SELECT id, patient, account, label, categories, from_us, until_us, invited_us,
                       expires_us FROM caregiver";

fn caregiver(row: &Row<'_>) -> rusqlite::Result<Option<Caregiver>> {
    let patient: String = row.get(1)?;
    let Ok(patient) = PatientId::new(&patient) else { return Ok(None) };
    Ok(Some(Caregiver {
        id: row.get(0)?,
        patient,
        account: row.get(2)?,
        label: row.get(3)?,
        categories: Categories::from_bits(row.get(4)?),
        period: Span { from_us: row.get(5)?, until_us: row.get(6)? },
        invited: ReceiveTime(row.get(7)?),
        expires: ReceiveTime(row.get(8)?),
    }))
}
