//! One channel: its time line, the analysis of its samples, and what was found but not yet taken.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use super::analysis::{Analysis, Found};
use super::taken::Taken;
use super::{STEP_US, on_grid};
use crate::line::{Join, Line};
use crate::quality::Meter;
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
    meter: Meter,
    /// What was found, with the end of the step in which it was known.
    found: VecDeque<(i64, Found)>,
    /// What the steps have taken of it.
    pub taken: Taken,
}

impl Channel {
    pub fn new(number: u32, kind: WaveKind, block: &Block<'_>) -> Self {
        Self {
            number,
            kind,
            line: Line::begin(block),
            joins_us: block.start_us.saturating_add(JOINS_AFTER_US),
            gaps: Vec::new(),
            analysis: Analysis::new(kind, block.rate, block.start_us),
            meter: Meter::new(kind),
            found: VecDeque::new(),
            taken: Taken::new(kind),
        }
    }

    /// Takes a block. False if the channel's clock went back, so that all must begin anew.
    pub fn take(&mut self, block: &Block<'_>) -> bool {
        let (rate, anchor_us) = (self.line.rate(), self.line.anchor_us());
        let mut fresh = false;
        let skip = match self.line.join(block) {
            Join::Onward { skip } => skip,
            Join::Gap { from_us, to_us } => {
                if to_us > from_us {
                    self.gaps.push((from_us, to_us));
                }
                fresh = true;
                if rate == block.rate {
                    let found = &mut self.found;
                    self.analysis.gap(block.start_us, |what| found.push_back((on_grid(block.start_us), what)));
                } else {
                    self.analysis = Analysis::new(self.kind, block.rate, block.start_us);
                    self.meter = Meter::new(self.kind);
                }
                0
            }
            Join::Anew => return false,
        };
        if !fresh && self.line.anchor_us() != anchor_us {
            self.analysis.moved(block.start_us);
        }
        let mut values = &block.values[skip..];
        while !values.is_empty() {
            // Samples are taken step by step, so that what they show is known at the end of a step
            // however they were divided into blocks.
            let start_us = self.line.end_us();
            let until_us = on_grid(start_us.saturating_add(1));
            let count = self.line.samples_until(until_us).clamp(1, values.len());
            let (now, later) = values.split_at(count);
            self.take_piece(&Block { start_us, rate: block.rate, values: now, gap_before: fresh }, until_us);
            (values, fresh) = (later, false);
        }
        true
    }

    /// Takes samples that lie in one step, which ends at `until_us`.
    fn take_piece(&mut self, piece: &Block<'_>, until_us: i64) {
        let found = &mut self.found;
        self.meter.push(piece, |verdict| found.push_back((until_us, Found::Verdict(verdict))));
        let line = &mut self.line;
        self.analysis.take(piece.values, line, |what| found.push_back((until_us, what)));
        if self.line.samples_until(until_us) == 0 {
            self.analysis.step(|what| found.push_back((until_us, what)));
        }
    }

    /// All samples before this time are known.
    pub fn end_us(&self) -> i64 {
        self.line.end_us()
    }

    /// When the present unbroken stretch began.
    pub fn stretch_us(&self) -> i64 {
        self.line.anchor_us()
    }

    /// The time up to which the channel was heard, as it was at `time_us`.
    pub fn heard_us(&self, time_us: i64) -> i64 {
        if time_us < self.joins_us - JOINS_AFTER_US {
            return i64::MIN / 2;
        }
        let gap = self.gaps.iter().find(|gap| gap.0 < time_us && time_us < gap.1);
        gap.map_or(time_us.min(self.end_us()), |gap| gap.0)
    }

    /// Whether samples came in the second before `time_us`.
    pub fn is_heard(&self, time_us: i64) -> bool {
        self.heard_us(time_us) > time_us - 4 * STEP_US
    }

    /// What the oldest thing known by `time_us` is ordered by.
    pub fn oldest(&self, time_us: i64) -> Option<(i64, u8, i64)> {
        let known = self.found.iter().filter(|found| found.0 <= time_us);
        known.map(|(known_us, found)| (*known_us, found.order(), found.time_us())).min()
    }

    /// Takes the thing that [`oldest`](Self::oldest) told of.
    pub fn next(&mut self, order: (i64, u8, i64)) -> Option<Found> {
        let is_it = |(known_us, found): &(i64, Found)| (*known_us, found.order(), found.time_us()) == order;
        let index = self.found.iter().position(is_it)?;
        self.found.remove(index).map(|found| found.1)
    }

    /// The steps have passed `time_us`.
    pub fn passed(&mut self, time_us: i64) {
        self.gaps.retain(|gap| gap.1 > time_us);
    }
}
