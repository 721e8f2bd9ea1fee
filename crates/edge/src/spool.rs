//! The spool: what waits to be sent, on disk and bounded. Whatever was taken in is in it, was
//! delivered, or is counted by reason.
//!
//! Two lines with numbers of their own: numerics, alerts and deeds in one, in order; waveforms in the
//! other. When it is full the oldest waveforms go first, then the oldest numerics, alerts last.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use vitals::time::SECOND;
use vitals::{Message, Passed, RelayLine, Value};

use crate::line::Batch;
use crate::rules::{Rhythm, Rules, WaveRule};
use crate::EdgeError;

mod room;
mod told;

pub use told::LeftOut;

use room::{count, make_room, note_alert, wanted};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS piece (
    line INTEGER NOT NULL, -- 0 numerics, alerts, deeds; 1 waveforms
    number INTEGER NOT NULL,
    class INTEGER NOT NULL, -- 0 waveforms, 1 numerics, 2 alerts and deeds
    at_us INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (line, number)
) STRICT;
CREATE INDEX IF NOT EXISTS piece_class ON piece (class, number);
CREATE TABLE IF NOT EXISTS around (from_us INTEGER NOT NULL, to_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS thinned (
    class TEXT NOT NULL,
    reason TEXT NOT NULL,
    hour INTEGER NOT NULL,
    pieces INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 0, -- pieces that the centre knows of
    PRIMARY KEY (class, reason, hour)
) STRICT;
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
";

/// Bytes that a piece takes besides its own.
const OVERHEAD: u64 = 64;
/// Bytes that the caches of all databases of an edge may take.
const DATABASES_BYTES: i64 = 8 << 20;
/// What counts as one hour.
const HOUR: i64 = 3_600 * SECOND;

/// How much something matters: what matters least goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Messages with waveforms.
    Waveforms,
    /// Other messages.
    Numerics,
    /// Alerts, and what people did.
    Alerts,
}

impl Class {
    /// Every class, least first.
    pub const ALL: [Self; 3] = [Self::Waveforms, Self::Numerics, Self::Alerts];

    /// Lower-case name for labels and pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waveforms => "waveforms",
            Self::Numerics => "numerics",
            Self::Alerts => "alerts",
        }
    }

    const fn line(self) -> RelayLine {
        match self {
            Self::Waveforms => RelayLine::Waveforms,
            Self::Numerics | Self::Alerts => RelayLine::Numerics,
        }
    }

    fn of(piece: &Passed) -> Self {
        match piece {
            Passed::Message(message) if has_waveforms(message) => Self::Waveforms,
            Passed::Message(_) | Passed::Score(_) => Self::Numerics,
            Passed::Alert(_) | Passed::Action(..) => Self::Alerts,
        }
    }
}

fn has_waveforms(message: &Message) -> bool {
    message.readings().any(|(_, _, measurement)| matches!(measurement.value, Value::SampleArray(_)))
}

/// Something to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// When it was received or happened, in microseconds.
    pub at: i64,
    /// What.
    pub what: Passed,
}

/// Pieces that are to be sent now: of one line, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Which line.
    pub line: RelayLine,
    /// Numbers and pieces as bytes.
    pub pieces: Vec<(u64, Vec<u8>)>,
}

/// What is in the spool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fill {
    /// Bytes by class, as in [`Class::ALL`].
    pub bytes: [u64; 3],
    /// Pieces by class.
    pub pieces: [u64; 3],
}

impl Fill {
    /// Bytes of all classes.
    #[must_use]
    pub fn all_bytes(&self) -> u64 {
        self.bytes.iter().sum()
    }
}

/// The spool. Methods wait for the disk.
pub struct Spool {
    connection: Connection,
    bytes_max: u64,
    rules: Rules,
    rhythm: Rhythm,
    fill: Fill,
    id: u64,
    cursor: u64,
    next: [u64; 2],
}

