//! Intervals by resampling: patients are drawn with replacement, all rows of one together (Efron 1979).

use crate::draw::Draw;

/// An estimate with the interval that 95 of 100 resamples fall into.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Interval {
    /// On all patients.
    pub value: f64,
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

impl std::fmt::Display for Interval {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places = out.precision().unwrap_or(3);
        write!(out, "{:.places$} ({:.places$}–{:.places$})", self.value, self.low, self.high)
    }
}

/// How often each patient was drawn, resample by resample. The first has everybody once.
#[derive(Debug, Clone)]
pub struct Resamples {
    times: Vec<Vec<u16>>,
}

impl Resamples {
    /// Everybody, then `draws` resamples of so many patients.
    #[must_use]
    pub fn new(patients: usize, draws: usize, seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let mut times = vec![vec![1; patients]];
        for _ in 0..draws {
            let mut drawn = vec![0; patients];
            for _ in 0..patients {
                drawn[draw.below(patients)] += 1;
            }
            times.push(drawn);
        }
        Self { times }
    }

    /// What a measure gives on everybody and on each resample, on so many threads.
    pub fn measure<T: Send>(&self, threads: usize, of: impl Fn(&dyn Fn(usize) -> f64) -> T + Sync) -> Vec<T> {
        let share = self.times.len().div_ceil(threads.max(1));
        let one = |times: &Vec<u16>| of(&|patient| f64::from(times[patient]));
        std::thread::scope(|scope| {
            let one = &one;
            let parts: Vec<_> = self
                .times
                .chunks(share)
                .map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>()))
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }
}

/// The interval of values of which the first is the one on everybody; those that are not numbers are left out.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "hundreds")]
pub fn interval(values: impl Iterator<Item = f64>) -> Interval {
    let values: Vec<f64> = values.collect();
    let mut drawn: Vec<f64> = values.iter().skip(1).copied().filter(|value| value.is_finite()).collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn.get((share * drawn.len().saturating_sub(1) as f64).round() as usize).copied();
    Interval {
        value: values.first().copied().unwrap_or(f64::NAN),
        low: at(0.025).unwrap_or(f64::NAN),
        high: at(0.975).unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors() {
        let mut draw = Draw::new(1);
        let values: Vec<f64> = (0..400).map(|_| draw.unit()).collect();
        let resamples = Resamples::new(400, 500, 2);
        let means = resamples.measure(2, |times| (0..400).map(|at| times(at) * values[at]).sum::<f64>() / 400.0);
        let got = interval(means.into_iter());
        // A uniform number's standard deviation is 0.2887, the mean of 400 has a standard error of 0.0144.
        assert!((got.high - got.low - 4.0 * 0.0144).abs() < 0.01, "{got}");
        assert!(got.low < got.value && got.value < got.high);
    }
}
