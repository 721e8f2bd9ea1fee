//! Pulses of made-up waves: found where they were put, with the pressures that they have, at any rate,
//! damped or not, and none where there are none.

mod patient;

use patient::{Patient, channel};
use proptest::prelude::*;
use signal::WaveKind;
use signal::pulse::{Detector, Pulse, PulseKind, Train};
use vitals::Rate;

/// Feet (s) with their pulses.
fn detect(kind: PulseKind, rate: Rate, values: &[f32]) -> Vec<(f64, Pulse)> {
    let mut detector = Detector::new(kind, rate);
    let mut found = Vec::new();
    for (index, &value) in values.iter().enumerate() {
        if let Some(pulse) = detector.sample(value) {
            found.push((index as f64 / rate.hz() - pulse.foot_ago_us as f64 / 1e6, pulse));
        }
    }
    found
}

/// How many of the pulses after the first six seconds, which teach, were found within 80 ms, and how many were made up.
fn compare(found: &[(f64, Pulse)], wanted: &[f64], until: f64) -> (usize, usize, usize) {
    let wanted: Vec<f64> = wanted.iter().copied().filter(|at| (6.0..until - 1.0).contains(at)).collect();
    let hit = wanted.iter().filter(|at| found.iter().any(|(foot, _)| (foot - **at).abs() < 0.08)).count();
    let extra = found.iter().filter(|(foot, _)| (6.0..until - 1.0).contains(foot));
    let extra = extra.filter(|(foot, _)| !wanted.iter().any(|at| (foot - at).abs() < 0.08)).count();
    (hit, wanted.len(), extra)
}

#[test]
fn every_pulse_at_every_rate() {
    for (numerator, denominator) in [(30, 1), (125, 2), (100, 1), (125, 1), (240, 1), (250, 1), (360, 1), (500, 1)] {
        for rr in [0.3, 0.5, 0.8, 1.4] {
            if numerator == 30 && rr < 0.4 {
                continue; // nine samples a beat are too few
            }
            let patient = Patient::steady(60.0, rr, 15.0);
            let waves = [
                (WaveKind::ArterialPressure, PulseKind::Pressure, patient::PRESSURE_DELAY),
                (WaveKind::Pleth, PulseKind::Volume, patient::PLETH_DELAY),
            ];
            for (kind, pulse, delay) in waves {
                let wave = |t: f64| if kind == WaveKind::Pleth { patient.pleth(t) } else { patient.pressure(t) };
                let channel = channel(1, kind, (numerator, denominator), 60.0, wave);
                let found = detect(pulse, channel.rate, &channel.values);
                let feet: Vec<f64> = patient.pulses.iter().map(|pulse| pulse + delay).collect();
                let (hit, of, extra) = compare(&found, &feet, 60.0);
                let what = format!("{kind:?} {numerator}/{denominator} Hz, every {rr} s: {hit} of {of}, {extra} made up");
                assert!(hit * 100 >= of * 98 && extra * 100 <= of * 2, "{what}");
            }
        }
    }
}

#[test]
fn pressures_are_those_of_the_wave() {
    let patient = Patient::steady(40.0, 0.8, 12.0);
    for rate in [(125, 2), (125, 1), (500, 1)] {
        let channel = channel(1, WaveKind::ArterialPressure, rate, 40.0, |t| patient.pressure(t));
        let mut train = Train::new(PulseKind::Pressure);
        for (foot, pulse) in detect(PulseKind::Pressure, channel.rate, &channel.values) {
            train.push((foot * 1e6) as i64, &pulse);
        }
        let end = channel.values.len() as f64 / channel.rate.hz();
        let last = (end - 10.0) * channel.rate.hz();
        let mean = channel.values[last as usize..].iter().sum::<f32>() / (channel.values.len() - last as usize) as f32;
        let pressures = train.pressures((end * 1e6) as i64).expect("a clean wave has pressures");
        assert!((f64::from(pressures.systolic) - patient::SYSTOLIC).abs() < 2.5, "{rate:?}: {pressures:?}");
        assert!((f64::from(pressures.diastolic) - patient::DIASTOLIC).abs() < 2.5, "{rate:?}: {pressures:?}");
        assert!((pressures.mean - mean).abs() < 1.5, "{rate:?}: {pressures:?}, the mean is {mean}");
        assert!(pressures.confidence > 0.95);
        let rate = train.rate((end * 1e6) as i64).expect("a rate");
        assert!((rate.per_min - 75.0).abs() < 2.0 && rate.confidence > 0.9, "{rate:?}");
    }
}

