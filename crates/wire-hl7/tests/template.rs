//! The waveform template of a hospital's own driver, filled with one minute of a real patient's
//! ECG, pleth and arterial pressure, reads back sample by sample.
//!
//! Data: `hl7v2/` of the shared data set, found through `VITALWIRE_DATA` or beside the repository;
//! without it the test says so and passes.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use vitals::{ReceiveTime, Value};
use wire_hl7::{Kind, Options, read};

fn data() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root =
        std::env::var_os("VITALWIRE_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join("hl7v2");
    folder.is_dir().then_some(folder)
}

fn unpack(path: PathBuf) -> Option<String> {
    let mut child =
        Command::new("zstd").arg("-dc").arg(path).stdout(Stdio::piped()).spawn().ok()?;
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).ok()?;
    child.wait().ok()?.success().then_some(text)
}

#[test]
fn the_filled_template_reads_back() {
    let Some(folder) = data() else {
        eprintln!("skipped: set VITALWIRE_DATA to the folder of the shared data");
        return;
    };
    let Some(csv) = unpack(folder.join("mimic-1min-ecg-spo2-abp.csv.zst")) else {
        eprintln!("skipped: the zstd program is not installed");
        return;
    };
    let template =
        std::fs::read_to_string(folder.join("pcd01-waveform-template.hl7")).expect("the template");
    let rows: Vec<Vec<&str>> = csv
        .split(['\r', '\n'])
        .skip(1)
        .filter(|l| !l.is_empty())
        .map(|l| l.split(',').collect())
        .collect();
    assert!(rows.len() > 7_000);
    let mut filled = template;
    for (column, name) in [(1, "ECG1"), (2, "SAT"), (3, "ABP")] {
        let values: Vec<&str> = rows.iter().map(|row| row[column]).collect();
        let numbers = || values.iter().filter_map(|v| v.parse::<f64>().ok());
        filled = filled
            .replace(&format!("<SAMPLES_{name}>"), &values.join("^"))
            .replace(&format!("<RATE_{name}>"), rows[0][column + 3])
            .replace(
                &format!("<RANGE_LOW_{name}>"),
                &numbers().fold(f64::MAX, f64::min).to_string(),
            )
            .replace(
                &format!("<RANGE_HIGH_{name}>"),
                &numbers().fold(f64::MIN, f64::max).to_string(),
            );
    }
    let filled = filled
        .replace("<START_TIME>", "20150110172040.960")
        .replace("<END_TIME>", "20150110172140.960")
        .replace("<DEVICE_ID>", "BED23");
    let received = read(filled.as_bytes(), ReceiveTime(0), &Options::default());
    let inbound = &received.messages[0];
    assert_eq!(inbound.message.problems, []);
    assert_eq!(inbound.kind, Kind::Waveform);
    let found: Vec<_> = inbound.message.readings().collect();
    assert_eq!(found.len(), 3);
    for ((_, reading, m), (column, refid)) in found.iter().zip([
        (1, "MDC_ECG_ELEC_POTL_I"),
        (2, "MDC_PULS_OXIM_PLETH"),
        (3, "MDC_PRESS_BLD_ART"),
    ]) {
        assert_eq!(reading.device.as_str(), "BED23");
        assert_eq!(m.metric.refid(), refid);
        assert_eq!(m.device_time.map(|t| t.millis()), Some(1_420_910_440_960));
        let Value::SampleArray(array) = &m.value else { panic!("{refid} is no waveform") };
        assert_eq!(Some(array.rate), vitals::Rate::new(125, 1));
        assert_eq!(array.len(), rows.len());
        let percent = if column == 2 { 0.01 } else { 1.0 };
        for (sample, row) in array.values().iter().zip(&rows) {
            match row[column].parse::<f64>() {
                Ok(sent) => assert!((sample - sent * percent).abs() < 1e-9, "{refid}"),
                Err(_) => assert!(sample.is_nan()),
            }
        }
    }
}
