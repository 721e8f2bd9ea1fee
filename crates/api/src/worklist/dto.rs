//! The shapes of the worklist and of care pathways.

use alert::pathway::{Decision, Offer, OfferEvent, StepStatus};
use engine::PatientView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::dto::{AlarmSummary, LocationBrief, PatientBrief};

/// Who needs a look next, in order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Worklist {
    /// Our clock when this was made.
    pub now_ms: i64,
    /// Position in the live stream from which to go on (`Last-Event-ID`).
    pub position: u64,
    /// Lines, first the one to look at first: by `points`, then by who has had them for longer.
    pub lines: Vec<WorklistLine>,
    /// Names of the units that these patients lie in.
    pub units: Vec<String>,
}

/// One patient in the worklist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorklistLine {
    /// Who.
    pub patient: PatientBrief,
    /// Where.
    pub location: Option<LocationBrief>,
    /// The points by which the list is ordered: they move only when something has really changed.
    pub points: f64,
    /// Since when they have been these, on the patient's clock.
    pub since_ms: i64,
    /// Why, biggest reason first.
    pub reasons: Vec<WorklistReason>,
    /// The early-warning score for the patient's age.
    pub score: Option<WorklistScore>,
    /// Open alerts in one line.
    pub alarm: AlarmSummary,
    /// Who looked after the patient last.
    pub seen: Option<LookedAfter>,
    /// Since when nobody has looked, on the patient's clock; none while nothing is known.
    pub unseen_since_ms: Option<i64>,
    /// Pathways that matter now.
    pub pathways: Vec<PathwayView>,
    /// The patient's clock: ours, or that of a recording.
    pub now_ms: i64,
    /// Whether the values are played back from a recording.
    pub recorded: bool,
}

/// Why somebody stands where they do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorklistReason {
    /// `risk`, `score`, `trend`, `unseen`, `alert`, `overdue`, `pathway`.
    pub kind: String,
    /// Points that it adds.
    pub points: f64,
    /// In words: `respiratory rate rising 16→24 over 3 h`.
    pub text: String,
}

/// A score and its last hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorklistScore {
    /// Its name.
    pub name: String,
    /// Its total.
    pub value: Option<f64>,
    /// `none`, `low`, `low-medium`, `medium`, `high`.
    pub band: String,
    /// The last hours as `[time_ms, value]`, oldest first.
    pub trend: Vec<(i64, f64)>,
}

/// Who looked after a patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LookedAfter {
    /// When, on the patient's clock.
    pub at_ms: i64,
    /// Account name, or the sender of a chart entry.
    pub by: String,
    /// `opened`, `bedside`, `charted`, `alert`, `pathway`.
    pub how: String,
}

/// A patient's care pathways.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PatientPathways {
    /// Those that matter, and the last that ended, oldest first.
    pub pathways: Vec<PathwayView>,
    /// What may be started without having been suggested.
    pub available: Vec<PathwayBrief>,
    /// The patient's clock.
    pub now_ms: i64,
}

/// A pathway of the policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PathwayBrief {
    /// Name for programs.
    pub pathway: String,
    /// What people read.
    pub title: String,
    /// The publication that it follows.
    pub source: String,
}

/// A care pathway for one patient: suggested by the policy, decided by people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PathwayView {
    /// Name of this one.
    pub id: String,
    /// Which pathway of the policy.
    pub pathway: String,
    /// What people read.
    pub title: String,
    /// The publication that it follows.
    pub source: String,
    /// Why it was suggested, with values; empty when somebody started it by themselves.
    pub because: String,
    /// `suggested`, `running`, `declined`, `completed`, `stopped`, `withdrawn`.
    pub state: String,
    /// When it was suggested or started first.
    pub began_ms: i64,
    /// Since when it is followed.
    pub started_ms: Option<i64>,
    /// When it ended; none while it matters.
    pub ended_ms: Option<i64>,
    /// What to do.
    pub steps: Vec<PathwayStepView>,
    /// What happened, oldest first.
    pub events: Vec<PathwayEvent>,
}

/// One step of a pathway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PathwayStepView {
    /// Which.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Only if this holds; empty: always.
    pub only_if: String,
    /// The step that belongs before it; empty: none.
    pub after: String,
    /// `waiting` for its condition, `open`, `done`, `not-applicable`, `declined`.
    pub state: String,
    /// Until when, once its clock runs.
    pub due_ms: Option<i64>,
    /// Time limit in minutes, if it has one.
    pub within_min: Option<f64>,
    /// Who decided on it; empty while nobody has.
    pub by: String,
    /// When.
    pub at_ms: Option<i64>,
    /// What was said with it.
    pub reason: String,
}

