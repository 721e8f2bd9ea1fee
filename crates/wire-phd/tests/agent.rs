//! A device and its manager, byte for byte: whatever the device measures or has stored, the manager
//! learns it once and confirms it, wherever the connection breaks; and every message reads as it was
//! written.

use jiff::tz::TimeZone;
use medfloat::{Sfloat, Special};
use proptest::prelude::*;
use vitals::{DeviceTime, Quality, Value};
use wire_phd::agent::{Agent, Input as Does, Output as Did, Profile, Store};
use wire_phd::apdu::{Association, Protocol};
use wire_phd::config::{Configuration, Object, attr};
use wire_phd::data::{Action, Event};
use wire_phd::manager::{Input, Manager, Output, Settings};
use wire_phd::measure::Meaning;
use wire_phd::scan::Observation;
use wire_phd::store::{self, Description, Segment, Selection};
use wire_phd::time::Clock;
use wire_phd::{Apdu, Data, Message};

const NOW: i64 = 1_795_309_200_000_000;

fn settings() -> Settings {
    Settings { system_id: [9; 8], zone: TimeZone::UTC, ask_device: true, set_time: true, collect: true, clear: true }
}

fn kind(partition: u16, code: u16) -> (u16, Vec<u8>) {
    (attr::TYPE, [partition, code].map(u16::to_be_bytes).concat())
}

/// A glucose sensor: glucose, its status, a store.
fn sensor() -> Configuration {
    let unit = (attr::UNIT, 2130_u16.to_be_bytes().to_vec());
    let objects = vec![
        Object { class: 6, handle: 1, attributes: vec![kind(2, 29_140), unit] },
        Object { class: 5, handle: 2, attributes: vec![kind(128, 29_452)] },
        Object { class: 61, handle: 3, attributes: vec![(attr::SEGMENTS, vec![0, 2])] },
        Object { class: 19, handle: 4, attributes: vec![(attr::OPERATIONAL, vec![0, 0])] },
    ];
    Configuration { id: 0x4001, objects }
}

fn mds(time_state: u16) -> Vec<(u16, Vec<u8>)> {
    let clock = Clock::new(TimeZone::UTC);
    vec![
        (attr::TIME_INFO, [&time_state.to_be_bytes()[..], &[0; 14]].concat()),
        (attr::CLOCK_ABSOLUTE, clock.absolute_at(DeviceTime(NOW)).to_vec()),
        (attr::CLOCK_RELATIVE, 80_000_u32.to_be_bytes().to_vec()),
    ]
}

/// Entries of a segment: a relative time, glucose in mg/dL, a status.
fn segment(number: u16, person: Option<u16>) -> Segment {
    let elements = vec![(1, vec![(attr::NU_BASIC, 2)]), (2, vec![(attr::ENUM_BITS_32, 4)])];
    Segment { number, person, usage: None, timeout: Some(80_000), header: 0x4000, elements }
}

fn entry(minutes: u32, glucose: i32, word: u32) -> Vec<u8> {
    let value = Sfloat::new(glucose, 0).expect("a small number").bits();
    let time = 80_000_u32.wrapping_sub(minutes * 480_000);
    [&time.to_be_bytes()[..], &value.to_be_bytes(), &word.to_be_bytes()].concat()
}

/// Both sides, and what came of it.
struct Line {
    agent: Agent,
    manager: Manager,
    did: Vec<Did>,
    learned: Vec<Output>,
    /// After this many APDUs the connection breaks.
    left: usize,
}

impl Line {
    fn new(profile: Profile, settings: Settings) -> Self {
        let (agent, manager) = (Agent::new(profile), Manager::with(settings));
        Self { agent, manager, did: Vec::new(), learned: Vec::new(), left: usize::MAX }
    }

    fn connect(&mut self) {
        self.manager.step(Input::Connected, NOW);
        self.agent.step(Does::Connected, NOW);
        let outputs = self.agent.step(Does::Associate, NOW);
        self.carry(outputs);
    }

    fn carry(&mut self, outputs: Vec<Did>) {
        let mut to_manager: Vec<Vec<u8>> = Vec::new();
        let mut to_agent: Vec<Vec<u8>> = Vec::new();
        self.sort(outputs, &mut to_manager);
        while !to_manager.is_empty() || !to_agent.is_empty() {
            if self.left == 0 {
                self.learned.extend(self.manager.step(Input::Disconnected, NOW));
                self.did.extend(self.agent.step(Does::Disconnected, NOW));
                return;
            }
            self.left -= 1;
            if to_agent.is_empty() {
                for output in self.manager.step(Input::Apdu(&to_manager.remove(0)), NOW) {
                    match output {
                        Output::Send(bytes) => to_agent.push(bytes),
                        other => self.learned.push(other),
                    }
                }
            } else {
                let outputs = self.agent.step(Does::Apdu(&to_agent.remove(0)), NOW);
                self.sort(outputs, &mut to_manager);
            }
        }
    }

