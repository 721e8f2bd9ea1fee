//! Waves and numbers agree, whatever the rhythm.

use std::collections::VecDeque;

use super::*;
use crate::body::{Consciousness, Vitals};
use crate::random::Random;

const TRUTH: Vitals = Vitals {
    heart_rate: 78.0,
    pulse_rate: 78.0,
    systolic: 122.0,
    diastolic: 74.0,
    mean: 90.0,
    resp_rate: 15.0,
    spo2: 97.0,
    etco2: 38.0,
    temperature: 36.8,
    consciousness: Consciousness::Alert,
    inspired_oxygen: 0.21,
};

/// A patient under a rhythm for `seconds`: beats, and the values of a channel.
fn play(rhythm: Rhythm, channel: Channel, seconds: u64) -> (Vec<Beat>, Vec<f64>, Vitals) {
    let mut random = Random::new(3);
    let (mut heart, mut render) = (Heart::new(random.fork("heart")), Render::new(&mut random));
    let mut circulation = Circulation::default();
    let (mut all, mut values, mut vitals) = (Vec::new(), Vec::new(), TRUTH);
    for second in 0..seconds {
        let now_s = second as f64;
        vitals = circulation.second(&TRUTH, rhythm);
        let pace = Pace { rhythm, heart_rate: vitals.heart_rate, resp_rate: vitals.resp_rate, ..Pace::default() };
        let (mut beats, mut breaths) = (VecDeque::new(), VecDeque::new());
        render.under(rhythm, &vitals, now_s);
        heart.live(now_s + 1.3, &pace, &mut beats, &mut breaths);
        for beat in beats {
            render.beat(beat, &vitals);
            all.push(beat);
        }
        breaths.into_iter().for_each(|breath| render.breath(breath));
        for at in channel.first_sample(second)..channel.first_sample(second + 1) {
            values.push(render.value(channel, channel.time_of(at)));
        }
        render.forget(now_s);
    }
    (all, values, vitals)
}

/// Rises through `level`, at least 0.2 s apart at `hertz`.
fn rises(values: &[f64], level: f64, hertz: f64) -> usize {
    let (mut count, mut last) = (0, -1e9);
    for (at, pair) in values.windows(2).enumerate() {
        let t = at as f64 / hertz;
        if pair[0] < level && pair[1] >= level && t - last > 0.2 {
            (count, last) = (count + 1, t);
        }
    }
    count
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)))
}

const ECG: Channel = Channel::Ecg(Lead::II);

#[test]
fn beats_drawn_are_beats_made_at_the_rate_of_the_numbers() {
    for rhythm in [Rhythm::Sinus, Rhythm::AtrialFibrillation, Rhythm::VentricularTachycardia, Rhythm::Paced] {
        let (beats, values, vitals) = play(rhythm, ECG, 60);
        let drawn = rises(&values, 0.5, 250.0) as f64;
        assert!((drawn - vitals.heart_rate).abs() <= 0.08 * vitals.heart_rate, "{rhythm:?}: {drawn} drawn");
        assert!((beats.len() as f64 - drawn).abs() <= 3.0, "{rhythm:?}: {} made", beats.len());
    }
}

#[test]
fn the_arterial_line_shows_the_pressures_of_the_numbers() {
    let (_, values, vitals) = play(Rhythm::Sinus, Channel::ArterialPressure, 40);
    let (low, high) = extremes(&values[125 * 10..]);
    assert!((high - vitals.systolic).abs() < 6.0, "systolic {high}");
    assert!((low - vitals.diastolic).abs() < 6.0, "diastolic {low}");
}

#[test]
fn without_output_there_is_no_pulse() {
    for rhythm in [Rhythm::Asystole, Rhythm::VentricularFibrillation] {
        let (beats, pressure, vitals) = play(rhythm, Channel::ArterialPressure, 20);
        assert!(beats.is_empty() && vitals.heart_rate == 0.0);
        let (low, high) = extremes(&pressure[125 * 15..]);
        assert!(high < 25.0 && high - low < 3.0, "{rhythm:?}: {low} to {high}");
        let (_, ecg, _) = play(rhythm, ECG, 20);
        let (low, high) = extremes(&ecg[250 * 10..]);
        assert_eq!(high - low > 0.5, rhythm == Rhythm::VentricularFibrillation, "{low} to {high}");
    }
}

