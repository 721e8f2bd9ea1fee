//! One heart beat out of what several leads show.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use super::channel::Channel;
use crate::ecg::Detection;
use crate::{Beat, BeatClass, WaveKind};

/// Beats nearer than this are one.
const SAME_US: i64 = 150_000;

/// The beats of the lead that is best at the time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Leads {
    best: Option<u32>,
    last_us: Option<i64>,
    ready: VecDeque<(Beat, u32, f32)>,
}

impl Leads {
    /// Takes what stands out in a lead.
    pub fn take(&mut self, lead: u32, time_us: i64, detection: &Detection, channels: &[Channel]) {
        let worth = |channel: &&Channel| (channel.taken.worth() * 100.0) as i64 + 10 * i64::from(Some(channel.number) == self.best);
        let leads = channels.iter().filter(|channel| channel.kind == WaveKind::Ecg);
        self.best = leads.rev().max_by_key(worth).map(|channel| channel.number);
        if self.best != Some(lead) || !detection.beat || self.last_us.is_some_and(|last| time_us < last + SAME_US) {
            return;
        }
        self.last_us = Some(time_us);
        let class = BeatClass::Unclassifiable;
        let beat = Beat { time_us, class, confidence: detection.confidence(), width_ms: 0.0 };
        self.ready.push_back((beat, lead, detection.height));
    }

    /// The next beat, with its lead and its height there.
    pub fn next(&mut self, _now_us: i64) -> Option<(Beat, u32, f32)> {
        self.ready.pop_front()
    }
}
