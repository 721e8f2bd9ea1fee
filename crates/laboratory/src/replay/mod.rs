//! A journal taken in again: the present as it was, and changed policies beside it.
//!
//! One thread reads, one runs the engine as it ran (policies put in force on the way included), one
//! more for each changed policy. The present goes ahead: whoever runs a changed policy learns from
//! it which alert people saw, so that what they did is done to the alert of the same patient and
//! group. An alert that nobody saw is taken as [`Settings::answered_after_s`] says.
//!
//! Memory is bounded by the state of the engines and by one line an alert: entries wait in queues of
//! a few batches.

mod changed;
mod differing;
mod present;
mod turns;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use engine::{Engine, Known};
use jiff::Timestamp;
use journal::{Entry, ReadJournal};
use vitals::{EpisodeId, Event, Offset, PatientId, ReceiveTime};

use differing::{ByPatient, Looking};
use turns::Turns;

use crate::measure::Totals;
use crate::report::{Found, Measured};
use crate::watch::Watch;
use crate::{Candidate, EventRule, Events, LabError, Progress, Report, Settings};

/// Bytes read from the journal at a time.
const READ_BYTES: usize = 2 * 1024 * 1024;
/// Batches that wait between two threads.
const WAITING: usize = 4;
/// Events that the record tells: further names that a run may be judged by.
pub const TOLD: [&str; 2] = ["death", "transfer"];

/// What to take in.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// From here on it counts; what lies before is taken in so that the engine knows it. None: from
    /// the first entry.
    pub from: Option<ReceiveTime>,
    /// Up to here. None: to the end.
    pub to: Option<ReceiveTime>,
    /// What a store knows of who is who, for a journal whose first entries are gone; and the policy
    /// that was in force there, if a site had its own.
    pub before: Option<(Known, Option<String>)>,
    /// What an engine is given before it begins, such as the house's models.
    pub prepare: Option<Prepare>,
    /// What it is called in the report.
    pub name: String,
}

/// Gives an engine what does not come through the journal.
#[derive(Clone)]
pub struct Prepare(pub Arc<dyn Fn(&mut Engine) + Send + Sync>);

impl std::fmt::Debug for Prepare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepare")
    }
}

/// What the present did, for those who follow: an alert after one of its changes.
struct Fact {
    offset: Offset,
    id: EpisodeId,
    patient: PatientId,
    group: String,
    /// Its signal is on.
    sounding: bool,
    /// It is over.
    over: bool,
}

/// Entries with what the present made of them.
struct Batch {
    entries: Vec<Entry>,
    facts: Vec<Fact>,
}

/// The usual events of a ward whose values come all the time.
#[must_use]
pub fn usual_events() -> Vec<EventRule> {
    let rule = |name: &str, when: &str, for_s: f64| EventRule { name: name.into(), when: when.into(), for_s };
    vec![
        rule("low-pressure", "MDC_PRESS_BLD_ART_ABP_MEAN < 65 or MDC_PRESS_BLD_NONINV_MEAN < 65", 900.0),
        rule("low-oxygen", "MDC_PULS_OXIM_SAT_O2 < 85", 60.0),
    ]
}

/// The site's own policy in force at the end of a period, as the journal tells it; none: no entry of
/// the journal says, and it is the built-in one, or one of before.
///
/// # Errors
/// [`LabError::Journal`]; [`LabError::Stopped`].
pub fn policy_in_force(
    journal: &dyn ReadJournal,
    to: Option<ReceiveTime>,
    progress: &Progress,
) -> Result<Option<String>, LabError> {
    let (mut from, mut found) = (journal.first_offset(), None);
    while from < journal.next_offset() {
        progress.check()?;
        let entries = journal.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.offset + 1;
        for entry in entries {
            if to.is_some_and(|to| entry.at >= to) {
                return Ok(found);
            }
            if let Event::Policy(_, text) = entry.event {
                found = Some(text);
            }
        }
    }
    Ok(found)
}

