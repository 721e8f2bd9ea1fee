//! One heart beat out of what several leads show.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use super::channel::Channel;
use crate::ecg::{Detection, Fused, Fuser, MAX_LEADS, Stage, Types};
use crate::trail::Trail;
use crate::{Beat, WaveKind};

/// Steps further apart than this leave out a time in which no channel was heard.
const JUMP_US: i64 = 1_000_000;
/// Heights of so many complexes are kept.
const HEIGHTS: usize = 8;
/// The height of a beat is of what stands out this near to it.
const NEAR_US: i64 = 120_000;
/// Heights are taken of another lead when one has not shown so many beats.
const MISSED_MAX: u8 = 5;
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
    /// Lead and height of what stood out last, until the leads are brought together.
    heights: Trail<(u8, f32), HEIGHTS>,
    /// The lead that heights are taken of, and beats that it did not show.
    steady: Option<u8>,
    missed: u8,
    ready: VecDeque<(Beat, u32, Option<(u32, f32)>)>,
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
        // A lead alone is told of with the beat itself.
        let told = if together.fuser.is_single() { Stage::Beat } else { Stage::Seen };
        if detection.stage == told {
            if told == Stage::Beat {
                self.heights.clear();
            }
            self.heights.push(time_us, (lead as u8, detection.height));
        }
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
            self.steady = None;
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
        let Some(&channel) = self.numbers.get(fused.lead).filter(|_| !seen) else { return };
        let Some(together) = &mut self.brought else { return };
        self.last_us = Some(fused.at_us);
        let beat = together.types.beat(fused);
        let height = self.height(fused);
        self.ready.push_back((beat, channel, height));
    }

    /// The height of a beat in the lead that heights are taken of: heights of different leads cannot
    /// be compared, so it is another lead only when this one showed no beat for a while. The energy in
    /// the band of the QRS complex is taken: it follows breathing better than millivolts do.
    fn height(&mut self, fused: &Fused) -> Option<(u32, f32)> {
        let steady = self.steady.map_or(fused.lead, usize::from);
        let mut seen = self.heights.newest_first();
        let of_it = |seen: &(i64, &(u8, f32))| {
            usize::from(seen.1.0) == steady && (seen.0 - fused.at_us).abs() <= NEAR_US
        };
        let height = seen.find(of_it).map(|seen| seen.1.1);
        self.missed = if height.is_some() { 0 } else { self.missed.saturating_add(1) };
        self.steady = if self.missed > MISSED_MAX { None } else { Some(steady as u8) };
        Some((*self.numbers.get(steady)?, height?))
    }

    /// The next beat, with its lead, and its height in the lead that heights are taken of.
    pub fn next(&mut self) -> Option<(Beat, u32, Option<(u32, f32)>)> {
        self.ready.pop_front()
    }
}
