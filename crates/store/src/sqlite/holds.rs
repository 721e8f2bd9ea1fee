//! Holds: stretches of time that are kept for ever.

use rusqlite::{Connection, Transaction, params};
use vitals::{DeviceId, EffectiveTime, Hold, Offset, PatientId, ReceiveTime};

use crate::sqlite::expire::records;
use crate::{Held, StoreError};

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

/// What is held at the moment: whose, and which devices were on them then.
pub(super) fn held(db: &Connection) -> Result<Vec<Held>, StoreError> {
    let damaged = |_| StoreError::Damaged { what: "a hold" };
    let mut ask = db.prepare_cached("select patient, from_time, to_time from holds where released_at is null")?;
    let found: Vec<(String, i64, i64)> =
        ask.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    let mut on = db.prepare_cached(
        "select distinct device from associations \
         where patient = ?1 and start < ?3 and (until is null or until >= ?2)",
    )?;
    let mut all = Vec::new();
    for (patient, from, to) in found {
        let (mut kept, mut devices) = (Vec::new(), Vec::new());
        for record in records(db, &patient)? {
            for device in on.query_map(params![record, from, to], |row| row.get::<_, String>(0))? {
                devices.push(DeviceId::new(&device?).map_err(damaged)?);
            }
            kept.push(PatientId::new(&record).map_err(damaged)?);
        }
        devices.sort();
        devices.dedup();
        all.push(Held { records: kept, devices, from: EffectiveTime(from), to: EffectiveTime(to) });
    }
    Ok(all)
}
