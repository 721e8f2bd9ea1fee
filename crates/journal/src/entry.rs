//! What is written and read: drafts, entries, outcomes, and the traits of every backend.

use std::sync::Arc;

use vitals::{Event, Offset, ReceiveTime};

use crate::JournalError;
use crate::subjects::Subjects;
use crate::inspect::Place;

/// Largest encoded event in bytes.
pub const ENTRY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// An entry is sealed for so many patients at most.
const SUBJECTS_MAX: usize = 127;

/// One committed event.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its position: 0, 1, 2 …
    pub offset: Offset,
    /// When it was ordered: our clock, never decreasing from one entry to the next, not even
    /// across restarts.
    pub at: ReceiveTime,
    /// What happened.
    pub event: Event,
    /// With whose keys it is sealed; nobody's: with the house's, or not at all.
    pub subjects: Subjects,
}

/// An event that wants to be committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What happened.
    pub event: Event,
    /// If this key was seen within the window, the event is not written again.
    pub dedup: Option<u128>,
    /// How urgent it is.
    pub lane: Lane,
}

/// How many lanes there are.
pub const LANES: usize = 4;

/// What goes first when there is more than fits (DU-3). Order is kept within a lane only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Actions, directory changes, link states, ticks.
    Urgent,
    /// Messages of senders that keep to a monitor's rhythm, so that those who flood don't delay
    /// them. Whoever uses it sees to it that nothing of the sender waits in a later lane.
    Steady,
    /// Messages with numerics.
    Numeric,
    /// Messages with waveforms.
    Waveform,
}

impl Lane {
    /// Every lane, most urgent first.
    pub const ALL: [Self; LANES] = [Self::Urgent, Self::Steady, Self::Numeric, Self::Waveform];

    /// Lower-case name for labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Steady => "steady",
            Self::Numeric => "numeric",
            Self::Waveform => "waveform",
        }
    }
}

/// What became of a draft.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Durable, at this offset.
    Committed(Offset),
    /// The same key is durable already, at this offset; nothing was written.
    Duplicate(Offset),
    /// Not written: do not acknowledge.
    Failed(Arc<JournalError>),
}

/// An event as it stands in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The event in postcard form.
    pub bytes: Vec<u8>,
    /// Its key, kept so that the window can be rebuilt.
    pub dedup: Option<u128>,
    /// Whom the event is about.
    pub subjects: Subjects,
}

impl Encoded {
    /// Encodes an event. Done by whoever enqueues, so that many can at the same time.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`] above 32 MiB; [`JournalError::Encoding`] if it has no binary form.
    pub fn new(event: &Event, dedup: Option<u128>) -> Result<Self, JournalError> {
        let bytes = postcard::to_extend(event, Vec::with_capacity(192)).map_err(|error| {
            JournalError::Encoding {
                offset: 0,
                reason: error.to_string(),
            }
        })?;
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(JournalError::TooLarge {
                bytes: bytes.len(),
                limit: ENTRY_BYTES_MAX,
            });
        }
        Ok(Self { bytes, dedup, subjects: Subjects::new() })
    }

    /// The same, about these.
    #[must_use]
    pub fn about(self, mut subjects: Subjects) -> Self {
        // A message about more is sealed for these; the others are told by whoever takes it in.
        subjects.truncate(SUBJECTS_MAX);
        Self { subjects, ..self }
    }

    /// Bytes that it takes in a frame, at most.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.bytes.len() + 37 + 4 * self.subjects.len().max(1)
    }
}

/// Where a batch was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Offset of its first entry.
    pub first: Offset,
    /// The time all its entries carry.
    pub at: ReceiveTime,
}

/// What a whole journal was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Oldest entry.
    pub first_offset: Offset,
    /// The entry to come.
    pub next_offset: Offset,
    /// Frames read.
    pub frames: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Files read.
    pub files: usize,
    /// The chain's last hash. Kept elsewhere it proves later that nothing was cut off or
    /// rewritten up to here.
    pub head: [u8; 32],
}

