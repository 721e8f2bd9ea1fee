//! A whole bed: the same findings however the samples were divided, ordered and interrupted by a
//! restart; values that are right; and alarms that the pulse bears out or contradicts.

mod patient;

use patient::{BEGIN_US, Channel, Patient, bed, channel, play, push};
use proptest::prelude::*;
use signal::bedside::{Bedside, Derived, Finding};
use signal::{Block, Reason, Rhythm, WaveKind};

fn values(findings: &[Finding], wanted: Derived) -> Vec<(f64, f64)> {
    let of_it = |finding: &Finding| match finding {
        Finding::Derived { what, value, time_us, .. } if *what == wanted => {
            Some(((time_us - BEGIN_US) as f64 / 1e6, *value))
        }
        _ => None,
    };
    findings.iter().filter_map(of_it).collect()
}

/// Rhythms told, with the second in which they were, and what confirmed or contradicted them.
fn rhythms(findings: &[Finding]) -> Vec<(f64, Rhythm, Option<WaveKind>, Option<WaveKind>)> {
    let of_it = |finding: &Finding| match finding {
        Finding::Rhythm { rhythm, time_us, confirmed_by, contradicted_by, .. } => {
            Some(((time_us - BEGIN_US) as f64 / 1e6, *rhythm, *confirmed_by, *contradicted_by))
        }
        _ => None,
    };
    findings.iter().filter_map(of_it).collect()
}

fn told(findings: &[Finding], rhythm: Rhythm) -> bool {
    rhythms(findings).iter().any(|told| told.1 == rhythm)
}

fn qualities(findings: &[Finding], wanted: u32) -> Vec<(f64, Option<Reason>)> {
    let of_it = |finding: &Finding| match finding {
        Finding::Quality { channel, reason, time_us, .. } if *channel == wanted => {
            Some(((time_us - BEGIN_US) as f64 / 1e6, *reason))
        }
        _ => None,
    };
    findings.iter().filter_map(of_it).collect()
}

fn near(findings: &[Finding], what: Derived, wanted: f64, off: f64) {
    let late: Vec<_> = values(findings, what).into_iter().filter(|(at, _)| *at > 30.0).collect();
    assert!(late.len() >= 5, "{what:?}: {} values", late.len());
    for (at, value) in late {
        assert!((value - wanted).abs() <= off, "{what:?} at {at} s: {value}, not {wanted}");
    }
}

#[test]
fn values_are_those_of_the_patient() {
    let patient = Patient::steady(90.0, 0.8, 15.0);
    let findings = play(&mut Bedside::default(), &bed(&patient, 90.0), 90);
    near(&findings, Derived::HeartRate, 75.0, 1.5);
    near(&findings, Derived::PulseRate, 75.0, 1.5);
    near(&findings, Derived::Systolic, patient::SYSTOLIC, 3.0);
    near(&findings, Derived::Diastolic, patient::DIASTOLIC, 3.0);
    near(&findings, Derived::RespRate, 15.0, 0.7);
    let arrival = values(&findings, Derived::PulseArrival);
    let (_, ms) = arrival.last().expect("an arrival time");
    assert!((150.0..320.0).contains(ms), "{ms} ms");
}

#[test]
fn every_beat_once_and_in_order() {
    let patient = Patient::steady(90.0, 0.7, 15.0);
    let mut channels = bed(&patient, 90.0);
    channels.push(channel(9, WaveKind::Ecg, (500, 1), 90.0, |t| -0.7 * patient.ecg(t - 0.01)));
    let findings = play(&mut Bedside::default(), &channels, 90);
    let beats: Vec<f64> = findings.iter().filter_map(|finding| match finding {
        Finding::Beat { beat, .. } => Some((beat.time_us - BEGIN_US) as f64 / 1e6),
        _ => None,
    }).collect();
    assert!(beats.windows(2).all(|pair| pair[0] < pair[1]));
    for wanted in patient.beats.iter().filter(|beat| (6.0..87.0).contains(*beat)) {
        let here = beats.iter().filter(|beat| (**beat - wanted).abs() < 0.1).count();
        assert_eq!(here, 1, "the beat at {wanted} s");
    }
}

