//! What breathing does to values taken once a beat: the strongest period among them.

use serde::{Deserialize, Serialize};

use super::RespRate;

/// So many values are kept.
const KEPT: usize = 32;
/// Beats nearer than this to the last value kept are averaged into it, milliseconds, so that the
/// values of a fast heart reach back far enough.
const NEAR_MS: u32 = 450;
/// Values older than this are not of the present breathing, milliseconds.
const WINDOW_MS: u32 = 32_000;
/// A break in the beats longer than this begins anew, milliseconds.
const BREAK_MS: u32 = 4_000;
/// The rates looked at: from 5 a minute on in half breaths, to 42 at most.
const LOWEST: f32 = 5.0;
const STEP: f32 = 0.5;
const STEPS: usize = 75;
/// A period that explains less of the variation is none.
const SHARE_MIN: f32 = 0.25;

/// The last values of `N` kinds taken at the same beats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Modulation<const N: usize> {
    last_us: Option<i64>,
    /// Milliseconds since the value before, of each beat kept, oldest first.
    steps_ms: Vec<u16>,
    /// The values, `N` a beat.
    values: Vec<f32>,
    /// So many beats are averaged in the newest.
    merged: u16,
}

impl<const N: usize> Default for Modulation<N> {
    fn default() -> Self {
        Self { last_us: None, steps_ms: Vec::new(), values: Vec::new(), merged: 0 }
    }
}

/// The strongest period of one kind of value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spectrum {
    /// Breaths a minute.
    pub per_min: f32,
    /// The share of the values' variation that this period explains, 0 to 1.
    pub share: f32,
}

impl<const N: usize> Modulation<N> {
    /// Takes the values of a beat.
    pub fn push(&mut self, time_us: i64, values: [f32; N]) {
        let since_ms = self.last_us.map(|last| u32::try_from((time_us - last).max(0) / 1_000).unwrap_or(u32::MAX));
        match since_ms {
            Some(since) if since < NEAR_MS => {
                self.merged += 1;
                let weight = 1.0 / f32::from(self.merged);
                let newest = self.values.len() - N;
                for (kept, value) in self.values[newest..].iter_mut().zip(values) {
                    *kept += (value - *kept) * weight;
                }
                return;
            }
            Some(since) if since < BREAK_MS => self.steps_ms.push(since as u16),
            _ => {
                self.steps_ms.clear();
                self.values.clear();
                self.steps_ms.push(0);
            }
        }
        self.values.extend(values);
        (self.last_us, self.merged) = (Some(time_us), 1);
        if self.steps_ms.len() > KEPT {
            self.steps_ms.remove(0);
            self.values.drain(..N);
        }
    }

    /// The strongest period of each kind of value in the half minute before `now_us`; none if there
    /// are too few.
    #[must_use]
    pub fn spectra(&self, now_us: i64) -> Option<[Spectrum; N]> {
        if now_us - self.last_us? > i64::from(BREAK_MS) * 1_000 {
            return None;
        }
        let (times, from) = self.times();
        let times = &times[from..self.steps_ms.len()];
        let (count, span_s) = (times.len(), -times.first()?);
        if count < 12 || span_s < 12.0 {
            return None;
        }
        let mut series = [[0.0_f32; KEPT + 1]; N];
        for (kind, series) in series.iter_mut().enumerate() {
            for (at, slot) in series[..count].iter_mut().enumerate() {
                *slot = self.values[(from + at) * N + kind];
            }
            straighten(times, &mut series[..count]);
        }
        // Nothing can be told above half the rate of the values, and next to it every second beat
        // differs for reasons of its own (bigeminy, alternans).
        let highest = (60.0 * count as f32 / span_s * 0.45).min(LOWEST + STEP * STEPS as f32);
        Some(strongest(times, &series, highest))
    }

