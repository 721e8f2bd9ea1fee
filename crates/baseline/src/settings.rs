//! How slowly a normal learns.

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;
/// An hour, in microseconds.
const HOUR: i64 = 60 * MINUTE;

/// How a [`crate::Normal`] learns. What a state was learnt with must be given again at every call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// After this long a value counts half, in microseconds; at least an hour.
    pub half_life_us: i64,
    /// Nothing is said before this much time has passed since the first value, in microseconds.
    pub warm_up_us: i64,
    /// Nothing is said before this many slots had a value.
    pub slots_min: usize,
    /// The spread is taken to be at least this, in the metric's unit; above 0.
    pub spread_min: f64,
    /// Whether the hour of the day counts.
    pub circadian: bool,
}

impl Settings {
    /// Half-life, never below an hour nor above a year.
    #[must_use]
    pub fn half_life(&self) -> i64 {
        self.half_life_us.clamp(HOUR, 366 * 24 * HOUR)
    }

    /// Length of a slot: a 48th of the half-life, from ten minutes to an hour.
    #[must_use]
    pub fn slot(&self) -> i64 {
        (self.half_life() / 48).clamp(10 * MINUTE, HOUR)
    }

    /// After this long without a value all is forgotten: four half-lives.
    #[must_use]
    pub fn forget(&self) -> i64 {
        4 * self.half_life()
    }

    /// How old the newest slot may be for change and trend to be of the present.
    #[must_use]
    pub fn fresh(&self) -> i64 {
        (self.half_life() / 4).max(3 * self.slot())
    }

    /// How far back the trend looks: half a half-life.
    #[must_use]
    pub fn trend_window(&self) -> i64 {
        (self.half_life() / 2).max(12 * self.slot())
    }

    /// The least spread, a number above 0.
    #[must_use]
    pub fn spread_floor(&self) -> f64 {
        if self.spread_min.is_finite() { self.spread_min.max(1e-6) } else { 1e-6 }
    }
}
