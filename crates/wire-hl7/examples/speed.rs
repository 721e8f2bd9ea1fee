//! How fast messages are read: `cargo run --release -p wire-hl7 --example speed`.

use std::time::Instant;

use vitals::{DeviceId, DeviceTime, Measurement, Metric, Quality, Reading, ReceiveTime, Value};
use wire_hl7::build::{self, Envelope};
use wire_hl7::{Kept, Options, read};

fn main() {
    let measurements: Vec<Measurement> = Metric::all()
        .filter(|m| m.kind == vitals::metric::MetricKind::Numeric)
        .take(12)
        .map(|m| Measurement {
            metric: m.code,
            value: Value::Numeric(71.5),
            unit: m.unit,
            device_time: Some(DeviceTime::from_millis(1_767_268_800_000)),
            quality: Quality::empty(),
            channel: 0,
        })
        .collect();
    let device = DeviceId::sanitised("monitor-1");
    let reading = Reading { device, patient: None, measurements };
    let envelope = Envelope::new("SIM", "1", DeviceTime::from_millis(1_767_268_800_000));
    let text = build::oru(&envelope, None, None, &reading);
    let options = Options::default();
    let (rounds, begun) = (100_000, Instant::now());
    let mut bytes = 0;
    for _ in 0..rounds {
        let received = read(text.as_bytes(), ReceiveTime(0), &options);
        let answer = received.messages[0].reply.encode(Kept::Durable, ReceiveTime(0));
        bytes += answer.map_or(0, |a| a.len());
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{:.0} messages/s of 12 numerics ({} bytes), read and answered ({bytes} bytes)",
        f64::from(rounds) / seconds,
        text.len()
    );
    if std::env::args().any(|arg| arg == "--compare") {
        let begun = Instant::now();
        let mut segments = 0;
        for _ in 0..rounds {
            segments += hl7_parser::Message::parse(&text).map_or(0, |m| m.segments.len());
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!("{:.0} messages/s split by hl7-parser ({segments})", f64::from(rounds) / seconds);
        let trouble = std::panic::catch_unwind(|| {
            let separators = hl7_parser::message::Separators::default();
            separators.decode("Mü\\F\\ller").to_string()
        });
        println!("hl7-parser unescapes Mü\\F\\ller as {trouble:?}");
        let fifth = hl7_parser::Message::parse("MSH|^~\\&#|APP|FAC");
        println!(
            "MSH-3 after ^~\\&# is {:?}",
            fifth.ok().and_then(|m| Some(m.segment("MSH")?.field(3)?.raw_value().to_owned()))
        );
        let cut = hl7_parser::parse_message_with_lenient_newlines("MSH|^~\\&|A\rnonsense\rOBX|1");
        println!("segments seen of MSH, a bad line, OBX: {:?}", cut.map(|m| m.segments.len()));
        let wide = format!("MSH|^~\\&|A\rOBX|1|NA|||{}", "^".repeat(10_000_000));
        let begun = Instant::now();
        let kept = hl7_parser::Message::parse(&wide).map(|m| m.segments.len());
        let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = peak.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("").to_owned();
        println!(
            "10 MB of separators: {kept:?} in {:.1} s, peak {peak}",
            begun.elapsed().as_secs_f64()
        );
    }
}
