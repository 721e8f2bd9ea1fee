//! The seconds and eighths of a second of a stretch, counted in its samples.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use crate::shape::Block;

/// Where in its stretch a channel is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Grid {
    anchor_us: i64,
    rate: Rate,
    /// Samples taken since the anchor.
    index: u64,
    /// Eighths of a second closed since the anchor.
    eighths: u64,
    /// The index at which the next eighth ends.
    edge: u64,
}

impl Grid {
    pub(super) fn new(anchor_us: i64, rate: Rate) -> Self {
        let mut grid = Grid { anchor_us, rate, index: 0, eighths: 0, edge: 0 };
        grid.edge = grid.edge_of(0);
        grid
    }

    /// Whether this block goes on where the last one ended, to within half a second: smaller
    /// corrections of the time line are announced as gaps by whoever makes them.
    pub(super) fn continues(&self, block: &Block<'_>) -> bool {
        block.rate == self.rate && (block.start_us.saturating_sub(self.sample_us())).unsigned_abs() < 500_000
    }

    pub(super) fn advance(&mut self) {
        self.index += 1;
    }

    /// If an eighth of a second has ended: whether a whole second has.
    pub(super) fn crossed(&mut self) -> Option<bool> {
        if self.index < self.edge {
            return None;
        }
        self.eighths += 1;
        self.edge = self.edge_of(self.eighths);
        Some(self.eighths % 8 == 0)
    }

    /// End of the last whole second that was crossed.
    pub(super) fn second_us(&self) -> i64 {
        let whole = i64::try_from(self.eighths / 8).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        self.anchor_us.saturating_add(whole)
    }

    /// Samples that the second under way still lacks.
    pub(super) fn lacking(&self) -> u32 {
        let end = self.edge_of(self.eighths / 8 * 8 + 7);
        u32::try_from(end.saturating_sub(self.index)).unwrap_or(u32::MAX)
    }

    /// Time of the sample that comes next.
    pub(super) fn sample_us(&self) -> i64 {
        self.anchor_us.saturating_add(self.rate.micros(self.index))
    }

    /// Samples in the first `eighth + 1` eighths of a second.
    fn edge_of(&self, eighth: u64) -> u64 {
        let product = u128::from(eighth + 1) * u128::from(self.rate.numerator());
        u64::try_from(product.div_ceil(8 * u128::from(self.rate.denominator()))).unwrap_or(u64::MAX)
    }
}