/// One thing that happened to a pathway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PathwayEvent {
    /// `suggested`, `suggested-again`, `started`, `declined`, `step-needed`, `step-done`,
    /// `step-not-applicable`, `step-declined`, `step-overdue`, `completed`, `stopped`, `withdrawn`.
    pub kind: String,
    /// Which step; empty: the whole.
    pub step: String,
    /// Account name; `system` for the platform itself.
    pub by: String,
    /// In which role; empty for the platform.
    pub role: String,
    /// When.
    pub at_ms: i64,
    /// What was said with it.
    pub reason: String,
}

/// How somebody looked after a patient.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Looked {
    /// `bedside` (if not said), or `opened`.
    #[serde(default)]
    pub how: String,
}

/// What somebody decides.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PathwayDecision {
    /// Which step, for `done`, `not-applicable` and `decline-step`.
    #[serde(default)]
    pub step: String,
    /// Why, or what was found; must be given for whatever leaves something out.
    #[serde(default)]
    pub reason: String,
}

const fn millis(us: i64) -> i64 {
    us.div_euclid(1_000)
}

impl From<&Offer> for PathwayView {
    fn from(offer: &Offer) -> Self {
        Self {
            id: offer.id.to_string(),
            pathway: offer.pathway.clone(),
            title: offer.title.clone(),
            source: offer.source.clone(),
            because: offer.because.clone(),
            state: offer.state.name().to_owned(),
            began_ms: millis(offer.began_at),
            started_ms: offer.started_at.map(millis),
            ended_ms: offer.ended_at.map(millis),
            steps: offer.steps.iter().map(PathwayStepView::from).collect(),
            events: offer.events.iter().map(PathwayEvent::from).collect(),
        }
    }
}

impl From<&StepStatus> for PathwayStepView {
    fn from(step: &StepStatus) -> Self {
        let said = |of: fn(&Decision) -> &String| step.decision.as_ref().map(of).cloned().unwrap_or_default();
        Self {
            id: step.id.clone(),
            title: step.title.clone(),
            only_if: step.only_if.clone(),
            after: step.after.clone(),
            state: step.state.name().to_owned(),
            due_ms: step.due_at.map(millis),
            within_min: step.within_us.map(|us| us as f64 / 60e6),
            by: said(|decision| &decision.by),
            at_ms: step.decision.as_ref().map(|decision| millis(decision.at)),
            reason: said(|decision| &decision.reason),
        }
    }
}

impl From<&OfferEvent> for PathwayEvent {
    fn from(event: &OfferEvent) -> Self {
        Self {
            kind: event.kind.name().to_owned(),
            step: event.step.clone(),
            by: event.decision.by.clone(),
            role: event.decision.role.map(|role| role.name().to_owned()).unwrap_or_default(),
            at_ms: millis(event.decision.at),
            reason: event.decision.reason.clone(),
        }
    }
}

/// One patient's line, whole.
#[must_use]
pub(super) fn line(seen: &PatientView, tile: crate::dto::Tile, now_us: i64) -> WorklistLine {
    let standing = &seen.standing;
    let round = |points: f64| (points * 10.0).round() / 10.0;
    let reasons = standing.reasons.iter().map(|reason| WorklistReason {
        kind: reason.kind.name().to_owned(),
        points: round(reason.points),
        text: reason.text.clone(),
    });
    WorklistLine {
        patient: tile.patient,
        location: tile.location,
        points: round(standing.settled),
        since_ms: millis(standing.since),
        reasons: reasons.collect(),
        score: tile.score.map(|score| WorklistScore {
            name: score.name,
            value: score.value,
            band: score.band,
            trend: score.trend,
        }),
        alarm: tile.alarm,
        seen: seen.seen.as_ref().map(|look| LookedAfter {
            at_ms: millis(look.at),
            by: look.by.clone(),
            how: look.how.clone(),
        }),
        unseen_since_ms: seen.unseen_since.map(millis),
        pathways: seen.pathways.iter().filter(|offer| offer.ended_at.is_none()).map(PathwayView::from).collect(),
        now_ms: millis(if seen.recorded { seen.clock } else { now_us }),
        recorded: seen.recorded,
    }
}
