//! Rhythms out of made-up beats and waveforms: each is found by its definition, none where the signal is not to be
//! believed, and no beats break the watcher.

use proptest::prelude::*;
use signal::quality::{Meter, Oscillation, Verdict};
use signal::rhythm::{State, Watcher, classify_record, record_window};
use signal::{Beat, BeatClass, Block, Reason, Rhythm, WaveKind};
use vitals::Rate;

const SECOND: i64 = 1_000_000;

fn verdict(time_us: i64, index: u8) -> Verdict {
    let oscillation = Oscillation { leakage: 0.9, evenness: 0.15, hz: 4.0, amplitude: 0.6, seconds: 4 };
    Verdict { time_us, index, reason: (index < 80).then_some(Reason::Noise), range: 1.2, oscillation }
}

/// Beats as (interval before it, letter), after which `quiet_s` seconds pass without any.
fn beats(parts: &[(i64, &str, usize)]) -> Vec<Beat> {
    let mut time_us = SECOND;
    let mut all = Vec::new();
    for &(ms, letters, times) in parts {
        for letter in letters.chars().cycle().take(letters.len() * times) {
            time_us += ms * 1_000;
            let class = BeatClass::ALL.into_iter().find(|class| class.letter() == letter).expect("a letter of EC57");
            all.push(Beat { time_us, class, confidence: 0.9, width_ms: 90.0 });
        }
    }
    all
}

/// What is told while these beats come and seconds of this quality pass.
fn watch(beats: &[Beat], seconds: i64, index: impl Fn(i64) -> u8) -> Vec<State> {
    let mut watcher = Watcher::default();
    let mut told = Vec::new();
    let mut rest = beats;
    for second in 1..=seconds {
        while let Some((beat, more)) = rest.split_first().filter(|(beat, _)| beat.time_us < second * SECOND - 400_000) {
            rest = more;
            watcher.beat(beat);
        }
        told.extend(watcher.second(&verdict(second * SECOND, index(second))));
    }
    told
}

fn rhythms(told: &[State]) -> Vec<Rhythm> {
    told.iter().map(|state| state.rhythm).collect()
}

/// The rhythms told after the first are these, in this order.
fn check(name: &str, parts: &[(i64, &str, usize)], quiet_s: i64, expected: &[Rhythm]) {
    let beats = beats(parts);
    let end_s = beats.last().map_or(0, |beat| beat.time_us / SECOND) + 1 + quiet_s;
    let told = rhythms(&watch(&beats, end_s, |_| 100));
    assert_eq!(told[0], Rhythm::Undetermined, "{name}");
    assert_eq!(told[1..], *expected, "{name}");
}

#[test]
fn rhythms_by_their_definitions() {
    use Rhythm::*;
    check("sinus", &[(800, "N", 60)], 0, &[Regular]);
    check("asystole and back", &[(800, "N", 20), (6_000, "N", 1), (800, "N", 30)], 0, &[Regular, Pause, Asystole, Pause, Regular]);
    check("asystole that stays", &[(800, "N", 20)], 9, &[Regular, Pause, Asystole]);
    check("pause", &[(800, "N", 20), (3_300, "N", 1), (800, "N", 30)], 0, &[Regular, Pause, Regular]);
    check("no pause", &[(800, "N", 20), (2_700, "N", 1), (800, "N", 30)], 0, &[Regular]);
    check("extremely slow", &[(900, "N", 10), (1_700, "N", 12), (900, "N", 20)], 0, &[Regular, ExtremeBradycardia, Bradycardia, Regular]);
    check("slow", &[(900, "N", 10), (1_300, "N", 12)], 0, &[Regular, Bradycardia]);
    check("extremely fast", &[(800, "N", 10), (400, "N", 30), (800, "N", 30)], 0, &[Regular, Tachycardia, ExtremeTachycardia, Tachycardia, Regular]);
    check("fast, not extremely", &[(800, "N", 10), (450, "N", 40)], 0, &[Regular, Tachycardia]);
    check("ventricular tachycardia", &[(800, "N", 20), (450, "V", 8), (800, "N", 20)], 0,
        &[Regular, VentricularRun, VentricularTachycardia, VentricularRun, Regular]);
    check("slow run", &[(800, "N", 20), (900, "V", 8), (800, "N", 20)], 0, &[Regular, Couplet, VentricularRun, Regular]);
    check("couplet", &[(800, "N", 20), (500, "VV", 1), (800, "N", 20)], 0, &[Regular, Couplet, Regular]);
    check("single ectopic beats", &[(800, "N", 20), (500, "V", 1), (800, "N", 20)], 0, &[Regular]);
    check("bigeminy", &[(800, "N", 10), (800, "VN", 8), (800, "N", 20)], 0, &[Regular, Bigeminy, Regular]);
    check("trigeminy", &[(800, "N", 10), (800, "VNN", 8), (800, "N", 20)], 0, &[Regular, Trigeminy, Regular]);
}

