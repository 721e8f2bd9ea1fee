//! From samples to the energy of the QRS band.
//!
//! The lead is brought to about 120 samples a second (means of n samples) and goes through a pair of
//! filters in quadrature: a Gaussian of 22 ms times the cosine and the sine of 15 Hz (D. Gabor, 1946).
//! The root of the sum of their squares is the envelope: it does not depend on the polarity or the
//! shape of a QRS complex, has one hump for each, and stands above its middle. 15 Hz lies between the
//! greatest energy of the QRS complex and that of T waves and movement, which is below 8 Hz, and of
//! muscle, which is above 25 Hz (N. V. Thakor, J. G. Webster, W. J. Tompkins, 1984).
//!
//! Both filters have linear phase; the delay of the envelope is 100 ms and the mean's half sample.

use core::f64::consts::PI;
use serde::{Deserialize, Serialize};
use vitals::Rate;

use crate::filter::{Decimator, Window, dot};

/// Samples a second that the lead is brought to, about.
const WORKING_HZ: f64 = 120.0;
/// Centre of the QRS band.
const CENTRE_HZ: f64 = 15.0;
/// Standard deviation of the Gaussian.
const SPREAD_S: f64 = 0.022;
/// The filters reach this far to either side.
const REACH_S: f64 = 0.1;
/// Samples are millivolts; anything above this is no electrocardiogram but a fault.
const HIGHEST: f32 = 1e6;
/// So much of the lead is kept for a look at the shape of a beat.
pub(super) const KEPT_S: f64 = 0.55;
/// Missing samples up to this long are bridged with the last value.
const BRIDGED_S: f64 = 0.04;

/// A sample of the envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Height of the envelope, the amplitude of a 15 Hz wave that would give it.
    pub height: f32,
    /// Whether samples near it were missing.
    pub doubtful: bool,
}

/// The filters of one lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Front {
    /// Taps in the order of the samples, padded with zeros at the old end.
    even: Vec<f32>,
    odd: Vec<f32>,
    window: Window,
    half: u32,
    bridged: u32,
    last: f32,
    /// Working samples missing in a row, and good ones since more than could be bridged were missing.
    missing: u32,
    good: u32,
}

impl Front {
    /// What brings a lead of this rate to the filters' rate.
    pub fn decimator(rate: Rate) -> Decimator {
        Decimator::nearest(rate.hz(), WORKING_HZ)
    }

    /// Filters for working samples of this rate.
    pub fn new(hz: f64) -> Self {
        let half = libm::round(REACH_S * hz).max(1.0) as u32;
        // Rates below 40 Hz do not carry the whole band.
        let centre_hz = CENTRE_HZ.min(0.3 * hz);
        let (even, odd) = quadrature(half, hz, centre_hz);
        let length = even.len().max(libm::ceil(KEPT_S * hz) as usize);
        Self {
            even,
            odd,
            window: Window::new(length),
            half,
            bridged: libm::round(BRIDGED_S * hz) as u32,
            last: 0.0,
            missing: 0,
            good: 0,
        }
    }

    /// Delay of the envelope in working samples.
    pub fn delay(&self) -> u32 {
        self.half
    }

    /// Working samples that may be missing in a row without a break.
    pub fn bridged(&self) -> u32 {
        self.bridged
    }

    /// The newest working samples, the newest last.
    pub fn working(&self) -> &[f32] {
        self.window.newest()
    }

    /// The line is interrupted here.
    pub fn gap(&mut self) {
        self.missing = self.missing.max(self.bridged + 1);
    }

    /// Takes the next working sample.
    #[inline]
    pub fn step(&mut self, mean: f32) -> Step {
        // False for what is no number, too.
        if mean.abs() < HIGHEST {
            if self.missing > self.bridged {
                self.window.fill(mean);
                self.good = 0;
            }
            self.missing = 0;
            self.last = mean;
            self.good = self.good.saturating_add(1);
        } else {
            self.missing = self.missing.saturating_add(1);
        }
        self.window.push(self.last);
        if self.missing > self.bridged {
            self.good = 0;
            return Step { height: 0.0, doubtful: true };
        }
        let samples = self.window.newest();
        let samples = &samples[samples.len() - self.even.len()..];
        let (e, o) = (dot(samples, &self.even), dot(samples, &self.odd));
        let doubtful = self.good <= 2 * self.half;
        Step { height: (e * e + o * o).sqrt(), doubtful }
    }
}

/// Taps of the pair, `2·half + 1` of them and zeros before, to a multiple of four. A wave at the centre
/// frequency of amplitude 1 gives an envelope of 1; a constant gives 0.
fn quadrature(half: u32, hz: f64, centre_hz: f64) -> (Vec<f32>, Vec<f32>) {
    let half = half as i32;
    let wave = |i: i32| {
        let t = f64::from(i) / hz;
        let bell = libm::exp(-t * t / (2.0 * SPREAD_S * SPREAD_S));
        let angle = 2.0 * PI * centre_hz * t;
        (bell, libm::cos(angle), libm::sin(angle))
    };
    let all: Vec<(f64, f64, f64)> = (-half..=half).map(wave).collect();
    let level = all.iter().map(|w| w.0 * w.1).sum::<f64>() / all.iter().map(|w| w.0).sum::<f64>();
    let even: Vec<f64> = all.iter().map(|w| w.0 * (w.1 - level)).collect();
    let odd: Vec<f64> = all.iter().map(|w| w.0 * w.2).collect();
    let even_gain: f64 = even.iter().zip(&all).map(|(tap, w)| tap * w.1).sum();
    let odd_gain: f64 = odd.iter().zip(&all).map(|(tap, w)| tap * w.2).sum();
    let padding = (4 - all.len() % 4) % 4;
    let padded = |taps: &[f64], gain: f64| {
        let zeros = core::iter::repeat_n(0.0, padding);
        zeros.chain(taps.iter().map(|tap| (tap / gain) as f32)).collect()
    };
    (padded(&even, even_gain), padded(&odd, odd_gain))
}
