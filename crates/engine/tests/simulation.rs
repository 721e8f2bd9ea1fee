//! The whole engine under a seeded life: several devices and patients, admissions, moves, merges,
//! people's actions, duplicates, reordering, outages, wrong clocks; then crashes and restarts at
//! any point. Same journal, same conclusions, to the byte (EN-1, AL-1). A failure names its seed;
//! `VITALWIRE_SEED=n` runs that one alone.

mod common;
#[path = "common/random.rs"]
mod random;

use std::collections::{BTreeMap, BTreeSet};

use alert::ChangeKind;
use common::*;
use engine::Effect;
use random::Random;
use vitals::metric::code::{
    BATTERY, CONSCIOUSNESS, HEART_RATE, NIBP_SYS, PULSE_RATE, RESP_RATE, SPO2, TEMPERATURE,
};
use vitals::{
    Action, Bed, Content, DirectoryEvent, Event, LinkState, Location, Message,
    Movement, Patient, PatientId, PatientMovement, Problem, ProblemKind, SeriesKey, TimeBase,
};

const DEVICES: [&str; 5] = ["m1", "m2", "m3", "pump", "patch"];
const PATIENTS: [&str; 5] = ["a", "b", "c", "d", "e"];
const BEDS: [&str; 3] = ["1", "2", "3"];

/// A life in progress.
struct Life {
    random: Random,
    run: Run,
    second: f64,
    /// By device: how far ahead its clock is, the illness of what it sees, what it could not send.
    ahead: [f64; DEVICES.len()],
    illness: [f64; DEVICES.len()],
    kept: [Vec<Message>; DEVICES.len()],
    offline: [bool; DEVICES.len()],
    sent: Vec<Event>,
}

impl Life {
    fn live(seed: u64, seconds: usize) -> Run {
        let mut life = Self {
            random: Random::new(seed),
            run: Run::new(),
            second: 0.0,
            ahead: [0.0; DEVICES.len()],
            illness: [0.0; DEVICES.len()],
            kept: Default::default(),
            offline: [false; DEVICES.len()],
            sent: Vec::new(),
        };
        for index in 0..DEVICES.len() {
            if life.random.once_in(2) {
                life.someone_acts();
            }
            life.ahead[index] = if life.random.once_in(4) { life.random.around(4_000.0) } else { 0.0 };
        }
        for _ in 0..seconds {
            life.second += 1.0;
            life.one_second();
        }
        life.run
    }

    fn say(&mut self, event: Event) {
        let second = self.second + 0.4;
        self.run.at(second, event);
    }

    fn one_second(&mut self) {
        for index in 0..DEVICES.len() {
            self.device_lives(index);
        }
        if self.random.once_in(12) {
            self.someone_acts();
        }
        if self.random.once_in(20) && !self.sent.is_empty() {
            // A stretch that was sent before comes again, in another order.
            for _ in 0..self.random.below(30) {
                let again = self.sent[self.random.below(self.sent.len())].clone();
                self.say(again);
            }
        }
        if self.random.once_in(300) {
            // We ourselves are away.
            self.second += 5.0 + self.random.below(600) as f64;
            let second = self.second;
            self.run.away_until(second);
        }
    }

    fn device_lives(&mut self, index: usize) {
        if self.random.once_in(60) {
            self.illness[index] = self.random.around(1.0).max(0.0);
        }
        if self.random.once_in(120) {
            self.offline[index] = !self.offline[index];
            let state = [LinkState::Online, LinkState::Lost, LinkState::Offline][self.random.below(3)];
            self.say(Event::Link { device: device(DEVICES[index]), state, reason: String::new() });
        }
        if self.random.once_in(400) {
            self.ahead[index] = self.random.around(9_000.0);
        }
        self.ahead[index] += 0.001;
        // The pump speaks every 20 seconds, the others every one or two.
        let due = if DEVICES[index] == "pump" { 20 } else { 1 + index % 2 };
        if !(self.second as usize).is_multiple_of(due) {
            return;
        }
        let message = self.measure(index);
        if self.offline[index] {
            self.kept[index].push(message);
            return;
        }
        let mut burst = std::mem::take(&mut self.kept[index]);
        if self.random.once_in(2) {
            burst.reverse();
        }
        burst.push(message);
        for mut message in burst {
            message.received = at(self.second + 0.4);
            let event = Event::Message(message);
            if self.sent.len() < 200 {
                self.sent.push(event.clone());
            } else {
                let place = self.random.below(200);
                self.sent[place] = event.clone();
            }
            self.say(event);
        }
    }