    fn sort(&mut self, outputs: Vec<Did>, to_manager: &mut Vec<Vec<u8>>) {
        for output in outputs {
            match output {
                Did::Send(bytes) => to_manager.push(bytes),
                other => self.did.push(other),
            }
        }
    }

    fn meanings(&self) -> Vec<&Meaning> {
        self.learned
            .iter()
            .filter_map(|output| if let Output::Observed(meaning) = output { Some(meaning) } else { None })
            .collect()
    }
}

fn profile(entries: Vec<Vec<Vec<u8>>>) -> Profile {
    let segments = entries.into_iter().enumerate().map(|(at, entries)| (segment(at as u16, None), entries)).collect();
    Profile {
        system_id: vec![1, 2, 3, 4, 5, 6, 7, 8],
        configuration: sensor(),
        mds: mds(0x2000),
        stores: vec![Store { object: 3, segments }],
    }
}

#[test]
fn a_device_is_asked_switched_on_emptied_and_let_go() {
    let entries = (0..60).map(|at| entry(at, 100 + at as i32, 1 << 11)).collect();
    let mut line = Line::new(profile(vec![entries, Vec::new()]), settings());
    line.connect();
    assert!(line.learned.iter().any(|output| matches!(output, Output::Device(_))));
    assert!(line.did.contains(&Did::Scanner(4, true)));
    assert!(line.did.contains(&Did::Transferred(3, 0)) && line.did.contains(&Did::Cleared(3, vec![0])));
    assert!(line.learned.contains(&Output::Collected(3, 0)) && line.learned.contains(&Output::Cleared(3, 0)));
    let meanings = line.meanings();
    assert_eq!(meanings.len(), 120);
    assert!(meanings.iter().all(|meaning| meaning.problems.is_empty()), "{meanings:?}");
    let fifth = &meanings[10].measurements[0];
    assert_eq!((fifth.metric.refid(), &fifth.value), ("MDC_CONC_GLU_ISF".into(), &Value::Numeric(105.0)));
    assert_eq!(fifth.device_time, Some(DeviceTime(NOW - 5 * 60_000_000)), "told relative to the device's own time");
    let status = Value::Enumeration(1 << 11, "sensor-com-out-of-range".into());
    assert_eq!(meanings[11].measurements[0].value, status);

    // A report of now, fixed or not, and the end.
    let glucose = Observation { person: Some(2), object: 1, attributes: vec![(attr::NU_BASIC, vec![0, 99])] };
    let outputs = line.agent.step(Does::Report(&[glucose], true), NOW);
    assert_eq!(line.agent.unconfirmed(), 1);
    line.carry(outputs);
    assert_eq!((line.agent.unconfirmed(), line.did.last()), (0, Some(&Did::Taken)));
    assert_eq!(line.meanings().last().and_then(|meaning| meaning.person), Some(2));
    let outputs = line.agent.step(Does::Release, NOW);
    line.carry(outputs);
    assert_eq!(line.did.last(), Some(&Did::Ended { orderly: true }));
}

#[test]
fn clocks_are_set_where_the_device_asks() {
    for (state, set) in [(0x4010_u16, Some(false)), (0x4110, Some(true)), (0x4000, None), (0x0010, None)] {
        let mut line = Line::new(Profile { mds: mds(state), ..profile(Vec::new()) }, settings());
        line.connect();
        let told = line.did.iter().find_map(|did| match did {
            Did::TimeSet { base_offset, bytes } => Some((*base_offset, bytes.clone())),
            _ => None,
        });
        assert_eq!(told.as_ref().map(|(based, _)| *based), set, "{state:04x}");
        assert_eq!(line.learned.contains(&Output::ClockSet), set.is_some());
        if let Some((false, bytes)) = told {
            assert_eq!(bytes[..8], Clock::new(TimeZone::UTC).absolute_at(DeviceTime(NOW)));
        }
        let mut line = Line::new(
            Profile { mds: mds(state), ..profile(Vec::new()) },
            Settings { set_time: false, ..settings() },
        );
        line.connect();
        assert!(!line.learned.contains(&Output::ClockSet), "not without leave");
    }
}

