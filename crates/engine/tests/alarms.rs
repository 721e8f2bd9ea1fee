//! Alarms that devices raise themselves: one episode, one alert, and the rules of ours.

mod common;

use alert::{ChangeKind, EpisodeState, Priority};
use common::{Run, at, device, message, patient};
use engine::Effect;
use vitals::metric::code::HEART_RATE;
use vitals::{
    Action, AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Content, DeviceAlarm, DeviceTime,
    EpisodeId, Event,
};

fn alarm(id: &str, state: AlarmState, priority: AlarmPriority) -> DeviceAlarm {
    DeviceAlarm {
        device: device("m"),
        patient: None,
        id: id.into(),
        kind: AlarmKind::Technical,
        priority,
        state,
        signal: AlarmSignal::On,
        code: None,
        text: "Leads off".into(),
        source: None,
        channel: 0,
        device_time: None,
    }
}

fn says(second: f64, alarm: DeviceAlarm) -> Event {
    let mut message = message("m", second, None, &[]);
    message.content = vec![Content::Alarm(DeviceAlarm {
        device_time: alarm.device_time.or(Some(DeviceTime(at(second).0))),
        ..alarm
    })];
    Event::Message(message)
}

fn on_a_patient() -> Run {
    let mut run = Run::new();
    run.at(0.0, common::associate("m", "a", None));
    run
}

fn kinds(run: &Run) -> Vec<ChangeKind> {
    run.story().into_iter().map(|(_, kind)| kind).collect()
}

fn counted(run: &Run) -> Vec<&'static str> {
    let counts = run.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Counted(reason) => Some(*reason),
        _ => None,
    });
    counts.collect()
}

use AlarmPriority::{High, Low, Medium, None as NoPriority};
use AlarmState::{Active, Inactive, Latched};

#[test]
fn al_1_one_alarm_is_one_alert_however_often_it_is_said() {
    let mut run = on_a_patient();
    for second in 1..5 {
        run.at(f64::from(second), says(f64::from(second), alarm("1", Active, Medium)));
    }
    run.at(5.0, says(5.0, alarm("1", Latched, Medium)));
    let open = run.open("a");
    assert_eq!((open.priority, open.title.as_str()), (Priority::Medium, "Leads off"));
    assert_eq!(open.reason, "Leads off (technical, said by m)");
    assert_eq!(run.alerts[0].1.device, Some(device("m")));
    run.at(6.0, says(6.0, alarm("1", Inactive, Medium)));
    run.at(7.0, says(7.0, alarm("1", Active, Medium)));
    assert_eq!(kinds(&run), [ChangeKind::Raised, ChangeKind::Resolved, ChangeKind::Raised]);
    let ids: Vec<EpisodeId> = run.alerts.iter().map(|(_, record)| record.episode.id).collect();
    assert_ne!(ids[0], ids[2], "a recurrence is a new episode");
}

#[test]
fn two_alarms_are_two_alerts() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, Low)));
    run.at(2.0, says(2.0, alarm("2", Active, High)));
    assert_eq!(kinds(&run), [ChangeKind::Raised, ChangeKind::Raised]);
    run.at(3.0, says(3.0, alarm("1", Inactive, Low)));
    assert_eq!(run.open("a").priority, Priority::High);
}

#[test]
fn al_3_a_taken_one_that_becomes_more_urgent_sounds_again() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, Low)));
    let id = run.open("a").id;
    run.acknowledge(2.0, id, None);
    run.at(3.0, says(3.0, alarm("1", Active, Low)));
    assert_eq!(run.open("a").state, EpisodeState::Acknowledged);
    run.at(4.0, says(4.0, alarm("1", Active, High)));
    assert_eq!(run.open("a").state, EpisodeState::Raised);
    run.at(5.0, says(5.0, alarm("1", Active, Medium)));
    let last = [ChangeKind::Acknowledged, ChangeKind::Worsened, ChangeKind::Eased];
    assert_eq!(kinds(&run)[1..], last);
}

#[test]
fn al_4_one_that_nobody_takes_is_escalated() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, High)));
    run.wait_until(3_600.0);
    assert!(kinds(&run).contains(&ChangeKind::Escalated));
}

#[test]
fn what_is_taken_at_the_device_is_taken_here() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, High)));
    let taken = DeviceAlarm { signal: AlarmSignal::Acknowledged, ..alarm("1", Active, High) };
    run.at(2.0, says(2.0, taken.clone()));
    run.at(3.0, says(3.0, taken));
    assert_eq!(kinds(&run), [ChangeKind::Raised, ChangeKind::Acknowledged]);
    assert_eq!(run.alerts[1].1.actor, "m");
}

