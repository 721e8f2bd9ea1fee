//! Habits on the traffic of the virtual ward: what is detected, and how often nothing was the matter.
//!
//! The thresholds were chosen on made-up examples (`src/habit/tests.rs`), not on this ward. More beds, more
//! hours, another ward: `SEED=12 VITALWIRE_WARD=100x24 cargo test --release -p fleet --test ward -- --nocapture`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use fleet::habit::{Break, Habits, Heard};
use mapping::{Profiles, RawMessage};
use sim::ward::{Outgoing, Protocols, WEARABLE_PROFILE, Ward, WardConfig};
use vitals::{Content, DeviceId, DeviceTime, Measurement, ReceiveTime, Value};

const START_US: i64 = 1_767_225_600_000_000;
const HOUR_S: u64 = 3_600;

/// Which attack each of the first devices suffers in the last hour.
const ATTACKS: [Break; 7] =
    [Break::Rate, Break::Kind, Break::Clock, Break::Stuck, Break::Jumps, Break::Copy, Break::Address];

struct House {
    habits: Habits,
    profiles: Profiles,
    victims: Vec<DeviceId>,
    last: HashMap<DeviceId, Vec<Measurement>>,
    values: HashMap<(DeviceId, vitals::MetricCode, u32), Value>,
}

impl House {
    fn hear(&mut self, device: &DeviceId, second: u64, measurements: &[Measurement], attacked: bool) {
        let now_us = START_US + second as i64 * 1_000_000;
        let attack = self.victims.iter().position(|v| v == device).filter(|_| attacked).and_then(|at| ATTACKS.get(at).copied());
        let mut measurements = measurements.to_vec();
        // Waveforms come in messages of their own.
        let numeric = measurements.iter().any(|m| matches!(m.value, Value::Numeric(_)));
        let (mut address, mut times) = (IpAddr::from([10, 0, 0, 1]), 1);
        match attack {
            Some(Break::Rate) => times = 12,
            Some(Break::Kind) => measurements.iter_mut().for_each(|m| m.metric = vitals::MetricCode(m.metric.0 ^ 0x7_0000)),
            Some(Break::Clock) => {
                measurements.iter_mut().for_each(|m| m.device_time = m.device_time.map(|t| DeviceTime(t.0 + 90_000_000)));
            }
            Some(Break::Stuck) if numeric => {
                // As they were when it hung, those too that were not in its last message.
                for m in &mut measurements {
                    if let Some(old) = self.values.get(&(device.clone(), m.metric, m.channel)) {
                        m.value = old.clone();
                    }
                }
            }
            Some(Break::Jumps) if second % 2 == 0 => {
                for m in &mut measurements {
                    if let Value::Numeric(value) = &mut m.value { *value = *value * 3.0 + 50.0 }
                }
            }
            Some(Break::Copy) if numeric => {
                // The last device of the list has spoken already this second.
                if let Some(others) = self.victims.last().and_then(|other| self.last.get(other)) {
                    measurements.clone_from(others);
                }
            }
            Some(Break::Address) => address = IpAddr::from([172, 16, 0, 9]),
            _ => {}
        }
        if attack != Some(Break::Stuck) && numeric {
            self.last.insert(device.clone(), measurements.clone());
            for m in &measurements {
                self.values.insert((device.clone(), m.metric, m.channel), m.value.clone());
            }
        }
        for part in 0..times {
            let received_us = now_us + part * 50_000;
            let (address, measurements) = (Some(address), measurements.as_slice());
            self.habits.hear(&Heard { device, topic: "measurements", address, received_us, measurements });
        }
    }

    fn readings(&self, second: u64, what: &Outgoing) -> Vec<(DeviceId, Vec<Measurement>)> {
        let Outgoing::Publish { topic, content_type, payload } = what else { return Vec::new() };
        let received = ReceiveTime(START_US + second as i64 * 1_000_000);
        let raw = RawMessage { topic, payload, content_type: Some(*content_type), received };
        let content = self.profiles.map(&raw).content.into_iter();
        content
            .filter_map(|content| match content {
                Content::Reading(reading) => Some((reading.device, reading.measurements)),
                Content::Directory(_) | Content::Alarm(_) => None,
            })
            .collect()
    }
}

fn size() -> (usize, u64) {
    let given = std::env::var("VITALWIRE_WARD").ok();
    let pair = given.as_deref().and_then(|text| text.split_once('x'));
    pair.and_then(|(beds, hours)| Some((beds.parse().ok()?, hours.parse().ok()?))).unwrap_or((8, 2))
}

fn seed() -> u64 {
    std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(11)
}

#[test]
fn attacks_are_seen_and_ordinary_days_are_not() {
    let (beds, hours) = size();
    let protocols = Protocols { mqtt_json: 1, mqtt_cbor: 1, mllp: 0, wearable: 0 };
    let config = WardConfig { beds, home_patients: 0, seed: seed(), speed: 1.0, protocols, ..WardConfig::default() };
    let source = ("wearable.toml".to_owned(), WEARABLE_PROFILE.to_owned());
    let mut ward = Ward::new(&config);
    let mut house = House {
        habits: Habits::default(),
        profiles: Profiles::compile(&[source]).0,
        victims: Vec::new(),
        last: HashMap::new(),
        values: HashMap::new(),
    };
    let (mut told, mut false_alarms) = (BTreeMap::<Break, u64>::new(), Vec::new());
    let mut devices = BTreeSet::new();
    for second in 0..hours * HOUR_S {
        let traffic = ward.tick(second, START_US + second as i64 * 1_000_000);
        let attacked = second >= (hours - 1) * HOUR_S;
        let mut heard: Vec<_> = traffic.iter().flat_map(|(_, what)| house.readings(second, what)).collect();
        heard.sort_by(|a, b| b.0.cmp(&a.0));
        for (device, measurements) in heard {
            devices.insert(device.clone());
            house.hear(&device, second, &measurements, attacked);
        }
        if second == 60 {
            // The attacked ones, and one more that is copied: by id, the copied one speaks first.
            house.victims = devices.iter().filter(|d| d.as_str().contains("mon")).take(ATTACKS.len() + 1).cloned().collect();
            assert_eq!(house.victims.len(), ATTACKS.len() + 1, "{devices:?}");
        }
        for finding in house.habits.take().0 {
            let own = house.victims.iter().position(|v| *v == finding.device).and_then(|at| ATTACKS.get(at));
            match own {
                Some(attack) if attacked && *attack == finding.kind => {
                    told.entry(finding.kind).or_insert(second - (hours - 1) * HOUR_S);
                }
                // An attack breaks more than one habit.
                Some(_) if attacked => {}
                _ => false_alarms.push(finding),
            }
        }
    }
    let days = devices.len() as f64 * hours as f64 / 24.0;
    println!("{} devices, {hours} hours, {} false alarms: {:.3} a device-day", devices.len(), false_alarms.len(), false_alarms.len() as f64 / days);
    for alarm in &false_alarms {
        println!("  {} at {} s {}: {} / {}", alarm.device, (alarm.at_us - START_US) / 1_000_000, alarm.kind.name(), alarm.usual, alarm.seen);
    }
    for attack in ATTACKS {
        println!("  {}: told after {:?} s", attack.name(), told.get(&attack));
    }
    let missed: Vec<_> = ATTACKS.iter().filter(|attack| !told.contains_key(attack)).collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
    assert!(false_alarms.len() as f64 <= 0.5 * days, "{false_alarms:?}");
}
