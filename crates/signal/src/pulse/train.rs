//! The last pulses of one channel: which are to be believed, their rate and pressures.

use serde::{Deserialize, Serialize};

use super::{Pulse, PulseKind};
use crate::trail::Trail;

/// So many pulses are kept.
const KEPT: usize = 16;
/// Rates and pressures are of so many microseconds.
const WINDOW_US: i64 = 10_000_000;
/// The height of a pulse over the usual height.
const STRENGTH: std::ops::RangeInclusive<f32> = 0.35..=2.8;
/// So many pulses in a row of another height are the new usual ones.
const NEW_USUAL: u8 = 5;
/// A single clean wave has 1; a dicrotic wave adds some tenths, noise much more.
const ROUGHNESS_MAX: f32 = 2.0;
/// Heights a second: pressure rises by 1,500 mmHg/s at most, volume more slowly. Above is a jump.
const STEEPNESS_MAX: f32 = 28.0;

/// What is kept of a pulse.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Seen {
    foot: f32,
    peak: f32,
    /// 0 until the next pulse ends the beat.
    mean: f32,
    good: bool,
    /// Whether the interval since the pulse before is one beat's.
    joined: bool,
}

/// The last pulses of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Train {
    kind: PulseKind,
    seen: Trail<Seen, KEPT>,
    /// Usual height; 0 until known.
    usual: f32,
    unusual: u8,
}

/// A pulse rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PulseRate {
    /// Beats a minute.
    pub per_min: f32,
    /// How far it is to be believed, 0 to 1: the share of the window that good pulses fill.
    pub confidence: f32,
}

/// Pressures of the last seconds, medians over the beats, mmHg.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pressures {
    /// Highest of each beat.
    pub systolic: f32,
    /// At the foot of each beat.
    pub diastolic: f32,
    /// Integral over each beat, divided by its length.
    pub mean: f32,
    /// How far they are to be believed, 0 to 1.
    pub confidence: f32,
}

/// What the pulses of a stretch of time say of whether the heart beats.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Good pulses in it.
    pub good: u32,
    /// All pulses in it.
    pub all: u32,
    /// The longest time without a good pulse in it, microseconds.
    pub longest_us: i64,
    /// Median interval of the good pulses, milliseconds; 0 if there are none.
    pub interval_ms: f32,
    /// Mean height of the good pulses; 0 if there are none.
    pub height: f32,
}

impl Train {
    /// No pulses yet.
    #[must_use]
    pub fn new(kind: PulseKind) -> Self {
        Self { kind, seen: Trail::default(), usual: 0.0, unusual: 0 }
    }

    /// Takes a pulse whose foot is at `foot_us`; whether it is to be believed.
    pub fn push(&mut self, foot_us: i64, pulse: &Pulse) -> bool {
        if let (Some(last), Some(mean)) = (self.seen.newest_mut(), pulse.mean_before) {
            last.mean = mean;
        }
        let good = self.judge(pulse);
        let joined = pulse.interval_ms.is_some();
        self.seen.push(foot_us, Seen { foot: pulse.foot, peak: pulse.peak, mean: 0.0, good, joined });
        good
    }

    /// Sun's limits, the height among its neighbours, and how straight the wave goes.
    fn judge(&mut self, pulse: &Pulse) -> bool {
        let height = pulse.peak - pulse.foot;
        let shape = pulse.roughness <= ROUGHNESS_MAX
            && pulse.steepness <= STEEPNESS_MAX
            && (30.0..=600.0).contains(&pulse.rise_ms);
        let level = self.kind == PulseKind::Volume
            || ((15.0..=300.0).contains(&pulse.peak) && (5.0..=200.0).contains(&pulse.foot) && (6.0..=180.0).contains(&height));
        if !shape || !level {
            return false;
        }
        if self.usual == 0.0 {
            self.usual = height;
        }
        if !STRENGTH.contains(&(height / self.usual)) {
            self.unusual += 1;
            if self.unusual < NEW_USUAL {
                return false;
            }
            self.usual = height;
        }
        self.unusual = 0;
        self.usual += (height - self.usual) / 8.0;
        true
    }

    /// The usual height of a pulse; 0 until known.
    #[must_use]
    pub fn usual(&self) -> f32 {
        self.usual
    }

