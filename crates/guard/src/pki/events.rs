//! Security events: something that a person should look at, with the evidence. The same thing again
//! is counted on the line that nobody has taken yet; memory and table are bounded.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Row, params};
use vitals::{DeviceId, ReceiveTime};

use super::plain;
use crate::{Guard, GuardError, Note, Outcome};

/// Different events waiting to be kept; what comes on top is one event of its own.
const WAITING_MAX: usize = 500;
/// Events kept; those taken go first.
const KEPT_MAX: i64 = 10_000;
/// Longest evidence, characters.
const EVIDENCE: usize = 500;

/// Something out of the ordinary that somebody or something did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityEvent {
    /// What, in kebab-case: `wrong-zone`, `forbidden-metric`, `revoked-certificate`.
    pub kind: &'static str,
    /// Which device, if one.
    pub device: Option<DeviceId>,
    /// In which zone it was heard, if known.
    pub zone: String,
    /// What was seen, for people: without patient data and secrets. At most 500 characters are kept.
    pub evidence: String,
    /// When.
    pub at: ReceiveTime,
}

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityLine {
    /// Its number.
    pub number: i64,
    /// What.
    pub kind: String,
    /// Which device; may be empty.
    pub device: String,
    /// In which zone; may be empty.
    pub zone: String,
    /// For the first time.
    pub first: ReceiveTime,
    /// For the last time.
    pub last: ReceiveTime,
    /// How often.
    pub count: u64,
    /// What was seen the last time.
    pub evidence: String,
    /// Who took it, when, and their note.
    pub taken: Option<(String, ReceiveTime, String)>,
}

type Key = (&'static str, String, String);

/// What happened since it was last kept.
#[derive(Default)]
pub(crate) struct Waiting {
    events: HashMap<Key, (SecurityEvent, u64)>,
}

impl Guard {
    /// Notes a security event. Waits for nothing: it is counted in memory, noted in the audit log
    /// (the first of a kind in a minute at once, the rest in sum), and kept within a second.
    pub fn security_event(&self, event: SecurityEvent) {
        metrics::counter!("vitalwire_security_events_total", "kind" => event.kind).increment(1);
        let device = event.device.as_ref().map_or("", DeviceId::as_str).to_owned();
        let actor = if device.is_empty() { "unknown".to_owned() } else { device.clone() };
        let (action, now) = (event.kind, event.at);
        let (source, outcome, object, factor) = (None, Outcome::Denied, String::new(), "");
        let note = Note { action, route: "security event", actor, source, outcome, object, factor };
        self.note(note, now);
        let mut waiting = self.inner.pki.events.lock();
        let key = (event.kind, device, event.zone.clone());
        let full = waiting.events.len() >= WAITING_MAX && !waiting.events.contains_key(&key);
        let (key, event) = if full {
            let many = SecurityEvent {
                kind: "too-many-events",
                device: None,
                zone: String::new(),
                evidence: format!("more kinds of events than are told apart; the last: {}", event.kind),
                at: event.at,
            };
            ((many.kind, String::new(), String::new()), many)
        } else {
            (key, event)
        };
        let line = waiting.events.entry(key).or_insert_with(|| (event.clone(), 0));
        line.0 = event;
        line.1 += 1;
    }

    /// Keeps what waits.
    pub(super) fn settle_events(&self) {
        let Ok(people) = self.people() else { return };
        let events = std::mem::take(&mut self.inner.pki.events.lock().events);
        if events.is_empty() {
            return;
        }
        let kept = people.database.with(|connection| {
            let change = connection.transaction_with_behavior(super::enrol::IMMEDIATE)?;
            for (event, count) in events.values() {
                keep(&change, event, *count)?;
            }
            change.execute(
                "DELETE FROM security_event WHERE n IN (SELECT n FROM security_event
                 ORDER BY taken_us IS NULL DESC, last_us DESC LIMIT -1 OFFSET ?1)",
                [KEPT_MAX],
            )?;
            Ok(change.commit()?)
        });
        if let Err(error) = kept {
            tracing::error!(%error, "security events were not kept");
        }
    }

    /// Security events, those nobody has taken first, then the newest; at most `limit`.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn security_events(&self, open_only: bool, limit: u32) -> Result<Vec<SecurityLine>, GuardError> {
        self.settle_events();
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT n, kind, device, zone, first_us, last_us, count, evidence, taken_by, taken_us, note
                 FROM security_event WHERE taken_us IS NULL OR NOT ?1
                 ORDER BY taken_us IS NULL DESC, last_us DESC LIMIT ?2",
            )?;
            let rows = query.query_map(params![open_only, limit], line)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many security events nobody has taken yet.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn open_security_events(&self) -> Result<u64, GuardError> {
        self.settle_events();
        self.people()?.database.with(|connection| {
            let sql = "SELECT count(*) FROM security_event WHERE taken_us IS NULL";
            Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?.unsigned_abs())
        })
    }

    /// Takes an event: somebody looked at it. Should it happen again, a new line begins.
    ///
    /// # Errors
    /// [`GuardError::Unknown`] when there is none of that number that nobody has taken.
    pub fn take_security_event(
        &self,
        number: i64,
        who: &str,
        note: &str,
        now: ReceiveTime,
    ) -> Result<(), GuardError> {
        self.people()?.database.with(|connection| {
            let sql = "UPDATE security_event SET taken_by = ?1, taken_us = ?2, note = ?3
                       WHERE n = ?4 AND taken_us IS NULL";
            match connection.execute(sql, params![who, now.micros(), plain(note, 300), number])? {
                0 => Err(GuardError::Unknown("that event".to_owned())),
                _ => Ok(()),
            }
        })
    }
}

fn keep(connection: &rusqlite::Connection, event: &SecurityEvent, count: u64) -> Result<(), GuardError> {
    let device = event.device.as_ref().map_or("", DeviceId::as_str);
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let evidence = plain(&event.evidence, EVIDENCE);
    let open: Option<i64> = connection
        .query_row(
            "SELECT n FROM security_event WHERE kind = ?1 AND device = ?2 AND zone = ?3 AND taken_us IS NULL",
            params![event.kind, device, event.zone],
            |row| row.get(0),
        )
        .optional()?;
    match open {
        Some(n) => connection.execute(
            "UPDATE security_event SET last_us = ?1, count = count + ?2, evidence = ?3 WHERE n = ?4",
            params![event.at.micros(), count, evidence, n],
        )?,
        None => connection.execute(
            "INSERT INTO security_event (kind, device, zone, first_us, last_us, count, evidence)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
            params![event.kind, device, event.zone, event.at.micros(), count, evidence],
        )?,
    };
    Ok(())
}

fn line(row: &Row<'_>) -> rusqlite::Result<SecurityLine> {
    let taken: Option<String> = row.get(8)?;
    Ok(SecurityLine {
        number: row.get(0)?,
        kind: row.get(1)?,
        device: row.get(2)?,
        zone: row.get(3)?,
        first: ReceiveTime(row.get(4)?),
        last: ReceiveTime(row.get(5)?),
        count: row.get::<_, i64>(6)?.unsigned_abs(),
        evidence: row.get(7)?,
        taken: match taken {
            None => None,
            Some(who) => Some((who, ReceiveTime(row.get(9)?), row.get::<_, Option<String>>(10)?.unwrap_or_default())),
        },
    })
}
