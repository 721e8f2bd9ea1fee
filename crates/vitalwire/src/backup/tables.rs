//! Which rows go into a backup, and whose they are.

use std::collections::BTreeMap;
use std::io::Write;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use seal::Domain;
use vitals::PatientId;

use super::format::{Cell, Database, Record, Writer};

/// Tables of the store: whose a row is (null: nobody's), and which rows. Not in it: notifications on their way,
/// messages in quarantine of which nobody knows whom they are about, and what is made anew from other rows.
const STORE: [(&str, &str, &str); 25] = [
    ("meta", "null", "1"),
    ("counters", "null", "1"),
    // Who is who, and devices, are made anew from the tables: those parts are about everybody.
    ("engine_state", PART, "t.name <> 'directory' and t.name not like 'device/%' and \
                            t.name not like 'waves/device/%'"),
    ("kv", "null", "t.bucket not in ('journal-strays', 'webhook-told', 'laboratory-alerts')"),
    // What runs of the laboratory tell of a patient: `run/patient`.
    ("kv", "substr(t.key, instr(t.key, '/') + 1)", "t.bucket = 'laboratory-alerts'"),
    ("kv", TOLD, "t.bucket = 'webhook-told'"),
    ("series", "t.subject", "1"),
    ("blocks", SUBJECT, "1"),
    ("attachments", SUBJECT, "1"),
    ("reading_names", SUBJECT, "1"),
    ("wave_blocks", SUBJECT, "1"),
    ("wave_fresh", SUBJECT, "1"),
    ("wave_series", SUBJECT, "1"),
    ("directory", LISTED, "1"),
    ("directory_history", LISTED, "1"),
    ("identifiers", LISTED, "1"),
    ("associations", "t.patient", "1"),
    ("alerts", "t.patient", "1"),
    ("alert_events", ALERT, "1"),
    ("predictions", "t.patient", "1"),
    ("quarantine", SENDER, "owner is not null"),
    ("documents", "null", "1"),
    ("document_tokens", "null", "1"),
    ("holds", "t.patient", "1"),
    ("erasures", "null", "1"),
];
const SUBJECT: &str = "(select s.subject from series s where s.id = t.series)";
const PART: &str = "case when t.name like 'patient/%' then substr(t.name, 9) \
                    when t.name like 'waves/patient/%' then substr(t.name, 15) end";
const ALERT: &str = "(select a.patient from alerts a where a.episode_offset = t.episode_offset \
                     and a.episode_index = t.episode_index)";
const TOLD: &str = "(select a.patient from alerts a where \
                    t.key like '%/e' || a.episode_offset || '-' || a.episode_index)";
const SENDER: &str = "(select a.patient from associations a where a.device = t.sender and \
                      t.received >= a.start and (a.until is null or t.received <= a.until))";
/// A device that was on one person only, and is at no place, is that person's.
const LISTED: &str = "case t.kind when 'patient' then t.id \
    when 'encounter' then (select d.patient from directory d where d.kind = 'encounter' and d.id = t.id) \
    when 'device' then (select min(a.patient) from associations a where a.device = t.id and \
        not exists (select 1 from directory d where d.kind = 'device' and d.id = t.id and d.location is not null) \
        having count(distinct a.patient) = 1) end";

/// Bytes of one patient's rows that go into a record together, roughly.
const RECORD_BYTES: usize = 1 << 20;
/// Bytes that wait at most, of all patients together.
const WAITING_BYTES: usize = 64 << 20;

/// Writes every row of the store.
pub(super) fn store<W: Write>(db: &Connection, out: &mut Writer<'_, W>) -> anyhow::Result<u64> {
    let mut rows = 0;
    for (table, owner, which) in STORE {
        rows += walk(db, out, Database::Store, (table, owner, which))?;
    }
    Ok(rows)
}

