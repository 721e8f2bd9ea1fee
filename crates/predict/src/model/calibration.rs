//! From log-odds to a probability, an interval and a class: as fitted on patients that the trees never saw.

use serde::{Deserialize, Serialize};

use crate::prediction::Class;

/// Log-odds to probability: first a line in log-odds, then, if there are knots, a curve through them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Added to the log-odds after the slope.
    pub intercept: f64,
    /// What log-odds are multiplied with.
    pub slope: f64,
    /// Isotonic regression: points of a rising curve from the line's probability; straight between, flat outside.
    pub curve: Vec<Knot>,
    /// How sure the probability is, at some probabilities, ascending; straight between, flat outside.
    pub interval: Vec<Band>,
    /// How and on which patients all this was fitted.
    pub fitted: String,
}

/// A point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// The line's probability.
    pub from: f64,
    /// The calibrated one.
    pub to: f64,
}

/// The interval at a probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The calibrated probability.
    pub at: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Mondrian conformal prediction (Vovk and others, Algorithmic Learning in a Random World, 2005): for each of both
/// outcomes, which probabilities its patients have but for a stated share of them. Where both outcomes or none fit, the
/// model says that it does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doubt {
    /// The share of each outcome's patients for whom that outcome is not excluded (0.9).
    pub level: f32,
    /// Below this probability the event is excluded.
    pub event_from: f32,
    /// Above this probability its absence is excluded.
    pub none_up_to: f32,
    /// How and on which patients both were found.
    pub fitted: String,
}

/// Logistic function, the same bits on any machine.
#[must_use]
pub fn logistic(margin: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-margin))
}

/// Log-odds of a probability, the same bits on any machine.
#[must_use]
pub fn log_odds(probability: f64) -> f64 {
    libm::log(probability / (1.0 - probability))
}

impl Calibration {
    /// No calibration: the trees' own log-odds, no interval.
    #[must_use]
    pub fn none() -> Self {
        Self { intercept: 0.0, slope: 1.0, curve: Vec::new(), interval: Vec::new(), fitted: "not calibrated".to_owned() }
    }

    /// The probability for log-odds of the trees.
    #[must_use]
    pub fn probability(&self, margin: f64) -> f64 {
        let line = logistic(self.intercept + self.slope * margin);
        along(&self.curve, line, |knot| (knot.from, knot.to)).unwrap_or(line).clamp(0.0, 1.0)
    }

    /// Between what the event's frequency lies at a probability: the probability itself where nothing is known of it.
    #[must_use]
    pub fn interval(&self, probability: f64) -> (f64, f64) {
        let low = along(&self.interval, probability, |band| (band.at, band.low));
        let high = along(&self.interval, probability, |band| (band.at, band.high));
        (low.unwrap_or(probability).min(probability), high.unwrap_or(probability).max(probability))
    }

    /// What is wrong with it, if anything is.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let within = |value: f64| (0.0..=1.0).contains(&value);
        if !self.intercept.is_finite() || !self.slope.is_finite() || self.slope <= 0.0 {
            return Err("`calibration`: intercept and slope must be numbers, the slope above 0");
        }
        if self.curve.len() > 4096 || self.interval.len() > 4096 {
            return Err("`calibration`: more than 4,096 points");
        }
        let rising = self.curve.windows(2).all(|two| two[0].from < two[1].from && two[0].to <= two[1].to);
        if !rising || !self.curve.iter().all(|knot| within(knot.from) && within(knot.to)) {
            return Err("`calibration.curve` must rise, and lie between 0 and 1");
        }
        let ascending = self.interval.windows(2).all(|two| two[0].at < two[1].at);
        let bands = |band: &Band| within(band.at) && within(band.low) && within(band.high) && band.low <= band.high;
        if !ascending || !self.interval.iter().all(bands) {
            return Err("`calibration.interval` must ascend, each with `low` up to `high` between 0 and 1");
        }
        Ok(())
    }
}

impl Doubt {
    /// The class of a probability.
    #[must_use]
    pub fn class(&self, probability: f32) -> Class {
        match (probability >= self.event_from, probability <= self.none_up_to) {
            (true, false) => Class::High,
            (false, true) => Class::Low,
            _ => Class::Unsure,
        }
    }

    /// What is wrong with it, if anything is.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let all = [self.level, self.event_from, self.none_up_to];
        if all.iter().all(|value| (0.0..=1.0).contains(value)) {
            Ok(())
        } else {
            Err("`doubt`: level and both probabilities must lie between 0 and 1")
        }
    }
}

/// The value at `x` of a line through ascending points, flat outside; none without points.
fn along<T>(points: &[T], x: f64, of: impl Fn(&T) -> (f64, f64)) -> Option<f64> {
    let after = points.partition_point(|point| of(point).0 <= x);
    let (before, next) = (after.checked_sub(1).map(|at| of(&points[at])), points.get(after).map(&of));
    match (before, next) {
        (Some((x0, y0)), Some((x1, y1))) => Some(y0 + (y1 - y0) * ((x - x0) / (x1 - x0))),
        (Some((_, y)), None) | (None, Some((_, y))) => Some(y),
        (None, None) => None,
    }
}
