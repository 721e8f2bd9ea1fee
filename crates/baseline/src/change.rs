//! Change-point test: a two-sided tabular CUSUM (E. S. Page, "Continuous inspection schemes",
//! Biometrika 41, 1954) of standardised slot medians, winsorised so that one wild value is no change.
//!
//! With reference value 1/2 and decision interval 10 it is built to find a lasting shift of one spread
//! within about twenty slots and of two within about seven; how often it speaks of nothing is measured
//! in `tests/false_alarms.rs`.

use serde::{Deserialize, Serialize};

/// Reference value k, in spreads: half the shift that is looked for.
const REFERENCE: f32 = 0.5;
/// Decision interval h, in spreads.
const DECISION: f32 = 10.0;
/// The sums stop growing here, so that a change is over soon after the values came back.
const CAP: f32 = 15.0;
/// A change is over when its sum has fallen to this.
const OVER: f32 = 5.0;
/// No single slot counts for more than this many spreads.
const CLIP: f64 = 3.0;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// To higher values.
    Up,
    /// To lower values.
    Down,
}

impl Direction {
    /// 1 for up, −1 for down.
    #[must_use]
    pub const fn sign(self) -> f64 {
        match self {
            Self::Up => 1.0,
            Self::Down => -1.0,
        }
    }
}

/// A change that was found and lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// Where it began by the estimate that goes with the test: when the sum last left 0. Microseconds.
    pub since: i64,
    /// When it was found, in microseconds.
    pub found: i64,
}

/// The state of the test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    up: f32,
    down: f32,
    up_since: i64,
    down_since: i64,
    change: Option<Change>,
}

impl Cusum {
    /// Takes in one standardised value (deviation from the normal in spreads). Returns whether a
    /// change was found by it. What is not finite is passed over.
    pub fn step(&mut self, deviation: f64, time: i64) -> bool {
        if !deviation.is_finite() {
            return false;
        }
        let z = deviation.clamp(-CLIP, CLIP) as f32;
        grow(&mut self.up, &mut self.up_since, z - REFERENCE, time);
        grow(&mut self.down, &mut self.down_since, -z - REFERENCE, time);
        if let Some(change) = self.change {
            let sum = if change.direction == Direction::Up { self.up } else { self.down };
            if sum > OVER {
                return false;
            }
            self.change = None;
        }
        let (direction, since) = match (self.up >= DECISION, self.down >= DECISION) {
            (true, _) => (Direction::Up, self.up_since),
            (false, true) => (Direction::Down, self.down_since),
            (false, false) => return false,
        };
        self.change = Some(Change { direction, since, found: time });
        true
    }

    /// The change that lasts, if there is one.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        self.change
    }
}

fn grow(sum: &mut f32, since: &mut i64, by: f32, time: i64) {
    if *sum <= 0.0 {
        *since = time;
    }
    *sum = (*sum + by).clamp(0.0, CAP);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds deviations one unit of time apart; gives when a change was found, and which way.
    fn found(deviations: impl IntoIterator<Item = f64>) -> Option<(i64, Direction, i64)> {
        let mut cusum = Cusum::default();
        (0..).zip(deviations).find_map(|(time, z)| {
            cusum.step(z, time).then(|| cusum.change().map(|c| (time, c.direction, c.since)))?
        })
    }

    #[test]
    fn a_lasting_shift_is_found_and_dated() {
        let shift = |by: f64| (0..60).map(move |i| if i < 20 { 0.0 } else { by });
        assert_eq!(found(shift(1.0)), Some((39, Direction::Up, 20)));
        assert_eq!(found(shift(-2.0)), Some((26, Direction::Down, 20)));
        assert_eq!(found(shift(0.4)), None);
    }

    #[test]
    fn one_wild_value_is_no_change_and_a_change_ends() {
        assert_eq!(found([0.0, 1e300, 0.0, f64::NAN, f64::INFINITY, 0.0, -1e300]), None);
        let mut cusum = Cusum::default();
        assert_eq!((0..50).filter(|time| cusum.step(2.0, *time)).count(), 1);
        assert!(cusum.change().is_some());
        assert_eq!((50..75).filter(|time| cusum.step(0.0, *time)).count(), 0);
        assert_eq!(cusum.change(), None);
    }
}
