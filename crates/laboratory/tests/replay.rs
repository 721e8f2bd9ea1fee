//! A journal taken in again: the present is what was raised, alert by alert; the same policy as a
//! change changes nothing; another one does.

use std::sync::Arc;

use alert::{ChangeKind, Policy};
use engine::{Effect, Engine};
use journal::{EmbeddedJournal, Encoded, Journal, Options, RealDisk};
use laboratory::replay::{Past, replay, usual_events};
use laboratory::{Candidate, Changes, Figures, Progress, Report, Settings, edit};
use vitals::time::{MINUTE, SECOND};
use vitals::{
    Action, Actor, Content, DeviceId, EpisodeId, Event, Measurement, Message, MetricCode, Origin,
    PatientId, Protocol, Quality, Reading, ReceiveTime, Role, TimeBase, Unit, Value, metric::code,
};

const START: i64 = 1_767_225_600_000_000;
const PATIENTS: u64 = 6;

fn actor() -> Actor {
    Actor { name: "anna".into(), role: Role::Nurse }
}

fn device(patient: u64) -> DeviceId {
    DeviceId::sanitised(&format!("monitor-{patient}"))
}

fn message(patient: u64, at: i64, values: &[(MetricCode, f64)]) -> Event {
    let measurements = values.iter().map(|(metric, value)| Measurement {
        metric: *metric,
        value: Value::Numeric(*value),
        unit: Unit::MMHG,
        device_time: None,
        quality: Quality::empty(),
        channel: 0,
    });
    let reading = Reading { device: device(patient), patient: None, measurements: measurements.collect() };
    Event::Message(Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: String::new(),
            sender: String::new(),
            message_id: String::new(),
            profile: String::new(),
        },
        received: ReceiveTime(at),
        time_base: TimeBase::Live,
        payload: Vec::new(),
        content: vec![Content::Reading(reading)],
        problems: Vec::new(),
    })
}

/// What a live system raised: name, patient, begin and end in milliseconds.
type Live = Vec<(String, String, i64, Option<i64>)>;

/// Writes what a ward did in an hour, people's answers among it; gives what the engine raised.
fn ward(folder: &std::path::Path) -> Live {
    let options = Options { segment_bytes: 200_000, key: None };
    let mut journal = EmbeddedJournal::open_on(Arc::new(RealDisk), folder, options).expect("opens");
    let mut engine = Engine::new(Policy::built_in());
    let (mut live, mut offset): (Live, u64) = (Vec::new(), 0);
    let mut sounding: Vec<(i64, EpisodeId)> = Vec::new();
    let mut out = Vec::new();
    let mut put = |events: &[Event], at: i64, sounding: &mut Vec<(i64, EpisodeId)>| {
        let batch: Vec<Encoded> = events.iter().map(|event| Encoded::new(event, None).expect("encodes")).collect();
        journal.append(ReceiveTime(at), &batch).expect("written");
        for event in events {
            engine.step(offset, ReceiveTime(at), event, &mut out);
            offset += 1;
        }
        for effect in out.drain(..) {
            let Effect::Alert(record) = effect else { continue };
            let id = record.episode.id;
            match record.kind {
                ChangeKind::Raised => {
                    live.push((id.to_string(), record.patient.to_string(), record.at.0 / 1_000, None));
                    sounding.push((at + 100 * SECOND, id));
                }
                ChangeKind::Resolved => {
                    let raised = live.iter_mut().find(|(name, ..)| *name == id.to_string());
                    raised.expect("it was raised").3 = Some(record.at.0 / 1_000);
                    sounding.retain(|(_, other)| *other != id);
                }
                _ => {}
            }
        }
    };
    for patient in 0..PATIENTS {
        let on = PatientId::from_identifier("test", &patient.to_string());
        let action = Action::Associate { device: device(patient), patient: on, since: None };
        put(&[Event::Action(actor(), action)], START, &mut sounding);
    }
    for second in (1..4_000_i64).step_by(4) {
        let at = START + second * SECOND;
        let mut said = Vec::new();
        for patient in 0..PATIENTS {
            // Each goes down and up on their own time; the last one's monitor falls silent.
            let phase = ((second + 400 * patient as i64) % 2_400) as f64 / 2_400.0 * std::f64::consts::TAU;
            let low = (10.0 * phase.sin()).max(0.0);
            if patient == 5 && (1_000..1_400).contains(&second) {
                continue;
            }
            let values = [
                (code::SPO2, (97.0 - 1.4 * low).round()),
                (code::HEART_RATE, (75.0 + 6.5 * low).round()),
                (code::ABP_MEAN, (85.0 - 2.4 * low).round()),
            ];
            said.push(message(patient, at, &values));
        }
        put(&said, at, &mut sounding);
        put(&[Event::Tick], at + 2 * SECOND, &mut sounding);
        // People come after a while; some alerts nobody takes.
        let due: Vec<_> = sounding.iter().filter(|(due, _)| *due <= at).copied().collect();
        sounding.retain(|(due, _)| *due > at);
        for (_, episode) in due.into_iter().filter(|(_, id)| id.offset % 3 > 0) {
            let action = Action::Acknowledge { episode, until: None, note: String::new() };
            put(&[Event::Action(actor(), action)], at + 2 * SECOND, &mut sounding);
        }
    }
    live
}

fn simulate(folder: &std::path::Path, past: &Past, changed: &[Candidate]) -> Report {
    let journal = journal::peek(folder, &Options::default(), None).expect("read");
    let settings = Settings { list: true, horizon_h: 0.5, differing: 3, at_once: 1, ..Settings::default() };
    let progress = Progress::default();
    let report = replay(journal.as_ref(), past, changed, &usual_events(), &settings, &progress).expect("taken in");
    assert!(past.to.is_some() || progress.so_far().0 == progress.so_far().1, "all was read");
    report
}

