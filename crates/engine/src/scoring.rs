//! Early-warning scores of one patient, from the present values.

use score::{Aged, Consciousness, Effort, Inputs, MaxAge, Obstetric, Scale, Score, Vasoactive};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use vitals::metric::code;
use vitals::time::MINUTE;
use vitals::{EffectiveTime, MetricCode, ReadingRef};

use crate::patient::PatientState;
use crate::telling::{number, say};
use crate::value::{Believed, Values};

/// A score that does not change is kept again after this long.
const KEPT_EVERY: i64 = 5 * MINUTE;
/// Points of the trend kept for the tile.
const TREND_POINTS: usize = 60;
/// Inspired oxygen without any given, in percent.
const ROOM_AIR: f64 = 21.0;
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
        if metric == code::NEWS2_MAX {
            let points = self.get(code::NEWS2)?.parts.iter().filter_map(|part| part.points);
            return points.max().map(f64::from);
        }
        self.get(metric).and_then(|score| score.value)
    }

    /// A score as last computed.
    #[must_use]
    pub fn get(&self, metric: MetricCode) -> Option<&Score> {
        self.all.iter().find(|(other, _)| *other == metric).map(|(_, score)| score)
    }

    /// The early-warning score for the patient: MEOWS for an obstetric one, else by age.
    #[must_use]
    pub fn primary(&self) -> MetricCode {
        match self.age_years {
            _ if self.get(code::MEOWS).is_some() => code::MEOWS,
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

    /// `NEWS2 8 (3 half an hour ago): RR 26 (+3), SpO2 90 % (+3)`, and the readings behind it;
    /// none if `metric` is no score that was computed.
    pub(crate) fn describe(
        &self,
        metric: MetricCode,
        readings: &mut Vec<ReadingRef>,
        values: &Values,
        now: i64,
    ) -> Option<String> {
        // A single parameter is told with the whole score that it belongs to.
        let metric = if metric == code::NEWS2_MAX { code::NEWS2 } else { metric };
        let score = self.get(metric)?;
        let total = score.value?;
        let mut parts = Vec::new();
        for part in score.parts.iter() {
            let Some((value, points)) = part.value.zip(part.points).filter(|(_, p)| *p > 0) else {
                continue;
            };
            if let Some(of) = ratio(part.metric) {
                parts.push(format!("{} (+{points})", say(part.metric, value)));
                readings.extend(of.iter().filter_map(|of| Some(values.first(&[*of], now)?.reading)));
                continue;
            }
            let from = match part.metric {
                code::SUPPLEMENTAL_OXYGEN => oxygen(values, now).map(|(_, b)| b.reading),
                input => values.first(sources(input).as_slice(), now).map(|b| b.reading),
            };
            // The input goes by the name of the value that it was taken from: a heart rate is no pulse.
            let named = sources(part.metric).iter().copied().find(|metric| {
                let believed = values.get(*metric).and_then(|current| current.believed());
                believed.map(|b| b.reading) == from
            });
            let metric = named.filter(|_| from.is_some()).unwrap_or(part.metric);
            parts.push(format!("{} (+{points})", say(metric, value)));
            readings.extend(from);
        }
        readings.extend(self.trend(metric).and_then(|trend| trend.reading));
        let missing = if score.complete { "" } else { ", some values missing" };
        let mut name = say(metric, total);
        if let Some((minutes, before)) = self.before(metric, now) {
            name.push_str(&format!(" ({} {minutes} min ago)", number(metric, before)));
        }
        if parts.is_empty() {
            return Some(format!("{name}{missing}"));
        }
        Some(format!("{name}: {}{missing}", parts.join(", ")))
    }

    /// The score half an hour ago; if it was first computed later, then, unless that is less than
    /// ten minutes ago.
    fn before(&self, metric: MetricCode, now: i64) -> Option<(i64, f64)> {
        let points = &self.trend(metric)?.points;
        let then = points.iter().rev().find(|(time, _)| now - time >= 30 * MINUTE);
        match then {
            Some((_, value)) => Some((30, *value)),
            None => {
                let (time, value) = points.first()?;
                let minutes = (now - time) / MINUTE;
                (minutes >= 10).then_some((minutes, *value))
            }
        }
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

/// The metrics that may stand for a score's input, best first.
#[must_use]
pub fn sources(input: MetricCode) -> SmallVec<[MetricCode; 3]> {
    match input {
        code::NIBP_SYS => smallvec![code::ABP_SYS, code::ART_SYS, code::NIBP_SYS],
        code::NIBP_DIA => smallvec![code::ABP_DIA, code::ART_DIA, code::NIBP_DIA],
        code::PULSE_RATE => smallvec![code::HEART_RATE, code::PULSE_RATE],
        code::NIBP_MEAN => smallvec![code::ABP_MEAN, code::ART_MEAN, code::NIBP_MEAN],
        code::TEMPERATURE => smallvec![code::TEMPERATURE, code::TEMP],
        other => smallvec![other],
    }
}

/// A state by its number; none where the number is none of its states.
fn named<T>(of: impl Fn(i32) -> Option<T>) -> impl Fn(Aged<i32>) -> Option<Aged<T>> {
    move |aged| of(aged.value).map(|value| Aged { value, time: aged.time })
}

/// What a ratio was made of: as an analyser gives it, or its two values.
const fn ratio(part: MetricCode) -> Option<&'static [MetricCode]> {
    match part {
        code::PF_RATIO => Some(&[code::PF_RATIO, code::PAO2, code::FIO2]),
        code::SF_RATIO => Some(&[code::SPO2, code::FIO2]),
        _ => None,
    }
}

/// Whether oxygen is given, and by which reading: what was charted, or what the gas supply says, the
/// later of the two. Room air is 21 %.
fn oxygen(values: &Values, now: i64) -> Option<(bool, &Believed)> {
    let charted = values.first(&[code::SUPPLEMENTAL_OXYGEN], now).map(|b| (b.value >= 1.0, b));
    let inspired = values.first(&[code::FIO2], now).map(|b| (b.value > ROOM_AIR, b));
    match (charted, inspired) {
        (Some(charted), Some(inspired)) if inspired.1.time > charted.1.time => Some(inspired),
        (charted, inspired) => charted.or(inspired),
    }
}

impl PatientState {
    /// Computes all scores again; gives those to keep as values.
    pub(crate) fn rescore(&mut self, age: Option<f64>) -> SmallVec<[(MetricCode, f64); 8]> {
        self.compute_scores(age);
        let mut keep = SmallVec::new();
        let all = std::mem::take(&mut self.scores.all);
        for (metric, score) in &all {
            if let Some(value) = score.value {
                if self.scores.note(*metric, value, self.clock) {
                    keep.push((*metric, value));
                }
            }
        }
        self.scores.all = all;
        keep
    }

    /// Computes all scores as of the patient's clock.
    pub(crate) fn compute_scores(&mut self, age: Option<f64>) {
        let now = EffectiveTime(self.clock);
        let inputs = self.inputs(age);
        let limits = MaxAge::default();
        let child = age.is_some_and(|age| age < ADULT_FROM);
        let all = &mut self.scores.all;
        all.clear();
        let mut add = |metric, score: Score| {
            if score.value.is_some() {
                all.push((metric, score));
            }
        };
        add(code::MEOWS, score::meows(&inputs, now, &limits));
        if child {
            add(code::PEWS, score::pews(&inputs, now, &limits));
        } else {
            add(code::NEWS2, score::news2(&inputs, now, &limits));
            add(code::QSOFA, score::qsofa(&inputs, now, &limits));
            add(code::SIRS, score::sirs(&inputs, now, &limits));
            add(code::SHOCK_INDEX, score::shock_index(&inputs, now, &limits));
            add(code::MEWS, score::mews(&inputs, now, &limits));
            // Without a laboratory value there is too little of it to tell.
            if inputs.platelets.or(inputs.bilirubin).or(inputs.creatinine).is_some() {
                add(code::SOFA, score::sofa(&inputs, now, &limits));
            }
        }
        self.scores.computed_at = self.clock;
        self.scores.age_years = age;
    }

    fn inputs(&self, age_years: Option<f64>) -> Inputs {
        let first = |input: MetricCode| {
            let found = self.values.first(sources(input).as_slice(), self.clock);
            found.map(|believed| Aged::new(believed.value, believed.time))
        };
        let state = |input: MetricCode| first(input).map(|aged| Aged::new(aged.value as i32, aged.time));
        Inputs {
            resp_rate: first(code::RESP_RATE),
            spo2: first(code::SPO2),
            supplemental_oxygen: oxygen(&self.values, self.clock)
                .map(|(given, believed)| Aged::new(given, believed.time)),
            systolic: first(code::NIBP_SYS),
            diastolic: first(code::NIBP_DIA),
            pulse: first(code::PULSE_RATE),
            temperature: first(code::TEMPERATURE),
            consciousness: state(code::CONSCIOUSNESS).and_then(named(Consciousness::from_number)),
            gcs: first(code::GCS),
            wbc: first(code::WBC),
            capillary_refill: first(code::CAPILLARY_REFILL),
            respiratory_effort: state(code::RESPIRATORY_EFFORT).and_then(named(Effort::from_number)),
            fio2: first(code::FIO2),
            paco2: first(code::PACO2),
            pao2: first(code::PAO2),
            pf_ratio: first(code::PF_RATIO),
            mean_pressure: first(code::NIBP_MEAN),
            platelets: first(code::PLATELETS),
            bilirubin: first(code::BILIRUBIN),
            creatinine: first(code::CREATININE),
            ventilated: first(code::VENTILATION).map(|aged| Aged::new(aged.value >= 1.0, aged.time)),
            vasoactive: state(code::VASOACTIVE).and_then(named(Vasoactive::from_number)),
            obstetric: state(code::OBSTETRIC).and_then(named(Obstetric::from_number)),
            age_years,
            spo2_scale: if self.spo2_scale == 2 { Scale::Two } else { Scale::One },
            ..Inputs::default()
        }
    }
}
