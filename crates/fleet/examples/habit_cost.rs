//! What the habits of a device cost a message: `cargo run --release -p fleet --example habit_cost`.

use std::time::Instant;

use fleet::habit::{Habit, Habits, Heard};
use vitals::{DeviceId, DeviceTime, Measurement, MetricCode, Quality, Unit, Value};

fn main() {
    let devices: Vec<DeviceId> =
        (0..1_000).filter_map(|i| DeviceId::new(&format!("monitor-{i}")).ok()).collect();
    let Some(unit) = Unit::all().next() else { return };
    for (name, every_us, values) in [
        ("a monitor: one message a second, 12 values", 1_000_000_i64, 12_u32),
        ("a flood: 125 messages a second, 1 value", 8_000, 1),
    ] {
        let mut habits = Habits::default();
        let rounds = 500_i64;
        let start = Instant::now();
        for round in 0..rounds {
            for (at, device) in devices.iter().enumerate() {
                let received_us = 1_700_000_000_000_000 + round * every_us + at as i64;
                let of = |metric| Measurement {
                    metric: MetricCode(metric),
                    value: Value::Numeric(f64::from(metric) + ((round * 31 + at as i64 * 7) % 9) as f64),
                    unit,
                    device_time: Some(DeviceTime(received_us - 5_000)),
                    quality: Quality::default(),
                    channel: 0,
                };
                let measurements: Vec<Measurement> = (0..values).map(|m| of(147_842 + m)).collect();
                let topic = "measurements";
                habits.hear(&Heard { device, topic, address: None, received_us, measurements: &measurements });
            }
        }
        let each = start.elapsed().as_nanos() / (rounds as u128 * devices.len() as u128);
        println!("{name}: {each} ns a message, the making of it included");
    }
    println!("{} bytes a device", size_of::<Habit>());
}
