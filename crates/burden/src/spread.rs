//! Shares with intervals, and times with quantiles.

use serde::{Deserialize, Serialize};

/// Below this many cases no share is told.
pub const TOO_FEW: u64 = 20;

/// A share of cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenShare))]
pub struct Share {
    /// Cases that did.
    pub of: u64,
    /// All cases.
    pub all: u64,
    /// Their share, 0 to 1; none when there are too few to tell.
    pub share: Option<f64>,
    /// Lower end of the 95% interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// `of` in `all` with the 95% score interval of Wilson (J Am Stat Assoc 1927;22:209-212), which
/// keeps its coverage near 0 and 1 and for few cases.
#[must_use]
pub fn share(of: u64, all: u64) -> Share {
    if all < TOO_FEW {
        return Share { of, all, share: None, low: None, high: None };
    }
    let (n, p) = (all as f64, of as f64 / all as f64);
    let z = 1.959_964_f64;
    let divisor = 1.0 + z * z / n;
    let middle = (p + z * z / (2.0 * n)) / divisor;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / divisor;
    Share {
        of,
        all,
        share: Some(p),
        low: Some((middle - half).max(0.0)),
        high: Some((middle + half).min(1.0)),
    }
}

/// How times spread, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenSpread))]
pub struct Spread {
    /// How many.
    pub n: u64,
    /// Half are at most this.
    pub median_s: Option<f64>,
    /// Nine in ten are at most this.
    pub p90_s: Option<f64>,
}

/// Spread of times in microseconds.
pub(crate) fn spread(mut times: Vec<i64>) -> Spread {
    times.sort_unstable();
    let at = |part: f64| {
        let rank = (part * times.len() as f64).ceil() as usize;
        times.get(rank.max(1) - 1).map(|us| *us as f64 / 1e6)
    };
    Spread { n: times.len() as u64, median_s: at(0.5), p90_s: at(0.9) }
}
