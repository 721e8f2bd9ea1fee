//! Episodes as the promises AL-1, AL-3 and AL-4 want them, driven through conditions by values.

use alert::{
    Change, ChangeKind, Conditions, Context, Description, EpisodeState, Episodes, Limits, Policy,
};
use proptest::prelude::*;
use vitals::metric::code;
use vitals::{Actor, EpisodeId, Role};

const POLICY: &str = r#"
    name = "test"
    [[chain]]
    name = "ward"
    repeat_s = 300
    step = [
      { role = "nurse", after_s = 0 },
      { role = "charge-nurse", after_s = 120 },
      { role = "physician", after_s = 300 },
    ]
    [[limit]]
    metric = "HR"
    high = 120
    critical_high = 150
    hysteresis = 5
    worsen_by = 10
    [[limit]]
    metric = "SpO2"
    low = 88
    [[rule]]
    id = "cold"
    title = "Cold"
    group = "temperature"
    latch = true
    level = [{ priority = "low", when = "Temp < 35" }]
"#;

struct Bed {
    policy: Policy,
    conditions: Conditions,
    episodes: Episodes,
    now: i64,
    next: u16,
}

impl Bed {
    fn new() -> Self {
        let policy = Policy::parse(POLICY).expect("test policy");
        let mut conditions = Conditions::default();
        conditions.configure(&policy, &Limits { unit: None, age_years: None, own: &[] });
        Self { policy, conditions, episodes: Episodes::default(), now: 0, next: 0 }
    }

    /// Values at `second`; what changed.
    fn at(&mut self, second: i64, rate: f64, spo2: f64, temperature: f64) -> Vec<Change> {
        self.now = second * 1_000_000;
        let value = |term| match term {
            code::HEART_RATE => Some(rate),
            code::SPO2 => Some(spo2),
            code::TEMPERATURE => Some(temperature),
            _ => None,
        };
        let active = self.conditions.step(&value, self.now);
        let mut out = Vec::new();
        let next = &mut self.next;
        let mut next_id = || {
            *next += 1;
            EpisodeId { offset: 0, index: *next }
        };
        let mut cx = Context {
            now: self.now,
            policy: &self.policy,
            describe: &|members| Description {
                reason: members.iter().map(|m| m.title).collect::<Vec<_>>().join("; "),
                readings: Vec::new(),
            },
            gone: &|_| "condition gone",
            next_id: &mut next_id,
        };
        self.episodes.step(&active, &mut cx, &mut out);
        out
    }

    fn acknowledge(&mut self, until_second: Option<i64>) -> Vec<Change> {
        let mut out = Vec::new();
        let id = self.episodes.open()[0].id;
        let nurse = Actor { name: "kim".into(), role: Role::Nurse };
        let until = until_second.map(|s| s * 1_000_000);
        assert!(self.episodes.acknowledge(id, &nurse, until, "", self.now, &mut out));
        out
    }
}

fn kinds(changes: &[Change]) -> Vec<ChangeKind> {
    changes.iter().map(|change| change.kind).collect()
}

#[test]
fn al_1_one_episode_one_alert_and_a_recurrence_is_a_new_one() {
    let mut bed = Bed::new();
    let first = bed.at(0, 130.0, 97.0, 37.0);
    assert_eq!(kinds(&first), [ChangeKind::Raised]);
    for second in 1..60 {
        assert_eq!(kinds(&bed.at(second, 130.0, 97.0, 37.0)), []);
    }
    assert_eq!(kinds(&bed.at(60, 80.0, 97.0, 37.0)), [ChangeKind::Resolved]);
    let second = bed.at(61, 130.0, 97.0, 37.0);
    assert_eq!(kinds(&second), [ChangeKind::Raised]);
    assert_ne!(first[0].episode.id, second[0].episode.id);
}

#[test]
fn al_1_what_belongs_together_is_one_alert() {
    let mut bed = Bed::new();
    assert_eq!(kinds(&bed.at(0, 130.0, 97.0, 37.0)), [ChangeKind::Raised]);
    assert_eq!(kinds(&bed.at(1, 130.0, 80.0, 37.0)), [ChangeKind::Joined]);
    assert_eq!(kinds(&bed.at(2, 130.0, 97.0, 37.0)), []);
    assert_eq!(kinds(&bed.at(3, 130.0, 80.0, 37.0)), [], "what comes back is nothing new");
    assert_eq!(bed.episodes.open().len(), 1);
}

