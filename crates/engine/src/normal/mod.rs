//! What each patient's own normal is, and the limits that follow it: state, teaching, following.
//!
//! Only values that may be believed and are of now teach (TI-1): nothing doubtful, late, stale, of
//! another patient (PA-1) or played back over a living one; and nothing while an alert of medium or
//! high priority about the patient is open. A limit that moves is an event: it is told with its
//! reason, kept in the patient's history and as a text of the patient's series, and never passes the
//! bounds that the policy gives. What a clinician set wins over all of it.

mod follow;
mod say;
mod tell;

use alert::{Aspect, BaselineRule, Limit, Limits, Policy, Priority};
use baseline::{Learned, Normal, Settings, Usual};
use serde::{Deserialize, Serialize};
use vitals::{BaselineStep, EffectiveTime, MetricCode, PatientId, Quality};

use crate::Engine;
use crate::patient::{ChosenBy, DEVICES, PatientState};

pub use tell::{NormalLine, NormalState};

/// Changes of limits kept with a patient; older ones are in the patient's series of texts.
pub const CHANGES_MAX: usize = 64;
/// Metrics of one patient whose normal is learnt.
const METRICS_MAX: usize = 24;

/// What happened to a limit that follows, or to the normal that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitEvent {
    /// It alarms earlier than the policy's.
    Tightened,
    /// It alarms later than the policy's, within the policy's bounds.
    Widened,
    /// The policy's, or a clinician's, is in force again.
    Back,
    /// Somebody paused learning and following.
    Paused,
    /// Somebody let it go on.
    Resumed,
    /// Somebody had it forgotten: it is learnt anew.
    Reset,
    /// Somebody said what is normal.
    Stated,
}

impl LimitEvent {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tightened => "tightened",
            Self::Widened => "widened",
            Self::Back => "back",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Reset => "reset",
            Self::Stated => "stated",
        }
    }
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitChange {
    /// When, on the patient's clock, in microseconds.
    pub at: i64,
    /// Of what.
    pub metric: MetricCode,
    /// What.
    pub event: LimitEvent,
    /// Low and high limit in force after it.
    pub limits: (Option<f64>, Option<f64>),
    /// Why, in words.
    pub why: String,
    /// Account name; `system` for the platform itself.
    pub by: String,
}

/// What somebody decided about one normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Account name.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When, on our clock, in microseconds.
    pub at: i64,
}

/// One metric's normal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Of what.
    pub metric: MetricCode,
    /// What was learnt.
    pub normal: Normal,
    /// Whether somebody paused it.
    pub paused: Option<Decision>,
    /// The level that somebody stated in place of what was learnt.
    pub stated: Option<(f64, Decision)>,
    /// The limits that follow it now, if any do.
    pub followed: Option<Limit>,
}

/// All normals of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Normals {
    /// By metric code.
    pub all: Vec<Own>,
    /// The latest changes, oldest first.
    pub changes: Vec<LimitChange>,
    /// Whether it was learnt from a recording: two clocks do not mix.
    recorded: bool,
    /// Whether something moved since limits last followed.
    moved: bool,
    /// Whether limits are to be those of the rules to the digit: rules have changed.
    exactly: bool,
    /// The hour of the place's clock for which limits last followed.
    hour: u8,
}

/// How a rule's normal learns.
pub(crate) fn settings(rule: &BaselineRule) -> Settings {
    Settings {
        half_life_us: rule.half_life_us,
        warm_up_us: rule.warm_up_us,
        slots_min: rule.slots_min,
        spread_min: rule.spread_min,
        circadian: rule.circadian,
    }
}

/// What decides which rules apply to a patient, its own limits aside.
pub(crate) fn chooser(patient: &PatientState) -> Limits<'_> {
    chooser_of(patient.chosen_by.as_ref())
}

pub(crate) fn chooser_of(by: Option<&ChosenBy>) -> Limits<'_> {
    Limits {
        unit: by.and_then(|by| by.unit.as_deref()),
        age_years: by.and_then(|by| by.age_years),
        own: &[],
    }
}

impl Own {
    fn new(metric: MetricCode) -> Self {
        Self { metric, normal: Normal::default(), paused: None, stated: None, followed: None }
    }

