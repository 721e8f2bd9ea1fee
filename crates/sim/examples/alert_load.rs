//! How many alerts a bed has in a day: the virtual ward, second by second in simulated time,
//! through the platform's own codecs and engine, without a socket.
//!
//! `cargo run --release -p sim --example alert_load -- [HOURS] [BEDS] [SEED] [--list]`

use std::collections::BTreeMap;

use alert::{ChangeKind, ConditionKey, Policy};
use engine::{AlertRecord, Effect, Engine};
use mapping::{Profiles, RawMessage};
use sim::scenario::Scenario;
use sim::ward::{Errand, Outgoing, Sender, WEARABLE_PROFILE, Ward, WardConfig};
use vitals::time::HOUR;
use vitals::{
    Action, Actor, Content, DeviceId, Event, LocationId, Message, Origin, PatientId, Protocol,
    ReceiveTime, Role, TimeBase,
};

const START_US: i64 = 1_767_225_600_000_000;
/// Somebody takes an alert after this long, in microseconds.
const TAKEN_AFTER: i64 = 90_000_000;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (hours, beds, seed) = (number(0, 12), number(1, 24) as usize, number(2, 1));
    let config = WardConfig {
        beds,
        home_patients: 0,
        seed,
        speed: 1.0,
        chart_every_s: 3_600,
        transfer_every_s: Some(3 * 3_600),
        ..WardConfig::default()
    };
    let mut watch = Watch::new();
    let mut ward = Ward::new(&config);
    let scenarios: BTreeMap<String, Scenario> =
        ward.plan().residents.iter().map(|who| (who.id.to_string(), who.scenario)).collect();
    for (sender, what) in ward.opening(START_US) {
        watch.take(START_US, sender, &what, &ward);
    }
    for second in 0..hours * 3_600 {
        let now = START_US + second as i64 * 1_000_000;
        for (sender, what) in ward.tick(second, now) {
            watch.take(now + 950_000, sender, &what, &ward);
        }
        watch.step(now + 960_000, &Event::Tick);
        watch.take_alerts(now + 970_000);
    }
    let list = args.iter().any(|arg| arg == "--list");
    watch.report(hours as f64 * beds as f64 / 24.0, &scenarios, list);
}

struct Watch {
    engine: Engine,
    profiles: Profiles,
    offset: u64,
    values: u64,
    told: Vec<AlertRecord>,
}

impl Watch {
    fn new() -> Self {
        let source = ("wearable.toml".to_owned(), WEARABLE_PROFILE.to_owned());
        let (profiles, _) = Profiles::compile(&[source]);
        let engine = Engine::new(Policy::built_in());
        Self { engine, profiles, offset: 0, values: 0, told: Vec::new() }
    }

    fn step(&mut self, at: i64, event: &Event) {
        let mut out = Vec::new();
        self.engine.step(self.offset, ReceiveTime(at), event, &mut out);
        self.offset += 1;
        for effect in out {
            match effect {
                Effect::Alert(record) => self.told.push(*record),
                Effect::Point(..) => self.values += 1,
                _ => {}
            }
        }
    }

    fn take(&mut self, at: i64, sender: Sender, what: &Outgoing, ward: &Ward) {
        let received = ReceiveTime(at);
        let (protocol, content) = match what {
            Outgoing::Publish { topic, content_type, payload } => {
                let content_type = Some(*content_type);
                let raw = RawMessage { topic, payload, content_type, received };
                (Protocol::Mqtt, self.profiles.map(&raw).content)
            }
            Outgoing::Hl7(text) => {
                let read = wire_hl7::read(text.as_bytes(), received, &wire_hl7::Options::default());
                let content = read.messages.into_iter().flat_map(|inbound| inbound.message.content);
                (Protocol::Mllp, content.collect())
            }
            Outgoing::Request(errand) => return self.request(at, errand, ward),
            Outgoing::Vanish => return,
        };
        self.step(at, &message(protocol, format!("{sender:?}"), received, content));
    }

