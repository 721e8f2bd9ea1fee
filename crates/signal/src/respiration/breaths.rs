//! Counting breaths in a respiration signal.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use vitals::Rate;

use super::RespRate;
use crate::pulse::median;
use crate::trail::Trail;

/// Samples are averaged in groups to about so many a second.
const INNER_HZ: f32 = 12.5;
/// Time constant of each of the two low passes, seconds: 0.8 Hz, so that breaths of 60 a minute
/// pass and most of the heart's own impedance does not.
const FAST_S: f32 = 0.2;
/// Time constant of the baseline, seconds: 0.04 Hz.
const SLOW_S: f32 = 4.0;
/// A swing counts if it is this share of the third quartile of the swings before.
const SHARE: f32 = 0.3;
/// So many swings are remembered.
const SWINGS: usize = 12;
/// So many breaths are remembered, and how long.
const BREATHS: usize = 14;
const WINDOW_US: i64 = 32_000_000;
/// Without a breath for so long the size of a swing that counts begins to fall, seconds.
const PATIENCE_S: f32 = 12.0;
/// It falls no lower than this share of what it was: the heart moves the chest too.
const PATIENCE_SHARE: f32 = 0.35;
/// Without a breath for so long all is learned anew: the signal is another than it was, seconds.
const FORGET_S: f32 = 60.0;
/// The first so many seconds only teach.
const LEARN_S: f32 = 6.0;
/// A value from here on, or one that is not a number, is missing.
const HIGHEST: f32 = 1e9;
/// A hole of missing samples longer than this is a gap, seconds.
const HOLE_S: f32 = 1.0;

/// One breath.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Breath {
    /// The end of inspiration lies so many microseconds before the newest sample.
    pub peak_ago_us: i64,
    /// From the trough to the peak, in the signal's unit, after filtering.
    pub height: f32,
}

/// A streaming breath counter for one channel, of 10 samples a second or more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breaths {
    group: u32,
    grouped: u32,
    sum: f32,
    inner_hz: f32,
    primed: bool,
    missing: u32,
    held: f32,
    fast: [f32; 2],
    slow: f32,
    taken: u64,
    learned: u32,
    /// Whether the signal is rising, from the trough, or falling, from the peak.
    rising: bool,
    peak: f32,
    peak_at: u64,
    trough: f32,
    /// Third quartile of the swings; 0 until learned.
    usual: f32,
    swings: VecDeque<f32>,
    /// When the last breath was: inner sample.
    last_at: u64,
}

