//! Retention: some series at a time, their oldest blocks first. What goes is counted in the same
//! transaction (DU-2).

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use vitals::EffectiveTime;

use crate::expiry::ALERT_STRIP;
use crate::{Expired, Expiry, StoreError};

/// Names of what is counted, in `meta`.
const COUNTED: [&str; 7] = [
    "expired-wave-blocks",
    "expired-samples",
    "expired-point-blocks",
    "expired-points",
    "expired-texts",
    "expired-waves-before",
    "expired-points-before",
];

/// How far a merged record is followed to the one that lives on.
const MERGED_MAX: usize = 32;

/// One step, for the series after `after`. What was removed, of which series, and the last series
/// looked at, none after the last one of all.
pub(super) struct Step {
    pub(super) expired: Expired,
    pub(super) touched: Vec<u32>,
    pub(super) reached: Option<u32>,
}

pub(super) fn step(connection: &mut Connection, after: Option<u32>, expiry: &Expiry) -> Result<Step, StoreError> {
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut done = Step { expired: Expired::default(), touched: Vec::new(), reached: after };
    let list: Vec<(u32, Option<String>)> = db
        .prepare_cached("select id, subject from series where id > ?1 order by id limit ?2")?
        .query_map(params![after.map_or(-1, i64::from), expiry.series_max], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let (mut left, mut complete) = (expiry.blocks_max, list.len() < expiry.series_max as usize);
    for (series, subject) in list {
        let mut one = One { db: &db, series, patients: None, subject, expired: Expired::default(), left };
        one.waves(expiry.waves_before)?;
        one.points(expiry.points_before)?;
        left = one.left;
        if !one.expired.is_empty() {
            done.touched.push(series);
            add(&mut done.expired, &one.expired);
        }
        if left == 0 {
            // More may be there: this series comes first in the next step.
            complete = false;
            break;
        }
        done.reached = Some(series);
    }
    if complete {
        done.reached = None;
    }
    if !done.expired.is_empty() {
        count(&db, &done.expired)?;
    }
    db.commit()?;
    Ok(done)
}

/// What was removed so far.
pub(super) fn totals(db: &Connection) -> Result<Expired, StoreError> {
    let mut ask = db.prepare_cached("select value from meta where name = ?1")?;
    let mut value = |name: &str| ask.query_row([name], |row| row.get::<_, i64>(0)).optional();
    Ok(Expired {
        wave_blocks: value(COUNTED[0])?.unwrap_or(0) as u64,
        samples: value(COUNTED[1])?.unwrap_or(0) as u64,
        point_blocks: value(COUNTED[2])?.unwrap_or(0) as u64,
        points: value(COUNTED[3])?.unwrap_or(0) as u64,
        texts: value(COUNTED[4])?.unwrap_or(0) as u64,
        waves_before: value(COUNTED[5])?.map(EffectiveTime),
        points_before: value(COUNTED[6])?.map(EffectiveTime),
    })
}

fn add(all: &mut Expired, more: &Expired) {
    all.wave_blocks += more.wave_blocks;
    all.samples += more.samples;
    all.point_blocks += more.point_blocks;
    all.points += more.points;
    all.texts += more.texts;
    all.waves_before = all.waves_before.max(more.waves_before);
    all.points_before = all.points_before.max(more.points_before);
}

fn count(db: &Transaction<'_>, expired: &Expired) -> Result<(), StoreError> {
    let mut all = totals(db)?;
    add(&mut all, expired);
    let counts = [all.wave_blocks, all.samples, all.point_blocks, all.points, all.texts];
    let counts = counts.map(|count| Some(count as i64)).into_iter();
    let times = [all.waves_before, all.points_before].map(|time| time.map(|time| time.0));
    let mut set = db.prepare_cached("insert or replace into meta (name, value) values (?1, ?2)")?;
    for (name, value) in COUNTED.iter().zip(counts.chain(times)) {
        if let Some(value) = value {
            set.execute(params![name, value])?;
        }
    }
    Ok(())
}

/// Retention of one series.
struct One<'a> {
    db: &'a Transaction<'a>,
    series: u32,
    subject: Option<String>,
    /// All records of the patient, once they are needed.
    patients: Option<Vec<String>>,
    expired: Expired,
    left: u32,
}

/// A block that is old enough.
struct Old {
    id: i64,
    first: i64,
    last: i64,
    count: i64,
    frames: i64,
}

