//! WFDB: headers (`.hea`), signal files (`.dat`, `.mat`), annotation files (`.atr` and others).
//!
//! Written after the format's own description (WFDB Applications Guide: header(5), signal(5),
//! annot(5)). A record is read whole: the caller gives a function that finds a file by its name
//! within the record's folder; nothing outside it is ever asked for.

mod annotations;
mod header;
mod pack;
mod read;
mod signal;
mod write;
mod write_annotations;

pub mod code;

pub use annotations::read_annotations;
pub use header::{Header, Segmented, SegmentLine, SignalLine, read_header};
pub use read::read;
pub use signal::{Format, decode};
pub use write::{Options, Written, write};
pub use write_annotations::{frame_rate, write_annotations};

/// The most signals that a record may have.
pub const MAX_SIGNALS: usize = 1_024;
/// The most segments that a record may have.
pub const MAX_SEGMENTS: usize = 200_000;
/// The most samples, of all signals together, that are read.
pub const MAX_SAMPLES: u64 = 1 << 30;
/// The longest header that is read, in bytes.
pub const MAX_HEADER: usize = 16 << 20;

/// Finds a file by its name within the record's folder.
pub type Finder<'a> = dyn FnMut(&str) -> Option<Vec<u8>> + 'a;
