//! Pathways: suggested, decided by people, timed; one state machine.

use alert::pathway::{OfferChange, OfferState, Offers, Surroundings};
use alert::{Limits, Policy};
use proptest::prelude::*;
use vitals::metric::code;
use vitals::time::MINUTE;
use vitals::{Actor, EpisodeId, MetricCode, PathwayDeed, Role};

const POLICY: &str = r#"
name = "test"
[[chain]]
name = "ward"
repeat_s = 60
step = [{ role = "nurse", after_s = 0 }]
[[pathway]]
id = "big"
title = "Big"
when = "NEWS2 >= 7"
supersedes = ["small"]
step = [{ id = "call", title = "Call", within_min = 5 }]
[[pathway]]
id = "small"
title = "Small"
source = "a chart"
when = "NEWS2 >= 5"
for_s = 60
clear_s = 600
worsen_by = 1
step = [
  { id = "inform", title = "Inform", within_min = 10 },
  { id = "fluid", title = "Fluid", within_min = 30, when = "SYS < 90", after = "inform" },
]
"#;

/// A patient's pathways with what happened to them.
struct Run {
    policy: Policy,
    offers: Offers,
    told: Vec<String>,
    news2: f64,
    systolic: Option<f64>,
    minute: i64,
    next: u16,
}

impl Run {
    fn new() -> Self {
        let policy = Policy::parse(POLICY).expect("the test's policy compiles");
        Self { policy, offers: Offers::default(), told: Vec::new(), news2: 0.0, systolic: Some(120.0), minute: 0, next: 0 }
    }

    fn with(&mut self, act: impl FnOnce(&mut Offers, &mut Surroundings<'_>, &mut Vec<OfferChange>)) {
        let (news2, limits) = (self.news2, Limits { unit: None, age_years: Some(50.0), own: &[] });
        let mut next = || { self.next += 1; EpisodeId { offset: 1, index: self.next } };
        let mut cx = Surroundings {
            now: self.minute * MINUTE,
            pathways: &self.policy.pathways,
            limits: &limits,
            severity: news2,
            describe: &|_| format!("NEWS2 {news2}"),
            next_id: &mut next,
        };
        let mut out = Vec::new();
        act(&mut self.offers, &mut cx, &mut out);
        self.told.extend(out.iter().map(|change| {
            let step = if change.event.step.is_empty() { String::new() } else { format!("/{}", change.event.step) };
            format!("{} {}{step} {}", self.minute, change.offer.pathway, change.event.kind.name())
        }));
    }

    /// Lets minutes pass with these values.
    fn pass(&mut self, minutes: i64, news2: f64, systolic: f64) {
        (self.news2, self.systolic) = (news2, Some(systolic));
        for _ in 0..minutes {
            self.minute += 1;
            let systolic = self.systolic;
            let value = |term: MetricCode| match term {
                code::NEWS2 => Some(news2),
                code::NIBP_SYS => systolic,
                _ => None,
            };
            self.with(|offers, cx, out| offers.step(&value, cx, out));
        }
    }

    fn decide(&mut self, pathway: &str, deed: &PathwayDeed) -> Result<(), &'static str> {
        let kim = Actor { name: "kim".into(), role: Role::Nurse };
        let mut done = Ok(());
        self.with(|offers, cx, out| done = offers.decide(pathway, deed, &kim, cx, out));
        done
    }

    fn told(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.told), expected);
    }
}

fn start() -> PathwayDeed {
    PathwayDeed::Start { reason: String::new() }
}

fn decline() -> PathwayDeed {
    PathwayDeed::Decline { reason: "comfort care".into() }
}

fn done(step: &str) -> PathwayDeed {
    PathwayDeed::StepDone { step: step.into(), note: String::new() }
}

#[test]
fn a_pathway_is_suggested_followed_and_completed() {
    let mut run = Run::new();
    run.pass(5, 3.0, 120.0);
    run.pass(3, 5.0, 120.0);
    run.told(&["7 small suggested"]);
    assert_eq!(run.decide("small", &start()), Ok(()));
    run.pass(12, 5.0, 120.0);
    run.told(&["8 small started", "18 small/inform step-overdue"]);
    run.pass(1, 5.0, 85.0);
    run.told(&["21 small/fluid step-needed"]);
    assert_eq!(run.decide("small", &done("inform")), Ok(()));
    assert_eq!(run.decide("small", &done("inform")), Err("pathway-step-decided"));
    let no = PathwayDeed::StepNotApplicable { step: "fluid".into(), reason: "heart failure".into() };
    assert_eq!(run.decide("small", &no), Ok(()));
    run.told(&["21 small/inform step-done", "21 small/fluid step-not-applicable", "21 small completed"]);
    // It was dealt with: the same trouble suggests nothing more, until it worsens or comes back.
    run.pass(30, 5.0, 120.0);
    run.told(&[]);
    run.pass(20, 3.0, 120.0);
    run.pass(3, 5.0, 120.0);
    run.told(&["73 small suggested"]);
}