    /// What the platform's HTTP doors make of a request.
    fn request(&mut self, at: i64, errand: &Errand, ward: &Ward) {
        let named = errand.path.split('/').nth(4).unwrap_or_default();
        let device = DeviceId::sanitised(named);
        let field = |name: &str| errand.body.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let action = if errand.path.ends_with("/association") {
            let mrn = field("identifier").rsplit('|').next().unwrap_or_default();
            let Some(who) = ward.plan().residents.iter().find(|who| who.mrn == mrn) else { return };
            Action::Associate { device, patient: who.id.clone(), since: None }
        } else if errand.path.ends_with("/mount") {
            Action::Mount { device, location: LocationId::new(field("location")).ok() }
        } else if errand.path.ends_with("/spo2-scale") {
            let Ok(patient) = PatientId::new(named) else { return };
            Action::SetSpo2Scale { patient, scale: 2, reason: String::new() }
        } else if errand.path == "/fhir/Observation" {
            let Ok(resource) = wire_fhir::parse(errand.body.to_string().as_bytes()) else { return };
            let observed = wire_fhir::observation::read(&resource, "Observation");
            let content = observed.reading.into_iter().map(Content::Reading).collect();
            let chart = message(Protocol::Fhir, "chart".to_owned(), ReceiveTime(at), content);
            return self.step(at, &chart);
        } else {
            return;
        };
        self.step(at, &Event::Action(nurse(), action));
    }

    /// A nurse takes what has sounded for a while.
    fn take_alerts(&mut self, at: i64) {
        let sounding: Vec<_> = self
            .engine
            .directory()
            .patients()
            .filter_map(|patient| self.engine.patient(&patient.id))
            .flat_map(|state| state.episodes.open())
            .filter(|open| open.state.sounding() && at >= open.changed_at + TAKEN_AFTER)
            .map(|open| open.id)
            .collect();
        for episode in sounding {
            let action = Action::Acknowledge { episode, until: None, note: String::new() };
            self.step(at, &Event::Action(nurse(), action));
        }
    }

    fn report(&self, days: f64, scenarios: &BTreeMap<String, Scenario>, list: bool) {
        println!("{days} bed-days, {} entries, {} values", self.offset, self.values);
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let mut raised: BTreeMap<&str, (usize, BTreeMap<String, usize>)> = BTreeMap::new();
        for scenario in scenarios.values() {
            raised.entry(scenario.name()).or_default().0 += 1;
        }
        for record in &self.told {
            let (episode, kind) = (&record.episode, record.kind.name());
            let scenario = scenarios.get(record.patient.as_str()).map_or("?", |s| s.name());
            if list {
                let hour = (record.at.0 - START_US) as f64 / HOUR as f64;
                let priority = episode.priority.name();
                println!("{hour:7.3} h {scenario:18} {kind:12} {priority:6} {}", episode.reason);
            }
            *kinds.entry(format!("{kind}, {}", episode.priority.name())).or_default() += 1;
            if record.kind == ChangeKind::Raised {
                let what = match &episode.condition {
                    ConditionKey::Rule(id) => id.clone(),
                    ConditionKey::Limit(_) => episode.title.clone(),
                    ConditionKey::Gap(_) => "silence".to_owned(),
                    ConditionKey::Alarm(_) => episode.title.clone(),
                };
                let what = format!("{} {what}", episode.priority.name());
                *raised.entry(scenario).or_default().1.entry(what).or_default() += 1;
            }
        }
        println!("\na bed and day, by kind of change and priority:");
        for (kind, count) in kinds {
            println!("  {:8.2}  {kind} ({count})", count as f64 / days);
        }
        println!("\nalerts raised, by scenario (its beds) and most urgent condition:");
        for (scenario, (beds, what)) in raised {
            println!("  {scenario} ({beds}): {}", what.values().sum::<usize>());
            for (what, count) in what {
                println!("      {count:4}  {what}");
            }
        }
    }
}

fn nurse() -> Actor {
    Actor { name: "nurse".to_owned(), role: Role::Nurse }
}

fn message(protocol: Protocol, sender: String, received: ReceiveTime, content: Vec<Content>) -> Event {
    let (address, message_id, profile) = Default::default();
    Event::Message(Message {
        origin: Origin { protocol, address, sender, message_id, profile },
        received,
        time_base: TimeBase::Live,
        payload: Vec::new(),
        content,
        problems: Vec::new(),
    })
}
