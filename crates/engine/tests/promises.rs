//! The promises, one test each or more, named after them.

mod common;

use alert::{ChangeKind, EpisodeState};
use common::*;
use engine::ClockState;
use vitals::metric::code::{HEART_RATE, RESP_RATE, SPO2};
use vitals::{Action, Event, LinkState, Quality, Role};

/// A patient `a` on monitor `m` from second 0, well until `second`.
fn well_until(second: i32) -> Run {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    for at in 1..=second {
        run.at(f64::from(at), says("m", f64::from(at), &WELL));
    }
    run
}

fn ill(run: &mut Run, from: i32, to: i32, rate: f64) {
    for at in from..=to {
        let values = [(HEART_RATE, rate), (SPO2, 97.0), (RESP_RATE, 15.0)];
        run.at(f64::from(at), says("m", f64::from(at), &values));
    }
}

/// Up in steps that a body can make.
fn rise(run: &mut Run, from: i32, to: f64) -> i32 {
    let mut second = from;
    let mut rate = 78.0;
    while rate < to {
        rate = (rate + 25.0_f64).min(to);
        ill(run, second, second, rate);
        second += 1;
    }
    second
}

#[test]
fn ti_1_a_stale_value_is_never_live() {
    let mut run = well_until(10);
    assert_eq!(run.usable("a", HEART_RATE), Some(78.0));
    run.wait_until(69.5);
    assert_eq!(run.usable("a", HEART_RATE), Some(78.0));
    run.wait_until(70.5);
    assert_eq!(run.usable("a", HEART_RATE), None);
}

#[test]
fn ti_1_a_doubtful_value_is_never_live_and_never_alerts() {
    let mut run = well_until(10);
    for second in 11..60 {
        // Impossible, then possible but a jump that no body makes.
        let rate = if second % 2 == 0 { 900.0 } else { 160.0 + f64::from(second % 5) * 35.0 };
        run.at(f64::from(second), says("m", f64::from(second), &[(HEART_RATE, rate)]));
        assert_eq!(run.usable("a", HEART_RATE), None, "at {second}");
    }
    assert_eq!(run.story(), []);
    let mut questionable = message("m", 60.0, Some(60.0), &[(HEART_RATE, 80.0)]);
    if let vitals::Content::Reading(reading) = &mut questionable.content[0] {
        reading.measurements[0].quality = Quality::QUESTIONABLE;
    }
    run.at(60.0, Event::Message(questionable));
    assert_eq!(run.usable("a", HEART_RATE), None);
}

#[test]
fn ti_1_a_device_that_left_is_never_live_also_by_what_it_sends_late() {
    let mut run = well_until(10);
    run.at(20.0, associate("m", "b", None));
    assert_eq!(run.usable("a", HEART_RATE), None);
    // Measured on A before the move, heard after it, newer than what A's tile shows.
    run.at(21.0, Event::Message(message("m", 21.0, Some(19.0), &[(HEART_RATE, 81.0)])));
    assert_eq!(run.usable("a", HEART_RATE), None);
    assert_eq!(run.usable("b", HEART_RATE), None);
    let last = run.stored().into_iter().rfind(|(.., metric, value, _)| (*metric, *value) == (HEART_RATE, 81.0));
    assert_eq!(last.and_then(|(subject, ..)| subject), Some(patient("a")), "PA-1");
    run.at(22.0, says("m", 22.0, &[(HEART_RATE, 60.0)]));
    assert_eq!((run.usable("a", HEART_RATE), run.usable("b", HEART_RATE)), (None, Some(60.0)));
}

#[test]
fn ti_1_a_recording_never_mixes_with_the_living() {
    let mut run = well_until(10);
    let mut recorded = message("m", 11.0, Some(5_000_000.0), &[(HEART_RATE, 190.0)]);
    recorded.time_base = vitals::TimeBase::Recorded;
    run.at(11.0, Event::Message(recorded.clone()));
    assert_eq!(run.usable("a", HEART_RATE), Some(78.0));
    // Long after the last live value the patient may be played back; who is heard live again is live.
    recorded.received = at(2_000.0);
    run.at(2_000.0, Event::Message(recorded));
    let state = run.engine.patient(&patient("a")).expect("known");
    assert!(state.recorded);
    run.at(2_001.0, says("m", 2_001.0, &[(HEART_RATE, 70.0)]));
    assert_eq!(run.usable("a", HEART_RATE), Some(70.0));
    run.wait_until(2_070.0);
    assert_eq!(run.usable("a", HEART_RATE), None, "and goes stale like anybody");
}

