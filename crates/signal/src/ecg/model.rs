//! The model of the beat types: its weights and how they are used.

use super::types::MEASURES;
use crate::BeatClass;

/// Bias and weights of the evidence for a supraventricular and a ventricular beat against a normal one.
static SUPRAVENTRICULAR: [f32; MEASURES + 1] = [0.0; MEASURES + 1];
static VENTRICULAR: [f32; MEASURES + 1] = [0.0; MEASURES + 1];

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
