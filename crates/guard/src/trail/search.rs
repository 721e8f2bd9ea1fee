//! Searching the audit log: pages of records, newest first, and who saw a patient's data.

use rusqlite::{Connection, OptionalExtension, types::Value};
use vitals::{PatientId, ReceiveTime};

use super::Index;
use crate::{Guard, GuardError};

/// Records of one page at most.
const PAGE_MAX: usize = 500;

/// What is looked for; what is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Account or device.
    pub actor: Option<String>,
    /// Whose data.
    pub patient: Option<PatientId>,
    /// What was done: names of deeds, any of them; none: all.
    pub actions: Vec<String>,
    /// `allowed`, `denied` or `failed`.
    pub outcome: Option<String>,
    /// From then on.
    pub from: Option<ReceiveTime>,
    /// Until then, itself not included.
    pub until: Option<ReceiveTime>,
    /// Records before this one only: the last of the page before.
    pub before: Option<u64>,
    /// How many, 1 to 500.
    pub limit: usize,
}

/// Records, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPage {
    /// Number and line (JSON) of each.
    pub records: Vec<(u64, String)>,
    /// How many there are in all, up to 10,000.
    pub total: u64,
    /// Ask for the next page with this as [`AuditQuery::before`]; none at the end.
    pub next: Option<u64>,
}

/// Accesses to one patient's data, oldest first: number and line (JSON) of each record.
pub type Accesses = Vec<(u64, String)>;

impl Guard {
    /// Searches the audit log; reads what was written since the last time first.
    ///
    /// # Errors
    /// [`GuardError`] when log or index cannot be read.
    pub fn search_audit(&self, query: &AuditQuery) -> Result<AuditPage, GuardError> {
        self.index().search(query)
    }

    /// The records that a patient's data were looked at, changed or asked for in vain, oldest
    /// first, at most 10,000 of them: what the patient may know.
    ///
    /// # Errors
    /// As [`Self::search_audit`].
    pub fn accesses_to(
        &self,
        patient: &PatientId,
        from: ReceiveTime,
        until: ReceiveTime,
    ) -> Result<Accesses, GuardError> {
        let query = AuditQuery {
            patient: Some(patient.clone()),
            from: Some(from),
            until: Some(until),
            ..AuditQuery::default()
        };
        let numbers = self.index().ask(|connection| numbers(connection, &query, 10_000))?;
        self.index().lines(numbers.into_iter().rev())
    }

    /// Takes records into the index that are not there yet, at most so many; how many it took. To
    /// be called now and then, so that searches find the index ready.
    ///
    /// # Errors
    /// As [`Self::search_audit`].
    pub fn index_audit(&self, limit: usize) -> Result<usize, GuardError> {
        self.index().advance(limit)
    }
}

impl Index {
    pub(crate) fn search(&self, query: &AuditQuery) -> Result<AuditPage, GuardError> {
        let limit = query.limit.clamp(1, PAGE_MAX);
        let (mut numbers, total) = self.ask(|connection| {
            let all = AuditQuery { before: None, ..query.clone() };
            Ok((numbers(connection, query, limit + 1)?, count(connection, &all)?))
        })?;
        let more = numbers.len() > limit;
        numbers.truncate(limit);
        let next = numbers.last().copied().filter(|_| more);
        Ok(AuditPage { records: self.lines(numbers.into_iter())?, total, next })
    }

    fn lines(&self, numbers: impl Iterator<Item = u64>) -> Result<Vec<(u64, String)>, GuardError> {
        let log = self.log();
        let mut found = Vec::new();
        for number in numbers {
            // A file that was archived elsewhere has the line; the index still knows of it.
            if let Some(line) = log.line(number)? {
                found.push((number, line));
            }
        }
        Ok(found)
    }
}

/// The condition of a query and its values; none when nothing can fit.
fn condition(connection: &Connection, query: &AuditQuery) -> Result<Option<(String, Vec<Value>)>, GuardError> {
    let (mut parts, mut values) = (vec!["1".to_owned()], Vec::new());
    let mut tables = "record".to_owned();
    let word = |text: &str| -> Result<Option<i64>, GuardError> {
        let sql = "SELECT id FROM word WHERE text = ?1";
        Ok(connection.prepare_cached(sql)?.query_row([text], |row| row.get(0)).optional()?)
    };
    if let Some(patient) = &query.patient {
        let Some(id) = word(patient.as_str())? else { return Ok(None) };
        tables = "about CROSS JOIN record ON record.n = about.n".to_owned();
        parts.push("about.subject = ?".to_owned());
        values.push(Value::Integer(id));
    }
    for (column, text) in [("actor", &query.actor), ("outcome", &query.outcome)] {
        let Some(text) = text else { continue };
        let Some(id) = word(text)? else { return Ok(None) };
        parts.push(format!("record.{column} = ?"));
        values.push(Value::Integer(id));
    }
    if !query.actions.is_empty() {
        let mut ids = Vec::new();
        for action in &query.actions {
            ids.extend(word(action)?);
        }
        if ids.is_empty() {
            return Ok(None);
        }
        parts.push(format!("record.action IN ({})", vec!["?"; ids.len()].join(", ")));
        values.extend(ids.into_iter().map(Value::Integer));
    }
    for (test, time) in [(">=", query.from), ("<", query.until)] {
        if let Some(time) = time {
            parts.push(format!("record.at_us {test} ?"));
            values.push(Value::Integer(time.micros()));
        }
    }
    if let Some(before) = query.before {
        parts.push("record.n < ?".to_owned());
        values.push(Value::Integer(i64::try_from(before).unwrap_or(i64::MAX)));
    }
    Ok(Some((format!("FROM {tables} WHERE {}", parts.join(" AND ")), values)))
}

fn numbers(connection: &Connection, query: &AuditQuery, limit: usize) -> Result<Vec<u64>, GuardError> {
    let Some((condition, values)) = condition(connection, query)? else { return Ok(Vec::new()) };
    let sql = format!("SELECT record.n {condition} ORDER BY record.n DESC LIMIT {limit}");
    let mut found = connection.prepare_cached(&sql)?;
    let rows = found.query_map(rusqlite::params_from_iter(values), |row| row.get::<_, i64>(0))?;
    let numbers = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(numbers.into_iter().filter_map(|n| u64::try_from(n).ok()).collect())
}

fn count(connection: &Connection, query: &AuditQuery) -> Result<u64, GuardError> {
    let Some((condition, values)) = condition(connection, query)? else { return Ok(0) };
    let sql = format!("SELECT count(*) FROM (SELECT 1 {condition} LIMIT 10000)");
    let mut found = connection.prepare_cached(&sql)?;
    let count = found.query_row(rusqlite::params_from_iter(values), |row| row.get::<_, i64>(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}
