//! What is known of one patient now: values, scores, conditions, alerts; and how that changes.

use alert::{Active, ConditionKey, Conditions, Context, Episodes, Limit, Limits, Policy};
use serde::{Deserialize, Serialize};
use vitals::time::{MINUTE, SECOND};
use vitals::{
    DeviceId, EffectiveTime, EpisodeId, MetricCode, Offset, PatientId, ReceiveTime, SeriesId, TimeBase,
};

use crate::alarm::{self, Alarm};
use crate::care::Care;
use crate::foresight::Foresight;
use crate::normal::Normals;
use crate::past::Past;
use crate::scoring::Scores;
use crate::telling::Telling;
use crate::value::Values;

/// Scores are computed again after this long even if nothing arrives: inputs age.
const REVIEW_EVERY: i64 = MINUTE;
/// While the patient was heard live within this time, a recording is only kept, not shown.
const LIVE_FOR: i64 = 10 * MINUTE;
/// Time alone makes nobody judged again sooner than this.
const REVIEW_GAP: i64 = SECOND / 10;
/// What is wrong with a patient's devices makes one alert: a policy's rules about devices may join.
pub(crate) const DEVICES: &str = "device";
/// Why an alert ended by itself.
const GONE: &str = "condition gone";
const UNMEASURED: &str = "no longer measured";

/// A device on the patient that fell silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Which.
    pub device: DeviceId,
    /// When it was last heard before, in microseconds on our clock.
    pub since: i64,
    /// Since when it is heard again.
    pub heard_again: Option<i64>,
}

/// A patient as the engine knows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PatientState {
    /// Who.
    pub id: PatientId,
    /// The patient's clock, in microseconds: ours, or the recording's for one played back.
    pub clock: i64,
    /// Whether the values are played back from a recording.
    pub recorded: bool,
    /// Latest values.
    pub values: Values,
    /// The last hour of its vital signs.
    pub past: Past,
    /// Scores and their recent past.
    pub scores: Scores,
    /// What models look at, and what they said last.
    pub foresight: Foresight,
    /// Open alerts.
    pub episodes: Episodes,
    /// The patient's own limits.
    pub limits: Vec<Limit>,
    /// Limits that follow the patient's own normal now; kept with that, see `normal`.
    #[serde(skip)]
    pub followed: Vec<Limit>,
    /// SpO2 scale of NEWS2: 1 or 2.
    pub spo2_scale: u8,
    /// Devices on the patient that have fallen silent.
    pub silent: Vec<Silence>,
    /// Alarms of devices on the patient, the ended ones among them.
    pub alarms: Vec<Alarm>,
    /// Devices on the patient now, by id.
    pub devices: Vec<DeviceId>,
    /// What looking after the patient needs: worklist and care pathways.
    pub care: Care,
    /// Series of derived values, by metric and channel.
    pub derived: Vec<(MetricCode, u32, SeriesId)>,
    pub(crate) conditions: Conditions,
    #[serde(skip)]
    pub(crate) timer_at: Option<i64>,
    /// What the rules in force were chosen by.
    pub(crate) chosen_by: Option<ChosenBy>,
    /// When a device last spoke of the patient live, on our clock.
    live_at: Option<i64>,
    reviewed_at: i64,
}

/// What decides which rules apply, besides the patient's own limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChosenBy {
    pub unit: Option<String>,
    pub age_years: Option<f64>,
}

/// What surrounds a patient in one step.
pub(crate) struct Surroundings<'a> {
    pub policy: &'a Policy,
    pub offset: Offset,
    pub next_episode: &'a mut u16,
    /// What is usual for the patient.
    pub normals: Option<&'a Normals>,
    /// What decides which of the policy's normals apply.
    pub chooser: Limits<'a>,
}

impl PatientState {
    /// A patient of whom nothing was heard yet.
    #[must_use]
    pub fn new(id: PatientId) -> Self {
        Self {
            id,
            clock: 0,
            recorded: false,
            values: Values::default(),
            past: Past::default(),
            scores: Scores::default(),
            foresight: Foresight::default(),
            episodes: Episodes::default(),
            limits: Vec::new(),
            followed: Vec::new(),
            spo2_scale: 1,
            silent: Vec::new(),
            alarms: Vec::new(),
            devices: Vec::new(),
            care: Care::default(),
            derived: Vec::new(),
            conditions: Conditions::default(),
            timer_at: None,
            chosen_by: None,
            live_at: None,
            reviewed_at: 0,
        }
    }

    /// Takes up the rules that apply to the patient now.
    pub(crate) fn configure(&mut self, policy: &Policy, by: ChosenBy) {
        let (unit, age_years) = (by.unit.as_deref(), by.age_years);
        self.conditions.configure(policy, &Limits { unit, age_years, own: &self.own_limits() });
        self.chosen_by = Some(by);
    }

