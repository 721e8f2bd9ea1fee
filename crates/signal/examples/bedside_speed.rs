//! What the analysis of one bed costs: nanoseconds of processor a sample, all channels and conclusions.
//!
//! `cargo run --release -p signal --example bedside_speed [minutes]`

#[path = "../tests/patient/mod.rs"]
mod patient;

use patient::{Patient, bed, push};
use signal::WaveKind;
use signal::bedside::Bedside;

/// Nanoseconds that this process has been on a processor (Linux), or has run.
fn now_ns(begun: std::time::Instant) -> f64 {
    let spent = std::fs::read_to_string("/proc/self/schedstat").ok();
    let spent = spent.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    spent.unwrap_or(begun.elapsed().as_nanos() as f64)
}

/// Every part is played so often, and the mean is given.
const ROUNDS: usize = 10;

fn main() {
    let start = std::time::Instant::now();
    let minutes: i64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let seconds = minutes * 60;
    let patient = Patient::steady(seconds as f64, 0.8, 15.0);
    let channels = bed(&patient, seconds as f64);
    let parts: [(&str, &[WaveKind]); 5] = [
        ("all", &[WaveKind::Ecg, WaveKind::Pleth, WaveKind::ArterialPressure, WaveKind::Respiration]),
        ("ecg", &[WaveKind::Ecg]),
        ("pleth", &[WaveKind::Pleth]),
        ("pressure", &[WaveKind::ArterialPressure]),
        ("respiration", &[WaveKind::Respiration]),
    ];
    for (name, kinds) in parts {
        let used: Vec<_> = channels.iter().filter(|channel| kinds.contains(&channel.kind)).collect();
        let samples: usize = used.iter().map(|channel| channel.values.len()).sum();
        let mut spent = 0.0;
        let mut found = 0;
        for _ in 0..ROUNDS {
            let mut bedside = Bedside::default();
            let mut out = Vec::new();
            found = 0;
            let begun = now_ns(start);
            for second in 0..seconds {
                for channel in &used {
                    push(&mut bedside, channel, second * 1_000_000, (second + 1) * 1_000_000, &mut out);
                }
                found += out.len();
                out.clear();
            }
            spent += (now_ns(start) - begun) / (samples * ROUNDS) as f64;
        }
        println!("{name:12} {spent:6.1} ns a sample ({samples} samples, {found} findings)");
    }
    let mut bedside = Bedside::default();
    patient::play(&mut bedside, &channels, seconds.min(120));
    match postcard::to_allocvec(&bedside) {
        Ok(bytes) => println!("state        {:6} bytes", bytes.len()),
        Err(error) => println!("state not serialised: {error}"),
    }
}
