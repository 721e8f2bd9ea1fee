//! Intervals by drawing patients again: a ratio of sums, its percentile interval, and the interval
//! of its difference between two policies on the same patients.

use crate::report::Interval;

/// A ratio over all patients for each policy, and its difference to the first policy's, each with
/// the interval that 95 % of the samples lie in. `pairs` holds, patient after patient, numerator and
/// denominator under each policy.
pub(crate) fn ratios(pairs: &[(f32, f32)], policies: usize, resamples: u32) -> Vec<(Interval, Interval)> {
    let patients = pairs.len() / policies.max(1);
    let whole = sums(pairs.chunks_exact(policies), policies);
    let mut samples = vec![Vec::with_capacity(resamples as usize); policies];
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..resamples {
        let drawn = (0..patients).map(|_| {
            let at = random.below(patients) * policies;
            &pairs[at..at + policies]
        });
        for (policy, value) in sums(drawn, policies).into_iter().enumerate() {
            samples[policy].push(value);
        }
    }
    (0..policies)
        .map(|policy| {
            let own = interval(whole[policy], samples[policy].clone());
            let pairs = samples[policy].iter().zip(&samples[0]);
            let differences = pairs.map(|(mine, first)| mine - first).collect();
            (own, interval(whole[policy] - whole[0], differences))
        })
        .collect()
}

fn sums<'a>(patients: impl Iterator<Item = &'a [(f32, f32)]>, policies: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); policies];
    for patient in patients {
        for (sum, (above, below)) in sums.iter_mut().zip(patient) {
            sum.0 += f64::from(*above);
            sum.1 += f64::from(*below);
        }
    }
    sums.into_iter().map(|(above, below)| above / below).collect()
}

fn interval(value: f64, mut samples: Vec<f64>) -> Interval {
    samples.retain(|sample| sample.is_finite());
    samples.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let last = samples.len().checked_sub(1)?;
        samples.get((share * last as f64).round() as usize).copied()
    };
    let known = value.is_finite();
    Interval { value: known.then_some(value), low: at(0.025).filter(|_| known), high: at(0.975).filter(|_| known) }
}

/// SplitMix64: the same sequence everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        ((u128::from(bits) * limit as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_its_value_and_narrows_with_patients() {
        let make = |count: usize| -> Vec<(f32, f32)> {
            (0..count).flat_map(|n| [((n % 5) as f32, 1.0), ((n % 3) as f32, 1.0)]).collect()
        };
        let few = ratios(&make(30), 2, 400);
        let many = ratios(&make(3_000), 2, 400);
        let width = |interval: &Interval| interval.high.unwrap_or(0.0) - interval.low.unwrap_or(0.0);
        assert!(width(&many[0].0) < width(&few[0].0) / 3.0);
        let Interval { value, low, high } = many[0].0;
        assert_eq!(value, Some(2.0));
        assert!(low < value && value < high);
        assert_eq!(many[0].1.value, Some(0.0), "the first differs from itself by nothing");
        assert!(many[1].1.high < Some(-0.8), "and the second has one less");
        assert_eq!(ratios(&[], 1, 10)[0].0.value, None);
    }
}
