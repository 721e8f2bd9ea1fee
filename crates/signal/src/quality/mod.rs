//! How far a signal is to be believed, second by second, and why not.
//!
//! A [`Meter`] takes the samples of one channel in physical units and at any rate, and gives one
//! [`Verdict`] for each second: an index from 0 to 100 and, where it is not good, the reason. Seconds are
//! counted in samples since the stretch began, so that any division into blocks gives the same verdicts.
//! Electrocardiograms also get the measures of a fibrillating waveform ([`Oscillation`]), since
//! they are made of the same pass over the samples.
//!
//! What is deliberately absent: beats, other channels, and what to do about a bad signal.

mod grid;
mod judge;
mod oscillation;
mod second;

use serde::{Deserialize, Serialize};

use crate::shape::{Block, Reason, WaveKind};
use grid::Grid;
pub use judge::BELIEVABLE;
use judge::Memory;
pub use oscillation::Oscillation;
use oscillation::Oscillator;
use second::Second;

/// A channel slower than this is not a waveform, and is not judged.
const SLOWEST_HZ: f64 = 4.0;

/// What one second of a channel is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// End of the second, microseconds since 1970 UTC.
    pub time_us: i64,
    /// 0 (worth nothing) to 100 (clean).
    pub index: u8,
    /// What spoils it most, where the index is below 80.
    pub reason: Option<Reason>,
    /// Greatest less smallest value of the second, in the channel's unit.
    pub range: f32,
    /// For an electrocardiogram: how far its last four seconds look like fibrillation.
    pub oscillation: Oscillation,
}

impl Verdict {
    /// Whether conclusions may be drawn from this second.
    #[must_use]
    pub fn believable(&self) -> bool {
        self.index >= BELIEVABLE
    }
}

/// Judges one channel, second by second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meter {
    kind: WaveKind,
    grid: Option<Grid>,
    second: Second,
    memory: Memory,
    oscillator: Option<Box<Oscillator>>,
}

impl Meter {
    /// A meter for a channel of this kind.
    #[must_use]
    pub fn new(kind: WaveKind) -> Self {
        Meter { kind, grid: None, second: Second::default(), memory: Memory::default(), oscillator: None }
    }

    /// Takes the samples of a block and hands a verdict to `out` for each second that they complete.
    ///
    /// A gap ends the second under way; what it lacks counts as missing.
    pub fn push(&mut self, block: &Block<'_>, mut out: impl FnMut(Verdict)) {
        let fresh = match &self.grid {
            None => true,
            Some(grid) => block.gap_before || !grid.continues(block),
        };
        if fresh {
            if let Some(grid) = &self.grid {
                if self.second.samples() > 0 {
                    let lacking = grid.lacking();
                    self.second.lack(lacking);
                    let time_us = grid.sample_us();
                    out(self.close(time_us));
                }
            }
            self.begin(block);
        }
        let Some(mut grid) = self.grid.take() else { return };
        for &value in block.values {
            if self.second.take(value) {
                if let Some(oscillator) = &mut self.oscillator {
                    oscillator.take(value);
                }
            }
            grid.advance();
            while let Some(whole) = grid.crossed() {
                self.second.close_eighth();
                if whole {
                    out(self.close(grid.second_us()));
                }
            }
        }
        self.grid = Some(grid);
    }

    /// Begins a new stretch at this block.
    fn begin(&mut self, block: &Block<'_>) {
        if block.rate.hz() < SLOWEST_HZ {
            self.grid = None;
            return;
        }
        self.grid = Some(Grid::new(block.start_us, block.rate));
        self.second.begin(self.kind, block.rate.hz() as f32);
        self.oscillator = match self.kind {
            WaveKind::Ecg => Some(Box::new(Oscillator::new(block.rate.hz() as f32))),
            _ => None,
        };
    }

    /// Judges the second that has ended.
    fn close(&mut self, time_us: i64) -> Verdict {
        let sums = self.second.finish();
        let (oscillation, alone) = self.oscillator.as_mut().map(|o| o.finish()).unwrap_or_default();
        let (index, reason) = self.memory.judge(self.kind, &sums, alone.like_fibrillation(0.55, 0.4));
        Verdict { time_us, index, reason, range: sums.range(), oscillation }
    }
}