    /// What is usual now; none while nothing is known or somebody paused it.
    #[must_use]
    pub fn usual(&self, rule: &BaselineRule, now: i64, hour: u8) -> Option<Usual> {
        if self.paused.is_some() {
            return None;
        }
        let learnt = self.normal.usual(&settings(rule), now, hour);
        let Some((centre, _)) = &self.stated else { return learnt };
        let spread = learnt.map_or(rule.spread_min, |usual| usual.spread);
        let (low, high) = (centre - 2.0 * spread, centre + 2.0 * spread);
        Some(Usual { centre: *centre, spread, low, high })
    }

    /// A term of a rule about this metric, whose present value is `value`.
    fn aspect(
        &self,
        aspect: Aspect,
        rule: &BaselineRule,
        (now, hour): (i64, u8),
        value: Option<f64>,
    ) -> Option<f64> {
        let usual = self.usual(rule, now, hour)?;
        let settings = settings(rule);
        match aspect {
            Aspect::OverNormal => Some(value? - usual.centre),
            Aspect::PercentOverNormal => {
                (usual.centre.abs() > f64::EPSILON).then_some((value? - usual.centre) / usual.centre.abs() * 100.0)
            }
            Aspect::Change => {
                Some(self.normal.change(&settings, now).map_or(0.0, |change| change.direction.sign()))
            }
            Aspect::Trend => {
                let trend = self.normal.trend(&settings, now).filter(|trend| trend.holds(usual.spread));
                Some(trend.map_or(0.0, |trend| trend.slope_per_h))
            }
        }
    }
}

impl Normals {
    /// A metric's normal.
    #[must_use]
    pub fn get(&self, metric: MetricCode) -> Option<&Own> {
        self.all.binary_search_by_key(&metric, |own| own.metric).ok().map(|at| &self.all[at])
    }

    fn own_mut(&mut self, metric: MetricCode) -> Option<&mut Own> {
        let at = match self.all.binary_search_by_key(&metric, |own| own.metric) {
            Ok(at) => at,
            Err(_) if self.all.len() >= METRICS_MAX => return None,
            Err(at) => {
                self.all.insert(at, Own::new(metric));
                at
            }
        };
        self.all.get_mut(at)
    }

    /// The limits that follow now.
    pub(crate) fn followed(&self) -> Vec<Limit> {
        self.all.iter().filter_map(|own| own.followed).collect()
    }

    /// What a rule's term about a normal comes to; none while it cannot be told.
    pub(crate) fn term(
        &self,
        policy: &Policy,
        patient: &Limits<'_>,
        (metric, aspect): (MetricCode, Aspect),
        now: i64,
        value: Option<f64>,
    ) -> Option<f64> {
        let rule = policy.baseline_of(metric, patient)?;
        self.get(metric)?.aspect(aspect, rule, (now, policy.hour(now)), value)
    }

    /// The level that is normal now.
    pub(crate) fn centre(
        &self,
        policy: &Policy,
        patient: &Limits<'_>,
        metric: MetricCode,
        now: i64,
    ) -> Option<f64> {
        let rule = policy.baseline_of(metric, patient)?;
        self.get(metric)?.usual(rule, now, policy.hour(now)).map(|usual| usual.centre)
    }

    /// A recording's past is none of the living patient's, and the other way round.
    fn of_clock(&mut self, recorded: bool) {
        if self.recorded != recorded {
            self.recorded = recorded;
            self.moved = true;
            self.all.iter_mut().for_each(|own| own.normal = Normal::default());
        }
    }
}

/// Whether an open alert says that what is measured now is not the patient's normal. One of low
/// priority does not: what informs of a departure must not keep the normal from following.
fn disturbed(patient: &PatientState) -> bool {
    let mut open = patient.episodes.open().iter();
    open.any(|episode| episode.priority >= Priority::Medium && episode.group != DEVICES)
}

impl Engine {
    /// What is known of a patient's own normal.
    #[must_use]
    pub fn normals(&self, id: &PatientId) -> Option<&Normals> {
        self.normals.get(self.directory.resolve(id)).map(|normals| &**normals)
    }

