//! Early-warning scores of one patient, from the present values.

use score::{Aged, Consciousness, Effort, Inputs, MaxAge, Scale, Score};
use serde::{Deserialize, Serialize};
use vitals::metric::code;
use vitals::time::MINUTE;
use vitals::{EffectiveTime, MetricCode, ReadingRef};

use crate::patient::PatientState;
use crate::telling::say;
use crate::value::Values;

/// A score that does not change is kept again after this long.
const KEPT_EVERY: i64 = 5 * MINUTE;
/// Points of the trend kept for the tile.
const TREND_POINTS: usize = 60;
/// Below this age in years the paediatric score counts.
const ADULT_FROM: f64 = 16.0;

/// The recent past of one score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// Which score.
    pub metric: MetricCode,
    /// Name of its latest reading.
    pub reading: Option<ReadingRef>,
    /// `(patient's clock in microseconds, value)`, oldest first.
    pub points: Vec<(i64, f64)>,
}

/// Scores of one patient, as last computed, and their recent past.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// As last computed; not stored, since they follow from the values.
    #[serde(skip)]
    pub all: Vec<(MetricCode, Score)>,
    /// Recent past by score.
    pub trends: Vec<Trend>,
    /// When they were computed, on the patient's clock.
    pub computed_at: i64,
    /// The age that they were computed for.
    pub age_years: Option<f64>,
}

impl Scores {
    /// A score's total as a policy sees it; none while it can't be computed.
    #[must_use]
    pub fn term(&self, metric: MetricCode) -> Option<f64> {
        self.get(metric).and_then(|score| score.value)
    }

    /// A score as last computed.
    #[must_use]
    pub fn get(&self, metric: MetricCode) -> Option<&Score> {
        self.all.iter().find(|(other, _)| *other == metric).map(|(_, score)| score)
    }

    /// The early-warning score for the patient's age.
    #[must_use]
    pub fn primary(&self) -> MetricCode {
        match self.age_years {
            Some(age) if age < ADULT_FROM => code::PEWS,
            _ => code::NEWS2,
        }
    }

    /// A score's recent past.
    #[must_use]
    pub fn trend(&self, metric: MetricCode) -> Option<&Trend> {
        self.trends.iter().find(|trend| trend.metric == metric)
    }

    pub(crate) fn kept(&mut self, metric: MetricCode, reading: ReadingRef) {
        if let Some(trend) = self.trends.iter_mut().find(|trend| trend.metric == metric) {
            trend.reading = Some(reading);
        }
    }

    /// `NEWS2 8: RR 26 (+3), SpO2 90 % (+3)`, and the readings behind it; none if `metric` is no
    /// score that was computed.
    pub(crate) fn describe(
        &self,
        metric: MetricCode,
        readings: &mut Vec<ReadingRef>,
        values: &Values,
    ) -> Option<String> {
        let score = self.get(metric)?;
        let total = score.value?;
        let mut parts = Vec::new();
        for part in score.parts.iter() {
            let Some((value, points)) = part.value.zip(part.points).filter(|(_, p)| *p > 0) else {
                continue;
            };
            parts.push(format!("{} (+{points})", say(part.metric, value)));
            readings.extend(values.get(part.metric).map(|current| current.reading));
        }
        readings.extend(self.trend(metric).and_then(|trend| trend.reading));
        let missing = if score.complete { "" } else { ", some values missing" };
        let name = say(metric, total);
        if parts.is_empty() {
            return Some(format!("{name}{missing}"));
        }
        Some(format!("{name}: {}{missing}", parts.join(", ")))
    }

    /// Notes a total; whether it is to be kept as a value of its own.
    fn note(&mut self, metric: MetricCode, value: f64, now: i64) -> bool {
        let at = self.trends.iter().position(|trend| trend.metric == metric);
        let at = at.unwrap_or_else(|| {
            self.trends.push(Trend { metric, reading: None, points: Vec::new() });
            self.trends.len() - 1
        });
        let points = &mut self.trends[at].points;
        let same = points.last().is_some_and(|(time, last)| {
            (value - last).abs() < f64::EPSILON && now - time < KEPT_EVERY
        });
        // The shock index moves with every beat; its trend is kept by the minute.
        let restless = metric == code::SHOCK_INDEX
            && points.last().is_some_and(|(time, _)| now - time < MINUTE);
        if same || restless || points.last().is_some_and(|(time, _)| now < *time) {
            return false;
        }
        if points.len() == TREND_POINTS {
            points.remove(0);
        }
        points.push((now, value));
        true
    }
}

