//! What all tests of the engine share: a journal that is written by hand, and runs of it.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;

use alert::{ChangeKind, Policy};
use engine::{AlertRecord, Effect, Engine};
use vitals::metric::code;
use vitals::time::SECOND;
use vitals::{
    Action, Actor, Content, DeviceId, DeviceTime, EpisodeId, Event, Measurement, Message,
    MetricCode, Offset, Origin, PatientId, PatientRef, Protocol, Quality, Reading, ReceiveTime,
    Role, TimeBase, Unit, Value,
};

/// 2026-01-01T00:00:00Z in seconds: second 0 of every test.
pub const BEGIN_S: i64 = 1_767_225_600;

/// A second of the test as our time.
pub fn at(second: f64) -> ReceiveTime {
    ReceiveTime(BEGIN_S * SECOND + (second * 1e6).round() as i64)
}

pub fn device(name: &str) -> DeviceId {
    DeviceId::new(name).expect("test ids are valid")
}

pub fn patient(name: &str) -> PatientId {
    PatientId::from_identifier("urn:mrn", name)
}

pub fn named(name: &str) -> PatientRef {
    let value = name.to_owned();
    let identifier = vitals::Identifier { system: "urn:mrn".into(), value, kind: "MR".into() };
    PatientRef { id: patient(name), identifiers: vec![identifier], name: None }
}

pub fn nurse() -> Actor {
    Actor { name: "kim".into(), role: Role::Nurse }
}

/// A message over MQTT, received at `received` seconds, of values that the device says to be of
/// `device_time` seconds.
pub fn message(name: &str, received: f64, device_time: Option<f64>, values: &[(MetricCode, f64)]) -> Message {
    let measurements = values
        .iter()
        .map(|(metric, value)| Measurement {
            metric: *metric,
            value: Value::Numeric(*value),
            unit: metric.metric().map_or(Unit::MMHG, |row| row.unit),
            device_time: device_time.map(|second| DeviceTime(at(second).0)),
            quality: Quality::empty(),
            channel: 0,
        })
        .collect();
    let reading = Reading { device: device(name), patient: None, measurements };
    Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: format!("vitalwire/{name}/measurements"),
            sender: name.to_owned(),
            message_id: String::new(),
            profile: "native".into(),
        },
        received: at(received),
        time_base: TimeBase::Live,
        payload: vec![1, 2, 3],
        content: vec![Content::Reading(reading)],
        problems: Vec::new(),
    }
}

/// The same as an event.
pub fn says(name: &str, second: f64, values: &[(MetricCode, f64)]) -> Event {
    Event::Message(message(name, second, Some(second), values))
}

pub fn associate(name: &str, who: &str, since: Option<f64>) -> Event {
    let since = since.map(|second| vitals::EffectiveTime(at(second).0));
    act(Action::Associate { device: device(name), patient: patient(who), since })
}

pub fn act(action: Action) -> Event {
    Event::Action(nurse(), action)
}

/// A running engine with what it has concluded.
pub struct Run {
    pub engine: Engine,
    pub entries: Vec<(ReceiveTime, Event)>,
    pub alerts: Vec<(Offset, AlertRecord)>,
    pub effects: Vec<(Offset, Effect)>,
    ticked: f64,
}

impl Run {
    pub fn new() -> Self {
        Self::with(Policy::built_in())
    }

    pub fn with(policy: Policy) -> Self {
        Self {
            engine: Engine::new(policy),
            entries: Vec::new(),
            alerts: Vec::new(),
            effects: Vec::new(),
            ticked: -0.5,
        }
    }

    /// Takes in an event at a second; time passes in ticks of half a second until then.
    pub fn at(&mut self, second: f64, event: Event) {
        self.wait_until(second);
        self.step(at(second), event);
    }

    /// Lets time pass.
    pub fn wait_until(&mut self, second: f64) {
        while self.ticked + 0.5 <= second {
            self.ticked += 0.5;
            self.step(at(self.ticked), Event::Tick);
        }
    }

    /// The platform is away until `second`: nothing is in the journal.
    pub fn away_until(&mut self, second: f64) {
        self.ticked = second;
    }

    pub fn step(&mut self, at: ReceiveTime, event: Event) {
        let offset = self.entries.len() as Offset;
        let mut out = Vec::new();
        self.engine.step(offset, at, &event, &mut out);
        self.entries.push((at, event));
        for effect in out {
            if let Effect::Alert(record) = &effect {
                self.alerts.push((offset, (**record).clone()));
            }
            self.effects.push((offset, effect));
        }
    }

    /// What happened to alerts, with the second of the test.
    pub fn story(&self) -> Vec<(f64, ChangeKind)> {
        story(&self.alerts)
    }

    /// The only open alert.
    pub fn open(&self, who: &str) -> alert::Episode {
        let open = self.engine.patient(&patient(who)).map(|p| p.episodes.open().to_vec());
        let mut open = open.unwrap_or_default();
        assert_eq!(open.len(), 1, "one open alert of {who}: {open:#?}");
        open.remove(0)
    }

    pub fn acknowledge(&mut self, second: f64, episode: EpisodeId, until: Option<f64>) {
        let until = until.map(at);
        self.at(second, act(Action::Acknowledge { episode, until, note: "seen".into() }));
    }

    /// Whether the value may be shown as the present one.
    pub fn usable(&self, who: &str, metric: MetricCode) -> Option<f64> {
        let state = self.engine.patient(&patient(who))?;
        let clock = state.clock.max(self.engine.now().0);
        state.values.usable(metric, clock).map(|current| current.value)
    }

