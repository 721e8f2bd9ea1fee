//! How a patient's values differ by the hour of the day.

use serde::{Deserialize, Serialize};

/// This many days' worth of an hour's values count as much as the assumption that the hour does not
/// differ: with five days half of what was seen is believed.
const PRIOR_DAYS: f32 = 5.0;
/// An hour's past reaches back about this many days.
const MEMORY_DAYS: f32 = 21.0;

/// Deviations from the overall level by hour of the day; each is shrunk to nothing until days suffice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hours {
    /// Sum of deviations and their weight in days, by hour.
    cells: [(f32, f32); 24],
}

impl Default for Hours {
    fn default() -> Self {
        Self { cells: [(0.0, 0.0); 24] }
    }
}

impl Hours {
    /// Takes in how far the values of a stretch of an hour (`share`, 0 to 1) lay from the level.
    pub fn note(&mut self, hour: u8, deviation: f64, share: f64) {
        if !deviation.is_finite() || !(0.0..=1.0).contains(&share) {
            return;
        }
        let (sum, weight) = &mut self.cells[usize::from(hour % 24)];
        let share = share as f32;
        let kept = 1.0 - share / MEMORY_DAYS;
        *sum = (*sum * kept + deviation as f32 * share).clamp(-1e9, 1e9);
        *weight = *weight * kept + share;
    }

    /// How far this hour lies from the level, in the metric's unit.
    #[must_use]
    pub fn offset(&self, hour: u8) -> f64 {
        // Where all hours were seen, what they have in common belongs to the level.
        let seen = self.cells.iter().all(|(_, weight)| *weight > 0.0);
        let common = if seen { (0..24).map(|hour| self.shrunk(hour)).sum::<f64>() / 24.0 } else { 0.0 };
        self.shrunk(hour % 24) - common
    }

    /// Days' worth of values of the hour of which the most is known.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.cells.iter().map(|(_, weight)| f64::from(*weight)).fold(0.0, f64::max)
    }

    /// An hour with half of each of its neighbours, shrunk.
    fn shrunk(&self, hour: u8) -> f64 {
        let at = |by: u8| self.cells[usize::from((hour + by) % 24)];
        let ((a, b, c), half) = ((at(23), at(0), at(1)), 0.5);
        let sum = half * a.0 + b.0 + half * c.0;
        let weight = half * a.1 + b.1 + half * c.1;
        f64::from(sum / (weight + 2.0 * PRIOR_DAYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rhythm_is_believed_as_days_come_in() {
        let mut hours = Hours::default();
        let rhythm = |hour: u8| if hour < 12 { -10.0 } else { 10.0 };
        let mut before = 0.0;
        for day in 0..30 {
            (0..24).for_each(|hour| hours.note(hour, rhythm(hour), 1.0));
            let now = hours.offset(18);
            assert!(now > before && now < 10.0, "day {day}: {now}");
            before = now;
            if day == 4 {
                assert!((now - 5.0).abs() < 0.5, "half after five days: {now}");
            }
        }
        assert!(before > 7.0 && hours.offset(6) < -7.0);
    }

    #[test]
    fn what_all_hours_share_is_no_rhythm() {
        let mut hours = Hours::default();
        (0..24 * 9).for_each(|hour| hours.note((hour % 24) as u8, 12.0, 1.0));
        assert!((0..24).all(|hour| hours.offset(hour).abs() < 1.0));
        hours.note(3, f64::NAN, 1.0);
        hours.note(255, f64::INFINITY, 0.5);
        assert!((0..=255).all(|hour| hours.offset(hour).is_finite()));
    }
}