/// Reading a journal, while another thread appends.
pub trait ReadJournal: Send + Sync {
    /// Entries from `from` on, in order: at least one if there is one, and no more than about
    /// `max_bytes` of encoded events. Empty at the end.
    ///
    /// # Errors
    /// [`JournalError::Gone`] before the first entry; [`JournalError::Corrupt`] with the place.
    fn read(&self, from: Offset, max_bytes: usize) -> Result<Vec<Entry>, JournalError>;

    /// The offset that the next entry will get; everything before is durable.
    fn next_offset(&self) -> Offset;

    /// The oldest entry still kept.
    fn first_offset(&self) -> Offset;

    /// What is durable by now and the chain's hash there, for a note elsewhere; none when this
    /// backend has no chain.
    fn head(&self) -> Option<Place> {
        None
    }

    /// Bytes on disk.
    fn bytes(&self) -> u64;

    /// Reads everything and checks every checksum and the hash chain (SE-2).
    ///
    /// # Errors
    /// [`JournalError::Corrupt`] names file and position of the first manipulation.
    fn verify(&self) -> Result<Verified, JournalError>;

    /// How many entries that are still kept are sealed with one of these keys. Reads everything.
    ///
    /// # Errors
    /// As [`ReadJournal::verify`].
    fn sealed_with(&self, _numbers: &[seal::KeyNumber]) -> Result<u64, JournalError> {
        Ok(0)
    }

    /// The keys of the most recent entries, oldest first, at most `keys` of them.
    ///
    /// # Errors
    /// As [`ReadJournal::read`].
    fn recent_keys(&self, keys: usize) -> Result<Vec<(u128, Offset)>, JournalError>;
}

/// A journal: one writer.
pub trait Journal: Send {
    /// Writes a batch; durable on return. `at` is raised to the last batch's where it is earlier.
    /// An empty batch writes nothing.
    ///
    /// # Errors
    /// On any error nothing of the batch counts as written, and the journal stays usable.
    fn append(&mut self, at: ReceiveTime, batch: &[Encoded]) -> Result<Stamp, JournalError>;

    /// Removes what lies wholly before `offset`, in the units that the backend has; maybe nothing.
    ///
    /// # Errors
    /// [`JournalError::Io`]; what was removed until then stays removed.
    fn truncate_before(&mut self, offset: Offset) -> Result<(), JournalError>;

    /// Whether entries are sealed with the keys of whom they are about.
    fn seals(&self) -> bool {
        false
    }

    /// Begins a new unit of what [`Journal::truncate_before`] removes, so that all before the next
    /// entry can go.
    ///
    /// # Errors
    /// [`JournalError::Io`]
    fn begin_unit(&mut self) -> Result<(), JournalError> {
        Ok(())
    }

    /// How far [`Journal::truncate_before`] may go so that more than `min_bytes` and everything
    /// since `since` stay, except that not more than `max_bytes` are kept.
    fn retention_point(&self, since: ReceiveTime, min_bytes: u64, max_bytes: u64) -> Offset;

    /// A reader that works beside this writer.
    fn reader(&self) -> Arc<dyn ReadJournal>;

    /// See [`ReadJournal::read`].
    ///
    /// # Errors
    /// As there.
    fn read(&self, from: Offset, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        self.reader().read(from, max_bytes)
    }

    /// See [`ReadJournal::next_offset`].
    fn next_offset(&self) -> Offset {
        self.reader().next_offset()
    }

    /// See [`ReadJournal::first_offset`].
    fn first_offset(&self) -> Offset {
        self.reader().first_offset()
    }

    /// See [`ReadJournal::verify`].
    ///
    /// # Errors
    /// As there.
    fn verify(&self) -> Result<Verified, JournalError> {
        self.reader().verify()
    }
}