#[test]
fn breathing_shows_in_the_beats_and_pulses_alone() {
    let patient = Patient::steady(90.0, 0.7, 18.0);
    for kinds in [[WaveKind::Ecg, WaveKind::Other], [WaveKind::Pleth, WaveKind::Other], [WaveKind::ArterialPressure, WaveKind::Ecg]] {
        let channels: Vec<_> = bed(&patient, 90.0).into_iter().filter(|channel| kinds.contains(&channel.kind)).collect();
        let findings = play(&mut Bedside::default(), &channels, 90);
        near(&findings, Derived::RespRate, 18.0, 1.0);
    }
}

#[test]
fn a_pulse_without_leads_gives_a_pulse_rate_only() {
    let patient = Patient::steady(60.0, 0.8, 15.0);
    let channels: Vec<_> = bed(&patient, 60.0).into_iter().filter(|channel| channel.kind == WaveKind::Pleth).collect();
    let findings = play(&mut Bedside::default(), &channels, 60);
    near(&findings, Derived::PulseRate, 75.0, 1.5);
    assert!(values(&findings, Derived::HeartRate).is_empty() && rhythms(&findings).is_empty());
    assert!(!findings.iter().any(|finding| matches!(finding, Finding::Beat { .. })));
}

/// A bed whose leads show something else from `from` to `to` seconds.
fn disturbed(patient: &Patient, seconds: f64, from: f64, to: f64, lead: impl Fn(f64) -> f64) -> Vec<Channel> {
    let mut channels = bed(patient, seconds);
    channels[0] = channel(1, WaveKind::Ecg, (250, 1), seconds, |t| if (from..to).contains(&t) { lead(t) } else { patient.ecg(t) });
    channels
}

#[test]
fn a_flat_lead_while_the_pulse_beats_is_off_and_no_asystole() {
    let patient = Patient::steady(90.0, 0.8, 15.0);
    let findings = play(&mut Bedside::default(), &disturbed(&patient, 90.0, 40.0, 70.0, |_| 0.0), 90);
    assert!(!told(&findings, Rhythm::Asystole) && !told(&findings, Rhythm::VentricularFibrillation));
    assert!(qualities(&findings, 1).iter().any(|(at, reason)| (40.0..50.0).contains(at) && *reason == Some(Reason::LeadOff)));
    assert!(!qualities(&findings, 2).iter().any(|(at, reason)| (40.0..70.0).contains(at) && reason.is_some()));
}

#[test]
fn quiet_leads_while_the_pulse_beats_are_contradicted() {
    let patient = Patient::steady(90.0, 0.8, 15.0);
    // An electrode that lies loose: breathing and a little noise, and no beats.
    let quiet = |t: f64| 0.15 * (t * 1.6).sin() + 0.01 * (t * 911.0).sin() + 0.01 * (t * 313.0).sin();
    let findings = play(&mut Bedside::default(), &disturbed(&patient, 90.0, 40.0, 60.0, quiet), 90);
    assert!(!told(&findings, Rhythm::Asystole));
    let contradicted: Vec<_> = rhythms(&findings).into_iter().filter(|told| told.3.is_some()).collect();
    assert!(contradicted.iter().any(|told| (43.0..60.0).contains(&told.0)), "{:?}", rhythms(&findings));
    assert!(contradicted.iter().all(|told| told.1 == Rhythm::Undetermined));
    assert!(qualities(&findings, 1).iter().any(|(at, reason)| (43.0..61.0).contains(at) && reason.is_some()));
}

/// However slow the pulse and whenever the electrodes come off, not even for a moment is it an asystole.
#[test]
fn a_lead_at_the_rail_while_a_slow_pulse_beats_is_never_an_asystole() {
    for (rr, from) in [(0.75, 20.3), (0.9, 20.0), (0.9, 20.6), (1.0, 20.2), (1.05, 20.7), (1.1, 20.4)] {
        let patient = Patient::steady(50.0, rr, 15.0);
        let mut channels = disturbed(&patient, 50.0, from, 40.0, |t| 4.8 + 0.002 * (t * 911.0).sin());
        for witnesses in [4, 2] {
            channels.truncate(witnesses);
            let findings = play(&mut Bedside::default(), &channels, 50);
            let rhythms = rhythms(&findings);
            assert!(!told(&findings, Rhythm::Asystole), "beats of {rr} s, off at {from} s: {rhythms:?}");
        }
    }
}

