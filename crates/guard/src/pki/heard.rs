//! Devices that were heard without being known or in service: refused, and listed with where and
//! how often, so that somebody can claim them. Counted in memory, kept every few seconds, bounded.

use std::collections::HashMap;
use std::net::IpAddr;

use rusqlite::params;
use vitals::time::SECOND;
use vitals::{DeviceId, ReceiveTime};

use super::{DeviceState, plain};
use crate::Guard;

/// Devices remembered at once; who comes on top is counted only as refused.
const MEMORY_MAX: usize = 1_000;
/// Announced devices kept; the one unheard for longest goes for a new one.
const KEPT_MAX: i64 = 1_000;
/// At most this often they are kept, microseconds.
const KEEP_EVERY: i64 = 2 * SECOND;

/// Where and how often a device was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// For the first time.
    pub first: ReceiveTime,
    /// For the last time.
    pub last: ReceiveTime,
    /// How often.
    pub count: u64,
    /// From which address last.
    pub source: String,
    /// At which listener last.
    pub door: String,
}

/// What was heard since it was last kept.
#[derive(Default)]
pub(crate) struct Ears {
    fresh: HashMap<DeviceId, Heard>,
    kept_at: i64,
}

impl Guard {
    /// Notes that a device was refused because it is not known or not in service.
    pub fn heard(&self, id: &DeviceId, source: Option<IpAddr>, door: &str, now: ReceiveTime) {
        let mut ears = self.inner.pki.heard.lock();
        if ears.fresh.len() >= MEMORY_MAX && !ears.fresh.contains_key(id) {
            return;
        }
        let source = source.map_or_else(String::new, |source| source.to_string());
        let heard = ears.fresh.entry(id.clone()).or_insert_with(|| Heard {
            first: now,
            last: now,
            count: 0,
            source: String::new(),
            door: String::new(),
        });
        heard.count += 1;
        heard.last = now;
        heard.source = source;
        heard.door = plain(door, 16);
    }

    /// Keeps what was heard, if it is time.
    pub(super) fn settle_heard(&self) {
        let Ok(people) = self.people() else { return };
        let mut ears = self.inner.pki.heard.lock();
        let newest = ears.fresh.values().map(|heard| heard.last.micros()).max();
        let Some(newest) = newest else { return };
        if (ears.kept_at..ears.kept_at + KEEP_EVERY).contains(&newest) {
            return;
        }
        ears.kept_at = newest;
        let fresh = std::mem::take(&mut ears.fresh);
        drop(ears);
        let kept = people.database.with(|connection| {
            let change = connection.transaction_with_behavior(super::enrol::IMMEDIATE)?;
            for (id, heard) in &fresh {
                change.execute(
                    "INSERT OR IGNORE INTO device_life (id, state, since_us, who, why)
                     VALUES (?1, ?2, ?3, 'system', 'heard without being known')",
                    params![id.as_str(), DeviceState::Announced.name(), heard.first.micros()],
                )?;
                change.execute(
                    "INSERT INTO device_heard (id, first_us, last_us, count, source, door)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (id) DO UPDATE SET last_us = excluded.last_us,
                         count = count + excluded.count, source = excluded.source, door = excluded.door",
                    params![
                        id.as_str(), heard.first.micros(), heard.last.micros(),
                        i64::try_from(heard.count).unwrap_or(i64::MAX), heard.source, heard.door
                    ],
                )?;
            }
            change.execute(
                "DELETE FROM device_life WHERE state = ?1 AND id IN (
                     SELECT life.id FROM device_life life JOIN device_heard USING (id)
                     WHERE life.state = ?1 ORDER BY last_us DESC LIMIT -1 OFFSET ?2)",
                params![DeviceState::Announced.name(), KEPT_MAX],
            )?;
            change.execute("DELETE FROM device_heard WHERE id NOT IN (SELECT id FROM device_life)", [])?;
            Ok(change.commit()?)
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "heard devices were not kept");
        }
    }
}
