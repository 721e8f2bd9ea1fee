//! One heart beat out of what several leads show.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use super::channel::Channel;
use crate::ecg::{Detection, Fused, Fuser, MAX_LEADS, Types};
use crate::{Beat, WaveKind};

/// Steps further apart than this leave out a time in which no channel was heard.
const JUMP_US: i64 = 1_000_000;
/// No two beats are nearer.
const REFRACTORY_US: i64 = 150_000;

/// The leads of one patient, as many as are taken together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Leads {
    /// Their channels.
    numbers: Vec<u32>,
    brought: Option<Together>,
    last_us: Option<i64>,
    /// The end of the step before.
    stepped_us: Option<i64>,
    ready: VecDeque<(Beat, u32, f32)>,
}

/// What brings leads together and tells the types of beats; made anew when leads come or go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Together {
    fuser: Fuser,
    types: Types,
}

impl Leads {
    /// Takes what stands out in a lead.
    pub fn take(&mut self, channel: u32, time_us: i64, detection: &Detection) {
        let lead = self.numbers.iter().position(|number| *number == channel);
        let (Some(lead), Some(together)) = (lead, &mut self.brought) else { return };
        if !together.fuser.is_single() {
            together.fuser.take(lead, time_us, detection);
        } else if detection.is_beat() {
            self.beat(&Fused { at_us: time_us, ..Fused::single(detection) });
        }
    }

    /// All that stands out in a lead up to `time_us` has been taken.
    pub fn complete(&mut self, channel: u32, time_us: i64, present: bool) {
        let lead = self.numbers.iter().position(|number| *number == channel);
        if let (Some(lead), Some(together)) = (lead, &mut self.brought) {
            together.fuser.complete(lead, time_us, present);
        }
    }

    /// A step begins. If the last ended long ago, what was found before it is given first.
    pub fn begin(&mut self, now_us: i64) {
        if self.stepped_us.replace(now_us).is_some_and(|before| now_us - before > JUMP_US) {
            self.finish();
        }
    }

    /// What the leads show was interrupted: gives what was found.
    fn finish(&mut self) {
        let mut beats = Vec::new();
        if let Some(together) = &mut self.brought {
            together.fuser.gap(&mut beats);
        }
        beats.iter().for_each(|beat| self.beat(beat));
        if let Some(together) = &mut self.brought {
            together.types.gap();
        }
    }

    /// A step has ended: the leads are brought together as far as all have come.
    pub fn step(&mut self, channels: &[Channel], now_us: i64) {
        let leads = channels.iter().filter(|channel| channel.kind == WaveKind::Ecg && channel.joins_us <= now_us);
        let leads = leads.take(MAX_LEADS);
        if !leads.clone().map(|channel| channel.number).eq(self.numbers.iter().copied()) {
            self.finish();
            self.numbers = leads.map(|channel| channel.number).collect();
            let count = self.numbers.len();
            self.brought = (count > 0).then(|| Together { fuser: Fuser::new(count), types: Types::new(count) });
            return;
        }
        let mut beats = Vec::new();
        if let Some(together) = self.brought.as_mut().filter(|together| !together.fuser.is_single()) {
            for (lead, channel) in leads.enumerate() {
                if !channel.is_heard(now_us) {
                    together.fuser.complete(lead, now_us, false);
                }
            }
            together.fuser.conclude(&mut beats);
        }
        beats.iter().for_each(|beat| self.beat(beat));
    }

    fn beat(&mut self, fused: &Fused) {
        // Where leads come and go a beat may be seen twice.
        let seen = self.last_us.is_some_and(|last| fused.at_us < last + REFRACTORY_US);
        let (Some(together), false) = (&mut self.brought, seen) else { return };
        let Some(&channel) = self.numbers.get(fused.lead) else { return };
        self.last_us = Some(fused.at_us);
        let height = fused.forms[fused.lead].map_or(0.0, |form| form.height_mv.abs());
        self.ready.push_back((together.types.beat(fused), channel, height));
    }

    /// The next beat, with its lead and its height there.
    pub fn next(&mut self) -> Option<(Beat, u32, f32)> {
        self.ready.pop_front()
    }
}