fn listed(figures: &Figures) -> Live {
    let line = |a: &laboratory::AlertLine| (a.id.clone(), a.patient.clone(), a.begin_ms, a.end_ms);
    figures.list.iter().map(line).collect()
}

fn with(changes: &[(&str, f64)]) -> Candidate {
    let changes: Vec<(String, f64)> = changes.iter().map(|(path, value)| ((*path).to_owned(), *value)).collect();
    let text = edit::apply(&Policy::built_in().text, &changes).expect("a policy");
    Candidate::of("changed", &text).expect("compiles")
}

#[test]
fn the_present_is_what_was_raised_and_the_same_policy_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = ward(folder.path());
    assert!(live.len() > 10, "{live:?}");
    let strict = with(&[("limit.SpO2.low", 92.0), ("limit.SpO2.critical_low", 86.0)]);
    let report = simulate(folder.path(), &Past::default(), &[with(&[]), strict]);
    assert_eq!(listed(&report.policies[0]), live, "alert by alert");
    let (present, same, strict) = (&report.policies[0], &report.policies[1], &report.policies[2]);
    assert_eq!(listed(same), live, "the same policy raises the same, and people take the same");
    assert_eq!((&same.calls, same.answered.taken), (&present.calls, present.answered.taken));
    assert_eq!(report.differences[0].alerts_per_bed_day.value, Some(0.0));
    assert_ne!(listed(strict), live);
    let alerts = |at: usize| report.differences[at].alerts.clone().expect("of a journal");
    let nothing = Changes { kept: live.len() as u64, ..Changes::default() };
    assert_eq!(alerts(0), nothing, "all are kept");
    let other = alerts(1);
    assert_eq!((other.kept + other.gone, other.gone), (live.len() as u64, 0), "who looks sooner loses none: {other:?}");
    assert_eq!(other.new_list.len() as u64, other.new.min(3), "no more are listed than were asked for");
    let deaf = [
        ("rule.news2.medium.when", 19.0),
        ("rule.news2.high.when", 20.0),
        ("limit.SpO2.low", 50.0),
        ("limit.SpO2.critical_low", 40.0),
        ("limit.HR.high", 240.0),
        ("limit.HR.critical_high", 250.0),
    ];
    let none = with(&deaf);
    let deaf = simulate(folder.path(), &Past::default(), &[none]).differences[0].alerts.clone().expect("of a journal");
    assert!(deaf.gone > 3 && deaf.new == 0 && deaf.gone_preceding > 0, "{deaf:?} of {:?}", present.causes);
    assert!(deaf.gone_list.len() == 3 && deaf.gone_list[0].preceded, "those that preceded an event are first: {deaf:?}");
    assert!(strict.sensitivity.value >= present.sensitivity.value, "who looks sooner sees more");
    let hours = report.bed_days * 24.0;
    assert!((6.0..7.0).contains(&hours), "six patients for 67 minutes: {hours} h");
    assert!(report.policies[0].events.iter().any(|line| line.events > 0), "{:?}", report.policies[0].events);
    assert!(present.answered.observed && present.answered.median_s >= Some(100.0), "{:?}", present.answered);
}

#[test]
fn a_period_begins_with_what_is_known_by_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let live = ward(folder.path());
    let (from, to) = (START + 20 * MINUTE, START + 50 * MINUTE);
    let past = Past { from: Some(ReceiveTime(from)), to: Some(ReceiveTime(to)), ..Past::default() };
    let report = simulate(folder.path(), &past, &[with(&[])]);
    let within = |(id, patient, begin, end): &(String, String, i64, Option<i64>)| {
        let counts = (from / 1_000..to / 1_000).contains(begin);
        counts.then(|| (id.clone(), patient.clone(), *begin, end.filter(|end| *end < to / 1_000)))
    };
    let expected: Live = live.iter().filter_map(within).collect();
    assert!(!expected.is_empty());
    assert_eq!(listed(&report.policies[0]), expected);
    assert_eq!(listed(&report.policies[1]), expected, "the same policy put in force at the period's beginning");
    let hours = report.bed_days * 24.0;
    assert!((2.8..3.1).contains(&hours), "six patients for half an hour: {hours} h");
}

#[test]
fn less_than_a_minute_is_bed_time_too() {
    let folder = tempfile::tempdir().expect("a folder");
    ward(folder.path());
    let (from, to) = (START + 20 * MINUTE, START + 20 * MINUTE + 40 * SECOND);
    let past = Past { from: Some(ReceiveTime(from)), to: Some(ReceiveTime(to)), ..Past::default() };
    let report = simulate(folder.path(), &past, &[]);
    let seconds = report.bed_days * 86_400.0;
    assert!((180.0..=240.0).contains(&seconds), "six patients for 40 s: {seconds} s");
}

#[test]
fn nothing_in_a_period_and_a_stop_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    ward(folder.path());
    let journal = journal::peek(folder.path(), &Options::default(), None).expect("read");
    let late = Past { from: Some(ReceiveTime(START * 2)), ..Past::default() };
    let run = |past: &Past, progress: &Progress| {
        replay(journal.as_ref(), past, &[], &usual_events(), &Settings::default(), progress)
            .expect_err("refused")
            .to_string()
    };
    assert!(run(&late, &Progress::default()).contains("no entry in this period"));
    let stopped = Progress::default();
    stopped.stop();
    assert!(run(&Past::default(), &stopped).contains("stopped"));
}
