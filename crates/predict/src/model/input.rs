//! One input of a model: what it is called, whom explanations compare with, and how it was distributed in training.

use serde::{Deserialize, Serialize};

/// Bins of a distribution at most.
pub const BINS_MAX: usize = 10;

/// An input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The feature's name.
    pub name: String,
    /// What the reference has, with which explanations compare; none: missing.
    pub reference: Option<f32>,
    /// How it was distributed in training.
    pub distribution: Distribution,
}

/// How a feature was distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Share of rows in which it was missing.
    pub missing: f32,
    /// One in a thousand known values lay below; none if none was known.
    pub low: Option<f32>,
    /// One in a thousand known values lay above.
    pub high: Option<f32>,
    /// Upper ends of all bins but the last, rising; about deciles.
    pub edges: Vec<f32>,
    /// Share of known values in each bin.
    pub shares: Vec<f32>,
}

impl Distribution {
    /// Of these values, NaN where missing. The values are sorted by it.
    #[must_use]
    pub fn of(values: &mut Vec<f32>) -> Self {
        let rows = values.len().max(1) as f64;
        values.retain(|value| !value.is_nan());
        values.sort_unstable_by(f32::total_cmp);
        let n = values.len();
        let missing = ((rows - n as f64) / rows) as f32;
        let (Some(first), Some(last)) = (values.first(), values.last()) else {
            return Self { missing, low: None, high: None, edges: Vec::new(), shares: Vec::new() };
        };
        let mut edges: Vec<f32> = (1..BINS_MAX).map(|part| values[part * n / BINS_MAX]).collect();
        edges.dedup();
        edges.retain(|edge| edge < last);
        let mut below = 0;
        let mut shares: Vec<f32> = Vec::new();
        for end in edges.iter().map(|edge| values.partition_point(|value| value <= edge)).chain([n]) {
            shares.push(((end - below) as f64 / n as f64) as f32);
            below = end;
        }
        let outer = n / 1000;
        let (low, high) = if outer == 0 { (*first, *last) } else { (values[outer], values[n - 1 - outer]) };
        Self { missing, low: Some(low), high: Some(high), edges, shares }
    }

    /// The bin of a known value.
    #[must_use]
    pub fn bin(&self, value: f32) -> usize {
        self.edges.partition_point(|edge| *edge < value)
    }

    /// Between what a known value is one that training has seen: from the lowest to the highest thousandth, and a tenth
    /// of the distance between them beyond either. Where training knew none, nothing is.
    #[must_use]
    pub fn usual(&self) -> (f32, f32) {
        let (Some(low), Some(high)) = (self.low, self.high) else { return (f32::INFINITY, f32::NEG_INFINITY) };
        let slack = (high - low) / 10.0;
        (low - slack, high + slack)
    }

    /// Whether a known value lies outside what training has seen.
    #[must_use]
    pub fn unusual(&self, value: f32) -> bool {
        let (low, high) = self.usual();
        value < low || value > high
    }

    /// What is wrong with it, if anything is.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let share = |value: &f32| (0.0..=1.0).contains(value);
        if !share(&self.missing) || !self.shares.iter().all(share) {
            return Err("a share does not lie between 0 and 1");
        }
        let known = self.low.is_some();
        if known != self.high.is_some() || self.low > self.high {
            return Err("`low` and `high` must both stand there or neither, `low` not above `high`");
        }
        if self.shares.len() > BINS_MAX || self.shares.len() != if known { self.edges.len() + 1 } else { 0 } {
            return Err("there must be one share more than edges, at most ten, and none where nothing was known");
        }
        let numbers = [self.low, self.high].into_iter().flatten().chain(self.edges.iter().copied()).all(f32::is_finite);
        if !numbers || !self.edges.windows(2).all(|two| two[0] < two[1]) {
            return Err("edges must be numbers and rise");
        }
        Ok(())
    }
}
