//! Retention of what stands row by row: alerts that ended, quarantine, older versions in the directory.
//! Some rows at a time; what goes is counted in the same transaction (DU-2).

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use vitals::{EffectiveTime, PatientId, ReceiveTime};

use super::holds;
use crate::{ExpiredRecords, Held, RecordExpiry, StoreError};

/// Names of what is counted, in `meta`.
const COUNTED: [&str; 8] = [
    "expired-alerts",
    "expired-alert-events",
    "expired-quarantine",
    "expired-versions",
    "expired-alerts-before",
    "expired-quarantine-before",
    "expired-versions-before",
    "expired-predictions",
];

/// Shorter numbers stand in a message by chance.
const WORD_MIN: usize = 4;

/// The rows that were looked at last; none: from the beginning.
#[derive(Default)]
pub(super) struct Reached {
    /// When it changed, and its name.
    alert: Option<(i64, i64, i64)>,
    prediction: Option<(i64, i64, i64)>,
    quarantine: Option<i64>,
    version: Option<(String, String, i64)>,
}

/// One step: what was removed, and how far it looked.
pub(super) fn step(
    connection: &mut Connection,
    after: &Reached,
    expiry: &RecordExpiry,
) -> Result<(ExpiredRecords, Reached), StoreError> {
    let never = ReceiveTime(i64::MIN);
    if [expiry.alerts_before, expiry.quarantine_before, expiry.directory_before] == [never; 3] {
        return Ok((ExpiredRecords::default(), Reached::default()));
    }
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut one = Step { held: holds::held(&db)?, db: &db, rows: expiry.rows_max, expired: ExpiredRecords::default() };
    let reached = Reached {
        alert: one.alerts(after.alert, expiry.alerts_before)?,
        prediction: one.predictions(after.prediction, expiry.alerts_before)?,
        quarantine: one.quarantine(after.quarantine, expiry.quarantine_before)?,
        version: one.versions(after.version.as_ref(), expiry.directory_before)?,
    };
    let expired = one.expired;
    if !expired.is_empty() {
        count(&db, &expired)?;
    }
    db.commit()?;
    Ok((expired, reached))
}

/// What was removed so far.
pub(super) fn totals(db: &Connection) -> Result<ExpiredRecords, StoreError> {
    let mut ask = db.prepare_cached("select value from meta where name = ?1")?;
    let mut value = |name: &str| ask.query_row([name], |row| row.get::<_, i64>(0)).optional();
    Ok(ExpiredRecords {
        alerts: value(COUNTED[0])?.unwrap_or(0) as u64,
        alert_events: value(COUNTED[1])?.unwrap_or(0) as u64,
        predictions: value(COUNTED[7])?.unwrap_or(0) as u64,
        quarantine: value(COUNTED[2])?.unwrap_or(0) as u64,
        versions: value(COUNTED[3])?.unwrap_or(0) as u64,
        alerts_before: value(COUNTED[4])?.map(ReceiveTime),
        quarantine_before: value(COUNTED[5])?.map(ReceiveTime),
        versions_before: value(COUNTED[6])?.map(ReceiveTime),
    })
}

fn count(db: &Transaction<'_>, expired: &ExpiredRecords) -> Result<(), StoreError> {
    let all = totals(db)?;
    let sums = [
        all.alerts + expired.alerts,
        all.alert_events + expired.alert_events,
        all.quarantine + expired.quarantine,
        all.versions + expired.versions,
    ];
    let times = [
        all.alerts_before.max(expired.alerts_before),
        all.quarantine_before.max(expired.quarantine_before),
        all.versions_before.max(expired.versions_before),
    ];
    let predictions = Some((all.predictions + expired.predictions) as i64);
    let times = times.map(|time| time.map(|time| time.0));
    let values = sums.map(|sum| Some(sum as i64)).into_iter().chain(times).chain([predictions]);
    let mut set = db.prepare_cached("insert or replace into meta (name, value) values (?1, ?2)")?;
    for (name, value) in COUNTED.iter().zip(values) {
        if let Some(value) = value {
            set.execute(params![name, value])?;
        }
    }
    Ok(())
}

struct Step<'a> {
    db: &'a Transaction<'a>,
    held: Vec<Held>,
    rows: u32,
    expired: ExpiredRecords,
}

