//! Habits on a real bedside monitor: 32 hours of the numerics of one MIMIC patient, a value a minute
//! (`wfdb/samples.tar.zst`, record 3975656n). The thresholds saw it: that one still value of many and a lost signal are
//! nothing strange was learned from this day. The archive is no part of the
//! project: `VITALWIRE_DATA` names the folder that has `wfdb`, else `../shared/data` beside the checkout is tried.

use std::path::PathBuf;
use std::process::Command;

use fleet::habit::{Break, Finding, Habits, Heard};
use vitals::{DeviceId, Measurement, MetricCode, Quality, Unit, Value};

const START_US: i64 = 1_767_225_600_000_000;
const MINUTE_US: i64 = 60_000_000;
/// HR, ABP systolic, diastolic, mean, pulse, respiration, SpO2, NBP three.
const METRICS: [u32; 10] = [147_842, 150_037, 150_038, 150_039, 149_514, 151_562, 150_456, 150_021, 150_022, 150_023];

/// The numerics, minute by minute: signed 16 bits, little-endian, interleaved; the least is none.
fn minutes() -> Option<Vec<[i16; 10]>> {
    let root = std::env::var_os("VITALWIRE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let archive = root.join("wfdb/samples.tar.zst");
    let file = "multi-segment/s00001/3975656n.dat";
    let unpacked = Command::new("tar").args(["--zstd", "-xOf"]).arg(&archive).arg(file).output();
    let bytes = unpacked.ok().filter(|done| done.status.success()).map(|done| done.stdout);
    let Some(bytes) = bytes else {
        eprintln!("skipped: {} or tar is not there; set VITALWIRE_DATA", archive.display());
        return None;
    };
    let (values, _) = bytes.as_chunks::<2>();
    let values: Vec<i16> = values.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    let (rows, _) = values.as_chunks::<10>();
    Some(rows.to_vec())
}

fn measurements(row: &[i16; 10]) -> Vec<Measurement> {
    let known = METRICS.iter().zip(row).filter(|(_, raw)| **raw != i16::MIN);
    let measured = |(code, raw): (&u32, &i16)| Measurement {
        metric: MetricCode(*code),
        value: Value::Numeric(f64::from(*raw) / 10.0),
        unit: Unit::from_ucum("1").or_else(|| Unit::all().next()).expect("a unit"),
        device_time: None,
        quality: Quality::default(),
        channel: 0,
    };
    known.map(measured).collect()
}

/// Two monitors, the second of which says something else: what was found of each.
fn watch(minutes: &[[i16; 10]], second: impl Fn(usize) -> [i16; 10]) -> (Vec<Finding>, Vec<Finding>) {
    let names = ["first", "second"].map(|name| DeviceId::new(name).expect("a valid id"));
    let mut habits = Habits::default();
    for (at, row) in minutes.iter().enumerate() {
        let received_us = START_US + at as i64 * MINUTE_US;
        for (device, row) in names.iter().zip([*row, second(at)]) {
            let measurements = measurements(&row);
            habits.hear(&Heard { device, topic: "measurements", address: None, received_us, measurements: &measurements });
        }
    }
    habits.take().0.into_iter().partition(|finding| finding.device == names[0])
}

#[test]
fn an_ordinary_day_is_silent_and_a_repeated_or_a_hung_one_is_not() {
    let Some(minutes) = minutes() else { return };
    let (half, count) = (minutes.len() / 2, minutes.len());
    // The same day from its middle on is another monitor's: 16 hours apart.
    let other = |at: usize| minutes[(at + half) % count];
    let (first, second) = watch(&minutes, other);
    println!("ordinary: {first:?} {second:?}");
    assert!(first.is_empty() && second.is_empty(), "{first:?} {second:?}");
    let copied = |at: usize| if at < half { other(at) } else { minutes[at - 5] };
    let (first, second) = watch(&minutes, copied);
    assert!(first.is_empty(), "{first:?}");
    let told = second.iter().find(|finding| finding.kind == Break::Copy).expect("told");
    println!("copied: after {} minutes", (told.at_us - START_US) / MINUTE_US - half as i64);
    let hung = |at: usize| other(at.min(half));
    let (first, second) = watch(&minutes, hung);
    assert!(first.is_empty(), "{first:?}");
    let told = second.iter().find(|finding| finding.kind == Break::Stuck).expect("told");
    println!("hung: after {} minutes", (told.at_us - START_US) / MINUTE_US - half as i64);
}