impl Spool {
    /// Opens the spool, or makes it under the name `fresh` (a random number). `unlock` is what the
    /// connection is told first: the key of an encrypted database.
    ///
    /// # Errors
    /// [`EdgeError`] when the file can't be made or read.
    pub fn open(path: &Path, unlock: Option<&str>, fresh: u64, bytes_max: u64) -> Result<Self, EdgeError> {
        let connection = Connection::open(path)?;
        if let Some(unlock) = unlock {
            connection.execute_batch(unlock)?;
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Little memory: an edge has little.
        connection.pragma_update(None, "cache_size", -512)?;
        // Of the whole program: an edge has little memory, and databases fill their caches with the days.
        connection.pragma_update(None, "soft_heap_limit", DATABASES_BYTES)?;
        connection.pragma_update(None, "journal_size_limit", 4 << 20)?;
        connection.execute_batch(TABLES)?;
        // SQLite's numbers have a sign.
        let fresh = i64::from_ne_bytes((fresh >> 1).to_ne_bytes());
        connection.execute("INSERT OR IGNORE INTO state VALUES ('id', ?1)", [fresh])?;
        let mut spool = Self {
            bytes_max,
            rules: Rules::default(),
            rhythm: Rhythm::default(),
            fill: Fill::default(),
            id: state(&connection, "id")?,
            cursor: state(&connection, "cursor")?,
            next: [state(&connection, "next0")?, state(&connection, "next1")?],
            connection,
        };
        spool.measure()?;
        Ok(spool)
    }

    /// The spool's name.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The first journal position that was not taken in.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// What is in it.
    #[must_use]
    pub fn fill(&self) -> Fill {
        self.fill
    }

    /// Bytes that it may hold.
    #[must_use]
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Something small that is kept beside what waits.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn note(&self, name: &str) -> Result<Option<String>, EdgeError> {
        let sql = "SELECT value FROM note WHERE name = ?1";
        Ok(self.connection.query_row(sql, [name], |row| row.get(0)).optional()?)
    }

    /// Keeps something small.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn set_note(&mut self, name: &str, value: &str) -> Result<(), EdgeError> {
        self.connection.execute("INSERT OR REPLACE INTO note VALUES (?1, ?2)", [name, value])?;
        Ok(())
    }

    /// Puts rules in force for what comes from here on.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Takes in pieces and moves the journal position on, in one transaction; then makes room.
    ///
    /// # Errors
    /// [`EdgeError::Database`]: nothing was taken in.
    pub fn take(&mut self, pieces: &[Piece], cursor: u64) -> Result<(), EdgeError> {
        let Self { connection, rules, rhythm, .. } = self;
        let (mut fill, mut next) = (self.fill, self.next);
        let step = connection.transaction()?;
        for piece in pieces {
            let class = Class::of(&piece.what);
            let body = Batch::write_piece(&piece.what);
            if class == Class::Alerts {
                note_alert(&step, &piece.what, piece.at, rules)?;
            }
            if !wanted(&step, rhythm, rules, class, piece)? {
                count(&step, class, "rule", (1, body.len() as u64), (piece.at, piece.at))?;
                continue;
            }
            let line = line_number(class.line());
            next[line] += 1;
            step.execute(
                "INSERT INTO piece VALUES (?1, ?2, ?3, ?4, ?5)",
                params![line as i64, signed(next[line]), class as i64, piece.at, body],
            )?;
            fill.bytes[class as usize] += body.len() as u64 + OVERHEAD;
            fill.pieces[class as usize] += 1;
        }
        make_room(&step, &mut fill, self.bytes_max)?;
        for (name, value) in [("cursor", cursor), ("next0", next[0]), ("next1", next[1])] {
            step.execute("INSERT OR REPLACE INTO state VALUES (?1, ?2)", params![name, signed(value)])?;
        }
        step.commit()?;
        (self.fill, self.next, self.cursor) = (fill, next, cursor);
        Ok(())
    }

