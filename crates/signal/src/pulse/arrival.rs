//! Pulse arrival time: from the R peak of the ECG to the foot of the pulse it sent.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

use super::train::median;
use crate::trail::Trail;

/// So many R peaks, feet that wait for theirs, and arrival times are kept.
const BEATS: usize = 10;
const FEET: usize = 8;
const KEPT: usize = 12;
/// A pulse cannot reach the radial artery or the finger sooner, or later, than this after the R
/// peak: pre-ejection 40 to 130 ms and transit 80 to 300 ms, and the monitor's own delay of the
/// pleth on top (Mukkamala et al., IEEE Trans Biomed Eng 2015;62:1879-1901).
const PLAUSIBLE_US: std::ops::RangeInclusive<i64> = 60_000..=600_000;
/// A foot waits so long for its R peak: the ECG may be analysed a little later than the pulse.
const WAIT_US: i64 = 1_500_000;
/// An arrival time is older than the window after this.
const WINDOW_US: i64 = 20_000_000;
/// Times that belong together lie within this of their median.
const NEAR_MS: f32 = 25.0;

/// The pulse arrival time of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    beats: Trail<(), BEATS>,
    feet: VecDeque<i64>,
    /// After how many milliseconds the pulses arrived.
    times: Trail<f32, KEPT>,
}

impl Arrival {
    /// An R peak.
    pub fn beat(&mut self, time_us: i64) {
        self.beats.push(time_us, ());
    }

    /// The foot of a good pulse.
    pub fn foot(&mut self, time_us: i64) {
        if self.feet.len() == FEET {
            self.feet.pop_front();
        }
        self.feet.push_back(time_us);
    }

    /// From now on feet come from another place on the body.
    pub fn other_channel(&mut self) {
        self.feet.clear();
        self.times.clear();
    }

    /// Time has passed up to `now_us`: feet that have waited long enough get their R peak, the
    /// latest that can have sent them.
    pub fn pass(&mut self, now_us: i64) {
        while let Some(&foot) = self.feet.front()
            && foot <= now_us - WAIT_US
        {
            self.feet.pop_front();
            let mut latest_first = self.beats.newest_first();
            if let Some((beat, ())) = latest_first.find(|(beat, ())| PLAUSIBLE_US.contains(&(foot - beat))) {
                self.times.push(foot, (foot - beat) as f32 / 1_000.0);
            }
        }
    }

    /// The median arrival time, milliseconds, and the share of beats that lie near it, 0 to 1; none
    /// of fewer than five beats, or if less than half lie near it.
    #[must_use]
    pub fn median_ms(&self, now_us: i64) -> Option<(f32, f32)> {
        let mut times = [0.0_f32; KEPT];
        let mut count = 0;
        for (_, time) in self.times.newest_first().filter(|(foot, _)| *foot > now_us - WINDOW_US) {
            times[count] = *time;
            count += 1;
        }
        if count < 5 {
            return None;
        }
        let middle = median(&mut times[..count]);
        let near = times[..count].iter().filter(|time| (**time - middle).abs() <= NEAR_MS).count();
        let share = near as f32 / count as f32;
        (share >= 0.5).then_some((middle, share))
    }
}
