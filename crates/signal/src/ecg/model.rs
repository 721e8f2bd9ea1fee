//! The model of the beat types: its weights and how they are used.

use super::types::MEASURES;
use crate::BeatClass;

/// Bias and weights of the evidence for a supraventricular beat, and for a ventricular one. Fitted by
/// `tools/beat_model.py` on the 22 records of MIT-BIH DS1.
static SUPRAVENTRICULAR: [f32; MEASURES + 1] = [
    -4.229, 9.079, -2.750, -2.022, -1.183, -0.100, -1.566, 1.305, 7.739, -1.522, -14.883, -19.669, -3.587, 5.349,
    24.424,
];
static VENTRICULAR: [f32; MEASURES + 1] = [
    -7.300, 0.805, -1.813, -1.367, 1.410, -1.779, 9.522, -0.704, -0.599, 0.370, 15.805, 1.122, 11.001, 6.677,
    -12.642,
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
