//! The campaign as a story, and its invariants under anything that may happen.

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000_000;

fn target() -> Target {
    Target {
        path: "p2-2.4.bin".to_owned(),
        length: 1,
        sha256: "00".repeat(32),
        manufacturer: "Acme".to_owned(),
        model: "P2".to_owned(),
        version: "2.4".to_owned(),
    }
}

fn plan(rings: Vec<Ring>) -> Plan {
    Plan { rings, soak_min: 10, patience_min: 60, ..Plan::careful("spring", target()) }
}

fn devices(count: usize) -> Vec<(String, String)> {
    (0..count).map(|i| (format!("d{i}"), "2.3".to_owned())).collect()
}

fn free() -> Facts {
    Facts { online: true, version: "2.3".to_owned(), ..Facts::default() }
}

fn offers(effects: &[Effect]) -> usize {
    effects.iter().filter(|e| matches!(e, Effect::Offer(_))).count()
}

#[test]
fn rings_pass_one_after_the_other() {
    let rings = vec![Ring::Devices(vec!["d3".to_owned()]), Ring::Percent(50), Ring::Percent(100)];
    let mut campaign = Campaign::draft(plan(rings), &devices(10), 0).expect("a plan");
    assert_eq!(campaign.tick(|_| free(), 0), [], "a draft offers nothing");
    campaign.resume().expect("a draft");
    assert_eq!(campaign.tick(|_| free(), 0), [Effect::Offer("d3".to_owned())]);
    assert_eq!(campaign.tick(|_| free(), MINUTE), [], "one at a time, once");
    for (report, step) in [
        (Report::Downloading, Step::Downloading),
        (Report::Running("2.3".to_owned()), Step::Downloading),
        (Report::Installed, Step::Installed),
        (Report::Running("2.4".to_owned()), Step::Confirmed),
        (Report::Running("2.4".to_owned()), Step::Confirmed),
    ] {
        campaign.report("d3", &report, 2 * MINUTE).expect("in hand");
        assert_eq!(campaign.members["d3"].step, step, "{report:?}");
    }
    assert_eq!(campaign.tick(|_| free(), 3 * MINUTE), [], "the soak time");
    assert_eq!(campaign.tick(|_| free(), 12 * MINUTE), []);
    let second = campaign.tick(|_| free(), 13 * MINUTE).len() + campaign.tick(|_| free(), 14 * MINUTE).len();
    assert_eq!((second, campaign.ring), (5, 1));
    finish(&mut campaign, 14 * MINUTE);
    let _ = campaign.tick(|_| free(), 15 * MINUTE);
    let _ = campaign.tick(|_| free(), 26 * MINUTE);
    let _ = campaign.tick(|_| free(), 27 * MINUTE);
    finish(&mut campaign, 28 * MINUTE);
    let _ = campaign.tick(|_| free(), 29 * MINUTE);
    assert_eq!(campaign.state, State::Finished);
    assert_eq!(campaign.counts(), BTreeMap::from([(Step::Confirmed, 10)]));
}

fn finish(campaign: &mut Campaign, now: i64) {
    let offered: Vec<String> = campaign
        .members
        .iter()
        .filter(|(_, m)| m.step == Step::Offered)
        .map(|(id, _)| id.clone())
        .collect();
    for id in offered {
        campaign.report(&id, &Report::Installed, now).expect("offered");
        campaign.report(&id, &Report::Running("v2.4".replace('v', "")), now).expect("installed");
    }
}

#[test]
fn what_stands_against_an_offer() {
    let hours = Some(Hours { from_min: 22 * 60, to_min: 5 * 60 });
    let night = 23 * 60 * MINUTE;
    for (facts, now, expected) in [
        (free(), night, None),
        (Facts { on_patient: true, ..free() }, night, Some(Obstacle::OnPatient)),
        (Facts { online: false, ..free() }, night, Some(Obstacle::Offline)),
        (Facts { battery_percent: Some(20.0), ..free() }, night, Some(Obstacle::Battery)),
        (Facts { battery_percent: Some(20.0), charging: Some(true), ..free() }, night, None),
        (free(), 12 * 60 * MINUTE, Some(Obstacle::Hours)),
        (free(), 5 * 60 * MINUTE, Some(Obstacle::Hours)),
        (free(), 4 * 60 * MINUTE, None),
    ] {
        let plan = Plan { hours, ..plan(vec![Ring::Percent(100)]) };
        assert_eq!(obstacle(&plan, &facts, now), expected, "{facts:?}");
    }
}

#[test]
fn who_comes_onto_a_patient_loses_the_offer_and_gets_it_again() {
    let mut campaign = Campaign::draft(plan(vec![Ring::Percent(100)]), &devices(1), 0).expect("a plan");
    campaign.resume().expect("a draft");
    assert_eq!(offers(&campaign.tick(|_| free(), 0)), 1);
    let on = || Facts { on_patient: true, ..free() };
    assert!(campaign.may_load("d0", free()) && !campaign.may_load("d0", on()));
    assert_eq!(campaign.tick(|_| on(), MINUTE), [Effect::Withdraw("d0".to_owned())]);
    assert!(!campaign.may_load("d0", free()));
    assert!(campaign.report("d0", &Report::Downloading, MINUTE).is_err());
    assert_eq!(offers(&campaign.tick(|_| free(), 2 * MINUTE)), 1);
}