    /// Everything stored, as `(subject, device, metric, value, time)` in order of arrival.
    pub fn stored(&self) -> Vec<(Option<PatientId>, DeviceId, MetricCode, f64, f64)> {
        let mut keys = BTreeMap::new();
        let mut stored = Vec::new();
        for (_, effect) in &self.effects {
            match effect {
                Effect::SeriesOpened(id, key) => drop(keys.insert(*id, key.clone())),
                Effect::Point(id, point) => {
                    let key = keys.get(id).expect("a series is opened before it is used");
                    let second = (point.time.0 - BEGIN_S * SECOND) as f64 / 1e6;
                    stored.push((key.subject.clone(), key.device.clone(), key.metric, point.value, second));
                }
                _ => {}
            }
        }
        stored
    }
}

pub fn story(alerts: &[(Offset, AlertRecord)]) -> Vec<(f64, ChangeKind)> {
    alerts
        .iter()
        .map(|(_, record)| ((record.at.0 - BEGIN_S * SECOND) as f64 / 1e6, record.kind))
        .collect()
}

/// How often something of this kind happened.
pub fn count(alerts: &[(Offset, AlertRecord)], kind: ChangeKind) -> usize {
    alerts.iter().filter(|(_, record)| record.kind == kind).count()
}

/// A well patient's values.
pub const WELL: [(MetricCode, f64); 3] =
    [(code::HEART_RATE, 78.0), (code::SPO2, 97.0), (code::RESP_RATE, 15.0)];

/// What a journal concludes when it is taken in with a crash and a restart: committed up to `cut`,
/// gone on to `crash`, restored from what was committed, gone on to the end.
pub struct Concluded {
    pub effects: Vec<String>,
    pub parts: BTreeMap<String, Vec<u8>>,
}

/// Takes a journal in. At each offset in `cuts` what is known is committed; at each second of them
/// the process crashes a few entries later and begins again from there.
pub fn take_in(entries: &[(ReceiveTime, Event)], cuts: &[usize]) -> Concluded {
    let mut engine = Engine::new(Policy::built_in());
    let mut parts = BTreeMap::new();
    let mut effects: Vec<String> = Vec::new();
    let mut out = Vec::new();
    let mut step = |engine: &mut Engine, offset: usize, effects: &mut Vec<String>| {
        let (at, event) = &entries[offset];
        engine.step(offset as Offset, *at, event, &mut out);
        effects.extend(out.drain(..).map(|effect| format!("{offset} {effect:?}")));
    };
    let commit = |engine: &mut Engine, parts: &mut BTreeMap<String, Vec<u8>>| {
        for (name, bytes) in engine.snapshot().into_iter().map(|(name, part)| (name, part.bytes())) {
            if bytes.is_empty() { parts.remove(&name) } else { parts.insert(name, bytes) };
        }
    };
    for offset in 0..entries.len() {
        if let Some(at) = cuts.iter().position(|cut| *cut == offset) {
            commit(&mut engine, &mut parts);
            // What was concluded after the commit is lost with the process.
            let lost = if at % 2 == 1 { 5 } else { 0 };
            for offset in offset..(offset + lost).min(entries.len()) {
                step(&mut engine, offset, &mut Vec::new());
            }
            engine = Engine::new(Policy::built_in());
            engine.restore(parts.clone()).expect("a state of this program");
        }
        step(&mut engine, offset, &mut effects);
    }
    commit(&mut engine, &mut parts);
    let whole: BTreeMap<String, Vec<u8>> = engine.whole_state().into_iter().collect();
    let missed = parts.iter().chain(&whole).find(|(name, _)| parts.get(*name) != whole.get(*name));
    assert_eq!(missed.map(|(name, _)| name), None, "a part changed and was not saved");
    Concluded { effects, parts }
}

/// The first difference between two runs, if there is one.
pub fn difference(a: &Concluded, b: &Concluded) -> Option<String> {
    let differs = a.effects.iter().zip(&b.effects).find(|(a, b)| a != b);
    if let Some((a, b)) = differs {
        return Some(format!("effects differ:\n{a}\n{b}"));
    }
    if a.effects.len() != b.effects.len() {
        return Some(format!("{} effects, {} effects", a.effects.len(), b.effects.len()));
    }
    let names = a.parts.keys().chain(b.parts.keys());
    let part = names.into_iter().find(|name| a.parts.get(*name) != b.parts.get(*name))?;
    let (a, b) = (a.parts.get(part)?, b.parts.get(part)?);
    let place = a.iter().zip(b).position(|(a, b)| a != b);
    if part.starts_with("patient/") {
        let read = |bytes: &[u8]| -> String {
            let state: engine::PatientState = postcard::from_bytes(&bytes[1..]).expect("a state");
            format!("{state:#?}")
        };
        let (a, b) = (read(a), read(b));
        let lines: Vec<_> = a.lines().zip(b.lines()).collect();
        let place = lines.iter().position(|(a, b)| a != b)?;
        let from = place.saturating_sub(25);
        let told: Vec<_> = lines[from..(place + 3).min(lines.len())].iter().map(|(a, _)| *a).collect();
        return Some(format!("{part}:\n{}\nbut {}", told.join("\n"), lines[place].1));
    }
    Some(format!("state `{part}` differs at byte {place:?}: {} bytes, {} bytes", a.len(), b.len()))
}
