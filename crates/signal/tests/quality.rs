//! Quality of made-up signals: what spoils them is seen and named, at any rate, and divisions do not matter.

use proptest::prelude::*;
use signal::quality::{Meter, Verdict};
use signal::{Block, Reason, WaveKind};
use vitals::Rate;

const TURN: f64 = core::f64::consts::TAU;

fn bump(t: f64, at: f64, width: f64) -> f64 {
    (-(t - at) * (t - at) / (2.0 * width * width)).exp()
}

/// One lead at 75/min, millivolts.
fn ecg(t: f64) -> f64 {
    let p = t.rem_euclid(0.8);
    0.12 * bump(p, 0.2, 0.022) + 1.1 * bump(p, 0.36, 0.011) - 0.25 * bump(p, 0.385, 0.01) + 0.3 * bump(p, 0.6, 0.045)
}

/// A pulse wave from 0 to 1 at 75/min.
fn pulse(t: f64) -> f64 {
    let p = t.rem_euclid(0.8);
    bump(p, 0.2, 0.07) + 0.35 * bump(p, 0.45, 0.09)
}

/// A small repeatable noise between −1 and 1.
fn noise(i: usize) -> f64 {
    let mut x = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^= x >> 32;
    (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

fn verdicts(kind: WaveKind, rate: Rate, values: &[f32], sizes: &[usize]) -> Vec<Verdict> {
    let mut meter = Meter::new(kind);
    let mut out = Vec::new();
    let (mut at, mut sizes) = (0, sizes.iter().cycle());
    while at < values.len() {
        let size = sizes.next().map_or(values.len(), |size| (*size).max(1)).min(values.len() - at);
        let start_us = 1_000_000_000 + rate.micros(at as u64);
        meter.push(&Block { start_us, rate, values: &values[at..at + size], gap_before: false }, |v| out.push(v));
        at += size;
    }
    out
}

/// Twenty seconds whose second half is spoilt, and the reason that is to be given for most of it; none: it stays good.
fn check(name: &str, kind: WaveKind, wave: impl Fn(f64, usize) -> f64, spoilt: impl Fn(f64, usize, f64) -> f64, expected: Option<Reason>) {
    for (n, d) in [(125, 1), (250, 1), (360, 1), (500, 1)] {
        let rate = Rate::new(n, d).expect("not zero");
        let values: Vec<f32> = (0..(20.0 * rate.hz()) as usize)
            .map(|i| {
                let t = i as f64 / rate.hz();
                let clean = wave(t, i);
                (if t < 10.0 { clean } else { spoilt(t, i, clean) }) as f32
            })
            .collect();
        let found = verdicts(kind, rate, &values, &[values.len()]);
        assert_eq!(found.len(), 20, "{name} at {n} Hz");
        assert!(found[1..9].iter().all(|v| v.index >= 80 && v.reason.is_none()), "{name} at {n} Hz: {:?}", &found[1..9]);
        let bad: Vec<&Verdict> = found[11..].iter().filter(|v| !v.believable()).collect();
        match expected {
            None => assert!(bad.is_empty(), "{name} at {n} Hz: {bad:?}"),
            Some(reason) => {
                let named = found[11..].iter().filter(|v| v.reason == Some(reason)).count();
                assert!(named >= 6 && bad.len() >= 5, "{name} at {n} Hz: {:?}", &found[10..]);
            }
        }
    }
}

#[test]
fn what_spoils_an_electrocardiogram_is_named() {
    let clean = |t: f64, i: usize| ecg(t) + 0.005 * noise(i);
    let check = |name: &str, spoilt: &dyn Fn(f64, usize, f64) -> f64, reason| check(name, WaveKind::Ecg, clean, spoilt, reason);
    check("nothing", &|_, _, v| v, None);
    check("small wander", &|t, _, v| v + 0.4 * (TURN * 0.25 * t).sin(), None);
    check("small noise", &|_, i, v| v + 0.02 * noise(i), None);
    check("asystole", &|_, i, _| 0.02 * noise(i), None);
    check("fibrillation", &|t, i, _| 0.4 * (TURN * 5.1 * t).sin() * (1.0 + 0.4 * (TURN * 0.7 * t).sin()) + 0.01 * noise(i), None);
    check("flat", &|_, _, _| 0.01, Some(Reason::Flat));
    check("missing", &|_, _, _| f64::NAN, Some(Reason::LeadOff));
    check("at the rail", &|_, _, _| 10.0, Some(Reason::LeadOff));
    check("clipped", &|t, _, v| (v + 6.0 * (TURN * 0.9 * t).sin()).clamp(-3.0, 3.0), Some(Reason::Clipped));
    check("50 Hz", &|t, _, v| v + 0.6 * (TURN * 50.0 * t).sin(), Some(Reason::Mains));
    check("60 Hz", &|t, _, v| v + 0.6 * (TURN * 60.0 * t).sin(), Some(Reason::Mains));
    check("muscle", &|_, i, v| v + 0.8 * noise(i), Some(Reason::Noise));
    check("wander", &|t, _, v| v + 4.0 * (TURN * 0.2 * t).sin(), Some(Reason::BaselineWander));
    check("blows", &|t, _, v| v + if t.rem_euclid(1.0) < 0.5 { 8.0 } else { 0.0 }, Some(Reason::Motion));
}

#[test]
fn other_channels_are_judged_by_their_own_measure() {
    let pleth = |t: f64, i: usize| 0.5 + pulse(t) + 0.002 * noise(i);
    check("pleth", WaveKind::Pleth, pleth, |_, _, v| v, None);
    check("probe off", WaveKind::Pleth, pleth, |_, _, _| 0.5, Some(Reason::Flat));
    check("pleth noise", WaveKind::Pleth, pleth, |_, i, v| v + 1.5 * noise(i), Some(Reason::Noise));
    check("pleth motion", WaveKind::Pleth, pleth, |t, _, v| v + 12.0 * (TURN * 1.7 * t).sin(), Some(Reason::Motion));
    let pressure = |t: f64, i: usize| 80.0 + 40.0 * pulse(t) + 0.2 * noise(i);
    check("pressure", WaveKind::ArterialPressure, pressure, |_, _, v| v, None);
    check("line closed", WaveKind::ArterialPressure, pressure, |_, _, _| 95.0, Some(Reason::Flat));
    let breath = |t: f64, i: usize| (TURN * 0.25 * t).sin() + 0.005 * noise(i);
    check("breaths", WaveKind::Respiration, breath, |_, _, v| v, None);
    check("no breath channel", WaveKind::Respiration, breath, |_, _, _| f64::NAN, Some(Reason::LeadOff));
}

/// After half a minute without a beat, or when a breath channel begins between two breaths, the signal as it always
/// was is not movement for ever.
#[test]
fn what_comes_back_is_believed_again() {
    let rate = Rate::new(125, 1).expect("not zero");
    let second_of = |t: f64, wave: &dyn Fn(f64) -> f64| (if (5.0..35.0).contains(&t) { 0.5 } else { wave(t) }) as f32;
    let back = |kind, wave: &dyn Fn(f64) -> f64| {
        let samples = 0..(90.0 * rate.hz()) as usize;
        let values: Vec<f32> = samples
            .map(|i| second_of(i as f64 / rate.hz(), wave) + 0.004 * noise(i) as f32)
            .collect();
        let found = verdicts(kind, rate, &values, &[values.len()]);
        let moving: Vec<&Verdict> = found[60..].iter().filter(|v| v.reason == Some(Reason::Motion)).collect();
        assert!(moving.len() <= 3, "{kind:?}: {moving:?}");
    };
    back(WaveKind::Ecg, &ecg);
    back(WaveKind::Pleth, &|t| 0.5 + pulse(t));
    // Breaths of four seconds with a pause of one after each: some seconds move sixteen times as much as others.
    back(WaveKind::Respiration, &|t| (TURN * 0.25 * (t.rem_euclid(5.0)).min(4.0)).sin());
}

/// A gap ends the second under way; what it lacks counts as missing.
#[test]
fn a_gap_ends_the_second() {
    let rate = Rate::new(250, 1).expect("not zero");
    let values: Vec<f32> = (0..1_000).map(|i| ecg(f64::from(i) / 250.0) as f32).collect();
    let mut meter = Meter::new(WaveKind::Ecg);
    let mut out = Vec::new();
    meter.push(&Block { start_us: 0, rate, values: &values[..300], gap_before: false }, |v| out.push(v));
    meter.push(&Block { start_us: 9_000_000, rate, values: &values[..250], gap_before: true }, |v| out.push(v));
    let times: Vec<(i64, bool)> = out.iter().map(|v| (v.time_us, v.believable())).collect();
    assert_eq!(times, [(1_000_000, true), (1_200_000, false), (10_000_000, true)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any division into blocks, with a state that was written and read in between, gives the same verdicts.
    #[test]
    fn divisions_do_not_matter(sizes in prop::collection::vec(1_usize..700, 1..8), n in 1_u32..600, d in 1_u32..4, seed in any::<usize>()) {
        let rate = Rate::new(n, d).expect("not zero");
        let values: Vec<f32> = (0..2_000).map(|i| (ecg(i as f64 / rate.hz()) + 0.2 * noise(i ^ seed)) as f32).collect();
        let whole = verdicts(WaveKind::Ecg, rate, &values, &[values.len()]);
        prop_assert_eq!(&verdicts(WaveKind::Ecg, rate, &values, &sizes), &whole);
    }

    /// No samples break the state: afterwards a clean signal is believed again.
    #[test]
    fn any_samples(bits in prop::collection::vec(any::<u32>(), 0..600), n in any::<u32>(), d in any::<u32>(), start_us in any::<i64>()) {
        let values: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
        for kind in [WaveKind::Ecg, WaveKind::Pleth, WaveKind::ArterialPressure, WaveKind::Respiration, WaveKind::Other] {
            let mut meter = Meter::new(kind);
            if let Some(rate) = Rate::new(n, d) {
                meter.push(&Block { start_us, rate, values: &values, gap_before: false }, |_| {});
            }
            let rate = Rate::new(250, 1).expect("not zero");
            meter.push(&Block { start_us: 0, rate, values: &values, gap_before: true }, |_| {});
            let text = serde_json::to_string(&meter.clone()).expect("a state can be written");
            prop_assert!(text.len() < 6_000);
            let clean: Vec<f32> = (0..15_000).map(|i| ecg(f64::from(i) / 250.0) as f32).collect();
            let mut last = None;
            meter.push(&Block { start_us: 0, rate, values: &clean, gap_before: true }, |v| last = Some(v));
            if kind == WaveKind::Ecg {
                prop_assert!(last.is_some_and(|v| v.believable()), "{:?}", last);
            }
        }
    }

    /// A state that was written and read goes on as if it had not been.
    #[test]
    fn a_state_can_be_kept(cut in 1_usize..1_999) {
        let rate = Rate::new(125, 1).expect("not zero");
        let values: Vec<f32> = (0..2_000).map(|i| (ecg(i as f64 / 125.0) + 0.05 * noise(i)) as f32).collect();
        let mut out = Vec::new();
        let mut meter = Meter::new(WaveKind::Ecg);
        meter.push(&Block { start_us: 0, rate, values: &values[..cut], gap_before: false }, |v| out.push(v));
        let bytes = postcard::to_stdvec(&meter).expect("a state can be written");
        let mut again: Meter = postcard::from_bytes(&bytes).expect("and read");
        prop_assert_eq!(&again, &meter);
        let start_us = rate.micros(cut as u64);
        again.push(&Block { start_us, rate, values: &values[cut..], gap_before: false }, |v| out.push(v));
        let mut whole = Vec::new();
        Meter::new(WaveKind::Ecg).push(&Block { start_us: 0, rate, values: &values, gap_before: false }, |v| whole.push(v));
        prop_assert_eq!(out, whole);
    }
}
