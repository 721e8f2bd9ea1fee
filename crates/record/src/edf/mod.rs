//! EDF and EDF+: one file of records with 16-bit counts, with annotations and gaps (EDF+C, EDF+D).
//!
//! Written after the published descriptions (Kemp et al. 1992, Kemp and Olivan 2003,
//! <https://www.edfplus.info/specs/>). EDF has no missing sample, and its scales are written with
//! eight characters; files of ours say in the transducer field which count is a missing one and what
//! the scale is exactly, so that they come back to the bit.

mod exact;
mod fields;
mod read;
mod tal;
mod write;

pub use read::read;
pub use write::{Options, write};

/// The most signals that a file may have.
pub const MAX_SIGNALS: usize = 512;
/// The largest record, in bytes, that common readers take.
pub const MAX_RECORD: u64 = 10_485_760;

/// Label of the signal that holds annotations.
const ANNOTATIONS: &str = "EDF Annotations";
