//! One short record of one lead as a whole: normal, atrial fibrillation, another rhythm, or too noisy.
//!
//! The task of the PhysioNet/CinC Challenge 2017 (Clifford et al., Computing in Cardiology 2017;44). A handful of
//! measures of the intervals, the atrial activity and the noise go into a softmax regression whose table
//! is in `model`.

use vitals::Rate;

use super::measures::{self, Measures};
use super::model;

/// What a record shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordClass {
    /// Sinus rhythm (N).
    Normal,
    /// Atrial fibrillation (A).
    AtrialFibrillation,
    /// Another rhythm (O).
    Other,
    /// Too noisy to tell (~).
    Noisy,
}

impl RecordClass {
    /// All classes, in the order of [`Judgement::probabilities`].
    pub const ALL: [RecordClass; 4] =
        [RecordClass::Normal, RecordClass::AtrialFibrillation, RecordClass::Other, RecordClass::Noisy];

    /// The letter of the Challenge's reference file.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            RecordClass::Normal => 'N',
            RecordClass::AtrialFibrillation => 'A',
            RecordClass::Other => 'O',
            RecordClass::Noisy => '~',
        }
    }
}

/// What is thought of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// The class.
    pub class: RecordClass,
    /// Probability of each of [`RecordClass::ALL`].
    pub probabilities: [f32; 4],
}

/// Judges a record of one lead, millivolts, by its beats (indices of samples, ascending).
///
/// Meant for 9 s to some minutes; a record with fewer than five beats is noisy.
#[must_use]
pub fn classify_record(values: &[f32], rate: Rate, beats: &[usize]) -> Judgement {
    match record_measures(values, rate, beats) {
        Some(measures) => model::judge(&measures),
        None => Judgement { class: RecordClass::Noisy, probabilities: [0.0, 0.0, 0.0, 1.0] },
    }
}

/// The measures that [`classify_record`] judges by; none with fewer than five beats.
///
/// They are public so that the table of the model can be computed again (`tools/rhythm_model.py`).
#[must_use]
pub fn record_measures(values: &[f32], rate: Rate, beats: &[usize]) -> Option<Measures> {
    measures::measure(values, rate, beats)
}

/// The measures of the intervals alone, of up to the first 60, that the streaming search for fibrillation goes by
/// ([`super::irregular`]).
#[must_use]
pub fn record_window(rate: Rate, beats: &[usize]) -> [f32; 5] {
    let ms_per_sample = 1_000.0 / rate.hz();
    let intervals: Vec<f32> = beats
        .windows(2)
        .map(|w| (w[1].saturating_sub(w[0]) as f64 * ms_per_sample) as f32)
        .filter(|ms| (200.0..3_000.0).contains(ms))
        .take(60)
        .collect();
    super::irregular::window_measures(&intervals)
}
