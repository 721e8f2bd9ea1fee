//! What goes over the line between an edge and its centre, in requests of the edge.

use serde::{Deserialize, Serialize};
use vitals::{Passed, RelayLine};

use crate::Rules;

/// Version of a batch's form: it changes when the form of journal entries does.
pub const BATCH_VERSION: u8 = 1;

/// A batch: pieces of one line, in order, and how the edge is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

impl Batch {
    /// The batch as bytes: the version, then the batch in postcard form.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![BATCH_VERSION]).expect("it holds nothing that postcard can't write")
    }

    /// Reads a batch.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn read(bytes: &[u8]) -> Result<Self, BatchError> {
        let (version, rest) = bytes.split_first().ok_or(BatchError::Form)?;
        if *version != BATCH_VERSION {
            return Err(BatchError::Version);
        }
        let batch = match postcard::take_from_bytes::<Self>(rest) {
            Ok((batch, [])) => batch,
            _ => return Err(BatchError::Form),
        };
        let rises = batch.pieces.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if rises { Ok(batch) } else { Err(BatchError::Order) }
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

/// How an edge is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// Which configuration is in force there.
    pub configuration: String,
    /// Bytes of memory in use; 0: not known.
    pub memory_bytes: u64,
    /// What was left out since the centre was last told.
    pub thinned: Vec<Thinned>,
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
    /// Patients and devices that the edge is to know, as what somebody does: JSON of
    /// [`vitals::Action`].
    pub actions: Vec<vitals::Action>,
}

/// What an edge enrols with, and gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The token with which it speaks from here on.
    pub token: String,
}
