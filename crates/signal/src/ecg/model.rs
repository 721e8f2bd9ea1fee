//! The model of the beat types: its weights and how they are used.

use super::types::MEASURES;
use crate::BeatClass;

/// Bias and weights of the evidence for a supraventricular beat, and for a ventricular one. Fitted by
/// `tools/beat_model.py` on the 22 records of MIT-BIH DS1.
static SUPRAVENTRICULAR: [f32; MEASURES + 1] = [
    -4.331, 10.232, -2.244, -2.869, -1.140, -0.101, -1.571, 1.149, 8.366, -1.459, -14.062, -22.140, -4.000,
    5.313, 23.623,
];
static VENTRICULAR: [f32; MEASURES + 1] = [
    -7.429, -0.357, -1.752, -0.886, 1.367, -1.764, 9.453, -0.845, -0.740, 0.393, 15.157, 1.631, 11.828, 6.683,
    -11.972,
];

/// The class that the measures speak for.
pub(super) fn class(measures: &[f32; MEASURES]) -> BeatClass {
    let evidence =
        |model: &[f32; MEASURES + 1]| model[0] + measures.iter().zip(&model[1..]).map(|(m, w)| m * w).sum::<f32>();
    let (supraventricular, ventricular) = (evidence(&SUPRAVENTRICULAR), evidence(&VENTRICULAR));
    if ventricular > 0.0 && ventricular >= supraventricular {
        BeatClass::Ventricular
    } else if supraventricular > 0.0 {
        BeatClass::Supraventricular
    } else {
        BeatClass::Normal
    }
}
