//! Statistics over the measured hours of a window.

use crate::history::Hour;
use crate::variable::Kind;

/// What a window says. NaN where too few hours were measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub count: f32,
    pub mean: f32,
    pub low: f32,
    pub high: f32,
    /// Sample standard deviation, from two hours on.
    pub spread: f32,
    /// Least squares against the hour, per hour, from two hours on.
    pub slope: f32,
    /// The oldest measured hour's value, and how many hours before the newest it was; from two hours on.
    pub first: f32,
    pub span: f32,
    pub total: f32,
}

impl Window {
    /// Of these hours, oldest first.
    pub fn of(hours: &[Hour], kind: Kind) -> Self {
        let (Some(oldest), Some(newest)) = (hours.first(), hours.last()) else {
            let nan = f32::NAN;
            return Self {
                count: 0.0,
                mean: nan,
                low: nan,
                high: nan,
                spread: nan,
                slope: nan,
                first: nan,
                span: nan,
                total: nan,
            };
        };
        let (mut sum, mut squares, mut times, mut time, mut product) = (0.0f64, 0.0f64, 0.0f64, 0.0f64, 0.0f64);
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for one in hours {
            let value = one.value(kind);
            let (x, y) = (f64::from(one.hour - oldest.hour), f64::from(value));
            sum += y;
            squares += y * y;
            time += x;
            times += x * x;
            product += x * y;
            low = low.min(value);
            high = high.max(value);
        }
        let n = hours.len() as f64;
        let mean = sum / n;
        let several = hours.len() > 1;
        let or_nan = |value: f64| if several { value as f32 } else { f32::NAN };
        Self {
            count: hours.len() as f32,
            mean: mean as f32,
            low,
            high,
            spread: or_nan(((squares - n * mean * mean) / (n - 1.0)).max(0.0).sqrt()),
            slope: or_nan((n * product - time * sum) / (n * times - time * time)),
            first: or_nan(f64::from(oldest.value(kind))),
            span: or_nan(f64::from(newest.hour - oldest.hour)),
            total: sum as f32,
        }
    }
}