/// Heart and pulse stop at `at` seconds.
fn stopped(seconds: f64, at: f64) -> Patient {
    let mut patient = Patient::steady(seconds, 0.8, 15.0);
    patient.beats.retain(|beat| *beat < at);
    patient.pulses.retain(|beat| *beat < at);
    patient
}

#[test]
fn asystole_is_told_and_confirmed_by_the_pulse_that_is_gone() {
    let findings = play(&mut Bedside::default(), &bed(&stopped(80.0, 50.0), 80.0), 80);
    let asystole = rhythms(&findings).into_iter().find(|told| told.1 == Rhythm::Asystole).unwrap_or_else(|| panic!("{:?} {:?}", rhythms(&findings), qualities(&findings, 1)));
    assert!((53.0..58.0).contains(&asystole.0), "{asystole:?}");
    assert!(rhythms(&findings).iter().any(|told| told.1 == Rhythm::Asystole && told.2.is_some()));
    assert!(!rhythms(&findings).iter().any(|told| told.3.is_some()));
}

#[test]
fn flat_leads_are_asystole_only_if_the_pulse_stopped_with_them() {
    let patient = stopped(80.0, 50.0);
    let mut flat = disturbed(&patient, 80.0, 50.0, 80.0, |_| 0.02);
    let findings = play(&mut Bedside::default(), &flat, 80);
    let asystole = rhythms(&findings).into_iter().find(|told| told.1 == Rhythm::Asystole).expect("asystole");
    assert!((53.0..60.0).contains(&asystole.0) && asystole.2.is_some(), "{asystole:?}");
    // With the leads alone it may as well be that they are off.
    flat.truncate(1);
    assert!(!told(&play(&mut Bedside::default(), &flat, 80), Rhythm::Asystole));
}

#[test]
fn leads_that_show_noise_and_no_beats_are_asystole_even_alone() {
    let mut alone = bed(&stopped(80.0, 50.0), 80.0);
    alone.truncate(1);
    let findings = play(&mut Bedside::default(), &alone, 80);
    let asystole = rhythms(&findings).into_iter().find(|told| told.1 == Rhythm::Asystole).expect("asystole");
    assert!((53.0..58.0).contains(&asystole.0) && asystole.2.is_none(), "{asystole:?}");
}

#[test]
fn fibrillation_stands_only_without_a_pulse() {
    let wild = |t: f64| 0.5 * (t * 31.0 + (t * 2.1).sin()).sin() * (1.0 + 0.3 * (t * 3.7).sin());
    let patient = Patient::steady(80.0, 0.8, 15.0);
    let findings = play(&mut Bedside::default(), &disturbed(&patient, 80.0, 40.0, 60.0, wild), 80);
    assert!(!told(&findings, Rhythm::VentricularFibrillation), "{:?}", rhythms(&findings));
    let findings = play(&mut Bedside::default(), &disturbed(&stopped(80.0, 40.0), 80.0, 40.0, 80.0, wild), 80);
    let told = rhythms(&findings).into_iter().find(|told| told.1 == Rhythm::VentricularFibrillation);
    assert!(told.is_some_and(|told| told.0 < 52.0), "{:?}", rhythms(&findings));
    assert!(rhythms(&findings).iter().any(|told| told.1 == Rhythm::VentricularFibrillation && told.2.is_some()));
}

#[test]
fn a_channel_that_falls_silent_holds_nothing_up() {
    let patient = Patient::steady(60.0, 0.8, 15.0);
    let mut channels = bed(&patient, 60.0);
    channels[1].values.truncate(125 * 20);
    channels[3].values.truncate(0);
    let findings = play(&mut Bedside::default(), &channels, 60);
    let last = values(&findings, Derived::HeartRate).last().map(|value| value.0);
    assert!(last.is_some_and(|last| last > 54.0), "{last:?}");
}