#[test]
fn ti_2_wrong_clocks_are_detected_corrected_and_marked() {
    // How far the device's clock is ahead at a second, in seconds.
    let faults: [(&str, fn(f64) -> f64); 5] = [
        ("ahead", |_| 7_200.0),
        ("behind", |_| -7_200.0),
        ("drifting", |second| 60.0 + second / 60.0),
        ("jumps ahead", |second| if second < 60.0 { 0.0 } else { 900.0 }),
        ("jumps back", |second| if second < 60.0 { 0.0 } else { -900.0 }),
    ];
    for (name, ahead) in faults {
        let mut run = Run::new();
        run.at(0.0, associate("m", "a", None));
        for second in 1..=300 {
            let second = f64::from(second);
            let told = message("m", second, Some(second + ahead(second)), &WELL);
            run.at(second, Event::Message(told));
        }
        let state = run.engine.device(&device("m")).expect("heard");
        assert_eq!(state.clock.state(true), ClockState::Off, "{name}: detected");
        let found = state.clock.ahead_us().unwrap_or(0) as f64 / 1e6;
        assert!((found - ahead(300.0)).abs() < 1.0, "{name}: {found}");
        let late: Vec<f64> = run
            .stored()
            .into_iter()
            .filter(|(_, device, ..)| device.as_str() == "m")
            .map(|(.., second)| second)
            .filter(|second| *second > 290.0)
            .collect();
        assert!(late.len() >= 27, "{name}: corrected; {late:?}");
        let current = run.engine.patient(&patient("a")).and_then(|p| p.values.get(HEART_RATE).cloned());
        assert!(current.is_some_and(|c| c.quality.contains(Quality::CLOCK_CORRECTED)), "{name}: marked");
    }
}

#[test]
fn ti_2_a_clock_put_right_is_believed() {
    let mut run = Run::new();
    for second in 1..=120 {
        let second = f64::from(second);
        let ahead = if second < 60.0 { 3_600.0 } else { 0.1 };
        run.at(second, Event::Message(message("m", second, Some(second + ahead), &WELL)));
    }
    let state = run.engine.device(&device("m")).expect("heard");
    assert_eq!(state.clock.state(true), ClockState::Good);
}

#[test]
fn al_1_a_deterioration_raises_one_alert_with_values_rule_change_and_links() {
    let mut run = well_until(900);
    let from = rise(&mut run, 901, 142.0);
    ill(&mut run, from, from + 60, 142.0);
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 1);
    let alert = run.open("a");
    assert_eq!(alert.title, "Heart rate high");
    assert_eq!(alert.reason, "Heart rate high (HR > 130 for 10 s): HR 142 /min (78 15 min ago)");
    assert!(!alert.readings.is_empty());
    for reading in &alert.readings {
        let known = run.effects.iter().any(|(_, effect)| {
            matches!(effect, engine::Effect::Point(series, point)
                if (*series, point.offset, point.index) == (reading.series, reading.offset, reading.index))
        });
        assert!(known, "{reading} is stored");
    }
    ill(&mut run, from + 61, from + 200, 80.0);
    assert_eq!(count(&run.alerts, ChangeKind::Resolved), 1);
    let from = rise(&mut run, from + 201, 142.0);
    ill(&mut run, from, from + 60, 142.0);
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 2, "a recurrence is a new episode");
}

#[test]
fn al_2_silence_raises_a_gap_within_its_limit_plus_one_second_and_ends_it_once() {
    let mut run = well_until(60);
    run.wait_until(100.0);
    let story = run.story();
    assert_eq!(story.len(), 1);
    assert_eq!(story[0].1, ChangeKind::Raised);
    assert!((90.0..=91.0).contains(&story[0].0), "{story:?}");
    // A line that comes and goes is one gap.
    for (from, to) in [(100, 105), (140, 144), (180, 240)] {
        for second in from..to {
            run.at(f64::from(second), says("m", f64::from(second), &WELL));
        }
    }
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 1);
    assert_eq!(count(&run.alerts, ChangeKind::Resolved), 1);
}

#[test]
fn al_2_our_own_absence_is_no_silence_of_the_devices() {
    let mut run = well_until(60);
    run.away_until(3_600.0);
    for second in 3_610..3_700 {
        run.at(f64::from(second), says("m", f64::from(second), &WELL));
    }
    assert_eq!(run.story(), []);
    run.wait_until(3_800.0);
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 1, "but who stays away is missed");
}

#[test]
fn al_2_a_lost_connection_alone_changes_nothing_that_time_does_not() {
    let mut run = well_until(60);
    let lost = Event::Link { device: device("m"), state: LinkState::Lost, reason: "will".into() };
    run.at(61.0, lost);
    run.wait_until(89.0);
    assert_eq!(run.story(), []);
    run.wait_until(92.0);
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 1);
}

#[test]
fn al_3_a_taken_alert_sounds_again_when_it_worsens_and_not_when_it_eases() {
    let mut run = well_until(60);
    let from = rise(&mut run, 61, 158.0);
    ill(&mut run, from, from + 30, 158.0);
    let id = run.open("a").id;
    run.acknowledge(f64::from(from + 30) + 0.5, id, None);
    // From critical to merely high: better, though further past the lower mark than before.
    ill(&mut run, from + 31, from + 190, 140.0);
    assert_eq!(run.open("a").state, EpisodeState::Acknowledged);
    assert_eq!(count(&run.alerts, ChangeKind::Eased), 1);
    assert_eq!(count(&run.alerts, ChangeKind::Worsened), 0);
    ill(&mut run, from + 191, from + 230, 160.0);
    assert_eq!(run.open("a").state, EpisodeState::Raised);
    assert_eq!(count(&run.alerts, ChangeKind::Worsened), 1);
    let snooze = Action::Snooze { episode: id, until: at(100_000.0), reason: "known".into() };
    run.at(f64::from(from + 230) + 0.5, act(snooze));
    ill(&mut run, from + 231, from + 270, 180.0);
    assert_eq!(run.open("a").state, EpisodeState::Raised, "a snoozed one too");
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 1);
}

