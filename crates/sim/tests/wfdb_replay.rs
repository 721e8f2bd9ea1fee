//! WFDB records as the platform receives them: every count of every channel, in its second.

#[allow(dead_code, reason = "other tests need the rest")]
mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use record::{Channel, Recording, Segment, wfdb};
use sim::replay::{EPOCH, ReplayConfig, ReplayReport, Source, WfdbSource, run};
use vitals::samples::MISSING;
use vitals::{Rate, Scale};

fn channel(label: &str, unit: &str, rate: (u32, u32), segments: Vec<Segment>) -> Channel {
    let rate = Rate::new(rate.0, rate.1).expect("not zero");
    let metric = record::labels::metric(label);
    Channel { label: label.to_owned(), metric, unit: unit.to_owned(), rate, segments }
}

fn segment(first: u64, gain: f64, samples: Vec<i32>) -> Segment {
    let scale = Scale { factor: 1.0, divisor: gain, offset: 0.0 };
    Segment { anchor_us: 0, first, scale, samples }
}

/// Ten seconds with a gap of twenty behind them, then three more with another gain; numerics beside it.
fn write_record(folder: &Path) -> Recording {
    let count = |n: i32| (0..n).map(|i| if i == 40 { MISSING } else { i * 7 % 400 - 200 }).collect::<Vec<_>>();
    let recording = Recording {
        channels: vec![
            channel("II", "mV", (250, 1), vec![segment(0, 200.0, count(2_500)), segment(7_500, 100.0, count(750))]),
            channel("RESP", "NU", (125, 2), vec![segment(0, 64.0, count(625))]),
            channel("Angle", "degrees", (125, 2), vec![segment(0, 1.0, count(625))]),
        ],
        ..Recording::default()
    };
    let numerics = Recording {
        channels: vec![
            channel("HR", "bpm", (1, 1), vec![segment(0, 1.0, vec![60, 61, 0, 63])]),
            channel("NBPSys", "mmHg", (1, 1), vec![segment(2, 1.0, vec![120])]),
        ],
        ..Recording::default()
    };
    for (name, recording) in [("p1", &recording), ("p1n", &numerics)] {
        for (file, bytes) in wfdb::write(recording, name, wfdb::Options::default()).expect("written").files {
            std::fs::write(folder.join(file), bytes).expect("a temporary folder");
        }
    }
    recording
}

async fn replay(source: WfdbSource) -> (ReplayReport, Arc<common::Taken>) {
    let taken = Arc::new(common::Taken::default());
    let config = ReplayConfig {
        mqtt: common::mqtt(Arc::clone(&taken)).await,
        http: common::http(Arc::clone(&taken)).await,
        ..ReplayConfig::new(Source::Wfdb(source))
    };
    (run(config, |_| ()).await.expect("it plays"), taken)
}

#[tokio::test]
async fn a_folder_is_played_count_by_count() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let expected = write_record(folder.path());
    let source = WfdbSource { path: folder.path().to_owned(), ..WfdbSource::default() };
    let (report, taken) = replay(source).await;
    assert_eq!((report.patients, report.refused), (1, 0));
    assert_eq!(report.by_device["wfdb-p1"]["MDC_ECG_ELEC_POTL_II"], 3_248);
    assert_eq!(report.left_out["Angle [degrees]: no metric with this unit"], 624);
    assert_eq!(report.left_out["HR: 0 stands for none"], 1);
    let publishes = taken.publishes.lock().expect("not poisoned").clone();
    let mut got: BTreeMap<(u32, i64), (i32, u64)> = BTreeMap::new();
    let mut sequence = 0;
    for (_, payload) in publishes.iter().filter(|(topic, _)| topic == "vitalwire/wfdb-p1/waveform") {
        let (frame, faults) = mapping::frame::decode(payload).expect("a frame");
        assert!(faults.is_empty() && frame.sequence == sequence && payload[5] == 3);
        sequence += 1;
        for channel in frame.channels {
            let rate = Rate::new(channel.rate_numerator, channel.rate_denominator).expect("not zero");
            let begin = frame.time.0 + i64::from(channel.delay_us) - EPOCH;
            for (at, count) in channel.samples.iter().enumerate().filter(|(_, count)| **count != MISSING) {
                let number = rate.samples_in(begin) + at as i64;
                let value = f64::from(*count) * channel.scale + channel.offset;
                assert!(got.insert((channel.metric.0, number), (*count, value.to_bits())).is_none(), "twice");
            }
        }
    }
    assert_eq!(sequence, 13, "a frame a second, none in the gap");
    let mut sent = BTreeMap::new();
    for channel in &expected.channels[..2] {
        let metric = channel.metric.expect("known").0;
        for segment in &channel.segments {
            for (at, count) in segment.samples.iter().enumerate().filter(|(_, count)| **count != MISSING) {
                let value = f64::from(*count) * (1.0 / segment.scale.divisor);
                sent.insert((metric, (segment.first + at as u64) as i64), (*count, value.to_bits()));
            }
        }
    }
    assert_eq!(got, sent);
    let numerics = publishes.iter().filter(|(topic, _)| topic == "vitalwire/wfdb-p1/recording");
    let texts: Vec<String> = numerics.map(|(_, payload)| String::from_utf8_lossy(payload).into_owned()).collect();
    assert_eq!(texts.len(), 4);
    assert_eq!(texts[2], r#"[{"bt":1546300802.000000,"n":"MDC_PRESS_BLD_NONINV_SYS","u":"mm[Hg]","v":120}]"#);
}

#[tokio::test]
async fn one_record_may_be_another_device_and_patient() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_record(folder.path());
    let source = WfdbSource {
        path: folder.path().join("p1"),
        device: Some("monitor-9".to_owned()),
        patient: Some("ward|7".to_owned()),
        as_live: false,
    };
    let (report, taken) = replay(source).await;
    assert!(report.by_device.contains_key("monitor-9"));
    let requests = taken.requests.lock().expect("not poisoned").clone();
    assert!(requests.iter().any(|request| request.contains(r#""identifier":"ward|7""#)), "{requests:?}");
}

#[tokio::test]
async fn what_is_played_as_live_has_one_speed() {
    let source = WfdbSource { as_live: true, ..WfdbSource::default() };
    assert!(run(ReplayConfig::new(Source::Wfdb(source)), |_| ()).await.is_err());
    let source = WfdbSource { path: "/nowhere".into(), ..WfdbSource::default() };
    assert!(run(ReplayConfig::new(Source::Wfdb(source)), |_| ()).await.is_err());
}
