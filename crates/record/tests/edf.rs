//! EDF+ from end to end within the crate. `pyedflib` and `mne` judge the same files in
//! `tests/data/test_recordings.py`.

use proptest::prelude::*;
use record::edf::{self, Options};
use record::wfdb::code;
use record::{Annotation, Channel, Recording, Segment, Start};
use vitals::samples::MISSING;
use vitals::{Rate, Scale};

fn rate(n: u32, d: u32) -> Rate {
    Rate::new(n, d).expect("not zero")
}

fn scale(gain: f64) -> Scale {
    Scale { factor: 1.0, divisor: gain, offset: 0.0 }
}

fn channel(label: &str, rate: Rate, segments: Vec<Segment>) -> Channel {
    let metric = record::labels::metric(label);
    Channel { label: label.to_owned(), metric, unit: "mV".to_owned(), rate, segments }
}

fn segment(first: u64, scale: Scale, samples: Vec<i32>) -> Segment {
    Segment { anchor_us: 0, first, scale, samples }
}

/// Time in microseconds since 1970 (or since the first sample, without a date), count and value of
/// every sample.
fn samples(recording: &Recording, labels: &str) -> Vec<(i64, i32, u64)> {
    let zero = recording.start_us().unwrap_or(0);
    let mut all = Vec::new();
    for channel in recording.channels.iter().filter(|channel| channel.label == labels) {
        for segment in &channel.segments {
            for (at, count) in segment.samples.iter().enumerate().filter(|(_, count)| **count != MISSING) {
                let time = zero + segment.time_us(channel.rate, at as u64);
                all.push((time, *count, segment.scale.value(*count).to_bits()));
            }
        }
    }
    all.sort_unstable();
    all
}

fn check(recording: &Recording, options: Options) -> Vec<u8> {
    let (bytes, _) = edf::write(recording, options).expect("it can be written");
    let back = edf::read(&bytes).expect("it can be read");
    assert_eq!(back.problems, []);
    for channel in &recording.channels {
        let (got, expected) = (samples(&back, &channel.label), samples(recording, &channel.label));
        let near = |a: &(i64, i32, u64), b: &(i64, i32, u64)| (a.0 - b.0).abs() <= 1 && (a.1, a.2) == (b.1, b.2);
        assert_eq!(got.len(), expected.len(), "{}", channel.label);
        assert!(got.iter().zip(&expected).all(|(a, b)| near(a, b)), "{}: {got:?} {expected:?}", channel.label);
        let same = back.channels.iter().find(|other| other.label == channel.label).expect("it is there");
        assert_eq!((same.rate, same.metric, &same.unit), (channel.rate, channel.metric, &channel.unit));
    }
    bytes
}

fn bedside() -> Recording {
    let count = |n: u64, top: i32| (0..n).map(|i| (i as i32 * 37) % top - top / 2).collect::<Vec<i32>>();
    let mark = |tick, code, text: &str| Annotation {
        tick,
        rate: rate(250, 1),
        duration_us: None,
        code,
        subtype: 0,
        channel: 0,
        number: 0,
        text: text.to_owned(),
    };
    Recording {
        start: Start::At(1_700_000_000_250_000),
        channels: vec![
            channel("II", rate(250, 1), vec![segment(0, scale(200.0), count(1_000, 4_000))]),
            channel("ABP", rate(125, 1), vec![segment(0, scale(6_554.0), count(500, 60_000))]),
            channel("RESP", rate(125, 2), vec![segment(0, scale(1.0), count(250, 255))]),
        ],
        annotations: vec![mark(10, code::NORMAL, ""), mark(300, code::RHYTHM, "(AFIB"), mark(301, code::NOTE, "hello")],
        ..Recording::default()
    }
}

#[test]
fn a_bedside_comes_back() {
    let recording = bedside();
    let bytes = check(&recording, Options::default());
    let header = String::from_utf8_lossy(&bytes[..256]).into_owned();
    assert!(header.contains("X X X X") && header.contains("EDF+C") && header.contains("Startdate 14-NOV-2023"), "{header}");
    // Two records of two seconds: 62.5 Hz makes 125 samples in each.
    assert_eq!((header[236..244].trim(), header[244..252].trim()), ("2", "2"));
    let back = edf::read(&bytes).expect("read");
    assert_eq!(back.start, recording.start);
    let marks: Vec<_> = back.annotations.iter().map(|a| (a.time_us(), a.code, a.text.as_str())).collect();
    assert_eq!(
        marks,
        [(40_000, code::NORMAL, ""), (1_200_000, code::RHYTHM, "(AFIB"), (1_204_000, code::NOTE, "hello")]
    );
}