    fn measure(&mut self, index: usize) -> Message {
        let ill = self.illness[index];
        let r = &mut self.random;
        let mut values = vec![
            (HEART_RATE, (75.0 + 80.0 * ill + r.around(2.0)).round()),
            (SPO2, (97.0 - 14.0 * ill + r.around(1.0)).round()),
            (RESP_RATE, (15.0 + 18.0 * ill + r.around(1.0)).round()),
        ];
        match r.below(30) {
            0 => values.push((NIBP_SYS, (125.0 - 50.0 * ill).round())),
            1 => values.push((TEMPERATURE, 36.8 + 2.5 * ill)),
            2 => values.push((CONSCIOUSNESS, if ill > 0.8 { 2.0 } else { 0.0 })),
            3 => values.push((BATTERY, 50.0 + r.around(50.0))),
            4 => values[0].1 = 900.0,
            5 => values[0].1 = 240.0 + r.around(60.0),
            6 => values.push((PULSE_RATE, f64::NAN)),
            _ => {}
        }
        let time = (!r.once_in(50)).then_some(self.second + 0.3 + self.ahead[index]);
        let mut message = message(DEVICES[index], self.second + 0.4, time, &values);
        if let (Content::Reading(reading), true) = (&mut message.content[0], r.once_in(40)) {
            reading.patient = Some(named(PATIENTS[r.below(PATIENTS.len())]));
        }
        if r.once_in(100) {
            let detail = String::new();
            message.problems.push(Problem { kind: ProblemKind::BadValue, path: "x".into(), detail });
        }
        if r.once_in(500) {
            message.time_base = TimeBase::Recorded;
        }
        message
    }

    fn someone_acts(&mut self) {
        let who = PATIENTS[self.random.below(PATIENTS.len())];
        let what = DEVICES[self.random.below(DEVICES.len())];
        let back = self.random.once_in(3).then_some(self.second - self.random.below(90) as f64);
        let back_time = back.map(|second| vitals::EffectiveTime(at(second).0));
        let bed = BEDS[self.random.below(BEDS.len())];
        let bed = Bed { unit: "4-West".into(), room: String::new(), bed: bed.into() };
        let location = Location::from_bed(bed.clone());
        let event = match self.random.below(16) {
            0..=3 => associate(what, who, back),
            4 => act(Action::Disassociate { device: device(what), at: back_time }),
            5 | 6 => act(Action::Mount { device: device(what), location: Some(location.id) }),
            7 => act(Action::Mount { device: device(what), location: None }),
            8..=10 => {
                let movements = [Movement::Admit, Movement::Transfer, Movement::Discharge, Movement::Update, Movement::CancelTransfer];
                let movement = movements[self.random.below(movements.len())];
                self.moves(movement, who, bed, back_time)
            }
            11 if self.random.once_in(8) => {
                let other = PATIENTS[self.random.below(PATIENTS.len())];
                act(Action::Directory(DirectoryEvent::Merge { survivor: patient(who), retired: patient(other) }))
            }
            12 => act(Action::SetLimits {
                patient: patient(who),
                metric: HEART_RATE,
                low: Some(45.0),
                high: self.random.once_in(2).then_some(120.0),
                reason: "x".into(),
            }),
            13 => act(Action::SetSpo2Scale { patient: patient(who), scale: 1 + self.random.below(2) as u8, reason: String::new() }),
            14 if self.random.once_in(4) => self.policy(),
            15 => self.someone_decides(who),
            _ => return self.someone_takes(),
        };
        self.say(event);
    }

