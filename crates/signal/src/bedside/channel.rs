//! One channel: its time line, the analysis of its samples, and what was found but not yet taken.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use vitals::Rate;

use crate::line::{Join, Line};
use crate::pulse::{Detector, Pulse, PulseKind, Train};
use crate::{Block, WaveKind};

/// A new channel takes part so long after its first sample: its detectors learn until then, and in
/// whatever order the channels of a frame come, all are known by then.
const JOINS_AFTER_US: i64 = 2_000_000;

/// One channel of a patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Channel {
    pub number: u32,
    pub kind: WaveKind,
    line: Line,
    /// From here on it takes part in what is concluded, and is waited for.
    pub joins_us: i64,
    /// Times without samples that the steps have not passed yet.
    gaps: Vec<(i64, i64)>,
    analysis: Analysis,
    /// What was found, with the time of the sample that showed it.
    found: VecDeque<(i64, Found)>,
    /// The pulses taken, of a channel that has pulses.
    pub train: Option<Train>,
}

/// What looks at the samples, by the kind of wave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Analysis {
    Pulse(Detector),
    None,
}

/// What was found in one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) enum Found {
    /// A pulse with the time of its foot.
    Pulse(i64, Pulse),
}

impl Analysis {
    fn new(kind: WaveKind, rate: Rate) -> Self {
        match kind {
            WaveKind::Pleth => Self::Pulse(Detector::new(PulseKind::Volume, rate)),
            WaveKind::ArterialPressure => Self::Pulse(Detector::new(PulseKind::Pressure, rate)),
            _ => Self::None,
        }
    }

    fn gap(&mut self) {
        match self {
            Self::Pulse(detector) => detector.gap(),
            Self::None => {}
        }
    }
}

impl Channel {
    pub fn new(number: u32, kind: WaveKind, block: &Block<'_>) -> Self {
        let train = match kind {
            WaveKind::Pleth => Some(Train::new(PulseKind::Volume)),
            WaveKind::ArterialPressure => Some(Train::new(PulseKind::Pressure)),
            _ => None,
        };
        Self {
            number,
            kind,
            line: Line::begin(block),
            joins_us: block.start_us + JOINS_AFTER_US,
            gaps: Vec::new(),
            analysis: Analysis::new(kind, block.rate),
            found: VecDeque::new(),
            train,
        }
    }

    /// Takes a block. False if the channel's clock went back, so that all must begin anew.
    pub fn take(&mut self, block: &Block<'_>) -> bool {
        let rate = self.line.rate();
        let skip = match self.line.join(block) {
            Join::Onward { skip } => skip,
            Join::Gap { from_us, to_us } => {
                if to_us > from_us {
                    self.gaps.push((from_us, to_us));
                }
                if rate == block.rate {
                    self.analysis.gap();
                } else {
                    self.analysis = Analysis::new(self.kind, block.rate);
                }
                0
            }
            Join::Anew => return false,
        };
        for &value in &block.values[skip..] {
            self.line.advance();
            match &mut self.analysis {
                Analysis::Pulse(detector) => {
                    if let Some(pulse) = detector.sample(value) {
                        let now_us = self.line.last_us();
                        let found = Found::Pulse(now_us - pulse.foot_ago_us, pulse);
                        self.found.push_back((now_us, found));
                    }
                }
                Analysis::None => {}
            }
        }
        true
    }

    /// All samples before this time are known.
    pub fn end_us(&self) -> i64 {
        self.line.end_us()
    }

    /// When the present unbroken stretch began.
    pub fn stretch_us(&self) -> i64 {
        self.line.anchor_us()
    }

    /// The newest sample at or before `time_us`, roughly: the time up to which the channel was heard.
    pub fn heard_us(&self, time_us: i64) -> i64 {
        let gap = self.gaps.iter().find(|gap| gap.0 < time_us && time_us < gap.1);
        gap.map_or(time_us.min(self.end_us()), |gap| gap.0)
    }

    /// When the oldest thing found was known, if at or before `time_us`.
    pub fn oldest_us(&self, time_us: i64) -> Option<i64> {
        self.found.front().map(|found| found.0).filter(|known| *known <= time_us)
    }

    /// Takes the oldest thing found.
    pub fn next(&mut self) -> Option<Found> {
        self.found.pop_front().map(|found| found.1)
    }

    /// The steps have passed `time_us`.
    pub fn passed(&mut self, time_us: i64) {
        self.gaps.retain(|gap| gap.1 > time_us);
    }
}
