//! Measures of a whole record: its intervals, its atrial activity, its noise.

use vitals::Rate;

use super::entropy::coefficient_of_sample_entropy;
use crate::filter::Biquad;
use crate::quality::Meter;
use crate::shape::{Block, WaveKind};

/// Number of measures.
pub const COUNT: usize = NAMES.len();

/// What each measure is called, in order.
pub const NAMES: [&str; 31] = [
    "entropy", "p06", "p15", "sd", "rmssd", "median_step", "quarter_step", "af_evidence", "shortest", "longest", "turning",
    "filtered_step", "rate", "interval", "p_size", "p_rest", "p_clear", "p_likeness", "p_halves", "f_wave", "qrs_likeness", "qrs_bad", "qrs_size",
    "fast_noise", "range_spread", "baseline", "recurrence", "order", "p_bump", "index", "doubtful",
];

/// The measures of one record, in the order of [`NAMES`].
pub type Measures = [f32; COUNT];

/// Beats looked at, at most: the entropy compares each with each.
const MOST_BEATS: usize = 600;

/// One band of the record, filtered forth and back: no delay.
fn band(values: &[f32], high_pass_hz: f64, low_pass_hz: f64, rate: f64) -> Vec<f32> {
    const Q: f64 = core::f64::consts::FRAC_1_SQRT_2;
    let mut out = values.to_vec();
    let mut pass = |mut filter: Biquad| {
        for _ in 0..2 {
            filter.settle(out.first().copied().unwrap_or(0.0));
            out.iter_mut().for_each(|x| *x = filter.step(*x));
            out.reverse();
        }
    };
    pass(Biquad::high_pass(high_pass_hz, Q, rate));
    if low_pass_hz < 0.45 * rate {
        pass(Biquad::low_pass(low_pass_hz, Q, rate));
    }
    out
}

/// The value at a share of the way through the sorted values.
fn quantile(values: &[f32], share: f32) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n => {
            let at = share * (n - 1) as f32;
            let (low, part) = (at as usize, at - at.floor());
            sorted[low] + part * (sorted[(low + 1).min(n - 1)] - sorted[low])
        }
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn rms(values: impl Iterator<Item = f32> + Clone) -> f32 {
    let count = values.clone().count().max(1) as f32;
    (values.map(|v| v * v).sum::<f32>() / count).sqrt()
}

fn span(values: &[f32]) -> f32 {
    let low = values.iter().copied().fold(f32::MAX, f32::min);
    let high = values.iter().copied().fold(f32::MIN, f32::max);
    (high - low).max(0.0)
}