    /// Notes that the edge's own journal no longer had this many entries when they were to be sent.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn lost(&mut self, entries: u64, now: i64, cursor: u64) -> Result<(), EdgeError> {
        let step = self.connection.transaction()?;
        count(&step, Class::Numerics, "journal", (entries, 0), (now, now))?;
        step.execute("INSERT OR REPLACE INTO state VALUES ('cursor', ?1)", [signed(cursor)])?;
        step.commit()?;
        self.cursor = cursor;
        Ok(())
    }

    /// What is to be sent next: numerics, alerts and deeds before any waveform. At least one piece if
    /// there is one, and no more than about `bytes`. None: nothing waits.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn next(&self, bytes: usize) -> Result<Option<Ready>, EdgeError> {
        let lines = [RelayLine::Numerics, RelayLine::Waveforms];
        for line in lines {
            let pieces = self.of_line(line, bytes)?;
            if !pieces.is_empty() {
                return Ok(Some(Ready { line, pieces }));
            }
        }
        Ok(None)
    }

    fn of_line(&self, line: RelayLine, bytes: usize) -> Result<Vec<(u64, Vec<u8>)>, EdgeError> {
        // Of waveforms that wait for an alert none goes before there is one.
        let picked = line == RelayLine::Waveforms && self.rules.waveforms == WaveRule::AroundAlerts;
        let sql = if picked {
            "SELECT number, body FROM piece WHERE line = ?1 AND EXISTS
             (SELECT 1 FROM around WHERE at_us BETWEEN from_us AND to_us) ORDER BY number"
        } else {
            "SELECT number, body FROM piece WHERE line = ?1 ORDER BY number"
        };
        let mut query = self.connection.prepare_cached(sql)?;
        let mut rows = query.query([line_number(line) as i64])?;
        let (mut pieces, mut sum) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(1)?;
            sum += body.len();
            if sum > bytes && !pieces.is_empty() {
                break;
            }
            pieces.push((unsigned(row.get(0)?), body));
        }
        Ok(pieces)
    }

    /// These pieces of a line are durable at the centre.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn done(&mut self, line: RelayLine, numbers: impl Iterator<Item = u64>) -> Result<(), EdgeError> {
        let mut fill = self.fill;
        let step = self.connection.transaction()?;
        {
            let mut delete = step.prepare_cached(
                "DELETE FROM piece WHERE line = ?1 AND number = ?2 RETURNING class, length(body)",
            )?;
            for number in numbers {
                let gone = delete.query_row(params![line_number(line) as i64, signed(number)], class_and_bytes);
                if let Some((class, bytes)) = gone.optional()? {
                    fill.bytes[class] = fill.bytes[class].saturating_sub(bytes + OVERHEAD);
                    fill.pieces[class] = fill.pieces[class].saturating_sub(1);
                }
            }
        }
        step.commit()?;
        self.fill = fill;
        Ok(())
    }

    /// Lets go of waveforms that waited for an alert that did not come, and of what is remembered of
    /// alerts long over. `now` in microseconds.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn sweep(&mut self, now: i64) -> Result<(), EdgeError> {
        let around = i64::from(self.rules.around_alerts_s) * SECOND;
        let mut fill = self.fill;
        let step = self.connection.transaction()?;
        if self.rules.waveforms == WaveRule::AroundAlerts {
            let over = "FROM piece WHERE class = 0 AND at_us < ?1 AND NOT EXISTS
                (SELECT 1 FROM around WHERE at_us BETWEEN from_us AND to_us)";
            let hours = {
                let sql = format!(
                    "SELECT count(*), sum(length(body)), min(at_us), max(at_us) {over} GROUP BY at_us / {HOUR}"
                );
                let mut query = step.prepare_cached(&sql)?;
                let rows = query.query_map([now - around], |row| {
                    Ok((unsigned(row.get(0)?), unsigned(row.get(1)?), row.get(2)?, row.get(3)?))
                })?;
                rows.collect::<Result<Vec<_>, _>>()?
            };
            for (pieces, bytes, from, to) in hours {
                count(&step, Class::Waveforms, "rule", (pieces, bytes), (from, to))?;
                fill.pieces[0] = fill.pieces[0].saturating_sub(pieces);
                fill.bytes[0] = fill.bytes[0].saturating_sub(bytes + pieces * OVERHEAD);
            }
            step.execute(&format!("DELETE {over}"), [now - around])?;
        }
        // A window stays as long as something may be in it that is not sent yet.
        step.execute(
            "DELETE FROM around WHERE to_us < ?1 AND to_us < (SELECT coalesce(min(at_us), ?1) FROM piece)",
            [now - around],
        )?;
        step.commit()?;
        self.fill = fill;
        Ok(())
    }

    /// When the oldest piece was received, in microseconds.
    ///
    /// # Errors
    /// [`EdgeError::Database`].
    pub fn oldest(&self) -> Result<Option<i64>, EdgeError> {
        let sql = "SELECT min(at_us) FROM (SELECT at_us FROM piece WHERE line = 0 ORDER BY number LIMIT 1)";
        let numerics: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0))?;
        let sql = "SELECT min(at_us) FROM (SELECT at_us FROM piece WHERE line = 1 ORDER BY number LIMIT 1)";
        let waveforms: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0))?;
        Ok(numerics.into_iter().chain(waveforms).min())
    }

    fn measure(&mut self) -> Result<(), EdgeError> {
        let sql = "SELECT class, count(*), coalesce(sum(length(body)), 0) FROM piece GROUP BY class";
        let mut query = self.connection.prepare(sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let class = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(usize::MAX);
            if class >= Class::ALL.len() {
                return Err(EdgeError::Unreadable("a class"));
            }
            let pieces = unsigned(row.get(1)?);
            self.fill.pieces[class] = pieces;
            self.fill.bytes[class] = unsigned(row.get(2)?) + pieces * OVERHEAD;
        }
        Ok(())
    }
}

fn class_and_bytes(row: &rusqlite::Row<'_>) -> Result<(usize, u64), rusqlite::Error> {
    let class = usize::try_from(row.get::<_, i64>(0)?).unwrap_or(0).min(Class::ALL.len() - 1);
    Ok((class, unsigned(row.get(1)?)))
}

fn state(connection: &Connection, name: &str) -> Result<u64, EdgeError> {
    let sql = "SELECT value FROM state WHERE name = ?1";
    let value: Option<i64> = connection.query_row(sql, [name], |row| row.get(0)).optional()?;
    Ok(unsigned(value.unwrap_or(0)))
}

const fn line_number(line: RelayLine) -> usize {
    match line {
        RelayLine::Numerics => 0,
        RelayLine::Waveforms => 1,
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
