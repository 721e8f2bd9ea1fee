//! Heart-rate variability by the definitions of the Task Force of the European Society of Cardiology and the North American
//! Society of Pacing and Electrophysiology (Circulation 1996;93:1043).
//!
//! Everything is computed from NN intervals: from one normal beat to the next, both from the sinus node and nothing missed
//! between them ([`normal_intervals`]). [`TimeDomain`] and [`FrequencyDomain`] are pure functions of the intervals of a
//! window; [`FiveMinutes`] gives SDNN and RMSSD of each five minutes while beats come.

mod frequency;
mod stream;
mod time;

use serde::{Deserialize, Serialize};

use crate::shape::{Beat, BeatClass};

pub use frequency::FrequencyDomain;
pub use stream::{FiveMinutes, Short};
pub use time::TimeDomain;

/// One interval between two normal beats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Nn {
    /// Time of the beat that ends it, microseconds since 1970 UTC.
    pub end_us: i64,
    /// Its length, milliseconds.
    pub ms: f64,
    /// Whether the interval before it ends where this one begins.
    pub follows: bool,
}

/// Shortest and longest interval that is taken for one between two normal beats, milliseconds (200 to 30/min).
const SHORTEST_MS: f64 = 300.0;
const LONGEST_MS: f64 = 2_000.0;

/// The NN intervals of beats in order of time: between normal beats in a row, of 300 to 2,000 ms.
#[must_use]
pub fn normal_intervals(beats: &[Beat]) -> Vec<Nn> {
    let mut intervals: Vec<Nn> = Vec::with_capacity(beats.len());
    let mut follows = false;
    for pair in beats.windows(2) {
        let ms = pair[1].time_us.saturating_sub(pair[0].time_us) as f64 / 1_000.0;
        let normal = pair.iter().all(|beat| beat.class == BeatClass::Normal);
        let taken = normal && (SHORTEST_MS..=LONGEST_MS).contains(&ms);
        if taken {
            intervals.push(Nn { end_us: pair[1].time_us, ms, follows });
        }
        follows = taken;
    }
    intervals
}
