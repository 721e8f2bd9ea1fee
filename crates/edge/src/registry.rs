//! The centre's list of edges: who they are, what they may, how they are, what they left out.

use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use vitals::time::{HOUR, SECOND};

use crate::line::{Health, Thinned};
use crate::{EdgeError, Rules};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS edge (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gap (
    edge TEXT NOT NULL,
    spool INTEGER NOT NULL,
    class TEXT NOT NULL,
    reason TEXT NOT NULL,
    hour INTEGER NOT NULL,
    pieces INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    to_us INTEGER NOT NULL,
    PRIMARY KEY (edge, spool, class, reason, hour)
) STRICT, WITHOUT ROWID;
";

/// How long a code for enrolment holds.
const CODE_HOLDS: i64 = 24 * HOUR;
/// After how long an edge is told to ask for another token.
const TOKEN_ROTATES: i64 = 24 * HOUR;
/// Health is written this often; what matters is written at once.
const WRITTEN_EVERY: i64 = 10 * SECOND;

/// An edge as the centre knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Its name in addresses and records.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Who registered it, and when, in microseconds.
    pub by: String,
    /// When it was registered, in microseconds.
    pub since: i64,
    /// What it is to send.
    pub rules: Rules,
    /// When it enrolled, in microseconds.
    pub enrolled: Option<i64>,
    /// When it was last heard, in microseconds.
    pub heard: Option<i64>,
    /// How far its clock is ahead of ours, in microseconds, the way of the request included.
    pub ahead_us: Option<i64>,
    /// How it said it is.
    pub health: Option<Health>,
    /// Pieces that it delivered.
    pub delivered: u64,
    /// Devices that were heard through it.
    pub devices: Vec<String>,
    /// Since when its token holds, in microseconds.
    pub token_since: Option<i64>,
    /// Since when it shows a certificate, in microseconds: from then on it must.
    pub certificate: Option<i64>,
    /// Whether somebody wants it to have another token.
    #[serde(default)]
    rotate: bool,
    code: Option<(String, i64)>,
    token: Option<String>,
    /// The token that it was given in place of that one and did not show yet.
    next_token: Option<String>,
}

/// What an edge left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Which spool of the edge.
    pub spool: u64,
    /// What, why, when and how much.
    pub thinned: Thinned,
}

/// The list of edges. Methods wait for the disk.
pub struct Registry {
    connection: Mutex<Connection>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registry(…)")
    }
}

fn digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// Whether two digests are the same; takes as long whatever they are.
fn same(one: &str, other: &str) -> bool {
    let of = |text: &str| blake3::Hash::from_hex(text).ok();
    of(one).zip(of(other)).is_some_and(|(one, other)| one == other)
}

impl Registry {
    /// Opens the list, or makes it. `unlock` is the key of an encrypted database.
    ///
    /// # Errors
    /// [`EdgeError`] when the file can't be made or read.
    pub fn open(path: &Path, unlock: Option<&str>) -> Result<Self, EdgeError> {
        let connection = Connection::open(path)?;
        if let Some(unlock) = unlock {
            connection.execute_batch(unlock)?;
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Every edge, by id.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn all(&self) -> Result<Vec<Edge>, EdgeError> {
        let connection = self.connection.lock();
        let mut query = connection.prepare_cached("SELECT body FROM edge ORDER BY id")?;
        let bodies = query.query_map([], |row| row.get::<_, String>(0))?;
        bodies.map(|body| read(&body?)).collect()
    }

    /// One edge.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn get(&self, id: &str) -> Result<Edge, EdgeError> {
        find(&self.connection.lock(), id)
    }

    /// Registers an edge that enrols with `code`, once, within a day. `now` in microseconds.
    ///
    /// # Errors
    /// [`EdgeError::Taken`].
    pub fn add(&self, id: &str, name: &str, by: &str, code: &str, now: i64) -> Result<Edge, EdgeError> {
        let connection = self.connection.lock();
        if !matches!(find(&connection, id), Err(EdgeError::Unknown)) {
            return Err(EdgeError::Taken);
        }
        let edge = Edge {
            id: id.to_owned(),
            name: name.to_owned(),
            by: by.to_owned(),
            since: now,
            rules: Rules::default(),
            enrolled: None,
            heard: None,
            ahead_us: None,
            health: None,
            delivered: 0,
            devices: Vec::new(),
            token_since: None,
            certificate: None,
            rotate: false,
            code: Some((digest(code), now.saturating_add(CODE_HOLDS))),
            token: None,
            next_token: None,
        };
        write(&connection, &edge)?;
        Ok(edge)
    }

    /// Gives an edge another code, in place of its token: it was lost, or somebody else has it.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn renew(&self, id: &str, code: &str, now: i64) -> Result<(), EdgeError> {
        self.change(id, |edge| {
            edge.code = Some((digest(code), now.saturating_add(CODE_HOLDS)));
            (edge.token, edge.next_token, edge.certificate) = (None, None, None);
        })
    }

