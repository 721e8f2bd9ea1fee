//! The time line of one channel: where each sample lies, and whether a block goes on from the one
//! before, leaves a gap, or repeats what was there already.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use crate::Block;

/// A block that begins up to this far from where it was expected goes on without a gap: clocks
/// drift, and their corrections move a stretch by some milliseconds.
const TOLERANCE_US: i64 = 20_000;
/// A block that lies further back than this is not a repetition: the time line began anew.
const BEGINS_ANEW_US: i64 = 10_000_000;

/// Where the samples of a channel lie in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    rate: Rate,
    anchor_us: i64,
    index: u64,
}

/// How a block joins the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It goes on where the line ended; so many of its first samples are known already.
    Onward { skip: usize },
    /// No samples between these times.
    Gap { from_us: i64, to_us: i64 },
    /// The clock went back: the line begins anew.
    Anew,
}

impl Line {
    /// A line whose first sample is the block's.
    pub fn begin(block: &Block<'_>) -> Self {
        Self { rate: block.rate, anchor_us: block.start_us, index: 0 }
    }

    /// Samples a second.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// When the present unbroken stretch began.
    pub fn anchor_us(&self) -> i64 {
        self.anchor_us
    }

    /// The time at which the next sample is expected: all before is known.
    pub fn end_us(&self) -> i64 {
        self.anchor_us.saturating_add(self.rate.micros(self.index))
    }

    /// Puts a block in its place. Its samples, but those to skip, are then taken one by one with
    /// [`advance`](Self::advance).
    pub fn join(&mut self, block: &Block<'_>) -> Join {
        let expected = self.end_us();
        let off = block.start_us.saturating_sub(expected);
        let period = self.rate.micros(1);
        if block.rate != self.rate || off < -BEGINS_ANEW_US {
            let back = off < -TOLERANCE_US.max(period);
            *self = Self::begin(block);
            return if back { Join::Anew } else { Join::Gap { from_us: expected, to_us: block.start_us } };
        }
        if off > TOLERANCE_US.max(period) || (block.gap_before && off > period / 2) {
            *self = Self::begin(block);
            return Join::Gap { from_us: expected, to_us: block.start_us };
        }
        if off < -TOLERANCE_US.max(period) {
            // What was there already is not taken twice.
            let skip = usize::try_from(self.rate.samples_in(-off)).unwrap_or(0);
            return Join::Onward { skip: skip.min(block.values.len()) };
        }
        if off.abs() > 1 {
            // A small correction of the clock: the samples go on, from where the block says.
            *self = Self::begin(block);
        }
        Join::Onward { skip: 0 }
    }

    /// So many samples, from the next on, lie before `time_us`.
    pub fn samples_until(&self, time_us: i64) -> usize {
        let index = self.rate.index_at(time_us.saturating_sub(self.anchor_us));
        usize::try_from(index.saturating_sub(self.index)).unwrap_or(usize::MAX)
    }

    /// One sample was taken.
    pub fn advance(&mut self) {
        self.index += 1;
    }

    /// So many samples were taken.
    pub fn advance_by(&mut self, samples: usize) {
        self.index += samples as u64;
    }

    /// The time of the sample taken last.
    pub fn last_us(&self) -> i64 {
        self.anchor_us.saturating_add(self.rate.micros(self.index.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(start_us: i64, values: &[f32]) -> Block<'_> {
        let rate = Rate::new(125, 2).expect("a rate");
        Block { start_us, rate, values, gap_before: false }
    }

    #[test]
    fn blocks_join_go_on_leave_gaps_repeat_and_begin_anew() {
        let values = [0.0; 10];
        let cases = [
            (160_000, Join::Onward { skip: 0 }),
            (160_001, Join::Onward { skip: 0 }),
            (165_000, Join::Onward { skip: 0 }),
            (200_000, Join::Gap { from_us: 160_000, to_us: 200_000 }),
            (80_000, Join::Onward { skip: 5 }),
            (-20_000_000, Join::Anew),
        ];
        for (start_us, wanted) in cases {
            let mut line = Line::begin(&block(0, &values));
            (0..10).for_each(|_| line.advance());
            assert_eq!(line.end_us(), 160_000);
            assert_eq!(line.join(&block(start_us, &values)), wanted, "block at {start_us}");
        }
    }

    #[test]
    fn a_week_of_small_blocks_ends_where_one_block_would() {
        let mut line = Line::begin(&block(7, &[]));
        let mut index = 0;
        for _ in 0..10_000 {
            let start = 7 + line.rate().micros(index);
            assert_eq!(line.join(&block(start, &[0.0; 63])), Join::Onward { skip: 0 });
            (0..63).for_each(|_| line.advance());
            index += 63;
        }
        assert_eq!(line.end_us(), 7 + line.rate().micros(630_000));
    }
}
