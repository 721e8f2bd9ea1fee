//! Consecutive samples of one stretch of a channel, and how they become wave messages: 16 bits a
//! number, nothing lost where the samples fit, lowest and highest where they are thinned.

use vitals::samples::MISSING;
use vitals::{EffectiveTime, Rate, Scale, WaveRun, WaveSamples};

use super::wire::{self, Head, Kind};

/// Numbers of either sign that 16 bits hold beside the missing one.
const REACH: i64 = 32_767;

/// Consecutive samples of one stretch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Strip {
    /// When the stretch began.
    pub(crate) anchor: EffectiveTime,
    pub(crate) rate: Rate,
    /// Which sample of the stretch the first one here is.
    pub(crate) first: u64,
    pub(crate) scale: Scale,
    pub(crate) numbers: Numbers,
}

/// Samples of a strip.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Numbers {
    /// Counts; the lowest number where there is none.
    Counts(Vec<i32>),
    /// Values; NaN where there is none.
    Real(Vec<f64>),
}

impl Strip {
    /// The samples of a run.
    pub(crate) fn of(run: &WaveRun) -> Self {
        let numbers = match &run.samples {
            WaveSamples::Counts(counts) => Numbers::Counts(counts.to_vec()),
            WaveSamples::Real(values) => Numbers::Real(values.to_vec()),
        };
        let WaveRun { anchor, rate, first, scale, .. } = *run;
        Self { anchor, rate, first, scale, numbers }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Counts(counts) => counts.len(),
            Numbers::Real(values) => values.len(),
        }
    }

    /// Number in the stretch of the sample after the last one.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.len() as u64
    }

    /// When sample `number` of the stretch was true.
    pub(crate) fn time_of(&self, number: u64) -> EffectiveTime {
        self.anchor.plus(self.rate.micros(number))
    }

    /// Takes in a run that goes on where this ends; false, and nothing done, if it does not.
    pub(crate) fn extend(&mut self, run: &WaveRun) -> bool {
        let same = self.anchor == run.anchor && self.rate == run.rate && self.end() == run.first;
        if !same || !self.scale.is_same(&run.scale) {
            return false;
        }
        match (&mut self.numbers, &run.samples) {
            (Numbers::Counts(all), WaveSamples::Counts(more)) => all.extend_from_slice(more),
            (Numbers::Real(all), WaveSamples::Real(more)) => all.extend_from_slice(more),
            _ => return false,
        }
        true
    }

    /// Whether another strip is of the same stretch, counted and scaled alike.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        let alike = matches!(
            (&self.numbers, &other.numbers),
            (Numbers::Counts(_), Numbers::Counts(_)) | (Numbers::Real(_), Numbers::Real(_))
        );
        alike && self.anchor == other.anchor && self.rate == other.rate && self.scale.is_same(&other.scale)
    }

    /// Takes in what goes on where this ends.
    pub(crate) fn append(&mut self, other: Self) {
        match (&mut self.numbers, other.numbers) {
            (Numbers::Counts(all), Numbers::Counts(more)) => all.extend(more),
            (Numbers::Real(all), Numbers::Real(more)) => all.extend(more),
            _ => {}
        }
    }

    /// Every sample's time and value; NaN where there is none.
    pub(crate) fn each(&self, mut take: impl FnMut(i64, f64)) {
        for at in 0..self.len() {
            let value = match &self.numbers {
                Numbers::Counts(counts) => self.scale.value(counts[at]),
                Numbers::Real(values) => values[at],
            };
            take(self.time_of(self.first + at as u64).0, value);
        }
    }

    /// Takes the first `count` samples away as a strip of their own.
    pub(crate) fn take(&mut self, count: usize) -> Self {
        let count = count.min(self.len());
        let numbers = match &mut self.numbers {
            Numbers::Counts(all) => {
                let rest = all.split_off(count);
                Numbers::Counts(std::mem::replace(all, rest))
            }
            Numbers::Real(all) => {
                let rest = all.split_off(count);
                Numbers::Real(std::mem::replace(all, rest))
            }
        };
        let Self { anchor, rate, first, scale, .. } = *self;
        self.first += count as u64;
        Self { anchor, rate, first, scale, numbers }
    }

    /// One message: `n` samples a pair, or (1) whole samples. The last pair may stand for fewer.
    pub(crate) fn message(&self, view: u32, n: usize, flags: u16) -> Vec<u8> {
        let (numbers, scale, offset, rounded) = match &self.numbers {
            Numbers::Counts(counts) => {
                let Fit { middle, step } = Fit::of(counts);
                let fit = |count: i64| {
                    let from_middle = count - middle;
                    let half = from_middle.signum() * (step / 2);
                    ((from_middle + half) / step) as i16
                };
                let missing = |count: &i32| *count == MISSING;
                let mut numbers = number(counts, n, missing, i64::from, fit);
                let unit = self.scale.factor / self.scale.divisor;
                if n > 1 && unit < 0.0 {
                    // The lowest count is the highest value.
                    numbers.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
                }
                let offset = self.scale.offset + middle as f64 * unit;
                (numbers, unit * step as f64, offset, step > 1)
            }
            Numbers::Real(values) => {
                let there = values.iter().filter(|value| value.is_finite());
                let (low, high) = there.fold((f64::MAX, f64::MIN), |(low, high), value| {
                    (low.min(*value), high.max(*value))
                });
                let spread = Spread::over(low, high);
                let fit = |value: f64| spread.number(value);
                let missing = |value: &f64| !value.is_finite();
                let numbers = number(values, n, missing, f64::from, fit);
                (numbers, spread.step, spread.middle, true)
            }
        };
        let rate = slower(self.rate, n);
        let head = Head {
            kind: if n > 1 { Kind::Pairs } else { Kind::Samples },
            flags: flags | if rounded { wire::ROUNDED } else { 0 },
            view,
            start_us: self.time_of(self.first).0,
            rate,
            scale: scale as f32,
            offset: offset as f32,
        };
        wire::message(&head, &numbers)
    }
}

