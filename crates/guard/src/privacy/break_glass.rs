//! Break-glass: somebody opens a patient in an emergency, says why, and others look at it
//! afterwards. An access ends by itself; nobody reviews their own.

use rusqlite::{OptionalExtension, Row, params};
use vitals::time::{DAY, MINUTE};
use vitals::{PatientId, ReceiveTime, Role};

use super::new_id;
use crate::{Account, Guard, GuardError};

/// Longest access, in minutes.
const MINUTES_MAX: u32 = 240;
/// Shortest and longest explanation, in characters.
const WORDS: std::ops::RangeInclusive<usize> = 10..=500;
/// What one account may open in a day: more than a shift of emergencies.
const A_DAY_MAX: i64 = 100;

/// Why a patient is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Life or limb is in danger now.
    Emergency,
    /// Covering for somebody of the care team.
    Cover,
    /// Asked by whoever treats the patient.
    Consult,
    /// A device or an alarm must be attended to at once.
    Alarm,
    /// Something else, which the words say.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Emergency, Self::Cover, Self::Consult, Self::Alarm, Self::Other];

    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Cover => "cover",
            Self::Consult => "consult",
            Self::Alarm => "alarm",
            Self::Other => "other",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What somebody says to open a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whom.
    pub patient: PatientId,
    /// The unit that the patient lies in; empty when it is not known.
    pub unit: String,
    /// Why.
    pub reason: Reason,
    /// Why, in words: 10 to 500 characters.
    pub words: String,
    /// For how long: 1 to 240.
    pub minutes: u32,
}

/// What a reviewer found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Whether it was justified.
    pub justified: bool,
    /// In words; at most 500 characters.
    pub note: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: ReceiveTime,
}

/// An emergency access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// Names it.
    pub id: String,
    /// Whose record.
    pub patient: PatientId,
    /// Who opened it.
    pub account: String,
    /// In which role.
    pub role: String,
    /// The patient's unit at that time; empty when it was not known.
    pub unit: String,
    /// Why.
    pub reason: String,
    /// Why, in words.
    pub words: String,
    /// When.
    pub began: ReceiveTime,
    /// Until when, at most.
    pub until: ReceiveTime,
    /// When it was ended before that.
    pub ended: Option<ReceiveTime>,
    /// What a reviewer found.
    pub review: Option<Review>,
}

impl BreakGlass {
    /// Whether it is open now.
    #[must_use]
    pub fn is_open(&self, now: ReceiveTime) -> bool {
        self.ended.is_none() && now < self.until
    }
}

impl Guard {
    /// Opens a patient for an account, at once. Whoever calls this has asked whether the account
    /// may, and keeps the record.
    ///
    /// # Errors
    /// [`GuardError::BadOpening`]; [`GuardError::TooMany`].
    pub fn open_patient(
        &self,
        account: &Account,
        opening: &Opening,
        now: ReceiveTime,
    ) -> Result<BreakGlass, GuardError> {
        if !WORDS.contains(&opening.words.trim().chars().count()) || !(1..=MINUTES_MAX).contains(&opening.minutes) {
            return Err(GuardError::BadOpening);
        }
        let people = self.people()?;
        let opened = BreakGlass {
            id: new_id('b')?,
            patient: opening.patient.clone(),
            account: account.name.clone(),
            role: account.role.name().to_owned(),
            unit: opening.unit.clone(),
            reason: opening.reason.name().to_owned(),
            words: opening.words.trim().to_owned(),
            began: now,
            until: now.plus(i64::from(opening.minutes) * MINUTE),
            ended: None,
            review: None,
        };
        people.database.with(|connection| {
            let sql = "SELECT count(*) FROM break_glass WHERE account = ?1 AND began_us > ?2";
            let since = now.plus(-DAY).micros();
            let today = connection.query_row(sql, params![account.name, since], |row| row.get::<_, i64>(0))?;
            if today >= A_DAY_MAX {
                return Err(GuardError::TooMany("emergency accesses in a day"));
            }
            let sql = "INSERT INTO break_glass (id, patient, account, role, unit, reason, words, began_us,
                       until_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
            connection.execute(
                sql,
                params![
                    opened.id,
                    opened.patient.as_str(),
                    opened.account,
                    opened.role,
                    opened.unit,
                    opened.reason,
                    opened.words,
                    opened.began.micros(),
                    opened.until.micros()
                ],
            )?;
            Ok(())
        })?;
        people.facts.read(&people.database, &opening.patient)?;
        // Without anybody who listens, the queue still has it.
        let _ = people.facts.opened.send(opened.clone());
        Ok(opened)
    }