impl PatientState {
    /// Computes all scores again; gives those to keep as values.
    pub(crate) fn rescore(&mut self, age: Option<f64>) -> Vec<(MetricCode, f64)> {
        let now = EffectiveTime(self.clock);
        let inputs = self.inputs(age);
        let limits = MaxAge::default();
        let mut all = vec![
            (code::NEWS2, score::news2(&inputs, now, &limits)),
            (code::QSOFA, score::qsofa(&inputs, now, &limits)),
            (code::SIRS, score::sirs(&inputs, now, &limits)),
            (code::SHOCK_INDEX, score::shock_index(&inputs, now, &limits)),
            (code::MEWS, score::mews(&inputs, now, &limits)),
        ];
        if age.is_some_and(|age| age < 18.0) {
            all.push((code::PEWS, score::pews(&inputs, now, &limits)));
        }
        let child = age.is_some_and(|age| age < ADULT_FROM);
        all.retain(|(metric, score)| {
            score.value.is_some() && (!child || *metric == code::PEWS)
        });
        let mut keep = Vec::new();
        for (metric, score) in &all {
            if let Some(value) = score.value {
                if self.scores.note(*metric, value, self.clock) {
                    keep.push((*metric, value));
                }
            }
        }
        self.scores.all = all;
        self.scores.computed_at = self.clock;
        self.scores.age_years = age;
        keep
    }

    fn inputs(&self, age_years: Option<f64>) -> Inputs {
        let value = |metric: MetricCode| {
            self.values.get(metric).filter(|c| c.quality.usable() && !c.value.is_nan()).map(
                |current| Aged::new(current.value, current.time),
            )
        };
        let fresh = |metric: MetricCode| value(metric).filter(|_| self.is_fresh(metric));
        // The first source that is fresh, else the first there is, so that "too old" can be told
        // from "missing".
        let first = |metrics: &[MetricCode]| {
            metrics
                .iter()
                .find_map(|metric| fresh(*metric))
                .or_else(|| metrics.iter().find_map(|metric| value(*metric)))
        };
        Inputs {
            resp_rate: first(&[code::RESP_RATE]),
            spo2: first(&[code::SPO2]),
            supplemental_oxygen: first(&[code::SUPPLEMENTAL_OXYGEN])
                .map(|aged| Aged { value: aged.value >= 1.0, time: aged.time }),
            systolic: first(&[code::ABP_SYS, code::ART_SYS, code::NIBP_SYS]),
            diastolic: first(&[code::ABP_DIA, code::ART_DIA, code::NIBP_DIA]),
            pulse: first(&[code::HEART_RATE, code::PULSE_RATE]),
            temperature: first(&[code::TEMPERATURE, code::TEMP]),
            consciousness: first(&[code::CONSCIOUSNESS]).and_then(|aged| {
                Consciousness::from_number(aged.value as i32)
                    .map(|value| Aged { value, time: aged.time })
            }),
            gcs: first(&[code::GCS]),
            wbc: first(&[code::WBC]),
            capillary_refill: first(&[code::CAPILLARY_REFILL]),
            respiratory_effort: first(&[code::RESPIRATORY_EFFORT]).and_then(|aged| {
                Effort::from_number(aged.value as i32).map(|value| Aged { value, time: aged.time })
            }),
            fio2: first(&[code::FIO2]),
            age_years,
            spo2_scale: if self.spo2_scale == 2 { Scale::Two } else { Scale::One },
            ..Inputs::default()
        }
    }

    fn is_fresh(&self, metric: MetricCode) -> bool {
        self.values.usable(metric, self.clock).is_some()
    }
}