/// Writes every row of the accounts, sessions apart.
pub(super) fn accounts<W: Write>(db: &Connection, out: &mut Writer<'_, W>) -> anyhow::Result<u64> {
    let mut ask = db.prepare(
        "select m.name, exists (select 1 from pragma_table_info(m.name) where name = 'patient') \
         from sqlite_master m where m.type = 'table' and m.name not like 'sqlite_%' \
         and m.name <> 'session' order by m.name",
    )?;
    let tables = ask.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
    let mut rows = 0;
    for table in tables {
        let (table, personal) = table?;
        let owner = if personal { "t.patient" } else { "null" };
        rows += walk(db, out, Database::Accounts, (&table, owner, "1"))?;
    }
    Ok(rows)
}

/// Writes the rows of one table, each patient's together.
fn walk<W: Write>(
    db: &Connection,
    out: &mut Writer<'_, W>,
    database: Database,
    (table, owner, which): (&str, &str, &str),
) -> anyhow::Result<u64> {
    let mut ask = db.prepare(&format!("select t.*, {owner} as owner from \"{table}\" t where {which}"))?;
    let mut columns: Vec<String> = ask.column_names().map(str::to_owned).collect();
    columns.pop();
    let mut waiting: BTreeMap<Option<PatientId>, (usize, Vec<Vec<Cell>>)> = BTreeMap::new();
    let mut put = |owner: Option<PatientId>, rows: Vec<Vec<Cell>>| {
        let domain = owner.map_or(Domain::Backup, Domain::Patient);
        let (table, columns) = (table.to_owned(), columns.clone());
        out.put(&domain, &Record::Rows { database, table, columns, rows })
    };
    let (mut count, mut bytes) = (0, 0);
    let mut rows = ask.query([])?;
    while let Some(row) = rows.next()? {
        let (cells, size) = cells(row, columns.len())?;
        let owner: Option<String> = row.get(columns.len())?;
        let owner = owner.and_then(|id| PatientId::new(&id).ok());
        let of = waiting.entry(owner.clone()).or_default();
        of.0 += size;
        of.1.push(cells);
        count += 1;
        bytes += size;
        if of.0 >= RECORD_BYTES && let Some((size, rows)) = waiting.remove(&owner) {
            bytes -= size;
            put(owner, rows)?;
        }
        if bytes >= WAITING_BYTES {
            bytes = 0;
            for (owner, (_, rows)) in std::mem::take(&mut waiting) {
                put(owner, rows)?;
            }
        }
    }
    for (owner, (_, rows)) in waiting {
        put(owner, rows)?;
    }
    Ok(count)
}

/// The first columns of a row, and their bytes.
fn cells(row: &Row<'_>, columns: usize) -> anyhow::Result<(Vec<Cell>, usize)> {
    let mut size = 16 * columns;
    let mut cells = Vec::with_capacity(columns);
    for at in 0..columns {
        cells.push(match row.get_ref(at)? {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Integer(number),
            ValueRef::Real(number) => Cell::Real(number),
            ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text)?.to_owned()),
            ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
        });
        if let Some(Cell::Text(text)) = cells.last() {
            size += text.len();
        } else if let Some(Cell::Blob(bytes)) = cells.last() {
            size += bytes.len();
        }
    }
    Ok((cells, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_store_is_kept_or_left_out_on_purpose() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("store.db");
        drop(store::SqliteStore::open(&file).expect("a store"));
        let db = Connection::open(&file).expect("it can be opened");
        let mut ask = db.prepare("select name from sqlite_master where type = 'table'").expect("it can be asked");
        let tables = ask.query_map([], |row| row.get::<_, String>(0)).expect("it answers");
        let known = |name: &str| ["outbox", "alert_hours"].contains(&name) || STORE.iter().any(|(table, ..)| *table == name);
        let forgotten: Vec<String> = tables.map(Result::unwrap_or_default).filter(|name| !known(name)).collect();
        assert!(forgotten.is_empty(), "no backup has {forgotten:?}");
    }
}
