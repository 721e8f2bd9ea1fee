//! What a campaign is to do.

use serde::{Deserialize, Serialize};

/// The firmware, as the signed metadata describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Name in the metadata, such as `acme/p2-2.4.1.bin`.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// For devices of this maker…
    pub manufacturer: String,
    /// …and model.
    pub model: String,
    /// The version that it is.
    pub version: String,
}

/// One ring: these devices, or so many percent of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ring {
    /// Percent of all devices of the campaign, 1 to 100; drawn by the hash of the ids.
    Percent(u8),
    /// Ids.
    Devices(Vec<String>),
}

/// Hours of the day, minutes from midnight UTC; may pass midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// First minute.
    pub from_min: u16,
    /// First minute after.
    pub to_min: u16,
}

impl Hours {
    /// Whether a time, in microseconds since 1970, is within.
    #[must_use]
    pub fn hold(&self, now_us: i64) -> bool {
        let minute = now_us.div_euclid(60_000_000).rem_euclid(1_440);
        let (from, to) = (i64::from(self.from_min), i64::from(self.to_min));
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }
}

/// A campaign's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What people call it.
    pub name: String,
    /// What is installed.
    pub target: Target,
    /// In which order; whoever is in none comes with the last.
    pub rings: Vec<Ring>,
    /// When offers are made; none: at any time.
    pub hours: Option<Hours>,
    /// Least charge of a battery, percent, if the device tells it and is not charging.
    pub battery_min_percent: u8,
    /// Devices that may update at the same time.
    pub at_once: usize,
    /// More failures of a ring than this, percent of its devices, halt everything.
    pub failures_max_percent: u8,
    /// So many percent of a ring's devices must have confirmed before the next begins.
    pub confirmed_min_percent: u8,
    /// How long a ring is watched after that, minutes.
    pub soak_min: u32,
    /// How long a device may take from one step to the next, minutes.
    pub patience_min: u32,
}

/// What is wrong with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No ring, or more than 16.
    #[error("give 1 to 16 rings")]
    Rings,
    /// A percentage is out of range.
    #[error("percentages go from 1 to 100, those of a failure limit and battery from 0")]
    Percent,
    /// Hours beyond the day.
    #[error("hours are minutes of the day, 0 to 1439, and not the same")]
    Hours,
    /// No time, or too much of it.
    #[error("times: patience 1 to 10,080 minutes, soak up to 43,200; at once 1 to 10,000")]
    Times,
    /// No device is of this model, or all run it already.
    #[error("no device of this manufacturer and model needs this version")]
    NoDevices,
}

impl Plan {
    /// A careful plan: 5 %, 25 %, all; a soak of a day; one failure in twenty halts.
    #[must_use]
    pub fn careful(name: &str, target: Target) -> Self {
        Self {
            name: name.to_owned(),
            target,
            rings: vec![Ring::Percent(5), Ring::Percent(25), Ring::Percent(100)],
            hours: None,
            battery_min_percent: 50,
            at_once: 20,
            failures_max_percent: 5,
            confirmed_min_percent: 90,
            soak_min: 1_440,
            patience_min: 120,
        }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn check(&self) -> Result<(), PlanError> {
        if !(1..=16).contains(&self.rings.len()) {
            return Err(PlanError::Rings);
        }
        let of_ring = |ring: &Ring| !matches!(ring, Ring::Percent(p) if !(1..=100).contains(p));
        let limits = [self.battery_min_percent, self.failures_max_percent, self.confirmed_min_percent];
        if !self.rings.iter().all(of_ring) || limits.iter().any(|p| *p > 100) || self.confirmed_min_percent == 0 {
            return Err(PlanError::Percent);
        }
        if self.hours.is_some_and(|h| h.from_min > 1_439 || h.to_min > 1_439 || h.from_min == h.to_min) {
            return Err(PlanError::Hours);
        }
        let times = (1..=10_080).contains(&self.patience_min) && self.soak_min <= 43_200;
        if times && (1..=10_000).contains(&self.at_once) { Ok(()) } else { Err(PlanError::Times) }
    }
}
