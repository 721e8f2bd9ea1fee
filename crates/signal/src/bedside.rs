//! All waveforms of one patient together: every channel is analysed as its samples arrive, and
//! what the channels say is brought together in the order of time, whatever the order and the size
//! of the blocks in which they came (SI-1).
//!
//! Channels are analysed sample by sample. What they find waits, with the time at which it became
//! known, until all channels that are alive have been heard up to that time; then it is taken in
//! steps of a quarter second. A channel not heard for three seconds holds the others up no longer. A
//! new channel takes part from two to three seconds after its first sample on.
//!
//! Samples of all channels share one clock. Blocks up to two seconds long, in any order within one
//! frame, give the same findings; so does any division of one channel's samples.

mod analysis;
mod channel;
mod confirm;
mod finding;
mod fusion;
mod heart;
mod leads;
mod rhythm;
mod taken;

use serde::{Deserialize, Serialize};

use crate::{Block, WaveKind};
use analysis::Found;
use channel::Channel;
pub use finding::{Derived, Finding};
use fusion::Fusion;

/// As many channels of a patient are analysed; further ones are not.
pub const CHANNELS_MAX: usize = 16;
/// Findings of the channels are brought together in steps of this length.
const STEP_US: i64 = 250_000;
/// A channel not heard for so long holds the others up no longer.
const ALIVE_US: i64 = 3_000_000;
/// When no channel has been heard for so long, time passes by the clock.
const SILENT_US: i64 = 10_000_000;

/// Times further from 1970 are none: what a double keeps to the microsecond.
const TIME_MAX_US: u64 = 1 << 53;

/// Samples a second of what is a waveform.
const WAVE_HZ: core::ops::RangeInclusive<f64> = 1.0..=20_000.0;

/// The waveforms of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bedside {
    channels: Vec<Channel>,
    /// The end of the step that was taken last.
    stepped_us: Option<i64>,
    /// Time has passed up to here, heard on a channel or not.
    newest_us: i64,
    /// The clock since which nothing was heard, and the end of the samples then.
    silent_since: Option<(i64, i64)>,
    fusion: Fusion,
}

impl Bedside {
    /// Takes a block of one channel; what is concluded from it is added to `out`.
    ///
    /// A channel is made when it is first heard. If the kind of a channel changes it is made anew. A
    /// block whose time is none (before 1685 or after 2255), or that is no waveform (less than one or
    /// more than 20,000 samples a second), is left out.
    pub fn push(&mut self, channel: u32, kind: WaveKind, block: &Block<'_>, out: &mut Vec<Finding>) {
        let timely = block.start_us.unsigned_abs() <= TIME_MAX_US;
        if !timely || !WAVE_HZ.contains(&block.rate.hz()) || block.values.is_empty() {
            return;
        }
        if let Some(index) = self.place(channel, kind, block) {
            if !self.channels[index].take(block) {
                // A clock that went back by more than a repetition can: nothing from before holds.
                *self = Self::default();
                let mut anew = Channel::new(channel, kind, block);
                anew.take(block);
                self.channels.push(anew);
            }
            self.advance(out);
        }
    }

    /// Time passes; `now_us` is told about once a second, whether samples come or not.
    ///
    /// As long as any channel is heard its samples tell the time, even if that is long ago (a recording
    /// that is played, a device that sends late). When none was heard for ten seconds time goes on for
    /// another ten without samples, so that it is told that nothing is known any more.
    pub fn pass(&mut self, now_us: i64, out: &mut Vec<Finding>) {
        if self.channels.is_empty() || now_us.unsigned_abs() > TIME_MAX_US {
            return;
        }
        let heard_us = self.heard_us();
        let since = self.silent_since.filter(|since| since.1 == heard_us && since.0 <= now_us);
        let (began_us, _) = *self.silent_since.insert(since.unwrap_or((now_us, heard_us)));
        let silent_us = (now_us - began_us).min(2 * SILENT_US);
        if silent_us > SILENT_US && heard_us + silent_us > self.newest_us {
            self.newest_us = heard_us + silent_us;
            self.advance(out);
        }
    }

