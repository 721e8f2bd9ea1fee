//! How often a warning was right here: followed by something real.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spread::{Share, share};

/// A score entered a band that asks for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Whose, as an opaque id.
    pub patient: String,
    /// When, in microseconds.
    pub at: i64,
}

/// What really happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenRealKind))]
#[serde(rename_all = "kebab-case")]
pub enum RealKind {
    /// The patient died.
    Death,
    /// The patient was moved to a unit of higher care.
    HigherCare,
    /// The heart stood still or fibrillated, and nobody called it an artefact.
    Arrest,
    /// A clinician said that an alert was actionable.
    Actionable,
}

/// Something real happened to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    /// To whom, as an opaque id.
    pub patient: String,
    /// When, in microseconds.
    pub at: i64,
    /// What.
    pub kind: RealKind,
}

/// How often one score's warnings were right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenRight))]
pub struct Right {
    /// Warnings that were followed in time, of all whose time is over.
    pub followed: Share,
    /// Events that a warning preceded in time, of all events.
    pub foreseen: Share,
    /// Half of the events that were foreseen came at least so many hours after the first warning.
    pub lead_median_h: Option<f64>,
    /// Warnings whose time is not over yet.
    pub waiting: u64,
}

/// Judges warnings by what came within `horizon` microseconds after them; `now` says which are too
/// young to be judged.
#[must_use]
pub fn right(warnings: &[Warning], real: &[Real], horizon: i64, now: i64) -> Right {
    let mut events: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for event in real {
        events.entry(&event.patient).or_default().push(event.at);
    }
    events.values_mut().for_each(|times| times.sort_unstable());
    let none = Vec::new();
    let (mut followed, mut judged, mut waiting) = (0, 0, 0);
    for warning in warnings {
        let times = events.get(warning.patient.as_str()).unwrap_or(&none);
        let next = times.partition_point(|at| *at < warning.at);
        if times.get(next).is_some_and(|at| at - warning.at <= horizon) {
            followed += 1;
            judged += 1;
        } else if now - warning.at < horizon {
            waiting += 1;
        } else {
            judged += 1;
        }
    }
    let mut warned: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for warning in warnings {
        warned.entry(&warning.patient).or_default().push(warning.at);
    }
    let mut leads: Vec<i64> = real
        .iter()
        .filter_map(|event| {
            let own = warned.get(event.patient.as_str())?.iter();
            own.map(|at| event.at - at).filter(|lead| (0..=horizon).contains(lead)).max()
        })
        .collect();
    leads.sort_unstable();
    let median = leads.len().checked_sub(1).and_then(|last| leads.get(last / 2));
    Right {
        followed: share(followed, judged),
        foreseen: share(leads.len() as u64, real.len() as u64),
        lead_median_h: median.map(|us| (*us as f64 / 360e6).round() / 10.0),
        waiting,
    }
}

/// When a score entered a band: reached `least` after it had been below, and not again within
/// `apart` of the last time. Points are `(microseconds, value)` in order of time.
#[must_use]
pub fn warnings(points: &[(i64, f64)], least: f64, apart: i64) -> Vec<i64> {
    let mut found: Vec<i64> = Vec::new();
    let mut above = false;
    for (at, value) in points {
        let now = *value >= least;
        if now && !above && found.last().is_none_or(|last| at - last >= apart) {
            found.push(*at);
        }
        above = now;
    }
    found
}
