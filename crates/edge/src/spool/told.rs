//! What was left out, as it is counted, shown and told to the centre (DU-2).

use rusqlite::params;

use super::{Spool, signed, unsigned};
use crate::EdgeError;
use crate::line::Thinned;

/// Hours whose counts are told at once.
const TOLD_AT_ONCE: usize = 200;

/// What was left out in all, of a class for a reason (see [`Thinned`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// `waveforms`, `numerics` or `alerts`.
    pub class: String,
    /// `full`, `rule` or `journal`.
    pub reason: String,
    /// Pieces.
    pub pieces: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// When the first of them was received, in microseconds.
    pub from: i64,
    /// When the last.
    pub to: i64,
}

impl Spool {
    /// What was left out; `untold`: only what the centre was not told of.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn thinned(&self, untold: bool) -> Result<Vec<Thinned>, EdgeError> {
        let sql = "SELECT class, reason, hour, pieces, bytes, from_us, to_us FROM thinned
            WHERE NOT ?1 OR told < pieces ORDER BY hour LIMIT ?2";
        let most = if untold { TOLD_AT_ONCE } else { 10_000 };
        let mut query = self.connection.prepare_cached(sql)?;
        let rows = query.query_map(params![untold, most as i64], |row| {
            Ok(Thinned {
                class: row.get(0)?,
                reason: row.get(1)?,
                hour: row.get(2)?,
                pieces: unsigned(row.get(3)?),
                bytes: unsigned(row.get(4)?),
                from: row.get(5)?,
                to: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What was left out in all, by class and reason.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn left_out(&self) -> Result<Vec<LeftOut>, EdgeError> {
        let sql = "SELECT class, reason, sum(pieces), sum(bytes), min(from_us), max(to_us) FROM thinned
            GROUP BY class, reason ORDER BY class, reason";
        let mut query = self.connection.prepare_cached(sql)?;
        let rows = query.query_map([], |row| {
            Ok(LeftOut {
                class: row.get(0)?,
                reason: row.get(1)?,
                pieces: unsigned(row.get(2)?),
                bytes: unsigned(row.get(3)?),
                from: row.get(4)?,
                to: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The centre was told of these.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn told(&mut self, thinned: &[Thinned]) -> Result<(), EdgeError> {
        for one in thinned {
            self.connection.execute(
                "UPDATE thinned SET told = ?4 WHERE class = ?1 AND reason = ?2 AND hour = ?3",
                params![one.class, one.reason, one.hour, signed(one.pieces)],
            )?;
        }
        Ok(())
    }
}