    /// The rate of the ten seconds before `now_us`, if there are three good intervals.
    #[must_use]
    pub fn rate(&self, now_us: i64) -> Option<PulseRate> {
        let mut intervals = [0.0_f32; KEPT];
        let mut count = 0;
        let mut first_us = i64::MAX;
        for (_, _, interval_ms) in self.recent(now_us).filter(|(_, seen, interval_ms)| seen.good && *interval_ms > 0.0) {
            intervals[count] = interval_ms;
            count += 1;
        }
        for (foot_us, _, interval_ms) in self.recent(now_us) {
            first_us = first_us.min(foot_us - (interval_ms * 1_000.0) as i64);
        }
        if count < 3 {
            return None;
        }
        let middle = median(&mut intervals[..count]);
        let near = 0.55 * middle..=1.8 * middle;
        let kept = || intervals[..count].iter().filter(|interval| near.contains(interval));
        let sum: f32 = kept().sum();
        let span_ms = (now_us - first_us.max(now_us - WINDOW_US)) as f32 / 1_000.0;
        // The newest beat is not complete: up to one interval and a half is forgiven.
        let covered = (sum / (span_ms - 1.5 * middle).max(middle)).min(1.0);
        Some(PulseRate { per_min: 60_000.0 * kept().count() as f32 / sum, confidence: covered * self.goodness(now_us) })
    }

    /// The pressures of the ten seconds before `now_us`, if there are three good beats.
    #[must_use]
    pub fn pressures(&self, now_us: i64) -> Option<Pressures> {
        let of = |value: fn(&Seen) -> f32| {
            let mut values = [0.0_f32; KEPT];
            let mut count = 0;
            for (_, seen, _) in self.recent(now_us).filter(|(_, seen, _)| seen.good && seen.mean != 0.0) {
                values[count] = value(seen);
                count += 1;
            }
            (count >= 3).then(|| median(&mut values[..count]))
        };
        Some(Pressures {
            systolic: of(|seen| seen.peak)?,
            diastolic: of(|seen| seen.foot)?,
            mean: of(|seen| seen.mean)?,
            confidence: self.goodness(now_us),
        })
    }

    /// What the time between `from_us` and `to_us` says of whether the heart beats.
    #[must_use]
    pub fn evidence(&self, from_us: i64, to_us: i64) -> Evidence {
        let mut evidence = Evidence::default();
        let (mut later_us, mut heights) = (to_us, 0.0);
        let (mut intervals, mut count) = ([0.0_f32; KEPT], 0);
        for (foot_us, seen, interval_ms) in self.all().filter(|(foot_us, ..)| (from_us..=to_us).contains(foot_us)) {
            evidence.all += 1;
            if seen.good {
                evidence.good += 1;
                heights += seen.peak - seen.foot;
                evidence.longest_us = evidence.longest_us.max(later_us - foot_us);
                later_us = foot_us;
                if interval_ms > 0.0 {
                    intervals[count] = interval_ms;
                    count += 1;
                }
            }
        }
        evidence.longest_us = evidence.longest_us.max(later_us - from_us);
        evidence.height = heights / evidence.good.max(1) as f32;
        evidence.interval_ms = median(&mut intervals[..count]);
        evidence
    }

    /// The share of good pulses among those of the window.
    fn goodness(&self, now_us: i64) -> f32 {
        let all = self.recent(now_us).count();
        let good = self.recent(now_us).filter(|(_, seen, _)| seen.good).count();
        if all == 0 { 0.0 } else { good as f32 / all as f32 }
    }

    /// Pulses with the time of their foot and the interval before them (milliseconds, 0 if it is not
    /// known), newest first.
    fn all(&self) -> impl Iterator<Item = (i64, &Seen, f32)> {
        let before = self.seen.newest_first().skip(1).map(|(foot_us, _)| Some(foot_us));
        self.seen.newest_first().zip(before.chain(core::iter::once(None))).map(|((foot_us, seen), before)| {
            let interval = before.filter(|_| seen.joined).map_or(0.0, |before| (foot_us - before) as f32 / 1_000.0);
            (foot_us, seen, interval)
        })
    }

    fn recent(&self, now_us: i64) -> impl Iterator<Item = (i64, &Seen, f32)> {
        self.all().filter(move |(foot_us, ..)| *foot_us > now_us - WINDOW_US && *foot_us <= now_us)
    }
}

/// The median; 0 of none. The values are put in order.
pub(crate) fn median(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}
