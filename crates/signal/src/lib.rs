//! Waveforms understood: filters, heart beats and their types, rhythm, pulse, respiration,
//! heart-rate variability and how far a signal is to be believed.
//!
//! Rules that every module keeps:
//!
//! - SI-1: streaming and offline are one. Any division of the same samples into blocks gives the
//!   same findings at the same times.
//! - SI-2: the same on any machine. Where samples pass only additions, multiplications, divisions
//!   and square roots are used; tables are made from `libm`, never from the platform's functions.
//! - SI-3: what is missing is missing. A sample that is not a number (NaN, or infinite) and a gap
//!   never make a beat, a pulse or a breath, and never break the state.
//! - SI-4: state is small, is serialised, and is not allocated for each sample.
//!
//! What is deliberately absent: files, formats, clocks, chance that is not given a seed.

mod line;
mod shape;
mod trail;

pub mod bedside;
pub mod ecg;
pub mod evaluate;
pub mod filter;
pub mod hrv;
pub mod noise;
pub mod pulse;
pub mod quality;
pub mod respiration;
pub mod rhythm;

pub use shape::{Beat, BeatClass, Block, Reason, Rhythm, WaveKind};
