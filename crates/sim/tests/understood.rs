//! Everything that the virtual ward says is understood by the platform's own codecs, lands on the
//! device, metric and patient that were meant, and shows the deterioration that was planned.

use std::collections::{BTreeMap, HashMap};

use mapping::{Profiles, RawMessage};
use score::{Aged, Consciousness, Inputs, MaxAge, Scale};
use sim::scenario::Scenario;
use sim::ward::{Outgoing, Plan, Sender, WEARABLE_PROFILE, Ward, WardConfig};
use vitals::{Content, EffectiveTime, PatientId, Problem, Reading, ReceiveTime, Value};

const START_US: i64 = 1_767_225_600_000_000;

/// What was understood of one second of the ward.
struct Heard {
    second: u64,
    sender: Sender,
    content: Vec<Content>,
    problems: Vec<Problem>,
}

fn hear(config: &WardConfig, seconds: u64) -> Vec<Heard> {
    let source = ("wearable.toml".to_owned(), WEARABLE_PROFILE.to_owned());
    let (profiles, errors) = Profiles::compile(&[source]);
    assert!(errors.is_empty(), "{errors:?}");
    let mut ward = Ward::new(config);
    let mut heard = Vec::new();
    let mut take = |second: u64, now_us: i64, traffic: Vec<(Sender, Outgoing)>| {
        for (sender, what) in traffic {
            if let Some((content, problems)) = understand(&profiles, &what, ReceiveTime(now_us)) {
                heard.push(Heard { second, sender, content, problems });
            }
        }
    };
    take(0, START_US, ward.opening(START_US));
    for second in 0..seconds {
        let now_us = START_US + second as i64 * 1_000_000;
        take(second, now_us, ward.tick(second, now_us));
    }
    heard
}

fn understand(
    profiles: &Profiles,
    what: &Outgoing,
    received: ReceiveTime,
) -> Option<(Vec<Content>, Vec<Problem>)> {
    match what {
        Outgoing::Publish { topic, content_type, payload } => {
            let content_type = Some(*content_type);
            let mapped = profiles.map(&RawMessage { topic, payload, content_type, received });
            Some((mapped.content, mapped.problems))
        }
        Outgoing::Hl7(text) => {
            let mut read = wire_hl7::read(text.as_bytes(), received, &wire_hl7::Options::default());
            assert_eq!(read.messages.len(), 1, "{text}");
            let message = read.messages.remove(0).message;
            Some((message.content, message.problems))
        }
        Outgoing::Request(errand) if errand.path.starts_with("/fhir") => {
            let resource = wire_fhir::parse(errand.body.to_string().as_bytes())
                .unwrap_or_else(|issues| panic!("{issues:?}\n{:#}", errand.body));
            if errand.path == "/fhir" {
                return None;
            }
            let observed = wire_fhir::observation::read(&resource, "Observation");
            let content = observed.reading.into_iter().map(Content::Reading).collect();
            Some((content, observed.problems))
        }
        Outgoing::Request(_) | Outgoing::Vanish => None,
    }
}

fn readings(heard: &Heard) -> impl Iterator<Item = &Reading> {
    heard.content.iter().filter_map(|content| match content {
        Content::Reading(reading) => Some(reading),
        Content::Directory(_) | Content::Alarm(_) => None,
    })
}

#[test]
fn nothing_is_misunderstood() {
    let config = WardConfig { transfer_every_s: Some(100), ..WardConfig::default() };
    let plan = Plan::draw(&config);
    let mut devices = BTreeMap::new();
    for heard in hear(&config, 320) {
        assert!(heard.problems.is_empty(), "{:?}: {:?}", heard.sender, heard.problems);
        assert!(!heard.content.is_empty(), "{:?} said nothing", heard.sender);
        for reading in readings(&heard) {
            *devices.entry(reading.device.to_string()).or_insert(0) += reading.measurements.len();
            if let Sender::Bed(bed) = heard.sender {
                assert_eq!(reading.device, plan.beds[bed].device);
            }
        }
    }
    for bed in &plan.beds[..config.beds] {
        assert!(devices[bed.device.as_str()] > 100, "{} is nearly silent", bed.device);
    }
    assert!(devices.keys().any(|device| device.starts_with("home-hub-")));
}

/// Frames of a monitor join without a gap or an overlap, at each channel's own rate, however late
/// the ward is looked at.
#[test]
fn waveforms_run_on_sample_by_sample() {
    let config = WardConfig { transfer_every_s: None, ..WardConfig::default() };
    let (profiles, _) = Profiles::compile(&[]);
    let mut ward = Ward::new(&config);
    ward.opening(START_US);
    let mut ends: HashMap<(String, u32), (i64, u64)> = HashMap::new();
    for second in 0..60 {
        // Up to two thirds of a second late, now and then.
        let now_us = START_US + second as i64 * 1_000_000 + (second as i64 % 3) * 333_333;
        for (_, what) in ward.tick(second, now_us) {
            let Outgoing::Publish { topic, payload, .. } = &what else { continue };
            if !topic.ends_with("/waveform") {
                continue;
            }
            let raw = RawMessage { topic, payload, content_type: None, received: ReceiveTime(now_us) };
            for content in profiles.map(&raw).content {
                let Content::Reading(reading) = content else { continue };
                for m in &reading.measurements {
                    let Value::SampleArray(array) = &m.value else { panic!("{:?}", m.value) };
                    let time = m.device_time.expect("frames carry a time").0;
                    let key = (topic.clone(), m.metric.0);
                    let (begin, count) = ends.entry(key).or_insert((time, 0));
                    assert_eq!(time, *begin + array.rate.micros(*count), "{topic}: {:?}", m.metric);
                    *count += array.len() as u64;
                }
            }
        }
    }
    assert!(ends.len() >= 3 * 12, "{} waveforms", ends.len());
    assert!(ends.values().any(|(_, count)| *count >= 58 * 250));
}

