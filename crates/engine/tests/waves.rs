//! Waveforms through the engine: samples find their place and their patient, what the channels say
//! together becomes values and alerts, and a restart in the middle changes nothing.

mod common;

use common::*;
use engine::{Effect, Engine};
use alert::Policy;
use vitals::metric::code;
use vitals::{
    Content, DeviceTime, Event, Measurement, MetricCode, Quality, Rate, Reading, SampleArray, SampleEncoding,
    Samples, Scale, SeriesKey, Unit, Value, WaveSamples,
};

const ECG: MetricCode = MetricCode(131_330);

/// What a second of a channel looks like.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// A beat each 0.8 s.
    Beating,
    /// A straight line.
    Flat,
}

fn bump(t: f64, at: f64, width: f64) -> f64 {
    (-((t - at) / width).powi(2)).exp()
}

/// One heart cycle of 0.8 s, `t` seconds into it.
fn cycle(metric: MetricCode, t: f64) -> f64 {
    match metric {
        ECG => 0.12 * bump(t, 0.12, 0.03) - 0.1 * bump(t, 0.225, 0.01) + 1.2 * bump(t, 0.25, 0.012)
            - 0.2 * bump(t, 0.275, 0.012) + 0.3 * bump(t, 0.5, 0.06),
        // Up within 0.12 s, then the pressure runs off, with a notch on the way.
        _ => {
            let p = (t - 0.4).rem_euclid(0.8);
            let run_off = if p < 0.12 { p / 0.12 } else { (-(p - 0.12) / 0.35).exp() };
            78.0 + 42.0 * run_off - 4.0 * bump(p, 0.33, 0.02)
        }
    }
}

/// Samples of so many seconds in counts of 0.005 mV or 0.1 mmHg, with a little of an electrode's unrest.
fn counts(metric: MetricCode, (second, length): (f64, f64), rate: f64, shape: Shape) -> Vec<i32> {
    (0..(rate * length) as u64)
        .map(|n| {
            let t = second + n as f64 / rate;
            let value = match (shape, metric) {
                (Shape::Beating, _) => cycle(metric, t.rem_euclid(0.8)),
                (Shape::Flat, ECG) => 0.0,
                (Shape::Flat, _) => 35.0,
            };
            let unrest = (t * 6.3).sin() * 0.01 + (t * 47.0).sin() * 0.006;
            (if metric == ECG { (value + unrest) * 200.0 } else { (value + unrest) * 10.0 }).round() as i32
        })
        .collect()
}

fn frame(name: &str, second: f64, channels: &[(MetricCode, Shape)]) -> Event {
    long_frame(name, (second, 1.0), channels)
}

/// A frame of some seconds: the samples stand in the payload, as in a native frame.
fn long_frame(name: &str, (second, length): (f64, f64), channels: &[(MetricCode, Shape)]) -> Event {
    let mut event = message(name, second + length + 0.05, None, &[]);
    event.payload = vec![0xAA; 7];
    let measurements = channels
        .iter()
        .map(|(metric, shape)| {
            let (rate, scale) = if *metric == ECG { (250, 0.005) } else { (125, 0.1) };
            let counts = counts(*metric, (second, length), f64::from(rate), *shape);
            let start = event.payload.len() as u32;
            SampleEncoding::DeltaVarint.write(&counts, &mut event.payload);
            let bytes = event.payload.len() as u32 - start;
            let array = SampleArray {
                rate: Rate::new(rate, 1).expect("not 0"),
                scale: Scale { factor: scale, ..Scale::ONE },
                sequence: Some(second as u32),
                samples: Samples::InPayload {
                    encoding: SampleEncoding::DeltaVarint,
                    start,
                    bytes,
                    count: counts.len() as u32,
                },
            };
            Measurement {
                metric: *metric,
                value: Value::SampleArray(array),
                unit: metric.metric().map_or(Unit::NONE, |row| row.unit),
                device_time: Some(DeviceTime(at(second).0)),
                quality: Quality::empty(),
                channel: 0,
            }
        })
        .collect();
    event.content = vec![Content::Reading(Reading { device: device(name), patient: None, measurements })];
    Event::Message(event)
}

