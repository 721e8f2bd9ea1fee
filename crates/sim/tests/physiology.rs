//! The virtual patients never show a number that no body makes, and their numbers hang together:
//! every scenario, several people, ten hours of illness each, second by second.

use sim::body::{Body, Constitution, Vitals};
use sim::random::Random;
use sim::scenario::Scenario;
use vitals::Sex;

const SECONDS: u32 = 36_000;
const SETTLED_AFTER: u32 = 300;

/// A number, its name, and the lowest and highest that a living patient on a ward has.
fn ranges(v: &Vitals) -> [(f64, &'static str, f64, f64); 9] {
    [
        (v.heart_rate, "heart rate", 30.0, 210.0),
        (v.pulse_rate, "pulse rate", 25.0, 210.0),
        (v.systolic, "systolic", 45.0, 230.0),
        (v.diastolic, "diastolic", 20.0, 140.0),
        (v.mean, "mean", 30.0, 170.0),
        (v.resp_rate, "respiration", 2.0, 50.0),
        (v.spo2, "SpO2", 50.0, 100.0),
        (v.etco2, "etCO2", 10.0, 100.0),
        (v.temperature, "temperature", 34.0, 41.5),
    ]
}

fn check(v: &Vitals, context: &str) {
    for (value, name, low, high) in ranges(v) {
        assert!((low..=high).contains(&value), "{name} {value} {context}");
    }
    assert!(v.diastolic < v.mean && v.mean < v.systolic, "pressures {v:?} {context}");
    assert!(v.systolic - v.diastolic >= 8.0, "pulse pressure {v:?} {context}");
    assert!(v.pulse_rate <= v.heart_rate + 5.0, "more pulses than beats {v:?} {context}");
    assert!((0.21..=1.0).contains(&v.inspired_oxygen), "inspired oxygen {v:?} {context}");
}

/// How far a number may move in a second of illness.
fn check_step(before: &Vitals, after: &Vitals, context: &str) {
    for (b, a, name, step) in [
        (before.spo2, after.spo2, "SpO2", 2.0),
        (before.temperature, after.temperature, "temperature", 0.05),
        (before.mean, after.mean, "mean", 12.0),
        (before.etco2, after.etco2, "etCO2", 8.0),
    ] {
        assert!((b - a).abs() <= step, "{name} jumps from {b} to {a} {context}");
    }
}

#[test]
fn every_number_is_one_of_a_living_body() {
    let root = Random::new(7);
    for scenario in Scenario::ALL {
        for (index, (age, sex)) in
            [(19.0, Sex::Female), (47.0, Sex::Male), (68.0, Sex::Female), (93.0, Sex::Male)]
                .into_iter()
                .enumerate()
        {
            let mut random = root.fork(&format!("{scenario:?} {index}"));
            let copd = scenario == Scenario::Copd;
            let person = Constitution::new(age, sex, copd, &mut random);
            let mut body = Body::new(person, random);
            let mut before = body.vitals();
            for second in 0..SECONDS {
                let minutes = f64::from(second) / 60.0;
                body.step(&scenario.drives(minutes), (minutes / 60.0) % 24.0);
                let now = body.vitals();
                let context = format!("({}, age {age}, minute {minutes:.1})", scenario.name());
                check(&now, &context);
                // A course that begins in the middle (recovery) takes its first minutes to get there.
                if second >= SETTLED_AFTER {
                    check_step(&before, &now, &context);
                }
                before = now;
            }
        }
    }
}
