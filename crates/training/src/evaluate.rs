//! Everything that is asked of a model, on some patients, beside published scores on the same patients.

use serde::Serialize;

use crate::alarms::{Watched, against, at};
use crate::cohort::{Fate, Stay, spread};
use crate::learn::Lessons;
use crate::measure::{
    Alerts, Interval, Ranked, Resamples, Utility, binary_score, interval, lemeshow, reliability,
};
use crate::outcome::Task;
use crate::scored::{self, Published};

/// What a model said of each moment, stay after stay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// Log-odds of the forest.
    pub margins: Vec<f64>,
    /// Calibrated log-odds.
    pub log_odds: Vec<f64>,
    /// Whether the probability reached the threshold; never where the model did not judge.
    pub alarms: Vec<bool>,
    /// Whether the model judged.
    pub judged: Vec<bool>,
}

/// A figure: of whom (model or score), what, on which patients.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// The model or the score.
    pub of: String,
    /// What was measured.
    pub name: String,
    /// All patients, those of one folder, or a subgroup.
    pub on: String,
    /// How many patients.
    pub patients: usize,
    /// The figure.
    #[serde(flatten)]
    pub interval: Interval,
}

/// How to evaluate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Resamples of patients for the intervals.
    pub draws: usize,
    /// Threads.
    pub threads: usize,
    /// What an alert is and what a warning.
    pub alerts: Alerts,
}

/// What all measures look at.
struct Judge<'a> {
    task: Task,
    stays: &'a [Stay],
    lessons: &'a Lessons,
    said: &'a Said,
    starts: Vec<usize>,
    published: Vec<[Vec<f64>; 4]>,
    options: Options,
    name: &'a str,
    figures: Vec<Figure>,
}

/// Evaluates what a model called `name` said. Groups of patients are all, those of each folder (named by `folders`), and,
/// for the model alone, ages and sexes.
#[must_use]
pub fn evaluate(name: &str, task: Task, stays: &[Stay], lessons: &Lessons, said: &Said, folders: &[String], options: Options) -> Vec<Figure> {
    let mut judge = Judge::new(name, task, stays, lessons, said, options);
    for (group, of) in judge.wholes(folders) {
        judge.group(group, &of, true);
    }
    for (group, from, to) in [("age under 50", 0.0, 50.0), ("age 50–64", 50.0, 65.0), ("age 65–79", 65.0, 80.0), ("age 80 and over", 80.0, 200.0)] {
        judge.group(group, &judge.those(|stay| (from..to).contains(&stay.person.age)), false);
    }
    judge.group("women", &judge.those(|stay| stay.person.male < 0.5), false);
    judge.group("men", &judge.those(|stay| stay.person.male > 0.5), false);
    judge.figures
}

/// The comparison of alerts with NEWS2 in each of [`Alerts::WAYS`], for all patients and those of each folder; nothing for
/// a task without an event that alerts could warn of.
#[must_use]
pub fn ways(name: &str, task: Task, stays: &[Stay], lessons: &Lessons, said: &Said, folders: &[String], options: Options) -> Vec<Figure> {
    let mut judge = Judge::new(name, task, stays, lessons, said, options);
    for (group, of) in judge.wholes(folders).into_iter().filter(|_| task != Task::Mortality) {
        judge.ways(group, &of);
    }
    judge.figures
}

/// Rows of some patients, each with the number of its patient among them.
struct Rows {
    rows: Vec<usize>,
    patient: Vec<u32>,
}

impl<'a> Judge<'a> {
    fn new(name: &'a str, task: Task, stays: &'a [Stay], lessons: &'a Lessons, said: &'a Said, options: Options) -> Self {
        let mut starts = vec![0];
        for stay in stays {
            starts.push(starts[starts.len() - 1] + stay.moments.len());
        }
        let published = spread(stays, options.threads, scored::of);
        Self { task, stays, lessons, said, starts, published, options, name, figures: Vec::new() }
    }

