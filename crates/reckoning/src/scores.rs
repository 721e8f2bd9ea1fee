//! How often each score's warning was right in this house.
//!
//! A warning is a score that enters one of its published bands, at most one a day and patient. It
//! was right when within 24 hours the patient died, was moved to a unit of higher care, or somebody
//! judged an alert actionable. That is looked at, not proven: who is warned of is looked after, and
//! may be spared what would have come.

use std::collections::{HashMap, HashSet};

use burden::{Real, RealKind, Right, Stay, Warning, right, warnings};
use serde::{Deserialize, Serialize};
use store::{
    AlertQuery, DirectoryKind, DirectoryQuery, DirectoryRow, Page, Read, SeriesFilter, Span, StoreError,
};
use vitals::metric::code;
use vitals::time::HOUR;
use vitals::{MetricCode, PatientId};

use crate::places::{Places, stays};
use crate::{Asked, House};

/// A warning has this long to come true, in microseconds.
pub const HORIZON_US: i64 = 24 * HOUR;
/// Series looked at.
const SERIES_MAX: usize = 20_000;
/// Alerts and patients looked through.
const LOOKED_MAX: u64 = 50_000;
/// Rules that tell of an arrest: judged actionable, they were one.
const ARRESTS: [&str; 2] = ["asystole", "ventricular-fibrillation"];

/// The published bands that ask for somebody (`alert`'s sets of bands), least urgent first.
const BANDS: [(MetricCode, f64, &str); 11] = [
    (code::NEWS2, 5.0, "urgent response"),
    (code::NEWS2, 7.0, "emergency response"),
    (code::PEWS, 5.0, "the doctor on call"),
    (code::PEWS, 7.0, "urgent senior review"),
    (code::QSOFA, 2.0, "look for sepsis"),
    (code::SIRS, 2.0, "look for an infection"),
    (code::SHOCK_INDEX, 1.0, "look for hidden shock"),
    (code::MEWS, 3.0, "observe more closely"),
    (code::MEWS, 5.0, "urgent medical assessment"),
    (code::SOFA, 2.0, "look for sepsis"),
    (code::MEOWS, 2.0, "urgent obstetric review"),
];

/// How often one band was right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenScoreRight))]
pub struct ScoreRight {
    /// The score, as people call it.
    pub score: String,
    /// From this value on.
    pub from: f64,
    /// What it asks for.
    pub asks: String,
    /// How often it was right.
    pub right: Right,
}

/// Looks at every score of every patient in that time.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub fn scores(store: &dyn Read, house: &House, asked: &Asked) -> Result<Vec<ScoreRight>, StoreError> {
    let places = Places::read(store)?;
    let stays = stays(store, &places, asked)?;
    let mut lay: HashMap<&str, HashSet<&str>> = HashMap::new();
    for stay in &stays {
        lay.entry(&stay.patient).or_default().insert(&stay.unit);
    }
    let here = |patient: &str| match &asked.units {
        None => true,
        Some(units) => lay.get(patient).is_some_and(|lay| units.iter().any(|unit| lay.contains(unit.as_str()))),
    };
    let mut real = moved(&stays, house, (asked.from, asked.to));
    real.extend(died(store, asked)?);
    let raised = AlertQuery {
        raised: Span { from: Some(asked.from), to: Some(asked.to) },
        page: Page { skip: 0, limit: LOOKED_MAX },
        ..AlertQuery::default()
    };
    real.extend(judged(store, &raised)?);
    real.retain(|event| here(&event.patient));
    let mut metrics: Vec<MetricCode> = BANDS.iter().map(|(metric, ..)| *metric).collect();
    metrics.dedup();
    let mut warned: Vec<Vec<Warning>> = vec![Vec::new(); BANDS.len()];
    let found = store.series(&SeriesFilter { metrics, ..SeriesFilter::default() })?;
    let span = Span { from: Some(asked.from), to: Some(asked.to) };
    let hours = usize::try_from((asked.to - asked.from) / HOUR).unwrap_or(1).max(1);
    let live = found.into_iter().filter(|one| match (one.first, one.last) {
        (Some(first), Some(last)) => span.touches(first.0, last.0),
        _ => false,
    });
    for one in live.take(SERIES_MAX) {
        let Some(patient) = one.key.subject.as_ref().filter(|patient| here(patient.as_str())) else { continue };
        // The highest of each hour, as of the hour's beginning: no event is foreseen by a later value
        // of its own hour unless it came in that hour.
        let thinned = store.thinned(one.id, span, hours)?;
        let points: Vec<(i64, f64)> = thinned.buckets.iter().map(|bucket| (bucket.start.0, bucket.max)).collect();
        for ((metric, least, _), warned) in BANDS.iter().zip(&mut warned) {
            if *metric == one.key.metric {
                let times = warnings(&points, *least, HORIZON_US).into_iter();
                warned.extend(times.map(|at| Warning { patient: patient.to_string(), at }));
            }
        }
    }
    let now = asked.now.min(asked.to);
    let told = BANDS.iter().zip(warned).map(|((metric, from, asks), warned)| ScoreRight {
        score: metric.metric().map_or_else(String::new, |metric| metric.label.to_owned()),
        from: *from,
        asks: (*asks).to_owned(),
        right: right(&warned, &real, HORIZON_US, now),
    });
    Ok(told.collect())
}

