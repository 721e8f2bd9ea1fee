//! Patients, encounters, places, devices and associations: written and searched. How each kind
//! stands in the table is said in `listed`.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params, params_from_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vitals::{Identifier, ReceiveTime};

use crate::{
    AssociationQuery, AssociationRow, DirectoryKind, DirectoryQuery, DirectoryRow, Found, StoreError,
};

/// How a kind of thing stands in the table.
pub(super) trait Listed: Sized {
    /// Kind, as in the table.
    const KIND: &'static str;
    /// The row and its document.
    fn columns(&self) -> (Columns<'_>, Option<&[u8]>);
    /// The body: the row without its document, as JSON.
    fn body(&self) -> Result<Vec<u8>, StoreError>;
    /// The row from its body and document.
    fn from_body(
        body: &[u8],
        document: Option<Vec<u8>>,
        at: ReceiveTime,
        version: u64,
    ) -> Option<Self>;
}

/// What a thing is searched by.
pub(super) struct Columns<'a> {
    pub(super) id: &'a str,
    pub(super) name: String,
    pub(super) status: &'static str,
    pub(super) patient: Option<&'a str>,
    pub(super) location: Option<&'a str>,
    pub(super) updated: ReceiveTime,
    pub(super) version: u64,
    pub(super) identifiers: &'a [Identifier],
}

pub(super) fn write(db: &Transaction<'_>, rows: &[DirectoryRow]) -> Result<(), StoreError> {
    for row in rows {
        match row {
            DirectoryRow::Patient(row) => write_one(db, row)?,
            DirectoryRow::Encounter(row) => write_one(db, row)?,
            DirectoryRow::Location(row) => write_one(db, row)?,
            DirectoryRow::Device(row) => write_one(db, row)?,
            DirectoryRow::Association(row) => write_association(db, row)?,
        }
    }
    Ok(())
}

fn write_one<T: Listed>(db: &Transaction<'_>, row: &T) -> Result<(), StoreError> {
    let (columns, document) = row.columns();
    db.prepare_cached(
        "insert or replace into directory (kind, id, name, status, patient, location, updated, \
         version, body, document) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        T::KIND,
        columns.id,
        columns.name,
        columns.status,
        columns.patient,
        columns.location,
        columns.updated.0,
        columns.version as i64,
        row.body()?,
        document
    ])?;
    db.prepare_cached(
        "insert or replace into directory_history (kind, id, version, updated, body, document) \
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        T::KIND,
        columns.id,
        columns.version as i64,
        columns.updated.0,
        row.body()?,
        document
    ])?;
    db.prepare_cached("delete from identifiers where kind = ?1 and id = ?2")?
        .execute(params![T::KIND, columns.id])?;
    let mut insert = db.prepare_cached(
        "insert or ignore into identifiers (kind, value, system, id) values (?1, ?2, ?3, ?4)",
    )?;
    for identifier in columns.identifiers {
        insert.execute(params![
            T::KIND,
            identifier.value,
            identifier.system,
            columns.id
        ])?;
    }
    Ok(())
}

fn write_association(db: &Transaction<'_>, row: &AssociationRow) -> Result<(), StoreError> {
    let association = &row.association;
    db.prepare_cached(
        "insert or replace into associations (device, start, patient, until, updated, body) \
         values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        association.device.as_str(),
        association.start.0,
        association.patient.as_str(),
        association.end.map(|end| end.0),
        row.updated.0,
        json(association)?
    ])?;
    Ok(())
}

pub(super) fn search<T: Listed>(
    db: &Connection,
    query: &DirectoryQuery,
) -> Result<Found<T>, StoreError> {
    let mut text = String::from("from directory where kind = ?");
    let mut values = vec![Value::from(T::KIND.to_owned())];
    any_of(&mut text, &mut values, "id", &query.ids);
    any_of(&mut text, &mut values, "status", &query.status);
    if let Some((system, value)) = &query.identifier {
        text.push_str(
            " and id in (select i.id from identifiers i where i.kind = directory.kind \
             and i.value = ?",
        );
        values.push(value.clone().into());
        if let Some(system) = system {
            text.push_str(" and i.system = ?");
            values.push(system.clone().into());
        }
        text.push(')');
    }
    if let Some(name) = &query.name {
        text.push_str(" and instr(lower(name), ?) > 0");
        values.push(name.to_lowercase().into());
    }
    if let Some(patient) = &query.patient {
        text.push_str(" and patient = ?");
        values.push(patient.as_str().to_owned().into());
    }
    if let Some(location) = &query.location {
        text.push_str(" and location = ?");
        values.push(location.as_str().to_owned().into());
    }
    let (from, last) = query.updated.ends();
    if query.updated != crate::Span::ALL {
        text.push_str(" and updated between ? and ?");
        values.extend([Value::from(from), Value::from(last)]);
    }
    let order = if query.newest_first {
        "updated desc, id"
    } else {
        "name, id"
    };
    found(
        db,
        ("body, document, updated, version", &text, order),
        values,
        query.page,
        read_one::<T>,
    )
}

