//! Each folder in `cases` is a message and what must come of it: `topic`, a payload (`payload.*`,
//! or `payload.hex` for bytes) and `expected.json`. The shipped profiles are loaded for all of
//! them. `UPDATE=1 cargo test -p mapping --test cases` writes what comes out: read the difference.

use std::fs;
use std::path::Path;

use mapping::{Profiles, RawMessage};
use vitals::ReceiveTime;

/// When every case is received: 2023-11-14T22:13:20Z plus a microsecond.
const RECEIVED: ReceiveTime = ReceiveTime(1_700_000_000_000_001);

fn read_tree(root: &Path, folder: &Path, into: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            read_tree(root, &path, into);
        } else {
            let name = path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
            into.push((name, fs::read_to_string(&path).expect("text")));
        }
    }
}

fn shipped() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
    let mut sources = Vec::new();
    read_tree(&root, &root, &mut sources);
    sources
}

fn payload_of(case: &Path) -> Vec<u8> {
    for entry in fs::read_dir(case).expect("a case") {
        let path = entry.expect("an entry").path();
        if path.file_stem().is_some_and(|stem| stem == "payload") {
            let bytes = fs::read(&path).expect("a payload");
            if path.extension().is_some_and(|ending| ending == "hex") {
                let text: String = String::from_utf8(bytes).expect("hex").split_whitespace().collect();
                return (0..text.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                    .collect();
            }
            return bytes;
        }
    }
    panic!("{} has no payload", case.display());
}

fn check(profiles: &Profiles, case: &Path) {
    let topic = fs::read_to_string(case.join("topic")).expect("a topic");
    let payload = payload_of(case);
    let raw = RawMessage { topic: topic.trim(), payload: &payload, content_type: None, received: RECEIVED };
    let mapped = profiles.map(&raw);
    let trace = profiles.trace(&raw);
    assert!(!trace.to_string().is_empty());
    let mut got = serde_json::to_value(&trace).expect("a trace is JSON");
    let fields = got.as_object_mut().expect("an object");
    for key in ["topic", "payload_bytes", "steps"] {
        fields.shift_remove(key);
    }
    fields.insert("dedup".to_owned(), mapped.dedup.is_some().into());
    fields.insert("directory".to_owned(), directory(&mapped));
    let got = serde_json::to_string_pretty(&got).expect("JSON") + "\n";
    let file = case.join("expected.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, &got).expect("written");
    }
    assert_eq!(got, fs::read_to_string(&file).unwrap_or_default(), "{}\n{trace}", case.display());
}

/// Device details, as the engine will see them.
fn directory(mapped: &mapping::Mapped) -> serde_json::Value {
    let events = mapped.content.iter().filter_map(|content| match content {
        vitals::Content::Directory(event) => Some(serde_json::to_value(event).expect("JSON")),
        vitals::Content::Reading(_) | vitals::Content::Alarm(_) => None,
    });
    events.collect()
}

#[test]
fn every_case_comes_out_as_expected() {
    let (profiles, errors) = Profiles::compile(&shipped());
    assert_eq!(errors, [], "the shipped profiles have no fault and no warning");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = fs::read_dir(folder).expect("cases").map(|e| e.expect("an entry").path()).collect();
    cases.sort();
    assert!(cases.len() > 20, "the cases are there");
    for case in cases {
        check(&profiles, &case);
    }
}

/// Each file in `errors` begins with `# expect: ` and the error that it must give.
#[test]
fn every_fault_in_a_profile_is_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let mut sources = Vec::new();
    read_tree(&folder, &folder, &mut sources);
    for (file, text) in sources {
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).unwrap_or("");
        let (profiles, errors) = Profiles::compile(&[(file.clone(), text.clone())]);
        let got: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(got.join(" | "), expected, "{file}");
        assert_eq!(profiles.list().len(), 8, "{file}: left out");
    }
}

/// Templates as published load as they are. The files are not part of the project: the test says
/// that it was skipped where they are not there.
#[test]
fn published_iomt_templates_load_as_they_are() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("VITALWIRE_DATA").map_or_else(beside, std::path::PathBuf::from);
    let root = root.join("device-mappings");
    if !root.is_dir() {
        println!("skipped: {} is not there", root.display());
        return;
    }
    let mut sources = Vec::new();
    read_tree(&root, &root, &mut sources);
    for folder in ["basic", "healthkitOnFhir"] {
        let pair: Vec<_> = sources.iter().filter(|(file, _)| file.starts_with(folder)).cloned().collect();
        let (profiles, errors) = Profiles::compile(&pair);
        assert!(errors.iter().all(|error| error.warning), "{errors:?}");
        for error in &errors {
            println!("{error}");
        }
        let payload: &[u8] = if folder == "basic" {
            br#"{"systolic":120,"diastolic":80,"deviceid":"d1","patientid":"p1","measurementdatetime":"2019-11-14T22:13:20Z"}"#
        } else {
            br#"{"Body":{"bodyTemperature":36.6,"deviceId":"d1","endDate":"2019-11-14T22:13:20Z"},"Properties":{}}"#
        };
        let raw = RawMessage { topic: "any/thing", payload, content_type: None, received: RECEIVED };
        let trace = profiles.trace(&raw);
        let got: Vec<String> = trace.values.iter().map(|v| format!("{} {} {}", v.metric, v.value, v.unit)).collect();
        let expected: &[&str] = if folder == "basic" {
            &["MDC_PRESS_BLD_NONINV_SYS 120 mm[Hg]", "MDC_PRESS_BLD_NONINV_DIA 80 mm[Hg]"]
        } else {
            &["MDC_TEMP_BODY 36.6 Cel"]
        };
        assert_eq!(got, expected, "{trace}");
        assert_eq!(trace.problems, []);
        assert_eq!(trace.values[0].device_time_us, Some(1_573_769_600_000_000));
    }
}