/// The samples as 16-bit numbers, or the lowest and highest of each `n`.
fn number<T: Copy, U: PartialOrd + Copy>(
    samples: &[T],
    n: usize,
    missing: impl Fn(&T) -> bool,
    wide: impl Fn(T) -> U,
    fit: impl Fn(U) -> i16,
) -> Vec<i16> {
    let one = |sample: &T| if missing(sample) { wire::MISSING } else { fit(wide(*sample)) };
    if n <= 1 {
        return samples.iter().map(one).collect();
    }
    let mut out = Vec::with_capacity(2 * samples.len().div_ceil(n));
    for chunk in samples.chunks(n) {
        let mut ends: Option<(U, U)> = None;
        for sample in chunk.iter().filter(|sample| !missing(sample)) {
            let value = wide(*sample);
            ends = Some(match ends {
                None => (value, value),
                Some((low, high)) => (
                    if value < low { value } else { low },
                    if value > high { value } else { high },
                ),
            });
        }
        let (low, high) = ends.map_or((wire::MISSING, wire::MISSING), |(low, high)| (fit(low), fit(high)));
        out.push(low);
        out.push(high);
    }
    out
}

/// How counts become 16-bit numbers: as they are if they fit; else moved; else divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fit {
    middle: i64,
    step: i64,
}

impl Fit {
    fn of(counts: &[i32]) -> Self {
        let there = counts.iter().filter(|count| **count != MISSING).map(|count| i64::from(*count));
        let (low, high) =
            there.fold((i64::MAX, i64::MIN), |(low, high), count| (low.min(count), high.max(count)));
        if low > high || (low >= -REACH && high <= REACH) {
            return Self { middle: 0, step: 1 };
        }
        let middle = (low + high).div_euclid(2);
        Self { middle, step: ((high - middle + REACH - 1) / REACH).max(1) }
    }
}

/// How values become 16-bit numbers: spread over all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) middle: f64,
    pub(crate) step: f64,
}

impl Spread {
    /// Values between `low` and `high`; there are none when `low` is the higher one.
    pub(crate) fn over(low: f64, high: f64) -> Self {
        let middle = if low > high { 0.0 } else { low / 2.0 + high / 2.0 };
        let step = if low < high { (high / 2.0 - low / 2.0) / REACH as f64 } else { 1.0 };
        Self { middle, step }
    }

    pub(crate) fn number(self, value: f64) -> i16 {
        ((value - self.middle) / self.step).round() as i16
    }
}

/// One of `n` samples a second, as a fraction.
pub(crate) fn slower(rate: Rate, n: usize) -> (u32, u32) {
    fraction(u64::from(rate.numerator()), u64::from(rate.denominator()) * n as u64)
}

