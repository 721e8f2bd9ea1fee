//! What looks at the samples of a channel, and what it finds.

use serde::{Deserialize, Serialize};
use vitals::Rate;

use crate::WaveKind;
use crate::line::Line;
use crate::pulse::{Detector, Pulse, PulseKind};
use crate::quality::Verdict;
use crate::respiration::Breaths;

/// What looks at the samples, by the kind of wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Analysis {
    Pulse(Detector),
    Breath(Breaths),
    None,
}

/// What was found in one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Found {
    /// A pulse with the time of its foot.
    Pulse(i64, Pulse),
    /// A breath with the time of its peak.
    Breath(i64),
    /// A second of the signal.
    Verdict(Verdict),
}

impl Found {
    /// Of what is known at the same time, beats come before the second that they lie in.
    pub fn order(&self) -> u8 {
        match self {
            Found::Pulse(..) => 1,
            Found::Breath(_) => 2,
            Found::Verdict(_) => 3,
        }
    }

    /// When it was.
    pub fn time_us(&self) -> i64 {
        match self {
            Found::Pulse(time_us, _) | Found::Breath(time_us) => *time_us,
            Found::Verdict(verdict) => verdict.time_us,
        }
    }
}

impl Analysis {
    pub fn new(kind: WaveKind, rate: Rate, _start_us: i64) -> Self {
        match kind {
            WaveKind::Pleth => Self::Pulse(Detector::new(PulseKind::Volume, rate)),
            WaveKind::ArterialPressure => Self::Pulse(Detector::new(PulseKind::Pressure, rate)),
            WaveKind::Respiration => Self::Breath(Breaths::new(rate)),
            WaveKind::Ecg | WaveKind::Other => Self::None,
        }
    }

    /// Samples are missing; the next is at `start_us`.
    pub fn gap(&mut self, _start_us: i64, _found: impl FnMut(Found)) {
        match self {
            Self::Pulse(detector) => detector.gap(),
            Self::Breath(breaths) => breaths.gap(),
            Self::None => {}
        }
    }

    /// The time line was corrected: the next sample is at `start_us`.
    pub fn moved(&mut self, _start_us: i64) {}

    /// Takes samples and moves the line on with each.
    pub fn take(&mut self, values: &[f32], line: &mut Line, mut found: impl FnMut(Found)) {
        match self {
            Self::Pulse(detector) => {
                for &value in values {
                    line.advance();
                    if let Some(pulse) = detector.sample(value) {
                        found(Found::Pulse(line.last_us() - pulse.foot_ago_us, pulse));
                    }
                }
            }
            Self::Breath(breaths) => {
                for &value in values {
                    line.advance();
                    if let Some(breath) = breaths.sample(value) {
                        found(Found::Breath(line.last_us() - breath.peak_ago_us));
                    }
                }
            }
            Self::None => values.iter().for_each(|_| line.advance()),
        }
    }
}