#[test]
fn one_about_a_metric_of_ours_joins_our_alert() {
    let mut run = on_a_patient();
    let about = |state| DeviceAlarm {
        kind: AlarmKind::Physiological,
        source: Some(HEART_RATE),
        text: "HR high".into(),
        ..alarm("hr", state, High)
    };
    run.at(1.0, common::says("m", 1.0, &[(HEART_RATE, 150.0)]));
    run.at(1.5, says(1.5, about(Active)));
    for second in 2..40 {
        run.at(f64::from(second), common::says("m", f64::from(second), &[(HEART_RATE, 150.0)]));
    }
    let open = run.open("a");
    assert!(open.reason.contains("HR high (physiological, said by m), HR 150 /min"), "{}", open.reason);
    assert!(!open.readings.is_empty(), "PR-1");
}

#[test]
fn nothing_is_told_silently() {
    let mut run = Run::new();
    run.at(1.0, says(1.0, alarm("1", Active, High)));
    assert_eq!(counted(&run), ["alarm-without-patient"]);
    let mut run = on_a_patient();
    run.at(5.0, says(5.0, alarm("1", Active, High)));
    run.at(6.0, says(6.0, alarm("1", Inactive, High)));
    let late = DeviceAlarm { device_time: Some(DeviceTime(at(5.5).0)), ..alarm("1", Active, High) };
    run.at(7.0, says(7.0, late));
    assert_eq!(kinds(&run), [ChangeKind::Raised, ChangeKind::Resolved], "an older word");
    assert_eq!(counted(&run), ["alarm-out-of-order"]);
    run.at(8.0, says(8.0, alarm("2", Active, NoPriority)));
    assert_eq!(kinds(&run).len(), 2, "information is no alarm");
}

#[test]
fn pa_1_an_alarm_stays_with_the_patient_it_was_of() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, High)));
    run.at(2.0, common::associate("m", "b", None));
    run.wait_until(120.0);
    let left = |who: &str| run.engine.patient(&patient(who)).map_or(0, |p| p.episodes.open().len());
    assert_eq!((left("a"), left("b")), (0, 0));
    let alarms = run.engine.patient(&patient("b")).map(|p| p.alarms.len());
    assert_eq!(alarms, Some(0));
}

#[test]
fn one_that_is_never_ended_is_given_up_after_a_day() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, Low)));
    let id = run.open("a").id;
    run.at(2.0, common::act(Action::Acknowledge { episode: id, until: None, note: String::new() }));
    run.away_until(86_000.0);
    run.wait_until(86_300.0);
    assert_eq!(run.open("a").id, id);
    run.away_until(86_402.0);
    run.wait_until(86_480.0);
    assert_eq!(kinds(&run).last(), Some(&ChangeKind::Resolved));
}

#[test]
fn a_device_that_only_alarms_is_not_silent() {
    let mut run = on_a_patient();
    for second in [1.0, 20.0, 40.0] {
        let state = if second == 20.0 { Inactive } else { Active };
        run.at(second, says(second, alarm("1", state, Low)));
    }
    run.wait_until(400.0);
    let silent = run.engine.device(&device("m")).map(|device| device.silent);
    assert_eq!(silent, Some(false));
}

#[test]
fn what_a_restart_reads_back_goes_on() {
    let mut run = on_a_patient();
    run.at(1.0, says(1.0, alarm("1", Active, High)));
    let mut restored = engine::Engine::new(alert::Policy::built_in());
    let parts: Vec<(String, Vec<u8>)> = run.engine.whole_state();
    restored.restore(parts).expect("its own state");
    run.engine = restored;
    run.at(2.0, says(2.0, alarm("1", Active, High)));
    run.at(3.0, says(3.0, alarm("1", Inactive, High)));
    assert_eq!(kinds(&run), [ChangeKind::Raised, ChangeKind::Resolved]);
}

#[test]
fn al_1_a_device_that_numbers_its_alarm_anew_raises_no_second_one() {
    let mut run = on_a_patient();
    let coded = |id: &str, state| DeviceAlarm { code: Some(vitals::MetricCode(196_680)), ..alarm(id, state, High) };
    run.at(1.0, says(1.0, coded("1", Active)));
    run.at(2.0, says(2.0, coded("2", Active)));
    run.at(3.0, says(3.0, coded("3", Inactive)));
    assert_eq!(kinds(&run), [ChangeKind::Raised, ChangeKind::Resolved]);
}
