//! Properties of any history, with the oracle written anew: PA-1 and AL-1.

mod common;

use alert::ChangeKind;
use common::*;
use proptest::prelude::*;
use vitals::metric::code::{HEART_RATE, RESP_RATE, SPO2};
use vitals::{Action, EffectiveTime, Event};

/// What happens to one device.
#[derive(Debug, Clone)]
enum Step {
    /// Put on a patient, so many seconds ago.
    On(usize, u8),
    /// Taken off, so many seconds ago.
    Off(u8),
    /// It says what it measured so many seconds ago.
    Says(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..3_usize, 0..60_u8).prop_map(|(who, ago)| Step::On(who, ago)),
        1 => (0..60_u8).prop_map(Step::Off),
        6 => (0..250_u8).prop_map(Step::Says),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// PA-1: each reading goes to whoever the device was on at the reading's own time, as far as
    /// was known when it came; and nothing that was stored goes anywhere else afterwards.
    #[test]
    fn pa_1_a_reading_goes_to_whoever_the_device_was_on(steps in steps()) {
        let mut run = Run::new();
        // Who it was on by second: the whole oracle. What lies before the end of an association
        // is closed to later changes.
        let mut on: Vec<Option<usize>> = vec![None; 4_000];
        let mut last: Option<usize> = None;
        let mut closed = 0;
        let mut begun = 0;
        let mut expected = Vec::new();
        for (step, second) in steps.iter().zip((0..).map(|n| 300 + n * 7)) {
            match step {
                Step::On(who, ago) => {
                    let since = second - usize::from(*ago);
                    if last.is_some() {
                        closed = since.max(begun);
                    }
                    begun = since.max(closed);
                    on[begun..].fill(Some(*who));
                    last = Some(*who);
                    run.at(second as f64, associate("m", ["a", "b", "c"][*who], Some(since as f64)));
                }
                Step::Off(ago) => {
                    let end = second - usize::from(*ago);
                    if last.take().is_some() {
                        closed = end.max(begun);
                        on[closed..].fill(None);
                    }
                    let at = Some(EffectiveTime(at(end as f64).0));
                    run.at(second as f64, act(Action::Disassociate { device: device("m"), at }));
                }
                Step::Says(ago) => {
                    let measured = second - usize::from(*ago);
                    expected.push((on[measured].map(|who| patient(["a", "b", "c"][who])), measured as f64));
                    let told = message("m", second as f64, Some(measured as f64), &[(HEART_RATE, 80.0)]);
                    run.at(second as f64, Event::Message(told));
                }
            }
        }
        // Five late messages that agree are a clock set back, by TI-2; these do not agree for
        // long, but where they did, their times were corrected and say nothing here.
        let stored: Vec<_> = run
            .stored()
            .into_iter()
            .filter(|(_, device, ..)| device.as_str() == "m")
            .collect();
        prop_assert_eq!(stored.len(), expected.len());
        for ((subject, .., second), (owner, measured)) in stored.into_iter().zip(expected) {
            if (second - measured).abs() < 0.001 {
                prop_assert_eq!(subject, owner, "measured at {}", measured);
            }
        }
    }

    /// AL-1: duplicates, exchanged neighbours, reconnects with a stored burst and restarts make no
    /// other alert of one deterioration.
    #[test]
    fn al_1_one_deterioration_one_alert(
        duplicates in proptest::collection::vec((40..600_usize, 0..60_usize), 0..40),
        swaps in proptest::collection::vec(40..600_usize, 0..20),
        outages in proptest::collection::vec((60..550_usize, 1..20_usize), 0..5),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut order: Vec<usize> = (1..600).collect();
        for swap in swaps {
            order.swap(swap - 1, swap - 2);
        }
        let mut run = Run::new();
        run.at(0.0, associate("m", "a", None));
        let mut kept = Vec::new();
        for (place, second) in order.iter().enumerate() {
            let now = place as f64 + 2.0;
            let event = |measured: usize| {
                Event::Message(message("m", now, Some(measured as f64), &deteriorating(measured)))
            };
            if outages.iter().any(|(from, length)| (*from..from + length).contains(&place)) {
                kept.push(*second);
                continue;
            }
            for measured in kept.drain(..) {
                run.at(now, event(measured));
            }
            run.at(now, event(*second));
            for (_, back) in duplicates.iter().filter(|(from, _)| *from == place) {
                run.at(now, event(order[place - back.min(&place)]));
            }
        }
        // Outages that join up may be silences of their own.
        let of_the_patient = run.alerts.iter().filter(|(_, r)| r.episode.group == "deterioration");
        let kinds: Vec<ChangeKind> = of_the_patient.map(|(_, record)| record.kind).collect();
        let many = |kind| kinds.iter().filter(|other| **other == kind).count();
        prop_assert_eq!((many(ChangeKind::Raised), many(ChangeKind::Resolved)), (1, 0), "{:?}", run.story());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(run.entries.len())).collect();
        cuts.sort_unstable();
        let (whole, cut) = (take_in(&run.entries, &[]), take_in(&run.entries, &cuts));
        prop_assert_eq!(difference(&whole, &cut), None);
    }
}

/// Well for five minutes, then worse from second to second.
fn deteriorating(second: usize) -> [(vitals::MetricCode, f64); 3] {
    let ill = (second as f64 - 300.0).clamp(0.0, 120.0) / 120.0;
    [
        (HEART_RATE, (80.0 + 70.0 * ill).round()),
        (SPO2, (97.0 - 15.0 * ill).round()),
        (RESP_RATE, (15.0 + 20.0 * ill).round()),
    ]
}

#[test]
fn al_1_a_thousand_duplicates_five_reconnects_and_a_restart_raise_one_alert() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    let mut repeated = 0;
    for second in 1..600_usize {
        let now = second as f64;
        run.at(now, Event::Message(message("m", now, Some(now), &deteriorating(second))));
        if second > 400 && second.is_multiple_of(40) {
            let lost = |state| Event::Link { device: device("m"), state, reason: String::new() };
            run.at(now, lost(vitals::LinkState::Lost));
            run.at(now, lost(vitals::LinkState::Online));
            for again in second - 250..second {
                let same = message("m", now, Some(again as f64), &deteriorating(again));
                run.at(now, Event::Message(same));
                repeated += 1;
            }
        }
    }
    assert!(repeated >= 1_000);
    assert_eq!(count(&run.alerts, ChangeKind::Raised), 1, "{:?}", run.story());
    assert_eq!(count(&run.alerts, ChangeKind::Resolved), 0);
    let (whole, cut) = (take_in(&run.entries, &[]), take_in(&run.entries, &[900]));
    assert_eq!(difference(&whole, &cut), None);
}