    /// Looks after a patient, or decides on a care pathway or a step of it, whether it is there or not.
    fn someone_decides(&mut self, who: &str) -> Event {
        let patient = patient(who);
        let (step, reason) = (["inform", "lactate", "monitor"][self.random.below(3)].to_owned(), "x".to_owned());
        let deed = match self.random.below(7) {
            0 => return act(Action::Seen { patient, how: vitals::Look::Bedside }),
            1 | 2 => vitals::PathwayDeed::Start { reason },
            3 => vitals::PathwayDeed::Decline { reason },
            4 => vitals::PathwayDeed::StepDone { step, note: reason },
            5 => vitals::PathwayDeed::StepDeclined { step, reason },
            _ => vitals::PathwayDeed::Stop { reason },
        };
        let pathway = ["news2-emergency", "news2-urgent", "sepsis-hour-1"][self.random.below(3)].to_owned();
        act(Action::Pathway { patient, pathway, deed })
    }

    fn moves(&mut self, movement: Movement, who: &str, bed: Bed, when: Option<vitals::EffectiveTime>) -> Event {
        let mut details = Patient::unknown(patient(who));
        details.identifiers = named(who).identifiers;
        details.birth_date = Some(if who == "e" { "2015-03-02" } else { "1950-03-02" }.into());
        act(Action::Directory(DirectoryEvent::Movement(PatientMovement {
            movement,
            patient: details,
            encounter: None,
            class: "IMP".into(),
            location: Some(bed),
            prior_location: None,
            at: when,
        })))
    }

    fn policy(&mut self) -> Event {
        let mut text = alert::Policy::built_in().text.clone();
        if self.random.once_in(2) {
            text = text.replace("high = 130", "high = 110").replace("chain = \"technical\"", "");
        }
        Event::Policy(nurse(), text)
    }

    fn someone_takes(&mut self) {
        let open: Vec<_> = PATIENTS
            .iter()
            .filter_map(|who| self.run.engine.patient(&patient(who)))
            .flat_map(|state| state.episodes.open().iter().map(|episode| episode.id).collect::<Vec<_>>())
            .collect();
        if open.is_empty() {
            return;
        }
        let episode = open[self.random.below(open.len())];
        let until = at(self.second + self.random.below(200) as f64);
        let action = match self.random.below(4) {
            0 => Action::Acknowledge { episode, until: None, note: String::new() },
            1 => Action::Acknowledge { episode, until: Some(until), note: "until".into() },
            2 => Action::Snooze { episode, until, reason: "busy".into() },
            _ => Action::Escalate { episode, reason: String::new() },
        };
        self.say(act(action));
    }
}