impl Breaths {
    /// A counter for a channel of this rate.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let hz = rate.hz() as f32;
        let group = libm::roundf(hz / INNER_HZ).max(1.0);
        Self {
            group: group as u32,
            grouped: 0,
            sum: 0.0,
            inner_hz: hz / group,
            primed: false,
            missing: 0,
            held: 0.0,
            fast: [0.0; 2],
            slow: 0.0,
            taken: 0,
            learned: 0,
            rising: true,
            peak: 0.0,
            peak_at: 0,
            trough: 0.0,
            usual: 0.0,
            swings: VecDeque::with_capacity(SWINGS),
            last_at: 0,
        }
    }

    /// Samples are missing before the next.
    pub fn gap(&mut self) {
        self.primed = false;
        (self.grouped, self.sum, self.missing) = (0, 0.0, 0);
    }

    /// Takes one sample; NaN is a missing one. A breath, if its peak is now past.
    pub fn sample(&mut self, value: f32) -> Option<Breath> {
        if value.abs() < HIGHEST {
            (self.held, self.missing) = (value, 0);
        } else {
            self.missing += 1;
            if self.missing as f32 > HOLE_S * self.inner_hz * self.group as f32 {
                self.primed = false;
            }
            if !self.primed {
                (self.grouped, self.sum) = (0, 0.0);
                return None;
            }
        }
        self.grouped += 1;
        self.sum += self.held;
        if self.grouped < self.group {
            return None;
        }
        let inner = self.sum / self.group as f32;
        (self.grouped, self.sum) = (0, 0.0);
        self.inner(inner)
    }

    fn inner(&mut self, value: f32) -> Option<Breath> {
        if !self.primed {
            self.primed = true;
            self.fast = [value; 2];
            self.slow = value;
            (self.peak, self.trough, self.rising) = (0.0, 0.0, true);
            self.last_at = self.taken;
            self.learned = 0;
        }
        let quick = 1.0 / (1.0 + FAST_S * self.inner_hz);
        self.fast[0] += quick * (value - self.fast[0]);
        self.fast[1] += quick * (self.fast[0] - self.fast[1]);
        self.slow += (self.fast[1] - self.slow) / (1.0 + SLOW_S * self.inner_hz);
        self.taken += 1;
        self.turn(self.fast[1] - self.slow)
    }

    /// Follows the signal from trough to peak and back.
    fn turn(&mut self, level: f32) -> Option<Breath> {
        if (self.taken - self.last_at) as f32 > FORGET_S * self.inner_hz {
            (self.usual, self.learned, self.last_at) = (0.0, 0, self.taken);
            self.swings.clear();
            (self.peak, self.trough) = (level, level);
        }
        let enough = self.enough();
        if (self.learned as f32) < LEARN_S * self.inner_hz {
            self.learned += 1;
            (self.peak, self.trough) = (self.peak.max(level), self.trough.min(level));
            if self.learned as f32 >= LEARN_S * self.inner_hz {
                if self.usual == 0.0 {
                    self.usual = self.peak - self.trough;
                }
                (self.peak, self.trough, self.peak_at) = (level, level, self.taken);
                self.last_at = self.taken;
            }
            return None;
        }
        if self.rising {
            if level > self.peak {
                (self.peak, self.peak_at) = (level, self.taken);
            } else if self.peak - level > enough {
                self.rising = false;
                let height = self.peak - self.trough;
                self.trough = level;
                return (height > enough).then(|| self.breath(height));
            }
        } else if level < self.trough {
            self.trough = level;
        } else if level - self.trough > enough {
            self.rising = true;
            (self.peak, self.peak_at) = (level, self.taken);
        }
        None
    }

    /// How large a swing must be to count.
    fn enough(&self) -> f32 {
        let waited = (self.taken - self.last_at) as f32 / self.inner_hz;
        let kept = (1.0 - (waited - PATIENCE_S).max(0.0) / 20.0).max(PATIENCE_SHARE);
        (SHARE * self.usual * kept).max(f32::MIN_POSITIVE)
    }

    fn breath(&mut self, height: f32) -> Breath {
        if self.swings.len() == SWINGS {
            self.swings.pop_front();
        }
        self.swings.push_back(height);
        let mut swings = [0.0; SWINGS];
        let count = self.swings.len();
        swings.iter_mut().zip(&self.swings).for_each(|(slot, swing)| *slot = *swing);
        if count >= 3 {
            swings[..count].sort_unstable_by(f32::total_cmp);
            self.usual = swings[(3 * (count - 1)).div_ceil(4)];
        }
        self.last_at = self.peak_at;
        // The delay of the two low passes and of the group.
        let delay = 2.0 * FAST_S + 0.5 / self.inner_hz;
        let ago = (self.taken - self.peak_at) as f32 / self.inner_hz + delay;
        Breath { peak_ago_us: (f64::from(ago) * 1e6) as i64, height }
    }
}

/// The last breaths of a channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Breathing {
    peaks: Trail<(), BREATHS>,
}

impl Breathing {
    /// A breath whose peak was at `peak_us`.
    pub fn push(&mut self, peak_us: i64) {
        self.peaks.push(peak_us, ());
    }

    /// The rate of the half minute before `now_us`, of three breaths or more; none if the last breath
    /// was long ago.
    #[must_use]
    pub fn rate(&self, now_us: i64) -> Option<RespRate> {
        let mut intervals = [0.0_f32; BREATHS];
        let mut count = 0;
        let recent = || {
            let times = self.peaks.newest_first().map(|(peak_us, ())| peak_us);
            times.filter(move |peak_us| *peak_us > now_us - WINDOW_US && *peak_us <= now_us)
        };
        for (later, earlier) in recent().zip(recent().skip(1)) {
            intervals[count] = (later - earlier) as f32 / 1e6;
            count += 1;
        }
        if count < 2 {
            return None;
        }
        let mean = intervals[..count].iter().sum::<f32>() / count as f32;
        let middle = median(&mut intervals[..count]);
        let since = (now_us - recent().next()?) as f32 / 1e6;
        if since > 3.0 * mean + 2.0 {
            return None;
        }
        let near = intervals[..count].iter().filter(|interval| (**interval - middle).abs() < 0.3 * middle).count();
        Some(RespRate { per_min: 60.0 / mean, confidence: near as f32 / count as f32 })
    }
}