/// Every version of one thing, newest first.
pub(super) fn history(
    db: &Connection,
    kind: DirectoryKind,
    id: &str,
) -> Result<Vec<DirectoryRow>, StoreError> {
    let mut ask = db.prepare_cached(
        "select body, document, updated, version from directory_history \
         where kind = ?1 and id = ?2 order by version desc",
    )?;
    let mut rows = ask.query(params![kind.name(), id])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(match kind {
            DirectoryKind::Patient => DirectoryRow::Patient(read_one(row)?),
            DirectoryKind::Encounter => DirectoryRow::Encounter(read_one(row)?),
            DirectoryKind::Location => DirectoryRow::Location(read_one(row)?),
            DirectoryKind::Device => DirectoryRow::Device(read_one(row)?),
        });
    }
    Ok(out)
}

pub(super) fn associations(
    db: &Connection,
    query: &AssociationQuery,
) -> Result<Vec<AssociationRow>, StoreError> {
    let mut text = String::from("select body, updated from associations where 1");
    let mut values: Vec<Value> = Vec::new();
    if let Some(device) = &query.device {
        text.push_str(" and device = ?");
        values.push(device.as_str().to_owned().into());
    }
    if let Some(patient) = &query.patient {
        text.push_str(" and patient = ?");
        values.push(patient.as_str().to_owned().into());
    }
    if let Some(at) = query.at {
        text.push_str(" and start <= ? and (until is null or until > ?)");
        values.extend([Value::from(at.0), Value::from(at.0)]);
    }
    if query.lasting {
        text.push_str(" and until is null");
    }
    text.push_str(" order by start, device, patient");
    let mut ask = db.prepare_cached(&text)?;
    let mut rows = ask.query(params_from_iter(values))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let association = parse(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?).ok_or(
            StoreError::Damaged {
                what: "an association",
            },
        )?;
        out.push(AssociationRow {
            association,
            updated: ReceiveTime(row.get(1)?),
        });
    }
    Ok(out)
}

/// Runs a search: a page of rows and the number of all.
pub(super) fn found<T>(
    db: &Connection,
    (columns, from, order): (&str, &str, &str),
    mut values: Vec<Value>,
    page: crate::Page,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Found<T>, StoreError> {
    let total: i64 = db
        .prepare_cached(&format!("select count(*) {from}"))?
        .query_row(params_from_iter(values.iter()), |row| row.get(0))?;
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let skip = i64::try_from(page.skip).unwrap_or(i64::MAX);
    values.extend([Value::from(limit), Value::from(skip)]);
    let text = format!("select {columns} {from} order by {order} limit ? offset ?");
    let mut ask = db.prepare_cached(&text)?;
    let mut found = ask.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(read(row)?);
    }
    Ok(Found {
        rows,
        total: total as u64,
    })
}

/// Adds `and column in (…)`, unless the list is empty.
pub(super) fn any_of(text: &mut String, values: &mut Vec<Value>, column: &str, list: &[String]) {
    if !list.is_empty() {
        let marks = vec!["?"; list.len()].join(", ");
        text.push_str(&format!(" and {column} in ({marks})"));
        values.extend(list.iter().map(|item| Value::from(item.clone())));
    }
}

fn read_one<T: Listed>(row: &Row<'_>) -> Result<T, StoreError> {
    let body: Vec<u8> = row.get(0)?;
    let version: i64 = row.get(3)?;
    T::from_body(&body, row.get(1)?, ReceiveTime(row.get(2)?), version as u64)
        .ok_or(StoreError::Damaged { what: T::KIND })
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|_| StoreError::Damaged {
        what: "a directory row",
    })
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}