/// Frames of both channels from second `from` to `to`.
fn play(run: &mut Run, name: &str, (from, to): (u32, u32), ecg: Shape, pressure: Shape) {
    for second in from..to {
        let second = f64::from(second);
        run.at(second + 1.05, frame(name, second, &[(ECG, ecg), (code::ABP, pressure)]));
    }
}

fn keys(run: &Run) -> std::collections::BTreeMap<vitals::SeriesId, SeriesKey> {
    let opened = run.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::SeriesOpened(id, key) => Some((*id, key.clone())),
        _ => None,
    });
    opened.collect()
}

/// All samples stored of a metric on a patient, with the time of the first.
fn stored(run: &Run, who: Option<&str>, metric: MetricCode) -> (Vec<i32>, i64) {
    let keys = keys(run);
    let mut all = Vec::new();
    let mut begin = i64::MAX;
    for (_, effect) in &run.effects {
        let Effect::Samples(id, part) = effect else { continue };
        let key = &keys[id];
        if key.metric == metric && key.subject == who.map(patient) {
            let WaveSamples::Counts(counts) = &part.samples else { panic!("counts") };
            all.extend_from_slice(counts);
            begin = begin.min(part.start().0);
        }
    }
    (all, begin)
}

#[test]
fn every_sample_is_kept_in_its_place() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    play(&mut run, "m", (1, 21), Shape::Beating, Shape::Beating);
    let sent: Vec<i32> = (1..21).flat_map(|s| counts(ECG, (f64::from(s), 1.0), 250.0, Shape::Beating)).collect();
    assert_eq!(stored(&run, Some("a"), ECG), (sent, at(1.0).0));
    let waves = run.engine.waves(&patient("a")).expect("heard");
    assert_eq!(waves.channels.len(), 2);
    assert!(waves.channels.iter().all(|line| line.counted.is_empty()));
}

#[test]
fn pa_1_samples_belong_to_whom_the_device_was_on_at_their_time() {
    let mut run = Run::new();
    play(&mut run, "m", (0, 2), Shape::Beating, Shape::Beating);
    run.at(3.5, associate("m", "a", Some(3.0)));
    play(&mut run, "m", (3, 5), Shape::Beating, Shape::Beating);
    run.at(6.5, associate("m", "b", Some(6.0)));
    play(&mut run, "m", (6, 9), Shape::Beating, Shape::Beating);
    for (who, seconds) in [(None, 2), (Some("a"), 2), (Some("b"), 3)] {
        assert_eq!(stored(&run, who, ECG).0.len(), 250 * seconds, "{who:?}");
    }
}

#[test]
fn beats_and_pressures_become_values_of_the_patient() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    play(&mut run, "m", (1, 41), Shape::Beating, Shape::Beating);
    let stored = run.stored();
    let beats = stored.iter().filter(|(who, _, metric, ..)| *metric == code::BEAT && *who == Some(patient("a")));
    // A beat each 0.8 s, but for the beginning.
    let beats: Vec<f64> = beats.map(|(.., time)| *time).collect();
    assert!((40..=50).contains(&beats.len()), "{beats:?}");
    assert!(beats.windows(2).all(|pair| (pair[1] - pair[0] - 0.8).abs() < 0.02), "{beats:?}");
    let rate = run.usable("a", code::HEART_RATE).expect("derived");
    assert!((rate - 75.0).abs() < 1.5, "{rate}");
    let systolic = run.usable("a", code::ABP_SYS).expect("derived");
    assert!((systolic - 120.0).abs() < 3.0, "{systolic}");
}

