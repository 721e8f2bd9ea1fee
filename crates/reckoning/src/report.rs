//! The report of a week: made once the week is over, kept, listed.

use alert::Policy;
use burden::{Figures, Week, week_of};
use serde::{Deserialize, Serialize};
use store::{KvRow, Read, Side, StoreError};

use crate::{Asked, House, RoleOf, ScoreRight, reckon, scores};

/// Where reports are kept.
pub const BUCKET: &str = "burden-report";

/// A report of some stretch of time beside the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenReport))]
pub struct Report {
    /// `2026-W47`; else first and last time.
    pub name: String,
    /// First time, in milliseconds since 1970.
    pub from_ms: i64,
    /// First time after.
    pub to_ms: i64,
    /// When it was made.
    pub made_ms: i64,
    /// Time zone in which hours and days are counted.
    pub zone: String,
    /// That time.
    pub figures: Figures,
    /// As long a time before it.
    pub before: Figures,
    /// Whether there were more alerts than are looked at in either.
    pub cut: bool,
    /// How often scores were right in both together.
    pub scores: Vec<ScoreRight>,
}

/// Which reports there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenReports))]
pub struct Reports {
    /// Name.
    pub name: String,
    /// First time, in milliseconds since 1970.
    pub from_ms: i64,
    /// First time after.
    pub to_ms: i64,
    /// When it was made.
    pub made_ms: i64,
}

/// Makes a report.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub fn report(
    store: &dyn Read,
    house: &House,
    policy: &Policy,
    (asked, name): (&Asked, &str),
    role_of: RoleOf<'_>,
) -> Result<Report, StoreError> {
    let earlier = Asked {
        from: asked.from.saturating_sub(asked.to - asked.from),
        to: asked.from,
        ..asked.clone()
    };
    let both = Asked { from: earlier.from, ..asked.clone() };
    let (now, before) =
        (reckon(store, house, policy, asked, role_of)?, reckon(store, house, policy, &earlier, role_of)?);
    Ok(Report {
        name: name.to_owned(),
        from_ms: asked.from / 1_000,
        to_ms: asked.to / 1_000,
        made_ms: asked.now / 1_000,
        zone: house.settings.zone.iana_name().unwrap_or("UTC").to_owned(),
        cut: now.cut || before.cut,
        figures: now.figures,
        before: before.figures,
        scores: scores(store, house, &both)?,
    })
}

/// The week that ended last, if it has no report yet.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub fn due(store: &dyn Read, house: &House, now: i64) -> Result<Option<Week>, StoreError> {
    let Some(week) = week_of(now, 1, &house.settings.zone) else { return Ok(None) };
    Ok(store.kv(BUCKET, &week.name)?.is_none().then_some(week))
}

/// Keeps a report under its name.
///
/// # Errors
/// [`StoreError`] when the store can't be written.
pub fn keep(side: &dyn Side, report: &Report) -> Result<(), StoreError> {
    let value = Some(serde_json::to_vec(report).unwrap_or_default());
    side.put(&[KvRow { bucket: BUCKET.to_owned(), key: report.name.clone(), value }])
}

/// All that are kept, the newest first.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub fn kept(store: &dyn Read) -> Result<Vec<Reports>, StoreError> {
    let rows = store.kv_all(BUCKET)?.into_iter().rev();
    Ok(rows.filter_map(|(_, value)| serde_json::from_slice(&value).ok()).collect())
}

/// One that is kept.
///
/// # Errors
/// [`StoreError`] when the store can't be read.
pub fn kept_one(store: &dyn Read, name: &str) -> Result<Option<Report>, StoreError> {
    Ok(store.kv(BUCKET, name)?.and_then(|value| serde_json::from_slice(&value).ok()))
}
