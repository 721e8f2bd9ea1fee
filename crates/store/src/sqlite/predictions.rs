//! Predictions: written once, read, and removed when they are too old.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params};
use vitals::{EffectiveTime, PatientId, PredictionId, ReceiveTime};

use crate::sqlite::directory::{any_of, found};
use crate::sqlite::read_rows::within;
use crate::{Found, PredictionQuery, PredictionRow, StoreError};

const COLUMNS: &str = "journal_offset, order_index, patient, model, version, role, class, probability, \
                       at, made, inputs, body";

/// Writes rows. One that is there already stays as it was.
pub(super) fn write(db: &Transaction<'_>, rows: &[PredictionRow]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "insert or ignore into predictions (journal_offset, order_index, patient, model, version, role, class, \
         probability, at, made, inputs, body) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for row in rows {
        insert.execute(params![
            row.id.offset as i64,
            row.id.index,
            row.patient.as_str(),
            row.model,
            row.version,
            row.role,
            row.class,
            row.probability,
            row.at.0,
            row.made.0,
            row.inputs,
            row.body
        ])?;
    }
    Ok(())
}

/// Those that a query means.
pub(super) fn list(db: &Connection, query: &PredictionQuery) -> Result<Found<PredictionRow>, StoreError> {
    let mut text = String::from("from predictions where 1");
    let mut values: Vec<Value> = Vec::new();
    if !query.ids.is_empty() {
        let each: Vec<&str> = query.ids.iter().map(|_| "(?, ?)").collect();
        text.push_str(&format!(" and (journal_offset, order_index) in (values {})", each.join(", ")));
        for id in &query.ids {
            values.extend([Value::from(id.offset as i64), Value::from(i64::from(id.index))]);
        }
    }
    let patients: Vec<String> = query.patients.iter().map(ToString::to_string).collect();
    any_of(&mut text, &mut values, "patient", &patients);
    any_of(&mut text, &mut values, "model", &query.models);
    any_of(&mut text, &mut values, "class", &query.classes);
    if let Some(role) = &query.role {
        text.push_str(" and role = ?");
        values.push(role.clone().into());
    }
    within(&mut text, &mut values, "at", query.at);
    within(&mut text, &mut values, "made", query.made);
    let order = if query.oldest_first {
        "at, journal_offset, order_index"
    } else {
        "at desc, journal_offset desc, order_index desc"
    };
    found(db, (COLUMNS, &text, order), values, query.page, read)
}

fn read(row: &Row<'_>) -> Result<PredictionRow, StoreError> {
    let patient: String = row.get(2)?;
    Ok(PredictionRow {
        id: PredictionId { offset: row.get::<_, i64>(0)? as u64, index: row.get(1)? },
        patient: PatientId::new(&patient).map_err(|_| StoreError::Damaged { what: "a prediction" })?,
        model: row.get(3)?,
        version: row.get(4)?,
        role: row.get(5)?,
        class: row.get(6)?,
        probability: row.get(7)?,
        at: EffectiveTime(row.get(8)?),
        made: ReceiveTime(row.get(9)?),
        inputs: row.get(10)?,
        body: row.get(11)?,
    })
}
