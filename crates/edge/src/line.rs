//! What goes over the line between an edge and its centre, in requests of the edge.

use serde::{Deserialize, Serialize};
use vitals::{MetricCode, Passed, PatientId, RelayLine};

use crate::Rules;

/// Version of a batch's form: it changes when the form of journal entries does. Before 2 no score was
/// sent, and health had a form of its own; such batches are still read.
pub const BATCH_VERSION: u8 = 2;
const BATCH_VERSION_BEFORE: u8 = 1;

/// A batch: pieces of one line, in order, and how the edge is.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The spool that numbers the pieces.
    pub spool: u64,
    /// Which line.
    pub line: RelayLine,
    /// When it was sent, by the edge's clock, in microseconds.
    pub sent_at: i64,
    /// Numbers, rising, and pieces (see [`Batch::read_piece`]). None: a sign of life.
    pub pieces: Vec<(u64, Vec<u8>)>,
    /// How the edge is.
    pub health: Health,
}

/// Why bytes are no batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Another version's.
    #[error("the batch has another form (this is {BATCH_VERSION}): bring edge and centre to the same version")]
    Version,
    /// None at all.
    #[error("these bytes are no batch")]
    Form,
    /// Numbers that do not rise.
    #[error("the batch's numbers do not rise")]
    Order,
}

/// Numbered pieces.
type Pieces = Vec<(u64, Vec<u8>)>;
/// Spool, line, time, pieces, and health in JSON, so that it may grow.
type Form = (u64, RelayLine, i64, Pieces, Vec<u8>);
/// The form of version 1.
type FormBefore = (u64, RelayLine, i64, Pieces, HealthBefore);

impl Batch {
    /// The batch as bytes: the version, then the batch in postcard form, health in JSON within.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let health = serde_json::to_vec(&self.health).expect("it holds nothing that JSON can't write");
        let form = (self.spool, self.line, self.sent_at, &self.pieces, health);
        postcard::to_extend(&form, vec![BATCH_VERSION]).expect("it holds nothing that postcard can't write")
    }

    /// Reads a batch.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        let (version, rest) = bytes.split_first().ok_or(BatchError::Form)?;
        let (spool, line, sent_at, pieces, health) = match *version {
            BATCH_VERSION => {
                let (spool, line, sent_at, pieces, health): Form = whole(rest)?;
                let health = serde_json::from_slice(&health).map_err(|_| BatchError::Form)?;
                (spool, line, sent_at, pieces, health)
            }
            BATCH_VERSION_BEFORE => {
                let (spool, line, sent_at, pieces, health): FormBefore = whole(rest)?;
                (spool, line, sent_at, pieces, health.into())
            }
            _ => return Err(BatchError::Version),
        };
        let rises = pieces.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if rises { Ok(Self { spool, line, sent_at, pieces, health }) } else { Err(BatchError::Order) }
    }

    /// A piece as bytes.
    #[must_use]
    pub fn write_piece(piece: &Passed) -> Vec<u8> {
        postcard::to_stdvec(piece).expect("it holds nothing that postcard can't write")
    }

    /// Reads a piece; none when it is none.
    #[must_use]
    pub fn read_piece(bytes: &[u8]) -> Option<Passed> {
        match postcard::take_from_bytes(bytes) {
            Ok((piece, [])) => Some(piece),
            _ => None,
        }
    }
}

/// All of these bytes as one thing.
fn whole<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, BatchError> {
    match postcard::take_from_bytes(bytes) {
        Ok((form, [])) => Ok(form),
        _ => Err(BatchError::Form),
    }
}

