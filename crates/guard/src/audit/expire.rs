//! Retention of the audit log: whole, closed files go, oldest first; the record that says so is
//! written before. What is left is verified as before: the first file that is left says what it
//! continues, and the tree keeps its rows.

use std::path::{Path, PathBuf};

use vitals::{EffectiveTime, PatientId, ReceiveTime};

use super::found::Said;
use super::{read, segments};
use crate::{AUDIT_FILE, Deed, Guard, GuardError, Outcome, Record, files};

/// The action of the record that says which records retention removed.
pub const EXPIRED: &str = "audit-expired";

/// What of the audit log may go.
#[derive(Debug, Clone)]
pub struct AuditExpiry {
    /// Files whose last record was written before this …
    pub before: ReceiveTime,
    /// … and is not behind this one: so far, everybody has them who is to have them.
    pub until: u64,
    /// Records of these patients in these times stay, and all behind them.
    pub held: Vec<(PatientId, EffectiveTime, EffectiveTime)>,
}

/// What of the audit log went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditExpired {
    /// The first record.
    pub first: u64,
    /// The last record.
    pub last: u64,
    /// In how many files.
    pub files: usize,
}

impl Guard {
    /// Removes the oldest files of the audit log, as far as they may go; none when none may.
    ///
    /// # Errors
    /// [`GuardError`]; what was not removed is removed the next time.
    pub fn expire_audit(&self, expiry: &AuditExpiry, now: ReceiveTime) -> Result<Option<AuditExpired>, GuardError> {
        let folder = self.audit_log().folder().to_owned();
        let old = old(&folder, expiry)?;
        let Some(mut last) = old.last().map(|file| file.last) else { return Ok(None) };
        if let Some(held) = self.index().first_held(&expiry.held, last)? {
            last = held.saturating_sub(1);
        }
        let going: Vec<&Old> = old.iter().take_while(|file| file.last <= last).collect();
        let (Some(first), Some(end)) = (going.first(), going.last()) else { return Ok(None) };
        let gone = AuditExpired { first: first.first, last: end.last, files: going.len() };
        self.audit_blocking(Record {
            object: format!("{} {}", gone.last, expiry.before.micros()),
            detail: format!("records {} to {} removed by retention, {} files", gone.first, gone.last, gone.files),
            outcome: Outcome::Allowed,
            ..Record::new(now, "system", EXPIRED)
        })?;
        for file in &going {
            std::fs::remove_file(&file.path).map_err(|e| GuardError::file(&file.path, e))?;
        }
        files::sync_folder(&folder)?;
        self.index().forget(gone.last)?;
        metrics::counter!("vitalwire_guard_expired_total", "kind" => "audit").increment(gone.last + 1 - gone.first);
        Ok(Some(gone))
    }

    /// Removes security events that somebody took, and that happened last before `before`, unless
    /// their device is one of these; how many.
    ///
    /// # Errors
    /// [`GuardError`]; then none went.
    pub fn expire_security_events(
        &self,
        before: ReceiveTime,
        held: &[String],
        now: ReceiveTime,
    ) -> Result<u64, GuardError> {
        let held = serde_json::to_string(held).unwrap_or_default();
        let sql_where = "taken_us IS NOT NULL AND taken_us < ?1 AND last_us < ?1
                         AND device NOT IN (SELECT value FROM json_each(?2))";
        let due: i64 = self.people()?.database.with(|connection| {
            let sql = format!("SELECT count(*) FROM security_event WHERE {sql_where}");
            Ok(connection.query_row(&sql, rusqlite::params![before.micros(), held], |row| row.get(0))?)
        })?;
        if due == 0 {
            return Ok(0);
        }
        self.audit_blocking(Record {
            action: Deed::Named("retention"),
            object: "security-events".to_owned(),
            detail: format!("{due} removed, taken before {} us", before.micros()),
            ..Record::new(now, "system", "retention")
        })?;
        let gone = self.people()?.database.with(|connection| {
            let sql = format!("DELETE FROM security_event WHERE {sql_where}");
            Ok(connection.execute(&sql, rusqlite::params![before.micros(), held])?)
        })? as u64;
        metrics::counter!("vitalwire_guard_expired_total", "kind" => "security-events").increment(gone);
        Ok(gone)
    }
}

/// A closed file that is old enough.
struct Old {
    path: PathBuf,
    first: u64,
    last: u64,
}

/// The oldest closed files, as far as all before them are old enough, too.
fn old(folder: &Path, expiry: &AuditExpiry) -> Result<Vec<Old>, GuardError> {
    let closed = segments::older(&[folder])?;
    let growing = read::first_number(&folder.join(AUDIT_FILE)).ok().flatten();
    let behind = closed.iter().skip(1).map(|file| Some(file.first)).chain([growing]);
    let mut old = Vec::new();
    for (file, next) in closed.iter().zip(behind) {
        // Of a file that is not closed in order nobody can say where it ends.
        let Some(last) = next.and_then(|next| next.checked_sub(1)).filter(|last| *last >= file.first) else { break };
        let line = read::line(folder, last)?;
        let at = line.map(|line| Said::of(&line).at_us).filter(|at| *at > 0);
        if last > expiry.until || at.is_none_or(|at| at >= expiry.before.micros()) {
            break;
        }
        old.push(Old { path: file.path.clone(), first: file.first, last });
    }
    Ok(old)
}
