//! The time line of one waveform channel: where the samples of a message belong.
//!
//! Samples are counted, not timed: within a stretch the place of a sample is its number over the
//! rate, so 62.5 Hz stays 62.5 Hz for ever. A message's time and running number say whether it goes
//! on where the last one ended; what does not fit has one stated behaviour each, and is counted:
//!
//! | What comes | What becomes of it | Counted as |
//! |---|---|---|
//! | later than expected | a new stretch; the gap stays a gap | `wave-gap` |
//! | numbers left out | as above | `wave-frame-missing` |
//! | already there, whole | nothing: what is stored stays | `wave-repeated` |
//! | already there, in part | the rest goes on | `wave-overlap` |
//! | earlier, where nothing is | a stretch of its own; not analysed | `wave-late` |
//! | next number, but another time | goes on: the clock jumped, the heart did not | `wave-clock-jump` |
//! | another rate | a new stretch | `wave-rate-changed` |
//! | times that drift away from the count | a new stretch in the right place | `wave-drift-corrected` |

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use vitals::Rate;
use vitals::time::SECOND;

/// Stretches remembered, to know what is already there.
const REMEMBERED: usize = 8;
/// Times of a device's own clock may be off by this much from one message to the next…
const JITTER_DEVICE: i64 = 30_000;
/// …those that we had to correct or to make up by this much…
const JITTER_OURS: i64 = 400_000;
/// …and where numbers say that nothing is missing, by this much.
const JITTER_NUMBERED: i64 = 500_000;
/// A stretch that time of receipt disagrees with by more than this is given up.
const ASTRAY: i64 = 10 * SECOND;
/// Share of a new deviation in the smoothed one.
const SMOOTHING: i64 = 16;
/// Smoothed deviations of corrected or made-up times are believed from here on.
const DRIFT_OURS: i64 = 100_000;

/// Where a channel is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    stretch: Option<Stretch>,
    /// Running number of the last message that went on.
    sequence: Option<u32>,
    /// Ends of earlier stretches, oldest first: begin and end in microseconds.
    earlier: Vec<(i64, i64)>,
    /// Smoothed time of message less time by count, in microseconds × [`SMOOTHING`].
    deviation: i64,
    /// Smoothed time of receipt less time by count, in microseconds.
    delay_us: Option<i64>,
    /// Sampling clock against the device's clock, in parts per million, as last corrected.
    drift_ppm: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stretch {
    anchor: i64,
    rate: Rate,
    next: u64,
    /// Where the deviation was last zero, for the size of a drift.
    since: i64,
}

impl Stretch {
    fn end(&self) -> i64 {
        self.anchor.saturating_add(self.rate.micros(self.next))
    }
}

/// The samples of one message of one channel, as far as they are to be placed.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Time of the first sample, in microseconds.
    pub time: i64,
    /// Whether that is by the device's own clock, uncorrected.
    pub own_clock: bool,
    /// When the message came, in microseconds; none for a recording.
    pub received: Option<i64>,
    /// Running number of the message.
    pub sequence: Option<u32>,
    /// Sampling rate.
    pub rate: Rate,
    /// Number of samples, at least 1.
    pub count: u64,
}

impl Arrival {
    fn end(&self) -> i64 {
        self.time.saturating_add(self.rate.micros(self.count))
    }
}

/// A run of an arrival's samples in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Sample 0 of the stretch, in microseconds.
    pub anchor: i64,
    /// Number in the stretch of the first sample.
    pub first: u64,
    /// Which samples of the arrival.
    pub from: u64,
    /// One past the last.
    pub to: u64,
    /// Whether it goes on at the end of what is known: only that is analysed.
    pub newest: bool,
    /// Whether something is missing before it, or the count began anew.
    pub begins: bool,
}

/// Where the samples belong, and what is to be counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Placed {
    /// In order of the arrival's samples; none of it if all were there.
    pub parts: SmallVec<[Part; 1]>,
    /// Reasons, with numbers.
    pub counted: SmallVec<[(&'static str, u64); 2]>,
}

/// How a running number follows the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Unknown,
    Next,
    Skips(u32),
    Before,
}