#[test]
fn admissions_name_the_patients_and_beds_of_the_plan() {
    let config = WardConfig::default();
    let plan = Plan::draw(&config);
    let mut admitted = 0;
    for heard in hear(&config, 1) {
        for content in &heard.content {
            let Content::Directory(vitals::DirectoryEvent::Movement(movement)) = content else {
                continue;
            };
            let (who, bed) = (&plan.residents[admitted], &plan.beds[admitted]);
            assert_eq!(movement.patient.id, who.id);
            assert_eq!(movement.patient.name.family, who.family);
            assert_eq!(movement.patient.birth_date.as_deref(), Some(who.birth_date.as_str()));
            let at = movement.location.clone().expect("a bed");
            assert_eq!(vitals::LocationId::of_bed(&at.unit, &at.room, &at.bed), bed.location);
            admitted += 1;
        }
    }
    assert_eq!(admitted, config.beds);
}

/// NEWS2 over what was heard of the patients with this scenario: the worst, and the second in
/// which 7 was first reached.
fn news2(config: &WardConfig, seconds: u64) -> HashMap<PatientId, (f64, Option<u64>)> {
    let plan = Plan::draw(config);
    let device = |reading: &Reading| {
        let bed = plan.beds.iter().position(|bed| bed.device == reading.device)?;
        Some(plan.residents.get(bed)?.id.clone())
    };
    let mut known: HashMap<PatientId, Inputs> = HashMap::new();
    let mut worst: HashMap<PatientId, (f64, Option<u64>)> = HashMap::new();
    for heard in hear(config, seconds) {
        for reading in readings(&heard) {
            let Some(who) = device(reading).or(reading.patient.as_ref().map(|p| p.id.clone()))
            else {
                continue;
            };
            let now = EffectiveTime(START_US + heard.second as i64 * 1_000_000);
            let copd = plan
                .residents
                .iter()
                .any(|r| r.id == who && r.scenario == Scenario::Copd);
            let inputs = known.entry(who.clone()).or_default();
            inputs.spo2_scale = if copd { Scale::Two } else { Scale::One };
            for m in &reading.measurements {
                learn(inputs, m.metric.refid().as_str(), &m.value, now);
            }
            let score = score::news2(inputs, now, &MaxAge::MONITORED);
            if let (true, Some(value)) = (score.complete, score.value) {
                let entry = worst.entry(who).or_default();
                entry.0 = entry.0.max(value);
                if value >= 7.0 && entry.1.is_none() {
                    entry.1 = Some(heard.second);
                }
            }
        }
    }
    worst
}

fn learn(inputs: &mut Inputs, metric: &str, value: &Value, now: EffectiveTime) {
    let number = match value {
        Value::Numeric(number) => *number,
        Value::Enumeration(number, _) => f64::from(*number),
        Value::Compound(parts) => {
            for (part, number) in parts {
                learn(inputs, part.refid().as_str(), &Value::Numeric(*number), now);
            }
            return;
        }
        _ => return,
    };
    let aged = Some(Aged::new(number, now));
    match metric {
        "MDC_ECG_HEART_RATE" | "MDC_PULS_OXIM_PULS_RATE" => inputs.pulse = aged,
        "MDC_PULS_OXIM_SAT_O2" => inputs.spo2 = aged,
        "MDC_RESP_RATE" => inputs.resp_rate = aged,
        "MDC_TEMP_BODY" => inputs.temperature = aged,
        "MDC_PRESS_BLD_NONINV_SYS" | "MDC_PRESS_BLD_ART_ABP_SYS" => inputs.systolic = aged,
        "VW_SUPPLEMENTAL_OXYGEN" => {
            inputs.supplemental_oxygen = Some(Aged::new(number > 0.5, now));
        }
        "VW_CONSCIOUSNESS" => {
            inputs.consciousness =
                Consciousness::from_number(number as i32).map(|level| Aged::new(level, now));
        }
        _ => {}
    }
}

#[test]
fn the_planned_deteriorations_unfold_within_minutes() {
    let config = WardConfig { transfer_every_s: None, ..WardConfig::default() };
    let plan = Plan::draw(&config);
    let scores = news2(&config, 600);
    let mut first = u64::MAX;
    for (index, who) in plan.residents.iter().take(config.beds).enumerate() {
        let (worst, high_at) = scores[&who.id];
        println!("{index:2} {:20} worst NEWS2 {worst} high at {high_at:?} s", who.scenario.name());
        match who.scenario {
            Scenario::OpioidDepression | Scenario::Bleeding => assert!(high_at.is_some()),
            // The second one begins at 420 s.
            Scenario::Sepsis if who.starts_s < 60.0 => assert!(high_at.is_some()),
            Scenario::Stable => assert!(worst <= 4.0, "bed {index}: {worst}"),
            _ => {}
        }
        if !matches!(who.scenario, Scenario::MotionArtefact | Scenario::Recovery) {
            first = first.min(high_at.unwrap_or(u64::MAX));
        }
    }
    assert!(first < 240, "the first deterioration is high at {first} s");
}
