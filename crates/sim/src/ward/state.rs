//! The ward as it lives: one pure state, stepped once a second.

use serde_json::{Value, json};

use super::config::WardConfig;
use super::device::BedDevice;
use super::home::HomeHub;
use super::nurse::Nurse;
use super::plan::{AUTHORITY, BedPlan, Personality, Plan, Resident};
use super::pump::Pump;
use super::waves::Lines;
use crate::body::{Body, Constitution, Drives, Vitals};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::wire::{fhir, hl7};

/// Who sends: each has a connection of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sender {
    /// The device of this bed.
    Bed(usize),
    /// An infusion pump.
    Pump(usize),
    /// The admission system (MLLP).
    Admissions,
    /// Everything that speaks HTTP: nurses, home hubs, administration.
    Http,
}

/// One thing to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Outgoing {
    /// Over MQTT.
    Publish {
        /// Topic.
        topic: String,
        /// MIME type; may be empty.
        content_type: &'static str,
        /// Bytes.
        payload: Vec<u8>,
    },
    /// Over MLLP.
    Hl7(String),
    /// Over HTTP.
    Request(Errand),
    /// The connection is gone without a goodbye.
    Vanish,
}

/// One HTTP request.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    /// PUT instead of POST.
    pub put: bool,
    /// Path.
    pub path: String,
    /// JSON body.
    pub body: Value,
}

impl Errand {
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { put: false, path: path.into(), body }
    }

    pub(super) fn put(path: impl Into<String>, body: Value) -> Self {
        Self { put: true, path: path.into(), body }
    }
}

/// A patient as the ward carries it on.
#[derive(Debug, Clone)]
pub(super) struct Living {
    pub(super) who: Resident,
    pub(super) body: Body,
    pub(super) vitals: Vitals,
    /// What the electrodes and sensors would see.
    pub(super) lines: Lines,
    /// Bed index; none at home.
    pub(super) bed: Option<usize>,
}

/// The ward.
#[derive(Debug, Clone)]
pub struct Ward {
    plan: Plan,
    speed: u32,
    transfer_every_s: Option<u64>,
    patients: Vec<Living>,
    devices: Vec<BedDevice>,
    hubs: Vec<HomeHub>,
    pumps: Vec<Pump>,
    nurse: Nurse,
    random: Random,
    controls: u64,
    free_bed: usize,
}

impl Ward {
    /// The ward of this configuration, at second 0.
    #[must_use]
    pub fn new(config: &WardConfig) -> Self {
        let plan = Plan::draw(config);
        let root = Random::new(config.seed);
        let patients: Vec<Living> = plan
            .residents
            .iter()
            .enumerate()
            .map(|(index, who)| {
                let mut random = root.fork(&format!("body {index}"));
                let copd = who.scenario == Scenario::Copd;
                let person = Constitution::new(who.age_years, who.sex, copd, &mut random);
                let body = Body::new(person, random);
                let bed = (index < config.beds).then_some(index);
                let lines = Lines::new(who.age_years, &root.fork(&format!("lines {index}")));
                Living { who: who.clone(), vitals: body.vitals(), body, lines, bed }
            })
            .collect();
        let devices = (0..plan.beds.len())
            .map(|index| BedDevice::new(root.fork(&format!("device {index}"))))
            .collect();
        let hubs = (config.beds..patients.len()).map(HomeHub::new).collect();
        Self {
            speed: config.speed.round().max(1.0) as u32,
            transfer_every_s: config.transfer_every_s,
            nurse: Nurse::new(config.chart_every_s, patients.len()),
            random: root.fork("ward"),
            free_bed: config.beds,
            pumps: Pump::all(&plan, config.pumps.min(config.beds)),
            plan,
            patients,
            devices,
            hubs,
            controls: 0,
        }
    }

