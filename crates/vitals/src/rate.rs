//! Sampling rates as fractions, so that 62.5 Hz stays 62.5 Hz however long it runs.

use serde::{Deserialize, Serialize};

/// A sampling rate in hertz, as a fraction in lowest terms: 62.5 Hz is 125/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    numerator: u32,
    denominator: u32,
}

impl Rate {
    /// The rate `numerator / denominator` hertz; none if either is 0.
    #[must_use]
    pub const fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 {
            return None;
        }
        let (mut a, mut b) = (numerator, denominator);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Some(Self { numerator: numerator / a, denominator: denominator / a })
    }

    /// The simplest fraction within a millionth of `hertz`, by continued fractions; none if it
    /// is not between 10⁻⁶ and 10⁹ or needs more than 32 bits.
    #[must_use]
    pub fn from_hz(hertz: f64) -> Option<Self> {
        if !hertz.is_finite() || !(1e-6..=1e9).contains(&hertz) {
            return None;
        }
        let (mut rest, mut previous, mut current) = (hertz, (1_u64, 0_u64), (hertz.floor() as u64, 1_u64));
        for _ in 0..20 {
            if (current.0 as f64 / current.1 as f64 / hertz - 1.0).abs() < 1e-6 {
                break;
            }
            rest = 1.0 / (rest - rest.floor());
            let digit = rest.floor() as u64;
            let next = (
                digit.checked_mul(current.0)?.checked_add(previous.0)?,
                digit.checked_mul(current.1)?.checked_add(previous.1)?,
            );
            (previous, current) = (current, next);
        }
        Self::new(u32::try_from(current.0).ok()?, u32::try_from(current.1).ok()?)
    }

    /// Numerator in lowest terms.
    #[must_use]
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// Denominator in lowest terms.
    #[must_use]
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// In hertz.
    #[must_use]
    pub fn hz(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// Microseconds from sample 0 to sample `index`, rounded down: exact for any index, with no
    /// error that adds up.
    #[must_use]
    pub fn micros(self, index: u64) -> i64 {
        let micros = u128::from(index) * u128::from(self.denominator) * 1_000_000
            / u128::from(self.numerator);
        i64::try_from(micros).unwrap_or(i64::MAX)
    }

    /// The first sample at or after `micros` microseconds behind sample 0; 0 for negative times.
    #[must_use]
    pub fn index_at(self, micros: i64) -> u64 {
        let Ok(micros) = u128::try_from(micros) else { return 0 };
        let parts = u128::from(self.denominator) * 1_000_000;
        // micros(i) rounds down, so sample i is "at" m when i·parts/n ≥ m, up to that rounding.
        let index = (micros * u128::from(self.numerator)).div_ceil(parts);
        let index = u64::try_from(index).unwrap_or(u64::MAX);
        match index.checked_sub(1) {
            Some(before) if self.micros(before) >= micros as i64 => before,
            _ => index,
        }
    }

    /// Nearest number of samples in `micros` microseconds; negative for negative times.
    #[must_use]
    pub fn samples_in(self, micros: i64) -> i64 {
        let parts = i128::from(self.denominator) * 1_000_000;
        let doubled = 2 * i128::from(micros) * i128::from(self.numerator) + parts;
        i64::try_from(doubled.div_euclid(2 * parts)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(numerator: u32, denominator: u32) -> Rate {
        Rate::new(numerator, denominator).expect("not zero")
    }

    #[test]
    fn fractions_are_in_lowest_terms() {
        assert_eq!(rate(250, 4), rate(125, 2));
        assert_eq!(Rate::new(0, 1), None);
        assert_eq!(Rate::new(1, 0), None);
    }

    /// A week at 62.5 Hz ends on the very sample where it should.
    #[test]
    fn a_week_does_not_drift_by_a_sample() {
        let week_us = 7 * crate::time::DAY;
        for (n, d) in [(125, 2), (250, 1), (360, 1), (1_000, 3), (256, 1), (500, 7)] {
            let rate = rate(n, d);
            let samples = (week_us as u128 * u128::from(n) / (u128::from(d) * 1_000_000)) as u64;
            let end = rate.micros(samples);
            assert!((week_us - end) as f64 <= 1e6 / rate.hz(), "{n}/{d}");
            assert_eq!(rate.index_at(end), samples);
            assert_eq!(rate.samples_in(end), samples as i64);
        }
        assert_eq!(rate(125, 2).micros(37_800_000), week_us);
    }

    #[test]
    fn index_and_time_are_inverse() {
        for rate in [rate(360, 1), rate(125, 2), rate(1, 60), rate(999_983, 1_009)] {
            for index in [0, 1, 2, 7, 1_000, 123_456_789] {
                assert_eq!(rate.index_at(rate.micros(index)), index, "{rate:?} {index}");
            }
        }
        assert_eq!(rate(250, 1).index_at(-5), 0);
        assert_eq!(rate(250, 1).samples_in(-8_000), -2);
    }

    #[test]
    fn rates_are_simple_fractions() {
        for (hertz, expected) in
            [(125.0, (125, 1)), (62.5, (125, 2)), (360.0, (360, 1)), (1.0 / 60.0, (1, 60)), (256.0, (256, 1))]
        {
            assert_eq!(Rate::from_hz(hertz), Rate::new(expected.0, expected.1), "{hertz}");
        }
        for hertz in [0.0, -1.0, f64::NAN, 1e300, 1e-300] {
            assert_eq!(Rate::from_hz(hertz), None);
        }
    }
}