#[test]
fn damping_moves_the_foot_little_and_loses_no_pulse() {
    let patient = Patient::steady(40.0, 0.7, 12.0);
    let mut channel = channel(1, WaveKind::ArterialPressure, (125, 1), 40.0, |t| patient.pressure(t));
    let clean = detect(PulseKind::Pressure, channel.rate, &channel.values);
    // A bubble in the line: a low pass of 2.5 Hz.
    let mut level = channel.values[0];
    for value in &mut channel.values {
        level += (*value - level) / 8.0;
        *value = level;
    }
    let damped = detect(PulseKind::Pressure, channel.rate, &channel.values);
    for (foot, _) in clean.iter().filter(|(foot, _)| (5.0..38.0).contains(foot)) {
        let near = damped.iter().any(|(damped, _)| (-0.005..0.06).contains(&(damped - foot)));
        assert!(near, "the pulse at {foot} s");
    }
}

#[test]
fn a_flush_and_jumps_are_no_good_pulses_and_are_forgotten() {
    let patient = Patient::steady(60.0, 0.8, 12.0);
    let mut channel = channel(1, WaveKind::ArterialPressure, (125, 1), 60.0, |t| patient.pressure(t));
    // The line is flushed for three seconds, and later the level jumps.
    channel.values[20 * 125..23 * 125].fill(290.0);
    channel.values[40 * 125..40 * 125 + 30].fill(10.0);
    let mut train = Train::new(PulseKind::Pressure);
    let (mut good, mut wild) = (0, 0);
    for (foot, pulse) in detect(PulseKind::Pressure, channel.rate, &channel.values) {
        if train.push((foot * 1e6) as i64, &pulse) {
            good += 1;
            wild += usize::from(pulse.peak > 140.0 || pulse.foot < 50.0);
        }
    }
    assert_eq!(wild, 0);
    assert!(good > 55, "{good} good pulses of 75");
}

#[test]
fn nothing_makes_no_pulse() {
    let rate = Rate::new(125, 1).expect("a rate");
    let flat = vec![80.0; 2_500];
    let missing = vec![f32::NAN; 2_500];
    let drift: Vec<f32> = (0..5_000).map(|i| 80.0 + i as f32 * 0.01).collect();
    for values in [flat, missing, drift] {
        assert!(detect(PulseKind::Pressure, rate, &values).is_empty());
    }
}

#[test]
fn after_the_wildest_values_pulses_are_found_again() {
    let patient = Patient::steady(120.0, 0.8, 12.0);
    let mut channel = channel(1, WaveKind::ArterialPressure, (125, 1), 120.0, |t| patient.pressure(t));
    for (index, value) in channel.values[30 * 125..40 * 125].iter_mut().enumerate() {
        *value = [9e8, -9e8, 3e38, f32::NEG_INFINITY, f32::NAN, 0.0][index % 6];
    }
    let found = detect(PulseKind::Pressure, channel.rate, &channel.values);
    let late = patient.pulses.iter().filter(|pulse| (90.0..118.0).contains(*pulse));
    for pulse in late {
        let foot = pulse + patient::PRESSURE_DELAY;
        assert!(found.iter().any(|(at, _)| (at - foot).abs() < 0.08), "the pulse at {foot} s");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, nothing breaks, and what is given lies in the past and rises to its peak.
    #[test]
    fn any_samples(values in proptest::collection::vec(prop_oneof![
        8 => -1e3_f32..1e3, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY), 1 => Just(0.0_f32),
    ], 0..3_000), hertz in 25_u32..500) {
        let rate = Rate::new(hertz, 1).expect("a rate");
        let mut detector = Detector::new(PulseKind::Volume, rate);
        for value in values {
            if let Some(pulse) = detector.sample(value) {
                prop_assert!(pulse.foot_ago_us >= pulse.peak_ago_us && pulse.peak_ago_us >= 0);
                prop_assert!(pulse.peak >= pulse.foot && pulse.roughness.is_finite());
            }
        }
    }

    /// Missing samples between pulses leave the others as they are.
    #[test]
    fn a_hole_takes_no_more_than_it_covers(at in 10.0_f64..40.0, length in 0.0_f64..5.0) {
        let patient = Patient::steady(60.0, 0.8, 12.0);
        let mut channel = channel(1, WaveKind::Pleth, (125, 1), 60.0, |t| patient.pleth(t));
        let hole = (at * 125.0) as usize..((at + length) * 125.0) as usize;
        channel.values[hole].fill(f32::NAN);
        let found = detect(PulseKind::Volume, channel.rate, &channel.values);
        let feet = patient.pulses.iter().map(|pulse| pulse + patient::PLETH_DELAY);
        let outside: Vec<f64> = feet.filter(|foot| *foot < at - 0.6 || *foot > at + length + 0.4).collect();
        let (hit, of, _) = compare(&found, &outside, 60.0);
        prop_assert!(hit + 1 >= of, "{hit} of {of}");
    }
}
