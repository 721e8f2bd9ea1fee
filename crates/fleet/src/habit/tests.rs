//! Habits by example: what is told, once, and what is not.

use vitals::{MetricCode, Quality, Unit};

use super::*;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// A monitor that sends a rate and a saturation every five seconds for `minutes`, with a change.
struct Bed {
    habits: Habits,
    device: DeviceId,
    now: i64,
    random: u64,
    rate: f64,
}

/// What is different from the usual.
#[derive(Clone, Copy, Default)]
struct Twist {
    times: i64,
    clock_us: i64,
    metric: Option<u32>,
    stuck: bool,
    jumps: bool,
    from: u8,
}

const USUAL: Twist = Twist { times: 1, clock_us: 0, metric: None, stuck: false, jumps: false, from: 1 };

impl Bed {
    fn new(name: &str, random: u64) -> Self {
        let device = DeviceId::new(name).expect("an id");
        Self { habits: Habits::default(), device, now: 20_000 * 86_400 * SECOND, random, rate: 80.0 }
    }

    fn draw(&mut self) -> f64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as f64 / f64::from(1_u32 << 31)
    }

    fn values(&mut self, twist: Twist) -> Vec<Measurement> {
        if !twist.stuck {
            self.rate = (self.rate + self.draw() * 4.0 - 2.0).clamp(60.0, 100.0).round();
        }
        let jump = if twist.jumps && self.draw() < 0.5 { 150.0 } else { 0.0 };
        let time = vitals::DeviceTime(self.now + twist.clock_us);
        let of = |metric: u32, value: f64| Measurement {
            metric: MetricCode(metric),
            value: vitals::Value::Numeric(value),
            unit: Unit::from_ucum("1").or_else(|| Unit::all().next()).expect("a unit"),
            device_time: Some(time),
            quality: Quality::default(),
            channel: 0,
        };
        let mut all = vec![of(147_842, self.rate + jump), of(150_456, 97.0)];
        all.extend(twist.metric.map(|metric| of(metric, 1.0)));
        all
    }

    fn run(&mut self, minutes: i64, twist: Twist) -> Vec<Break> {
        for _ in 0..minutes * 12 * twist.times {
            self.now += 5 * SECOND / twist.times;
            let measurements = self.values(twist);
            self.habits.hear(&Heard {
                device: &self.device.clone(),
                topic: "measurements",
                address: Some(IpAddr::from([10, 0, 0, twist.from])),
                received_us: self.now,
                measurements: &measurements,
            });
        }
        self.habits.take().0.into_iter().map(|finding| finding.kind).collect()
    }
}

#[test]
fn each_break_is_told_once() {
    for (twist, minutes, expected) in [
        (USUAL, 600, vec![]),
        (Twist { times: 10, ..USUAL }, 30, vec![Break::Rate]),
        (Twist { clock_us: 40 * SECOND, ..USUAL }, 30, vec![Break::Clock]),
        (Twist { clock_us: SECOND, ..USUAL }, 30, vec![]),
        (Twist { metric: Some(150_344), ..USUAL }, 30, vec![Break::Kind]),
        (Twist { stuck: true, ..USUAL }, 60, vec![Break::Stuck]),
        (Twist { jumps: true, ..USUAL }, 30, vec![Break::Jumps]),
        (Twist { from: 2, ..USUAL }, 30, vec![Break::Address]),
    ] {
        let mut bed = Bed::new("m1", 7);
        assert_eq!(bed.run(120, USUAL), [], "the usual");
        assert_eq!(bed.run(minutes, twist), expected);
    }
}

#[test]
fn a_new_or_moved_device_learns_first() {
    let strange = Twist { jumps: true, clock_us: MINUTE, metric: Some(150_344), ..USUAL };
    let mut bed = Bed::new("m1", 3);
    assert_eq!(bed.run(25, strange), [], "it is new");
    let mut bed = Bed::new("m1", 3);
    let _ = bed.run(120, USUAL);
    let (device, now) = (bed.device.clone(), bed.now);
    bed.habits.moved(&device, now);
    assert_eq!(bed.run(25, Twist { from: 9, jumps: true, ..USUAL }), [], "it was moved");
}

#[test]
fn what_is_over_and_comes_again_is_told_again_and_a_break_that_flickers_is_one() {
    let mut bed = Bed::new("m1", 7);
    let off = Twist { clock_us: 40 * SECOND, ..USUAL };
    let _ = bed.run(120, USUAL);
    assert_eq!(bed.run(20, off), [Break::Clock]);
    for _ in 0..5 {
        assert_eq!(bed.run(5, USUAL), []);
        assert_eq!(bed.run(5, off), [], "the same break");
    }
    assert_eq!(bed.run(60, USUAL), []);
    assert_eq!(bed.run(20, off), [Break::Clock], "another one");
}

#[test]
fn what_others_of_the_model_send_is_nothing_new() {
    let mut bed = Bed::new("m1", 7);
    let with = Twist { metric: Some(150_344), ..USUAL };
    let _ = bed.run(31, with);
    bed.habits.of_model(&bed.device.clone(), "Acme", "M3");
    bed.device = DeviceId::new("m2").expect("an id");
    let _ = bed.run(120, USUAL);
    bed.habits.of_model(&bed.device.clone(), "ACME", "m3");
    assert_eq!(bed.run(30, with), []);
}

#[test]
fn values_of_another_device_are_known() {
    let mut bed = Bed::new("m1", 7);
    let mut other = Bed::new("m2", 8);
    let _ = bed.run(60, USUAL);
    other.now = bed.now - 60 * MINUTE;
    std::mem::swap(&mut bed.habits, &mut other.habits);
    let _ = other.run(60, USUAL);
    let mut habits = std::mem::take(&mut other.habits);
    // From now on m2 repeats m1, two seconds later.
    for _ in 0..12 * 60 {
        bed.now += 5 * SECOND;
        let measurements = bed.values(USUAL);
        for (name, late) in [("m1", 0), ("m2", 2 * SECOND)] {
            let device = DeviceId::new(name).expect("an id");
            let received_us = bed.now + late;
            let (topic, address) = ("measurements", None);
            habits.hear(&Heard { device: &device, topic, address, received_us, measurements: &measurements });
        }
    }
    let found: Vec<_> = habits.take().0.into_iter().map(|f| (f.device.to_string(), f.kind)).collect();
    assert!(found.contains(&("m2".to_owned(), Break::Copy)), "{found:?}");
    assert!(found.iter().all(|(device, kind)| device != "m1" || *kind != Break::Copy), "{found:?}");
    assert_eq!(found.iter().filter(|(_, kind)| *kind == Break::Copy).count(), 1);
}
