//! What one step costs, on one thread, without anything around it.
//!
//! `cargo run --release -p engine --example engine_speed -- [BEDS] [SECONDS] [--json]`: BEDS patients, one
//! monitor each, at 1 Hz; once with 12 numerics in a message, once with one.

use std::time::Instant;

use alert::Policy;
use engine::Engine;
use vitals::metric::code::{
    ABP_DIA, ABP_MEAN, ABP_SYS, ETCO2, FIO2, HEART_RATE, NIBP_DIA, NIBP_SYS, PULSE_RATE, RESP_RATE,
    SPO2, TEMPERATURE,
};
use vitals::{
    Action, Actor, Content, DeviceId, DeviceTime, Event, Measurement, Message, MetricCode, Origin,
    PatientId, Protocol, Quality, Reading, ReceiveTime, Role, TimeBase, Unit, Value,
};

const START: i64 = 1_767_225_600_000_000;
const METRICS: [(MetricCode, f64); 12] = [
    (HEART_RATE, 78.0),
    (SPO2, 97.0),
    (RESP_RATE, 15.0),
    (PULSE_RATE, 78.0),
    (TEMPERATURE, 36.8),
    (ABP_SYS, 122.0),
    (ABP_DIA, 71.0),
    (ABP_MEAN, 88.0),
    (NIBP_SYS, 121.0),
    (NIBP_DIA, 70.0),
    (ETCO2, 38.0),
    (FIO2, 21.0),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (beds, seconds) = (number(0, 1_000), number(1, 60));
    let (many, _) = run(beds, seconds, 12);
    let (one, snapshot) = run(beds, seconds, 1);
    if args.iter().any(|arg| arg == "--json") {
        println!(
            "{{\"beds\":{beds},\"numerics_per_second_12\":{many:.0},\"numerics_per_second_1\":{one:.0},\
             \"snapshot_bytes_per_bed\":{snapshot}}}"
        );
    } else {
        println!("12 numerics a message: {many:.0} numerics/s ({:.2} µs each)", 1e6 / many);
        println!(" 1 numeric a message:  {one:.0} numerics/s ({:.2} µs each)", 1e6 / one);
        println!("stored state: {snapshot} bytes a bed");
    }
}

/// Numerics in a second, and bytes of state a bed.
fn run(beds: usize, seconds: usize, in_one: usize) -> (f64, usize) {
    let mut engine = Engine::new(Policy::built_in());
    let mut out = Vec::new();
    let mut offset = 0;
    let mut step = |engine: &mut Engine, at: i64, event: &Event| {
        engine.step(offset, ReceiveTime(at), event, &mut out);
        offset += 1;
        out.clear();
    };
    for bed in 0..beds {
        let patient = PatientId::from_identifier("bench", &bed.to_string());
        let action = Action::Associate { device: device(bed), patient, since: None };
        let actor = Actor { name: "bench".into(), role: Role::Nurse };
        step(&mut engine, START, &Event::Action(actor, action));
    }
    let mut spent = 0.0;
    for second in 1..=seconds as i64 {
        // Made before the clock starts: only the engine is measured.
        let events: Vec<Event> = (0..beds)
            .flat_map(|bed| {
                METRICS.chunks(in_one).map(move |metrics| message(bed, second, metrics))
            })
            .collect();
        let begun = Instant::now();
        for event in &events {
            step(&mut engine, START + second * 1_000_000, event);
        }
        step(&mut engine, START + second * 1_000_000, &Event::Tick);
        spent += begun.elapsed().as_secs_f64();
    }
    let state: usize = engine.snapshot().iter().map(|(_, part)| part.bytes().len()).sum();
    ((beds * seconds * METRICS.len()) as f64 / spent, state / beds)
}

fn device(bed: usize) -> DeviceId {
    DeviceId::sanitised(&format!("monitor-{bed}"))
}

fn message(bed: usize, second: i64, metrics: &[(MetricCode, f64)]) -> Event {
    let at = START + second * 1_000_000;
    let measurements = metrics.iter().enumerate().map(|(index, (metric, value))| Measurement {
        metric: *metric,
        value: Value::Numeric(value + ((bed as i64 + second + index as i64) % 3) as f64),
        unit: Unit::MMHG,
        device_time: Some(DeviceTime(at)),
        quality: Quality::empty(),
        channel: 0,
    });
    let reading = Reading { device: device(bed), patient: None, measurements: measurements.collect() };
    Event::Message(Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: String::new(),
            sender: String::new(),
            message_id: String::new(),
            profile: String::new(),
        },
        received: ReceiveTime(at),
        time_base: TimeBase::Live,
        payload: Vec::new(),
        content: vec![Content::Reading(reading)],
        problems: Vec::new(),
    })
}