/// A manager that has just been told that a segment comes.
fn awaiting() -> Manager {
    let mut line = Line::new(profile(vec![vec![entry(0, 100, 0); 2]]), Settings { clear: false, ..settings() });
    for left in 0..40 {
        line.left = left;
        line.manager.step(Input::Connected, NOW);
        line.agent.step(Does::Connected, NOW);
        let mut device = line.agent.step(Does::Associate, NOW);
        while let Some(Did::Send(bytes)) = device.pop() {
            for output in line.manager.step(Input::Apdu(&bytes), NOW) {
                let Output::Send(bytes) = output else { continue };
                if let Ok(Apdu::Data(Data { message: Message::Action { action, .. }, invoke })) = Apdu::decode(&bytes)
                    && action.kind == store::TRANSFER
                {
                    let info = [&action.info[..], &[0, 0]].concat();
                    let done = Message::Done(Action { info, ..action });
                    line.manager.step(Input::Apdu(&Apdu::Data(Data { invoke, message: done }).encode()), NOW);
                    return line.manager;
                }
                device.splice(0..0, line.agent.step(Does::Apdu(&bytes), NOW).into_iter().filter(|did| matches!(did, Did::Send(_))).rev());
            }
        }
    }
    panic!("no segment was asked for");
}

#[test]
fn what_a_store_may_not_do() {
    // Entries that are due, that skip one, of a segment that nobody asked for, cut, too many, given up.
    for (index, number, count, cut, bits, taken) in [
        (0, 0, 2, 0, store::status::LAST, 2),
        (1, 0, 2, 0, store::status::LAST, 0),
        (0, 7, 2, 0, store::status::LAST, 0),
        (0, 0, 2, 1, store::status::LAST, 0),
        (0, 0, 1, 0, store::status::LAST, 0),
        (0, 0, u32::MAX, 0, store::status::LAST, 0),
        (0, 0, 2, 0, store::status::AGENT_ABORT, 0),
    ] {
        let mut manager = awaiting();
        let entries = [entry(0, 100, 0), entry(1, 101, 0)].concat();
        let description = Description { segment: number, index, count, status: bits };
        let info = store::put_event(&description, &entries[..entries.len() - cut]);
        let event = Event { object: 3, time: 0, kind: store::DATA, info };
        let message = Message::Event { confirmed: true, event };
        let outputs = manager.step(Input::Apdu(&Apdu::Data(Data { invoke: 77, message }).encode()), NOW);
        let observed = outputs.iter().filter(|output| matches!(output, Output::Observed(_))).count();
        assert_eq!(observed, taken * 2, "{index} {number} {count} {cut} {bits:x}: {outputs:?}");
        let refused = outputs.iter().any(|output| matches!(output, Output::Problem(_)));
        assert_eq!(refused, taken == 0, "{outputs:?}");
    }
}

#[test]
fn states_that_are_terms_and_hubs() {
    let walk = vec![
        (attr::ENUM_TERM, 1017_u16.to_be_bytes().to_vec()),
        (attr::TIME_ACTIVE, 600_u32.to_be_bytes().to_vec()),
    ];
    let steps = vec![(attr::UNIT, 6656_u16.to_be_bytes().to_vec()), (attr::NU_BASIC, vec![0x03, 0xe8])];
    let fall = vec![(attr::ENUM_BITS_32, 0x8000_2000_u32.to_be_bytes().to_vec())];
    let text = vec![(attr::ENUM_TEXT, vec![0, 4, b'5', b'0', b'1', b'c'])];
    for (partition, code, attributes, told) in [
        (129, 123, walk, "MDC_HF_SESSION MDC_HF_ACTIVITY_TIME"),
        (129, 103, steps, "VW_STEPS"),
        (130, 1, fall, "MDC_AI_TYPE_SENSOR_FALL VW_FALL"),
        (130, 13_315, text, "MDC_AI_MED_FEEDBACK"),
        (130, 13_312, vec![(attr::NU_BASIC, vec![0, 2])], "MDC_AI_MED_DISPENSED_FIXED"),
        (2, 21_512, vec![(attr::UNIT, 3072_u16.to_be_bytes().to_vec()), (attr::NU_BASIC, vec![1, 0x90])], "MDC_FLOW_AWAY_EXP_FORCED_PEAK"),
    ] {
        let objects = vec![Object { class: 5, handle: 1, attributes: vec![kind(partition, code)] }];
        let configuration = Configuration { id: 0x4000, objects };
        let observation = Observation { person: None, object: 1, attributes };
        let meaning = wire_phd::measure::measure(&observation, &configuration, &Clock::new(TimeZone::UTC));
        assert_eq!(meaning.problems, [], "{told}");
        let metrics: Vec<String> = meaning.measurements.iter().map(|one| one.metric.refid()).collect();
        assert_eq!(metrics.join(" "), told);
    }
}

