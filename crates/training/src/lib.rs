//! Models made and judged: reads public data sets from folders that are given, grows forests, fits calibration and
//! doubt, writes model files, and measures models and published scores on the same patients, with intervals.
//!
//! The same data, recipe and seed give the same file, byte for byte, on any machine and any number of threads: sums
//! are taken in a fixed order, exp and ln come from `libm`, and no time or path goes into a file.
//!
//! What features are and how a model is applied is not here but in `predict`, so that training and bedside share it.
//! Deliberately absent: the clock, the network, and the data themselves.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows and patients are far below 2³², shares and sums far within doubles"
)]

mod smooth;
mod words;

pub mod draw;
pub mod cohort;
pub mod outcome;
pub mod recipe;
pub mod grid;
pub mod grow;
pub mod learn;
pub mod fit;
pub mod measure;
pub mod scored;
pub mod alarms;
pub mod evaluate;
pub mod crossfit;
pub mod made;
pub mod recalibrate;
pub mod applied;
pub mod export;
