//! Shapes of the alarm laboratory.

use std::collections::BTreeMap;

use laboratory::edit::{Changed, Parameter, Sweep};
use laboratory::frontier::{Point, Setting};
use laboratory::versions::Version;
use laboratory::{EventRule, Report, Settings};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::PatientBrief;

/// What there is to try, and with what.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryView {
    /// Time of the journal's first entry; none while it is empty.
    pub from_ms: Option<i64>,
    /// Now.
    pub to_ms: i64,
    /// BLAKE3 of the policy in force.
    pub hash: String,
    /// What that policy is called.
    pub name: String,
    /// Policies that one run may try.
    pub policies_max: usize,
    /// What counts as a real event unless a run says otherwise.
    pub events: Vec<LaboratoryEvent>,
    /// Further events, which the record tells.
    pub told_events: Vec<String>,
    /// What fits this house.
    pub defaults: LaboratoryDefaults,
    /// The run that goes on.
    pub running: Option<i64>,
    /// The numbers of the policy in force.
    pub numbers: Vec<Parameter>,
}

/// What a run is asked by default, by this house's clock and units.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryDefaults {
    /// Hours before an event in which an alert counts as preceding it.
    pub horizon_h: f64,
    /// Median seconds after which an alert is taken that nobody really saw.
    pub answered_after_s: f64,
    /// First hour of the night.
    pub night_from: u8,
    /// First hour after it.
    pub night_to: u8,
    /// Units, a transfer into which is an event.
    pub transfer_to: Vec<String>,
}

/// A real event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LaboratoryEvent {
    /// Letters, digits and dashes.
    pub name: String,
    /// Expression as in a policy's rules.
    pub when: String,
    /// Seconds for which it must hold.
    #[serde(default)]
    pub for_s: f64,
}

/// A number with each value that is to be tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LaboratorySweep {
    /// The number's path.
    pub path: String,
    /// First value.
    pub from: f64,
    /// Last value.
    pub to: f64,
    /// Step, above 0.
    pub step: f64,
}

/// A whole policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LaboratoryPolicy {
    /// What to call it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What a run is to try. Everything may be left out but one of `set`, `sweep` and `policies`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LaboratoryAsked {
    /// What people call it; no patients' names.
    pub title: String,
    /// First moment; the journal's first if not said.
    pub from_ms: Option<i64>,
    /// The moment after the last; now if not said.
    pub to_ms: Option<i64>,
    /// Numbers changed in the policy in force.
    pub set: Vec<Setting>,
    /// At most two numbers with several values: every combination, on top of `set`.
    pub sweep: Vec<LaboratorySweep>,
    /// Whole policies.
    pub policies: Vec<LaboratoryPolicy>,
    /// Real events; none: the usual ones.
    pub events: Vec<LaboratoryEvent>,
    /// Judge by this event alone.
    pub target: Option<String>,
    /// Propose the policy that sees most within so many alerts per bed-day.
    pub budget: Option<f64>,
    /// Hours before an event in which an alert counts as preceding it, up to 720.
    pub horizon_h: f64,
    /// Median seconds after which an alert is taken that nobody really saw; 0: nobody takes it.
    pub answered_after_s: f64,
    /// First hour of the night.
    pub night_from: u8,
    /// First hour after it.
    pub night_to: u8,
    /// Minutes by which a clock is ahead of UTC; the house's clock if not said.
    pub utc_offset_min: Option<i64>,
    /// Units, a transfer into which is an event.
    pub transfer_to: Vec<String>,
}

impl Default for LaboratoryAsked {
    fn default() -> Self {
        let usual = Settings::default();
        Self {
            title: String::new(),
            from_ms: None,
            to_ms: None,
            set: Vec::new(),
            sweep: Vec::new(),
            policies: Vec::new(),
            events: Vec::new(),
            target: None,
            budget: None,
            horizon_h: usual.horizon_h,
            answered_after_s: usual.answered_after_s,
            night_from: usual.night_from,
            night_to: usual.night_to,
            utc_offset_min: None,
            transfer_to: usual.transfer_units,
        }
    }
}

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryRun {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub title: String,
    /// Who asked.
    pub by: String,
    /// `running`, `done`, `failed`, `cancelled`, `interrupted` (by a restart of the program).
    pub state: String,
    /// Asked.
    pub started_ms: i64,
    /// Over.
    pub ended_ms: Option<i64>,
    /// What was asked.
    pub asked: LaboratoryAsked,
    /// How far it is.
    pub progress: LaboratoryProgress,
    /// Why it failed.
    pub error: Option<String>,
    /// What it found; not in a list.
    pub result: Option<LaboratoryResult>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryProgress {
    /// Entries of the journal that were read.
    pub done: u64,
    /// All; 0: not known yet.
    pub total: u64,
    /// 0 to 1.
    pub share: f64,
    /// Seconds since it began.
    pub seconds: f64,
    /// Seconds that it will still take, roughly; none while nothing can be said.
    pub left_s: Option<f64>,
}

/// Runs, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryRuns {
    /// Without their results.
    pub runs: Vec<LaboratoryRun>,
}

