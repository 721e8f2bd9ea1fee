//! Filters with a stated phase and delay, for any rate of sampling.
//!
//! | Filter | Phase | Group delay, samples |
//! |---|---|---|
//! | [`Biquad`] | not linear | depends on the frequency: [`Biquad::delay_at`] |
//! | [`Fir`], symmetric or antisymmetric taps | linear | `(taps − 1) / 2` |
//! | [`MovingSum`] of n | linear | `(n − 1) / 2` |
//! | [`Decimator`] by n | linear | `(n − 1) / 2` of the input's samples |
//!
//! Coefficients are made with `libm`, so they are the same on every machine.

use core::f64::consts::PI;
use serde::{Deserialize, Serialize};

/// The quality factor of a Butterworth filter of the second order.
pub const BUTTERWORTH: f64 = core::f64::consts::FRAC_1_SQRT_2;

/// A second-order section in transposed direct form II.
///
/// Coefficients: R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter
/// coefficients", which are bilinear transforms of the analogue prototypes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    z: [f32; 2],
}

impl Biquad {
    fn new(b: [f64; 3], a: [f64; 3]) -> Self {
        let scaled = |value: f64| (value / a[0]) as f32;
        Self { b: b.map(scaled), a: [scaled(a[1]), scaled(a[2])], z: [0.0; 2] }
    }

    /// `cos ω` and `α` of the cookbook; a frequency above 0.45 of the rate is taken as that.
    fn angle(hertz: f64, q: f64, rate_hz: f64) -> (f64, f64) {
        let omega = 2.0 * PI * hertz.clamp(1e-6 * rate_hz, 0.45 * rate_hz) / rate_hz;
        (libm::cos(omega), libm::sin(omega) / (2.0 * q))
    }