    /// Ends an account's own emergency access; none when it is not theirs, or over already.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn close_patient(
        &self,
        account: &str,
        id: &str,
        now: ReceiveTime,
    ) -> Result<Option<BreakGlass>, GuardError> {
        let people = self.people()?;
        let closed = people.database.with(|connection| {
            let sql = "UPDATE break_glass SET ended_us = ?3
                       WHERE id = ?1 AND account = ?2 AND ended_us IS NULL AND until_us > ?3";
            if connection.execute(sql, params![id, account, now.micros()])? == 0 {
                return Ok(None);
            }
            one(connection, id)
        })?;
        if let Some(closed) = &closed {
            people.facts.read(&people.database, &closed.patient)?;
        }
        Ok(closed)
    }

    /// One emergency access.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn emergency(&self, id: &str) -> Result<Option<BreakGlass>, GuardError> {
        self.people()?.database.with(|connection| one(connection, id))
    }

    /// Emergency accesses since a time of which the receivers of notifications were not told yet, the
    /// first one first: what a crash came between, too.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn emergencies_untold(&self, since: ReceiveTime) -> Result<Vec<BreakGlass>, GuardError> {
        self.people()?.database.with(|connection| {
            let sql = format!(
                "{COLUMNS} WHERE began_us >= ?1 AND id NOT IN (SELECT id FROM break_glass_told)
                 ORDER BY began_us, id LIMIT 1000"
            );
            let mut query = connection.prepare_cached(&sql)?;
            let rows = query.query_map([since.micros()], row)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// The notifications of these are safely on their way; older marks than `since` are forgotten.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails; then they are told again.
    pub fn emergencies_told(&self, told: &[BreakGlass], since: ReceiveTime) -> Result<(), GuardError> {
        self.people()?.database.with(|connection| {
            let change = connection.transaction()?;
            for access in told {
                change.execute("INSERT OR IGNORE INTO break_glass_told (id) VALUES (?1)", [&access.id])?;
            }
            change.execute(
                "DELETE FROM break_glass_told WHERE id IN (SELECT id FROM break_glass WHERE began_us < ?1)",
                [since.micros()],
            )?;
            Ok(change.commit()?)
        })
    }

    /// Emergency accesses that began at or after a time, the latest first; at most so many.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn emergencies(&self, since: ReceiveTime, limit: usize) -> Result<Vec<BreakGlass>, GuardError> {
        self.people()?.database.with(|connection| {
            let sql = format!("{COLUMNS} WHERE began_us >= ?1 ORDER BY began_us DESC, id LIMIT ?2");
            let mut query = connection.prepare_cached(&sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map(params![since.micros(), limit], row)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// Reviews an emergency access; a later review takes the place of one before.
    ///
    /// # Errors
    /// [`GuardError::OwnReview`]; [`GuardError::Unknown`].
    pub fn review_emergency(
        &self,
        reviewer: &Account,
        id: &str,
        justified: bool,
        note: &str,
        now: ReceiveTime,
    ) -> Result<BreakGlass, GuardError> {
        self.people()?.database.with(|connection| {
            let found = one(connection, id)?.ok_or_else(|| GuardError::Unknown(id.to_owned()))?;
            if found.account.eq_ignore_ascii_case(&reviewer.name) {
                return Err(GuardError::OwnReview);
            }
            let outcome = if justified { "justified" } else { "not-justified" };
            let sql = "UPDATE break_glass SET outcome = ?2, note = ?3, reviewer = ?4, reviewed_us = ?5
                       WHERE id = ?1";
            connection.execute(sql, params![id, outcome, note, reviewer.name, now.micros()])?;
            one(connection, id)?.ok_or_else(|| GuardError::Unknown(id.to_owned()))
        })
    }

    /// Whether a role may be told of emergency accesses in a unit: charge nurses of the unit (of
    /// every unit when it is not known), security officers of all.
    #[must_use]
    pub fn hears_of_emergency(account: &Account, unit: &str) -> bool {
        match account.role {
            Role::SecurityOfficer => true,
            Role::ChargeNurse => unit.is_empty() || account.units.hold(Some(unit)),
            _ => false,
        }
    }
}

const COLUMNS: &str = "SELECT id, patient, account, role, unit, reason, words, began_us, until_us, ended_us,
                       outcome, note, reviewer, reviewed_us FROM break_glass";

fn one(db: &rusqlite::Connection, id: &str) -> Result<Option<BreakGlass>, GuardError> {
    let found = db.query_row(&format!("{COLUMNS} WHERE id = ?1"), [id], row).optional()?;
    Ok(found.flatten())
}

fn row(row: &Row<'_>) -> rusqlite::Result<Option<BreakGlass>> {
    let patient: String = row.get(1)?;
    let Ok(patient) = PatientId::new(&patient) else { return Ok(None) };
    let outcome: Option<String> = row.get(10)?;
    let review = match outcome {
        Some(outcome) => Some(Review {
            justified: outcome == "justified",
            note: row.get::<_, Option<String>>(11)?.unwrap_or_default(),
            by: row.get::<_, Option<String>>(12)?.unwrap_or_default(),
            at: ReceiveTime(row.get::<_, Option<i64>>(13)?.unwrap_or_default()),
        }),
        None => None,
    };
    Ok(Some(BreakGlass {
        id: row.get(0)?,
        patient,
        account: row.get(2)?,
        role: row.get(3)?,
        unit: row.get(4)?,
        reason: row.get(5)?,
        words: row.get(6)?,
        began: ReceiveTime(row.get(7)?),
        until: ReceiveTime(row.get(8)?),
        ended: row.get::<_, Option<i64>>(9)?.map(ReceiveTime),
        review,
    }))
}
