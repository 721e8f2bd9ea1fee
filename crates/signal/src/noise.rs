//! Seeded noise of the kinds that electrocardiograms suffer from, added at a stated signal-to-noise
//! ratio.
//!
//! The kinds are those of the MIT-BIH Noise Stress Test Database (G. B. Moody, W. K. Muldrow,
//! R. G. Mark, "A noise stress test for arrhythmia detectors", Computers in Cardiology 1984), made here
//! from a seed, and mains interference. The ratio is defined as that paper's program `nst` does:
//!
//! - signal power S = A²/8, where A is the mean peak-to-peak height of the QRS complexes (50 ms either
//!   side of the first 300 beats) without the highest and the lowest 5 %;
//! - noise power N = the square of the mean, without the highest and the lowest 5 %, of the root mean
//!   square that 1 s pieces of the first 300 s have about their own mean;
//! - ratio in decibels = 10·log10(S/N).

use core::f64::consts::PI;
use serde::{Deserialize, Serialize};
use vitals::Rate;

use crate::filter::{BUTTERWORTH, Biquad};

/// What kind of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NoiseKind {
    /// Below 1 Hz: breathing and slow movement.
    BaselineWander,
    /// 20 to 120 Hz, in bursts: muscle.
    Muscle,
    /// Steps, bumps and slow returns of the electrodes' voltage, which resemble ectopic beats, with
    /// most of their power between 0.5 and 10 Hz, and some muscle with them.
    ElectrodeMotion,
    /// 50 Hz with its third harmonic.
    Mains50,
    /// 60 Hz with its third harmonic.
    Mains60,
}

/// Chance from a seed: xoshiro256++ (D. Blackman, S. Vigna, 2019), begun by SplitMix64.
#[derive(Debug, Clone, PartialEq)]
struct Chance([u64; 4]);

