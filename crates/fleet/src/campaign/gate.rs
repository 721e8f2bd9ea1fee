//! What must hold before a device is offered an update.

use std::fmt;

use super::plan::Plan;

/// What is known of a device now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Whether it is on a patient.
    pub on_patient: bool,
    /// Whether it can be heard.
    pub online: bool,
    /// Charge of its battery, percent, if it tells.
    pub battery_percent: Option<f64>,
    /// Whether it is charging, if it tells.
    pub charging: Option<bool>,
    /// The version that it runs; may be empty.
    pub version: String,
}

/// Why a device is not offered an update now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It is on a patient (FW-1).
    OnPatient,
    /// It can't be heard.
    Offline,
    /// Its battery may not last.
    Battery,
    /// Not within the plan's hours.
    Hours,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnPatient => "waits: on a patient",
            Self::Offline => "waits: not heard",
            Self::Battery => "waits: battery too low",
            Self::Hours => "waits for its hours",
        })
    }
}

/// What stands against an offer now, if anything does.
#[must_use]
pub fn obstacle(plan: &Plan, facts: &Facts, now_us: i64) -> Option<Obstacle> {
    if facts.on_patient {
        return Some(Obstacle::OnPatient);
    }
    if !facts.online {
        return Some(Obstacle::Offline);
    }
    let low = facts.battery_percent.is_some_and(|p| p < f64::from(plan.battery_min_percent));
    if low && facts.charging != Some(true) {
        return Some(Obstacle::Battery);
    }
    plan.hours.is_some_and(|hours| !hours.hold(now_us)).then_some(Obstacle::Hours)
}
