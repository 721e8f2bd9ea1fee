//! Must-show 7 of foresight: a simulated patient who goes downhill stands on top of the worklist before
//! any alert is raised for them, with reasons that a nurse can read; what people decide about the advice
//! leaves a trace. Twenty-five bodies of the virtual ward in virtual time, through the engine.

use std::collections::BTreeMap;

use alert::pathway::{OfferKind, OfferState};
use engine::{Effect, Engine, PathwayRecord};
use sim::body::{Body, Constitution, Drives};
use sim::random::Random;
use vitals::metric::code;
use vitals::time::SECOND;
use vitals::{
    Action, Actor, Content, DeviceId, DeviceTime, Event, Look, Measurement, Message, MetricCode, Origin,
    PathwayDeed, PatientId, Protocol, Quality, Reading, ReceiveTime, Role, Sex, TimeBase, Value,
};

const BEGIN: i64 = 1_767_225_600 * SECOND;
const PATIENTS: usize = 25;
const HOUR_S: u64 = 3_600;

/// A ward under the engine, minute by minute.
struct Ward {
    engine: Engine,
    bodies: Vec<Body>,
    offset: u64,
    second: u64,
    /// When each patient's first alert was raised, in minutes.
    alerted: BTreeMap<PatientId, u64>,
    pathways: Vec<PathwayRecord>,
}

fn patient(at: usize) -> PatientId {
    PatientId::from_identifier("urn:mrn", &format!("{at}"))
}

fn device(at: usize) -> DeviceId {
    DeviceId::sanitised(&format!("monitor-{at}"))
}

fn kim() -> Actor {
    Actor { name: "kim".into(), role: Role::Nurse }
}

/// What illness does to the one who is going downhill: an infection that grows over hours.
fn illness(minutes: f64) -> Drives {
    let grown = ((minutes - 90.0) / 480.0).clamp(0.0, 1.0);
    Drives { infection: grown, resistance: 1.0 - 0.25 * grown, shunt: 0.12 * grown, ..Drives::default() }
}

impl Ward {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let bodies = (0..PATIENTS).map(|at| {
            let sex = if at % 2 == 0 { Sex::Female } else { Sex::Male };
            let age = random.between(30.0, 80.0);
            let person = Constitution::new(age, sex, false, &mut random);
            Body::new(person, random.fork(&format!("{at}")))
        });
        let bodies = bodies.collect();
        let engine = Engine::new(alert::Policy::built_in());
        let mut ward = Self { engine, bodies, offset: 0, second: 0, alerted: BTreeMap::new(), pathways: Vec::new() };
        for at in 0..PATIENTS {
            let since = Some(vitals::EffectiveTime(BEGIN));
            ward.step(Event::Action(kim(), Action::Associate { device: device(at), patient: patient(at), since }));
            ward.step(Event::Action(kim(), Action::Seen { patient: patient(at), how: Look::Bedside }));
        }
        ward
    }

    fn now(&self) -> ReceiveTime {
        ReceiveTime(BEGIN + self.second as i64 * SECOND)
    }

    fn step(&mut self, event: Event) {
        let mut out = Vec::new();
        self.engine.step(self.offset, self.now(), &event, &mut out);
        self.offset += 1;
        for effect in out {
            match effect {
                Effect::Alert(record) => {
                    self.alerted.entry(record.patient.clone()).or_insert(self.second / 60);
                }
                Effect::Pathway(record) => self.pathways.push(*record),
                _ => {}
            }
        }
    }

    /// Lets a minute pass: every monitor speaks once, the cuff every quarter of an hour.
    fn minute(&mut self, ill: usize) {
        let minute = self.second / 60;
        for at in 0..PATIENTS {
            let drives = if at == ill { illness(minute as f64) } else { Drives::default() };
            for _ in 0..60 {
                self.bodies[at].step(&drives, 12.0);
            }
            let now = self.bodies[at].vitals();
            let mut values = vec![
                (code::HEART_RATE, now.heart_rate.round()),
                (code::SPO2, now.spo2.round()),
                (code::RESP_RATE, now.resp_rate.round()),
            ];
            if minute % 15 == 0 {
                values.push((code::NIBP_SYS, now.systolic.round()));
                values.push((code::TEMPERATURE, (now.temperature * 10.0).round() / 10.0));
                values.push((code::CONSCIOUSNESS, 0.0));
                values.push((code::SUPPLEMENTAL_OXYGEN, 0.0));
            }
            let message = self.message(at, &values);
            self.step(Event::Message(message));
        }
        for _ in 0..12 {
            self.second += 5;
            self.step(Event::Tick);
        }
    }

    fn message(&self, at: usize, values: &[(MetricCode, f64)]) -> Message {
        let measurements = values.iter().map(|(metric, value)| Measurement {
            metric: *metric,
            value: Value::Numeric(*value),
            unit: metric.metric().expect("in the table").unit,
            device_time: Some(DeviceTime(self.now().0)),
            quality: Quality::empty(),
            channel: 0,
        });
        let reading = Reading { device: device(at), patient: None, measurements: measurements.collect() };
        Message {
            origin: Origin {
                protocol: Protocol::Mqtt,
                address: String::new(),
                sender: device(at).to_string(),
                message_id: String::new(),
                profile: "native".into(),
            },
            received: self.now(),
            time_base: TimeBase::Live,
            payload: Vec::new(),
            content: vec![Content::Reading(reading)],
            problems: Vec::new(),
        }
    }

    /// The worklist as the API gives it.
    fn order(&self) -> Vec<PatientId> {
        let mut lines: Vec<_> = (0..PATIENTS).filter_map(|at| self.engine.patient_view(&patient(at))).collect();
        lines.sort_by(|a, b| a.standing.before(&b.standing).then(a.patient.id.cmp(&b.patient.id)));
        lines.into_iter().map(|line| line.patient.id).collect()
    }

    fn reasons(&self, who: &PatientId) -> Vec<String> {
        let view = self.engine.patient_view(who).expect("known");
        view.standing.reasons.iter().map(|reason| reason.text.clone()).collect()
    }

    fn decide(&mut self, who: &PatientId, pathway: &str, deed: PathwayDeed) {
        let (patient, pathway) = (who.clone(), pathway.to_owned());
        self.step(Event::Action(kim(), Action::Pathway { patient, pathway, deed }));
    }
}

