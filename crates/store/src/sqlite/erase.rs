//! Deleting everything that is kept of a patient, and looking whether anything is left.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};
use vitals::{Offset, PatientId};

use crate::{Erasure, ErasureRow, StoreError};

/// Where rows of a record are; ?1 is its id. In this order: later ones are found by earlier ones.
const OF_RECORD: [(&str, &str); 20] = [
    ("blocks", SERIES),
    ("attachments", SERIES),
    ("reading_names", SERIES),
    ("wave_blocks", SERIES),
    ("wave_fresh", SERIES),
    ("wave_series", SERIES),
    ("kv", "bucket <> 'journal-strays' and (key = ?1 or instr(value, cast(?1 as blob)) > 0 or \
            bucket = 'webhook-told' and exists (select 1 from alerts where patient = ?1 and \
            kv.key like '%/e' || episode_offset || '-' || episode_index))"),
    ("alert_events", "(episode_offset, episode_index) in \
                      (select episode_offset, episode_index from alerts where patient = ?1)"),
    ("alerts", "patient = ?1"),
    ("predictions", "patient = ?1"),
    ("quarantine", "exists (select 1 from associations a where a.patient = ?1 and \
                    a.device = quarantine.sender and quarantine.received >= a.start and \
                    (a.until is null or quarantine.received <= a.until))"),
    ("identifiers", "kind = 'patient' and id = ?1 or kind = 'encounter' and id in \
                     (select id from directory where kind = 'encounter' and patient = ?1)"),
    ("directory_history", "kind = 'patient' and id = ?1 or kind = 'encounter' and id in \
                           (select id from directory where kind = 'encounter' and patient = ?1)"),
    ("directory", "kind = 'patient' and id = ?1 or kind = 'encounter' and patient = ?1"),
    ("documents", "instr(body, cast(?1 as blob)) > 0"),
    ("document_tokens", "instr(token, ?1) > 0"),
    ("outbox", "instr(body, cast(?1 as blob)) > 0"),
    ("holds", "patient = ?1"),
    ("associations", "patient = ?1"),
    ("series", "subject = ?1"),
];
const SERIES: &str = "series in (select id from series where subject = ?1)";

/// Where rows of a device are that was one person's alone.
const OF_DEVICE: [(&str, &str); 13] = [
    ("blocks", BY_DEVICE),
    ("attachments", BY_DEVICE),
    ("reading_names", BY_DEVICE),
    ("wave_blocks", BY_DEVICE),
    ("wave_fresh", BY_DEVICE),
    ("wave_series", BY_DEVICE),
    ("quarantine", "sender = ?1"),
    ("kv", "bucket = 'mqtt-retained' and instr(key, '/' || ?1 || '/') > 0"),
    ("identifiers", "kind = 'device' and id = ?1"),
    ("directory_history", "kind = 'device' and id = ?1"),
    ("directory", "kind = 'device' and id = ?1"),
    ("associations", "device = ?1"),
    ("series", "device = ?1"),
];
const BY_DEVICE: &str = "series in (select id from series where device = ?1)";

/// Where a number that somebody goes by may stand as text.
const BY_WORD: [(&str, &str); 2] = [
    ("quarantine", "instr(payload, cast(?1 as blob)) > 0 or instr(problems, cast(?1 as blob)) > 0"),
    ("outbox", "instr(body, cast(?1 as blob)) > 0"),
];

/// Shorter numbers stand anywhere by chance.
const WORD_MIN: usize = 4;

/// Deletes, and keeps the record of it.
pub(super) fn erase(db: &Transaction<'_>, erasure: &Erasure) -> Result<(), StoreError> {
    let mut deleted: BTreeMap<String, u64> = BTreeMap::new();
    let mut delete = |places: &[(&str, &str)], what: &str| -> Result<(), StoreError> {
        for (table, place) in places {
            let rows = db.execute(&format!("delete from {table} where {place}"), [what])?;
            *deleted.entry((*table).to_owned()).or_default() += rows as u64;
        }
        Ok(())
    };
    for record in &erasure.records {
        delete(&OF_RECORD, record.as_str())?;
    }
    for device in &erasure.devices {
        delete(&OF_DEVICE, device.as_str())?;
    }
    for word in erasure.words.iter().filter(|word| word.len() >= WORD_MIN) {
        delete(&BY_WORD, word)?;
    }
    deleted.retain(|_, rows| *rows > 0);
    if deleted.contains_key("quarantine") {
        // What was not understood may stand in the journal sealed for nobody: it is cut up to here.
        db.execute(
            "insert or replace into kv (bucket, key, value) values ('journal-strays', ?1, ?2)",
            params![erasure.patient.as_str(), erasure.offset.to_le_bytes()],
        )?;
    }
    let kept = (erasure, deleted.into_iter().collect::<Vec<_>>());
    let body = serde_json::to_vec(&kept).map_err(|_| StoreError::Damaged { what: "an erasure" })?;
    db.execute(
        "insert or ignore into erasures (journal_offset, patient, at, body) values (?1, ?2, ?3, ?4)",
        params![erasure.offset as i64, erasure.patient.as_str(), erasure.at.0, body],
    )?;
    Ok(())
}

/// Erasures, oldest first: of one patient, or all.
pub(super) fn list(
    db: &Connection,
    patient: Option<&PatientId>,
) -> Result<Vec<ErasureRow>, StoreError> {
    let mut ask = db.prepare_cached(
        "select body, proof from erasures where ?1 is null or patient = ?1 order by journal_offset",
    )?;
    let mut rows = ask.query([patient.map(PatientId::as_str)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body: Vec<u8> = row.get(0)?;
        let (erasure, deleted) = serde_json::from_slice(&body)
            .map_err(|_| StoreError::Damaged { what: "an erasure" })?;
        found.push(ErasureRow { erasure, deleted, proof: row.get(1)? });
    }
    Ok(found)
}

/// Keeps what proves that the rest was done.
pub(super) fn done(db: &Connection, offset: Offset, proof: &[u8]) -> Result<(), StoreError> {
    db.execute(
        "update erasures set proof = ?2 where journal_offset = ?1",
        params![offset as i64, proof],
    )?;
    Ok(())
}

/// Rows that are left of these records, by table.
pub(super) fn left(
    db: &Connection,
    records: &[PatientId],
) -> Result<Vec<(String, u64)>, StoreError> {
    let mut left: BTreeMap<String, u64> = BTreeMap::new();
    let state = "name in ('patient/' || ?1, 'waves/patient/' || ?1)";
    for record in records {
        for (table, place) in OF_RECORD.into_iter().chain([("engine_state", state)]) {
            let count: i64 = db.query_row(
                &format!("select count(*) from {table} where {place}"),
                [record.as_str()],
                |row| row.get(0),
            )?;
            *left.entry(table.to_owned()).or_default() += count as u64;
        }
    }
    Ok(left.into_iter().collect())
}

/// Gives back pages that were freed, so that none holds what was deleted, and empties the
/// write-ahead log.
pub(super) fn scrub(db: &Connection) -> Result<(), StoreError> {
    let vacuum: i64 = db.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if vacuum == 2 {
        let mut free = db.prepare("pragma incremental_vacuum")?;
        let mut pages = free.query([])?;
        while pages.next()?.is_some() {}
    } else {
        // A file of an older program: written anew, and able to from now on.
        db.execute_batch("pragma auto_vacuum = incremental; vacuum;")?;
    }
    // Readers that are in the middle of something hold the log; they take no long time.
    for _ in 0..100 {
        let busy: i64 =
            db.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Err(StoreError::Busy)
}