impl Step<'_> {
    fn alerts(
        &mut self,
        after: Option<(i64, i64, i64)>,
        before: ReceiveTime,
    ) -> Result<Option<(i64, i64, i64)>, StoreError> {
        let (changed, offset, index) = after.unwrap_or((i64::MIN, 0, -1));
        let mut ask = self.db.prepare_cached(
            "select changed, episode_offset, episode_index, raised, open, patient, device from alerts \
             where (changed, episode_offset, episode_index) > (?1, ?2, ?3) and changed < ?4 \
             order by changed, episode_offset, episode_index limit ?5",
        )?;
        let mut rows = ask.query(params![changed, offset, index, before.0, self.rows])?;
        let (mut seen, mut last, mut gone) = (0, None, HashSet::new());
        while let Some(row) = rows.next()? {
            let key: (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            (seen, last) = (seen + 1, Some(key));
            let (patient, device): (Option<String>, Option<String>) = (row.get(5)?, row.get(6)?);
            let (from, to) = (row.get(3)?, key.0);
            if row.get(4)? || self.holds(patient.as_deref(), device.as_deref(), from, to) {
                continue;
            }
            let name = [key.1, key.2];
            gone.insert(format!("e{}-{}", key.1, key.2));
            let events = "delete from alert_events where episode_offset = ?1 and episode_index = ?2";
            self.expired.alert_events += self.db.prepare_cached(events)?.execute(name)? as u64;
            let alert = "delete from alerts where episode_offset = ?1 and episode_index = ?2";
            self.expired.alerts += self.db.prepare_cached(alert)?.execute(name)? as u64;
            self.expired.alerts_before = Some(before);
        }
        drop(rows);
        self.forget_told(&gone)?;
        Ok(last.filter(|_| seen == self.rows))
    }

    /// Predictions, like alerts by age; they have no end to wait for.
    fn predictions(
        &mut self,
        after: Option<(i64, i64, i64)>,
        before: ReceiveTime,
    ) -> Result<Option<(i64, i64, i64)>, StoreError> {
        let (made, offset, index) = after.unwrap_or((i64::MIN, 0, -1));
        let mut ask = self.db.prepare_cached(
            "select made, journal_offset, order_index, at, patient from predictions \
             where (made, journal_offset, order_index) > (?1, ?2, ?3) and made < ?4 \
             order by made, journal_offset, order_index limit ?5",
        )?;
        let mut rows = ask.query(params![made, offset, index, before.0, self.rows])?;
        let (mut seen, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let key: (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            (seen, last) = (seen + 1, Some(key));
            let (at, patient): (i64, String) = (row.get(3)?, row.get(4)?);
            if self.holds(Some(&patient), None, at, at) {
                continue;
            }
            let text = "delete from predictions where journal_offset = ?1 and order_index = ?2";
            self.expired.predictions += self.db.prepare_cached(text)?.execute([key.1, key.2])? as u64;
            self.expired.alerts_before = Some(before);
        }
        Ok(last.filter(|_| seen == self.rows))
    }

    /// Who was told of an alert is of no use without it.
    fn forget_told(&self, gone: &HashSet<String>) -> Result<(), StoreError> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut ask = self.db.prepare_cached("select key from kv where bucket = 'webhook-told'")?;
        let told: Vec<String> = ask.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut forget = self.db.prepare_cached("delete from kv where bucket = 'webhook-told' and key = ?1")?;
        for key in told.iter().filter(|key| key.rsplit('/').next().is_some_and(|name| gone.contains(name))) {
            forget.execute([key])?;
        }
        Ok(())
    }

    fn quarantine(&mut self, after: Option<i64>, before: ReceiveTime) -> Result<Option<i64>, StoreError> {
        if before.0 == i64::MIN {
            return Ok(None);
        }
        let words = self.words()?;
        let mut ask = self.db.prepare_cached(
            "select journal_offset, received, sender from quarantine \
             where journal_offset > ?1 order by journal_offset limit ?2",
        )?;
        let mut rows = ask.query(params![after.unwrap_or(-1), self.rows])?;
        let (mut seen, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let (offset, received): (i64, i64) = (row.get(0)?, row.get(1)?);
            if received >= before.0 {
                // Entries are in order of time: what comes behind is younger.
                return Ok(None);
            }
            (seen, last) = (seen + 1, Some(offset));
            let sender: String = row.get(2)?;
            if self.holds(None, Some(&sender), received, received) || self.names(offset, &words)? {
                continue;
            }
            let gone = self.db.prepare_cached("delete from quarantine where journal_offset = ?1")?.execute([offset])?;
            self.expired.quarantine += gone as u64;
            self.expired.quarantine_before = Some(before);
        }
        Ok(last.filter(|_| seen == self.rows))
    }

    fn versions(
        &mut self,
        after: Option<&(String, String, i64)>,
        before: ReceiveTime,
    ) -> Result<Option<(String, String, i64)>, StoreError> {
        if before.0 == i64::MIN {
            return Ok(None);
        }
        let (kind, id, version) = after.map_or(("", "", -1), |(kind, id, version)| (kind, id, *version));
        let mut ask = self.db.prepare_cached(
            "select h.kind, h.id, h.version, h.updated, (select n.updated from directory_history n \
             where n.kind = h.kind and n.id = h.id and n.version > h.version order by n.version limit 1) \
             from directory_history h where (h.kind, h.id, h.version) > (?1, ?2, ?3) \
             order by h.kind, h.id, h.version limit ?4",
        )?;
        let mut rows = ask.query(params![kind, id, version, self.rows])?;
        let (mut seen, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let key: (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (updated, followed): (i64, Option<i64>) = (row.get(3)?, row.get(4)?);
            seen += 1;
            if let Some(followed) = followed.filter(|time| *time < before.0)
                && !self.holds_version(&key.0, &key.1, updated, followed)?
            {
                let text = "delete from directory_history where kind = ?1 and id = ?2 and version = ?3";
                let gone = self.db.prepare_cached(text)?.execute(params![key.0, key.1, key.2])?;
                self.expired.versions += gone as u64;
                self.expired.versions_before = Some(before);
            }
            last = Some(key);
        }
        Ok(last.filter(|_| seen == self.rows))
    }

    /// Whether a hold touches this time of the patient, or of a device that was on one.
    fn holds(&self, patient: Option<&str>, device: Option<&str>, from: i64, to: i64) -> bool {
        self.held.iter().filter(|held| touches(held, from, to)).any(|held| {
            patient.is_some_and(|id| held.records.iter().any(|record| record.as_str() == id))
                || device.is_some_and(|id| held.devices.iter().any(|device| device.as_str() == id))
        })
    }

    /// The same of what a thing was in this time; of an encounter, and of the place where it is, the
    /// patient's counts.
    fn holds_version(&self, kind: &str, id: &str, from: i64, to: i64) -> Result<bool, StoreError> {
        if self.held.is_empty() {
            return Ok(false);
        }
        let of = match kind {
            "encounter" => "select patient from directory where kind = 'encounter' and id = ?1",
            "location" => "select patient from directory where kind = 'encounter' and location = ?1",
            "device" => return Ok(self.holds(None, Some(id), from, to)),
            _ => return Ok(self.holds(Some(id), None, from, to)),
        };
        let mut ask = self.db.prepare_cached(of)?;
        let patients = ask.query_map([id], |row| row.get::<_, Option<String>>(0))?;
        for patient in patients {
            if self.holds(patient?.as_deref(), None, from, to) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The numbers that held patients go by: a message which names one is theirs.
    fn words(&self) -> Result<Vec<String>, StoreError> {
        let mut ask = self.db.prepare_cached("select value from identifiers where kind = 'patient' and id = ?1")?;
        let mut words: Vec<String> = Vec::new();
        for record in self.held.iter().flat_map(|held| &held.records) {
            let of_it = ask.query_map([PatientId::as_str(record)], |row| row.get::<_, String>(0))?;
            for word in of_it {
                words.extend(Some(word?).filter(|word| word.len() >= WORD_MIN));
            }
            words.push(record.as_str().to_owned());
        }
        words.sort_unstable();
        words.dedup();
        Ok(words)
    }

    /// Whether a quarantined message has one of these words in it.
    fn names(&self, offset: i64, words: &[String]) -> Result<bool, StoreError> {
        let mut ask = self.db.prepare_cached(
            "select 1 from quarantine where journal_offset = ?1 and \
             (instr(payload, cast(?2 as blob)) > 0 or instr(problems, cast(?2 as blob)) > 0)",
        )?;
        for word in words {
            if ask.exists(params![offset, word])? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn touches(held: &Held, from: i64, to: i64) -> bool {
    held.from <= EffectiveTime(to) && held.to > EffectiveTime(from)
}