/// Who was moved to a unit of higher care from one that is not, from one time to before another.
pub(crate) fn moved(stays: &[Stay], house: &House, (from, to): (i64, i64)) -> Vec<Real> {
    let higher = |unit: &str| house.higher_care.iter().any(|name| name.eq_ignore_ascii_case(unit));
    let mut by_patient: HashMap<&str, Vec<&Stay>> = HashMap::new();
    for stay in stays {
        by_patient.entry(&stay.patient).or_default().push(stay);
    }
    let mut moves = Vec::new();
    for (patient, mut stays) in by_patient {
        stays.sort_by_key(|stay| stay.from);
        for pair in stays.windows(2) {
            let within = (from..to).contains(&pair[1].from);
            if within && !pair[0].unit.is_empty() && !higher(&pair[0].unit) && higher(&pair[1].unit) {
                moves.push(Real { patient: patient.to_owned(), at: pair[1].from, kind: RealKind::HigherCare });
            }
        }
    }
    moves
}

/// Who died, as of when it was first told.
fn died(store: &dyn Read, asked: &Asked) -> Result<Vec<Real>, StoreError> {
    let query = DirectoryQuery {
        updated: Span { from: Some(asked.from), to: None },
        page: Page { skip: 0, limit: LOOKED_MAX },
        ..DirectoryQuery::default()
    };
    let mut deaths = Vec::new();
    for row in store.patients(&query)?.rows {
        if !row.patient.deceased {
            continue;
        }
        let id: &PatientId = &row.patient.id;
        let at = died_of(store, id)?.unwrap_or(row.updated.0);
        if (asked.from..asked.to).contains(&at) {
            deaths.push(Real { patient: id.to_string(), at, kind: RealKind::Death });
        }
    }
    Ok(deaths)
}

/// When a record first said that its patient died; none if it does not.
pub(crate) fn died_of(store: &dyn Read, patient: &PatientId) -> Result<Option<i64>, StoreError> {
    let told = store.directory_history(DirectoryKind::Patient, patient.as_str())?.into_iter();
    let times = told.filter_map(|version| match version {
        DirectoryRow::Patient(version) if version.patient.deceased => Some(version.updated.0),
        _ => None,
    });
    Ok(times.min())
}

/// Alerts that somebody judged actionable, as of when they were raised.
pub(crate) fn judged(store: &dyn Read, query: &AlertQuery) -> Result<Vec<Real>, StoreError> {
    let mut real = Vec::new();
    for row in store.alerts(query)?.rows {
        let Some(patient) = row.patient else { continue };
        let events = store.alert_events(row.episode)?;
        let Some(last) = events.iter().rev().find(|event| event.kind == "judged") else { continue };
        let body: serde_json::Value = serde_json::from_slice(&last.body).unwrap_or_default();
        if body["verdict"] == "actionable" {
            let arrest = ARRESTS.iter().any(|rule| row.condition == format!("Rule({rule:?})"));
            let kind = if arrest { RealKind::Arrest } else { RealKind::Actionable };
            real.push(Real { patient: patient.to_string(), at: row.raised.0, kind });
        }
    }
    Ok(real)
}