#[test]
fn fibrillation_is_irregular_and_not_every_beat_is_felt() {
    let (beats, _, _) = play(Rhythm::AtrialFibrillation, ECG, 600);
    let mean = beats.iter().map(|b| b.rr_s).sum::<f64>() / beats.len() as f64;
    let spread = (beats.iter().map(|b| (b.rr_s - mean).powi(2)).sum::<f64>() / beats.len() as f64).sqrt();
    assert!(spread / mean > 0.15, "{spread} of {mean}");
    let unfelt = beats.iter().filter(|b| b.strength == 0.0).count() as f64 / beats.len() as f64;
    assert!((0.08..0.16).contains(&unfelt), "{unfelt}");
}

#[test]
fn in_bigeminy_every_second_beat_is_early_and_wide() {
    let (beats, _, _) = play(Rhythm::Bigeminy, ECG, 60);
    for pair in beats.windows(2).skip(2) {
        let early = pair[1].kind == BeatKind::Ventricular;
        assert_eq!(early, pair[0].kind != BeatKind::Ventricular);
        assert_eq!(early, pair[1].rr_s < pair[0].rr_s);
    }
}

#[test]
fn breath_and_carbon_dioxide_follow_the_rate() {
    let (_, chest, vitals) = play(Rhythm::Sinus, Channel::Respiration, 60);
    let breaths = rises(&chest, 0.5, 62.5) as f64;
    assert!((breaths - vitals.resp_rate).abs() <= 2.0, "{breaths}");
    let (_, gas, _) = play(Rhythm::Sinus, Channel::Co2, 60);
    let (low, high) = extremes(&gas[625..]);
    assert!(low < 1.0 && (high - vitals.etco2).abs() < 1.0, "{low} to {high}");
}

#[test]
fn a_lap_closes() {
    let lap = Lap::new(4);
    let lengths: Vec<usize> = lap.counts.iter().map(Vec::len).collect();
    assert_eq!(lengths, [15_000, 7_500, 7_500, 3_750]);
    assert_eq!(Lap::new(4), lap);
    assert_ne!(Lap::new(5).counts[0], lap.counts[0]);
    let pressure = &lap.counts[2];
    let most = pressure.windows(2).map(|pair| (pair[1] - pair[0]).abs()).max().unwrap_or(0);
    assert!((pressure[0] - pressure[7_499]).abs() <= most, "no jump at the seam");
    let minute_rate = lap.beats.len() as f64;
    assert!((minute_rate - lap.vitals.heart_rate).abs() <= 0.06 * minute_rate, "{minute_rate}");
}

#[test]
fn channels_of_half_samples_alternate() {
    let channel = Channel::Respiration;
    let counts: Vec<u64> = (0..4).map(|s| channel.first_sample(s + 1) - channel.first_sample(s)).collect();
    assert_eq!(counts, [63, 62, 63, 62]);
    assert_eq!((channel.delay_us(0), channel.delay_us(1)), (0, 8_000));
}

#[test]
fn artefacts_do_what_they_say() {
    let noise = || Noise::new(Random::new(9));
    let spoil = |a: Artefacts| -> Vec<f64> {
        let mut noise = noise();
        (0..5_000).map(|at| noise.spoil(ECG, f64::from(at) / 250.0, 0.0, &a)).collect()
    };
    let swing = |a: Artefacts| {
        let (low, high) = extremes(&spoil(a));
        high - low
    };
    let none = Artefacts::default();
    assert!(swing(none) < 0.3);
    assert!(swing(Artefacts { motion: true, ..none }) > 2.0);
    assert!(swing(Artefacts { electrode: true, ..none }) > 0.6);
    assert!(swing(Artefacts { mains: (0.5, 50.0), ..none }) > 0.9);
    assert!(swing(Artefacts { wander_mv: 0.8, ..none }) > 1.0);
    assert!(swing(Artefacts { muscle_mv: 0.3, ..none }) > 0.8);
    assert!(swing(Artefacts { motion: true, clipped: Some(0.4), ..none }) <= 0.8);
    assert_eq!(swing(Artefacts { flat: true, ..none }), 0.0);
    assert!(extremes(&spoil(Artefacts { lead_off: true, ..none })).0 > 4.0);
}
