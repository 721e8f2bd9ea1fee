//! Trend test: Mann–Kendall (H. B. Mann, Econometrica 13, 1945; M. G. Kendall, Rank Correlation
//! Methods, 1975) with the variance corrected for ties, and the slope of Theil and Sen (P. K. Sen,
//! J. Am. Stat. Assoc. 63, 1968), which no single wild value bends.
//!
//! The test takes the values to be independent. Slot medians of a patient are not quite, so a trend is
//! told only at the one-percent level and where it has moved the value by more than twice its usual spread;
//! how often it is then told of nothing is measured in `tests/false_alarms.rs`.

use serde::{Deserialize, Serialize};

use crate::robust::median;

/// Standard normal quantile of 0.995: the two-sided one-percent level.
pub const CRITICAL_Z: f64 = 2.575_829_303_548_901;
/// Fewer values than this are not judged: the normal approximation does not hold (Kendall 1975).
const FEWEST: usize = 10;
/// More values than this are not needed; the newest are taken.
pub(crate) const MOST: usize = 32;

/// What the test says of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Kendall's S: pairs that rise less pairs that fall.
    pub s: i32,
    /// Standardised S, with continuity correction.
    pub z: f64,
    /// Sen's slope, per hour of the times given in microseconds.
    pub slope_per_h: f64,
    /// From the first to the last time, in microseconds.
    pub span_us: i64,
}

impl Trend {
    /// Judges `(time in microseconds, value)`, in any order: the newest 32 are taken. None for fewer
    /// than ten, for values that are not finite, or where all times are one.
    #[must_use]
    pub fn of(points: &[(i64, f64)]) -> Option<Self> {
        let mut points = points.to_vec();
        if points.iter().any(|(_, value)| !value.is_finite()) {
            return None;
        }
        points.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let points = &points[points.len().saturating_sub(MOST)..];
        if points.len() < FEWEST {
            return None;
        }
        let span_us = points.last()?.0.checked_sub(points.first()?.0).filter(|span| *span > 0)?;
        let (s, mut slopes) = pairs(points);
        let z = standardised(s, variance(points));
        let slope_per_h = median(&mut slopes).filter(|slope| slope.is_finite())?;
        Some(Self { s, z, slope_per_h, span_us })
    }

    /// Whether it is told: beyond chance at the one-percent level, and by more than twice the usual
    /// `spread` over its span.
    #[must_use]
    pub fn holds(&self, spread: f64) -> bool {
        self.z.abs() >= CRITICAL_Z && self.moved().abs() > 2.0 * spread
    }

    /// How far the value moved over the span by the slope.
    #[must_use]
    pub fn moved(&self) -> f64 {
        self.slope_per_h * (self.span_us as f64 / 3.6e9)
    }
}

/// Kendall's S and the slopes per hour of all pairs whose times differ.
fn pairs(points: &[(i64, f64)]) -> (i32, Vec<f64>) {
    let (mut s, mut slopes) = (0, Vec::with_capacity(points.len() * (points.len() - 1) / 2));
    for (at, (earlier, from)) in points.iter().enumerate() {
        for (later, to) in &points[at + 1..] {
            let Some(hours) = later.checked_sub(*earlier).filter(|us| *us > 0) else { continue };
            s += match to.total_cmp(from) {
                _ if to == from => 0,
                std::cmp::Ordering::Greater => 1,
                _ => -1,
            };
            slopes.push((to - from) / (hours as f64 / 3.6e9));
        }
    }
    (s, slopes)
}

/// Variance of S without a trend, corrected for tied values.
fn variance(points: &[(i64, f64)]) -> f64 {
    let term = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let ties = values.chunk_by(|a, b| a == b).map(|tied| term(tied.len() as f64));
    (term(values.len() as f64) - ties.sum::<f64>()) / 18.0
}

fn standardised(s: i32, variance: f64) -> f64 {
    if s == 0 || variance <= 0.0 {
        return 0.0;
    }
    (f64::from(s) - f64::from(s.signum())) / variance.sqrt()
}