/// A fraction in lowest terms that fits 32 bits; neither number may be 0.
pub(crate) fn fraction(mut a: u64, mut b: u64) -> (u32, u32) {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a, b) = (a / x, b / x);
    while a.max(b) > u64::from(u32::MAX) {
        (a, b) = ((a / 2).max(1), (b / 2).max(1));
    }
    (a as u32, b as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(numbers: Numbers) -> Strip {
        let rate = Rate::new(125, 2).expect("not zero");
        let scale = Scale { factor: 1.0, divisor: 200.0, offset: 0.25 };
        Strip { anchor: EffectiveTime(1_000_000), rate, first: 125, scale, numbers }
    }

    /// Kind, flags, start in ms, rate, and the values of a message.
    fn read(bytes: &[u8]) -> (u8, u16, f64, (u32, u32), Vec<f64>) {
        let four = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).expect("four");
        let (scale, offset) = (f32::from_le_bytes(four(24)), f32::from_le_bytes(four(28)));
        let values = bytes[wire::HEADER_BYTES..].chunks(2).map(|two| {
            let raw = i16::from_le_bytes([two[0], two[1]]);
            if raw == wire::MISSING { f64::NAN } else { f64::from(raw) * f64::from(scale) + f64::from(offset) }
        });
        let start = f64::from_le_bytes(bytes[8..16].try_into().expect("eight"));
        let rate = (u32::from_le_bytes(four(16)), u32::from_le_bytes(four(20)));
        (bytes[1], u16::from_le_bytes([bytes[2], bytes[3]]), start, rate, values.collect())
    }

    #[test]
    fn counts_that_fit_are_left_as_they_are() {
        let (kind, flags, start, rate, values) =
            read(&strip(Numbers::Counts(vec![0, 200, MISSING, -32_767])).message(1, 1, 0));
        assert_eq!((kind, flags, start, rate), (1, 0, 3_000.0, (125, 2)));
        assert!((values[0] - 0.25).abs() + (values[1] - 1.25).abs() < 1e-6, "{values:?}");
        assert!(values[2].is_nan());
    }

    #[test]
    fn counts_far_from_zero_are_moved_and_wide_ones_divided() {
        let (_, flags, .., values) = read(&strip(Numbers::Counts(vec![100_000, 100_200])).message(1, 1, 0));
        assert_eq!(flags, 0, "nothing is lost");
        assert!((values[1] - values[0] - 1.0).abs() < 1e-4, "{values:?}");
        let wide = vec![i32::MIN + 1, 0, i32::MAX];
        let (_, flags, .., values) = read(&strip(Numbers::Counts(wide)).message(1, 1, 0));
        assert_eq!(flags, wire::ROUNDED);
        for (value, count) in values.iter().zip([-2_147_483_647.0, 0.0, 2_147_483_647.0]) {
            assert!((value - count / 200.0).abs() < 400.0, "{value} {count}");
        }
    }

    #[test]
    fn pairs_hold_the_extremes() {
        let counts = vec![1, 5, -3, MISSING, MISSING, MISSING, 7];
        let (kind, _, start, rate, values) = read(&strip(Numbers::Counts(counts)).message(1, 3, 0));
        assert_eq!((kind, start, rate), (2, 3_000.0, (125, 6)));
        let bits: Vec<u64> = values.iter().map(|v| (v * 200.0 - 50.0).round() as i64 as u64).collect();
        assert_eq!(bits, [(-3_i64) as u64, 5, 0, 0, 7, 7], "NaN casts to 0");
        assert!(values[2].is_nan() && values[3].is_nan());
    }

    #[test]
    fn values_are_spread_over_the_numbers() {
        for values in [vec![-1e300, f64::NAN, 1e300], vec![0.1, f64::NAN, 0.3], vec![2.0; 3], vec![f64::NAN; 3]] {
            let (.., seen) = read(&strip(Numbers::Real(values.clone())).message(1, 1, 0));
            for (value, seen) in values.iter().zip(seen) {
                let same = (value.is_nan() && seen.is_nan()) || (value - seen).abs() <= 1e-4 || value.abs() > 1e38;
                assert!(same, "{value} {seen}");
            }
        }
    }

    #[test]
    fn a_part_is_taken_away() {
        let mut rest = strip(Numbers::Counts(vec![1, 2, 3]));
        let taken = rest.take(2);
        assert_eq!((taken.first, taken.numbers), (125, Numbers::Counts(vec![1, 2])));
        assert_eq!((rest.first, &rest.numbers), (127, &Numbers::Counts(vec![3])));
        assert_eq!(slower(rest.rate, 4), (125, 8));
        assert_eq!(slower(Rate::new(1, u32::MAX).expect("not zero"), 7).0, 1);
    }
}
