//! The softmax regression that judges whole records; its numbers are in `table`.

use super::measures::{COUNT, Measures};
use super::record::{Judgement, RecordClass};
use super::table::{BIAS, CLIP, FIBRILLATES, MEAN, NOISY, PRODUCTS, SPREAD, WEIGHTS};

/// Judges measures.
///
/// Atrial fibrillation, and else noise, is called from a probability of its own on ([`FIBRILLATES`], [`NOISY`]): both are
/// rare, and F1 weighs missing them as much as a false call. Of the other two classes the more probable is taken.
pub(super) fn judge(measures: &Measures) -> Judgement {
    let mut scaled = [0.0; COUNT];
    for (at, scaled) in scaled.iter_mut().enumerate() {
        *scaled = ((measures[at] - MEAN[at]) / SPREAD[at]).clamp(-CLIP, CLIP);
    }
    let products = PRODUCTS.map(|(a, b)| scaled[a] * scaled[b]);
    let mut scores = BIAS;
    for (score, weights) in scores.iter_mut().zip(&WEIGHTS) {
        *score += scaled.iter().chain(&products).zip(weights).map(|(term, weight)| term * weight).sum::<f32>();
    }
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let raised = scores.map(|score| libm::expf(score - most));
    let sum: f32 = raised.iter().sum();
    let probabilities = raised.map(|r| r / sum);
    let class = match probabilities {
        [_, fibrillation, _, _] if fibrillation >= FIBRILLATES => RecordClass::AtrialFibrillation,
        [_, _, _, noisy] if noisy >= NOISY => RecordClass::Noisy,
        [normal, _, other, _] if normal >= other => RecordClass::Normal,
        _ => RecordClass::Other,
    };
    Judgement { class, probabilities }
}