impl Chance {
    fn new(seed: u64) -> Self {
        let mut state = seed;
        Self([(); 4].map(|()| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Even in (0, 1].
    fn even(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.even()
    }

    /// Normal, mean 0, deviation 1 (G. E. P. Box, M. E. Muller, 1958).
    fn normal(&mut self) -> f64 {
        libm::sqrt(-2.0 * libm::log(self.even())) * libm::cos(2.0 * PI * self.even())
    }
}

/// Noise of a kind, of any power, the same for the same seed on every machine.
#[must_use]
pub fn generate(kind: NoiseKind, rate: Rate, length: usize, seed: u64) -> Vec<f32> {
    let hz = rate.hz();
    let mut chance = Chance::new(seed);
    match kind {
        NoiseKind::BaselineWander => baseline(&mut chance, hz, length),
        NoiseKind::Muscle => muscle(&mut chance, hz, length),
        NoiseKind::ElectrodeMotion => motion(&mut chance, hz, length),
        NoiseKind::Mains50 => mains(&mut chance, hz, length, 50.0),
        NoiseKind::Mains60 => mains(&mut chance, hz, length, 60.0),
    }
}

/// White noise below half a hertz, and a breath of changing rate and depth.
fn baseline(chance: &mut Chance, hz: f64, length: usize) -> Vec<f32> {
    let mut slow = [Biquad::low_pass(0.5, BUTTERWORTH, hz), Biquad::low_pass(0.5, BUTTERWORTH, hz)];
    let gain = libm::sqrt(hz);
    let (mut phase, mut breath_hz, mut depth) = (0.0, 0.25, 1.0);
    (0..length)
        .map(|i| {
            if i % (hz.max(1.0) as usize) == 0 {
                breath_hz = (breath_hz + 0.02 * chance.normal()).clamp(0.15, 0.45);
                depth = (depth + 0.1 * chance.normal()).clamp(0.3, 2.0);
            }
            phase += 2.0 * PI * breath_hz / hz;
            let white = (chance.normal() * gain) as f32;
            let drift = slow.iter_mut().fold(white, |x, filter| filter.step(x));
            drift + (depth * libm::sin(phase)) as f32
        })
        .collect()
}

/// White noise of the band that surface muscles give, its strength rising and falling.
fn muscle(chance: &mut Chance, hz: f64, length: usize) -> Vec<f32> {
    let mut high = Biquad::high_pass(20.0, BUTTERWORTH, hz);
    let mut low = Biquad::low_pass(120.0, BUTTERWORTH, hz);
    let mut strength = Biquad::low_pass(0.5, BUTTERWORTH, hz);
    let gain = libm::sqrt(hz);
    (0..length)
        .map(|_| {
            let burst = strength.step((chance.normal() * gain) as f32).abs() + 0.3;
            burst * low.step(high.step(chance.normal() as f32))
        })
        .collect()
}

/// Movements come at random, about two a second; each moves the voltage within 30 to 150 ms, as a QRS
/// complex or its half would, and lets it come back within 0.05 to 1 s. Small ones are many, great ones few.
fn motion(chance: &mut Chance, hz: f64, length: usize) -> Vec<f32> {
    let mut values = vec![0.0_f32; length];
    let mut at_s = 0.0;
    let end_s = length as f64 / hz;
    loop {
        at_s += -0.5 * libm::log(chance.even());
        if at_s >= end_s {
            break;
        }
        let height = chance.normal() * libm::exp(0.6 * chance.normal());
        let rise_s = chance.between(0.03, 0.15);
        let back_s = libm::exp(chance.between(libm::log(0.05), libm::log(1.0)));
        let first = libm::ceil(at_s * hz) as usize;
        let last = (((at_s + rise_s + 6.0 * back_s) * hz) as usize).min(length);
        for (i, value) in values.iter_mut().enumerate().take(last).skip(first) {
            let t = i as f64 / hz - at_s;
            let shape = if t < rise_s {
                0.5 - 0.5 * libm::cos(PI * t / rise_s)
            } else {
                libm::exp((rise_s - t) / back_s)
            };
            *value += (height * shape) as f32;
        }
    }
    // The skin is pulled also while nothing jumps: noise that falls with frequency, and muscle.
    let mut slow = Biquad::low_pass(4.0, 0.5, hz);
    let gain = 0.3 * libm::sqrt(hz / 8.0);
    for (value, muscle) in values.iter_mut().zip(muscle(chance, hz, length)) {
        *value += slow.step((gain * chance.normal()) as f32) + 0.05 * muscle;
    }
    values
}

/// A sine and its third harmonic; the strength changes slowly, the frequency by a thousandth.
fn mains(chance: &mut Chance, hz: f64, length: usize, mains_hz: f64) -> Vec<f32> {
    let (mut phase, mut strength, mut now_hz) = (2.0 * PI * chance.even(), 1.0, mains_hz);
    (0..length)
        .map(|i| {
            if i % (hz.max(1.0) as usize) == 0 {
                strength = (strength + 0.05 * chance.normal()).clamp(0.5, 1.5);
                now_hz = (now_hz + 0.01 * chance.normal()).clamp(0.999 * mains_hz, 1.001 * mains_hz);
            }
            phase += 2.0 * PI * now_hz / hz;
            let third = if 3.0 * mains_hz < hz / 2.0 { 0.15 * libm::sin(3.0 * phase) } else { 0.0 };
            (strength * (libm::sin(phase) + third)) as f32
        })
        .collect()
}

/// Signal power of a lead as defined above; `beats_us` are times of its beats from the first sample.
/// None if no beat lies within.
#[must_use]
pub fn signal_power(values: &[f32], rate: Rate, beats_us: &[i64]) -> Option<f64> {
    let reach = (0.05 * rate.hz()) as usize;
    let height = |at_us: &i64| {
        let middle = usize::try_from(rate.samples_in(*at_us)).ok()?;
        let around = values.get(middle.checked_sub(reach)?..=middle + reach)?;
        let (low, high) = around.iter().fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
        let height = f64::from(high) - f64::from(low);
        height.is_finite().then_some(height).filter(|height| *height >= 0.0)
    };
    let heights: Vec<f64> = beats_us.iter().take(300).filter_map(height).collect();
    trimmed_mean(heights).map(|mean| mean * mean / 8.0)
}

/// Noise power as defined above. None for less than a second of it.
#[must_use]
pub fn noise_power(noise: &[f32], rate: Rate) -> Option<f64> {
    let second = (rate.hz() as usize).max(2);
    let root = |piece: &[f32]| {
        let mean = piece.iter().map(|x| f64::from(*x)).sum::<f64>() / piece.len() as f64;
        let square = |x: &f32| (f64::from(*x) - mean) * (f64::from(*x) - mean);
        libm::sqrt(piece.iter().map(square).sum::<f64>() / piece.len() as f64)
    };
    let roots: Vec<f64> = noise.chunks_exact(second).take(300).map(root).collect();
    trimmed_mean(roots).map(|mean| mean * mean)
}

/// The mean without the highest and the lowest 5 %.
fn trimmed_mean(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 20;
    let kept = &values[cut..values.len() - cut];
    (!kept.is_empty()).then(|| kept.iter().sum::<f64>() / kept.len() as f64)
}

/// Noise to add to a lead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stress {
    /// Its kind.
    pub kind: NoiseKind,
    /// Signal-to-noise ratio, decibels.
    pub snr_db: f64,
    /// Where chance begins; each lead of a record wants its own.
    pub seed: u64,
    /// Noise is added from this time on, microseconds from the first sample.
    pub from_us: i64,
    /// Two minutes with noise and two minutes without in turn, as `nst` does, or noise all the time.
    pub in_turn: bool,
}

/// Adds noise to a lead at a signal-to-noise ratio; `beats_us` are times of its beats from the first
/// sample. Returns the factor by which the noise was multiplied; none, and the lead as it was, if it has
/// no beat or is shorter than a second.
pub fn add_at_snr(values: &mut [f32], rate: Rate, beats_us: &[i64], stress: &Stress) -> Option<f64> {
    let noise = generate(stress.kind, rate, values.len(), stress.seed);
    let signal = signal_power(values, rate, beats_us)?;
    let factor = libm::sqrt(signal / noise_power(&noise, rate)? / libm::pow(10.0, stress.snr_db / 10.0));
    let first = rate.samples_in(stress.from_us).max(0) as usize;
    let turn = (120.0 * rate.hz()) as usize;
    for (i, (value, noise)) in values.iter_mut().zip(&noise).enumerate().skip(first) {
        if !stress.in_turn || ((i - first) / turn.max(1)) % 2 == 0 {
            *value += (factor * f64::from(*noise)) as f32;
        }
    }
    Some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [NoiseKind; 5] = [
        NoiseKind::BaselineWander,
        NoiseKind::Muscle,
        NoiseKind::ElectrodeMotion,
        NoiseKind::Mains50,
        NoiseKind::Mains60,
    ];

    /// Power below and above a frequency.
    fn split(values: &[f32], hertz: f64, rate_hz: f64) -> (f64, f64) {
        let mut low = [Biquad::low_pass(hertz, BUTTERWORTH, rate_hz), Biquad::low_pass(hertz, BUTTERWORTH, rate_hz)];
        let mut powers = (0.0, 0.0);
        for value in values {
            let slow = low.iter_mut().fold(*value, |x, filter| filter.step(x));
            powers.0 += f64::from(slow * slow);
            powers.1 += f64::from(value * value);
        }
        (powers.0, powers.1 - powers.0)
    }

    #[test]
    fn a_seed_makes_the_noise() {
        let rate = Rate::new(360, 1).expect("not zero");
        for kind in KINDS {
            let one = generate(kind, rate, 3_600, 7);
            assert_eq!(one, generate(kind, rate, 3_600, 7));
            assert_ne!(one, generate(kind, rate, 3_600, 8));
            assert!(one.iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn each_kind_has_its_band() {
        let rate = Rate::new(360, 1).expect("not zero");
        let of = |kind, hertz| split(&generate(kind, rate, 360 * 300, 3), hertz, 360.0);
        let (low, high) = of(NoiseKind::BaselineWander, 1.5);
        assert!(low > 20.0 * high);
        let (low, high) = of(NoiseKind::Muscle, 15.0);
        assert!(high > 10.0 * low);
        let (low, high) = of(NoiseKind::ElectrodeMotion, 10.0);
        assert!(low > 10.0 * high);
        let (low, high) = of(NoiseKind::Mains50, 40.0);
        assert!(high > low);
    }

    #[test]
    fn the_ratio_is_as_asked() {
        let rate = Rate::new(250, 1).expect("not zero");
        // Rectangles of 2 mV: S = 2²/8.
        let mut values: Vec<f32> = (0..250 * 400).map(|i| if i % 250 < 10 { 2.0 } else { 0.0 }).collect();
        let beats: Vec<i64> = (1..399).map(|i| i * 1_000_000 + 20_000).collect();
        assert_eq!(signal_power(&values, rate, &beats), Some(0.5));
        for kind in KINDS {
            let clean = values.clone();
            let stress = Stress { kind, snr_db: 6.0, seed: 1, from_us: 300_000_000, in_turn: false };
            let factor = add_at_snr(&mut values, rate, &beats, &stress).expect("it has beats");
            assert_eq!(values[..75_000], clean[..75_000]);
            let noise = generate(kind, rate, values.len(), 1);
            let scaled: Vec<f32> = noise.iter().map(|x| (factor * f64::from(*x)) as f32).collect();
            let ratio = 0.5 / noise_power(&scaled, rate).expect("long enough");
            assert!((10.0 * libm::log10(ratio) - 6.0).abs() < 1e-4, "{kind:?} {ratio}");
            values = clean;
        }
        assert_eq!(signal_power(&values, rate, &[]), None);
        assert_eq!(noise_power(&[1.0], rate), None);
    }
}
