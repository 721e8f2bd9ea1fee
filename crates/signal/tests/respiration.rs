//! Breaths of made-up signals: counted at any rate, in impedance and carbon dioxide, with the heart's
//! own movement on top, and in what breathing does to the beats.

use proptest::prelude::*;
use signal::respiration::{Breathing, Breaths, Modulation, RespRate, fuse};
use std::f64::consts::TAU;
use vitals::Rate;

/// The rate after a minute and a half of a signal.
fn rate_of(hertz: (u32, u32), seconds: f64, wave: impl Fn(f64) -> f64) -> Option<RespRate> {
    let rate = Rate::new(hertz.0, hertz.1).expect("a rate");
    let mut breaths = Breaths::new(rate);
    let mut breathing = Breathing::default();
    for index in 0..(seconds * rate.hz()) as u64 {
        let at_us = rate.micros(index);
        if let Some(breath) = breaths.sample(wave(at_us as f64 / 1e6) as f32) {
            breathing.push(at_us - breath.peak_ago_us);
        }
    }
    breathing.rate((seconds * 1e6) as i64)
}

#[test]
fn breaths_are_counted_at_any_rate_with_the_heart_on_top() {
    for hertz in [(25, 1), (125, 4), (125, 2), (125, 1), (250, 1)] {
        for per_min in [6.0, 12.0, 20.0, 35.0, 55.0] {
            let wave = |t: f64| (t * per_min / 60.0 * TAU).sin() + 0.25 * (t * 80.0 / 60.0 * TAU).sin() + 0.02 * t;
            let found = rate_of(hertz, 90.0, wave).unwrap_or_else(|| panic!("{per_min} at {hertz:?} Hz: no rate"));
            assert!((f64::from(found.per_min) - per_min).abs() < 0.05 * per_min, "{per_min} at {hertz:?} Hz: {found:?}");
            assert!(found.confidence > 0.8, "{per_min} at {hertz:?} Hz: {found:?}");
        }
    }
}

#[test]
fn carbon_dioxide_has_one_plateau_a_breath() {
    // mmHg: nothing while breathing in, a slowly rising plateau while breathing out.
    let wave = |t: f64| {
        let part = (t / 4.0).fract();
        if part < 0.4 { 0.0 } else { (38.0 * (1.0 - (-(part - 0.4) * 40.0).exp())) + 4.0 * (part - 0.4) }
    };
    let found = rate_of((125, 2), 90.0, wave).expect("a rate");
    assert!((found.per_min - 15.0).abs() < 0.4, "{found:?}");
}

#[test]
fn no_breath_is_no_rate_soon_after() {
    let wave = |t: f64| if t < 60.0 { (t * 15.0 / 60.0 * TAU).sin() } else { 0.05 * (t * 1.2 * TAU).sin() };
    assert!(rate_of((125, 2), 60.0, wave).is_some());
    assert_eq!(rate_of((125, 2), 85.0, wave), None);
}

#[test]
fn after_the_wildest_values_breaths_are_counted_again() {
    let wave = |t: f64| match (10.0..15.0).contains(&t) {
        true => [9e8, -9e8, 3e38, f64::NAN, 0.0][(t * 62.5) as usize % 5],
        false => (t * 15.0 / 60.0 * TAU).sin(),
    };
    let found = rate_of((125, 2), 300.0, wave).expect("a rate");
    assert!((found.per_min - 15.0).abs() < 0.4, "{found:?}");
}

#[test]
fn breathing_shows_in_values_taken_once_a_beat() {
    for (per_min, rr) in [(8.0, 0.9), (14.0, 0.8), (20.0, 0.7), (28.0, 0.45), (24.0, 0.35)] {
        let mut modulation = Modulation::<2>::default();
        let mut at = 0.0;
        while at < 60.0 {
            let phase = (at * per_min / 60.0 * TAU).sin();
            // One value breathes, the other only trembles.
            modulation.push((at * 1e6) as i64, [(10.0 + phase + 0.01 * at) as f32, (at * 7_919.0).sin() as f32]);
            at += rr * (1.0 + 0.02 * phase);
        }
        let [breathes, trembles] = modulation.spectra(60_000_000).expect("enough values");
        let found = breathes.rate().unwrap_or_else(|| panic!("{per_min} a minute: {breathes:?}"));
        assert!((f64::from(found.per_min) - per_min).abs() < 0.7, "{per_min} a minute: {found:?}");
        assert!(trembles.share < breathes.share, "{trembles:?}");
    }
}

#[test]
fn rates_that_agree_are_taken() {
    let rate = |per_min, confidence| RespRate { per_min, confidence };
    let cases: [(&[RespRate], &[RespRate], Option<f32>); 6] = [
        (&[rate(16.0, 0.9)], &[], Some(16.0)),
        (&[rate(16.0, 0.9)], &[rate(30.0, 0.5)], Some(16.0)),
        (&[], &[rate(15.0, 0.6), rate(16.0, 0.6), rate(33.0, 0.7)], Some(15.5)),
        // Derived ones that do not agree, and a weak one alone, are no rate.
        (&[], &[rate(10.0, 0.6), rate(20.0, 0.6)], None),
        (&[], &[rate(10.0, 0.3)], None),
        (&[], &[], None),
    ];
    for (measured, derived, wanted) in cases {
        let found = fuse(measured, derived).map(|found| found.per_min);
        let same = match (found, wanted) {
            (Some(found), Some(wanted)) => (found - wanted).abs() < 0.1,
            (found, wanted) => found == wanted,
        };
        assert!(same, "{measured:?} {derived:?}: {found:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, nothing breaks and breaths lie in the past.
    #[test]
    fn any_samples(values in proptest::collection::vec(prop_oneof![
        8 => -1e3_f32..1e3, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY), 1 => Just(0.0_f32), 1 => -3e38_f32..3e38,
    ], 0..3_000), hertz in 5_u32..500) {
        let mut breaths = Breaths::new(Rate::new(hertz, 1).expect("a rate"));
        for value in values {
            if let Some(breath) = breaths.sample(value) {
                prop_assert!(breath.peak_ago_us >= 0);
            }
        }
    }
}