/// Runs until somebody's first alert, or ten hours; gives since when the ill one has been on top
/// without a break, and the reasons just before.
fn until_alerted(ward: &mut Ward, ill: usize) -> (Option<u64>, Vec<String>) {
    let who = patient(ill);
    let (mut on_top_since, mut reasons) = (None, Vec::new());
    while ward.second < 10 * HOUR_S && !ward.alerted.contains_key(&who) {
        ward.minute(ill);
        if ward.alerted.contains_key(&who) {
            break;
        }
        reasons = ward.reasons(&who);
        let top = ward.order().first() == Some(&who);
        on_top_since = on_top_since.or(Some(ward.second / 60)).filter(|_| top);
    }
    (on_top_since, reasons)
}

#[test]
fn must_show_7_a_deteriorating_patient_is_on_top_before_any_alert() {
    for seed in [7, 8, 9] {
        let ill = (seed as usize * 5) % PATIENTS;
        let mut ward = Ward::new(seed);
        let (since, reasons) = until_alerted(&mut ward, ill);
        let alerted = ward.alerted.get(&patient(ill)).copied();
        println!("seed {seed}: on top since minute {since:?}, first alert in minute {alerted:?}: {reasons:#?}");
        let alerted = alerted.unwrap_or_else(|| panic!("seed {seed}: the patient is never alerted"));
        let since = since.unwrap_or_else(|| panic!("seed {seed}: not on top before the alert"));
        assert!(alerted - since >= 15, "seed {seed}: on top for {} minutes before the alert", alerted - since);
        let trend = reasons.iter().find(|text| text.contains(" over ") && text.contains('→'));
        assert!(trend.is_some(), "seed {seed}: a trend in words: {reasons:?}");
    }
}

#[test]
fn must_show_7_declined_and_followed_advice_leave_a_trace() {
    let (seed, ill) = (7, 3);
    println!("seed {seed}");
    let mut ward = Ward::new(seed);
    let who = patient(ill);
    while ward.second < 12 * HOUR_S && ward.pathways.is_empty() {
        ward.minute(ill);
    }
    let offer = ward.pathways.first().expect("a pathway is suggested").offer.clone();
    assert_eq!((offer.state, &ward.pathways[0].patient), (OfferState::Suggested, &who));
    assert!(!offer.because.is_empty() && !offer.source.is_empty());
    ward.decide(&who, &offer.pathway, PathwayDeed::Decline { reason: "known, plan in the notes".into() });
    // Quiet while it is no worse; what is worse may ask again.
    let asked = |ward: &Ward| ward.pathways.iter().filter(|r| r.offer.id == offer.id).map(|r| r.event.kind).collect::<Vec<_>>();
    assert_eq!(asked(&ward), [OfferKind::Suggested, OfferKind::Declined]);
    ward.decide(&who, &offer.pathway, PathwayDeed::Start { reason: "changed my mind".into() });
    let steps: Vec<String> = offer.steps.iter().map(|step| step.id.clone()).collect();
    let (last, first) = steps.split_last().expect("steps");
    for step in first {
        ward.decide(&who, &offer.pathway, PathwayDeed::StepDone { step: step.clone(), note: String::new() });
    }
    let (step, reason) = (last.clone(), "no bed".to_owned());
    ward.decide(&who, &offer.pathway, PathwayDeed::StepDeclined { step, reason });
    let told: Vec<(OfferKind, String, String)> = ward
        .pathways
        .iter()
        .filter(|record| record.offer.id == offer.id)
        .map(|record| (record.event.kind, record.event.decision.by.clone(), record.event.decision.reason.clone()))
        .collect();
    assert_eq!(told[1], (OfferKind::Declined, "kim".into(), "known, plan in the notes".into()));
    assert_eq!(told[2], (OfferKind::Started, "kim".into(), "changed my mind".into()));
    assert_eq!(told[told.len() - 2], (OfferKind::StepDeclined, "kim".into(), "no bed".into()));
    assert_eq!(told[told.len() - 1].0, OfferKind::Completed);
    let view = ward.engine.patient_view(&who).expect("known");
    let kept = view.pathways.iter().find(|kept| kept.id == offer.id).expect("kept with the patient");
    assert_eq!(kept.events.len(), told.len(), "the whole story stays with the patient");
    assert_eq!(view.seen.map(|seen| seen.by), Some("kim".into()));
}
