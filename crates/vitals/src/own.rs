//! What a clinician decides about a patient's own normal.

use serde::{Deserialize, Serialize};

/// One decision about the own normal of one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum BaselineStep {
    /// Neither learn nor let limits follow, until resumed.
    Pause,
    /// Go on.
    Resume,
    /// Forget what was learnt or stated, and begin anew.
    Reset,
    /// Take this level for normal, whatever was learnt, until it is reset.
    State {
        /// The level, in the metric's unit.
        centre: f64,
    },
}
