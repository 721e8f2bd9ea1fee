//! Atrial fibrillation in a stream of beats: intervals without any order.
//!
//! Of the last 48 intervals between beats from above the ventricles (beats of the ventricles and of
//! pacemakers, and what surrounds them, are left out) five measures are taken, every fourth beat:
//!
//! - the coefficient of sample entropy (Lake and Moorman 2011),
//! - the share of changes larger than 6% of the median interval, after the NN50 of the Task Force 1996,
//! - how many pairs of intervals agree within 6% of the median, and how much oftener they do when the ones before
//!   agreed (recurrence and order: premature beats in a pattern recur, fibrillation does not),
//! - the median change of the intervals after a median filter of three, which takes out single premature beats
//!   (Petrėnas et al., Comput. Biol. Med. 2015;65:184).
//!
//! A logistic regression weighs them. Its weights were computed by `tools/rhythm_model.py` from the
//! records of the Challenge 2017 (each as one window); the MIT-BIH records were never used for them.

use serde::{Deserialize, Serialize};

use super::entropy::{coefficient_of_sample_entropy, recurrence};
use super::rate::Finding;
use super::table::WINDOW;
use crate::shape::{Beat, BeatClass};

/// Intervals looked back on.
const KEPT: usize = 48;
/// Fewest of them from which anything is said.
const FEWEST: usize = 24;
/// Beats between two looks.
const EVERY: u8 = 4;

/// What [`window_measures`] gives.
pub const WINDOW_NAMES: [&str; 5] = ["entropy", "steps", "recurrence", "order", "filtered_step"];

/// The measures of a window of intervals, milliseconds.
#[must_use]
pub fn window_measures(intervals_ms: &[f32]) -> [f32; 5] {
    let median = middle(intervals_ms).max(200.0);
    let steps = intervals_ms.windows(2).filter(|w| (w[1] - w[0]).abs() > 0.06 * median).count();
    let seconds: Vec<f32> = intervals_ms.iter().map(|ms| ms / 1_000.0).collect();
    let (recurrence, order) = recurrence(intervals_ms, 0.06 * median);
    let filtered: Vec<f32> = intervals_ms.windows(3).map(|w| w[0].max(w[1]).min(w[0].min(w[1]).max(w[2]))).collect();
    let filtered_steps: Vec<f32> = filtered.windows(2).map(|w| (w[1] - w[0]).abs() / median).collect();
    [
        coefficient_of_sample_entropy(&seconds),
        steps as f32 / intervals_ms.len().saturating_sub(1).max(1) as f32,
        recurrence,
        order,
        libm::logf(middle(&filtered_steps).max(1e-3)),
    ]
}

fn middle(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// The last intervals between beats that came from above the ventricles.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Irregularity {
    /// Milliseconds, oldest first.
    intervals: Vec<u16>,
    /// Probability of fibrillation at the last look.
    probability: f32,
    last_normal: bool,
    until_look: u8,
}

/// Probability at which fibrillation begins (where F1 on the Challenge's records is best), and under which it ends.
const BEGIN: f32 = 0.4;
const END: f32 = 0.3;

impl Irregularity {
    /// Takes a beat and the interval before it, milliseconds; none if that is not to be believed.
    pub fn beat(&mut self, beat: &Beat, interval_ms: Option<f32>) {
        let normal = !matches!(beat.class, BeatClass::Ventricular | BeatClass::Paced | BeatClass::Fusion);
        if let Some(ms) = interval_ms.filter(|ms| normal && self.last_normal && (200.0..3_000.0).contains(ms)) {
            if self.intervals.len() >= KEPT {
                self.intervals.remove(0);
            }
            self.intervals.push(ms as u16);
            self.until_look = self.until_look.saturating_sub(1);
        }
        self.last_normal = normal;
        if self.until_look == 0 && self.intervals.len() >= FEWEST {
            self.until_look = EVERY;
            self.look();
        }
    }

    fn look(&mut self) {
        let intervals: Vec<f32> = self.intervals.iter().map(|&ms| f32::from(ms)).collect();
        let measures = window_measures(&intervals);
        let score = WINDOW[0] + measures.iter().zip(&WINDOW[1..]).map(|(m, w)| m * w).sum::<f32>();
        self.probability = 1.0 / (1.0 + libm::expf(-score));
    }

    /// Whether the atria fibrillate, if it can be told.
    pub(super) fn fibrillates(&self) -> Option<Finding> {
        if self.intervals.len() < FEWEST || (END..BEGIN).contains(&self.probability) {
            return None;
        }
        let holds = self.probability >= BEGIN;
        // It was there for about half of the window before it was found.
        let since_ms = self.intervals.iter().rev().take(FEWEST).map(|&ms| f32::from(ms)).sum();
        Some(Finding { holds, since_ms, confidence: if holds { self.probability } else { 1.0 - self.probability } })
    }
}
