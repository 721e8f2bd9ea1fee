//! One respiration rate out of several estimates.

use super::RespRate;

/// Estimates this near to each other agree (Karlen: a standard deviation of 4 breaths a minute).
const AGREE: f32 = 3.0;
/// More estimates than this are not looked at.
const MOST: usize = 16;
/// A rate that a single derived estimate gives is worth this share of it.
const ALONE: f32 = 0.4;
/// A rate less sure than this is none.
const LEAST: f32 = 0.2;

/// Brings estimates together: the largest weight of estimates that agree, averaged by confidence.
///
/// `measured` are rates of respiration signals, which count double; `derived` those from the beats and
/// pulses. None if there is none, or if no two derived ones agree and none is measured.
#[must_use]
pub fn fuse(measured: &[RespRate], derived: &[RespRate]) -> Option<RespRate> {
    let mut all = [(0.0_f32, 0.0_f32); MOST];
    let mut count = 0;
    let weighted = measured.iter().map(|rate| (rate, 2.0)).chain(derived.iter().map(|rate| (rate, 1.0)));
    for (rate, weight) in weighted.filter(|(rate, _)| rate.confidence > 0.0).take(MOST) {
        all[count] = (rate.per_min, rate.confidence * weight);
        count += 1;
    }
    let all = &all[..count];
    let near = |center: f32| all.iter().filter(move |other| (other.0 - center).abs() <= AGREE);
    let weight_of = |center: f32| near(center).map(|other| other.1).sum::<f32>();
    let best = all.iter().max_by(|a, b| weight_of(a.0).total_cmp(&weight_of(b.0)))?;
    let (weight, number) = (weight_of(best.0), near(best.0).count());
    let per_min = near(best.0).map(|other| other.0 * other.1).sum::<f32>() / weight;
    let whole: f32 = all.iter().map(|other| other.1).sum();
    let by_measure = measured.iter().filter(|rate| (rate.per_min - best.0).abs() <= AGREE);
    let by_measure = by_measure.map(|rate| rate.confidence).fold(0.0, f32::max);
    if by_measure == 0.0 && number < 2 {
        let confidence = ALONE * best.1 * weight / whole;
        return (count == 1 && confidence >= LEAST).then_some(RespRate { per_min, confidence });
    }
    let mean = weight / number as f32;
    let confidence = (weight / whole) * mean.max(by_measure).min(1.0);
    (confidence >= LEAST).then_some(RespRate { per_min, confidence })
}
