//! Waveforms: samples in lossless blocks, with the smallest and largest value of every second
//! beside them. Pure; no database.
//!
//! A block holds up to [`BLOCK_SAMPLES`] samples of one series at one scale, as *segments*: parts
//! of unbroken stretches, in order of time. Beside the samples it keeps from which frame each of
//! them came (PR-1), in three or four bytes a frame: number of samples, journal entry and reading,
//! when it was received (in whole milliseconds after its first sample), what is known against it.
//!
//! A block has three parts, so that each can be read without the next:
//!
//! ```text
//! pyramid  smallest and largest sample of each bin of a second, segment by segment
//! outline  scale, segments, frames
//! data     samples: differences as variable-length numbers while a block is fresh, pco once it
//!          is sealed
//! ```

mod arrange;
mod block;
mod codec;
mod outline;
mod overview;
mod pyramid;
mod strip;

pub(crate) use arrange::{Piece, arrange, pieces};
pub use block::{Block, Data, Frame, Head, Outline, Segment};
pub use codec::{Packing, decode_data, encode_data};
pub use outline::{decode_outline, encode_outline};
pub(crate) use overview::{Columns, Level};
pub use overview::WaveColumn;
pub use pyramid::{Bin, decode_pyramid, encode_pyramid};
pub use strip::{WaveFrame, WaveStrip};
pub(crate) use strip::{Strips, frame_points, run_of};

use vitals::EffectiveTime;
use vitals::time::{HOUR, MINUTE};

/// Samples of a full block; only a single frame that has more makes a larger one.
pub const BLOCK_SAMPLES: usize = 16_384;
/// No block spans more time, unless it is that of a single frame of a few samples.
pub(crate) const SPAN_MAX: i64 = HOUR;
/// Over a longer gap a block does not go on.
pub(crate) const GAP_MAX: i64 = MINUTE;

/// A block of samples can't be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of samples is damaged")]
pub struct Damaged;

impl From<crate::series::Damaged> for Damaged {
    fn from(_: crate::series::Damaged) -> Self {
        Self
    }
}

/// What there is of a waveform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaveExtent {
    /// Time of the earliest sample.
    pub first: EffectiveTime,
    /// Time of the latest sample.
    pub last: EffectiveTime,
    /// Number of samples.
    pub samples: u64,
    /// Number of frames that they came in.
    pub frames: u64,
}

/// A time without samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaveGap {
    /// When the sample after the last one before it would be.
    pub from: EffectiveTime,
    /// The first sample after it.
    pub to: EffectiveTime,
}