    /// Times of the values in seconds before the newest, and the first that is recent.
    fn times(&self) -> ([f32; KEPT + 1], usize) {
        let mut times = [0.0; KEPT + 1];
        let count = self.steps_ms.len();
        let mut ago_ms = 0;
        let mut from = 0;
        for at in (0..count).rev() {
            times[at] = -(ago_ms as f32) / 1_000.0;
            if ago_ms > WINDOW_MS {
                from = at + 1;
                break;
            }
            ago_ms += u32::from(self.steps_ms[at]);
        }
        (times, from)
    }
}

/// Takes away the straight line that fits the values best.
fn straighten(times: &[f32], values: &mut [f32]) {
    let count = values.len() as f32;
    let (mean_time, mean) = (times.iter().sum::<f32>() / count, values.iter().sum::<f32>() / count);
    let (mut product, mut square) = (0.0, 0.0);
    for (time, value) in times.iter().zip(values.iter()) {
        product += (time - mean_time) * (value - mean);
        square += (time - mean_time) * (time - mean_time);
    }
    let slope = if square > 0.0 { product / square } else { 0.0 };
    for (time, value) in times.iter().zip(values) {
        *value -= mean + slope * (time - mean_time);
    }
}

/// The periodogram of each series at the rates looked at, and its highest point. The waves of all
/// times are turned on from rate to rate by one complex multiplication each.
fn strongest<const N: usize>(times: &[f32], series: &[[f32; KEPT + 1]; N], highest: f32) -> [Spectrum; N] {
    let mut waves = [(0.0_f32, 0.0_f32); KEPT + 1];
    let mut turns = [(0.0_f32, 0.0_f32); KEPT + 1];
    let angle = |per_min: f32, time: f32| 2.0 * core::f32::consts::PI * per_min / 60.0 * time;
    for (at, &time) in times.iter().enumerate() {
        waves[at] = (libm::cosf(angle(LOWEST, time)), libm::sinf(angle(LOWEST, time)));
        turns[at] = (libm::cosf(angle(STEP, time)), libm::sinf(angle(STEP, time)));
    }
    let mut powers = [[0.0_f32; STEPS]; N];
    let mut steps = 0;
    while steps < STEPS && LOWEST + STEP * steps as f32 <= highest {
        for (series, powers) in series.iter().zip(&mut powers) {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (value, wave) in series[..times.len()].iter().zip(&waves) {
                real += value * wave.0;
                imaginary += value * wave.1;
            }
            powers[steps] = real * real + imaginary * imaginary;
        }
        for (wave, turn) in waves[..times.len()].iter_mut().zip(&turns) {
            *wave = (wave.0 * turn.0 - wave.1 * turn.1, wave.0 * turn.1 + wave.1 * turn.0);
        }
        steps += 1;
    }
    let mut found = [Spectrum::default(); N];
    for ((series, powers), found) in series.iter().zip(&powers).zip(&mut found) {
        let square: f32 = series[..times.len()].iter().map(|value| value * value).sum();
        *found = highest_point(&powers[..steps], square * times.len() as f32 / 2.0);
    }
    found
}

/// The highest point of a periodogram, between its steps by a parabola.
fn highest_point(powers: &[f32], whole: f32) -> Spectrum {
    let best = (0..powers.len()).max_by(|a, b| powers[*a].total_cmp(&powers[*b]));
    // A point at either end belongs to a period that was not looked at.
    let inside = |best: &usize| whole > 0.0 && *best > 0 && best + 1 < powers.len();
    let Some(best) = best.filter(inside) else { return Spectrum::default() };
    let (before, after) = (powers[best - 1], powers[best + 1]);
    let bend = 2.0 * powers[best] - before - after;
    let off = if bend > 0.0 { (after - before) / (2.0 * bend) } else { 0.0 };
    Spectrum { per_min: LOWEST + STEP * (best as f32 + off), share: (powers[best] / whole).min(1.0) }
}

impl Spectrum {
    /// The rate, if its period explains enough of the variation to be breathing.
    #[must_use]
    pub fn rate(self) -> Option<RespRate> {
        (self.share >= SHARE_MIN).then_some(RespRate { per_min: self.per_min, confidence: self.share })
    }
}