#[test]
fn after_a_time_of_silence_nothing_is_known_and_then_all_goes_on() {
    let patient = Patient::steady(240.0, 0.8, 15.0);
    let channels = bed(&patient, 240.0);
    let mut bedside = Bedside::default();
    let mut out = Vec::new();
    for second in (0..60).chain(180..240) {
        if second == 180 {
            out.clear();
            (60..180).for_each(|second| bedside.pass(BEGIN_US + second * 1_000_000, &mut out));
            assert_eq!(rhythms(&out).last().map(|told| told.1), Some(Rhythm::Undetermined));
            assert!(values(&out, Derived::HeartRate).iter().all(|(at, _)| *at < 75.0));
        }
        for channel in &channels {
            push(&mut bedside, channel, second * 1_000_000, (second + 1) * 1_000_000, &mut out);
        }
    }
    assert!(values(&out, Derived::HeartRate).iter().filter(|(at, _)| *at > 190.0).count() >= 8);
    assert_eq!(rhythms(&out).last().map(|told| told.1), Some(Rhythm::Regular));
}

#[test]
fn a_recording_of_long_ago_is_analysed_by_its_own_time() {
    let patient = Patient::steady(60.0, 0.8, 15.0);
    let channels = bed(&patient, 60.0);
    let (mut bedside, mut out) = (Bedside::default(), Vec::new());
    for second in 0..60 {
        for channel in &channels {
            push(&mut bedside, channel, second * 1_000_000, (second + 1) * 1_000_000, &mut out);
        }
        bedside.pass(BEGIN_US + 900_000_000_000_000 + second * 1_000_000, &mut out);
    }
    assert_eq!(out, play(&mut Bedside::default(), &channels, 60));
}

#[test]
fn what_comes_late_is_not_lost() {
    let patient = Patient::steady(120.0, 0.8, 15.0);
    let channels = bed(&patient, 120.0);
    let (mut bedside, mut out) = (Bedside::default(), Vec::new());
    for second in 0..120 {
        // The network is away for half a minute; then all of it comes at once.
        if second == 60 {
            (60..90).for_each(|second| bedside.pass(BEGIN_US + second * 1_000_000, &mut out));
        }
        for channel in &channels {
            push(&mut bedside, channel, second * 1_000_000, (second + 1) * 1_000_000, &mut out);
        }
    }
    let beats = out.iter().filter(|finding| matches!(finding, Finding::Beat { .. })).count();
    assert!(beats + 8 >= patient.beats.len(), "{beats} of {}", patient.beats.len());
    assert_eq!(rhythms(&out).last().map(|told| told.1), Some(Rhythm::Regular));
}

#[test]
fn a_clock_that_goes_back_begins_anew() {
    let patient = Patient::steady(60.0, 0.8, 15.0);
    let channels = bed(&patient, 60.0);
    let mut bedside = Bedside::default();
    play(&mut bedside, &channels, 60);
    let findings = play(&mut bedside, &channels, 60);
    near(&findings, Derived::HeartRate, 75.0, 1.5);
}

#[test]
fn state_is_small() {
    let patient = Patient::steady(400.0, 0.6, 18.0);
    let mut bedside = Bedside::default();
    play(&mut bedside, &bed(&patient, 400.0), 400);
    let bytes = postcard::to_allocvec(&bedside).expect("state is plain data").len();
    println!("{bytes} bytes");
    assert!(bytes <= 6_600, "{bytes} bytes");
}

/// Plays with frames of the given lengths, the channels of each frame in an order made of `order`; the
/// state goes through its serialised form wherever `restarts` says so.
fn play_divided(channels: &[Channel], seconds: f64, frames_ms: &[i64], order: u64, restarts: usize) -> Vec<Finding> {
    let mut bedside = Bedside::default();
    let mut out = Vec::new();
    let (mut from_us, mut number) = (0, 0);
    while (from_us as f64) < seconds * 1e6 {
        let to_us = (from_us + frames_ms[number % frames_ms.len()] * 1_000).min((seconds * 1e6) as i64);
        let mut turn: Vec<usize> = (0..channels.len()).collect();
        turn.sort_by_key(|index| (order.wrapping_mul(6_364_136_223_846_793_005).rotate_left((7 * number + 13 * index) as u32), *index));
        for index in turn {
            push(&mut bedside, &channels[index], from_us, to_us, &mut out);
        }
        number += 1;
        if restarts > 0 && number % restarts == 0 {
            let bytes = postcard::to_allocvec(&bedside).expect("state is plain data");
            let back: Bedside = postcard::from_bytes(&bytes).expect("what was written can be read");
            let again = postcard::to_allocvec(&back).expect("state is plain data");
            assert!(again == bytes, "state is another after it was read back");
            bedside = back;
        }
        from_us = to_us;
    }
    out
}

