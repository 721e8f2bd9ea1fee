//! Addresses from which people have logged in here before: the ward's own computers. Whoever
//! guesses from elsewhere can slow down elsewhere only.

use std::net::IpAddr;

use rusqlite::{OptionalExtension, params};
use vitals::ReceiveTime;
use vitals::time::HOUR;

use crate::GuardError;
use crate::database::{Database, IMMEDIATE};

/// An address is forgotten this long after the last login from it, in microseconds: 90 days.
const FORGET: i64 = 90 * 24 * HOUR;
/// Addresses remembered; the one unused for longest is forgotten for a new one.
const ADDRESSES_MAX: i64 = 10_000;
/// The use of an address is noted at most this often, in microseconds.
const NOTE_EVERY: i64 = HOUR;

impl Database {
    /// Whether somebody logged in from there of late.
    pub(crate) fn knows_address(&self, address: IpAddr, now: ReceiveTime) -> Result<bool, GuardError> {
        let sql = "SELECT used_us FROM known_address WHERE address = ?1";
        let address = address.to_canonical().to_string();
        let used: Option<i64> =
            self.lock().query_row(sql, [address], |row| row.get(0)).optional()?;
        Ok(used.is_some_and(|used| now.micros() - used < FORGET))
    }

    /// Notes that somebody logged in from there.
    pub(crate) fn note_address(&self, address: IpAddr, now: ReceiveTime) -> Result<(), GuardError> {
        let (address, now) = (address.to_canonical().to_string(), now.micros());
        self.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let noted = change.execute(
                "INSERT INTO known_address (address, used_us) VALUES (?1, ?2) ON CONFLICT (address)
                 DO UPDATE SET used_us = ?2 WHERE used_us < ?2 - ?3",
                params![address, now, NOTE_EVERY],
            )?;
            if noted > 0 {
                change.execute("DELETE FROM known_address WHERE used_us <= ?1", [now - FORGET])?;
                let sql = "DELETE FROM known_address WHERE address IN (SELECT address
                           FROM known_address ORDER BY used_us DESC LIMIT -1 OFFSET ?1)";
                change.execute(sql, [ADDRESSES_MAX])?;
            }
            Ok(change.commit()?)
        })
    }
}
