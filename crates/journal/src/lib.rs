//! The durable, ordered log: group commit, checksums, a hash chain, recovery (DU-1, SE-2).
//!
//! [`Appender`] is what gateways and the API hold: it orders drafts, writes them in batches with
//! one `fdatasync` each, and only then says [`Outcome::Committed`]. [`EmbeddedJournal`] keeps the
//! batches in segment files of its own; other backends stand behind [`Journal`] and pass
//! [`conformance`]. The file format is described in `docs/interfaces/journal.md`.
//!
//! What is deliberately absent: what events mean, and how far anyone has processed them.

#![forbid(unsafe_code)]

mod acks;
mod appender;
pub mod conformance;
mod cursor;
mod dedup;
mod disk;
mod embedded;
mod entry;
mod error;
pub mod faults;
mod frame;
mod inspect;
mod queue;
mod reader;
mod recover;
mod sealing;
mod segment;
mod subjects;
mod worker;

pub use acks::AckQueue;
pub use appender::{Appender, Limits, Retention, Stats, Trouble};
pub use disk::{Disk, DiskFile, RealDisk};
pub use embedded::{EmbeddedJournal, Options, Recovery, begin_at, peek};
pub use entry::{Draft, Encoded, Entry, Journal, LANES, Lane, Outcome, ReadJournal, Stamp, Verified};
pub use error::{Closed, JournalError};
pub use subjects::{Subjects, Whose};
pub use inspect::{Inspected, Place, in_use, ended_at, inspect, sealed_with};