    /// Lets a value that became the present one teach, if it may.
    pub(crate) fn teach(
        &mut self,
        id: &PatientId,
        (metric, value): (MetricCode, f64),
        time: EffectiveTime,
        quality: Quality,
    ) {
        if self.policy.baselines.is_empty() || quality.contains(Quality::LATE) || !quality.usable() {
            return;
        }
        let Some(patient) = self.patients.get(id) else { return };
        let policy = &self.policy;
        let Some(rule) = policy.baseline_of(metric, &chooser(patient)) else { return };
        if patient.values.usable(metric, patient.clock).is_none() || disturbed(patient) {
            return;
        }
        let normals = self.normals.entry(id.clone()).or_default();
        normals.of_clock(patient.recorded);
        let Some(own) = normals.own_mut(metric) else { return };
        if own.paused.is_some() {
            return;
        }
        match own.normal.observe(&settings(rule), time.0, policy.hour(time.0), value) {
            Learned::Nothing => return,
            Learned::Noted => {}
            Learned::Closed => normals.moved = true,
        }
        self.unsaved_normals.insert(id.clone());
    }

    /// Somebody decides about a normal.
    pub(crate) fn decide_normal(
        &mut self,
        id: &PatientId,
        metric: MetricCode,
        step: &BaselineStep,
        said: Decision,
    ) {
        let at = self.patients.get(id).map_or(said.at, |patient| patient.clock.max(1));
        let normals = self.normals.entry(id.clone()).or_default();
        let Some(own) = normals.own_mut(metric) else { return };
        let event = match step {
            BaselineStep::Pause => {
                own.paused = Some(said.clone());
                LimitEvent::Paused
            }
            BaselineStep::Resume => {
                own.paused = None;
                LimitEvent::Resumed
            }
            BaselineStep::Reset => {
                *own = Own { followed: own.followed, ..Own::new(metric) };
                LimitEvent::Reset
            }
            BaselineStep::State { centre } => {
                own.stated = Some((*centre, said.clone()));
                own.paused = None;
                LimitEvent::Stated
            }
        };
        let limits = own.followed.map_or((None, None), |limit| (limit.low, limit.high));
        let why = match step {
            BaselineStep::State { centre } => format!("normal is {centre}: {}", said.reason),
            _ => said.reason,
        };
        normals.keep(LimitChange { at, metric, event, limits, why, by: said.by });
        normals.moved = true;
        normals.exactly = true;
        self.unsaved_normals.insert(id.clone());
    }

    /// Rules, or who they are chosen for, have changed.
    pub(crate) fn unsettle_normals(&mut self, id: &PatientId) {
        if let Some(normals) = self.normals.get_mut(id) {
            normals.moved = true;
            normals.exactly = true;
            self.unsaved_normals.insert(id.clone());
        }
    }

    /// Two records are one person: the survivor's own normal stands; what it lacks is taken over.
    pub(crate) fn merge_normals(&mut self, survivor: &PatientId, retired: &PatientId) {
        self.unsaved_normals.insert(retired.clone());
        let Some(old) = self.normals.remove(retired) else { return };
        let kept = self.normals.entry(survivor.clone()).or_default();
        if kept.all.is_empty() {
            kept.recorded = old.recorded;
        }
        let same_clock = old.recorded == kept.recorded;
        for own in old.all.iter().filter(|_| same_clock) {
            if let Err(at) = kept.all.binary_search_by_key(&own.metric, |other| other.metric) {
                kept.all.insert(at, Own { followed: None, ..own.clone() });
            }
        }
        kept.changes.extend(old.changes.iter().cloned());
        kept.changes.sort_by_key(|change| change.at);
        let over = kept.changes.len().saturating_sub(CHANGES_MAX);
        kept.changes.drain(..over);
        self.unsaved_normals.insert(survivor.clone());
        self.unsettle_normals(survivor);
    }

    /// Nothing that was learnt of these stays.
    pub(crate) fn forget_normals(&mut self, records: &[PatientId]) {
        for id in records {
            self.normals.remove(id);
            self.unsaved_normals.insert(id.clone());
        }
    }
}

impl Normals {
    fn keep(&mut self, change: LimitChange) {
        if self.changes.len() >= CHANGES_MAX {
            self.changes.remove(0);
        }
        self.changes.push(change);
    }
}