    /// Who lies where.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What makes the ward known before the first second: admissions, then mountings,
    /// associations and settings.
    pub fn opening(&mut self, now_us: i64) -> Vec<(Sender, Outgoing)> {
        let mut out = Vec::new();
        for index in 0..self.patients.len() {
            if let Some(bed) = self.patients[index].bed {
                let text = self.movement("A01", index, Some(bed), None, now_us);
                out.push((Sender::Admissions, Outgoing::Hl7(text)));
            }
        }
        let mut errands = Vec::new();
        if self.plan.beds.iter().any(|bed| bed.personality == Personality::Wearable) {
            let name = "wearable.toml";
            errands.push(Errand::put(
                format!("/api/v1/profiles/{name}"),
                json!({"name": name, "text": super::WEARABLE_PROFILE, "error": "", "built_in": false}),
            ));
        }
        let home: Vec<Value> = self
            .patients
            .iter()
            .filter(|patient| patient.bed.is_none())
            .map(|patient| {
                let who = &patient.who;
                fhir::Person {
                    id: who.id.as_str(),
                    identifier: (AUTHORITY, &who.mrn),
                    name: (&who.family, &who.given),
                    birth_date: &who.birth_date,
                    sex: who.sex,
                }
                .to_json()
            })
            .collect();
        if !home.is_empty() {
            errands.push(Errand::post("/fhir", fhir::transaction(&home)));
        }
        for (index, bed) in self.plan.beds.iter().enumerate() {
            match (bed.personality, self.plan.residents.get(index)) {
                (Personality::Wearable, Some(who)) => errands.push(Errand::post(
                    format!("/api/v1/devices/{}/association", bed.device),
                    json!({"identifier": format!("{AUTHORITY}|{}", who.mrn)}),
                )),
                _ => errands.push(Errand::post(
                    format!("/api/v1/devices/{}/mount", bed.device),
                    json!({"location": bed.location.as_str()}),
                )),
            }
        }
        for pump in &self.pumps {
            errands.push(Errand::post(
                format!("/api/v1/devices/{}/mount", pump.device),
                json!({"location": pump.location}),
            ));
        }
        for hub in &self.hubs {
            let who = &self.patients[hub.patient].who;
            errands.push(Errand::post(
                format!("/api/v1/devices/{}/association", hub.device),
                json!({"identifier": format!("{AUTHORITY}|{}", who.mrn)}),
            ));
        }
        for patient in self.patients.iter().filter(|p| p.who.scenario == Scenario::Copd) {
            errands.push(Errand::put(
                format!("/api/v1/patients/{}/spo2-scale", patient.who.id),
                json!({"scale": 2, "reason": "prescribed range 88-92 %"}),
            ));
        }
        out.extend(errands.into_iter().map(|errand| (Sender::Http, Outgoing::Request(errand))));
        out
    }

    /// Lives one second of wall time and says what is sent in it, in order. `second` counts from
    /// 0; `now_us` is the true time, µs since 1970.
    pub fn tick(&mut self, second: u64, now_us: i64) -> Vec<(Sender, Outgoing)> {
        let mut out = Vec::new();
        self.live(second, now_us);
        if self.transfer_every_s.is_some_and(|every| second > 0 && second.is_multiple_of(every)) {
            self.transfer(now_us, &mut out);
        }
        for bed in 0..self.devices.len() {
            let patient = self.patients.iter_mut().find(|p| p.bed == Some(bed));
            let elapsed = patient.as_ref().map_or(-1.0, |p| second as f64 - p.who.starts_s);
            let plan: &BedPlan = &self.plan.beds[bed];
            self.devices[bed].tick(plan, patient, elapsed, second, now_us, &mut out, bed);
        }
        for (index, pump) in self.pumps.iter_mut().enumerate() {
            pump.tick(index, second, now_us, &mut out);
        }
        for hub in &mut self.hubs {
            hub.tick(&self.patients[hub.patient], second, now_us, &mut out);
        }
        self.nurse.tick(&self.patients, &self.plan.beds, second, now_us, &mut out);
        out
    }

    /// Device and command topic of each pump.
    #[must_use]
    pub fn pumps(&self) -> Vec<(String, String)> {
        self.pumps.iter().map(|pump| (pump.device.to_string(), pump.listens())).collect()
    }

    /// A pump got a message: what it answers.
    pub fn told(&mut self, pump: usize, payload: &[u8], now_us: i64) -> Vec<(Sender, Outgoing)> {
        let mut out = Vec::new();
        if let Some(told) = self.pumps.get_mut(pump) {
            told.told(pump, payload, now_us, &mut out);
        }
        out
    }

    fn live(&mut self, second: u64, now_us: i64) {
        let hour = (now_us.div_euclid(1_000_000).rem_euclid(86_400)) as f64 / 3_600.0;
        for patient in &mut self.patients {
            let elapsed_s = second as f64 - patient.who.starts_s;
            let mut drives = Drives::default();
            for step in 0..self.speed {
                let minutes = (elapsed_s * f64::from(self.speed) + f64::from(step)) / 60.0;
                drives = patient.who.scenario.drives(minutes);
                patient.body.step(&drives, hour);
            }
            let rhythm = patient.who.scenario.rhythm(elapsed_s, &drives);
            patient.vitals = patient.lines.second(&patient.body.vitals(), rhythm);
        }
    }

