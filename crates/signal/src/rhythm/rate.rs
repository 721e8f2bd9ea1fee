//! Rhythms that are only a matter of rate.

use serde::{Deserialize, Serialize};

/// Intervals that are remembered: 17 beats have 16.
const KEPT: usize = 16;

/// Whether a rhythm holds; given only when it can be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Finding {
    pub holds: bool,
    /// How long it has held for when it was found, milliseconds.
    pub since_ms: f32,
    pub confidence: f32,
}

/// The last intervals between beats.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Rates {
    /// Milliseconds, newest first.
    intervals: [f32; KEPT],
    known: u8,
}

/// Rates a minute at which a rhythm begins and ends, over so many intervals.
struct Bounds {
    fast: bool,
    begin: f32,
    begin_over: usize,
    end: f32,
    end_over: usize,
}

impl Rates {
    /// Takes the interval before a beat; none if it is not to be believed.
    pub(super) fn beat(&mut self, interval_ms: Option<f32>) {
        let Some(ms) = interval_ms else { return self.broken() };
        self.intervals.rotate_right(1);
        self.intervals[0] = ms;
        self.known = (self.known + 1).min(KEPT as u8);
    }

    /// The chain of beats is broken.
    pub(super) fn broken(&mut self) {
        self.known = 0;
    }

    /// Mean interval of the newest `count`, if so many are known.
    fn mean_ms(&self, count: usize) -> Option<f32> {
        (usize::from(self.known) >= count).then(|| self.intervals[..count].iter().sum::<f32>() / count as f32)
    }

    /// The same without the longest of them, for slow rhythms: one pause makes no slow rhythm.
    fn mean_without_pause_ms(&self, count: usize) -> Option<f32> {
        let mean = self.mean_ms(count)?;
        let longest = self.intervals[..count].iter().copied().fold(0.0, f32::max);
        Some((mean * count as f32 - longest) / (count - 1) as f32)
    }

    fn within(&self, bounds: &Bounds) -> Option<Finding> {
        let (begin_ms, end_ms) = (60_000.0 / bounds.begin, 60_000.0 / bounds.end);
        let beyond = |mean: f32, limit: f32| if bounds.fast { mean < limit } else { mean > limit };
        let over = bounds.begin_over;
        if let Some(mean) = if bounds.fast { self.mean_ms(over) } else { self.mean_without_pause_ms(over) } {
            if beyond(mean, begin_ms) {
                let excess = if bounds.fast { begin_ms / mean } else { mean / begin_ms } - 1.0;
                let since_ms = mean * over as f32;
                return Some(Finding { holds: true, since_ms, confidence: (0.7 + 2.0 * excess).min(1.0) });
            }
        }
        match self.mean_ms(bounds.end_over) {
            Some(mean) if !beyond(mean, end_ms) => Some(Finding { holds: false, since_ms: 0.0, confidence: 1.0 }),
            _ => None,
        }
    }

    pub(super) fn extreme_tachycardia(&self) -> Option<Finding> {
        self.within(&Bounds { fast: true, begin: 140.0, begin_over: 16, end: 135.0, end_over: 8 })
    }

    pub(super) fn extreme_bradycardia(&self) -> Option<Finding> {
        self.within(&Bounds { fast: false, begin: 40.0, begin_over: 4, end: 42.0, end_over: 4 })
    }

    pub(super) fn tachycardia(&self) -> Option<Finding> {
        self.within(&Bounds { fast: true, begin: 100.0, begin_over: 8, end: 95.0, end_over: 12 })
    }

    pub(super) fn bradycardia(&self) -> Option<Finding> {
        self.within(&Bounds { fast: false, begin: 50.0, begin_over: 8, end: 54.0, end_over: 12 })
    }
}
