//! Beats of made-up leads: found where they were put, whatever the rate and the blocks, and never
//! found where there are none.

use proptest::prelude::*;
use signal::Beat;
use signal::ecg::{Detection, Detector, Leads};
use vitals::Rate;

/// A lead with beats at the given times (s): P, QRS and T waves as Gaussians, in millivolts.
fn lead(hz: f64, seconds: f64, beats: &[f64]) -> Vec<f32> {
    let bump = |t: f64, height: f64, width: f64| height * (-t * t / (2.0 * width * width)).exp();
    (0..(hz * seconds) as usize)
        .map(|i| {
            let t = i as f64 / hz;
            let wave = |at: &f64| {
                let d = t - at;
                bump(d + 0.16, 0.12, 0.02) - bump(d + 0.025, 0.15, 0.008)
                    + bump(d, 1.1, 0.011)
                    - bump(d - 0.03, 0.25, 0.01)
                    + bump(d - 0.26, 0.25, 0.045)
            };
            beats.iter().map(wave).sum::<f64>() as f32
        })
        .collect()
}

fn every(from: f64, to: f64, rr: f64) -> Vec<f64> {
    (0..).map(|i| from + f64::from(i) * rr).take_while(|t| *t < to).collect()
}

fn detect(rate: Rate, values: &[f32], blocks: &[usize]) -> Vec<Detection> {
    let mut detector = Detector::new(rate);
    let mut out = Vec::new();
    let mut rest = values;
    let mut sizes = blocks.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |size| (*size).clamp(1, rest.len()));
        detector.push(&rest[..size], &mut out);
        rest = &rest[size..];
    }
    detector.gap(&mut out);
    out
}

fn beats(rate: Rate, values: &[f32]) -> Vec<f64> {
    let found = detect(rate, values, &[values.len().max(1)]);
    found.iter().filter(|d| d.is_beat()).map(|d| d.at_us as f64 / 1e6).collect()
}

#[test]
fn every_beat_at_every_rate_and_heart_rate() {
    for (n, d) in [(125, 2), (100, 1), (125, 1), (200, 1), (250, 1), (300, 1), (360, 1), (500, 1), (1_000, 1)] {
        let rate = Rate::new(n, d).expect("not zero");
        for rr in [0.3, 0.5, 0.8, 1.5, 2.0] {
            let truth = every(0.7, 29.0, rr);
            let found = beats(rate, &lead(rate.hz(), 30.0, &truth));
            assert_eq!(found.len(), truth.len(), "{n}/{d} Hz, RR {rr}: {found:?}");
            for (one, other) in found.iter().zip(&truth) {
                assert!((one - other).abs() < 0.012, "{n}/{d} Hz, RR {rr}: {one} for {other}");
            }
        }
    }
}

#[test]
fn a_pause_is_no_beat_and_a_small_late_beat_is_found() {
    let rate = Rate::new(250, 1).expect("not zero");
    let mut truth = every(0.7, 20.0, 0.8);
    truth.extend(every(24.5, 40.0, 0.8));
    let mut values = lead(250.0, 41.0, &truth);
    assert_eq!(beats(rate, &values).len(), truth.len());
    // One beat of a quarter of the height: overdue, then found in the second look.
    for value in &mut values[(12.5 * 250.0) as usize..(13.2 * 250.0) as usize] {
        *value *= 0.25;
    }
    assert_eq!(beats(rate, &values).len(), truth.len());
}

#[test]
fn nothing_is_found_in_nothing() {
    let rate = Rate::new(250, 1).expect("not zero");
    let baseline: Vec<f32> = (0..15_000).map(|i| (f64::from(i) / 250.0 * 1.5).sin() as f32).collect();
    let tiny: Vec<f32> = lead(250.0, 60.0, &every(0.7, 59.0, 0.8)).iter().map(|x| x * 0.02).collect();
    for values in [vec![0.0; 15_000], vec![f32::NAN; 15_000], baseline, tiny] {
        assert_eq!(beats(rate, &values), [0.0; 0]);
    }
}

#[test]
fn missing_samples_make_no_beat() {
    let rate = Rate::new(250, 1).expect("not zero");
    let truth = every(0.7, 59.0, 0.8);
    let mut values = lead(250.0, 60.0, &truth);
    // The baseline is elsewhere after each hole.
    for (hole, at) in (10..50).step_by(4).enumerate() {
        for value in &mut values[at * 250..] {
            *value += if hole % 2 == 0 { 3.0 } else { -3.0 };
        }
        values[at * 250 - 100..at * 250 + 30].fill(if hole % 3 == 0 { f32::INFINITY } else { f32::NAN });
    }
    let found = beats(rate, &values);
    for one in &found {
        assert!(truth.iter().any(|other| (one - other).abs() < 0.02), "{one} is no beat");
    }
    assert!(found.len() > truth.len() - 20, "{} of {}", found.len(), truth.len());
}

