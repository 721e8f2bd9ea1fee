//! Names that mean nothing: pseudonyms of a study and how far its times are moved. Both come from a
//! key that each study has of its own and that never leaves the guard, so that what two studies know
//! cannot be put together, and a pseudonym cannot be told from an id by trying.

use rusqlite::{OptionalExtension, params};
use vitals::PatientId;
use vitals::time::DAY;

use crate::{Guard, GuardError, secret};

/// Studies that have a key.
const STUDIES_MAX: i64 = 1_000;

/// A patient in a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym {
    /// Letter and 32 hexadecimal digits.
    pub name: String,
    /// Where the subject's first measurement stands within the first day of the moved times, in
    /// microseconds: nobody can tell at which time of the day it was.
    pub offset_us: i64,
}

impl Guard {
    /// The names of patients in a study, in the same order. The study's key is made when it is
    /// first asked for.
    ///
    /// # Errors
    /// [`GuardError::TooMany`]; [`GuardError`] when the database fails.
    pub fn pseudonyms(&self, study: &str, patients: &[PatientId]) -> Result<Vec<Pseudonym>, GuardError> {
        let key = self.study_key(study)?;
        Ok(patients.iter().map(|patient| pseudonym(&key, patient)).collect())
    }

    fn study_key(&self, study: &str) -> Result<[u8; 32], GuardError> {
        let fresh = secret::token()?;
        let hex = self.people()?.database.with(|connection| {
            let kept = "SELECT key FROM study_key WHERE study = ?1";
            let found = connection.query_row(kept, [study], |row| row.get::<_, String>(0)).optional()?;
            if found.is_some() {
                return Ok(found);
            }
            let count = connection.query_row("SELECT count(*) FROM study_key", [], |row| row.get::<_, i64>(0))?;
            if count >= STUDIES_MAX {
                return Err(GuardError::TooMany("studies"));
            }
            let sql = "INSERT INTO study_key (study, key) VALUES (?1, ?2) ON CONFLICT (study) DO NOTHING";
            connection.execute(sql, params![study, fresh])?;
            Ok(connection.query_row(kept, [study], |row| row.get::<_, String>(0)).optional()?)
        })?;
        let key = hex.and_then(|hex| blake3::Hash::from_hex(hex).ok());
        key.map(|key| *key.as_bytes()).ok_or_else(|| GuardError::Unknown("study".to_owned()))
    }
}

fn pseudonym(key: &[u8; 32], patient: &PatientId) -> Pseudonym {
    let hash = blake3::keyed_hash(key, patient.as_str().as_bytes());
    let bytes = hash.as_bytes();
    // The name is one half of the hash, the shift is of the other: one says nothing of the other.
    let shift = bytes[16..24].iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    let day = DAY.unsigned_abs();
    let offset_us = i64::try_from(shift % day).unwrap_or_default();
    Pseudonym { name: format!("s{}", &hash.to_hex()[..32]), offset_us }
}
