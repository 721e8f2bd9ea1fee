//! Frequency-domain measures (Task Force 1996, table 2) of a window of some minutes.
//!
//! The tachogram is sampled anew at 4 Hz by a natural cubic spline through the intervals, and its power density is
//! estimated by Welch's method (IEEE Trans. Audio Electroacoust. 1967;15:70): segments of up to 300 s that overlap by half,
//! each without its mean and under a Hann window.

use super::Nn;

/// Samples a second of the tachogram.
const RATE_HZ: f64 = 4.0;
/// Samples of a segment, at most: 300 s.
const SEGMENT: usize = 1_200;
/// Fewest seconds from which low frequencies can be told (Task Force: ten cycles of 0.04 Hz are 250 s; two minutes are
/// the least for LF).
const FEWEST_S: f64 = 120.0;

/// Power in the bands of the Task Force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrequencyDomain {
    /// Power from 0.003 to 0.04 Hz, ms². Doubtful in windows of under five minutes.
    pub vlf: f64,
    /// Power from 0.04 to 0.15 Hz, ms².
    pub lf: f64,
    /// Power from 0.15 to 0.4 Hz, ms².
    pub hf: f64,
    /// All of them, ms².
    pub total: f64,
    /// LF in normalised units: percent of LF and HF.
    pub lf_nu: f64,
    /// HF in normalised units.
    pub hf_nu: f64,
    /// LF by HF.
    pub lf_hf: f64,
}

impl FrequencyDomain {
    /// Of these intervals; none in a window of less than two minutes, or without any variability.
    ///
    /// Intervals that are missing are bridged by the spline; a window with more than a tenth missing should not be
    /// given.
    #[must_use]
    pub fn of(intervals: &[Nn]) -> Option<Self> {
        let tachogram = tachogram(intervals)?;
        let density = density(&tachogram);
        let step_hz = density.step_hz;
        let band = |from: f64, to: f64| density.integral(from, to, step_hz);
        let (vlf, lf, hf) = (band(0.003, 0.04), band(0.04, 0.15), band(0.15, 0.4));
        if !(lf > 0.0 && hf > 0.0) {
            return None;
        }
        Some(FrequencyDomain {
            vlf,
            lf,
            hf,
            total: vlf + lf + hf,
            lf_nu: 100.0 * lf / (lf + hf),
            hf_nu: 100.0 * hf / (lf + hf),
            lf_hf: lf / hf,
        })
    }
}

/// The intervals as a function of time, sampled at 4 Hz.
fn tachogram(intervals: &[Nn]) -> Option<Vec<f64>> {
    let (first, last) = (intervals.first()?, intervals.last()?);
    let times: Vec<f64> = intervals.iter().map(|nn| nn.end_us.saturating_sub(first.end_us) as f64 / 1e6).collect();
    let length_s = last.end_us.saturating_sub(first.end_us) as f64 / 1e6;
    let rising = times.windows(2).all(|pair| pair[0] < pair[1]);
    if !(FEWEST_S..=7.0 * 86_400.0).contains(&length_s) || !rising {
        return None;
    }
    let values: Vec<f64> = intervals.iter().map(|nn| nn.ms).collect();
    let bends = bends(&times, &values);
    let mut piece = 0;
    let samples = (length_s * RATE_HZ) as usize + 1;
    let sample = |i: usize| {
        let t = i as f64 / RATE_HZ;
        while piece + 2 < times.len() && times[piece + 1] < t {
            piece += 1;
        }
        let width = times[piece + 1] - times[piece];
        let (a, b) = ((times[piece + 1] - t) / width, (t - times[piece]) / width);
        a * values[piece]
            + b * values[piece + 1]
            + ((a * a * a - a) * bends[piece] + (b * b * b - b) * bends[piece + 1]) * width * width / 6.0
    };
    Some((0..samples).map(sample).collect())
}

/// Second derivatives of the natural cubic spline at its points (tridiagonal, solved by elimination).
fn bends(times: &[f64], values: &[f64]) -> Vec<f64> {
    let n = times.len();
    let mut bends = vec![0.0; n];
    let mut ahead = vec![0.0; n];
    for i in 1..n - 1 {
        let (left, right) = (times[i] - times[i - 1], times[i + 1] - times[i]);
        let share = left / (left + right);
        let pivot = share * bends[i - 1] + 2.0;
        let turn = (values[i + 1] - values[i]) / right - (values[i] - values[i - 1]) / left;
        bends[i] = (share - 1.0) / pivot;
        ahead[i] = (6.0 * turn / (left + right) - share * ahead[i - 1]) / pivot;
    }
    bends[n - 1] = 0.0;
    for i in (0..n - 1).rev() {
        bends[i] = bends[i] * bends[i + 1] + ahead[i];
    }
    bends[0] = 0.0;
    bends
}

/// A one-sided power density, ms² per hertz, from 0 to 0.5 Hz.
struct Density {
    values: Vec<f64>,
    step_hz: f64,
}

impl Density {
    /// Power between two frequencies, by trapezes over the bins that lie within.
    fn integral(&self, from: f64, to: f64, step_hz: f64) -> f64 {
        let inside: Vec<f64> = (0..self.values.len())
            .filter(|&k| (from..to).contains(&(k as f64 * step_hz)))
            .map(|k| self.values[k])
            .collect();
        inside.windows(2).map(|pair| 0.5 * (pair[0] + pair[1]) * step_hz).sum()
    }
}

/// Welch's estimate.
fn density(samples: &[f64]) -> Density {
    let length = samples.len().min(SEGMENT);
    let window: Vec<f64> = (0..length)
        .map(|i| 0.5 - 0.5 * libm::cos(core::f64::consts::TAU * i as f64 / length as f64))
        .collect();
    let power: f64 = window.iter().map(|w| w * w).sum();
    let bins = length / 8 + 1;
    let mut values = vec![0.0; bins];
    let mut segments = 0.0;
    let mut from = 0;
    while from + length <= samples.len() {
        let segment = &samples[from..from + length];
        let mean = segment.iter().sum::<f64>() / length as f64;
        let shaped: Vec<f64> = segment.iter().zip(&window).map(|(x, w)| (x - mean) * w).collect();
        for (k, value) in values.iter_mut().enumerate() {
            *value += 2.0 * at_frequency(&shaped, k as f64 / length as f64) / (RATE_HZ * power);
        }
        segments += 1.0;
        from += (length / 2).max(1);
    }
    values.iter_mut().for_each(|value| *value /= segments);
    Density { values, step_hz: RATE_HZ / length as f64 }
}

/// Squared magnitude of the Fourier transform at a frequency in cycles a sample (Goertzel's recursion).
fn at_frequency(samples: &[f64], cycles: f64) -> f64 {
    let turn = 2.0 * libm::cos(core::f64::consts::TAU * cycles);
    let (mut last, mut before) = (0.0, 0.0);
    for x in samples {
        let next = x + turn * last - before;
        before = last;
        last = next;
    }
    last * last + before * before - turn * last * before
}