/// What a run found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryResult {
    /// Policies side by side.
    pub report: Report,
    /// The policies in the report's order: the present, then those tried.
    pub candidates: Vec<LaboratoryCandidate>,
    /// Alerts against events seen, a point each in the same order.
    pub points: Vec<Point>,
    /// Place of the candidate that is proposed within the budget.
    pub proposed: Option<usize>,
    /// What to know besides.
    pub notes: Vec<String>,
    /// What people call each cause.
    pub titles: BTreeMap<String, String>,
}

/// A policy that was tried.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryCandidate {
    /// What it is called.
    pub name: String,
    /// BLAKE3 of its text.
    pub hash: String,
    /// The numbers that are not those of the policy that was in force when the run was asked for.
    pub changed: Vec<Changed>,
    /// Whether it differs in more than numbers.
    pub more: bool,
}

/// The alerts in which a candidate differs from the present.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryAlerts {
    /// Which candidate.
    pub candidate: usize,
    /// Alerts of the present that it would not raise.
    pub gone: Vec<LaboratoryAlert>,
    /// Alerts that only it would raise.
    pub new: Vec<LaboratoryAlert>,
    /// Left out, because this account may not see those patients.
    pub hidden: usize,
    /// There are more than were kept.
    pub cut: bool,
}

/// One of them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LaboratoryAlert {
    /// Whose.
    pub patient: PatientBrief,
    /// The alert as it was raised; none of one that was not.
    pub episode: Option<String>,
    /// What began it.
    pub cause: String,
    /// What people read first.
    pub title: String,
    /// The highest priority that it had.
    pub priority: String,
    /// Began.
    pub begin_ms: i64,
    /// Over.
    pub end_ms: Option<i64>,
    /// It preceded a real event.
    pub preceded: bool,
}

/// Versions, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersions {
    /// Without the policies' texts.
    pub versions: Vec<PolicyVersion>,
}

/// A version of the alarm policy, and what may be done with it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersion {
    /// The version.
    pub version: Version,
    /// `proposed`, `approved`, `in-force`, `unreviewed` (in force by one person), `rejected`, `withdrawn`, `outdated`.
    pub state: String,
    /// What this account may do with it now.
    pub may: PolicyVersionMay,
    /// Why this account may not take the next step.
    pub why_not: Option<String>,
}

/// What an account may do with a version now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersionMay {
    /// Approve it.
    pub approve: bool,
    /// Reject it.
    pub reject: bool,
    /// Withdraw it.
    pub withdraw: bool,
    /// Put it in force.
    pub put_in_force: bool,
    /// Put it in force without review, because it cannot wait.
    pub emergency: bool,
}

/// A proposal: what a run tried, or a whole policy without figures.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyProposal {
    /// Of which run.
    #[serde(default)]
    pub run: Option<i64>,
    /// Which of its candidates, from 1.
    #[serde(default)]
    pub candidate: Option<usize>,
    /// Instead of them: the policy's text.
    #[serde(default)]
    pub policy: Option<String>,
    /// What it changes, in a line.
    pub title: String,
    /// Why.
    pub reason: String,
}

/// An approval.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyApproval {
    /// What to say with it.
    pub note: String,
}

/// Why a version cannot wait for a second person.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyEmergency {
    /// Why.
    pub reason: String,
}

/// A rejection, or a withdrawal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRejection {
    /// Why.
    pub reason: String,
}

impl From<EventRule> for LaboratoryEvent {
    fn from(rule: EventRule) -> Self {
        Self { name: rule.name, when: rule.when, for_s: rule.for_s }
    }
}

impl LaboratorySweep {
    /// The sweep's values.
    pub(super) fn values(&self) -> Result<Sweep, laboratory::LabError> {
        Sweep::parse(&format!("{}={}..{}/{}", self.path, self.from, self.to, self.step))
    }
}
