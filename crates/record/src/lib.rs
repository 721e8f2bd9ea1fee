//! Recordings: whole stretches of waveforms with their annotations, read from and written to the
//! file formats that researchers and review stations use.
//!
//! Everything here is bytes in, bytes out: the caller finds the files and stores what is written. A
//! [`Recording`] keeps the counts of the converter with their scale, never floating-point copies,
//! so that what was read can be written again without the loss of a bit. What a format can't say is
//! told as a [`Problem`], beside what could be read or written. `docs/interfaces/recordings.md`
//! describes the formats and what each can't hold.

mod decimal;
mod error;
mod grid;
mod marks;
mod recording;

pub mod calendar;
pub mod csv;
pub mod edf;
pub mod labels;
pub mod table;
pub mod wfdb;

pub use error::{Error, Problem};
pub use recording::{Annotation, Channel, Recording, Segment, Start};
