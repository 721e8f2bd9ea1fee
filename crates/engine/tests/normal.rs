//! Limits that follow a patient's own normal: within bounds, never silently, and never against a
//! clinician; what may teach; restarts; merging and erasing.

mod common;

use alert::Policy;
use common::{Run, act, associate, at, message, patient};
use engine::{Effect, Engine, LimitEvent, NormalState};
use vitals::metric::code::{HEART_RATE, LIMIT_CHANGE};
use vitals::{Action, BaselineStep, DirectoryEvent, Event, Quality};

const CHAIN: &str = "[[chain]]\nname='ward'\nrepeat_s=60\nstep=[{role='nurse',after_s=0}]\n";
const LIMIT: &str = "[[limit]]\nmetric='HR'\ncritical_low=35\nlow=40\nhigh=130\ncritical_high=150\nfor_s=10\n";
const HOUR: f64 = 3_600.0;

fn policy(apply: &str, more: &str) -> Policy {
    let never = if apply == "follow" { "never_below=38\nnever_above=140" } else { "" };
    let text = format!(
        "name='x'\n{CHAIN}{LIMIT}[[baseline]]\nmetric='HR'\napply='{apply}'\nbelow=30\nabove=30\n{never}\n\
         low_at_most=60\nhigh_at_least=100\nhalf_life_h=8\nwarm_up_h=4\nslots_min=12\n{more}"
    );
    Policy::parse(&text).expect("a test policy compiles")
}

fn ward(policy: Policy) -> Run {
    let mut run = Run::with(policy);
    run.step(at(0.0), associate("m", "a", None));
    run
}

/// A heart rate every two minutes from one hour to another.
fn beats(run: &mut Run, from_h: f64, to_h: f64, rate: impl Fn(f64) -> f64) {
    let mut second = from_h * HOUR;
    while second < to_h * HOUR {
        let event = Event::Message(message("m", second, Some(second), &[(HEART_RATE, rate(second))]));
        run.step(at(second), event);
        second += 120.0;
    }
}

fn noise(second: f64) -> f64 {
    ((second / 120.0) as i64 * 7 % 5) as f64 - 2.0
}

fn in_force(run: &Run) -> (Option<f64>, Option<f64>) {
    let view = run.engine.patient_view(&patient("a")).expect("known");
    let limit = view.limits.iter().find(|limit| limit.metric == HEART_RATE).expect("limited");
    (limit.low, limit.high)
}

fn events(run: &Run) -> Vec<LimitEvent> {
    let view = run.engine.patient_view(&patient("a")).expect("known");
    view.limit_changes.iter().map(|change| change.event).collect()
}

fn decide(step: BaselineStep) -> Event {
    let reason = "reason given".to_owned();
    act(Action::Baseline { patient: patient("a"), metric: HEART_RATE, step, reason })
}

#[test]
fn limits_tighten_once_the_normal_is_known_and_say_why() {
    let mut run = ward(policy("tighten", ""));
    beats(&mut run, 0.0, 3.9, |s| 78.0 + noise(s));
    assert_eq!(in_force(&run), (Some(40.0), Some(130.0)), "warming up");
    beats(&mut run, 3.9, 8.0, |s| 78.0 + noise(s));
    assert_eq!(in_force(&run), (Some(48.0), Some(108.0)));
    assert_eq!(events(&run), [LimitEvent::Tightened]);
    let texts: Vec<&String> = run.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Text(_, _, text) => Some(text),
        _ => None,
    }).collect();
    assert_eq!(texts.len(), 1, "kept for good");
    assert!(texts[0].contains("tightened by system: own normal HR 78 /min"), "{}", texts[0]);
    let opened = |effect: &Effect| matches!(effect, Effect::SeriesOpened(_, key) if key.metric == LIMIT_CHANGE);
    assert_eq!(run.effects.iter().filter(|(_, effect)| opened(effect)).count(), 1);
}

#[test]
fn limits_widen_only_within_bounds_and_never_silently() {
    let mut tight = ward(policy("tighten", ""));
    beats(&mut tight, 0.0, 8.0, |s| 122.0 + noise(s));
    assert_eq!(in_force(&tight), (Some(60.0), Some(130.0)), "tightening never widens");
    let mut wide = ward(policy("follow", ""));
    beats(&mut wide, 0.0, 8.0, |s| 122.0 + noise(s));
    assert_eq!(in_force(&wide), (Some(60.0), Some(140.0)), "up to never_above");
    assert_eq!(events(&wide), [LimitEvent::Widened]);
    let view = wide.engine.patient_view(&patient("a")).expect("known");
    assert!(view.limit_changes[0].why.contains("own normal HR 122"), "{}", view.limit_changes[0].why);
}