#[test]
fn declined_advice_stays_quiet_until_it_worsens() {
    let mut run = Run::new();
    run.pass(3, 5.0, 120.0);
    assert_eq!(run.decide("small", &PathwayDeed::Decline { reason: " ".into() }), Err("pathway-without-reason"));
    assert_eq!(run.decide("small", &decline()), Ok(()));
    run.pass(300, 5.0, 120.0);
    run.told(&["2 small suggested", "3 small declined"]);
    run.pass(2, 6.0, 120.0);
    run.told(&["304 small suggested-again"]);
    assert_eq!(run.decide("small", &decline()), Ok(()));
    run.pass(20, 2.0, 120.0);
    run.told(&["305 small declined", "316 small withdrawn"]);
    assert_eq!(run.offers.all()[0].state, OfferState::Declined, "what was decided stands");
    let reasons: Vec<&str> = run.offers.all()[0].events.iter().map(|event| event.decision.reason.as_str()).collect();
    assert_eq!(reasons[1], "comfort care");
}

#[test]
fn the_more_urgent_one_takes_the_others_place() {
    let mut run = Run::new();
    run.pass(3, 5.0, 120.0);
    run.pass(1, 8.0, 120.0);
    run.told(&["2 small suggested", "4 big suggested", "4 small withdrawn"]);
    // While nobody has decided on it, getting a little better suggests nothing beside it …
    run.pass(1, 5.0, 120.0);
    assert_eq!(run.decide("big", &start()), Ok(()));
    run.pass(10, 5.0, 120.0);
    run.told(&["5 big started", "10 big/call step-overdue"]);
    // … until it is over.
    assert_eq!(run.decide("big", &done("call")), Ok(()));
    run.pass(1, 5.0, 120.0);
    run.told(&["15 big/call step-done", "15 big completed", "16 small suggested"]);
}

#[test]
fn only_what_fits_its_state_is_taken() {
    let mut run = Run::new();
    run.pass(1, 3.0, 120.0);
    assert_eq!(run.decide("none", &start()), Err("pathway-unknown"));
    assert_eq!(run.decide("small", &decline()), Err("pathway-not-open"));
    assert_eq!(run.decide("small", &start()), Ok(()), "a clinician may start one that was not suggested");
    assert_eq!(run.decide("small", &start()), Err("pathway-not-in-this-state"));
    assert_eq!(run.decide("small", &done("nothing")), Err("pathway-step-unknown"));
    assert_eq!(run.decide("small", &PathwayDeed::Stop { reason: "ruled out".into() }), Ok(()));
    run.told(&["1 small started", "1 small stopped"]);
    assert_eq!(run.decide("small", &done("inform")), Err("pathway-not-open"));
}

#[test]
fn a_condition_that_never_held_does_not_keep_a_pathway_open() {
    let mut run = Run::new();
    run.pass(3, 5.0, 120.0);
    assert_eq!(run.decide("small", &start()), Ok(()));
    assert_eq!(run.decide("small", &done("inform")), Ok(()));
    run.pass(40, 5.0, 120.0);
    run.told(&["2 small suggested", "3 small started", "3 small/inform step-done", "33 small completed"]);
}

proptest! {
    /// Whatever happens, versions count events without a gap, ended offers stay ended, and at most
    /// one of a pathway is open.
    #[test]
    fn any_story_is_told_without_gaps(deeds in proptest::collection::vec((0_u8..8, 0.0..10.0_f64, 1_i64..40), 1..60)) {
        let mut run = Run::new();
        let mut versions: std::collections::BTreeMap<EpisodeId, u64> = std::collections::BTreeMap::new();
        for (deed, news2, minutes) in deeds {
            let systolic = if deed % 2 == 0 { 80.0 } else { 120.0 };
            run.pass(minutes, news2.floor(), systolic);
            let _ = match deed {
                0 => run.decide("small", &start()),
                1 => run.decide("small", &decline()),
                2 => run.decide("small", &done("inform")),
                3 => run.decide("small", &done("fluid")),
                4 => run.decide("small", &PathwayDeed::Stop { reason: "r".into() }),
                5 => run.decide("big", &start()),
                6 => run.decide("big", &done("call")),
                _ => run.decide("big", &decline()),
            };
            for pathway in ["big", "small"] {
                prop_assert!(run.offers.open().filter(|offer| offer.pathway == pathway).count() <= 1);
            }
            for offer in run.offers.all() {
                let before = versions.insert(offer.id, offer.version).unwrap_or(0);
                prop_assert!(offer.version >= before);
                prop_assert_eq!(offer.version, offer.events.len() as u64);
                let ended = matches!(offer.state, OfferState::Completed | OfferState::Stopped | OfferState::Withdrawn);
                prop_assert!(!ended || offer.ended_at.is_some());
            }
        }
    }
}