    /// Changes what an edge is to send.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn set_rules(&self, id: &str, rules: Rules) -> Result<(), EdgeError> {
        self.change(id, |edge| edge.rules = rules)
    }

    /// Removes an edge: its token no longer holds.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn remove(&self, id: &str) -> Result<(), EdgeError> {
        let connection = self.connection.lock();
        connection.execute("DELETE FROM gap WHERE edge = ?1", [id])?;
        match connection.execute("DELETE FROM edge WHERE id = ?1", [id])? {
            0 => Err(EdgeError::Unknown),
            _ => Ok(()),
        }
    }

    /// Lets an edge enrol with its code; from then on `token` opens.
    ///
    /// # Errors
    /// [`EdgeError::Refused`], whatever is wrong.
    pub fn enrol(&self, id: &str, code: &str, token: &str, now: i64) -> Result<(), EdgeError> {
        let connection = self.connection.lock();
        let mut edge = find(&connection, id).map_err(|_| EdgeError::Refused)?;
        let good = edge.code.as_ref().is_some_and(|(known, until)| {
            same(known, &digest(code)) && now < *until
        });
        if !good {
            return Err(EdgeError::Refused);
        }
        (edge.code, edge.token, edge.enrolled) = (None, Some(digest(token)), Some(now));
        (edge.token_since, edge.next_token, edge.rotate) = (Some(now), None, false);
        write(&connection, &edge)
    }

    /// The edge that this token is of. The token that was given in place of another ends that one when
    /// it is first shown. `now` in microseconds.
    ///
    /// # Errors
    /// [`EdgeError::Refused`], whatever is wrong.
    pub fn admit(&self, id: &str, token: &str, now: i64) -> Result<Edge, EdgeError> {
        let connection = self.connection.lock();
        let mut edge = find(&connection, id).map_err(|_| EdgeError::Refused)?;
        let shown = digest(token);
        let is = |known: &Option<String>| known.as_ref().is_some_and(|known| same(known, &shown));
        if is(&edge.next_token) {
            (edge.token, edge.next_token) = (edge.next_token.take(), None);
            (edge.token_since, edge.rotate) = (Some(now), false);
            write(&connection, &edge)?;
        } else if !is(&edge.token) {
            return Err(EdgeError::Refused);
        }
        Ok(edge)
    }

    /// Gives an edge that was let in another token. The one that it has holds until it shows this one,
    /// so that nothing is lost when the answer is.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn give(&self, id: &str, token: &str) -> Result<(), EdgeError> {
        self.change(id, |edge| edge.next_token = Some(digest(token)))
    }

    /// From here on an edge is told to ask for another token, until it has one.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn want_rotation(&self, id: &str) -> Result<(), EdgeError> {
        self.change(id, |edge| edge.rotate = true)
    }

    /// An edge showed its certificate: from here on it must.
    ///
    /// # Errors
    /// [`EdgeError::Unknown`].
    pub fn certified(&self, id: &str, now: i64) -> Result<(), EdgeError> {
        self.change(id, |edge| edge.certificate = edge.certificate.or(Some(now)))
    }

    /// Notes what an edge said of itself with `delivered` pieces of some devices.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn heard(
        &self,
        id: &str,
        (spool, health): (u64, &Health),
        (delivered, devices): (u64, &[String]),
        (now, ahead_us): (i64, i64),
    ) -> Result<(), EdgeError> {
        let mut connection = self.connection.lock();
        let mut edge = find(&connection, id)?;
        let fresh = devices.iter().filter(|device| !edge.devices.contains(device)).cloned().collect::<Vec<_>>();
        let rested = edge.heard.is_none_or(|heard| now.saturating_sub(heard) >= WRITTEN_EVERY);
        let other = edge.health.as_ref().is_none_or(|old| {
            old.configuration != health.configuration
                || old.refused != health.refused
                || old.version != health.version
                || (old.spool_pieces == 0) != (health.spool_pieces == 0)
        });
        if !rested && !other && fresh.is_empty() && delivered == 0 && health.thinned.is_empty() {
            return Ok(());
        }
        edge.devices.extend(fresh);
        edge.devices.truncate(10_000);
        edge.delivered += delivered;
        (edge.heard, edge.ahead_us) = (Some(now), Some(ahead_us));
        edge.health = Some(Health { thinned: Vec::new(), ..health.clone() });
        let step = connection.transaction()?;
        let sql = "INSERT OR REPLACE INTO gap VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        for one in &health.thinned {
            step.execute(sql, params![
                id, signed(spool), one.class, one.reason, one.hour, signed(one.pieces),
                signed(one.bytes), one.from, one.to
            ])?;
        }
        write(&step, &edge)?;
        step.commit()?;
        Ok(())
    }

    /// What an edge left out, newest first.
    ///
    /// # Errors
    /// [`EdgeError`].
    pub fn gaps(&self, id: &str) -> Result<Vec<Gap>, EdgeError> {
        let connection = self.connection.lock();
        let sql = "SELECT spool, class, reason, hour, pieces, bytes, from_us, to_us FROM gap
            WHERE edge = ?1 ORDER BY hour DESC, class, reason LIMIT 1000";
        let mut query = connection.prepare_cached(sql)?;
        let rows = query.query_map([id], |row| {
            let thinned = Thinned {
                class: row.get(1)?,
                reason: row.get(2)?,
                hour: row.get(3)?,
                pieces: unsigned(row.get(4)?),
                bytes: unsigned(row.get(5)?),
                from: row.get(6)?,
                to: row.get(7)?,
            };
            Ok(Gap { spool: unsigned(row.get(0)?), thinned })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Edge)) -> Result<(), EdgeError> {
        let connection = self.connection.lock();
        let mut edge = find(&connection, id)?;
        change(&mut edge);
        write(&connection, &edge)
    }
}

impl Edge {
    /// Whether it waits to be enrolled.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.token.is_none()
    }

    /// Whether it is to ask for another token: somebody wants it, or its own is a day old.
    #[must_use]
    pub fn is_to_rotate(&self, now: i64) -> bool {
        let old = |since: i64| now.saturating_sub(since) >= TOKEN_ROTATES;
        self.rotate || self.token_since.is_none_or(old)
    }
}

fn find(connection: &Connection, id: &str) -> Result<Edge, EdgeError> {
    let sql = "SELECT body FROM edge WHERE id = ?1";
    let body: Option<String> = connection.query_row(sql, [id], |row| row.get(0)).optional()?;
    read(&body.ok_or(EdgeError::Unknown)?)
}

fn read(body: &str) -> Result<Edge, EdgeError> {
    serde_json::from_str(body).map_err(|_| EdgeError::Unreadable("an edge"))
}

fn write(connection: &Connection, edge: &Edge) -> Result<(), EdgeError> {
    let body = serde_json::to_string(edge).map_err(|_| EdgeError::Unreadable("an edge"))?;
    connection.execute("INSERT OR REPLACE INTO edge VALUES (?1, ?2)", params![edge.id, body])?;
    Ok(())
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
