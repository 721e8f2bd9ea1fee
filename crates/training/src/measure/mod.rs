//! How good predictions are: pure functions of scores and what happened, with intervals by resampling patients.

mod alerts;
mod calibration;
mod mortality;
mod ranking;
mod resample;
mod utility;

pub use alerts::{Alerts, Tally, begun};
pub use calibration::{Calibration, Cell, Reliability, brier, calibration, cells, expected_error, logistic, reliability, tenths};
pub use mortality::{binary_score, lemeshow};
pub use ranking::{Areas, Ranked};
pub use resample::{Interval, Resamples, interval};
pub use utility::{Utility, worth};