#[test]
fn to_inform_moves_nothing() {
    let mut run = ward(policy("inform", ""));
    beats(&mut run, 0.0, 8.0, |s| 122.0 + noise(s));
    assert_eq!(in_force(&run), (Some(40.0), Some(130.0)));
    assert_eq!(events(&run), []);
    let view = run.engine.patient_view(&patient("a")).expect("known");
    assert_eq!(view.normals[0].state, NormalState::Known);
    assert!(view.normals[0].usual.is_some_and(|(centre, low, high)| {
        (121.0..=123.0).contains(&centre) && low < centre && centre < high
    }));
}

#[test]
fn al_5_what_a_clinician_set_wins() {
    let mut run = ward(policy("follow", ""));
    beats(&mut run, 0.0, 8.0, |s| 78.0 + noise(s));
    let set = |low, high| {
        act(Action::SetLimits { patient: patient("a"), metric: HEART_RATE, low, high, reason: "r".into() })
    };
    run.step(at(8.0 * HOUR), set(Some(55.0), Some(99.0)));
    assert_eq!(in_force(&run), (Some(55.0), Some(99.0)));
    beats(&mut run, 8.0, 10.0, |s| 78.0 + noise(s));
    assert_eq!(in_force(&run), (Some(55.0), Some(99.0)));
    assert_eq!(events(&run), [LimitEvent::Tightened, LimitEvent::Back]);
    run.step(at(10.0 * HOUR), set(None, None));
    assert_eq!(in_force(&run), (Some(48.0), Some(108.0)), "follows again");
}

#[test]
fn a_clinician_pauses_states_and_resets() {
    let mut run = ward(policy("follow", ""));
    beats(&mut run, 0.0, 8.0, |s| 78.0 + noise(s));
    run.step(at(8.0 * HOUR), decide(BaselineStep::Pause));
    assert_eq!(in_force(&run), (Some(40.0), Some(130.0)), "the policy's while it is paused");
    run.step(at(8.0 * HOUR), decide(BaselineStep::Resume));
    assert_eq!(in_force(&run), (Some(48.0), Some(108.0)));
    run.step(at(8.0 * HOUR), decide(BaselineStep::State { centre: 86.0 }));
    assert_eq!(in_force(&run), (Some(56.0), Some(116.0)));
    run.step(at(8.0 * HOUR), decide(BaselineStep::Reset));
    assert_eq!(in_force(&run), (Some(40.0), Some(130.0)), "nothing is known any more");
    let view = run.engine.patient_view(&patient("a")).expect("known");
    let by_people: Vec<_> = view.limit_changes.iter().filter(|change| change.by == "kim").collect();
    assert_eq!(by_people.len(), 4);
    assert!(by_people.iter().all(|change| change.why.contains("reason given")));
}

#[test]
fn ti_1_doubtful_late_and_alarming_values_do_not_teach() {
    let mut run = ward(policy("inform", ""));
    beats(&mut run, 0.0, 8.0, |s| 78.0 + noise(s));
    let learnt = |run: &Run| run.engine.normals(&patient("a")).map(|normals| normals.all.clone());
    let before = learnt(&run);
    for (at_s, flag, second) in [(1.0, Quality::ARTEFACT, 1.0), (400.0, Quality::empty(), -3.0 * HOUR)] {
        let (received, measured) = (8.0 * HOUR + at_s, 8.0 * HOUR + second);
        let mut doubtful = message("m", received, Some(measured), &[(HEART_RATE, 110.0)]);
        if let vitals::Content::Reading(reading) = &mut doubtful.content[0] {
            reading.measurements[0].quality = flag;
        }
        run.step(at(received), Event::Message(doubtful));
        assert!(learnt(&run) == before, "at {received}");
    }
    // An alert of medium priority: hours of what alarmed are not the normal.
    beats(&mut run, 8.5, 20.0, |s| 138.0 + noise(s));
    assert!(run.alerts.iter().any(|(_, record)| record.episode.priority == alert::Priority::Medium));
    let usual = run.engine.patient_view(&patient("a")).and_then(|view| view.normals[0].usual);
    assert!(usual.is_none_or(|(centre, ..)| centre < 80.0), "{usual:?}");
}