/// Takes in a journal: the present as it was, and each changed policy from [`Past::from`] on.
///
/// # Errors
/// [`LabError`]: an event that does not compile, a journal that can't be read, nothing in the
/// period; [`LabError::Stopped`].
pub fn replay(
    journal: &dyn ReadJournal,
    past: &Past,
    changed: &[Candidate],
    rules: &[EventRule],
    settings: &Settings,
    progress: &Progress,
) -> Result<Report, LabError> {
    let events = Events::new(rules, &TOLD)?;
    let first = journal.first_offset();
    if first > 0 && past.before.is_none() {
        return Err(LabError::Nothing(format!(
            "the journal begins at entry {first}: what came before must be learned from the store"
        )));
    }
    let start = || begin(past);
    let turns = &Turns::new(settings.at_once);
    progress.expect(journal.next_offset() - first);
    let (present, runs) = std::thread::scope(|scope| -> Result<_, LabError> {
        let (to_present, entries) = sync_channel::<Vec<Entry>>(WAITING);
        let reading = scope.spawn(move || read(journal, past, &to_present, progress));
        let mut feeds = Vec::new();
        let mut followers = Vec::new();
        for candidate in changed {
            let (feed, batches) = sync_channel::<Arc<Batch>>(WAITING);
            feeds.push(feed);
            let engine = start();
            followers.push(scope.spawn(move || {
                let mut run = changed::Run::new(engine, candidate, past, settings);
                batches.into_iter().for_each(|batch| turns.take(|| run.take(&batch)));
                run
            }));
        }
        let mut run = present::Run::new(start(), past, &events, settings);
        present(&mut run, entries, feeds, turns);
        let mut present = run.end();
        let fallen = |_| LabError::Nothing("the run of a policy broke off; the log says why".to_owned());
        let runs = followers.into_iter().map(|thread| thread.join().map_err(fallen));
        let watches: Vec<Watch> =
            runs.map(|run| Ok(run?.end(&mut present.numbers))).collect::<Result<_, LabError>>()?;
        reading.join().map_err(fallen)??;
        Ok((present, watches))
    })?;
    progress.check()?;
    let begins = journal.read(first, 1)?.first().map(|entry| entry.at);
    if present.last == 0 {
        return Err(LabError::Nothing(match begins {
            Some(at) => format!("the journal has no entry in this period: it begins at {}", moment(at)),
            None => "the journal is empty: there is no past to try a policy on".to_owned(),
        }));
    }
    let mut report = report(&present, &runs, changed, &events, past, settings);
    // What is not there was not looked at, whatever was asked for.
    report.from_ms = report.from_ms.max(begins.map(ReceiveTime::millis));
    if let Some(begins) = begins.filter(|_| first > 0) {
        report.assumptions.push(format!(
            "the journal's first entries are gone, it begins at {}: patients, places and devices were learned from the \
             store; values, scores and alerts open before are not known",
            moment(begins)
        ));
    }
    Ok(report)
}

