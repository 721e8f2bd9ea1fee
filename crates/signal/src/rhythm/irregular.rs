//! Atrial fibrillation: intervals without any order.

use serde::{Deserialize, Serialize};

use super::rate::Finding;
use crate::shape::{Beat, BeatClass};

/// Intervals looked back on.
const KEPT: usize = 60;
/// Fewest of them from which anything is said.
const FEWEST: usize = 20;

/// The last intervals between beats that came from above the ventricles.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Irregularity {
    intervals: Vec<f32>,
    evidence: f32,
    last_normal: bool,
}

impl Irregularity {
    /// Takes a beat and the interval before it, milliseconds; none if that is not to be believed.
    pub fn beat(&mut self, beat: &Beat, interval_ms: Option<f32>) {
        let normal = !matches!(beat.class, BeatClass::Ventricular | BeatClass::Paced | BeatClass::Fusion);
        if let Some(ms) = interval_ms {
            if normal && self.last_normal {
                if self.intervals.len() >= KEPT {
                    self.intervals.remove(0);
                }
                self.intervals.push(ms);
            }
        }
        self.last_normal = normal;
    }

    /// Whether the atria fibrillate, if it can be told.
    pub(super) fn fibrillates(&self) -> Option<Finding> {
        (self.intervals.len() >= FEWEST).then(|| Finding { holds: false, since_ms: 0.0, confidence: self.evidence })
    }
}
