//! The heart as the electrocardiogram shows it: fused beats, their rate, and what breathing does to
//! them.

use serde::{Deserialize, Serialize};

use crate::Beat;
use crate::respiration::Modulation;
use crate::trail::Trail;

/// So many beats are kept.
const KEPT: usize = 16;
/// The heart rate is of the beats of so many microseconds, or the last three if it is slow.
const WINDOW_US: i64 = 10_000_000;
const SLOW_WINDOW_US: i64 = 20_000_000;
/// An interval longer than this was not one of two beats, microseconds.
const INTERVAL_MAX_US: i64 = 6_000_000;

/// The last beats.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Heart {
    /// Confidence of each, hundredths.
    beats: Trail<u8, KEPT>,
    /// Height of the QRS complex and interval, of one lead.
    pub modulation: Modulation<2>,
    modulated: Option<u32>,
}

/// A heart rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct HeartRate {
    pub per_min: f32,
    pub confidence: f32,
}

impl Heart {
    /// Takes a beat, and the height of its complex in a lead.
    pub fn beat(&mut self, beat: &Beat, height: Option<(u32, f32)>) {
        if let (Some(last_us), Some((lead, height))) = (self.beats.newest_us(), height) {
            let interval_us = beat.time_us - last_us;
            if self.modulated != Some(lead) {
                (self.modulation, self.modulated) = (Modulation::default(), Some(lead));
            }
            if interval_us < INTERVAL_MAX_US {
                self.modulation.push(beat.time_us, [height, interval_us as f32 / 1_000.0]);
            }
        }
        self.beats.push(beat.time_us, (beat.confidence * 100.0) as u8);
    }

    /// When the last beat was.
    pub fn last_us(&self) -> Option<i64> {
        self.beats.newest_us()
    }

    /// The rate of the last ten seconds.
    pub fn rate(&self, now_us: i64) -> Option<HeartRate> {
        self.rate_within(now_us, WINDOW_US, 3).or_else(|| self.rate_within(now_us, SLOW_WINDOW_US, 2))
    }

    fn rate_within(&self, now_us: i64, window_us: i64, least: usize) -> Option<HeartRate> {
        let recent = || self.beats.newest_first().filter(move |beat| beat.0 > now_us - window_us);
        let (first, last) = (recent().last()?.0, recent().next()?.0);
        let intervals = recent().count() - 1;
        // A rate is of the present: the next beat may be late, but not by more than a beat and a half.
        let mean_us = (last - first) / intervals.max(1) as i64;
        if intervals < least || now_us - last > (mean_us * 5 / 2).max(3_000_000) {
            return None;
        }
        let confidence = recent().map(|beat| f32::from(*beat.1)).sum::<f32>() / (100.0 * recent().count() as f32);
        Some(HeartRate { per_min: 60e6 / mean_us as f32, confidence })
    }

    /// Mean interval of the beats between two times, milliseconds, and how many there are.
    pub fn interval_ms(&self, from_us: i64, to_us: i64) -> Option<(f32, usize)> {
        let within = || self.beats.newest_first().filter(move |beat| (from_us..=to_us).contains(&beat.0));
        let (first, last) = (within().last()?.0, within().next()?.0);
        let intervals = within().count() - 1;
        (intervals > 0).then(|| ((last - first) as f32 / intervals as f32 / 1_000.0, intervals))
    }
}
