//! Reads what the store holds of alerts and patients, and has `burden` reckon it up: what alarms cost
//! in a stretch of time, how often each score's warning was right here, and a report each week; and how
//! risk [`models`] do here.
//!
//! All questions are bounded: by time, by [`ALERTS_MAX`] alerts and [`LIMITS_MAX`] alerts of limits
//! whose values are looked up; an answer that was cut says so. What is absent: who may ask, HTTP,
//! clocks. Patients' names are never read.

mod alerts;
mod extremes;
mod hours;
pub mod models;
mod places;
mod report;
mod scores;

use alert::Policy;
use burden::{Figures, Input, Settings, figures, monitored};
use serde::{Deserialize, Serialize};
use store::{Read, StoreError};

pub use alerts::ALERTS_MAX;
pub use extremes::LIMITS_MAX;
pub use hours::keep_hours;
pub use report::{BUCKET, Report, Reports, due, keep, kept, kept_one, report};
pub use scores::{HORIZON_US, ScoreRight, scores};

/// What is known of the house beside its records.
#[derive(Debug, Clone, Default)]
pub struct House {
    /// Time zone, shifts, night.
    pub settings: Settings,
    /// Units of higher care, by name: who is moved there deteriorated.
    pub higher_care: Vec<String>,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// First time, in microseconds.
    pub from: i64,
    /// First time after.
    pub to: i64,
    /// Now.
    pub now: i64,
    /// Only these units; none: all.
    pub units: Option<Vec<String>>,
}

impl Asked {
    pub(crate) fn takes(&self, unit: &str) -> bool {
        self.units.as_ref().is_none_or(|units| units.iter().any(|one| one == unit))
    }
}

/// Role of an account, by name; none for programs, devices and whoever is gone.
pub type RoleOf<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What was reckoned up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenReckoned))]
pub struct Reckoned {
    /// The figures.
    pub figures: Figures,
    /// Whether there were more alerts than are looked at: the figures are of the newest.
    pub cut: bool,
}

/// Reckons up the alerts raised in a stretch of time.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub fn reckon(
    store: &dyn Read,
    house: &House,
    policy: &Policy,
    asked: &Asked,
    role_of: RoleOf<'_>,
) -> Result<Reckoned, StoreError> {
    let places = places::Places::read(store)?;
    let stays = places::stays(store, &places, asked)?;
    let worn = places::worn(store, &stays, asked)?;
    let mut read = alerts::read(store, &places, asked, role_of)?;
    extremes::look_up(store, policy, &mut read)?;
    let mut time = monitored(&worn, &stays, asked.from, asked.to);
    time.retain(|one| asked.takes(&one.unit));
    let input = Input {
        alerts: read.alerts,
        monitored: time,
        from: asked.from,
        to: asked.to,
        now: asked.now,
    };
    Ok(Reckoned { figures: figures(&input, &house.settings), cut: read.cut })
}