/// Every combination of doubts with every special value: what is doubtful is marked, what is no
/// number is a problem.
#[test]
fn every_doubt_and_every_special_value() {
    let configuration = sensor();
    let clock = Clock::new(TimeZone::UTC);
    let values: Vec<Sfloat> =
        Special::ALL.into_iter().map(Sfloat::from).chain([Sfloat::new(7, 0).expect("seven")]).collect();
    for status in 0..=u16::MAX {
        let value = values[usize::from(status) % values.len()];
        let attributes =
            vec![(attr::NU_BASIC, value.bits().to_be_bytes().to_vec()), (attr::STATUS, status.to_be_bytes().to_vec())];
        let observation = Observation { person: None, object: 1, attributes };
        let meaning = wire_phd::measure::measure(&observation, &configuration, &clock);
        match value.value() {
            Err(_) => assert_eq!((meaning.measurements.len(), meaning.problems.len()), (0, 1), "{status:04x}"),
            Ok(_) => {
                let quality = meaning.measurements[0].quality;
                assert_eq!(quality.contains(Quality::INVALID), status & 0xa000 != 0, "{status:04x}");
                assert_eq!(quality.contains(Quality::QUESTIONABLE), status & 0x4040 != 0, "{status:04x}");
                assert_eq!(quality.contains(Quality::CALIBRATING), status & 0x1000 != 0, "{status:04x}");
                assert_eq!(quality.contains(Quality::TEST), status & 0x0c00 != 0, "{status:04x}");
            }
        }
    }
}

fn attributes() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> + Clone {
    prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..9)), 0..4)
}

