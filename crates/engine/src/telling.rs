//! Why an alert is there, in words with values, and the readings behind it (PR-1).

use alert::{Active, ConditionKey, Description};
use vitals::metric::code;
use vitals::{MetricCode, ReadingRef};

use crate::alarm::{self, Alarm};
use crate::foresight::Foresight;
use crate::past::Past;
use crate::patient::Silence;
use crate::scoring::Scores;
use crate::value::Values;
use crate::words::word;

/// What reasons are told from.
pub(crate) struct Telling<'a> {
    pub values: &'a Values,
    pub scores: &'a Scores,
    pub foresight: &'a Foresight,
    pub past: &'a Past,
    pub silent: &'a [Silence],
    pub alarms: &'a [Alarm],
    /// The level that is normal for the patient.
    pub normal: &'a dyn Fn(MetricCode) -> Option<f64>,
    /// The patient's clock.
    pub now: i64,
}

impl Telling<'_> {
    /// The conditions in one alert, the most urgent first: title, rule, values, and what they were
    /// before.
    pub(crate) fn describe(&self, members: &[&Active<'_>]) -> Description {
        let mut readings: Vec<ReadingRef> = Vec::new();
        let mut ordered: Vec<&&Active<'_>> = members.iter().collect();
        ordered.sort_by_key(|active| std::cmp::Reverse(active.priority));
        let sentences: Vec<String> =
            ordered.into_iter().map(|active| self.sentence(active, &mut readings)).collect();
        readings.sort_unstable();
        readings.dedup();
        Description { reason: sentences.join(". "), readings }
    }

    /// What the device says, and the value that it is about.
    fn alarm(&self, alarm: &Alarm, title: &str, readings: &mut Vec<ReadingRef>) -> String {
        let metric = alarm.source.unwrap_or(MetricCode(0));
        let about = self.values.usable(metric, self.now).map_or_else(String::new, |current| {
            readings.push(current.reading);
            format!(", {}", say(metric, current.value))
        });
        format!("{title} ({}, said by {}){about}", alarm.kind.name(), alarm.device)
    }

    /// `HR 104 /min (own normal 78)`
    fn against_normal(&self, metric: MetricCode, readings: &mut Vec<ReadingRef>) -> Option<String> {
        let normal = (self.normal)(metric)?;
        let current = self.values.usable(metric, self.now);
        let Some(current) = current else { return Some(format!("own normal {}", say(metric, normal))) };
        readings.push(current.reading);
        Some(format!("{} (own normal {})", say(metric, current.value), number(metric, normal)))
    }

    fn sentence(&self, active: &Active<'_>, readings: &mut Vec<ReadingRef>) -> String {
        if let ConditionKey::Gap(device) = active.key {
            let gap = self.silent.iter().find(|gap| gap.device.as_str() == device);
            let seconds = gap.map_or(0, |gap| (self.now - gap.since) / 1_000_000);
            return format!("{device} has sent nothing for {seconds} s");
        }
        let mut parts = Vec::new();
        if let Some(alarm) = alarm::by_key(self.alarms, active.key) {
            return self.alarm(alarm, active.title, readings);
        }
        for term in active.terms {
            if let Some((metric, _)) = alert::Aspect::read(*term) {
                parts.extend(self.against_normal(metric, readings));
                continue;
            }
            // The score that it belongs to tells it.
            if *term == code::NEWS2_MAX && active.terms.contains(&code::NEWS2) {
                continue;
            }
            if let Some(text) = self.scores.describe(*term, readings, self.values, self.now) {
                parts.push(text);
            } else if let Some(text) = self.foresight.describe(*term, readings) {
                parts.push(text);
            } else if let Some(current) = self.values.usable(*term, self.now) {
                readings.push(current.reading);
                let before = self.past.before(*term, self.now).map_or_else(String::new, |(ago, mean)| {
                    format!(" ({} {ago} min ago)", number(*term, mean))
                });
                parts.push(format!("{}{before}", say(*term, current.value)));
            }
        }
        // A rule about states speaks of them by number: their words say more.
        let states = |term: &MetricCode| {
            self.values.get(*term).is_some_and(|current| word(*term, current.value).is_some())
        };
        if !active.terms.is_empty() && active.terms.iter().all(states) {
            return format!("{}: {}", active.title, parts.join(", "));
        }
        format!("{} ({}): {}", active.title, active.rule, parts.join(", "))
    }
}

/// `HR 131 /min`
pub(crate) fn say(metric: MetricCode, value: f64) -> String {
    let number = number(metric, value);
    match metric.metric() {
        Some(row) if word(metric, value).is_some() => {
            format!("{} {}", row.label, word(metric, value).unwrap_or_default())
        }
        Some(row) => format!("{} {number} {}", row.label, row.unit.display()).trim_end().to_owned(),
        None => format!("{metric:?} {number}"),
    }
}

/// As many decimals as people read.
pub(crate) fn number(metric: MetricCode, value: f64) -> String {
    let decimals = metric.metric().map_or(1, |row| usize::from(row.decimals));
    format!("{value:.decimals$}")
}