/// Correlation of two cuts of equal length.
fn likeness(a: &[f32], b: &[f32]) -> f32 {
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

/// The middle cut of several, sample by sample.
fn middle(cuts: &[&[f32]]) -> Vec<f32> {
    let length = cuts.first().map_or(0, |cut| cut.len());
    (0..length).map(|i| quantile(&cuts.iter().map(|cut| cut[i]).collect::<Vec<_>>(), 0.5)).collect()
}

/// Logarithm that stays finite.
fn log(value: f32) -> f32 {
    libm::logf(value.max(1e-3))
}

/// Beats on their main deflection, which is up in all or down in all; apart by at least 200 ms and clear of the ends.
fn settle_beats(qrs: &[f32], rate: f64, beats: &[usize]) -> Vec<usize> {
    let near = (0.067 * rate) as usize;
    let margin = (0.4 * rate) as usize;
    let around = |beat: usize| beat.saturating_sub(near)..(beat + near + 1).min(qrs.len());
    let extremes = |sign: f32| -> Vec<(usize, f32)> {
        let beats = beats.iter().take(MOST_BEATS).filter(|beat| **beat < qrs.len());
        beats
            .map(|&beat| {
                around(beat).fold((beat, sign * qrs[beat]), |best, i| if sign * qrs[i] > best.1 { (i, sign * qrs[i]) } else { best })
            })
            .collect()
    };
    let (up, down) = (extremes(1.0), extremes(-1.0));
    let size = |of: &[(usize, f32)]| quantile(&of.iter().map(|e| e.1).collect::<Vec<_>>(), 0.5);
    let main = if size(&up) >= size(&down) { up } else { down };
    let mut settled: Vec<usize> = Vec::with_capacity(main.len());
    for (at, _) in main {
        let apart = settled.last().is_none_or(|&last| at >= last + (0.2 * rate) as usize);
        if apart && at >= margin && at + margin < qrs.len() {
            settled.push(at);
        }
    }
    settled
}

/// Samples from the onset of the usual QRS complex to its main deflection: back to where the slope of the
/// middle beat stays under a tenth of its greatest for 15 ms, 140 ms at most.
fn onset(wide: &[f32], rate: f64, beats: &[usize], good: &[bool]) -> usize {
    let half = ((0.16 * rate) as usize).max(2);
    let cuts: Vec<&[f32]> =
        beats.iter().zip(good).filter(|(_, good)| **good).map(|(&b, _)| &wide[b - half..=b + half / 2]).collect();
    let usual = middle(&cuts);
    let slopes: Vec<f32> = usual.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
    let limit = 0.12 * slopes.iter().copied().fold(0.0, f32::max);
    let calm = ((0.015 * rate) as usize).max(1);
    let least = (0.02 * rate) as usize;
    (least..(0.14 * rate) as usize)
        .find(|&back| {
            let end = half.saturating_sub(back);
            end >= calm && slopes.get(end - calm..end).is_some_and(|some| some.iter().all(|s| *s < limit))
        })
        .unwrap_or((0.1 * rate) as usize)
}

/// How alike the complexes are.
struct Complexes {
    good: Vec<bool>,
    likeness: f32,
    size: f32,
}

fn complexes(qrs: &[f32], rate: f64, beats: &[usize]) -> Complexes {
    let half = ((0.06 * rate) as usize).max(1);
    let cuts: Vec<&[f32]> = beats.iter().map(|&b| &qrs[b - half..=b + half]).collect();
    let usual = middle(&cuts);
    let power: f32 = usual.iter().map(|v| v * v).sum::<f32>().max(1e-12);
    let alike: Vec<f32> = cuts.iter().map(|cut| likeness(cut, &usual)).collect();
    let good = cuts
        .iter()
        .zip(&alike)
        .map(|(cut, &alike)| {
            let scale = cut.iter().zip(&usual).map(|(a, b)| a * b).sum::<f32>() / power;
            alike >= 0.75 && (0.4..2.5).contains(&scale)
        })
        .collect();
    Complexes { good, likeness: quantile(&alike, 0.5), size: span(&usual).max(1e-4) }
}

/// Measures of the intervals, seconds; `good` says of each beat whether it is like the others.
fn intervals(rr: &[f32], good: &[bool]) -> [f32; 16] {
    let mut valid: Vec<bool> = (0..rr.len()).map(|i| good[i] && good[i + 1] && rr[i] < 2.5).collect();
    if valid.iter().filter(|v| **v).count() < 4 {
        valid.fill(true);
    }
    let kept: Vec<f32> = rr.iter().zip(&valid).filter(|(_, v)| **v).map(|(r, _)| *r).collect();
    let median = quantile(&kept, 0.5).max(0.2);
    let mut steps: Vec<f32> =
        (1..rr.len()).filter(|&i| valid[i] && valid[i - 1]).map(|i| (rr[i] - rr[i - 1]).abs() / median).collect();
    if steps.len() < 3 {
        steps = rr.windows(2).map(|w| (w[1] - w[0]).abs() / median).collect();
    }
    let share = |limit: f32| steps.iter().filter(|s| **s > limit).count() as f32 / steps.len().max(1) as f32;
    let average = mean(&kept);
    let sd = rms(kept.iter().map(|r| r - average)) / average;
    let turns = rr.windows(3).filter(|w| (w[1] - w[0]) * (w[1] - w[2]) > 0.0).count();
    let filtered: Vec<f32> = (0..rr.len())
        .map(|i| quantile(&rr[i.saturating_sub(1)..(i + 2).min(rr.len())], 0.5))
        .collect();
    let filtered_steps: Vec<f32> = filtered.windows(2).map(|w| (w[1] - w[0]).abs() / median).collect();
    let pairs: Vec<[f32; 2]> = (2..rr.len())
        .filter(|&i| valid[i] && valid[i - 1] && valid[i - 2])
        .map(|i| [(rr[i - 1] - rr[i - 2]) * 1_000.0, (rr[i] - rr[i - 1]) * 1_000.0])
        .collect();
    let (recurrence, order) = super::entropy::recurrence(&kept, 0.06 * median);
    [
        coefficient_of_sample_entropy(&kept),
        share(0.06),
        share(0.15),
        log(sd),
        log(rms(steps.iter().copied())),
        log(quantile(&steps, 0.5)),
        log(quantile(&steps, 0.25)),
        super::entropy::fibrillation_evidence(&pairs),
        kept.iter().copied().fold(f32::MAX, f32::min) / median,
        log(kept.iter().copied().fold(0.0, f32::max) / median),
        turns as f32 / rr.len().saturating_sub(2).max(1) as f32,
        log(quantile(&filtered_steps, 0.5)),
        0.0,
        log(median),
        recurrence,
        order,
    ]
}

/// Measures of what lies before the QRS complexes: P waves, or not.
fn atria(wide: &[f32], rate: f64, beats: &[usize], good: &[bool], size: f32) -> [f32; 6] {
    let to = onset(wide, rate, beats, good) + (0.01 * rate) as usize;
    let from = to + (0.18 * rate) as usize;
    // Behind a long interval the P wave is free of the T wave before it.
    let before: Vec<f32> = beats.windows(2).map(|w| (w[1] - w[0]) as f32).collect();
    let usual = quantile(&before, 0.5) * 0.98;
    let mut chosen: Vec<usize> = (1..beats.len()).filter(|&i| good[i] && before[i - 1] >= usual).collect();
    if chosen.len() < 4 {
        chosen = (0..beats.len()).collect();
    }
    let cuts: Vec<Vec<f32>> = chosen.iter().map(|&i| levelled(&wide[beats[i] - from..beats[i] - to])).collect();
    let views: Vec<&[f32]> = cuts.iter().map(Vec::as_slice).collect();
    let usual = middle(&views);
    let rests: Vec<f32> = cuts.iter().map(|cut| rms(cut.iter().zip(&usual).map(|(a, b)| a - b))).collect();
    let rest = quantile(&rests, 0.5);
    let alike: Vec<f32> = cuts.iter().map(|cut| likeness(cut, &usual)).collect();
    let half = |odd: usize| {
        let some: Vec<&[f32]> = views.iter().skip(odd).step_by(2).copied().collect();
        (0..usual.len()).map(|i| some.iter().map(|c| c[i]).sum::<f32>() / some.len().max(1) as f32).collect::<Vec<_>>()
    };
    let p_rms = rms(usual.iter().copied());
    [
        log(span(&usual) / size),
        log(rest / size),
        log(p_rms / rest.max(1e-6)),
        quantile(&alike, 0.5),
        likeness(&half(0), &half(1)),
        log(span(&usual[usual.len() / 6..usual.len() - usual.len() / 6]) / size),
    ]
}

/// A cut less the line through its ends.
fn levelled(cut: &[f32]) -> Vec<f32> {
    let ends = (cut.len() / 9).max(1);
    let (first, last) = (mean(&cut[..ends]), mean(&cut[cut.len() - ends..]));
    let middle = mean(cut);
    let length = (cut.len().max(2) - 1) as f32;
    cut.iter().enumerate().map(|(i, x)| x - middle - (last - first) * (i as f32 / length - 0.5)).collect()
}

/// Root mean squares of a band between the T wave and the next P wave, and the median of them.
fn between(band: &[f32], rate: f64, beats: &[usize]) -> f32 {
    let pieces: Vec<f32> = beats
        .windows(2)
        .filter(|w| w[1] - w[0] >= (0.5 * rate) as usize)
        .map(|w| {
            let from = w[0] + (0.45 * (w[1] - w[0]) as f32) as usize;
            rms(band[from..w[1] - (0.083 * rate) as usize].iter().copied())
        })
        .collect();
    quantile(&pieces, 0.5)
}

/// Mean index of the seconds of a record, and the share of them that is not believed.
fn quality(values: &[f32], rate: Rate) -> (f32, f32) {
    let mut meter = Meter::new(WaveKind::Ecg);
    let (mut seconds, mut sum, mut doubtful) = (0.0_f32, 0.0, 0.0);
    meter.push(&Block { start_us: 0, rate, values, gap_before: false }, |verdict| {
        seconds += 1.0;
        sum += f32::from(verdict.index) / 100.0;
        doubtful += if verdict.believable() { 0.0 } else { 1.0 };
    });
    (sum / seconds.max(1.0), doubtful / seconds.max(1.0))
}

/// The measures of a record; none with fewer than five beats or at less than 50 Hz.
pub(super) fn measure(values: &[f32], sampling: Rate, beats: &[usize]) -> Option<Measures> {
    let rate = sampling.hz();
    if !(50.0..=20_000.0).contains(&rate) {
        return None;
    }
    let mut last = values.iter().copied().find(|v| v.is_finite())?;
    let clean: Vec<f32> = values
        .iter()
        .map(|&v| {
            last = if v.abs() < 1e6 { v } else { last };
            last
        })
        .collect();
    let qrs = band(&clean, 3.0, 40.0, rate);
    let beats = settle_beats(&qrs, rate, beats);
    if beats.len() < 5 {
        return None;
    }
    let complexes = complexes(&qrs, rate, &beats);
    let rr: Vec<f32> = beats.windows(2).map(|w| ((w[1] - w[0]) as f64 / rate) as f32).collect();
    let mut steps = intervals(&rr, &complexes.good);
    let duration = clean.len() as f64 / rate;
    steps[12] = (beats.len() as f64 / duration) as f32;
    let wide = band(&clean, 0.7, 25.0, rate);
    let p = atria(&wide, rate, &beats, &complexes.good, complexes.size);
    let waves = band(&clean, 4.0, 10.0, rate);
    let fast = band(&clean, 30.0, f64::MAX, rate);
    let bad = complexes.good.iter().filter(|good| !**good).count();
    let seconds: Vec<f32> = qrs.chunks_exact((rate as usize).max(1)).map(span).collect();
    let slow: Vec<f32> = clean.iter().zip(&qrs).map(|(a, b)| a - b).collect();
    let level = quantile(&slow, 0.5);
    let wander: Vec<f32> = slow.iter().map(|v| (v - level).abs()).collect();
    let mut all = [0.0; COUNT];
    all[..14].copy_from_slice(&steps[..14]);
    all[14..19].copy_from_slice(&p[..5]);
    let (index, doubtful) = quality(values, sampling);
    all[26..].copy_from_slice(&[steps[14], steps[15], p[5], index, doubtful]);
    all[19..26].copy_from_slice(&[
        log(between(&waves, rate, &beats) / complexes.size),
        complexes.likeness,
        bad as f32 / beats.len() as f32,
        log(complexes.size),
        log(between(&fast, rate, &beats) / complexes.size),
        log(quantile(&seconds, 0.9) / quantile(&seconds, 0.5).max(1e-4)),
        log(quantile(&wander, 0.95) / complexes.size),
    ]);
    Some(all.map(|v| if v.is_finite() { v } else { 0.0 }))
}