    /// The end of the newest samples of all channels.
    fn heard_us(&self) -> i64 {
        self.channels.iter().map(Channel::end_us).max().unwrap_or(self.newest_us)
    }

    /// The channel is no longer this patient's.
    pub fn remove(&mut self, channel: u32) {
        self.channels.retain(|known| known.number != channel);
    }

    /// Where the channel is kept; none if there are too many.
    fn place(&mut self, number: u32, kind: WaveKind, block: &Block<'_>) -> Option<usize> {
        match self.channels.iter().position(|channel| channel.number == number) {
            Some(index) if self.channels[index].kind == kind => Some(index),
            Some(index) => {
                self.channels[index] = Channel::new(number, kind, block);
                Some(index)
            }
            None if self.channels.len() < CHANNELS_MAX => {
                // In the order of their numbers, so that the order of arrival leaves no trace.
                let index = self.channels.partition_point(|channel| channel.number < number);
                self.channels.insert(index, Channel::new(number, kind, block));
                Some(index)
            }
            None => None,
        }
    }

    /// Takes all steps for which everything is known.
    fn advance(&mut self, out: &mut Vec<Finding>) {
        self.newest_us = self.newest_us.max(self.heard_us());
        while let Some(next_us) = self.next_step() {
            let alive = |channel: &&Channel| {
                channel.joins_us <= next_us && channel.end_us() >= self.newest_us - ALIVE_US
            };
            let known = self.channels.iter().filter(alive).all(|channel| channel.end_us() >= next_us);
            if !known || next_us > self.newest_us {
                break;
            }
            self.stepped_us = Some(next_us);
            self.step(next_us, out);
        }
    }

    /// The end of the next step. Where no channel was heard for a while there is nothing to do, and
    /// the steps go on where samples do.
    fn next_step(&self) -> Option<i64> {
        let first_us = self.channels.iter().map(|channel| channel.joins_us).min()?;
        let Some(stepped_us) = self.stepped_us else {
            return Some(on_grid(first_us));
        };
        let heard = self.channels.iter().map(|channel| channel.heard_us(stepped_us)).max()?;
        if stepped_us - heard < 2 * SILENT_US {
            return Some(stepped_us + STEP_US);
        }
        let resumed = self.channels.iter().map(Channel::stretch_us).filter(|begin| *begin > stepped_us).min();
        Some(resumed.map_or(i64::MAX, on_grid))
    }

    /// One step: takes what was found up to its end, oldest first, then draws the conclusions.
    fn step(&mut self, now_us: i64, out: &mut Vec<Finding>) {
        self.fusion.leads.begin(now_us);
        loop {
            let oldest = self.channels.iter().enumerate();
            let oldest = oldest.filter_map(|(index, channel)| Some((channel.oldest(now_us)?, index))).min();
            let Some((order, index)) = oldest else { break };
            let channel = &mut self.channels[index];
            let Some(found) = channel.next(order) else { break };
            if channel.joins_us > now_us {
                continue;
            }
            match found {
                Found::Detection(time_us, detection) => {
                    self.fusion.leads.take(channel.number, time_us, &detection);
                }
                Found::Complete(time_us, present) => self.fusion.leads.complete(channel.number, time_us, present),
                Found::Pulse(foot_us, pulse) => {
                    if channel.taken.pulse(foot_us, &pulse) {
                        self.fusion.pulse(channel.number, foot_us, &pulse);
                    }
                }
                Found::Breath(peak_us) => channel.taken.breathing.push(peak_us),
                Found::Verdict(verdict) => channel.taken.second(channel.number, verdict, out),
            }
        }
        self.fusion.step(&mut self.channels, now_us, out);
        self.channels.iter_mut().for_each(|channel| channel.passed(now_us));
    }
}

/// The first end of a step at or after `time_us`.
fn on_grid(time_us: i64) -> i64 {
    time_us.div_euclid(STEP_US) * STEP_US + if time_us.rem_euclid(STEP_US) > 0 { STEP_US } else { 0 }
}