    /// All patients, and those of each folder if there are several.
    fn wholes<'b>(&self, folders: &'b [String]) -> Vec<(&'b str, Vec<usize>)> {
        let own = folders.iter().enumerate().filter(|_| folders.len() > 1);
        let each = own.map(|(source, folder)| (folder.as_str(), self.those(|stay| stay.source == source)));
        std::iter::once(("all", (0..self.stays.len()).collect())).chain(each).filter(|(_, stays)| !stays.is_empty()).collect()
    }

    fn those(&self, which: impl Fn(&Stay) -> bool) -> Vec<usize> {
        (0..self.stays.len()).filter(|stay| which(&self.stays[*stay])).collect()
    }

    fn group(&mut self, on: &str, stays: &[usize], whole: bool) {
        if stays.is_empty() {
            return;
        }
        let resamples = Resamples::new(stays.len(), self.options.draws, 11);
        self.ranking(on, stays, &resamples, whole);
        self.calibration(on, stays, &resamples);
        if self.task == Task::Sepsis {
            self.utility(on, stays, &resamples, whole);
        }
        if whole && self.task == Task::Mortality {
            self.mortality(on, stays, &resamples);
        } else if whole {
            self.alerts(on, stays, &resamples);
        }
        if whole && self.said.judged.contains(&false) {
            let rows = self.rows(stays, |_| true);
            let refused = rows.rows.iter().filter(|row| !self.said.judged[**row]).count() as f64 / rows.rows.len() as f64;
            self.put(self.name.to_owned(), "hours not judged", on, stays.len(), Interval { value: refused, low: f64::NAN, high: f64::NAN });
        }
    }

    fn put(&mut self, of: String, name: &str, on: &str, patients: usize, interval: Interval) {
        self.figures.push(Figure { of, name: name.to_owned(), on: on.to_owned(), patients, interval });
    }

    fn rows(&self, stays: &[usize], which: impl Fn(usize) -> bool) -> Rows {
        let mut rows = Rows { rows: Vec::new(), patient: Vec::new() };
        for (patient, stay) in stays.iter().enumerate() {
            for row in (self.starts[*stay]..self.starts[stay + 1]).filter(|row| which(*row)) {
                rows.rows.push(row);
                rows.patient.push(patient as u32);
            }
        }
        rows
    }

    /// What ranking is measured against: the Challenge's label for sepsis, else the event within the horizon.
    fn label(&self, row: usize, stay: usize) -> Option<bool> {
        match &self.stays[stay].fate {
            Fate::Sepsis(labels) if self.task == Task::Sepsis => Some(labels[row - self.starts[stay]]),
            _ => self.lessons.rows[row].event,
        }
    }

    fn ranking(&mut self, on: &str, stays: &[usize], resamples: &Resamples, whole: bool) {
        let rows = self.rows(stays, |row| self.label(row, self.lessons.stays[row] as usize).is_some());
        let labels: Vec<bool> =
            rows.rows.iter().map(|row| self.label(*row, self.lessons.stays[*row] as usize) == Some(true)).collect();
        for scorer in 0..if whole { 5 } else { 1 } {
            let score = |row: &usize| {
                let stay = self.lessons.stays[*row] as usize;
                let score = if scorer == 0 { self.said.margins[*row] } else { self.published[stay][scorer - 1][row - self.starts[stay]] };
                // Who has no score is not known to be ill.
                if score.is_nan() { -1.0 } else { score }
            };
            let scores: Vec<f64> = rows.rows.iter().map(score).collect();
            let ranked = Ranked::new(&scores, &labels);
            let areas = resamples.measure(self.options.threads, |times| ranked.areas(|row| times(rows.patient[row] as usize)));
            let of = self.scorer(scorer);
            self.put(of.clone(), "AUROC", on, stays.len(), interval(areas.iter().map(|areas| areas.roc)));
            self.put(of, "AUPRC", on, stays.len(), interval(areas.iter().map(|areas| areas.precision)));
        }
    }

    fn scorer(&self, number: usize) -> String {
        if number == 0 { self.name.to_owned() } else { Published::ALL[number - 1].name().to_owned() }
    }

    fn calibration(&mut self, on: &str, stays: &[usize], resamples: &Resamples) {
        let rows = self.rows(stays, |row| self.lessons.rows[row].event.is_some() && self.said.judged[row]);
        let measures = resamples.measure(self.options.threads, |times| {
            let found = reliability(rows.rows.iter().zip(&rows.patient).map(|(row, patient)| {
                (self.said.log_odds[*row], self.lessons.rows[*row].event == Some(true), times(*patient as usize))
            }));
            [found.calibration.intercept, found.calibration.slope, found.brier, found.observed_to_expected]
        });
        for (at, name) in ["calibration intercept", "calibration slope", "Brier score", "observed to expected"].into_iter().enumerate() {
            self.put(self.name.to_owned(), name, on, stays.len(), interval(measures.iter().map(|all| all[at])));
        }
    }

    fn utility(&mut self, on: &str, stays: &[usize], resamples: &Resamples, whole: bool) {
        for scorer in 0..if whole { 5 } else { 1 } {
            let of = |stay: &usize| {
                let Fate::Sepsis(labels) = &self.stays[*stay].fate else { return Utility::default() };
                let hours = self.starts[*stay]..self.starts[stay + 1];
                if scorer == 0 {
                    return Utility::of(labels, hours.map(|row| self.said.alarms[row]));
                }
                let threshold = Published::ALL[scorer - 1].threshold();
                Utility::of(labels, self.published[*stay][scorer - 1].iter().map(|score| *score >= threshold))
            };
            let each: Vec<Utility> = stays.iter().map(of).collect();
            let sums = resamples.measure(self.options.threads, |times| {
                let mut sum = Utility::default();
                each.iter().enumerate().for_each(|(patient, own)| sum.add(own, times(patient)));
                sum.normalised()
            });
            self.put(self.scorer(scorer), "utility", on, stays.len(), interval(sums.into_iter()));
        }
    }

    fn mortality(&mut self, on: &str, stays: &[usize], resamples: &Resamples) {
        let rows = self.rows(stays, |row| self.lessons.rows[row].event.is_some());
        let p = |row: usize| 1.0 / (1.0 + libm::exp(-self.said.log_odds[row]));
        let died = |row: usize| self.lessons.rows[row].event == Some(true);
        let both = resamples.measure(self.options.threads, |times| {
            let each = || rows.rows.iter().zip(&rows.patient).map(|(row, patient)| (*row, times(*patient as usize)));
            let binary = binary_score(each().map(|(row, times)| (died(row), self.said.alarms[row], times)));
            let patients: Vec<(f64, bool)> =
                each().flat_map(|(row, times)| std::iter::repeat_n((p(row), died(row)), times as usize)).collect();
            (binary, lemeshow(&patients))
        });
        self.put(self.name.to_owned(), "score 1", on, stays.len(), interval(both.iter().map(|both| both.0)));
        self.put(self.name.to_owned(), "score 2 (H)", on, stays.len(), interval(both.iter().map(|both| both.1)));
    }

    /// Log-odds by stay; none where the model does not judge, so that there is no alert.
    fn judged(&self, stays: &[usize]) -> Vec<Vec<f64>> {
        let margin = |row: usize| if self.said.judged[row] { self.said.margins[row] } else { f64::NAN };
        stays.iter().map(|stay| (self.starts[*stay]..self.starts[stay + 1]).map(margin).collect()).collect()
    }

    fn ways(&mut self, on: &str, stays: &[usize]) {
        let resamples = Resamples::new(stays.len(), self.options.draws, 11);
        let events: Vec<Option<usize>> = stays.iter().map(|stay| self.task.event(&self.stays[*stay])).collect();
        let own = self.judged(stays);
        let own: Vec<Watched<'_>> = own.iter().zip(&events).map(|(scores, event)| Watched { scores, event: *event }).collect();
        let news = |stay: &usize| self.published[*stay][Published::News2 as usize].as_slice();
        let theirs: Vec<Watched<'_>> =
            stays.iter().zip(&events).map(|(stay, event)| Watched { scores: news(stay), event: *event }).collect();
        let compared = Alerts::WAYS.map(|(way, rule)| {
            let found = against(&own, &theirs, Published::News2.threshold(), &rule, &resamples, self.options.threads);
            (format!("{}, counted: {way}", self.name), found)
        });
        for (of, found) in compared {
            self.put(of.clone(), "NEWS2's alerts per patient-day", on, stays.len(), found.their_per_day);
            self.put(of.clone(), "NEWS2's sensitivity", on, stays.len(), found.their_sensitivity);
            self.put(of.clone(), "sensitivity at NEWS2's alerts", on, stays.len(), found.sensitivity);
            self.put(of.clone(), "times NEWS2's sensitivity", on, stays.len(), found.sensitivity_ratio);
            self.put(of, "share of NEWS2's alerts", on, stays.len(), found.alerts_ratio);
        }
    }

    fn alerts(&mut self, on: &str, stays: &[usize], resamples: &Resamples) {
        let rule = self.options.alerts;
        let (threads, name) = (self.options.threads, self.name.to_owned());
        let events: Vec<Option<usize>> = stays.iter().map(|stay| self.task.event(&self.stays[*stay])).collect();
        let own = self.judged(stays);
        let own: Vec<Watched<'_>> = own.iter().zip(&events).map(|(scores, event)| Watched { scores, event: *event }).collect();
        let alarms: Vec<Vec<f64>> = stays
            .iter()
            .map(|stay| self.said.alarms[self.starts[*stay]..self.starts[stay + 1]].iter().map(|alarm| f64::from(u8::from(*alarm))).collect())
            .collect();
        let alarmed: Vec<Watched<'_>> =
            alarms.iter().zip(&events).map(|(scores, event)| Watched { scores, event: *event }).collect();
        let mut yields = vec![(name.clone(), at(&alarmed, 1.0, &rule, resamples, threads))];
        let mut compared = Vec::new();
        for (number, score) in Published::ALL.into_iter().enumerate() {
            let theirs: Vec<Watched<'_>> = stays
                .iter()
                .zip(&events)
                .map(|(stay, event)| Watched { scores: &self.published[*stay][number], event: *event })
                .collect();
            yields.push((format!("{} ≥ {}", score.name(), score.threshold()), at(&theirs, score.threshold(), &rule, resamples, threads)));
            if score == Published::News2 {
                compared.push(against(&own, &theirs, score.threshold(), &rule, resamples, threads));
            }
        }
        for (of, found) in yields {
            self.put(of.clone(), "alerts per patient-day", on, stays.len(), found.per_day);
            self.put(of.clone(), "sensitivity 6 h ahead", on, stays.len(), found.sensitivity);
            self.put(of.clone(), "alerts followed by the event", on, stays.len(), found.precision);
            self.put(of, "median lead time (h)", on, stays.len(), found.lead_h);
        }
        for found in compared {
            let same = format!("{name} at the alerts of NEWS2 ≥ 5");
            self.put(same.clone(), "sensitivity 6 h ahead", on, stays.len(), found.sensitivity);
            self.put(same.clone(), "times NEWS2's sensitivity", on, stays.len(), found.sensitivity_ratio);
            self.put(same, "median lead time (h)", on, stays.len(), found.lead_h);
            let sharp = format!("{name} at the sensitivity of NEWS2 ≥ 5");
            self.put(sharp.clone(), "alerts per patient-day", on, stays.len(), found.per_day);
            self.put(sharp, "share of NEWS2's alerts", on, stays.len(), found.alerts_ratio);
        }
    }
}