    /// Moves someone who is on a mounted monitor to the free bed.
    fn transfer(&mut self, now_us: i64, out: &mut Vec<(Sender, Outgoing)>) {
        let movable: Vec<usize> = (0..self.patients.len())
            .filter(|index| {
                self.patients[*index].bed.is_some_and(|bed| {
                    let plan = &self.plan.beds[bed];
                    plan.personality != Personality::Wearable
                        && plan.intensive == self.plan.beds[self.free_bed].intensive
                })
            })
            .collect();
        if movable.is_empty() {
            return;
        }
        let index = movable[self.random.below(movable.len())];
        let (from, to) = (self.patients[index].bed, self.free_bed);
        let text = self.movement("A02", index, Some(to), from, now_us);
        out.push((Sender::Admissions, Outgoing::Hl7(text)));
        self.patients[index].bed = Some(to);
        self.free_bed = from.unwrap_or(to);
    }

    fn movement(
        &mut self,
        trigger: &str,
        patient: usize,
        to: Option<usize>,
        from: Option<usize>,
        now_us: i64,
    ) -> String {
        self.controls += 1;
        let place = |bed: usize| {
            let bed = &self.plan.beds[bed];
            (bed.unit.as_str(), bed.room.as_str(), bed.bed.as_str())
        };
        let who = &self.patients[patient].who;
        // The time is in the control id: a second run of the same ward is not taken for repeats.
        let control_id = format!("ADT{}-{}", now_us / 1_000, self.controls);
        let visit = format!("V{}", who.mrn);
        hl7::adt(
            &hl7::Header {
                application: "VWSIM-ADT",
                control_id: &control_id,
                time_us: now_us,
                recorded: false,
            },
            &subject(who),
            &hl7::Movement {
                trigger,
                place: to.map(place),
                prior: from.map(place),
                visit: &visit,
                class: "I",
            },
        )
    }
}

/// A resident as HL7 names it.
pub(super) fn subject(who: &Resident) -> hl7::Subject<'_> {
    hl7::Subject {
        mrn: &who.mrn,
        authority: AUTHORITY,
        family: &who.family,
        given: &who.given,
        birth_date: &who.birth_date,
        sex: who.sex,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_US: i64 = 1_767_225_600_000_000;

    fn traffic(config: &WardConfig, seconds: u64) -> Vec<(Sender, Outgoing)> {
        let mut ward = Ward::new(config);
        let mut all = ward.opening(START_US);
        for second in 0..seconds {
            all.extend(ward.tick(second, START_US + second as i64 * 1_000_000));
        }
        all
    }

    #[test]
    fn one_seed_gives_one_identical_ward() {
        let config = WardConfig { transfer_every_s: Some(60), ..WardConfig::default() };
        let (a, b) = (traffic(&config, 180), traffic(&config, 180));
        assert!(a == b, "two runs of seed {} differ", config.seed);
        let other = traffic(&WardConfig { seed: 2, ..config }, 180);
        assert!(a != other);
    }

    #[test]
    fn every_bed_and_every_protocol_is_heard() {
        let config = WardConfig::default();
        let all = traffic(&config, 130);
        for bed in 0..config.beds {
            assert!(
                all.iter().any(|(sender, what)| *sender == Sender::Bed(bed)
                    && !matches!(what, Outgoing::Vanish)),
                "bed {bed} is silent"
            );
        }
        let count = |test: fn(&Outgoing) -> bool| all.iter().filter(|(_, o)| test(o)).count();
        assert!(count(|o| matches!(o, Outgoing::Publish { .. })) > 1_500);
        assert!(count(|o| matches!(o, Outgoing::Hl7(_))) > 24);
        let chart = |o: &Outgoing| {
            matches!(o, Outgoing::Request(e) if e.path == "/fhir/Observation")
        };
        assert!(count(chart) > 48);
        let wearable = |o: &Outgoing| {
            matches!(o, Outgoing::Publish { topic, .. } if topic.starts_with("wearables/"))
        };
        assert!(count(wearable) > 100);
    }

    #[test]
    fn a_transfer_moves_the_patient_to_another_monitor() {
        let config = WardConfig {
            beds: 6,
            transfer_every_s: Some(10),
            protocols: super::super::Protocols { mqtt_json: 1, mqtt_cbor: 0, mllp: 0, wearable: 0 },
            ..WardConfig::default()
        };
        let all = traffic(&config, 14);
        let moved = all
            .iter()
            .filter(|(_, o)| matches!(o, Outgoing::Hl7(text) if text.contains("ADT^A02")))
            .count();
        assert_eq!(moved, 1);
        let rate = |o: &Outgoing| {
            matches!(o, Outgoing::Publish { payload, .. }
                if payload.windows(18).any(|w| w == b"MDC_ECG_HEART_RATE"))
        };
        assert!(all.iter().any(|(sender, o)| *sender == Sender::Bed(6) && rate(o)));
    }
}