#[test]
fn failures_halt_and_a_person_decides() {
    let mut campaign = Campaign::draft(plan(vec![Ring::Percent(100)]), &devices(10), 0).expect("a plan");
    campaign.resume().expect("a draft");
    assert_eq!(offers(&campaign.tick(|_| free(), 0)), 10);
    campaign.report("d1", &Report::Installed, 1).expect("offered");
    campaign.report("d1", &Report::Running("2.3".to_owned()), 1).expect("offered");
    assert_eq!(campaign.state, State::Halted, "one of ten is more than 5 %");
    assert_eq!(campaign.members["d1"].note, "runs another version than was offered");
    assert!(campaign.pause("", 1).is_err());
    campaign.resume().expect("halted");
    assert_eq!(campaign.tick(|_| free(), 2), [Effect::Offer("d1".to_owned())]);
    campaign.report("d2", &Report::Installed, 3).expect("offered");
    let taken_back = campaign.roll_back("the alarm was too quiet", 4).expect("running");
    assert_eq!(taken_back.len(), 9);
    assert_eq!(campaign.tick(|_| free(), 5), [Effect::Return("d2".to_owned())]);
    campaign.report("d2", &Report::RolledBack, 6).expect("returning");
    assert_eq!(campaign.tick(|_| free(), 7), []);
    assert_eq!(campaign.state, State::Finished);
}

#[test]
fn silence_is_a_failure() {
    let mut campaign = Campaign::draft(plan(vec![Ring::Percent(100)]), &devices(1), 0).expect("a plan");
    campaign.resume().expect("a draft");
    let _ = campaign.tick(|_| free(), 0);
    let _ = campaign.tick(|_| free(), 61 * MINUTE);
    assert_eq!((campaign.state.clone(), campaign.members["d0"].step), (State::Halted, Step::Failed));
}

#[test]
fn plans_that_make_no_sense() {
    let change = |change: fn(&mut Plan)| {
        let mut plan = plan(vec![Ring::Percent(100)]);
        change(&mut plan);
        plan.check()
    };
    assert_eq!(change(|p| p.rings.clear()), Err(PlanError::Rings));
    assert_eq!(change(|p| p.rings = vec![Ring::Percent(0)]), Err(PlanError::Percent));
    assert_eq!(change(|p| p.hours = Some(Hours { from_min: 1, to_min: 1 })), Err(PlanError::Hours));
    assert_eq!(change(|p| p.at_once = 0), Err(PlanError::Times));
    assert_eq!(change(|_| ()), Ok(()));
    let none = Campaign::draft(plan(vec![Ring::Percent(100)]), &[], 0);
    assert!(matches!(none, Err(PlanError::NoDevices)));
}

#[derive(Debug, Clone)]
enum Happening {
    Tick(i64),
    Report(usize, u8),
    Patient(usize, bool),
    Pause,
    Resume,
    RollBack,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (1_i64..90).prop_map(Happening::Tick),
        8 => (0_usize..12, 0_u8..5).prop_map(|(device, report)| Happening::Report(device, report)),
        3 => (0_usize..12, any::<bool>()).prop_map(|(device, on)| Happening::Patient(device, on)),
        1 => Just(Happening::Pause),
        2 => Just(Happening::Resume),
        1 => Just(Happening::RollBack),
    ]
}

proptest! {
    /// FW-1 to FW-4, whatever happens in whatever order.
    #[test]
    fn invariants(happenings in proptest::collection::vec(happening(), 1..120)) {
        let rings = vec![Ring::Percent(10), Ring::Percent(40), Ring::Percent(100)];
        let mut campaign = Campaign::draft(plan(rings), &devices(12), 0).expect("a plan");
        let mut on_patient = [false; 12];
        let mut now = 0;
        for happening in happenings {
            let mut effects = Vec::new();
            match happening {
                Happening::Tick(minutes) => {
                    now += minutes * MINUTE;
                    let facts = |id: &str| {
                        let at: usize = id[1..].parse().expect("an index");
                        Facts { on_patient: on_patient[at], ..free() }
                    };
                    effects = campaign.tick(facts, now);
                    for (id, member) in &campaign.members {
                        let at: usize = id[1..].parse().expect("an index");
                        let open = matches!(member.step, Step::Offered | Step::Downloading);
                        prop_assert!(!(open && on_patient[at]), "FW-1 {id}");
                    }
                }
                Happening::Report(device, report) => {
                    let report = match report {
                        0 => Report::Downloading,
                        1 => Report::Installed,
                        2 => Report::Running("2.4".to_owned()),
                        3 => Report::RolledBack,
                        _ => Report::Failed("flash".to_owned()),
                    };
                    let _ = campaign.report(&format!("d{device}"), &report, now);
                }
                Happening::Patient(device, on) => on_patient[device] = on,
                Happening::Pause => effects = campaign.pause("", now).unwrap_or_default(),
                Happening::Resume => drop(campaign.resume()),
                Happening::RollBack => effects = campaign.roll_back("", now).unwrap_or_default(),
            }
            for effect in &effects {
                let Effect::Offer(id) = effect else { continue };
                let at: usize = id[1..].parse().expect("an index");
                prop_assert!(!on_patient[at], "FW-1 {id}");
                prop_assert_eq!(&campaign.state, &State::Running, "FW-3");
                let ring = campaign.members[id].ring;
                prop_assert_eq!(ring, campaign.ring, "FW-2");
                for before in 0..ring {
                    let (all, confirmed) = campaign.of_ring(before).fold((0, 0), |(all, confirmed), m| {
                        (all + 1, confirmed + usize::from(m.step == Step::Confirmed))
                    });
                    prop_assert!(confirmed * 100 >= 90 * all, "FW-2: {confirmed} of {all}");
                }
            }
            if campaign.state == State::Running {
                let (all, failed) = campaign.of_ring(campaign.ring).fold((0, 0), |(all, failed), m| {
                    (all + 1, failed + usize::from(m.step == Step::Failed))
                });
                prop_assert!(failed * 100 <= 5 * all, "FW-4");
            }
        }
    }
}
