//! Heart-rate variability beside neurokit2 on the same intervals (`data/hrv.py` made both files), and the
//! streaming sums beside the pure functions.

use signal::hrv::{FiveMinutes, FrequencyDomain, Nn, TimeDomain, normal_intervals};
use signal::{Beat, BeatClass};

fn intervals(count: usize) -> Vec<Nn> {
    let numbers = include_str!("data/nn.csv").split([',', '\n']).filter(|text| !text.is_empty());
    let mut end_us = 0;
    numbers
        .take(count)
        .map(|text| {
            let ms: f64 = text.parse().expect("a number");
            end_us += (ms * 1_000.0) as i64;
            Nn { end_us, ms, follows: end_us as f64 > ms * 1_000.0 }
        })
        .collect()
}

fn beats(of: &[Nn]) -> Vec<Beat> {
    let beat = |time_us| Beat { time_us, class: BeatClass::Normal, confidence: 1.0, width_ms: 90.0 };
    core::iter::once(beat(0)).chain(of.iter().map(|nn| beat(nn.end_us))).collect()
}

/// What neurokit2 said: (intervals, what, value).
fn expected() -> Vec<(usize, &'static str, f64)> {
    let lines = include_str!("data/hrv.csv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split(',');
            let mut next = || parts.next().expect("three columns");
            (next().parse().expect("a count"), next(), next().parse().expect("a number"))
        })
        .collect()
}

#[test]
fn as_neurokit2_says() {
    for (count, what, value) in expected() {
        let nn = intervals(count);
        let time = TimeDomain::of(&nn).expect("enough intervals");
        let band = FrequencyDomain::of(&nn).expect("long enough");
        // Of the same definition to the last digit; SDANN's segments, and the estimate of the density, differ in detail.
        let (ours, within) = match what {
            "MeanNN" => (time.mean, 1e-6),
            "SDNN" => (time.sdnn, 1e-6),
            "RMSSD" => (time.rmssd.unwrap_or(f64::NAN), 1e-6),
            "pNN50" => (time.pnn50.unwrap_or(f64::NAN), 1e-6),
            "HTI" => (time.triangular_index, 0.1),
            "SDANN5" => (time.sdann.unwrap_or(f64::NAN), 0.1),
            "VLF" => (band.vlf, 0.25),
            "LF" => (band.lf, 0.1),
            "HF" => (band.hf, 0.1),
            "LFHF" => (band.lf_hf, 0.1),
            other => panic!("{other} is not known"),
        };
        println!("{count} {what}: {ours:.4}, neurokit2 {value:.4}");
        let same = value.is_nan() && ours.is_nan() || (ours - value).abs() <= within * value.abs();
        assert!(same, "{count} {what}: {ours}, neurokit2 says {value}");
    }
}

/// A sine of 20 ms at 0.1 Hz has a power of 200 ms², all of it in the low frequencies.
#[test]
fn power_of_a_known_oscillation() {
    let mut end_us = 0_i64;
    let nn: Vec<Nn> = (0..400)
        .map(|_| {
            let ms = 800.0 + 20.0 * (core::f64::consts::TAU * 0.1 * end_us as f64 / 1e6).sin();
            end_us += (ms * 1_000.0) as i64;
            Nn { end_us, ms, follows: true }
        })
        .collect();
    let band = FrequencyDomain::of(&nn).expect("long enough");
    assert!((band.lf - 200.0).abs() < 10.0, "{band:?}");
    assert!(band.hf < 5.0 && band.vlf < 5.0, "{band:?}");
}

#[test]
fn streaming_gives_what_the_window_gives() {
    let nn = intervals(1_000);
    let mut stream = FiveMinutes::default();
    let found: Vec<_> = beats(&nn).iter().filter_map(|beat| stream.beat(beat)).collect();
    assert_eq!(found.len(), 2);
    for short in found {
        let window = (short.time_us - 300_000_000..short.time_us).contains(&0);
        let inside: Vec<Nn> = nn
            .iter()
            .filter(|nn| (short.time_us - 300_000_000..short.time_us).contains(&nn.end_us))
            .copied()
            .collect();
        let all = TimeDomain::of(&inside).expect("enough intervals");
        assert_eq!(short.count as usize, all.count);
        assert!((short.sdnn - all.sdnn).abs() < 1e-6, "{short:?} {all:?}");
        // The first interval of a later window follows one of the window before.
        let tolerance = if window { 1e-6 } else { 0.5 };
        assert!((short.rmssd - all.rmssd.unwrap_or(0.0)).abs() < tolerance, "{short:?} {all:?}");
    }
}

/// An ectopic beat and a missed one take their intervals out, and no difference is taken across them.
#[test]
fn only_normal_beats_in_a_row_count() {
    let at = |ms: i64, class| Beat { time_us: ms * 1_000, class, confidence: 1.0, width_ms: 0.0 };
    use BeatClass::{Normal as N, Ventricular as V};
    let nn = normal_intervals(&[at(0, N), at(800, N), at(1_300, V), at(2_400, N), at(3_200, N), at(6_000, N), at(6_810, N)]);
    let lengths: Vec<(f64, bool)> = nn.iter().map(|nn| (nn.ms, nn.follows)).collect();
    assert_eq!(lengths, [(800.0, false), (800.0, false), (810.0, false)]);
    assert_eq!(TimeDomain::of(&nn).and_then(|time| time.rmssd), None);
    assert_eq!(FrequencyDomain::of(&nn), None);
    assert_eq!(TimeDomain::of(&[]), None);
}
