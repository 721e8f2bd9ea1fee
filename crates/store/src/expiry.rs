//! What retention removes, and what it removed.

use vitals::EffectiveTime;

/// One step of retention: what is older than this may go, block by block. A block that a hold or
/// the time around an alert of its patient touches stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// Samples before this.
    pub waves_before: EffectiveTime,
    /// Values and texts before this.
    pub points_before: EffectiveTime,
    /// Look at no more series than this in one step …
    pub series_max: u32,
    /// … and remove no more blocks, roughly.
    pub blocks_max: u32,
}

/// Kept before and after the moment at which an alert of the patient was raised, in microseconds.
pub const ALERT_STRIP: (i64, i64) = (30 * vitals::time::SECOND, 60 * vitals::time::SECOND);

/// What retention removed (DU-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Blocks of samples.
    pub wave_blocks: u64,
    /// Samples in them.
    pub samples: u64,
    /// Blocks of values.
    pub point_blocks: u64,
    /// Values in them.
    pub points: u64,
    /// Texts.
    pub texts: u64,
    /// The latest time before which samples were removed; none if none were.
    pub waves_before: Option<EffectiveTime>,
    /// The same of values.
    pub points_before: Option<EffectiveTime>,
}

impl Expired {
    /// Whether nothing was removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wave_blocks + self.point_blocks + self.texts == 0
    }
}
