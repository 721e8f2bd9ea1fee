//! SDNN and RMSSD of each five minutes, while beats come.

use serde::{Deserialize, Serialize};

use super::{LONGEST_MS, SHORTEST_MS};
use crate::shape::{Beat, BeatClass};

/// Length of a window, microseconds; windows begin at whole five minutes of the clock.
const WINDOW_US: i64 = 300_000_000;
/// Fewest intervals of a window from which something is said: half of five minutes at 40/min.
const FEWEST: u32 = 100;

/// Variability of five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Short {
    /// End of the window, microseconds since 1970 UTC.
    pub time_us: i64,
    /// Intervals that went into it.
    pub count: u32,
    /// Standard deviation of the NN intervals, milliseconds.
    pub sdnn: f64,
    /// Root mean square of the differences of adjacent ones, milliseconds.
    pub rmssd: f64,
}

/// Sums over the five minutes under way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FiveMinutes {
    window: Option<i64>,
    last: Option<(i64, bool)>,
    last_ms: Option<f64>,
    count: u32,
    first_ms: f64,
    sum: f64,
    squares: f64,
    pairs: u32,
    steps: f64,
}

impl FiveMinutes {
    /// Takes a beat; gives the window before if this beat is the first of a new one.
    pub fn beat(&mut self, beat: &Beat) -> Option<Short> {
        if self.last.is_some_and(|(time_us, _)| beat.time_us <= time_us) {
            return None;
        }
        let window = beat.time_us.div_euclid(WINDOW_US);
        let ended = match self.window.replace(window) {
            Some(before) if before != window => self.finish(before),
            _ => None,
        };
        let normal = beat.class == BeatClass::Normal;
        let interval = self.last.replace((beat.time_us, normal)).and_then(|(time_us, was_normal)| {
            let ms = beat.time_us.saturating_sub(time_us) as f64 / 1_000.0;
            (normal && was_normal && (SHORTEST_MS..=LONGEST_MS).contains(&ms)).then_some(ms)
        });
        let before = core::mem::replace(&mut self.last_ms, interval);
        if let Some(ms) = interval {
            if self.count == 0 {
                self.first_ms = ms;
            }
            // Sums are of what is over the first, so that squares do not drown the variance.
            let over = ms - self.first_ms;
            self.count += 1;
            self.sum += over;
            self.squares += over * over;
            if let Some(before) = before {
                self.pairs += 1;
                self.steps += (ms - before) * (ms - before);
            }
        }
        ended
    }

    /// The signal was not to be believed: the next beat follows none.
    pub fn broken(&mut self) {
        (self.last, self.last_ms) = (None, None);
    }

    fn finish(&mut self, window: i64) -> Option<Short> {
        let count = f64::from(self.count);
        let short = (self.count >= FEWEST && self.pairs > 0).then(|| Short {
            time_us: (window + 1).saturating_mul(WINDOW_US),
            count: self.count,
            sdnn: ((self.squares - self.sum * self.sum / count).max(0.0) / (count - 1.0)).sqrt(),
            rmssd: (self.steps / f64::from(self.pairs)).sqrt(),
        });
        (self.count, self.sum, self.squares, self.pairs, self.steps) = (0, 0.0, 0.0, 0, 0.0);
        short
    }
}