#[test]
fn state_is_small_and_survives_storage() {
    let rate = Rate::new(250, 1).expect("not zero");
    let values = lead(250.0, 30.0, &every(0.7, 29.0, 0.8));
    let mut detector = Detector::new(rate);
    let mut whole = Vec::new();
    detector.push(&values[..4_321], &mut whole);
    let stored = postcard::to_allocvec(&detector).expect("any state can be written");
    assert!(stored.len() < 1_700, "{} bytes", stored.len());
    let mut again: Detector = postcard::from_bytes(&stored).expect("what was written can be read");
    assert_eq!(again, detector);
    let mut other = whole.clone();
    detector.push(&values[4_321..], &mut whole);
    again.push(&values[4_321..], &mut other);
    assert_eq!(whole, other);
}

fn fused(rate: Rate, leads: &[&[f32]], block: usize) -> Vec<Beat> {
    let mut together = Leads::new(rate, leads.len());
    let mut out = Vec::new();
    let length = leads.iter().map(|lead| lead.len()).min().unwrap_or(0);
    for from in (0..length).step_by(block) {
        let part: Vec<&[f32]> = leads.iter().map(|lead| &lead[from..(from + block).min(length)]).collect();
        together.push(&part, &mut out);
    }
    together.gap(&mut out);
    out
}

/// A lead falls off, the other is disturbed at times: together they show every beat and nothing else.
#[test]
fn one_lead_helps_the_other() {
    let rate = Rate::new(250, 1).expect("not zero");
    let truth = every(0.7, 59.0, 0.8);
    let mut one = lead(250.0, 60.0, &truth);
    let mut other: Vec<f32> = one.iter().map(|x| -0.6 * x).collect();
    one[20 * 250..27 * 250].fill(0.2);
    one[40 * 250..43 * 250].fill(f32::NAN);
    for at in [10.3, 14.35, 38.9, 50.28_f64] {
        // A spike like a beat, where there is none.
        for (i, value) in lead(250.0, 1.0, &[0.5]).iter().enumerate() {
            other[((at - 0.5) * 250.0) as usize + i] += value;
        }
    }
    let found = fused(rate, &[&one, &other], 77);
    let times: Vec<f64> = found.iter().map(|beat| beat.time_us as f64 / 1e6).collect();
    assert_eq!(times.len(), truth.len(), "{times:?}");
    for (one, other) in times.iter().zip(&truth) {
        assert!((one - other).abs() < 0.05, "{one} for {other}");
    }
}

fn any_sample() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -3.0_f32..3.0, 1 => any::<f32>(), 1 => Just(f32::NAN), 1 => Just(f32::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn blocks_change_nothing(
        noise in prop::collection::vec(any_sample(), 0..3_000),
        blocks in prop::collection::vec(1_usize..400, 1..20),
        hz in 30_u32..1_000,
        times in prop::collection::vec(0.0_f64..20.0, 0..30),
    ) {
        let rate = Rate::new(hz, 1).expect("not zero");
        let mut values = lead(f64::from(hz), 12.0, &times);
        let at = values.len() / 2;
        for (value, noise) in values[at..].iter_mut().zip(&noise) {
            *value += noise;
        }
        let whole = detect(rate, &values, &[values.len()]);
        let parts = detect(rate, &values, &blocks);
        prop_assert_eq!(&whole, &parts);
        for pair in whole.iter().filter(|d| d.is_beat()).collect::<Vec<_>>().windows(2) {
            prop_assert!(pair[1].at_us > pair[0].at_us);
        }
    }

    #[test]
    fn blocks_change_nothing_in_several_leads(
        noise in prop::collection::vec(any_sample(), 0..2_000),
        block in 1_usize..700,
        times in prop::collection::vec(0.0_f64..12.0, 0..20),
    ) {
        let rate = Rate::new(125, 1).expect("not zero");
        let one = lead(125.0, 12.0, &times);
        let mut other = one.clone();
        for (value, noise) in other.iter_mut().zip(&noise) {
            *value += noise;
        }
        let whole = fused(rate, &[&one, &other], one.len());
        prop_assert_eq!(whole, fused(rate, &[&one, &other], block));
    }

    #[test]
    fn any_samples_at_any_rate_are_taken(
        values in prop::collection::vec(any::<f32>(), 0..4_000),
        numerator in 1_u32..=u32::MAX,
        denominator in 1_u32..=1_000_000,
    ) {
        let rate = Rate::new(numerator, denominator).expect("not zero");
        let found = detect(rate, &values, &[97]);
        prop_assert!(found.iter().all(|d| d.height.is_finite() && d.confidence().is_finite()));
    }
}