impl One<'_> {
    fn waves(&mut self, before: EffectiveTime) -> Result<(), StoreError> {
        let (mut samples, mut frames) = (0, 0);
        for table in ["wave_blocks", "wave_fresh"] {
            let text = format!(
                "select id, min_time, max_time, samples, frames from {table} \
                 where series = ?1 and min_time < ?2 and max_time < ?2 and max_received < ?2 \
                 order by min_time"
            );
            for old in self.old(&text, before)? {
                self.db.prepare_cached(&format!("delete from {table} where id = ?1"))?.execute([old.id])?;
                samples += old.count;
                frames += old.frames;
                self.expired.wave_blocks += 1;
                self.expired.waves_before = self.expired.waves_before.max(Some(before));
            }
        }
        if frames == 0 {
            return Ok(());
        }
        self.expired.samples += samples as u64;
        // The names of the newest frames stay, so that they are not taken in again.
        self.db
            .prepare_cached(
                "update wave_series set samples = samples - ?2, frames = frames - ?3, first_time = coalesce( \
                 min((select min(min_time) from wave_blocks where series = ?1), \
                     coalesce((select min(min_time) from wave_fresh where series = ?1), ?4)), \
                 (select min(min_time) from wave_fresh where series = ?1), last_time) where series = ?1",
            )?
            .execute(params![self.series, samples, frames, i64::MAX])?;
        Ok(())
    }

    fn points(&mut self, before: EffectiveTime) -> Result<(), StoreError> {
        let text = "select id, min_time, max_time, count, 0 from blocks \
                    where series = ?1 and max_time < ?2 and max_received < ?2 order by max_time";
        for old in self.old(text, before)? {
            self.db.prepare_cached("delete from blocks where id = ?1")?.execute([old.id])?;
            let texts = self
                .db
                .prepare_cached("delete from attachments where series = ?1 and time between ?2 and ?3")?
                .execute(params![self.series, old.first, old.last])?;
            self.expired.texts += texts as u64;
            self.expired.point_blocks += 1;
            self.expired.points += old.count as u64;
            self.expired.points_before = self.expired.points_before.max(Some(before));
        }
        Ok(())
    }

    /// The blocks that `text` finds and nothing holds, as many as may still go.
    fn old(&mut self, text: &str, before: EffectiveTime) -> Result<Vec<Old>, StoreError> {
        let mut found = Vec::new();
        let mut ask = self.db.prepare_cached(text)?;
        let mut rows = ask.query(params![self.series, before.0])?;
        while self.left > 0
            && let Some(row) = rows.next()?
        {
            let (id, first, last, count) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let old = Old { id, first, last, count, frames: row.get(4)? };
            if !self.held(old.first, old.last)? {
                self.left -= 1;
                found.push(old);
            }
        }
        Ok(found)
    }

    /// Whether a hold or the time around an alert touches this time of the patient, under
    /// whichever of the records that became one.
    fn held(&mut self, first: i64, last: i64) -> Result<bool, StoreError> {
        let Some(subject) = &self.subject else { return Ok(false) };
        if self.patients.is_none() {
            self.patients = Some(records(self.db, subject)?);
        }
        let mut holds = self.db.prepare_cached(
            "select 1 from holds where patient = ?1 and released_at is null \
             and from_time <= ?3 and to_time > ?2 limit 1",
        )?;
        let mut alerts = self
            .db
            .prepare_cached("select 1 from alerts where patient = ?1 and raised between ?2 and ?3 limit 1")?;
        let (from, to) = (first.saturating_sub(ALERT_STRIP.1), last.saturating_add(ALERT_STRIP.0));
        for patient in self.patients.iter().flatten() {
            if holds.exists(params![patient, first, last])? || alerts.exists(params![patient, from, to])? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Every record that is one with this one: the one that lives on, and all that went into it.
pub(super) fn records(db: &Connection, subject: &str) -> Result<Vec<String>, StoreError> {
    let mut into = db.prepare_cached(
        "select patient from directory where kind = 'patient' and id = ?1 and patient is not null",
    )?;
    let mut survivor = subject.to_owned();
    for _ in 0..MERGED_MAX {
        match into.query_row([&survivor], |row| row.get(0)).optional()? {
            Some(next) => survivor = next,
            None => break,
        }
    }
    let mut from = db.prepare_cached("select id from directory where patient = ?1 and kind = 'patient'")?;
    let mut all = vec![survivor];
    let mut at = 0;
    while at < all.len() {
        let retired: Vec<String> =
            from.query_map([&all[at]], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for id in retired {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        at += 1;
    }
    if !all.iter().any(|id| id == subject) {
        all.push(subject.to_owned());
    }
    Ok(all)
}
