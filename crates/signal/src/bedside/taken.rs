//! What the steps have taken of one channel: its pulses, breaths and seconds.

use serde::{Deserialize, Serialize};

use super::Finding;
use crate::pulse::{Pulse, PulseKind, Train};
use crate::quality::{BELIEVABLE, Verdict};
use crate::respiration::Breathing;
use crate::{Reason, WaveKind};

/// The index of a channel is told again when it has moved so far, or the reason is another, but not
/// within this time of the last.
const MOVED: u8 = 20;
const MOVED_US: i64 = 10_000_000;
/// That a channel can be believed again is told not within this time of the last.
const ROSE_US: i64 = 3_000_000;

/// The index of a channel that others contradict is no higher.
const DOUBTED: u8 = 20;

/// What is kept of one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Taken {
    /// The pulses, of a channel that has some.
    pub train: Option<Train>,
    /// The breaths, of a channel that has some.
    pub breathing: Breathing,
    /// The newest second.
    pub verdict: Option<Verdict>,
    /// The quality that was told last, and when.
    told: Option<(u8, Option<Reason>, i64)>,
    /// What its pulses are like while the rhythm is calm.
    pub calm: Option<Calm>,
    /// Why other channels say that this one is not to be believed.
    doubt: Option<Reason>,
}

/// Pulses of a calm time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Calm {
    /// From pulse to pulse, milliseconds.
    pub interval_ms: f32,
    /// From foot to peak, in the channel's unit.
    pub height: f32,
}

impl Taken {
    pub fn new(kind: WaveKind) -> Self {
        let train = match kind {
            WaveKind::Pleth => Some(Train::new(PulseKind::Volume)),
            WaveKind::ArterialPressure => Some(Train::new(PulseKind::Pressure)),
            _ => None,
        };
        Self { train, breathing: Breathing::default(), verdict: None, told: None, calm: None, doubt: None }
    }

    /// Takes a pulse; whether it is to be believed.
    pub fn pulse(&mut self, foot_us: i64, pulse: &Pulse) -> bool {
        self.train.as_mut().is_some_and(|train| train.push(foot_us, pulse))
    }

    /// Takes a second.
    pub fn second(&mut self, channel: u32, verdict: Verdict, out: &mut Vec<Finding>) {
        self.verdict = Some(verdict);
        self.tell(channel, verdict.time_us, false, out);
    }

    /// Other channels say that this one is not to be believed, or no longer say so.
    pub fn doubted(&mut self, channel: u32, doubt: Option<Reason>, now_us: i64, out: &mut Vec<Finding>) {
        if self.doubt != doubt {
            self.doubt = doubt;
            self.tell(channel, now_us, doubt.is_some(), out);
        }
    }

    /// Tells the quality if it is another than before.
    fn tell(&mut self, channel: u32, time_us: i64, at_once: bool, out: &mut Vec<Finding>) {
        let Some(verdict) = self.verdict else { return };
        let (mut index, mut reason) = (verdict.index, verdict.reason);
        if self.doubt.is_some() {
            (index, reason) = (index.min(DOUBTED), self.doubt);
        }
        let Some((told, why, told_us)) = self.told else {
            self.told = Some((index, reason, time_us));
            out.push(Finding::Quality { channel, index, reason, time_us });
            return;
        };
        let fell = told >= BELIEVABLE && index < BELIEVABLE;
        let rose = told < BELIEVABLE && index >= BELIEVABLE;
        let moved = why != reason || told.abs_diff(index) >= MOVED;
        // What became bad is told at once, other news when the last is no longer fresh.
        let waits_us = if fell || at_once { 0 } else if rose { ROSE_US } else { MOVED_US };
        if (fell || rose || moved) && time_us >= told_us + waits_us {
            self.told = Some((index, reason, time_us));
            out.push(Finding::Quality { channel, index, reason, time_us });
        }
    }

    /// How far the newest second is to be believed, 0 to 1; 1 if there was none yet.
    pub fn worth(&self) -> f32 {
        self.verdict.map_or(1.0, |verdict| f32::from(verdict.index) / 100.0)
    }
}