/// A bed with everything that can go wrong in it.
fn eventful() -> Vec<Channel> {
    let mut patient = Patient::steady(60.0, 0.75, 16.0);
    patient.pulses.retain(|pulse| !(25.0..33.0).contains(pulse));
    let mut channels = disturbed(&patient, 60.0, 24.0, 36.0, |t| if t < 28.0 { 0.0 } else { 0.5 * (t * 31.0).sin() });
    channels.push(channel(7, WaveKind::Ecg, (360, 1), 60.0, |t| if (22.0..40.0).contains(&t) { f64::NAN } else { 0.6 * patient.ecg(t) }));
    channels[1].values[125 * 40..125 * 44].fill(f32::NAN);
    channels
}

#[test]
fn the_eventful_bed_has_events() {
    let findings = play_divided(&eventful(), 60.0, &[1_000], 0, 0);
    assert!(told(&findings, Rhythm::VentricularFibrillation) && rhythms(&findings).len() > 3, "{:?}", rhythms(&findings));
    assert!(qualities(&findings, 1).len() > 1 && qualities(&findings, 7).len() > 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// SI-1: neither the frames, nor the order within them, nor a restart makes a difference.
    #[test]
    fn division_order_and_restarts_change_nothing(
        frames_ms in proptest::collection::vec(30_i64..1_900, 1..8),
        order in any::<u64>(),
        restarts in 0_usize..9,
    ) {
        let channels = eventful();
        let whole = play_divided(&channels, 60.0, &[1_000], 0, 0);
        let divided = play_divided(&channels, 60.0, &frames_ms, order, restarts);
        for (index, (a, b)) in whole.iter().zip(&divided).enumerate() {
            prop_assert_eq!(a, b, "finding {} of {} and {}", index, whole.len(), divided.len());
        }
        prop_assert_eq!(whole.len(), divided.len());
    }

    /// Bad input: whatever blocks come, nothing breaks, nothing takes for ever, and beats stay in order.
    #[test]
    fn any_blocks(blocks in proptest::collection::vec((
        0_u32..20,
        0_usize..5,
        prop_oneof![
            6 => 0_i64..120_000_000,
            2 => 1_700_000_000_000_000_i64..1_700_000_060_000_000,
            1 => any::<i64>(),
        ],
        prop_oneof![4 => (30_u32..500, 1_u32..3), 1 => (any::<u32>(), any::<u32>())],
        proptest::collection::vec(prop_oneof![
            8 => -2.0_f32..2.0, 1 => Just(f32::NAN), 1 => -1e30_f32..1e30, 1 => Just(f32::INFINITY),
        ], 0..300),
        any::<bool>(),
    ), 0..40)) {
        let mut bedside = Bedside::default();
        let mut out = Vec::new();
        for (number, kind, start_us, (numerator, denominator), values, gap_before) in blocks {
            let kinds =
                [WaveKind::Ecg, WaveKind::Pleth, WaveKind::ArterialPressure, WaveKind::Respiration, WaveKind::Other];
            let Some(rate) = vitals::Rate::new(numerator, denominator) else { continue };
            let before = out.len();
            bedside.push(number, kinds[kind], &Block { start_us, rate, values: &values, gap_before }, &mut out);
            bedside.pass(start_us, &mut out);
            let beats: Vec<i64> = out[before..].iter().filter_map(|finding| match finding {
                Finding::Beat { beat, .. } => Some(beat.time_us),
                _ => None,
            }).collect();
            prop_assert!(beats.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(out.iter().all(|finding| match finding {
                Finding::Derived { value, confidence, .. } => value.is_finite() && (0.0..=1.0).contains(confidence),
                _ => true,
            }), "{:?}", out);
        }
    }
}