/// What must hold of any life.
fn check_invariants(run: &Run, seed: u64) {
    let mut open = BTreeSet::new();
    let mut ended = BTreeSet::new();
    for (offset, record) in &run.alerts {
        let id = record.episode.id;
        match record.kind {
            ChangeKind::Raised => assert!(open.insert(id), "seed {seed}: {id} twice, at {offset}"),
            ChangeKind::Resolved => {
                assert!(open.remove(&id), "seed {seed}: {id} ended without being open");
                assert!(ended.insert(id), "seed {seed}: {id} ended twice");
            }
            _ => assert!(open.contains(&id), "seed {seed}: {id} {:?} while not open", record.kind),
        }
    }
    let still: BTreeSet<_> = run
        .engine
        .directory()
        .patients()
        .filter_map(|patient| run.engine.patient(&patient.id))
        .flat_map(|state| {
            let groups: Vec<_> = state.episodes.open().iter().map(|e| e.group.clone()).collect();
            let distinct: BTreeSet<_> = groups.iter().collect();
            assert_eq!(groups.len(), distinct.len(), "seed {seed}: one alert for what belongs together");
            state.episodes.open().iter().map(|e| e.id).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(open, still, "seed {seed}: alerts told and alerts open are the same");
    check_owners(run, seed);
}

/// PA-1: every value of a device went to whoever the associations, as they were told, then said.
fn check_owners(run: &Run, seed: u64) {
    let mut on: BTreeMap<(String, i64), vitals::Association> = BTreeMap::new();
    let mut merged: BTreeMap<PatientId, PatientId> = BTreeMap::new();
    let mut keys: BTreeMap<vitals::SeriesId, SeriesKey> = BTreeMap::new();
    let resolve = |merged: &BTreeMap<PatientId, PatientId>, id: &PatientId| {
        let mut id = id.clone();
        while let Some(next) = merged.get(&id) {
            id = next.clone();
        }
        id
    };
    for (offset, effect) in &run.effects {
        match effect {
            Effect::SeriesOpened(id, key) => drop(keys.insert(*id, key.clone())),
            Effect::Merged(survivor, retired) => drop(merged.insert(retired.clone(), survivor.clone())),
            // Associations of a device are told by their start; one of no length covers nothing,
            // and shares it with the next.
            Effect::Association(a) => drop(on.insert((a.device.to_string(), a.start.0), a.clone())),
            Effect::Point(series, point) => {
                let key = &keys[series];
                if key.device.as_str() == engine::SELF_DEVICE {
                    continue;
                }
                let covering: Vec<_> = on
                    .range((key.device.to_string(), i64::MIN)..=(key.device.to_string(), i64::MAX))
                    .filter(|(_, a)| a.covers(point.time))
                    .map(|(_, a)| resolve(&merged, &a.patient))
                    .collect();
                assert!(covering.len() <= 1, "seed {seed}: two owners at one time, entry {offset}");
                if let (Some(owner), Some(subject)) = (covering.first(), &key.subject) {
                    assert_eq!(owner, subject, "seed {seed}: entry {offset}, {key:?}");
                }
                let named = matches!(&run.entries[*offset as usize].1, Event::Message(m)
                    if m.readings().any(|(_, r, _)| r.patient.is_some()));
                if !named {
                    assert_eq!(covering.first(), key.subject.as_ref(), "seed {seed}: entry {offset}");
                }
            }
            _ => {}
        }
    }
}

/// One seed: a life, its invariants, and the same life again with crashes and restarts.
fn check(seed: u64) {
    let run = Life::live(seed, 400);
    check_invariants(&run, seed);
    let whole = take_in(&run.entries, &[]);
    let again = take_in(&run.entries, &[]);
    assert_eq!(difference(&whole, &again), None, "seed {seed}: the same journal twice");
    let mut random = Random::new(seed ^ 0xc0ff_ee00);
    for _ in 0..3 {
        let mut cuts: Vec<usize> =
            (0..1 + random.below(12)).map(|_| random.below(run.entries.len())).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let cut = take_in(&run.entries, &cuts);
        assert_eq!(difference(&whole, &cut), None, "seed {seed}: restarted at {cuts:?}");
    }
}

#[test]
fn en_1_any_life_concludes_the_same_whatever_crashes() {
    let seeds = match std::env::var("VITALWIRE_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..=seed,
        None => 1..=12,
    };
    for seed in seeds {
        check(seed);
    }
}

#[test]
fn a_life_is_eventful() {
    let run = Life::live(7, 900);
    let kinds: BTreeSet<&str> = run.alerts.iter().map(|(_, record)| record.kind.name()).collect();
    for kind in ["raised", "resolved", "acknowledged", "escalated", "joined"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    assert!(run.entries.len() > 3_000 && run.alerts.len() > 20, "{}", run.alerts.len());
}
#[test]
fn al_1_a_restart_at_any_entry_changes_nothing() {
    let seed = 3;
    let run = Life::live(seed, 45);
    let whole = take_in(&run.entries, &[]);
    for cut in 0..run.entries.len() {
        let cut_short = take_in(&run.entries, &[cut]);
        assert_eq!(difference(&whole, &cut_short), None, "seed {seed}: restarted before entry {cut}");
    }
}
