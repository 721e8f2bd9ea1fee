//! The median of the newest eight values: follows a change within four, and no single one moves it.

use serde::{Deserialize, Serialize};

const KEPT: usize = 8;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Level {
    values: [f32; KEPT],
    count: u8,
    next: u8,
    median: f32,
}

impl Level {
    /// As if `value` had been seen `times` times (at most 8).
    pub fn new(value: f32, times: u8) -> Self {
        let count = times.clamp(1, KEPT as u8);
        Self { values: [value; KEPT], count, next: count % KEPT as u8, median: value }
    }

    pub fn median(&self) -> f32 {
        self.median
    }

    pub fn add(&mut self, value: f32) {
        self.values[usize::from(self.next)] = value;
        self.next = (self.next + 1) % KEPT as u8;
        self.count = (self.count + 1).min(KEPT as u8);
        let count = usize::from(self.count);
        let mut sorted = self.values;
        let sorted = &mut sorted[..count];
        sorted.sort_unstable_by(f32::total_cmp);
        self.median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_follows_the_newest() {
        let mut level = Level::new(1.0, 4);
        assert_eq!(level.median(), 1.0);
        level.add(9.0);
        assert_eq!(level.median(), 1.0);
        for _ in 0..3 {
            level.add(9.0);
        }
        assert_eq!(level.median(), 5.0);
        for _ in 0..8 {
            level.add(2.0);
        }
        assert_eq!(level.median(), 2.0);
    }
}
