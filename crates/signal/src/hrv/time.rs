//! Time-domain and geometrical measures (Task Force 1996, tables 1 and 2).

use super::Nn;

/// Time-domain measures of the NN intervals of a window. Milliseconds where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeDomain {
    /// Intervals.
    pub count: usize,
    /// Mean interval.
    pub mean: f64,
    /// Standard deviation of all intervals, with n − 1.
    pub sdnn: f64,
    /// Standard deviation of the means of five-minute segments; none with fewer than two of them.
    pub sdann: Option<f64>,
    /// Root mean square of the differences of adjacent intervals; none without any.
    pub rmssd: Option<f64>,
    /// Pairs of adjacent intervals that differ by more than 50 ms (NN50), percent of the number of intervals; none without pairs.
    pub pnn50: Option<f64>,
    /// Triangular index: number of intervals by the greatest number in one bin of 1/128 s.
    pub triangular_index: f64,
}

/// Length of the segments of SDANN, microseconds.
const SEGMENT_US: i64 = 300_000_000;
/// Width of the histogram's bins, milliseconds.
const BIN_MS: f64 = 1_000.0 / 128.0;

impl TimeDomain {
    /// Of these intervals; none with fewer than two.
    #[must_use]
    pub fn of(intervals: &[Nn]) -> Option<Self> {
        let count = intervals.len();
        if count < 2 {
            return None;
        }
        let mean = intervals.iter().map(|nn| nn.ms).sum::<f64>() / count as f64;
        let differences: Vec<f64> =
            intervals.windows(2).filter(|pair| pair[1].follows).map(|pair| pair[1].ms - pair[0].ms).collect();
        let pairs = differences.len() as f64;
        let some = |value: f64| (!differences.is_empty()).then_some(value);
        Some(TimeDomain {
            count,
            mean,
            sdnn: deviation(intervals.iter().map(|nn| nn.ms)),
            sdann: segment_means(intervals),
            rmssd: some((differences.iter().map(|d| d * d).sum::<f64>() / pairs).sqrt()),
            pnn50: some(100.0 * differences.iter().filter(|d| d.abs() > 50.0).count() as f64 / count as f64),
            triangular_index: triangular_index(intervals),
        })
    }
}

/// Standard deviation with n − 1.
fn deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / (count - 1.0).max(1.0)).sqrt()
}

/// SDANN: five-minute segments from the first interval on; only whole segments count.
fn segment_means(intervals: &[Nn]) -> Option<f64> {
    let (first, last) = (intervals.first()?, intervals.last()?);
    let begin_us = first.end_us.saturating_sub((first.ms * 1_000.0) as i64);
    let segments = last.end_us.saturating_sub(begin_us) / SEGMENT_US;
    let mut sums = vec![(0.0, 0.0); usize::try_from(segments.clamp(0, 100_000)).unwrap_or(0)];
    for nn in intervals {
        let at = usize::try_from(nn.end_us.saturating_sub(begin_us) / SEGMENT_US).unwrap_or(usize::MAX);
        if let Some((sum, count)) = sums.get_mut(at) {
            *sum += nn.ms;
            *count += 1.0;
        }
    }
    let means: Vec<f64> = sums.iter().filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum / count).collect();
    (means.len() >= 2).then(|| deviation(means.iter().copied()))
}

fn triangular_index(intervals: &[Nn]) -> f64 {
    let shortest = intervals.iter().map(|nn| nn.ms).fold(f64::MAX, f64::min);
    let mut bins: Vec<usize> = intervals.iter().map(|nn| ((nn.ms - shortest) / BIN_MS) as usize).collect();
    bins.sort_unstable();
    let most = bins.chunk_by(|a, b| a == b).map(<[usize]>::len).max().unwrap_or(1);
    intervals.len() as f64 / most as f64
}