/// A time in words.
fn moment(at: ReceiveTime) -> String {
    Timestamp::from_millisecond(at.millis()).unwrap_or_default().strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// An engine as it was before the journal's first entry.
fn begin(past: &Past) -> Engine {
    let own = past.before.as_ref().and_then(|(_, text)| alert::Policy::parse(text.as_ref()?).ok());
    let mut engine = Engine::new(own.unwrap_or_else(alert::Policy::built_in));
    if let Some(Prepare(prepare)) = &past.prepare {
        prepare(&mut engine);
    }
    if let Some((known, _)) = &past.before {
        engine.learn(known.clone());
    }
    engine
}

fn read(
    journal: &dyn ReadJournal,
    past: &Past,
    feed: &SyncSender<Vec<Entry>>,
    progress: &Progress,
) -> Result<(), LabError> {
    let (mut from, end) = (journal.first_offset(), journal.next_offset());
    while from < end {
        progress.check()?;
        let mut entries = journal.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.offset + 1;
        entries.retain(|entry| entry.offset < end && past.to.is_none_or(|to| entry.at < to));
        progress.add(entries.len() as u64);
        let over = entries.is_empty();
        if over || feed.send(entries).is_err() {
            break;
        }
    }
    Ok(())
}

fn present(
    run: &mut present::Run<'_>,
    entries: Receiver<Vec<Entry>>,
    feeds: Vec<SyncSender<Arc<Batch>>>,
    turns: &Turns,
) {
    for entries in entries {
        let facts = turns.take(|| run.take(&entries));
        let batch = Arc::new(Batch { entries, facts });
        for feed in &feeds {
            // Whoever fell is noticed when its thread is joined.
            let _ = feed.send(Arc::clone(&batch));
        }
    }
}

fn report(
    present: &present::Present,
    runs: &[Watch],
    changed: &[Candidate],
    events: &Events,
    past: &Past,
    settings: &Settings,
) -> Report {
    let kinds = events.names().len();
    let mut candidates = vec![Candidate { name: "present".to_owned(), policy: Arc::clone(&present.policy) }];
    candidates.extend(changed.iter().cloned());
    let watches: Vec<&Watch> = std::iter::once(&present.watch).chain(runs).collect();
    let mut totals: Vec<Totals> = watches.iter().map(|_| Totals::new(kinds)).collect();
    let alerts: Vec<ByPatient<'_>> = watches.iter().map(|watch| by_patient(watch)).collect();
    let nobody = present::Seen::default();
    let patients = present.numbers.all().map(|(number, name)| {
        let seen = present.patients.get(name).unwrap_or(&nobody);
        let mut measured = Measured { bed_us: seen.bed_us, events: vec![0; kinds], sums: Vec::new() };
        seen.events.iter().for_each(|(kind, _)| measured.events[*kind] += 1);
        for (alerts, totals) in alerts.iter().zip(&mut totals) {
            let alerts = alerts.get(&number).map(Vec::as_slice).unwrap_or_default().iter().copied();
            measured.sums.push(crate::measure::patient(alerts, &seen.events, seen.last, settings, totals));
        }
        measured
    });
    let patients = patients.collect();
    let found =
        Found { candidates: &candidates, kinds: events.names(), patients, totals, dated: true, observed: true };
    let mut report = found.report(settings, past.name.clone(), assumptions(present, settings));
    report.from_ms = Some(past.from.map_or(present.first, |from| from.0) / 1_000);
    report.to_ms = Some(past.to.map_or(present.last, |to| to.0) / 1_000);
    let looking = Looking {
        numbers: &present.numbers,
        patients: &|number| present.numbers.name(number).and_then(|name| present.patients.get(name)).unwrap_or(&nobody),
        settings,
        last: past.to.map_or(present.last, |to| to.0),
    };
    for (difference, changed) in report.differences.iter_mut().zip(&alerts[1..]) {
        difference.alerts = Some(looking.compare(&alerts[0], changed));
    }
    if settings.list {
        for (figures, watch) in report.policies.iter_mut().zip(watches) {
            let line = |alert| looking.line(alert, looking.preceded(alert));
            figures.list = watch.raised.iter().map(line).collect();
        }
    }
    report
}

fn by_patient(watch: &Watch) -> ByPatient<'_> {
    let mut all = ByPatient::new();
    for alert in &watch.raised {
        all.entry(alert.patient).or_default().push(alert);
    }
    all
}

fn assumptions(present: &present::Present, settings: &Settings) -> Vec<String> {
    let mut told = vec![match settings.answered_after_s {
        median if median > 0.0 => format!(
            "under a changed policy, what people did to an alert is done to that of the same patient and group; one \
             that nobody saw is taken after a time drawn for it, {median} s in the median"
        ),
        _ => "under a changed policy nobody takes an alert that nobody saw".to_owned(),
    }];
    if present.policies > 0 {
        let times = if present.policies == 1 { "once".to_owned() } else { format!("{} times", present.policies) };
        told.push(format!(
            "the present changed its policy {times} in this period; it is shown as it was, under the name of the last"
        ));
    }
    told
}
