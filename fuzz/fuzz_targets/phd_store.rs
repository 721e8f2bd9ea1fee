//! Any bytes to both halves of IEEE 11073-20601: to a device with a store of episodes, and to its
//! manager, who takes the segments. The first byte says to whom, the second how long the next APDU
//! is; what each side sends in answer goes to the other. Nothing panics, what each sends can be read,
//! and the messages of stores read as they were written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_phd::Apdu;
use wire_phd::agent::{Agent, Input as Does, Output as Did, Profile, Store};
use wire_phd::config::{Configuration, Object, attr};
use wire_phd::manager::{Input, Manager, Output};
use wire_phd::store::{self, Description, Segment, Selection};

/// Answers that follow from one APDU, at most.
const ANSWERS: usize = 64;

fn profile() -> Profile {
    let elements = vec![(1, vec![(attr::NU_BASIC, 2)])];
    let segment = Segment { number: 0, person: None, usage: None, timeout: None, header: 0x8000, elements };
    let entries = vec![vec![0x20, 0x26, 0x11, 0x22, 1, 2, 3, 0, 0, 99]; 30];
    let kind = (attr::TYPE, vec![0, 2, 0x71, 0xb8]);
    let objects = vec![
        Object { class: 6, handle: 1, attributes: vec![kind] },
        Object { class: store::CLASS, handle: 2, attributes: Vec::new() },
    ];
    Profile {
        system_id: vec![1; 8],
        configuration: Configuration { id: 0x4000, objects },
        mds: vec![(attr::TIME_INFO, [&[0x40, 0x10][..], &[0; 14]].concat())],
        stores: vec![Store { object: 2, segments: vec![(segment, entries)] }],
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(selection) = Selection::decode(bytes) {
        // Of "all" comes a number that means nothing, and is not kept.
        assert_eq!(Selection::decode(&selection.encode()), Ok(selection));
    }
    if let Ok((description, entries)) = store::event(bytes) {
        assert_eq!(store::put_event(&description, entries), bytes);
        assert_eq!(Description::decode(&description.encode()), Ok(description));
    }
    if let Ok(segments) = store::segments(bytes) {
        assert_eq!(store::put_segments(&segments), bytes);
        for (number, attributes) in &segments {
            if let Ok(segment) = Segment::read(*number, attributes) {
                let _ = segment.entries(3, bytes);
            }
        }
    }
    let mut agent = Agent::new(profile());
    let mut manager = Manager::new([1; 8], 60);
    manager.step(Input::Connected, 0);
    agent.step(Does::Connected, 0);
    let mut waiting: Vec<(bool, Vec<u8>)> = device(agent.step(Does::Associate, 0));
    let mut rest = bytes;
    let mut now = 0;
    loop {
        for _ in 0..ANSWERS {
            if waiting.is_empty() {
                break;
            }
            let (to_device, apdu) = waiting.remove(0);
            assert!(Apdu::decode(&apdu).is_ok());
            waiting.extend(match to_device {
                true => device(agent.step(Does::Apdu(&apdu), now)),
                false => managed(manager.step(Input::Apdu(&apdu), now)),
            });
        }
        waiting.clear();
        let [whom, length, tail @ ..] = rest else { break };
        let (apdu, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        now += 1_000_000;
        waiting.push((whom % 2 == 0, apdu.to_vec()));
        if Apdu::decode(apdu).is_err() {
            let (to_device, apdu) = waiting.remove(0);
            if to_device {
                waiting.extend(device(agent.step(Does::Apdu(&apdu), now)));
            } else {
                waiting.extend(managed(manager.step(Input::Apdu(&apdu), now)));
            }
        }
        waiting.extend(device(agent.step(Does::Associate, now)));
        waiting.extend(managed(manager.step(Input::Tick, now)));
    }
});

/// What a device sends goes to its manager.
fn device(outputs: Vec<Did>) -> Vec<(bool, Vec<u8>)> {
    let sent = |output| if let Did::Send(bytes) = output { Some((false, bytes)) } else { None };
    outputs.into_iter().filter_map(sent).collect()
}

fn managed(outputs: Vec<Output>) -> Vec<(bool, Vec<u8>)> {
    let sent = |output| if let Output::Send(bytes) = output { Some((true, bytes)) } else { None };
    outputs.into_iter().filter_map(sent).collect()
}
