//! From samples to the slope sum: averaging to at most 160 a second, smoothing, and the sum of the
//! rises of the last tenths of a second.

use serde::{Deserialize, Serialize};
use vitals::Rate;

/// Samples are averaged in groups until there are at most so many a second.
const INNER_HZ_MAX: f32 = 160.0;
/// Length of each of the two moving averages that smooth the signal, seconds (Zong: about 16 Hz).
const SMOOTH_S: f32 = 0.024;
/// Slots of a moving average: enough for 160 Hz.
const SMOOTH_MAX: usize = 4;
/// A value from here on, or one that is not a number, is missing.
const HIGHEST: f32 = 1e9;
/// A hole of missing samples longer than this is a gap, seconds.
const HOLE_S: f32 = 0.2;

/// What has become of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Taken {
    /// It was averaged with others, or bridges a small hole.
    Kept,
    /// The hole is too long: what was under way is over.
    Missing,
    /// The first inner sample of a stretch, of this level.
    First(f32),
    /// An inner sample: its level, the step from the one before, and the slope sum.
    Inner(f32, f32, f32),
}

/// The filters of one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Slope {
    /// So many samples are averaged to one inner sample.
    group: u32,
    grouped: u32,
    group_sum: f32,
    inner_hz: f32,
    /// Length of each moving average, inner samples.
    smooth: u8,
    raw: [f32; SMOOTH_MAX],
    once: [f32; SMOOTH_MAX],
    smooth_slot: u8,
    /// The rises of the window of the slope sum.
    rises: Vec<f32>,
    rises_sum: f32,
    rises_slot: u8,
    /// Whether the smoothing holds samples of this stretch.
    primed: bool,
    level: f32,
    held: f32,
    missing: u32,
}

impl Slope {
    /// For a channel of this rate, with a window of `window_s` seconds.
    pub fn new(rate: Rate, window_s: f32) -> Self {
        let hz = rate.hz() as f32;
        let group = libm::ceilf(hz / INNER_HZ_MAX).max(1.0);
        let inner_hz = hz / group;
        let samples = |seconds: f32| libm::roundf(seconds * inner_hz).max(1.0) as usize;
        Self {
            group: group as u32,
            grouped: 0,
            group_sum: 0.0,
            inner_hz,
            smooth: samples(SMOOTH_S).min(SMOOTH_MAX) as u8,
            raw: [0.0; SMOOTH_MAX],
            once: [0.0; SMOOTH_MAX],
            smooth_slot: 0,
            rises: vec![0.0; samples(window_s)],
            rises_sum: 0.0,
            rises_slot: 0,
            primed: false,
            level: 0.0,
            held: 0.0,
            missing: 0,
        }
    }

    /// Inner samples a second.
    pub fn hz(&self) -> f32 {
        self.inner_hz
    }

    /// By how much the smoothing and the averaging are late, inner samples.
    pub fn delay(&self) -> f64 {
        let group = f64::from(self.group);
        f64::from(self.smooth) - 1.0 + (group - 1.0) / (2.0 * group)
    }

    /// Samples are missing before the next.
    pub fn gap(&mut self) {
        self.primed = false;
        (self.grouped, self.group_sum, self.missing) = (0, 0.0, 0);
    }

    /// Takes one sample; NaN is a missing one.
    #[inline]
    pub fn take(&mut self, value: f32) -> Taken {
        if value.abs() < HIGHEST {
            (self.held, self.missing) = (value, 0);
        } else {
            self.missing = self.missing.saturating_add(1);
            let hole = self.missing as f32 > HOLE_S * self.inner_hz * self.group as f32;
            if hole || !self.primed {
                let over = self.primed;
                self.primed = false;
                (self.grouped, self.group_sum) = (0, 0.0);
                return if over { Taken::Missing } else { Taken::Kept };
            }
        }
        self.grouped += 1;
        self.group_sum += self.held;
        if self.grouped < self.group {
            return Taken::Kept;
        }
        let inner = self.group_sum / self.group as f32;
        (self.grouped, self.group_sum) = (0, 0.0);
        if !self.primed {
            self.prime(inner);
            return Taken::First(inner);
        }
        let step = self.smoothed(inner) - self.level;
        self.level += step;
        let humps = self.summed(step.max(0.0));
        Taken::Inner(self.level, step, humps)
    }

    /// The first inner sample of a stretch: as if the signal had always been there.
    fn prime(&mut self, value: f32) {
        self.primed = true;
        let used = usize::from(self.smooth);
        self.raw[..used].fill(value);
        self.once[..used].fill(value);
        self.rises.fill(0.0);
        self.rises_sum = 0.0;
        self.level = value;
    }

    /// Two moving averages, one after the other: a triangle of weights, delay `smooth − 1`.
    fn smoothed(&mut self, value: f32) -> f32 {
        let length = usize::from(self.smooth);
        let slot = usize::from(self.smooth_slot);
        self.smooth_slot = if slot + 1 == length { 0 } else { slot as u8 + 1 };
        self.raw[slot] = value;
        // Slots that are not used hold zero.
        self.once[slot] = self.raw.iter().sum::<f32>() / length as f32;
        self.once.iter().sum::<f32>() / length as f32
    }

    fn summed(&mut self, rise: f32) -> f32 {
        let slot = usize::from(self.rises_slot);
        self.rises_slot = if slot + 1 == self.rises.len() { 0 } else { slot as u8 + 1 };
        self.rises_sum += rise - self.rises[slot];
        self.rises[slot] = rise;
        if slot == 0 {
            // Summed anew once a round, so that rounding never adds up.
            self.rises_sum = self.rises.iter().sum();
        }
        self.rises_sum.max(0.0)
    }
}
