//! How long one single-value SenML message takes to map, and one waveform frame:
//! `cargo run --release -p mapping --example hot_path [-- --json]`.

use std::hint::black_box;
use std::time::Instant;

use mapping::frame::{Channel, Encoding, FLAG_HAS_TIME, Frame};
use mapping::{Profiles, RawMessage};
use vitals::{DeviceTime, MetricCode, ReceiveTime};

fn nanoseconds_each(profiles: &Profiles, topic: &str, payload: &[u8], rounds: u32) -> f64 {
    let raw = RawMessage { topic, payload, content_type: None, received: ReceiveTime(1_700_000_000_000_000) };
    assert!(profiles.map(&raw).problems.is_empty(), "the message is good");
    let start = Instant::now();
    for _ in 0..rounds {
        black_box(profiles.map(black_box(&raw)));
    }
    start.elapsed().as_nanos() as f64 / f64::from(rounds)
}

fn main() {
    let (profiles, _) = Profiles::compile(&[]);
    let samples = (0..250).map(|i| ((f64::from(i) / 8.0).sin() * 900.0) as i32).collect();
    let frame = Frame {
        flags: FLAG_HAS_TIME,
        sequence: 1,
        time: DeviceTime(1_700_000_000_000_000),
        channels: vec![Channel {
            metric: MetricCode(150_036),
            channel: 0,
            unit_mdc: 0,
            rate_numerator: 250,
            rate_denominator: 1,
            delay_us: 0,
            quality: 0,
            encoding: Encoding::DeltaVarint,
            scale: 0.1,
            offset: 0.0,
            samples,
        }],
    }
    .encode();
    let timed = br#"[{"n":"MDC_ECG_HEART_RATE","u":"/min","v":72,"t":1700000000.123456}]"#;
    let bare = br#"[{"n":"MDC_ECG_HEART_RATE","u":"/min","v":72}]"#;
    let twelve = format!(
        r#"[{{"bt":1700000000.5,"n":"MDC_ECG_HEART_RATE","u":"/min","v":72}}{}]"#,
        r#",{"n":"MDC_PULS_OXIM_SAT_O2","u":"%","v":97.5}"#.repeat(11)
    );
    let topic = "vitalwire/monitor-0001/measurements";
    let figures = [
        ("senml_json_one_value_ns", nanoseconds_each(&profiles, topic, timed, 1_000_000)),
        ("senml_json_one_value_untimed_ns", nanoseconds_each(&profiles, topic, bare, 1_000_000)),
        ("senml_json_twelve_values_ns", nanoseconds_each(&profiles, topic, twelve.as_bytes(), 100_000)),
        ("waveform_250_samples_ns", nanoseconds_each(&profiles, "vitalwire/monitor-0001/waveform", &frame, 100_000)),
    ];
    if std::env::args().any(|arg| arg == "--json") {
        let fields: Vec<String> = figures.iter().map(|(name, ns)| format!("\"{name}\":{ns:.0}")).collect();
        println!("{{{}}}", fields.join(","));
    } else {
        for (name, ns) in figures {
            println!("{name:34} {ns:8.0}");
        }
    }
}
