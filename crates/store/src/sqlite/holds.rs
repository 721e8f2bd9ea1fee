//! Holds: stretches of time that are kept for ever.

use rusqlite::{Connection, Transaction, params};
use vitals::{EffectiveTime, Hold, Offset, PatientId, ReceiveTime};

use crate::StoreError;

/// Writes holds that began and ends those that ended.
pub(super) fn write(
    db: &Transaction<'_>,
    holds: &[Hold],
    released: &[(Offset, String, ReceiveTime)],
) -> Result<(), StoreError> {
    for hold in holds {
        db.prepare_cached(
            "insert or ignore into holds (id, patient, from_time, to_time, reason, by, at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            hold.id as i64,
            hold.patient.as_str(),
            hold.from.0,
            hold.to.0,
            hold.reason,
            hold.by,
            hold.at.0
        ])?;
    }
    for (id, by, at) in released {
        db.prepare_cached(
            "update holds set released_by = ?2, released_at = ?3 where id = ?1 and released_at is null",
        )?
        .execute(params![*id as i64, by, at.0])?;
    }
    Ok(())
}

/// The holds of these records, also those that ended, by their first time.
pub(super) fn of(db: &Connection, patients: &[PatientId]) -> Result<Vec<Hold>, StoreError> {
    let damaged = |_| StoreError::Damaged { what: "a hold" };
    let mut ask = db.prepare_cached(
        "select id, patient, from_time, to_time, reason, by, at, released_by, released_at \
         from holds where patient = ?1",
    )?;
    let mut found = Vec::new();
    for patient in patients {
        let mut rows = ask.query([patient.as_str()])?;
        while let Some(row) = rows.next()? {
            let (by, at): (Option<String>, Option<i64>) = (row.get(7)?, row.get(8)?);
            let patient: String = row.get(1)?;
            found.push(Hold {
                id: row.get::<_, i64>(0)? as Offset,
                patient: PatientId::new(&patient).map_err(damaged)?,
                from: EffectiveTime(row.get(2)?),
                to: EffectiveTime(row.get(3)?),
                reason: row.get(4)?,
                by: row.get(5)?,
                at: ReceiveTime(row.get(6)?),
                released: by.zip(at.map(ReceiveTime)),
            });
        }
    }
    found.sort_by_key(|hold| (hold.from, hold.id));
    Ok(found)
}