/// Intervals of fibrillation (without order) and of premature beats (in a pattern), repeatable.
fn irregular(count: usize, spread_ms: i64, seed: u64) -> Vec<Beat> {
    let mut state = seed;
    let mut time_us = 0;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let share = (state >> 40) as i64 % 1_000;
            time_us += (700 - spread_ms / 2 + spread_ms * share / 1_000) * 1_000;
            Beat { time_us, class: BeatClass::Normal, confidence: 0.9, width_ms: 90.0 }
        })
        .collect()
}

#[test]
fn atrial_fibrillation_is_disorder() {
    for seed in 1..20 {
        let told = rhythms(&watch(&irregular(150, 420, seed), 90, |_| 100));
        assert!(told.contains(&Rhythm::AtrialFibrillation), "seed {seed}: {told:?}");
        let told = rhythms(&watch(&irregular(150, 60, seed), 90, |_| 100));
        assert!(!told.contains(&Rhythm::AtrialFibrillation), "seed {seed}, sinus: {told:?}");
    }
    let premature = beats(&[(800, "N", 5), (500, "S", 1), (1_050, "N", 1), (800, "N", 3), (520, "S", 1), (1_040, "N", 1)].repeat(12));
    let told = rhythms(&watch(&premature, 100, |_| 100));
    assert!(!told.contains(&Rhythm::AtrialFibrillation), "premature beats: {told:?}");
}

/// In a stretch that is not believed nothing is alarmed for, and what was there before is not carried on.
#[test]
fn no_alarm_without_a_believable_signal() {
    let beats = beats(&[(800, "N", 20)]);
    let told = rhythms(&watch(&beats, 60, |second| if second > 17 { 20 } else { 100 }));
    assert_eq!(told, [Rhythm::Undetermined, Rhythm::Regular, Rhythm::Undetermined]);
    let mut watcher = Watcher::default();
    for beat in &beats {
        watcher.beat(beat);
    }
    watcher.second(&verdict(18 * SECOND, 100));
    assert_eq!(watcher.pass(20 * SECOND), None, "a short silence of the device is no news");
    assert_eq!(watcher.pass(30 * SECOND).map(|state| state.rhythm), Some(Rhythm::Undetermined));
}

/// A lead at 250 Hz made of a wave of time: 20 s of sinus rhythm, then `wave`, then sinus rhythm again. No beats are
/// given while the wave lasts.
fn waveform(wave: impl Fn(f64) -> f64, lasts_s: i64) -> Vec<State> {
    let rate = Rate::new(250, 1).expect("not zero");
    let bump = |t: f64, at: f64, width: f64| (-(t - at) * (t - at) / (2.0 * width * width)).exp();
    let sinus = |t: f64| {
        let p = t.rem_euclid(0.8);
        0.1 * bump(p, 0.2, 0.02) + 1.1 * bump(p, 0.36, 0.011) - 0.2 * bump(p, 0.385, 0.01) + 0.3 * bump(p, 0.6, 0.04)
    };
    let (from, to, end) = (20.0, 20.0 + lasts_s as f64, 50.0 + lasts_s as f64);
    let value = |t: f64| if (from..to).contains(&t) { wave(t - from) } else { sinus(t) };
    let values: Vec<f32> = (0..(end * 250.0) as usize).map(|i| value(i as f64 / 250.0) as f32).collect();
    let mut seconds = Vec::new();
    Meter::new(WaveKind::Ecg).push(&Block { start_us: 0, rate, values: &values, gap_before: false }, |v| seconds.push(v));
    let mut watcher = Watcher::default();
    let mut told = Vec::new();
    let mut beat = 0.36;
    for second in seconds {
        while beat < second.time_us as f64 / 1e6 - 0.5 {
            if !(from..to).contains(&beat) {
                let time_us = (beat * 1e6) as i64;
                watcher.beat(&Beat { time_us, class: BeatClass::Normal, confidence: 0.9, width_ms: 80.0 });
            }
            beat += 0.8;
        }
        told.extend(watcher.second(&second));
    }
    told
}