#[test]
fn al_4_an_alert_goes_up_its_chain_until_somebody_takes_it_and_starts_and_ends_once() {
    let mut run = well_until(60);
    let from = rise(&mut run, 61, 142.0);
    ill(&mut run, from, from + 700, 142.0);
    let escalated: Vec<(f64, Role)> = run
        .alerts
        .iter()
        .filter(|(_, record)| record.kind == ChangeKind::Escalated)
        .map(|(_, record)| {
            let raised = record.episode.raised_at;
            ((record.at.0 - raised) as f64 / 1e6, record.episode.assigned)
        })
        .collect();
    let expected = [(120.0, Role::ChargeNurse), (300.0, Role::Physician), (600.0, Role::Physician)];
    assert_eq!(escalated.len(), expected.len());
    for ((after, role), (due, expected)) in escalated.iter().zip(expected) {
        assert!((due..due + 1.0).contains(after) && *role == expected, "{escalated:?}");
    }
    let id = run.open("a").id;
    run.acknowledge(f64::from(from + 700) + 0.5, id, None);
    ill(&mut run, from + 701, from + 1_500, 142.0);
    ill(&mut run, from + 1_501, from + 1_640, 80.0);
    let last: Vec<ChangeKind> = run.story().iter().rev().take(2).map(|(_, kind)| *kind).collect();
    assert_eq!(last, [ChangeKind::Resolved, ChangeKind::Acknowledged]);
    assert_eq!((count(&run.alerts, ChangeKind::Raised), count(&run.alerts, ChangeKind::Resolved)), (1, 1));
}

#[test]
fn al_4_after_our_own_absence_each_role_still_gets_its_time() {
    let mut run = well_until(60);
    let from = rise(&mut run, 61, 142.0);
    ill(&mut run, from, from + 30, 142.0);
    run.away_until(f64::from(from) + 4_000.0);
    run.wait_until(f64::from(from) + 4_100.0);
    assert_eq!(count(&run.alerts, ChangeKind::Escalated), 1);
}

#[test]
fn al_5_what_a_clinician_decides_is_kept_with_name_and_reason_and_nothing_else_decides() {
    let mut run = well_until(60);
    let from = rise(&mut run, 61, 142.0);
    ill(&mut run, from, from + 30, 142.0);
    let id = run.open("a").id;
    let second = f64::from(from + 30);
    run.acknowledge(second + 0.2, id, None);
    let snooze = Action::Snooze { episode: id, until: at(second + 60.0), reason: "in theatre".into() };
    run.at(second + 0.3, act(snooze));
    run.at(second + 0.4, act(Action::Escalate { episode: id, reason: "please look".into() }));
    let decided: Vec<(&str, &str, ChangeKind)> = run
        .alerts
        .iter()
        .filter(|(_, record)| record.actor != "system")
        .map(|(_, record)| (record.actor.as_str(), record.detail.as_str(), record.kind))
        .collect();
    assert_eq!(
        decided,
        [
            ("kim", "seen", ChangeKind::Acknowledged),
            ("kim", "in theatre", ChangeKind::Snoozed),
            ("kim", "please look", ChangeKind::Escalated),
        ]
    );
    // The platform itself never takes an alert, whatever happens.
    ill(&mut run, from + 31, from + 2_000, 142.0);
    let taken = [ChangeKind::Acknowledged, ChangeKind::Snoozed, ChangeKind::Reset];
    assert!(run.alerts.iter().all(|(_, r)| r.actor != "system" || !taken.contains(&r.kind)));
    // Limits of the patient's own are judged by, and the condition they allow is over.
    let limits = Action::SetLimits {
        patient: patient("a"),
        metric: HEART_RATE,
        low: Some(50.0),
        high: Some(150.0),
        reason: "known flutter".into(),
    };
    run.at(f64::from(from + 2_001), act(limits));
    ill(&mut run, from + 2_002, from + 2_140, 142.0);
    assert_eq!(run.story().last().map(|(_, kind)| *kind), Some(ChangeKind::Resolved));
}

#[test]
fn a_released_message_is_kept_and_does_not_make_the_device_speak() {
    let mut run = well_until(60);
    run.wait_until(95.0);
    let mut released = message("m", 50.0, Some(50.0), &[(HEART_RATE, 79.0)]);
    released.received = at(50.0);
    let release = Action::Release { quarantined: 3, message: Box::new(released) };
    run.at(96.0, act(release));
    assert!(run.engine.device(&device("m")).is_some_and(|state| state.silent));
    assert_eq!(run.story().len(), 1, "the gap stays");
    assert!(run.stored().iter().any(|(.., value, second)| (*value, *second) == (79.0, 50.0)));
}