#[test]
fn al_3_an_acknowledged_alert_sounds_again_when_it_worsens() {
    let mut bed = Bed::new();
    bed.at(0, 130.0, 97.0, 37.0);
    assert_eq!(kinds(&bed.acknowledge(None)), [ChangeKind::Acknowledged]);
    assert_eq!(kinds(&bed.at(10, 138.0, 97.0, 37.0)), []);
    assert_eq!(kinds(&bed.at(20, 141.0, 97.0, 37.0)), [ChangeKind::Worsened], "by its excess");
    bed.acknowledge(None);
    assert_eq!(kinds(&bed.at(30, 155.0, 97.0, 37.0)), [ChangeKind::Worsened], "by its priority");
    bed.acknowledge(None);
    assert_eq!(kinds(&bed.at(40, 130.0, 97.0, 37.0)), [ChangeKind::Eased]);
    assert_eq!(kinds(&bed.at(50, 130.0, 80.0, 37.0)), [ChangeKind::Worsened], "by another one");
    assert_eq!(bed.episodes.open()[0].state, EpisodeState::Raised);
}

#[test]
fn al_4_an_alert_is_escalated_until_somebody_takes_it() {
    let mut bed = Bed::new();
    bed.at(0, 130.0, 97.0, 37.0);
    let mut seen = Vec::new();
    for second in 1..=700 {
        for change in bed.at(second, 130.0, 97.0, 37.0) {
            seen.push((second, change.kind, change.episode.assigned));
        }
    }
    let escalated = ChangeKind::Escalated;
    assert_eq!(
        seen,
        [
            (120, escalated, Role::ChargeNurse),
            (300, escalated, Role::Physician),
            (600, escalated, Role::Physician),
        ]
    );
    bed.acknowledge(None);
    for second in 701..2_000 {
        assert_eq!(kinds(&bed.at(second, 130.0, 97.0, 37.0)), []);
    }
}

#[test]
fn an_acknowledgement_with_an_end_sounds_again_at_its_end() {
    let mut bed = Bed::new();
    bed.at(0, 130.0, 97.0, 37.0);
    bed.acknowledge(Some(100));
    assert_eq!(kinds(&bed.at(99, 130.0, 97.0, 37.0)), []);
    assert_eq!(kinds(&bed.at(100, 130.0, 97.0, 37.0)), [ChangeKind::Sounding]);
}

#[test]
fn a_latched_alert_stays_until_somebody_has_seen_it() {
    let mut bed = Bed::new();
    bed.at(0, 80.0, 97.0, 34.0);
    assert_eq!(kinds(&bed.at(10, 80.0, 97.0, 36.0)), [ChangeKind::Latched]);
    assert_eq!(kinds(&bed.at(20, 80.0, 97.0, 36.0)), []);
    let seen = bed.acknowledge(None);
    assert_eq!(kinds(&seen), [ChangeKind::Acknowledged, ChangeKind::Resolved]);
    assert!(bed.episodes.open().is_empty());
}

proptest! {
    /// Whatever the values do, there is at most one open episode a group, what is raised is
    /// resolved once, and nothing happens to an episode after its end.
    #[test]
    fn episodes_are_closed(values in proptest::collection::vec((60.0..170.0_f64, 75.0..100.0_f64), 1..200), acks in proptest::collection::vec(any::<bool>(), 200)) {
        let mut bed = Bed::new();
        let mut live = std::collections::HashSet::new();
        for (second, (rate, spo2)) in values.iter().enumerate() {
            for change in bed.at(second as i64 * 7, *rate, *spo2, 37.0) {
                match change.kind {
                    ChangeKind::Raised => prop_assert!(live.insert(change.episode.id)),
                    ChangeKind::Resolved => prop_assert!(live.remove(&change.episode.id)),
                    _ => prop_assert!(live.contains(&change.episode.id)),
                }
            }
            prop_assert!(bed.episodes.open().len() <= 1);
            if acks[second] && !bed.episodes.open().is_empty() {
                bed.acknowledge(None);
            }
        }
    }
}
