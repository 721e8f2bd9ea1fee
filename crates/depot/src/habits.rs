//! Habits across restarts, and what broke them.

use std::net::IpAddr;

use fleet::habit::{Break, Finding, Habit, Heard};
use rusqlite::params;
use vitals::{Content, DeviceId, Message, TimeBase};

use crate::{Depot, DepotError};

/// Events kept; the oldest go first.
const EVENTS_MAX: i64 = 20_000;
/// Which may go by age: ?1 is the time, ?2 the devices that are held, as JSON.
const OLD: &str = "at_us < ?1 AND device NOT IN (SELECT value FROM json_each(?2))";

/// A broken habit as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub number: i64,
    /// Which device.
    pub device: String,
    /// What kind: [`Break::name`].
    pub kind: String,
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// What is usual for it.
    pub usual: String,
    /// What was seen.
    pub seen: String,
}

impl Depot {
    /// Takes a message into the habits of its device. Cheap: for every message.
    pub fn hear(&self, heard: &Heard<'_>) {
        self.inner.habits.lock().hear(heard);
    }

    /// Takes in what a live message says of each device, whichever door it came through; `topic` as the
    /// device's own kind of message is called.
    pub fn hear_message(&self, message: &Message, topic: &str, address: Option<IpAddr>) {
        if message.time_base != TimeBase::Live {
            return;
        }
        for content in &message.content {
            if let Content::Reading(reading) = content {
                self.hear(&Heard {
                    device: &reading.device,
                    topic,
                    address,
                    received_us: message.received.0,
                    measurements: &reading.measurements,
                });
            }
        }
    }

    /// Says of which model a device is.
    pub fn of_model(&self, device: &DeviceId, manufacturer: &str, model: &str) {
        self.inner.habits.lock().of_model(device, manufacturer, model);
    }

    /// A device came onto another patient, or to another place: it learns anew.
    pub fn moved(&self, device: &DeviceId, now_us: i64) {
        self.inner.habits.lock().moved(device, now_us);
    }

    /// One device's habits, if it was heard.
    #[must_use]
    pub fn habit(&self, device: &DeviceId) -> Option<Habit> {
        self.inner.habits.lock().of(device).cloned()
    }

    /// How many findings are of before a time, but of these devices.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn old_events(&self, before_us: i64, held: &[String]) -> Result<u64, DepotError> {
        let held = serde_json::to_string(held).unwrap_or_default();
        self.with(|kept| {
            let sql = format!("SELECT count(*) FROM event WHERE {OLD}");
            let count: i64 = kept.connection.query_row(&sql, params![before_us, held], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }

    /// Removes them; how many.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails; then none went.
    pub fn expire_events(&self, before_us: i64, held: &[String]) -> Result<u64, DepotError> {
        let held = serde_json::to_string(held).unwrap_or_default();
        self.with(|kept| {
            let sql = format!("DELETE FROM event WHERE {OLD}");
            Ok(kept.connection.execute(&sql, params![before_us, held])? as u64)
        })
    }

    /// Keeps the findings since this was last called, and gives them on.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails; the findings are not lost to the caller's log.
    pub fn take_findings(&self) -> Result<Vec<Finding>, DepotError> {
        let (findings, dropped) = self.inner.habits.lock().take();
        if dropped > 0 {
            tracing::warn!(dropped, "more devices broke their habits than could be kept");
        }
        if findings.is_empty() {
            return Ok(findings);
        }
        self.with(|kept| {
            let change = kept.connection.transaction()?;
            {
                let mut insert = change.prepare_cached(
                    "INSERT INTO event (device, kind, at_us, usual, seen) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                for f in &findings {
                    insert.execute(params![f.device.as_str(), f.kind.name(), f.at_us, f.usual, f.seen])?;
                }
            }
            let sql = "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?1";
            change.execute(sql, [EVENTS_MAX])?;
            Ok(change.commit()?)
        })?;
        Ok(findings)
    }

    /// Broken habits, newest first: at most `limit`, of one device or of all.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn events(&self, device: Option<&str>, limit: usize) -> Result<Vec<Event>, DepotError> {
        self.with(|kept| {
            let mut query = kept.connection.prepare_cached(
                "SELECT number, device, kind, at_us, usual, seen FROM event
                 WHERE ?1 IS NULL OR device = ?1 ORDER BY number DESC LIMIT ?2",
            )?;
            let rows = query.query_map(params![device, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
                Ok(Event {
                    number: row.get(0)?,
                    device: row.get(1)?,
                    kind: row.get(2)?,
                    at_us: row.get(3)?,
                    usual: row.get(4)?,
                    seen: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps every habit, so that a restart does not forget; how many.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn keep_habits(&self) -> Result<usize, DepotError> {
        let habits: Vec<(DeviceId, Habit)> =
            self.inner.habits.lock().all().map(|(id, habit)| (id.clone(), habit.clone())).collect();
        self.with(|kept| {
            let change = kept.connection.transaction()?;
            {
                let mut put = change.prepare_cached(
                    "INSERT INTO habit (device, body) VALUES (?1, ?2)
                     ON CONFLICT DO UPDATE SET body = excluded.body",
                )?;
                for (device, habit) in &habits {
                    let body = postcard::to_stdvec(habit).map_err(|_| DepotError::Kept("habit"))?;
                    put.execute(params![device.as_str(), body])?;
                }
            }
            Ok(change.commit()?)
        })?;
        Ok(habits.len())
    }

    /// Whether a break of this kind was told of a device and lasts.
    #[must_use]
    pub fn breaks(&self, device: &DeviceId, now_us: i64) -> Vec<Break> {
        let habits = self.inner.habits.lock();
        let Some(habit) = habits.of(device) else { return Vec::new() };
        Break::ALL.into_iter().filter(|kind| habit.breaks(*kind, now_us)).collect()
    }
}