#[test]
fn gaps_and_changes_of_scale_are_kept() {
    let mut recording = bedside();
    recording.channels[0].segments.push(segment(20_000, scale(200.0), vec![5; 300]));
    recording.channels[1].segments.push(segment(1_000, scale(100.0), vec![7; 30]));
    let bytes = check(&recording, Options::default());
    assert!(String::from_utf8_lossy(&bytes[..256]).contains("EDF+D"));
    let bytes = check(&recording, Options { contiguous: true, ..Options::default() });
    assert!(String::from_utf8_lossy(&bytes[..256]).contains("EDF+C"));
}

#[test]
fn wide_counts_are_shifted_rescaled_or_refused() {
    let wide = |samples| Recording {
        channels: vec![channel("II", rate(100, 1), vec![segment(0, scale(1_000.0), samples)])],
        ..Recording::default()
    };
    check(&wide(vec![8_000_000, 8_060_000, MISSING, 8_030_000]), Options::default());
    let too_wide = wide(vec![-100_000, 100_001, 17]);
    assert!(edf::write(&too_wide, Options::default()).is_err());
    let (bytes, problems) = edf::write(&too_wide, Options { rescale: true, ..Options::default() }).expect("rescaled");
    assert_eq!(problems[0].to_string(), "II: counts rounded to steps of 4: values are up to 2.000e-3 off");
    let back = edf::read(&bytes).expect("read");
    let values: Vec<f64> = back.channels[0].segments[0].values().collect();
    assert!((values[0] + 100.0).abs() <= 2e-3 && (values[1] - 100.001).abs() <= 2e-3, "{values:?}");
}

#[test]
fn what_cannot_be_read_is_refused_and_the_rest_is_kept() {
    assert!(edf::read(b"").is_err());
    assert!(edf::read(&[b' '; 600]).is_err());
    let (bytes, _) = edf::write(&bedside(), Options::default()).expect("written");
    let cut = edf::read(&bytes[..bytes.len() - 10]).expect("one record is there");
    assert_eq!((cut.problems.len(), cut.channels[0].segments[0].samples.len()), (1, 500));
    assert!(edf::read(&bytes[..600]).is_err());
    let mut damaged = bytes.clone();
    damaged[244..252].copy_from_slice(b"0       ");
    assert!(edf::read(&damaged).is_err());
}

proptest! {
    #[test]
    fn any_recording_comes_back(
        parts in proptest::collection::vec((proptest::collection::vec(prop_oneof![
            9 => -32_767..=32_767_i32, 1 => Just(MISSING)], 1..60), 0..200_u64, 0..2_usize), 1..5),
        contiguous in any::<bool>(), at in 0..5_000_000_i64,
    ) {
        let scales = [scale(200.0), Scale { factor: 3.0, divisor: 7.0, offset: -1.1 }];
        let mut next = 0;
        let mut segments = Vec::new();
        for (samples, gap, which) in parts {
            let first = next + gap;
            next = first + samples.len() as u64;
            segments.push(segment(first, scales[which], samples));
        }
        let other = vec![segment(3, scales[0], vec![1, 2, 3])];
        let channels = vec![channel("II", rate(50, 1), segments), channel("ABP", rate(25, 2), other)];
        let start = Start::At(1_700_000_000_000_000 + at);
        check(&Recording { start, channels, ..Recording::default() }, Options { contiguous, rescale: false });
    }

    #[test]
    fn any_bytes_are_answered(at in 0..1_024_usize, byte in any::<u8>(), cut in 0..6_000_usize) {
        let (mut bytes, _) = edf::write(&bedside(), Options::default()).expect("written");
        bytes[at] = byte;
        bytes.truncate(cut);
        let _ = edf::read(&bytes);
    }
}
