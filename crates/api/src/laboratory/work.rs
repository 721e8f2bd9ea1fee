//! What a run does: policies made of what was asked, the journal taken in again, and what is told of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use alert::Policy;
use engine::Models;
use jiff::tz::{Offset, TimeZone};
use journal::ReadJournal;
use laboratory::replay::{self, Past, Prepare};
use laboratory::{AlertLine, Candidate, EventRule, LabError, Progress, Report, Settings, edit, frontier};
use vitals::{Metric, ReceiveTime};

use super::Before;
use super::dto::{LaboratoryAsked, LaboratoryCandidate, LaboratoryResult};
use super::keep::Found;
use crate::error::ApiError;

/// Policies that one run may try.
pub(super) const POLICIES_MAX: usize = 36;
/// Alerts kept of a run, of each kind: shared among its policies.
const ALERTS_MAX: usize = 2_000;
/// The same of one policy.
const ALERTS_OF_ONE_MAX: usize = 250;
/// Lengths in characters.
pub(super) const TITLE_MAX: usize = 120;
const NAME_MAX: usize = 200;

/// The alerts in which a candidate differs from the present.
#[derive(Debug, Default)]
pub(super) struct Differing {
    pub(super) gone: Vec<AlertLine>,
    pub(super) new: Vec<AlertLine>,
    pub(super) cut: bool,
}

/// What a run is made of.
pub(super) struct Order {
    pub(super) asked: LaboratoryAsked,
    pub(super) candidates: Vec<Candidate>,
    pub(super) changes: Vec<Vec<(String, f64)>>,
    pub(super) events: Vec<EventRule>,
    /// The text of the policy in force.
    pub(super) base: String,
    /// The house's clock.
    pub(super) zone: TimeZone,
    /// The journal's first entries are gone.
    cut: bool,
}

impl Order {
    /// Checks what was asked, and makes the policies that are to be tried.
    pub(super) fn of(asked: LaboratoryAsked, base: String, zone: TimeZone) -> Result<Self, ApiError> {
        check(&asked)?;
        let mut order = Self { candidates: Vec::new(), changes: Vec::new(), events: Vec::new(), asked, base, zone, cut: false };
        order.fill().map_err(|error| ApiError::bad(error.to_string()))?;
        if order.candidates.is_empty() {
            return Err(ApiError::bad("nothing to try: give set, sweep or policies"));
        }
        if order.candidates.len() > POLICIES_MAX {
            return Err(ApiError::bad(format!("a run tries {POLICIES_MAX} policies at most")));
        }
        Ok(order)
    }

    fn fill(&mut self) -> Result<(), LabError> {
        for policy in &self.asked.policies {
            self.candidates.push(Candidate::of(&policy.name, &policy.text)?);
            self.changes.push(Vec::new());
        }
        let fixed: Vec<(String, f64)> = self.asked.set.iter().map(|one| (one.path.clone(), one.value)).collect();
        let sweeps = self.asked.sweep.iter().map(|sweep| sweep.values()).collect::<Result<Vec<_>, _>>()?;
        let mut combinations = edit::combinations(&sweeps, POLICIES_MAX)?;
        if sweeps.is_empty() && fixed.is_empty() {
            combinations.clear();
        }
        for combination in combinations {
            let all: Vec<(String, f64)> = fixed.iter().cloned().chain(combination).collect();
            let name = all.iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>().join(" ");
            self.candidates.push(Candidate::of(&name, &edit::apply(&self.base, &all)?)?);
            self.changes.push(all);
        }
        let events = self.asked.events.iter().map(|one| EventRule::new(&one.name, &one.when, one.for_s));
        self.events = events.collect::<Result<_, _>>()?;
        if self.events.is_empty() {
            self.events = replay::usual_events();
        }
        // An event that does not compile is told now, not when the run begins.
        laboratory::Events::new(&self.events, &replay::TOLD).map(drop)
    }

    fn settings(&self) -> Settings {
        let asked = &self.asked;
        Settings {
            horizon_h: asked.horizon_h,
            answered_after_s: asked.answered_after_s,
            zone: asked.utc_offset_min.and_then(fixed).unwrap_or_else(|| self.zone.clone()),
            night_from: asked.night_from,
            night_to: asked.night_to,
            transfer_units: asked.transfer_to.clone(),
            differing: (ALERTS_MAX / self.candidates.len()).min(ALERTS_OF_ONE_MAX),
            // One processor at most, and that one last in line.
            at_once: 1,
            ..Settings::default()
        }
    }

    /// Takes the journal in again.
    pub(super) fn run(
        mut self,
        journal: &dyn ReadJournal,
        before: &Before,
        models: Models,
        progress: &Progress,
    ) -> Result<Found, LabError> {
        let before = match journal.first_offset() {
            0 => None,
            _ => Some(before(journal).map_err(LabError::Nothing)?),
        };
        self.cut = before.is_some();
        let time = |ms: Option<i64>| ms.map(|ms| ReceiveTime(ms.saturating_mul(1_000)));
        let past = Past {
            from: time(self.asked.from_ms),
            to: time(self.asked.to_ms),
            before,
            prepare: Some(Prepare(Arc::new(move |engine| engine.set_models(models.clone())))),
            name: "journal".to_owned(),
        };
        let report = replay::replay(journal, &past, &self.candidates, &self.events, &self.settings(), progress)?;
        self.found(report)
    }