#[test]
fn pa_1_the_next_patient_learns_anew() {
    let mut run = ward(policy("tighten", ""));
    beats(&mut run, 0.0, 8.0, |s| 78.0 + noise(s));
    run.step(at(8.0 * HOUR), associate("m", "b", None));
    beats(&mut run, 8.0, 9.0, |s| 110.0 + noise(s));
    assert_eq!(in_force(&run), (Some(48.0), Some(108.0)));
    let other = run.engine.normals(&patient("b")).expect("heard");
    assert!(other.all[0].normal.slots() < 7 && other.changes.is_empty());
}

#[test]
fn rules_speak_of_the_own_normal() {
    let rule = "[[rule]]\nid='far'\ntitle='Far from own normal'\ngroup='g'\n\
                level=[{priority='low',when='HR.percent_over_normal > 25'}]\n";
    let mut run = ward(policy("inform", rule));
    beats(&mut run, 0.0, 8.0, |s| 78.0 + noise(s));
    assert!(run.alerts.iter().all(|(_, record)| record.episode.group != "g"));
    beats(&mut run, 8.0, 8.2, |_| 104.0);
    let record = run.alerts.iter().find(|(_, record)| record.episode.group == "g").expect("raised");
    assert_eq!(
        record.1.episode.reason,
        "Far from own normal (HR % over own normal > 25): HR 104 /min (own normal 78)"
    );
}

#[test]
fn en_1_a_restart_in_any_hour_changes_nothing() {
    let hours = 12_u8;
    let policy = || policy("follow", "circadian=true\n");
    let rate = |s: f64| 84.0 + 8.0 * (s / HOUR / 24.0 * std::f64::consts::TAU).sin() + noise(s);
    let mut whole = ward(policy());
    for hour in 0..hours {
        beats(&mut whole, f64::from(hour), f64::from(hour + 1), rate);
    }
    assert!(!events(&whole).is_empty());
    for cut in [1, 4, 5, 9, 11] {
        let mut run = ward(policy());
        for hour in 0..hours {
            beats(&mut run, f64::from(hour), f64::from(hour + 1), rate);
            if hour == cut {
                let parts = run.engine.whole_state();
                run.engine = Engine::new(policy());
                run.engine.restore(parts).expect("its own state");
            }
        }
        assert!(run.engine.whole_state() == whole.engine.whole_state(), "cut after hour {cut}");
        // A text's number is none: compared as they are written.
        let said = |run: &Run| format!("{:?}", run.effects);
        assert!(said(&run) == said(&whole), "cut after hour {cut}");
    }
    // What is written as it changes adds up to the whole.
    let mut parts: std::collections::BTreeMap<String, Vec<u8>> =
        whole.engine.snapshot().into_iter().map(|(name, part)| (name, part.bytes())).collect();
    parts.retain(|_, bytes| !bytes.is_empty());
    let normal = whole.engine.whole_state().into_iter().find(|(name, _)| name.starts_with("normal/"));
    let (name, bytes) = normal.expect("kept");
    assert_eq!(parts.get(&name), Some(&bytes));
}

#[test]
fn merging_keeps_and_erasing_forgets() {
    let mut run = ward(policy("tighten", ""));
    beats(&mut run, 0.0, 8.0, |s| 78.0 + noise(s));
    let merge = DirectoryEvent::Merge { survivor: patient("c"), retired: patient("a") };
    for who in ["a", "c"] {
        let known = vitals::Patient::unknown(patient(who));
        run.step(at(8.0 * HOUR), act(Action::Directory(DirectoryEvent::Patient(known))));
    }
    run.step(at(8.0 * HOUR), act(Action::Directory(merge)));
    assert!(run.engine.normals(&patient("c")).is_some_and(|normals| normals.all[0].normal.slots() > 40));
    beats(&mut run, 8.01, 8.4, |s| 78.0 + noise(s));
    let view = run.engine.patient_view(&patient("c")).expect("lives on");
    assert!(view.followed.iter().any(|limit| limit.high == Some(108.0)), "{:?}", view.limit_changes);
    run.step(at(9.0 * HOUR), act(Action::Erase { patient: patient("c"), reason: "asked".into() }));
    assert!(run.engine.normals(&patient("c")).is_none());
    assert!(run.engine.whole_state().iter().all(|(name, _)| !name.starts_with("normal/")));
}

#[test]
fn another_policy_lets_go_at_once() {
    let mut run = ward(policy("follow", ""));
    beats(&mut run, 0.0, 8.0, |s| 122.0 + noise(s));
    assert_eq!(in_force(&run).1, Some(140.0));
    let text = format!("name='y'\n{CHAIN}{LIMIT}");
    run.step(at(8.0 * HOUR), Event::Policy(common::nurse(), text));
    assert_eq!(in_force(&run), (Some(40.0), Some(130.0)));
}
