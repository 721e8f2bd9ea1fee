//! What is known of one patient now: values, scores, conditions, alerts; and how that changes.

use alert::{Active, ConditionKey, Conditions, Context, Description, Episodes, Limit, Limits, Policy};
use serde::{Deserialize, Serialize};
use vitals::time::MINUTE;
use vitals::{DeviceId, EpisodeId, MetricCode, Offset, PatientId, ReadingRef, SeriesId};

use crate::scoring::Scores;
use crate::value::Values;

/// Scores are computed again after this long even if nothing arrives: inputs age.
const REVIEW_EVERY: i64 = MINUTE;
/// What belongs to silence makes one alert.
pub(crate) const SILENCE: &str = "silence";

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
    /// Scores and their recent past.
    pub scores: Scores,
    /// Open alerts.
    pub episodes: Episodes,
    /// The patient's own limits.
    pub limits: Vec<Limit>,
    /// SpO2 scale of NEWS2: 1 or 2.
    pub spo2_scale: u8,
    /// Devices on the patient that have fallen silent, with since when.
    pub silent: Vec<(DeviceId, i64)>,
    /// Devices on the patient now, by id.
    pub devices: Vec<DeviceId>,
    /// Series of derived values.
    pub derived: Vec<(MetricCode, SeriesId)>,
    pub(crate) conditions: Conditions,
    pub(crate) timer_at: Option<i64>,
    reviewed_at: i64,
}

/// What surrounds a patient in one step.
pub(crate) struct Surroundings<'a> {
    pub policy: &'a Policy,
    pub offset: Offset,
    pub next_episode: &'a mut u16,
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
            scores: Scores::default(),
            episodes: Episodes::default(),
            limits: Vec::new(),
            spo2_scale: 1,
            silent: Vec::new(),
            devices: Vec::new(),
            derived: Vec::new(),
            conditions: Conditions::default(),
            timer_at: None,
            reviewed_at: 0,
        }
    }

    /// Takes up the rules that apply to the patient now.
    pub(crate) fn configure(&mut self, policy: &Policy, unit: Option<&str>, age: Option<f64>) {
        self.conditions.configure(policy, &Limits { unit, age_years: age, own: &self.limits });
    }

    /// Judges values and the passing of time; pushes what changed with the alerts.
    pub(crate) fn judge(&mut self, cx: &mut Surroundings<'_>, out: &mut Vec<alert::Change>) {
        let now = self.clock;
        self.reviewed_at = now;
        let (values, scores) = (&self.values, &self.scores);
        let lookup = |term: MetricCode| {
            scores
                .term(term)
                .or_else(|| values.usable(term, now).map(|current| current.value))
        };
        let mut active = self.conditions.step(&lookup, now);
        active.extend(self.silence(cx.policy));
        if active.is_empty() && self.episodes.open().is_empty() {
            return;
        }
        let describe = |members: &[&Active]| self.describe(members);
        let offset = cx.offset;
        let next = &mut *cx.next_episode;
        let mut next_id = || {
            *next += 1;
            EpisodeId { offset, index: *next - 1 }
        };
        let mut episodes = self.episodes.clone();
        let mut context =
            Context { now, policy: cx.policy, describe: &describe, next_id: &mut next_id };
        episodes.step(&active, &mut context, out);
        self.episodes = episodes;
    }

    /// When time alone next changes something, on the patient's clock.
    pub(crate) fn due(&self) -> Option<i64> {
        // A recording's clock stands still between its messages.
        if self.recorded {
            return None;
        }
        let review = self.reviewed_at.saturating_add(REVIEW_EVERY);
        [self.conditions.due(), self.episodes.due(), Some(review)].into_iter().flatten().min()
    }

    fn silence(&self, policy: &Policy) -> impl Iterator<Item = Active> {
        let gap = &policy.gap;
        self.silent.iter().map(move |(device, _)| Active {
            key: ConditionKey::Gap(device.to_string()),
            priority: gap.priority,
            excess: 0.0,
            worsen_by: f64::INFINITY,
            group: SILENCE.to_owned(),
            title: "No data from device".to_owned(),
            terms: Vec::new(),
            latch: false,
            chain: gap.chain,
        })
    }

    /// Why an alert is there, in words with values, and the readings behind it.
    fn describe(&self, members: &[&Active]) -> Description {
        let mut sentences = Vec::new();
        let mut readings: Vec<ReadingRef> = Vec::new();
        let mut ordered: Vec<&&Active> = members.iter().collect();
        ordered.sort_by_key(|active| std::cmp::Reverse(active.priority));
        for active in ordered {
            if let ConditionKey::Gap(device) = &active.key {
                sentences.push(format!("{device} has sent nothing"));
                continue;
            }
            let mut parts = Vec::new();
            for term in &active.terms {
                if let Some(text) = self.scores.describe(*term, &mut readings, &self.values) {
                    parts.push(text);
                } else if let Some(current) = self.values.usable(*term, self.clock) {
                    readings.push(current.reading);
                    parts.push(say(*term, current.value));
                }
            }
            sentences.push(format!("{}: {}", active.title, parts.join(", ")));
        }
        readings.sort_unstable();
        readings.dedup();
        Description { reason: sentences.join(". "), readings }
    }
}

/// `HR 131 /min`
pub(crate) fn say(metric: MetricCode, value: f64) -> String {
    match metric.metric() {
        Some(row) => {
            let number = format!("{value:.*}", usize::from(row.decimals));
            format!("{} {number} {}", row.label, row.unit.display()).trim_end().to_owned()
        }
        None => format!("{metric:?} {value}"),
    }
}