    /// The limits in the place of the policy's: what a clinician set, else what follows the normal.
    pub(crate) fn own_limits(&self) -> Vec<Limit> {
        let set = |metric| self.limits.iter().any(|limit| limit.metric == metric);
        let followed = self.followed.iter().filter(|limit| !set(limit.metric));
        self.limits.iter().chain(followed).copied().collect()
    }

    /// Moves the patient's clock on: ours for a live value, the value's own for one played back.
    /// Whether such a value may be the present one: a recording does not mix with the living.
    pub(crate) fn advance(&mut self, time: EffectiveTime, now: ReceiveTime, base: TimeBase) -> bool {
        let recorded = base == TimeBase::Recorded;
        if recorded && self.live_at.is_some_and(|at| now.0 < at.saturating_add(LIVE_FOR)) {
            return false;
        }
        let begins = self.clock == 0;
        if self.recorded != recorded {
            self.recorded = recorded;
            if !begins {
                // Two clocks that have nothing to do with each other: nothing present is left.
                self.values = Values::default();
                self.past = Past::default();
                self.scores = Scores::default();
                self.care.begin_anew();
                self.foresight = Foresight::default();
                self.clock = 0;
            }
        }
        if !recorded {
            self.live_at = Some(now.0);
        }
        self.clock = self.clock.max(if recorded { time.0 } else { now.0 });
        true
    }

    /// Judges values and the passing of time; pushes what changed with the alerts.
    pub(crate) fn judge(&mut self, cx: &mut Surroundings<'_>, out: &mut Vec<alert::Change>) {
        let now = self.clock;
        self.reviewed_at = now;
        alarm::forget(&mut self.alarms, now);
        let Self { values, scores, foresight, past, silent, alarms, episodes, conditions, .. } = self;
        let (values, scores, foresight, alarms) = (&*values, &*scores, &*foresight, &**alarms);
        let lookup = |term: MetricCode| {
            let own = alert::Aspect::read(term).and_then(|asked| {
                let value = values.usable(asked.0, now).map(|current| current.value);
                let (normals, patient) = (cx.normals?, &cx.chooser);
                normals.term(cx.policy, patient, asked, now, value)
            });
            own.or_else(|| scores.term(term))
                .or_else(|| foresight.term(term, now))
                .or_else(|| values.usable(term, now).map(|current| current.value))
        };
        let gaps: Vec<ConditionKey> =
            silent.iter().map(|gap| ConditionKey::Gap(gap.device.to_string())).collect();
        conditions.judge(&lookup, now);
        let mut active = conditions.active();
        active.extend(gaps.iter().map(|key| silence(key, cx.policy)));
        active.extend(alarm::holding(alarms, conditions));
        if active.is_empty() && episodes.open().is_empty() {
            return;
        }
        let normal = |metric| cx.normals?.centre(cx.policy, &cx.chooser, metric, now);
        let telling = Telling { normal: &normal, values, scores, foresight, past, silent, alarms, now };
        let offset = cx.offset;
        let next = &mut *cx.next_episode;
        let mut next_id = || {
            *next += 1;
            EpisodeId { offset, index: *next - 1 }
        };
        let mut context = Context {
            now,
            policy: cx.policy,
            describe: &|members| telling.describe(members),
            gone: &|group| match group {
                group if alarm::is_own(group) => alarm::SAID_OVER,
                group if conditions.given_up(group) => UNMEASURED,
                _ => GONE,
            },
            next_id: &mut next_id,
        };
        episodes.step(&active, &mut context, out);
    }

    /// When a condition or an alert next changes by time alone, on the patient's clock: a duration
    /// or a clearing delay is over, an alert goes on to the next. What-if runs judge then.
    #[must_use]
    pub fn changes_at(&self) -> Option<i64> {
        self.conditions.due().into_iter().chain(self.episodes.due()).min()
    }

    /// When time alone next changes something, on the patient's clock.
    pub(crate) fn due(&self) -> Option<i64> {
        // A recording's clock stands still between its messages, and nobody's has begun to run
        // before anything was heard.
        if self.recorded || self.clock == 0 {
            return None;
        }
        let review = self.reviewed_at.saturating_add(REVIEW_EVERY);
        let first = [self.conditions.due(), self.episodes.due(), Some(review)];
        // What was due when it was last judged waits for something else.
        let soonest = self.reviewed_at.saturating_add(REVIEW_GAP);
        first.into_iter().flatten().min().map(|due| due.max(soonest))
    }
}

fn silence<'a>(key: &'a ConditionKey, policy: &Policy) -> Active<'a> {
    let gap = &policy.gap;
    Active {
        key,
        priority: gap.priority,
        excess: 0.0,
        below: false,
        worsen_by: f64::INFINITY,
        group: DEVICES,
        title: "No data from device",
        rule: "silent for longer than its habit allows",
        terms: &[],
        latch: false,
        chain: gap.chain,
    }
}