    fn found(self, mut report: Report) -> Result<Found, LabError> {
        let differing = report.differences.iter_mut().map(|difference| {
            let Some(alerts) = &mut difference.alerts else { return Differing::default() };
            let (gone, new) = (std::mem::take(&mut alerts.gone_list), std::mem::take(&mut alerts.new_list));
            let cut = (gone.len() as u64) < alerts.gone || (new.len() as u64) < alerts.new;
            Differing { gone, new, cut }
        });
        let differing = differing.collect();
        let target = self.asked.target.as_deref();
        let points = frontier::points(&report, &self.changes, target);
        let proposed = self.asked.budget.and_then(|budget| frontier::propose(&points, budget));
        let proposed = proposed.and_then(|best| points.iter().position(|point| point == best));
        let parent = laboratory::hash(&self.base);
        let mut notes = Vec::new();
        if target.is_some() && points.iter().all(|point| point.sensitivity.value.is_none()) {
            notes.push("no event of the kind that was to be judged by was found".to_owned());
        }
        if self.cut && report.from_ms > self.asked.from_ms.or(report.from_ms) {
            notes.push("the journal begins later than was asked for: what came before is gone".to_owned());
        }
        if report.policies.first().is_some_and(|present| present.hash != parent) {
            notes.push(
                "in this period another policy was in force than now: the present is shown as it was, and what was \
                 tried is the policy of now with its changes"
                    .to_owned(),
            );
        }
        let mut candidates = vec![Candidate { name: "present".to_owned(), policy: Arc::new(policy(&self.base)) }];
        candidates.extend(self.candidates);
        let told = candidates.iter().map(|one| told(&self.base, one)).collect::<Result<Vec<_>, _>>()?;
        let titles = titles(&report, &candidates);
        let result = LaboratoryResult { report, candidates: told, points, proposed, notes, titles };
        Ok(Found { result, candidates, differing, parent })
    }
}

fn check(asked: &LaboratoryAsked) -> Result<(), ApiError> {
    let long = |what: &str, text: &str, most: usize| {
        let fits = text.chars().count() <= most;
        if fits { Ok(()) } else { Err(ApiError::bad(format!("{what}: {most} characters at most"))) }
    };
    long("title", &asked.title, TITLE_MAX)?;
    for policy in &asked.policies {
        long("policies.name", &policy.name, NAME_MAX)?;
    }
    let period = (asked.from_ms.unwrap_or(i64::MIN), asked.to_ms.unwrap_or(i64::MAX));
    for (fits, problem) in [
        (period.0 < period.1, "from_ms must lie before to_ms"),
        (asked.sweep.len() <= 2, "sweep: two numbers at most"),
        (asked.set.len() <= 50, "set: 50 numbers at most"),
        (asked.policies.len() <= POLICIES_MAX, "policies: too many for one run"),
        (asked.events.len() <= 20, "events: 20 at most"),
        (asked.transfer_to.len() <= 50, "transfer_to: 50 units at most"),
        (asked.horizon_h > 0.0 && asked.horizon_h <= 720.0, "horizon_h: hours above 0, at most 720"),
        ((0.0..=86_400.0).contains(&asked.answered_after_s), "answered_after_s: 0 to 86400"),
        (asked.night_from < 24 && asked.night_to < 24, "night_from, night_to: hours from 0 to 23"),
        (asked.utc_offset_min.is_none_or(|ahead| fixed(ahead).is_some()), "utc_offset_min: -1440 to 1440"),
        (asked.budget.is_none_or(|budget| budget >= 0.0), "budget: alerts per bed-day, 0 or more"),
    ] {
        if !fits {
            return Err(ApiError::bad(problem));
        }
    }
    Ok(())
}

/// A clock that is so many minutes ahead of UTC, a day at most.
fn fixed(minutes: i64) -> Option<TimeZone> {
    let seconds = i32::try_from(minutes * 60).ok().filter(|_| (-1_440..=1_440).contains(&minutes))?;
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

pub(super) fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|_| Policy::built_in())
}

fn told(base: &str, candidate: &Candidate) -> Result<LaboratoryCandidate, LabError> {
    let (changed, more) = edit::diff(base, &candidate.policy.text)?;
    Ok(LaboratoryCandidate { name: candidate.name.clone(), hash: candidate.hash(), changed, more })
}

/// What people call each cause.
fn titles(report: &Report, candidates: &[Candidate]) -> BTreeMap<String, String> {
    let causes = report.policies.iter().flat_map(|figures| &figures.causes).map(|line| line.cause.as_str());
    causes.map(|cause| (cause.to_owned(), title(cause, candidates))).collect()
}

fn title(cause: &str, candidates: &[Candidate]) -> String {
    match cause.split_once('.') {
        Some(("rule", id)) => {
            let mut rules = candidates.iter().flat_map(|one| &one.policy.rules);
            rules.find(|rule| rule.id == id).map_or_else(|| id.to_owned(), |rule| rule.title.clone())
        }
        Some((_, metric)) => Metric::by_refid(metric).map_or_else(|| metric.to_owned(), |row| row.name.to_owned()),
        None if cause == "silence" => "Silence of a device".to_owned(),
        None => "Alarm of a device".to_owned(),
    }
}