    /// Lets through what is slower than `hertz` (−3 dB there with `q` of [`BUTTERWORTH`]).
    #[must_use]
    pub fn low_pass(hertz: f64, q: f64, rate_hz: f64) -> Self {
        let (c, alpha) = Self::angle(hertz, q, rate_hz);
        Self::new([(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
    }

    /// Lets through what is faster than `hertz`.
    #[must_use]
    pub fn high_pass(hertz: f64, q: f64, rate_hz: f64) -> Self {
        let (c, alpha) = Self::angle(hertz, q, rate_hz);
        Self::new([(1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
    }

    /// Lets through a band around `hertz`, `hertz / q` wide; gain 1 at its centre.
    #[must_use]
    pub fn band_pass(hertz: f64, q: f64, rate_hz: f64) -> Self {
        let (c, alpha) = Self::angle(hertz, q, rate_hz);
        Self::new([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
    }

    /// Takes out a band around `hertz`, `hertz / q` wide.
    #[must_use]
    pub fn notch(hertz: f64, q: f64, rate_hz: f64) -> Self {
        let (c, alpha) = Self::angle(hertz, q, rate_hz);
        Self::new([1.0, -2.0 * c, 1.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
    }

    /// Filters one sample.
    #[inline]
    pub fn step(&mut self, x: f32) -> f32 {
        let y = self.b[0] * x + self.z[0];
        self.z[0] = self.b[1] * x - self.a[0] * y + self.z[1];
        self.z[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Goes on as if it had always been given `x`: no step after a gap.
    pub fn settle(&mut self, x: f32) {
        let gain = (self.b[0] + self.b[1] + self.b[2]) / (1.0 + self.a[0] + self.a[1]);
        let y = gain * x;
        self.z[1] = self.b[2] * x - self.a[1] * y;
        self.z[0] = self.b[1] * x - self.a[0] * y + self.z[1];
    }

    /// Gain and phase (radians, negative is late) at a frequency.
    #[must_use]
    pub fn response(&self, hertz: f64, rate_hz: f64) -> (f64, f64) {
        let omega = 2.0 * PI * hertz / rate_hz;
        let sum = |c: [f64; 3]| {
            let (mut re, mut im) = (0.0, 0.0);
            for (k, value) in c.into_iter().enumerate() {
                re += value * libm::cos(omega * k as f64);
                im -= value * libm::sin(omega * k as f64);
            }
            (re, im)
        };
        let top = sum(self.b.map(f64::from));
        let bottom = sum([1.0, f64::from(self.a[0]), f64::from(self.a[1])]);
        let gain = libm::sqrt((top.0 * top.0 + top.1 * top.1) / (bottom.0 * bottom.0 + bottom.1 * bottom.1));
        let phase = libm::atan2(top.1, top.0) - libm::atan2(bottom.1, bottom.0);
        (gain, phase)
    }

    /// Group delay at a frequency, samples: the slope of the phase.
    #[must_use]
    pub fn delay_at(&self, hertz: f64, rate_hz: f64) -> f64 {
        let step = rate_hz * 1e-5;
        let (_, before) = self.response(hertz - step, rate_hz);
        let (_, after) = self.response(hertz + step, rate_hz);
        let mut turn = after - before;
        turn -= 2.0 * PI * libm::round(turn / (2.0 * PI));
        -turn * rate_hz / (2.0 * PI * 2.0 * step)
    }
}

/// A finite impulse response over the newest samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fir {
    taps: Vec<f32>,
    window: Window,
}

impl Fir {
    /// A filter with these taps, the first for the newest sample.
    #[must_use]
    pub fn new(taps: Vec<f32>) -> Self {
        let mut taps = taps;
        taps.reverse();
        let window = Window::new(taps.len().max(1));
        Self { taps, window }
    }

    /// A low-pass of odd length, about `half_s` seconds either side, by the windowed-sinc method with
    /// a Hamming window (A. V. Oppenheim, R. W. Schafer, "Discrete-Time Signal Processing", 7.5). Its
    /// gain at 0 Hz is 1, its phase linear.
    #[must_use]
    pub fn low_pass(hertz: f64, half_s: f64, rate_hz: f64) -> Self {
        let half = libm::round(half_s * rate_hz).clamp(1.0, 4_096.0) as i32;
        let cut = (hertz / rate_hz).min(0.5);
        let ideal = |i: i32| match i {
            0 => 2.0 * cut,
            i => libm::sin(2.0 * PI * cut * f64::from(i)) / (PI * f64::from(i)),
        };
        let taps: Vec<f64> = (-half..=half)
            .map(|i| ideal(i) * (0.54 + 0.46 * libm::cos(PI * f64::from(i) / f64::from(half))))
            .collect();
        let sum: f64 = taps.iter().sum();
        Self::new(taps.iter().map(|tap| (tap / sum) as f32).collect())
    }

    /// Group delay of symmetric or antisymmetric taps, samples.
    #[must_use]
    pub fn delay(&self) -> f32 {
        (self.taps.len().max(1) - 1) as f32 / 2.0
    }

    /// Filters one sample.
    #[inline]
    pub fn step(&mut self, x: f32) -> f32 {
        self.window.push(x);
        dot(self.window.newest(), &self.taps)
    }

    /// Goes on as if it had always been given `x`.
    pub fn settle(&mut self, x: f32) {
        self.window.fill(x);
    }
}

/// Sum of products in a fixed order, four sums side by side.
#[inline(always)]
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0_f32; 4];
    let count = a.len().min(b.len());
    let (a, b) = (&a[..count], &b[..count]);
    // Counted, not zipped: this is where most of the time goes, and so it is twice as fast.
    let mut i = 0;
    while i < count {
        let (x, y) = (a[i], b[i]);
        for k in 0..4 {
            sums[k] += x[k] * y[k];
        }
        i += 1;
    }
    let mut rest = 0.0;
    for k in 0..a_rest.len().min(b_rest.len()) {
        rest += a_rest[k] * b_rest[k];
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// The newest samples in one piece: each is written twice, so that no window wraps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    twice: Vec<f32>,
    at: u32,
}

impl Window {
    /// Room for `length` samples (at least 1), all zero.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { twice: vec![0.0; 2 * length.max(1)], at: 0 }
    }

    /// How many samples it holds.
    #[must_use]
    pub fn length(&self) -> usize {
        self.twice.len() / 2
    }

    /// Adds the newest sample and forgets the oldest.
    #[inline]
    pub fn push(&mut self, x: f32) {
        let (length, at) = (self.length(), self.at as usize);
        self.twice[at] = x;
        self.twice[at + length] = x;
        self.at = if at + 1 == length { 0 } else { at as u32 + 1 };
    }

    /// All samples, the oldest first.
    #[inline]
    #[must_use]
    pub fn newest(&self) -> &[f32] {
        let at = self.at as usize;
        &self.twice[at..at + self.length()]
    }

    /// Makes all samples `x`.
    pub fn fill(&mut self, x: f32) {
        self.twice.fill(x);
    }
}

/// The sum of the newest n samples, exact however long it runs: it is added anew once a round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovingSum {
    ring: Vec<f32>,
    at: u32,
    sum: f32,
    anew: f32,
}

impl MovingSum {
    /// A sum over `length` samples (at least 1), all zero.
    #[must_use]
    pub fn new(length: usize) -> Self {
        Self { ring: vec![0.0; length.max(1)], at: 0, sum: 0.0, anew: 0.0 }
    }

    /// Group delay, samples.
    #[must_use]
    pub fn delay(&self) -> f32 {
        (self.ring.len() - 1) as f32 / 2.0
    }

    /// Adds a sample and gives the sum.
    #[inline]
    pub fn step(&mut self, x: f32) -> f32 {
        let at = self.at as usize;
        self.sum += x - self.ring[at];
        self.anew += x;
        self.ring[at] = x;
        self.at += 1;
        if self.at as usize == self.ring.len() {
            // The ring holds just what was added since its start: rounding errors end here.
            self.at = 0;
            self.sum = self.anew;
            self.anew = 0.0;
        }
        self.sum
    }
}

/// Means of n samples each: a moving mean of which every n-th value is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decimator {
    by: u32,
    part: f32,
    count: u32,
    sum: f32,
}

impl Decimator {
    /// Keeps one of `by` samples (at least 1).
    #[must_use]
    pub fn new(by: u32) -> Self {
        Self { by: by.max(1), part: 1.0 / by.max(1) as f32, count: 0, sum: 0.0 }
    }

    /// The number that brings `rate_hz` nearest to `wanted_hz`.
    #[must_use]
    pub fn nearest(rate_hz: f64, wanted_hz: f64) -> Self {
        Self::new(libm::round(rate_hz / wanted_hz).clamp(1.0, 1e6) as u32)
    }

    /// How many samples become one.
    #[must_use]
    pub fn by(&self) -> u32 {
        self.by
    }

    /// Adds a sample; a mean once there are enough. A sum of anything that is no number is none.
    #[inline]
    pub fn step(&mut self, x: f32) -> Option<f32> {
        self.sum += x;
        self.count += 1;
        if self.count < self.by {
            return None;
        }
        let mean = self.sum * self.part;
        self.count = 0;
        self.sum = 0.0;
        Some(mean)
    }

    /// Forgets a part that was begun.
    pub fn restart(&mut self) {
        self.count = 0;
        self.sum = 0.0;
    }

    /// Takes a slice and calls `each` with every mean, in order: as [`step`](Self::step), but faster.
    #[inline]
    pub fn slice(&mut self, mut values: &[f32], mut each: impl FnMut(f32)) {
        while self.count != 0 {
            let Some((first, rest)) = values.split_first() else { return };
            values = rest;
            if let Some(mean) = self.step(*first) {
                each(mean);
            }
        }
        let by = self.by as usize;
        let whole = values.chunks_exact(by);
        let rest = whole.remainder();
        for chunk in whole {
            // Started from zero as `step` does, so that both round alike.
            let sum = chunk.iter().fold(0.0, |sum, x| sum + x);
            each(sum * self.part);
        }
        for value in rest {
            if let Some(mean) = self.step(*value) {
                each(mean);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(mut filter: impl FnMut(f32) -> f32, hertz: f64, rate_hz: f64) -> f64 {
        let samples = (rate_hz * 20.0) as usize;
        let mut power = 0.0;
        for i in 0..samples {
            let y = filter(libm::sin(2.0 * PI * hertz * i as f64 / rate_hz) as f32);
            if i > samples / 2 {
                power += f64::from(y * y);
            }
        }
        (power / (samples / 2) as f64 * 2.0).sqrt()
    }

    /// What the response promises is what a sine wave shows, at every rate that devices have.
    #[test]
    fn biquads_do_as_they_say() {
        for rate in [62.5, 125.0, 250.0, 360.0, 500.0, 1_000.0] {
            for hertz in [1.0, 5.0, 12.0, 20.0] {
                for filter in [
                    Biquad::low_pass(10.0, BUTTERWORTH, rate),
                    Biquad::high_pass(10.0, BUTTERWORTH, rate),
                    Biquad::band_pass(10.0, 1.0, rate),
                    Biquad::notch(10.0, 2.0, rate),
                ] {
                    let expected = filter.response(hertz, rate).0;
                    let mut running = filter.clone();
                    let seen = gain(|x| running.step(x), hertz, rate);
                    assert!((seen - expected).abs() < 0.01, "{rate} {hertz} {filter:?}: {seen} {expected}");
                }
            }
            let corner = Biquad::low_pass(10.0, BUTTERWORTH, rate).response(10.0, rate).0;
            assert!((corner - BUTTERWORTH).abs() < 1e-3, "{corner}");
            assert!(Biquad::notch(10.0, 2.0, rate).response(10.0, rate).0 < 1e-3);
        }
    }

    /// A slow wave packet comes out as much later as the group delay says.
    #[test]
    fn the_delay_of_a_biquad_is_its_group_delay() {
        let rate = 500.0;
        let mut filter = Biquad::low_pass(20.0, BUTTERWORTH, rate);
        let expected = filter.delay_at(5.0, rate);
        let (mut weight, mut moment) = (0.0, 0.0);
        for i in 0..2_000 {
            let t = (f64::from(i) - 700.0) / rate;
            let x = libm::exp(-t * t / 0.08) * libm::cos(2.0 * PI * 5.0 * t);
            let y = f64::from(filter.step(x as f32));
            weight += y * y;
            moment += y * y * f64::from(i);
        }
        assert!((moment / weight - 700.0 - expected).abs() < 0.1, "{} {expected}", moment / weight - 700.0);
    }

    #[test]
    fn a_settled_filter_makes_no_step() {
        let mut filter = Biquad::high_pass(0.5, BUTTERWORTH, 250.0);
        filter.settle(1_000.0);
        let most = (0..100).map(|_| filter.step(1_000.0).abs()).fold(0.0, f32::max);
        assert!(most < 0.1, "{most}");
    }

    #[test]
    fn linear_phase_filters_delay_by_half_their_length() {
        let mut fir = Fir::low_pass(15.0, 0.1, 100.0);
        assert_eq!(fir.delay(), 10.0);
        let answer: Vec<f32> = (0..21).map(|i| fir.step(if i == 0 { 1.0 } else { 0.0 })).collect();
        for i in 0..21 {
            assert!((answer[i] - answer[20 - i]).abs() < 1e-6);
        }
        let mut sum = MovingSum::new(3);
        assert_eq!(sum.delay(), 1.0);
        let sums: Vec<f32> = [1.0, 2.0, 4.0, 8.0, 16.0].iter().map(|x| sum.step(*x)).collect();
        assert_eq!(sums, [1.0, 3.0, 7.0, 14.0, 28.0]);
    }

    #[test]
    fn decimating_slices_is_decimating_samples() {
        let values: Vec<f32> = (0..101).map(|i| (i * i % 17) as f32 * 0.37).collect();
        for by in [1, 2, 3, 8] {
            let mut one = Decimator::new(by);
            let singles: Vec<f32> = values.iter().filter_map(|x| one.step(*x)).collect();
            let mut many = Decimator::new(by);
            let mut slices = Vec::new();
            for piece in values.chunks(7) {
                many.slice(piece, |mean| slices.push(mean));
            }
            assert_eq!(singles, slices);
        }
    }
}