const TURN: f64 = core::f64::consts::TAU;

/// Fibrillation: oscillations of wandering frequency (4 to 7 Hz) and size.
fn fibrillation(t: f64) -> f64 {
    let phase = 5.3 * t + 0.5 * (TURN * 0.31 * t).sin() + 0.23 * (TURN * 0.83 * t).sin();
    let other = 4.3 * t + 0.4 * (TURN * 0.47 * t).cos();
    (0.35 + 0.15 * (TURN * 0.23 * t).sin()) * (TURN * phase).sin() + 0.12 * (TURN * other).sin()
}

#[test]
fn fibrillation_and_flutter_are_seen_in_the_waveform() {
    for (name, wave) in [("fibrillation", fibrillation as fn(f64) -> f64), ("flutter", |t| 0.8 * (TURN * 3.6 * t).sin())] {
        let told = waveform(wave, 20);
        let found = told.iter().find(|state| state.rhythm == Rhythm::VentricularFibrillation);
        let found = found.unwrap_or_else(|| panic!("{name} is not found: {told:?}"));
        let after_s = (found.time_us - 20 * SECOND) as f64 / 1e6;
        assert!((4.0..=10.0).contains(&after_s), "{name} after {after_s} s");
        assert_eq!(told.last().map(|state| state.rhythm), Some(Rhythm::Regular), "{name}: {told:?}");
    }
    let asystole = rhythms(&waveform(|t| 0.01 * (TURN * 0.2 * t).sin() + 0.01 * (TURN * 31.0 * t).sin(), 20));
    assert!(asystole.contains(&Rhythm::Asystole), "{asystole:?}");
    assert!(!asystole.contains(&Rhythm::VentricularFibrillation), "{asystole:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any beats, seconds and times: no panic, the state stays small and goes on the same after it was written and read.
    #[test]
    fn any_beats(events in prop::collection::vec((any::<i64>(), 0_u8..8, any::<f32>(), any::<f32>(), any::<bool>()), 1..200)) {
        let mut watcher = Watcher::default();
        let mut now_us = 0_i64;
        for (by, what, one, other, wild) in events {
            now_us = if wild { by } else { now_us.wrapping_add(by % 2_000_000) };
            match what {
                0..=5 => {
                    let class = BeatClass::ALL[usize::from(what)];
                    watcher.beat(&Beat { time_us: now_us, class, confidence: one, width_ms: other });
                }
                6 => {
                    let oscillation = Oscillation { leakage: one, evenness: other, hz: 5.0, amplitude: 1.0, seconds: 4 };
                    watcher.second(&Verdict { time_us: now_us, index: by as u8 % 101, reason: None, range: one, oscillation });
                }
                _ => {
                    watcher.pass(now_us);
                }
            }
        }
        let bytes = postcard::to_stdvec(&watcher).expect("a state can be written");
        prop_assert!(bytes.len() < 1_200, "{}", bytes.len());
        prop_assert!(postcard::from_bytes::<Watcher>(&bytes).is_ok());
    }

    /// Any samples and beats of a record are judged without a panic, and the probabilities are such.
    #[test]
    fn any_record(
        bits in prop::collection::vec(any::<u32>(), 0..300),
        small in prop::collection::vec(-2.0_f32..2.0, 0..3_000),
        beats in prop::collection::vec(0_usize..4_000, 0..60),
        sorted in any::<bool>(),
        n in 1_u32..1_000,
    ) {
        let rate = Rate::new(n, 1).expect("not zero");
        let mut beats = beats;
        if sorted {
            beats.sort_unstable();
        }
        let wild: Vec<f32> = bits.iter().map(|bits| f32::from_bits(*bits)).collect();
        for values in [wild.as_slice(), &small, &[wild.clone(), small.clone()].concat()] {
            let judged = classify_record(values, rate, &beats);
            let sum: f32 = judged.probabilities.iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-3, "{:?}", judged);
        }
        prop_assert!(record_window(rate, &beats).iter().all(|measure| measure.is_finite()));
    }
}