/// How an edge is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Version of the program.
    pub version: String,
    /// Bytes in the spool.
    pub spool_bytes: u64,
    /// Bytes that it may hold.
    pub spool_bytes_max: u64,
    /// Pieces in the spool.
    pub spool_pieces: u64,
    /// When the oldest of them was received, in microseconds.
    pub oldest: Option<i64>,
    /// Which configuration is in force there, or was the last that it looked at.
    pub configuration: String,
    /// What of that configuration it could not put in force, and why; empty: nothing.
    pub refused: Vec<String>,
    /// Bytes of memory in use; 0: not known.
    pub memory_bytes: u64,
    /// When the program started, in microseconds.
    pub started: Option<i64>,
    /// Alerts that are open there.
    pub open_alerts: u64,
    /// What was left out since the centre was last told.
    pub thinned: Vec<Thinned>,
}

/// Health as version 1 has it.
#[derive(Debug, Serialize, Deserialize)]
struct HealthBefore {
    version: String,
    spool_bytes: u64,
    spool_bytes_max: u64,
    spool_pieces: u64,
    oldest: Option<i64>,
    configuration: String,
    memory_bytes: u64,
    thinned: Vec<Thinned>,
}

impl From<HealthBefore> for Health {
    fn from(before: HealthBefore) -> Self {
        Self {
            version: before.version,
            spool_bytes: before.spool_bytes,
            spool_bytes_max: before.spool_bytes_max,
            spool_pieces: before.spool_pieces,
            oldest: before.oldest,
            configuration: before.configuration,
            memory_bytes: before.memory_bytes,
            thinned: before.thinned,
            ..Self::default()
        }
    }
}

/// What an edge left out, by kind, reason and hour. Counts are totals: told again, nothing is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinned {
    /// `waveforms`, `numerics` or `alerts`.
    pub class: String,
    /// `full`: the spool was; `rule`: a rule wanted less; `journal`: the edge's own journal was cut.
    pub reason: String,
    /// Hours since 1970.
    pub hour: i64,
    /// Pieces.
    pub pieces: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// When the first of them was received, in microseconds.
    pub from: i64,
    /// When the last.
    pub to: i64,
}

/// What the centre answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Everything of the batch's line up to this number is durable at the centre.
    pub durable: u64,
    /// Which configuration ought to be in force.
    pub configuration: String,
    /// The centre's clock, in microseconds.
    pub now: i64,
    /// Pieces that were not understood, which the centre counted.
    pub unread: Vec<Unread>,
    /// Whether the edge is to ask for another token.
    #[serde(default)]
    pub rotate: bool,
}

/// A piece that the centre did not understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread(pub u64);

/// What the centre configures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// Names this configuration.
    pub etag: String,
    /// What the edge sends.
    pub rules: Rules,
    /// The policy by which patients are judged (TOML); none: the program's own.
    pub policy: Option<String>,
    /// Patients and devices that the edge is to know, as what somebody does.
    pub actions: Vec<vitals::Action>,
    /// Patients on the edge's devices, with all that is their own.
    #[serde(default)]
    pub patients: Vec<Own>,
    /// What people at the centre did to alerts of these patients.
    #[serde(default)]
    pub deeds: Vec<AlertDeed>,
}

/// What is a patient's own. What is not said here the patient has not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Whose.
    pub patient: PatientId,
    /// Limits: of what, low, high.
    pub limits: Vec<(MetricCode, Option<f64>, Option<f64>)>,
    /// SpO2 scale of NEWS2, 1 or 2.
    pub spo2_scale: u8,
}

/// What somebody at the centre did to an alert. The edge finds its own by whose and what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertDeed {
    /// Whose alert.
    pub patient: PatientId,
    /// What belongs together.
    pub group: String,
    /// Account name.
    pub by: String,
    /// When, by the centre's clock, in microseconds.
    pub at: i64,
    /// What.
    pub what: DeedKind,
}

/// What can be done to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeedKind {
    /// Taken, until then (microseconds), or for the rest of the episode.
    Acknowledged(Option<i64>),
    /// Silenced until then, in microseconds.
    Snoozed(i64),
    /// A latched one was reset: over.
    Reset,
}

/// What an edge enrols with, and gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The token with which it speaks from here on.
    pub token: String,
}