impl Timeline {
    /// The rate of the stretch that lasts.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.stretch.map(|stretch| stretch.rate)
    }

    /// When the next sample is due, in microseconds.
    #[must_use]
    pub fn end(&self) -> Option<i64> {
        self.stretch.map(|stretch| stretch.end())
    }

    /// How much faster (positive: slower) than its nominal rate the channel runs by the device's
    /// clock, in parts per million, as last corrected.
    #[must_use]
    pub fn drift_ppm(&self) -> Option<i32> {
        self.drift_ppm
    }

    /// Places an arrival.
    pub fn place(&mut self, arrival: &Arrival) -> Placed {
        let mut placed = Placed::default();
        let Some(stretch) = self.stretch else {
            self.begin(arrival, arrival.time, &mut placed);
            return placed;
        };
        if stretch.rate != arrival.rate {
            placed.counted.push(("wave-rate-changed", 1));
            let overlaps = arrival.time < stretch.end() - JITTER_DEVICE;
            self.leave();
            if overlaps {
                self.fill(arrival, &mut placed);
            } else {
                self.begin(arrival, arrival.time, &mut placed);
            }
            return placed;
        }
        let follows = self.follows(arrival.sequence);
        let off = arrival.time.saturating_sub(stretch.end());
        let half = arrival.rate.micros(arrival.count) / 2;
        let jitter = match (follows, arrival.own_clock) {
            (Follows::Next, _) => JITTER_NUMBERED,
            // A number from before with the next time: the device began to count anew.
            (_, true) | (Follows::Before, _) => JITTER_DEVICE.min(half),
            _ => JITTER_OURS,
        };
        if off.abs() <= jitter {
            self.go_on(arrival, off, &mut placed);
        } else if follows == Follows::Next && self.clock_jumped(arrival) {
            placed.counted.push(("wave-clock-jump", 1));
            self.append(arrival, 0, false, &mut placed);
        } else if off > 0 {
            placed.counted.push(("wave-gap", 1));
            if let Follows::Skips(missing) = follows {
                placed.counted.push(("wave-frame-missing", u64::from(missing)));
            }
            self.leave();
            self.begin(arrival, arrival.time, &mut placed);
        } else {
            self.fill(arrival, &mut placed);
        }
        placed
    }

    fn follows(&self, sequence: Option<u32>) -> Follows {
        let (Some(last), Some(now)) = (self.sequence, sequence) else { return Follows::Unknown };
        match now.wrapping_sub(last) {
            1 => Follows::Next,
            0 | 0x8000_0000.. => Follows::Before,
            ahead => Follows::Skips(ahead - 1),
        }
    }

    /// Nothing is missing by number; whether it is only the time that jumped: it came when the next
    /// samples were due, or, back in time, cannot be where it says.
    fn clock_jumped(&self, arrival: &Arrival) -> bool {
        let (Some(received), Some(delay), Some(stretch)) = (arrival.received, self.delay_us, self.stretch)
        else {
            return false;
        };
        let due = stretch.end().saturating_add(arrival.rate.micros(arrival.count));
        let late = received.saturating_sub(due).saturating_sub(delay);
        let off = arrival.time.saturating_sub(stretch.end());
        // A true pause shows in the time of receipt as well.
        late.abs() < ASTRAY && (off < 0 || late < off / 2)
    }

    /// Goes on where the last samples ended, and watches the drift between count and clock.
    fn go_on(&mut self, arrival: &Arrival, off: i64, placed: &mut Placed) {
        self.deviation += off - self.deviation / SMOOTHING;
        let deviation = self.deviation / SMOOTHING;
        let period = arrival.rate.micros(1).max(1);
        let bearable = if arrival.own_clock { period.max(2_000) } else { DRIFT_OURS };
        let Some(stretch) = self.stretch.filter(|_| deviation.abs() > bearable) else {
            self.append(arrival, 0, false, placed);
            return;
        };
        placed.counted.push(("wave-drift-corrected", 1));
        let span = stretch.end().saturating_sub(stretch.since).max(1);
        self.drift_ppm = i32::try_from(deviation.saturating_mul(1_000_000) / span).ok();
        let place = stretch.end().saturating_add(deviation);
        self.leave();
        self.begin(arrival, place, placed);
        if let Some(part) = placed.parts.last_mut() {
            // Nothing is missing: the analysis goes on.
            part.begins = false;
        }
    }

    fn begin(&mut self, arrival: &Arrival, anchor: i64, placed: &mut Placed) {
        self.stretch = Some(Stretch { anchor, rate: arrival.rate, next: 0, since: anchor });
        self.deviation = 0;
        self.delay_us = None;
        self.append(arrival, 0, true, placed);
    }

    /// Samples from `from` on go to the end of the stretch.
    fn append(&mut self, arrival: &Arrival, from: u64, begins: bool, placed: &mut Placed) {
        let Some(stretch) = &mut self.stretch else { return };
        placed.parts.push(Part {
            anchor: stretch.anchor,
            first: stretch.next,
            from,
            to: arrival.count,
            newest: true,
            begins,
        });
        stretch.next += arrival.count - from;
        self.sequence = arrival.sequence;
        if let Some(received) = arrival.received {
            let delay = received.saturating_sub(stretch.end());
            self.delay_us = Some(self.delay_us.map_or(delay, |old| old + (delay - old) / 8));
        }
    }

    /// The lasting stretch becomes an earlier one.
    fn leave(&mut self) {
        if let Some(stretch) = self.stretch.take() {
            self.remember(stretch.anchor, stretch.end());
        }
    }

    fn remember(&mut self, from: i64, to: i64) {
        if self.earlier.len() == REMEMBERED {
            self.earlier.remove(0);
        }
        self.earlier.push((from, to));
    }

    /// Samples from before the end of what is known: those that are there already are not stored
    /// again, those that fill a hole are, and those behind the end go on.
    fn fill(&mut self, arrival: &Arrival, placed: &mut Placed) {
        let mut covered: SmallVec<[(i64, i64); 9]> = self.earlier.iter().copied().collect();
        covered.extend(self.stretch.map(|stretch| (stretch.anchor, stretch.end())));
        let half = arrival.rate.micros(1) / 2;
        let index = |time: i64| {
            arrival.rate.index_at(time.saturating_sub(half).saturating_sub(arrival.time)).min(arrival.count)
        };
        let mut free: SmallVec<[(u64, u64); 4]> = SmallVec::from_slice(&[(0, arrival.count)]);
        for (from, to) in covered {
            let (from, to) = (index(from), index(to));
            let cut = |(a, b): (u64, u64)| [(a, b.min(from)), (a.max(to), b)];
            free = free.iter().flat_map(|span| cut(*span)).filter(|(a, b)| a < b).collect();
        }
        let there = arrival.count - free.iter().map(|(a, b)| b - a).sum::<u64>();
        match there {
            0 => {}
            all if all == arrival.count => placed.counted.push(("wave-repeated", all)),
            some => placed.counted.push(("wave-overlap", some)),
        }
        let end = self.stretch.map_or(i64::MIN, |stretch| stretch.end());
        for (from, to) in free {
            let start = arrival.time.saturating_add(arrival.rate.micros(from));
            if to == arrival.count && arrival.end() > end && start >= end.saturating_sub(2 * half) {
                match self.stretch.filter(|_| start.saturating_sub(end) <= JITTER_DEVICE) {
                    Some(_) => self.append(arrival, from, false, placed),
                    None => {
                        let rest = Arrival { time: start, count: arrival.count - from, ..*arrival };
                        let mut part = Placed::default();
                        self.leave();
                        self.begin(&rest, start, &mut part);
                        placed.parts.extend(part.parts.into_iter().map(|part| Part {
                            from: part.from + from,
                            to: part.to + from,
                            ..part
                        }));
                    }
                }
            } else {
                placed.counted.push(("wave-late", to - from));
                placed.parts.push(Part { anchor: start, first: 0, from, to, newest: false, begins: true });
                let end = start.saturating_add(arrival.rate.micros(to - from));
                self.remember(start, end);
            }
        }
    }
}

#[cfg(test)]
mod tests;