/// Ten seconds of one channel after ten seconds of the other are no ten seconds of silence.
#[test]
fn long_frames_are_analysed_as_short_ones_are() {
    let beats = |length: f64| {
        let mut run = Run::new();
        run.at(0.0, associate("m", "a", None));
        for n in 0..(60.0 / length) as u32 {
            let second = 1.0 + f64::from(n) * length;
            let both = [(ECG, Shape::Beating), (code::ABP, Shape::Beating)];
            run.at(second + length + 0.05, long_frame("m", (second, length), &both));
        }
        let told = |metric| {
            let stored = run.stored();
            let of = stored.iter().filter(|row| row.2 == metric);
            of.map(|row| ((row.4 * 1e3).round() as i64, row.3.to_bits())).collect::<Vec<_>>()
        };
        (told(code::BEAT), told(code::RHYTHM).iter().map(|(_, value)| *value).collect::<Vec<_>>())
    };
    assert_eq!(beats(10.0), beats(1.0));
}

#[test]
fn what_a_device_says_itself_goes_before_what_is_derived() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    for second in 1..40 {
        let second = f64::from(second);
        run.at(second + 1.05, frame("m", second, &[(ECG, Shape::Beating)]));
        run.at(second + 1.1, says("m", second + 1.0, &[(code::HEART_RATE, 61.0)]));
    }
    assert_eq!(run.usable("a", code::HEART_RATE), Some(61.0));
}

#[test]
fn asystole_is_alarmed_when_the_pulse_is_gone_and_not_while_it_beats() {
    for (pressure, expected) in [(Shape::Flat, true), (Shape::Beating, false)] {
        let mut run = Run::new();
        run.at(0.0, associate("m", "a", None));
        play(&mut run, "m", (1, 41), Shape::Beating, Shape::Beating);
        play(&mut run, "m", (41, 61), Shape::Flat, pressure);
        let asystole = run.alerts.iter().any(|(_, record)| record.episode.reason.contains("Asystole"));
        let told: Vec<&str> = run.alerts.iter().map(|(_, record)| record.episode.reason.as_str()).collect();
        let rhythms: Vec<(f64, f64)> =
            run.stored().iter().filter(|s| s.2 == code::RHYTHM).map(|s| (s.4, s.3)).collect();
        assert_eq!(asystole, expected, "{told:?} {rhythms:?}");
    }
}

/// SI-1, EN-1: the state is written in the middle of a second and read back; from there on the same
/// is concluded as without.
#[test]
fn a_restart_in_the_middle_changes_nothing() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    play(&mut run, "m", (1, 31), Shape::Beating, Shape::Beating);
    play(&mut run, "m", (31, 50), Shape::Flat, Shape::Flat);
    let half = run.entries.len() / 2;
    let mut first = Engine::new(Policy::built_in());
    let mut out = Vec::new();
    for (offset, (at, event)) in run.entries.iter().enumerate().take(half) {
        first.step(offset as u64, *at, event, &mut out);
    }
    let mut second = Engine::new(Policy::built_in());
    second.restore(first.whole_state()).expect("its own state");
    for (offset, (at, event)) in run.entries.iter().enumerate().skip(half) {
        second.step(offset as u64, *at, event, &mut out);
    }
    let whole: Vec<Effect> = run.effects.iter().map(|(_, effect)| effect.clone()).collect();
    assert_eq!(out, whole);
    assert_eq!(second.whole_state(), run.engine.whole_state());
}

#[test]
fn a_gap_is_counted_on_the_channel() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    play(&mut run, "m", (1, 5), Shape::Beating, Shape::Beating);
    play(&mut run, "m", (9, 12), Shape::Beating, Shape::Beating);
    let waves = run.engine.waves(&patient("a")).expect("heard");
    let expected = [("wave-gap".to_owned(), 1), ("wave-frame-missing".to_owned(), 4)];
    assert!(waves.channels.iter().all(|line| line.counted == expected), "{waves:#?}");
    assert_eq!(stored(&run, Some("a"), ECG).0.len(), 250 * 7);
}
