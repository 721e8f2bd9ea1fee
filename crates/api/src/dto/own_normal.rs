//! A patient's own normal, the limits that follow it, and what was decided about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is known of a patient's own normal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnNormals {
    /// By metric, of those that the policy asks for and that were heard.
    pub normals: Vec<OwnNormal>,
    /// The patient's clock.
    pub now_ms: i64,
    /// The latest changes of limits that follow, and decisions of people, newest first.
    pub changes: Vec<OwnLimitChange>,
}

/// One metric's normal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnNormal {
    /// Reference id.
    pub metric: String,
    /// Name.
    pub name: String,
    /// Unit as people read it.
    pub unit: String,
    /// Decimal places that people read.
    pub decimals: u8,
    /// `learning`, `known`, `paused` or `stated`.
    pub state: String,
    /// `inform`: no limit follows it; `tighten` or `follow`.
    pub apply: String,
    /// Level and usual band now; none while it is not known or paused.
    pub usual: Option<UsualBand>,
    /// The hour of the place's day, 0 to 23.
    pub hour: u8,
    /// The same for each hour of the place's day, from 0; empty where the hour does not count.
    pub hours: Vec<UsualBand>,
    /// When learning began.
    pub began_ms: Option<i64>,
    /// Periods that had a value.
    pub periods: usize,
    /// Periods that are needed.
    pub periods_needed: usize,
    /// Nothing is said before this many hours.
    pub warm_up_h: f64,
    /// After this many hours a value counts half.
    pub half_life_h: f64,
    /// A lasting change of level.
    pub change: Option<LevelChange>,
    /// A trend that holds, in the metric's unit an hour.
    pub trend_per_h: Option<f64>,
    /// The policy's low limit.
    pub policy_low: Option<f64>,
    /// The policy's high limit.
    pub policy_high: Option<f64>,
    /// The lowest that a low limit may go.
    pub low_bound: Option<f64>,
    /// The highest that a high limit may go.
    pub high_bound: Option<f64>,
    /// Who paused or stated it; empty if nobody did.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
}

/// A level with the band of usual values around it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct UsualBand {
    /// The level.
    pub centre: f64,
    /// Below it a value is unusual.
    pub low: f64,
    /// Above it a value is unusual.
    pub high: f64,
}

/// A lasting change of level.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct LevelChange {
    /// Whether upward.
    pub up: bool,
    /// Since about when.
    pub since_ms: i64,
}

/// One line of the history.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnLimitChange {
    /// When.
    pub at_ms: i64,
    /// Reference id.
    pub metric: String,
    /// Name.
    pub name: String,
    /// `tightened`, `widened`, `back`, `paused`, `resumed`, `reset`, `stated`.
    pub event: String,
    /// Low limit after it.
    pub low: Option<f64>,
    /// High limit after it.
    pub high: Option<f64>,
    /// Why.
    pub why: String,
    /// Account name; `system` for the platform itself.
    pub by: String,
}

/// A decision about one normal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnNormalDecision {
    /// Reference id.
    pub metric: String,
    /// `pause`, `resume`, `reset` or `state`.
    pub step: String,
    /// For `state`: the level, in the metric's unit.
    pub centre: Option<f64>,
    /// Why.
    pub reason: String,
}
