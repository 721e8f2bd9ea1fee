//! Rhythms made of ventricular beats: couplets, runs, ventricular tachycardia, bigeminy, trigeminy.

use serde::{Deserialize, Serialize};

use super::rate::Finding;
use crate::shape::{Beat, BeatClass};

/// Beats that a pattern looks back on: three times every third.
const KEPT: usize = 10;
/// Ventricular beats in a row, and their rate a minute, that are ventricular tachycardia.
const TACHYCARDIA_BEATS: u32 = 5;
const TACHYCARDIA_RATE: f32 = 100.0;

/// Ventricular beats in a row that end at the last beat.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Run {
    pub beats: u32,
    /// From its first beat to its last, milliseconds.
    pub lasted_ms: f32,
    pub confidence: f32,
}

/// The types of the last beats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pattern {
    /// Whether each of the last beats was ventricular, newest in bit 0, and whether it is known at all.
    ventricular: u16,
    known: u8,
    run: Run,
    /// Intervals of the run's last four, milliseconds, newest first: its rate now.
    newest: [f32; 4],
    /// Beats since a pattern was last complete.
    since_bigeminy: u8,
    since_trigeminy: u8,
    others: u8,
    /// Time that the last beats took, newest first, milliseconds.
    intervals: [f32; KEPT],
}

impl Default for Pattern {
    fn default() -> Self {
        Pattern {
            ventricular: 0,
            known: 0,
            run: Run::default(),
            newest: [0.0; 4],
            since_bigeminy: u8::MAX,
            since_trigeminy: u8::MAX,
            others: u8::MAX,
            intervals: [0.0; KEPT],
        }
    }
}

impl Pattern {
    /// Takes a beat and the interval before it; none if that is not to be believed.
    pub(super) fn beat(&mut self, beat: &Beat, interval_ms: Option<f32>) {
        let Some(ms) = interval_ms else {
            self.broken();
            return;
        };
        let is = beat.class == BeatClass::Ventricular;
        self.ventricular = self.ventricular << 1 | u16::from(is);
        self.known = (self.known + 1).min(KEPT as u8);
        self.intervals.rotate_right(1);
        self.intervals[0] = ms;
        if is {
            self.others = 0;
            if self.run.beats > 0 {
                self.run.lasted_ms += ms;
                self.newest.rotate_right(1);
                self.newest[0] = ms;
            }
            self.run.beats += 1;
            self.run.confidence += (beat.confidence - self.run.confidence) / self.run.beats as f32;
        } else {
            self.others = self.others.saturating_add(1);
            self.run = Run::default();
        }
        let complete = |mask: u16, want: u16, length: u8| self.known >= length && self.ventricular & mask == want;
        // Newest first: V N V N V N, or the other way about; for three: V N N three times over.
        let two = complete(0b11_1111, 0b01_0101, 6) || complete(0b11_1111, 0b10_1010, 6);
        let three = [0b0_0100_1001, 0b0_1001_0010, 0b1_0010_0100].iter().any(|&want| complete(0b1_1111_1111, want, 9));
        self.since_bigeminy = if two { 0 } else { self.since_bigeminy.saturating_add(1) };
        self.since_trigeminy = if three { 0 } else { self.since_trigeminy.saturating_add(1) };
    }

    /// The chain of beats is broken.
    pub(super) fn broken(&mut self) {
        *self = Pattern::default();
    }

    /// The run that goes on.
    pub(super) fn run(&self) -> Run {
        self.run
    }

    /// Ventricular tachycardia.
    pub(super) fn tachycardia(&self) -> Option<Finding> {
        if self.run.beats >= TACHYCARDIA_BEATS {
            let mean = self.newest.iter().sum::<f32>() / self.newest.len() as f32;
            let holds = mean <= 60_000.0 / TACHYCARDIA_RATE;
            return Some(Finding { holds, since_ms: self.run.lasted_ms, confidence: self.run.confidence });
        }
        (self.others >= 2).then_some(Finding { holds: false, since_ms: 0.0, confidence: 1.0 })
    }

    /// Every second beat ventricular.
    pub(super) fn bigeminy(&self) -> Option<Finding> {
        self.pattern(self.since_bigeminy, 6)
    }

    /// Every third beat ventricular.
    pub(super) fn trigeminy(&self) -> Option<Finding> {
        self.pattern(self.since_trigeminy, 9)
    }

    fn pattern(&self, since: u8, length: usize) -> Option<Finding> {
        if since == 0 {
            let since_ms = self.intervals[..length - 1].iter().sum();
            return Some(Finding { holds: true, since_ms, confidence: 0.9 });
        }
        (since >= 6).then_some(Finding { holds: false, since_ms: 0.0, confidence: 1.0 })
    }
}
