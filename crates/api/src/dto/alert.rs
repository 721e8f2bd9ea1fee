//! Alerts, and what was done about them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::Verdict;

use super::{LocationBrief, PatientBrief};
use crate::error::ApiError;

/// One alert: an episode of one alarm condition of one patient (or device).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Episode id.
    pub episode: String,
    /// Name of the rule or condition.
    pub condition: String,
    /// What people read first: `Early-warning score high`.
    pub title: String,
    /// Why, in one sentence with the values: `NEWS2 8: RR 26 (+3), SpO2 90 % (+3) …`.
    pub reason: String,
    /// `high`, `medium`, `low`.
    pub priority: String,
    /// `raised`, `acknowledged`, `snoozed`, `latched`, `resolved`.
    pub state: String,
    /// Who.
    pub patient: Option<PatientBrief>,
    /// Where, when it was raised.
    pub location: Option<LocationBrief>,
    /// Which device, for a technical alert.
    pub device: Option<String>,
    /// Group: alerts of one patient with the same group belong together.
    pub group: String,
    /// Raised.
    pub raised_ms: i64,
    /// Last change.
    pub changed_ms: i64,
    /// Resolved.
    pub resolved_ms: Option<i64>,
    /// Who acknowledged or snoozed it last; empty if nobody.
    pub taken_by: String,
    /// Until when it is acknowledged or snoozed.
    pub quiet_until_ms: Option<i64>,
    /// Whose turn it is now: a role.
    pub assigned: String,
    /// When it goes on to the next role.
    pub escalates_ms: Option<i64>,
    /// How far it was escalated: 0 at first.
    pub level: u8,
    /// Readings that it came from, for `/api/v1/readings/{reading}` (PR-1).
    pub readings: Vec<String>,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// When.
    pub time_ms: i64,
    /// `raised`, `worsened`, `eased`, `acknowledged`, `snoozed`, `sounding`, `escalated`,
    /// `latched`, `resolved`, `reset`, `judged`.
    pub kind: String,
    /// Priority after it.
    pub priority: String,
    /// Account name, or `system`.
    pub actor: String,
    /// Why, or the free text given.
    pub detail: String,
    /// Of a judgement: `actionable`, `not-actionable`, `artefact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// One alert with its history.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertHistory {
    /// The alert.
    pub alert: Alert,
    /// What happened, oldest first.
    pub events: Vec<AlertEvent>,
}

/// A page of alerts, newest or most urgent first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// How many there are in all for the question asked.
    pub total: u64,
    /// Position in the live stream.
    pub position: u64,
}

/// What a person does to an alert.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct AlertAction {
    /// For how many minutes (acknowledge: optional; snooze: required, 1 to 240).
    pub minutes: Option<u32>,
    /// Why (snooze: required).
    #[serde(default)]
    pub reason: String,
    /// What the alert was: `actionable`, `not-actionable`, `artefact` (judge: required; acknowledge
    /// and reset: optional).
    pub verdict: Option<String>,
}

impl AlertAction {
    /// What the alert was, if that is said.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a word that is no verdict.
    pub fn verdict(&self) -> Result<Option<Verdict>, ApiError> {
        let read = |name: &String| {
            let wrong = || ApiError::bad("verdict: actionable, not-actionable or artefact");
            Verdict::from_name(name).ok_or_else(wrong)
        };
        self.verdict.as_ref().map(read).transpose()
    }
}

/// The rules by which patients are judged.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// TOML.
    pub text: String,
    /// Who put it in force; empty for the built-in one.
    pub by: String,
    /// Since when.
    pub since_ms: Option<i64>,
}
