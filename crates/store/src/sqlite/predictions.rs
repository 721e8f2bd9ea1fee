//! Predictions: written once, read, and removed when they are too old.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use vitals::{EffectiveTime, PatientId, PredictionId, ReceiveTime};

use crate::sqlite::directory::{any_of, found};
use crate::sqlite::read_rows::within;
use crate::{Found, PredictionQuery, PredictionRow, RiskRow, Span, StoreError};

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

/// What one version of a model said after this one, in the order of the journal. The plus signs keep to the primary key,
/// in whose order it is read.
pub(super) fn after(
    db: &Connection,
    (model, version): (&str, &str),
    after: Option<PredictionId>,
    limit: u64,
) -> Result<Vec<PredictionRow>, StoreError> {
    // Whoever never spoke is not looked for through all that others said.
    let mut any = db.prepare_cached("select 1 from predictions where model = ?1 and version = ?2 limit 1")?;
    if !any.exists([model, version])? {
        return Ok(Vec::new());
    }
    let (offset, index) = after.map_or((-1, 0), |id| (id.offset as i64, id.index));
    let text = format!(
        "select {COLUMNS} from predictions where (journal_offset, order_index) > (?1, ?2) and +model = ?3 and \
         +version = ?4 order by journal_offset, order_index limit ?5"
    );
    let mut ask = db.prepare_cached(&text)?;
    let mut found = ask.query(params![offset, index, model, version, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(read(row)?);
    }
    Ok(rows)
}

/// When a model first judged a patient within a span of the patient's clock. The plus sign keeps to the patient's index, in
/// whose order it is read.
pub(super) fn first_judged(
    db: &Connection,
    patient: &PatientId,
    model: &str,
    at: Span,
) -> Result<Option<EffectiveTime>, StoreError> {
    let mut ask = db.prepare_cached(
        "select at from predictions where patient = ?1 and at >= ?2 and at < ?3 and +model = ?4 and \
         class <> 'abstained' order by at limit 1",
    )?;
    let (from, to) = (at.from.unwrap_or(i64::MIN), at.to.unwrap_or(i64::MAX));
    let first = ask.query_row(params![patient.as_str(), from, to, model], |row| row.get(0)).optional()?;
    Ok(first.map(EffectiveTime))
}

/// The newest of what one version of a model said within a span of our clock, without inputs.
pub(super) fn risks(
    db: &Connection,
    (model, version): (&str, &str),
    made: Span,
    limit: u64,
) -> Result<Vec<RiskRow>, StoreError> {
    let mut ask = db.prepare_cached(
        "select patient, class, probability, at from predictions where model = ?1 and version = ?2 and \
         made >= ?3 and made < ?4 order by made desc, journal_offset desc, order_index desc limit ?5",
    )?;
    let (from, to) = (made.from.unwrap_or(i64::MIN), made.to.unwrap_or(i64::MAX));
    let mut found = ask.query(params![model, version, from, to, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let patient: String = row.get(0)?;
        rows.push(RiskRow {
            patient: PatientId::new(&patient).map_err(|_| StoreError::Damaged { what: "a prediction" })?,
            class: row.get(1)?,
            probability: row.get(2)?,
            at: EffectiveTime(row.get(3)?),
        });
    }
    Ok(rows)
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
