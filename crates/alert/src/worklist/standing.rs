//! Where a patient stands in the list: by points that move only when something has really changed,
//! so that nobody jumps about.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use vitals::time::SECOND;

use crate::worklist::rank::{Rank, Reason};
use crate::worklist::Weights;

/// A patient's standing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The points as last weighed.
    pub points: f64,
    /// The points by which the list is ordered.
    pub settled: f64,
    /// Since when, in microseconds on the patient's clock.
    pub since: i64,
    /// Why, biggest reason first.
    pub reasons: Vec<Reason>,
    /// When it was last weighed.
    pub at: i64,
    /// Since when the points have been lower than what the list is ordered by.
    lower_since: Option<i64>,
}

impl Standing {
    /// Takes in what was weighed at `now`. Up at once when it is worse by the margin; down when it
    /// has been better by the margin for a while, or `at_once` when a person's act made it better.
    /// Whether anything that people see changed.
    pub fn settle(&mut self, rank: Rank, now: i64, at_once: bool, weights: &Weights) -> bool {
        self.at = now;
        self.points = rank.points;
        let (up, down) = (rank.points - self.settled, self.settled - rank.points);
        let mut moved = up > 0.0 && up >= weights.margin;
        if down > 0.0 && (down >= weights.margin || at_once) {
            let since = *self.lower_since.get_or_insert(now);
            moved |= at_once || now.saturating_sub(since) >= (weights.settle_s * SECOND as f64) as i64;
        } else {
            self.lower_since = None;
        }
        if moved {
            self.settled = rank.points;
            self.since = now;
            self.lower_since = None;
        }
        let told = self.reasons != rank.reasons;
        if told {
            self.reasons = rank.reasons;
        }
        moved || told
    }

    /// Order in the list: more points first; of two with the same, who has had them for longer.
    #[must_use]
    pub fn before(&self, other: &Self) -> Ordering {
        other.settled.total_cmp(&self.settled).then(self.since.cmp(&other.since))
    }
}
