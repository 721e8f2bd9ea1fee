//! How long kinds of data are kept, and patients of whom nothing may go.

use rusqlite::params;
use vitals::{PatientId, ReceiveTime};

use super::new_id;
use crate::{Guard, GuardError};

/// Longest time that can be set, in days: two hundred years.
const DAYS_MAX: i64 = 73_000;
/// Shortest time that can be set, in days.
const DAYS_MIN: i64 = 1;

/// A kind of data that is kept for a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionKind {
    /// Numeric values and texts.
    Numerics,
    /// Samples.
    Waveforms,
    /// Alerts and their history.
    Alerts,
    /// Messages that could not be understood.
    Quarantine,
    /// The audit trail.
    Audit,
    /// Older versions of patients, encounters, places and devices.
    DirectoryHistory,
    /// Security events that somebody has taken.
    SecurityEvents,
    /// Messages as they came in: the journal.
    Messages,
}

impl RetentionKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Numerics,
        Self::Waveforms,
        Self::Alerts,
        Self::Quarantine,
        Self::Audit,
        Self::DirectoryHistory,
        Self::SecurityEvents,
        Self::Messages,
    ];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Numerics => "numerics",
            Self::Waveforms => "waveforms",
            Self::Alerts => "alerts",
            Self::Quarantine => "quarantine",
            Self::Audit => "audit",
            Self::DirectoryHistory => "directory-history",
            Self::SecurityEvents => "security-events",
            Self::Messages => "messages",
        }
    }

    /// Whether the platform removes this kind by age as it is set here. Messages are kept as the
    /// journal's configuration says.
    #[must_use]
    pub const fn is_enforced(self) -> bool {
        !matches!(self, Self::Messages)
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How long a kind is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// Which.
    pub kind: RetentionKind,
    /// In days; none: for ever.
    pub days: Option<u32>,
    /// Who set it.
    pub by: String,
    /// When.
    pub at: ReceiveTime,
}

/// Somebody wants nothing of a patient to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// Names it.
    pub id: String,
    /// Of whom.
    pub patient: PatientId,
    /// Why.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: ReceiveTime,
    /// Who ended it, when and why, if somebody did.
    pub released: Option<(String, ReceiveTime, String)>,
}

impl Guard {
    /// What was set here; a kind that is not in it is kept as the configuration says.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn retention(&self) -> Result<Vec<RetentionRule>, GuardError> {
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached("SELECT kind, days, by, at_us FROM retention_rule")?;
            let rows = query.query_map([], |row| {
                let (kind, days): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
                let kind = RetentionKind::from_name(&kind);
                let days = days.map(|days| u32::try_from(days.clamp(DAYS_MIN, DAYS_MAX)).unwrap_or(u32::MAX));
                let (by, at) = (row.get(2)?, ReceiveTime(row.get(3)?));
                Ok(kind.map(|kind| RetentionRule { kind, days, by, at }))
            })?;
            let mut rules: Vec<RetentionRule> = rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
            rules.sort_by_key(|rule| rule.kind);
            Ok(rules)
        })
    }

    /// Sets how long a kind is kept: 1 to 73,000 days, or for ever.
    ///
    /// # Errors
    /// [`GuardError::BadRetention`].
    pub fn set_retention(
        &self,
        kind: RetentionKind,
        days: Option<u32>,
        by: &str,
        now: ReceiveTime,
    ) -> Result<(), GuardError> {
        if days.is_some_and(|days| !(DAYS_MIN..=DAYS_MAX).contains(&i64::from(days))) {
            return Err(GuardError::BadRetention);
        }
        self.people()?.database.with(|connection| {
            let sql = "INSERT INTO retention_rule (kind, days, by, at_us) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (kind) DO UPDATE SET days = excluded.days, by = excluded.by,
                       at_us = excluded.at_us";
            connection.execute(sql, params![kind.name(), days, by, now.micros()])?;
            Ok(())
        })
    }

    /// Holds everything of a patient: nothing of it goes by age, and nobody erases it.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn hold_patient(
        &self,
        patient: &PatientId,
        reason: &str,
        by: &str,
        now: ReceiveTime,
    ) -> Result<LegalHold, GuardError> {
        let people = self.people()?;
        let hold = LegalHold {
            id: new_id('h')?,
            patient: patient.clone(),
            reason: reason.to_owned(),
            by: by.to_owned(),
            at: now,
            released: None,
        };
        people.database.with(|connection| {
            let sql = "INSERT INTO legal_hold (id, patient, reason, by, at_us) VALUES (?1, ?2, ?3, ?4, ?5)";
            connection.execute(sql, params![hold.id, patient.as_str(), reason, by, now.micros()])?;
            Ok(())
        })?;
        people.facts.read(&people.database, patient)?;
        Ok(hold)
    }

    /// Ends a legal hold; none when there is no such, or it ended before.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn release_patient(
        &self,
        id: &str,
        reason: &str,
        by: &str,
        now: ReceiveTime,
    ) -> Result<Option<LegalHold>, GuardError> {
        let people = self.people()?;
        let done = people.database.with(|connection| {
            let sql = "UPDATE legal_hold SET released_by = ?2, released_us = ?3, released_reason = ?4
                       WHERE id = ?1 AND released_us IS NULL";
            Ok(connection.execute(sql, params![id, by, now.micros(), reason])?)
        })?;
        if done == 0 {
            return Ok(None);
        }
        let hold = self.legal_holds(None)?.into_iter().find(|hold| hold.id == id);
        if let Some(hold) = &hold {
            people.facts.read(&people.database, &hold.patient)?;
        }
        Ok(hold)
    }

    /// Legal holds of a patient, or of all, also those that ended, the latest first.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn legal_holds(&self, patient: Option<&PatientId>) -> Result<Vec<LegalHold>, GuardError> {
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, patient, reason, by, at_us, released_by, released_us, released_reason
                 FROM legal_hold WHERE ?1 IS NULL OR patient = ?1 ORDER BY at_us DESC, id LIMIT 10000",
            )?;
            let rows = query.query_map([patient.map(PatientId::as_str)], |row| {
                let patient: String = row.get(1)?;
                let (by, at): (Option<String>, Option<i64>) = (row.get(5)?, row.get(6)?);
                let why = row.get::<_, Option<String>>(7)?.unwrap_or_default();
                let (id, reason) = (row.get(0)?, row.get(2)?);
                let (said_by, said_at) = (row.get(3)?, ReceiveTime(row.get(4)?));
                Ok(PatientId::new(&patient).ok().map(|patient| LegalHold {
                    id,
                    patient,
                    reason,
                    by: said_by,
                    at: said_at,
                    released: by.zip(at).map(|(by, at)| (by, ReceiveTime(at), why)),
                }))
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }
}
