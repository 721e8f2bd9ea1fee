//! Documents of this part as they came in (FHIR `Consent`, `CareTeam`, and `DeviceRequest`), every version, beside
//! the rules that were made of them. What they say in FHIR is known to whoever hands them over.

use rusqlite::{OptionalExtension, Row, params};
use vitals::{PatientId, ReceiveTime};

use super::{Provision, new_id};
use crate::{Guard, GuardError};

/// Versions of one document that are kept.
const VERSIONS_MAX: i64 = 10_000;

/// What kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// FHIR `Consent`.
    Consent,
    /// FHIR `CareTeam`.
    CareTeam,
    /// FHIR `DeviceRequest`: an order, which decides about no access.
    DeviceRequest,
}

impl DocumentKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::CareTeam => "care-team",
            Self::DeviceRequest => "device-request",
        }
    }
}

/// A document to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its kind.
    pub kind: DocumentKind,
    /// Its id; [`Guard::new_document_id`] makes one.
    pub id: String,
    /// Whose.
    pub patient: PatientId,
    /// FHIR status; a consent is in force while it is `active`.
    pub status: String,
    /// FHIR JSON.
    pub json: String,
    /// A consent's rules.
    pub rules: Option<Provision>,
}

/// A document as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRow {
    /// Its id.
    pub id: String,
    /// Its version, 1 for the first.
    pub version: i64,
    /// Whose.
    pub patient: PatientId,
    /// FHIR status.
    pub status: String,
    /// FHIR JSON.
    pub json: String,
    /// Account that wrote this version.
    pub by: String,
    /// When.
    pub updated: ReceiveTime,
}

impl Guard {
    /// An id for a new document.
    ///
    /// # Errors
    /// [`GuardError::Random`].
    pub fn new_document_id(&self) -> Result<String, GuardError> {
        new_id('c')
    }

    /// Keeps a consent, or a new version of one; it holds before this returns. Its version.
    ///
    /// # Errors
    /// [`GuardError::OtherPatient`] when the id is another patient's.
    pub fn put_consent(&self, document: &Document, by: &str, now: ReceiveTime) -> Result<i64, GuardError> {
        let people = self.people()?;
        let version = people.database.with(|connection| {
            let change = connection.transaction()?;
            let version = put_document(&change, document, by, now)?;
            change.commit()?;
            Ok(version)
        })?;
        people.facts.read(&people.database, &document.patient)?;
        Ok(version)
    }

    /// Keeps an order for a device, or a new version of one. Its version.
    ///
    /// # Errors
    /// [`GuardError::OtherPatient`] when the id is another patient's.
    pub fn put_order(&self, document: &Document, by: &str, now: ReceiveTime) -> Result<i64, GuardError> {
        self.people()?.database.with(|connection| {
            let change = connection.transaction()?;
            let version = put_document(&change, document, by, now)?;
            change.commit()?;
            Ok(version)
        })
    }

    /// The newest version of a document.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn document(&self, kind: DocumentKind, id: &str) -> Result<Option<ConsentRow>, GuardError> {
        Ok(self.document_versions(kind, id)?.into_iter().next())
    }

    /// Every version of a document, the newest first.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn document_versions(&self, kind: DocumentKind, id: &str) -> Result<Vec<ConsentRow>, GuardError> {
        self.people()?.database.with(|connection| {
            let sql = format!("{COLUMNS} WHERE kind = ?1 AND id = ?2 ORDER BY version DESC LIMIT 100");
            let mut query = connection.prepare_cached(&sql)?;
            let rows = query.query_map(params![kind.name(), id], row)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// The newest version of every document of a patient, or of all patients, the latest changed
    /// first; at most so many.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn documents(
        &self,
        kind: DocumentKind,
        patient: Option<&PatientId>,
        limit: usize,
    ) -> Result<Vec<ConsentRow>, GuardError> {
        self.people()?.database.with(|connection| {
            let sql = format!(
                "{COLUMNS} AS d WHERE kind = ?1 AND (?2 IS NULL OR patient = ?2) AND version =
                 (SELECT max(version) FROM privacy_document WHERE kind = ?1 AND id = d.id)
                 ORDER BY updated_us DESC, id LIMIT ?3"
            );
            let mut query = connection.prepare_cached(&sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = query.query_map(params![kind.name(), patient.map(PatientId::as_str), limit], row)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
    }

    /// Removes everything that this part knows of a patient: consents, care teams, caregivers.
    /// What was opened in an emergency stays, for it says what staff did. For erasure.
    ///
    /// # Errors
    /// [`GuardError::Held`] under a legal hold.
    pub fn forget_patient(&self, patient: &PatientId) -> Result<(), GuardError> {
        let people = self.people()?;
        if self.patient_facts(patient).held {
            return Err(GuardError::Held);
        }
        people.database.with(|connection| {
            let change = connection.transaction()?;
            for table in ["care_team_member", "caregiver", "privacy_document"] {
                change.execute(&format!("DELETE FROM {table} WHERE patient = ?1"), [patient.as_str()])?;
            }
            change.execute("UPDATE break_glass SET words = '', note = NULL WHERE patient = ?1", [patient.as_str()])?;
            Ok(change.commit()?)
        })?;
        people.facts.read(&people.database, patient)
    }
}

const COLUMNS: &str =
    "SELECT id, version, patient, status, document, by, updated_us FROM privacy_document";

fn row(row: &Row<'_>) -> rusqlite::Result<Option<ConsentRow>> {
    let patient: String = row.get(2)?;
    let Ok(patient) = PatientId::new(&patient) else { return Ok(None) };
    Ok(Some(ConsentRow {
        id: row.get(0)?,
        version: row.get(1)?,
        patient,
        status: row.get(3)?,
        json: row.get(4)?,
        by: row.get(5)?,
        updated: ReceiveTime(row.get(6)?),
    }))
}

/// Writes the next version of a document.
pub(super) fn put_document(
    db: &rusqlite::Connection,
    document: &Document,
    by: &str,
    now: ReceiveTime,
) -> Result<i64, GuardError> {
    let sql = "SELECT version, patient FROM privacy_document WHERE kind = ?1 AND id = ?2
               ORDER BY version DESC LIMIT 1";
    let kind = document.kind.name();
    let found = db
        .query_row(sql, params![kind, document.id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
        .optional()?;
    let version = match found {
        Some((_, patient)) if patient != document.patient.as_str() => return Err(GuardError::OtherPatient),
        Some((version, _)) if version >= VERSIONS_MAX => return Err(GuardError::TooMany("versions of a document")),
        Some((version, _)) => version + 1,
        None => 1,
    };
    let rules = match &document.rules {
        Some(rules) => serde_json::to_string(rules).map_err(|_| GuardError::TooMany("rules of a consent"))?,
        None => String::new(),
    };
    let sql = "INSERT INTO privacy_document (kind, id, version, patient, status, document, rules, by,
               updated_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let patient = document.patient.as_str();
    db.execute(
        sql,
        params![kind, document.id, version, patient, document.status, document.json, rules, by, now.micros()],
    )?;
    Ok(version)
}
