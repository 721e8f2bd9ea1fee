//! One heart beat out of what several leads show.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use super::channel::Channel;
use crate::ecg::{Detection, Fused, Fuser, MAX_LEADS, Stage};
use crate::{Beat, BeatClass, WaveKind};

/// Heights of so many complexes are kept until the leads are brought together.
const HEIGHTS: usize = 12;
/// The height of a beat is of a complex this near to it.
const NEAR_US: i64 = 120_000;
/// Steps further apart than this leave out a time in which no channel was heard.
const JUMP_US: i64 = 1_000_000;
/// No two beats are nearer.
const REFRACTORY_US: i64 = 150_000;

/// The leads of one patient, as many as are taken together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Leads {
    /// Their channels.
    numbers: Vec<u32>,
    fuser: Option<Fuser>,
    heights: VecDeque<(u32, i64, f32)>,
    last_us: Option<i64>,
    /// The end of the step before.
    stepped_us: Option<i64>,
    ready: VecDeque<(Beat, u32, f32)>,
}

impl Leads {
    /// Takes what stands out in a lead.
    pub fn take(&mut self, channel: u32, time_us: i64, detection: &Detection) {
        let Some(lead) = self.numbers.iter().position(|number| *number == channel) else { return };
        if detection.stage == Stage::Seen {
            if self.heights.len() == HEIGHTS {
                self.heights.pop_front();
            }
            self.heights.push_back((channel, time_us, detection.height));
        }
        match &mut self.fuser {
            Some(fuser) => fuser.take(lead, time_us, detection),
            None if detection.stage == Stage::Beat => self.beat(channel, time_us, detection.confidence()),
            None => {}
        }
    }

    /// All that stands out in a lead up to `time_us` has been taken.
    pub fn complete(&mut self, channel: u32, time_us: i64, present: bool) {
        let lead = self.numbers.iter().position(|number| *number == channel);
        if let (Some(lead), Some(fuser)) = (lead, &mut self.fuser) {
            fuser.complete(lead, time_us, present);
        }
    }

    /// A step begins. If the last ended long ago, what was found before it is given first.
    pub fn begin(&mut self, now_us: i64) {
        let jumped = self.stepped_us.replace(now_us).is_some_and(|before| now_us - before > JUMP_US);
        if let Some(fuser) = self.fuser.as_mut().filter(|_| jumped) {
            let mut beats = Vec::new();
            fuser.gap(&mut beats);
            beats.iter().for_each(|beat| self.fused(beat));
        }
    }

    /// A step has ended: the leads are brought together as far as all have come.
    pub fn step(&mut self, channels: &[Channel], now_us: i64) {
        let leads = channels.iter().filter(|channel| channel.kind == WaveKind::Ecg && channel.joins_us <= now_us);
        let same = leads.clone().take(MAX_LEADS).map(|channel| channel.number).eq(self.numbers.iter().copied());
        let mut beats = Vec::new();
        if let Some(fuser) = &mut self.fuser {
            for (lead, channel) in leads.clone().take(MAX_LEADS).enumerate().filter(|_| same) {
                if !channel.is_heard(now_us) {
                    fuser.complete(lead, now_us, false);
                }
            }
            if same {
                fuser.conclude(&mut beats);
            } else {
                fuser.gap(&mut beats);
            }
        }
        for beat in &beats {
            self.fused(beat);
        }
        if !same {
            self.numbers = leads.take(MAX_LEADS).map(|channel| channel.number).collect();
            self.fuser = (self.numbers.len() > 1).then(|| Fuser::new(self.numbers.len()));
        }
    }

    fn fused(&mut self, beat: &Fused) {
        if let Some(&channel) = self.numbers.get(beat.lead) {
            self.beat(channel, beat.at_us, beat.confidence);
        }
    }

    fn beat(&mut self, channel: u32, time_us: i64, confidence: f32) {
        // Where leads come and go a beat may be seen twice.
        if self.last_us.is_some_and(|last| time_us < last + REFRACTORY_US) {
            return;
        }
        self.last_us = Some(time_us);
        let of_it = |seen: &&(u32, i64, f32)| seen.0 == channel && (seen.1 - time_us).abs() <= NEAR_US;
        let height = self.heights.iter().rev().find(of_it).map_or(0.0, |seen| seen.2);
        let beat = Beat { time_us, class: BeatClass::Unclassifiable, confidence, width_ms: 0.0 };
        self.ready.push_back((beat, channel, height));
    }

    /// The next beat, with its lead and its height there.
    pub fn next(&mut self) -> Option<(Beat, u32, f32)> {
        self.ready.pop_front()
    }
}