fn messages() -> impl Strategy<Value = Message> {
    let event = (any::<u16>(), any::<u32>(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..20))
        .prop_map(|(object, time, kind, info)| Event { object, time, kind, info });
    let action = (any::<u16>(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..20))
        .prop_map(|(object, kind, info)| Action { object, kind, info });
    let change = (0_u16..4, any::<u16>(), prop::collection::vec(any::<u8>(), 0..9));
    prop_oneof![
        (any::<bool>(), event.clone()).prop_map(|(confirmed, event)| Message::Event { confirmed, event }),
        (any::<u16>(), prop::collection::vec(any::<u16>(), 0..5))
            .prop_map(|(object, attributes)| Message::Get { object, attributes }),
        (any::<bool>(), any::<u16>(), prop::collection::vec(change, 0..3))
            .prop_map(|(confirmed, object, changes)| Message::Set { confirmed, object, changes }),
        (any::<bool>(), action.clone()).prop_map(|(confirmed, action)| Message::Action { confirmed, action }),
        event.prop_map(Message::EventTaken),
        (any::<u16>(), attributes()).prop_map(|(object, attributes)| Message::Attributes { object, attributes }),
        (any::<u16>(), attributes()).prop_map(|(object, attributes)| Message::Changed { object, attributes }),
        action.prop_map(Message::Done),
        (any::<u16>(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(code, more)| Message::Error(code, more)),
        any::<u16>().prop_map(Message::Reject),
    ]
}

fn apdus() -> impl Strategy<Value = Apdu> {
    let association = (any::<[u32; 4]>(), any::<[u16; 3]>(), prop::collection::vec(any::<u8>(), 0..9), any::<[u8; 2]>(), attributes())
        .prop_map(|(long, short, system_id, request_counts, options)| {
            Protocol::Phd(Association {
                protocol_version: long[0],
                encoding_rules: short[0],
                nomenclature_version: long[1],
                functional_units: long[2],
                system_type: long[3],
                system_id,
                configuration: short[1],
                request_modes: short[2],
                request_counts,
                options,
            })
        })
        .boxed();
    let result = prop::sample::select(wire_phd::apdu::AssociateResult::ALL.to_vec());
    prop_oneof![
        (any::<u32>(), prop::collection::vec(association.clone(), 0..3))
            .prop_map(|(version, protocols)| Apdu::AssociationRequest { version, protocols }),
        (result, association).prop_map(|(result, protocol)| Apdu::AssociationResponse { result, protocol }),
        any::<u16>().prop_map(Apdu::ReleaseRequest),
        any::<u16>().prop_map(Apdu::ReleaseResponse),
        any::<u16>().prop_map(Apdu::Abort),
        (any::<u16>(), messages()).prop_map(|(invoke, message)| Apdu::Data(Data { invoke, message })),
    ]
}

fn selections() -> impl Strategy<Value = Selection> {
    prop_oneof![
        Just(Selection::All),
        prop::collection::vec(any::<u16>(), 0..5).prop_map(Selection::These),
        any::<([u8; 8], [u8; 8])>().prop_map(|(from, to)| Selection::Between(from, to)),
        any::<([u8; 8], [u8; 8])>().prop_map(|(from, to)| Selection::BetweenOffsets(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_apdu_reads_as_it_was_written(apdu in apdus()) {
        let bytes = apdu.encode();
        prop_assert_eq!(Apdu::decode(&bytes), Ok(apdu));
        for cut in 0..bytes.len() {
            prop_assert!(Apdu::decode(&bytes[..cut]).is_err());
        }
        prop_assert!(Apdu::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn every_selection_and_event_reads_as_it_was_written(
        selection in selections(),
        numbers in any::<(u16, u32, u32, u16)>(),
        entries in prop::collection::vec(any::<u8>(), 0..40),
        told in prop::collection::vec((any::<u16>(), attributes()), 0..4),
    ) {
        let bytes = selection.encode();
        prop_assert_eq!(Selection::decode(&bytes), Ok(selection));
        for cut in 0..bytes.len() {
            prop_assert!(Selection::decode(&bytes[..cut]).is_err());
        }
        let (segment, index, count, status) = numbers;
        let description = Description { segment, index, count, status };
        prop_assert_eq!(Description::decode(&description.encode()), Ok(description));
        let event = store::put_event(&description, &entries);
        prop_assert_eq!(store::event(&event), Ok((description, &entries[..])));
        for cut in 0..event.len() {
            prop_assert!(store::event(&event[..cut]).is_err());
        }
        let list = store::put_segments(&told);
        prop_assert_eq!(store::segments(&list), Ok(told));
    }

    #[test]
    fn any_bytes_to_an_agent(bytes in prop::collection::vec(any::<u8>(), 0..60), apdu in apdus()) {
        let mut agent = Agent::new(profile(vec![vec![entry(0, 1, 0)]]));
        agent.step(Does::Connected, 0);
        agent.step(Does::Associate, 0);
        agent.step(Does::Apdu(&bytes), 0);
        agent.step(Does::Connected, 0);
        agent.step(Does::Associate, 0);
        agent.step(Does::Apdu(&apdu.encode()), 0);
        agent.step(Does::Tick, i64::MAX);
    }

    /// However often the line breaks, what the device keeps as confirmed was learned, and nothing is
    /// cleared on it that was not.
    #[test]
    fn stores_survive_broken_lines(
        counts in prop::collection::vec(0_usize..60, 0..4),
        breaks in prop::collection::vec(0_usize..40, 0..6),
    ) {
        let entries = |(at, count): (usize, usize)| -> Vec<Vec<u8>> {
            (0..count).map(|one| entry(one as u32, (at * 100 + one) as i32, 0)).collect()
        };
        let mut all: Vec<f64> = counts.iter().enumerate()
            .flat_map(|(at, count)| (0..*count).map(move |one| (at * 100 + one) as f64)).collect();
        let mut line = Line::new(profile(counts.into_iter().enumerate().map(entries).collect()), settings());
        for left in breaks.into_iter().chain([usize::MAX]) {
            line.left = left;
            line.connect();
            let held = line.agent.profile().stores[0].segments.iter().flat_map(|(_, entries)| entries).count();
            let mut learned: Vec<i64> = values(&line).into_iter().map(|value| value as i64).collect();
            learned.sort_unstable();
            learned.dedup();
            prop_assert!(learned.len() + held >= all.len(), "{} and {held} of {}", learned.len(), all.len());
        }
        let mut learned = values(&line);
        learned.sort_by(f64::total_cmp);
        learned.dedup();
        all.sort_by(f64::total_cmp);
        prop_assert_eq!(learned, all);
    }
}

fn values(line: &Line) -> Vec<f64> {
    let glucose = line.meanings().into_iter().filter(|meaning| meaning.object == 1);
    let number = |meaning: &Meaning| match meaning.measurements[0].value {
        Value::Numeric(value) => value,
        _ => f64::NAN,
    };
    glucose.map(number).collect()
}
