//! Replay of the real data sets against stand-ins that count. The sets are not part of the
//! project: `VITALWIRE_DATA` names their folder, else `../shared/data` beside the checkout is
//! tried; a test whose set is not there says that it was skipped.

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use common::Taken;
use serde_json::Value;
use sim::replay::{ReplayConfig, ReplayReport, Source, Speed, run};

type ByDevice = BTreeMap<String, BTreeMap<String, u64>>;

fn data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("VITALWIRE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let path = root.join(name);
    if !path.exists() {
        eprintln!("skipped: {name} is not there; set VITALWIRE_DATA to the folder that has it");
        return None;
    }
    Some(path)
}

/// Names the devices whose counts differ, not all of them.
fn same(arrived: &ByDevice, sent: &ByDevice) {
    let different: Vec<_> = sent
        .iter()
        .filter(|(device, counts)| arrived.get(*device) != Some(counts))
        .map(|(device, counts)| (device, counts, arrived.get(device)))
        .collect();
    assert!(different.is_empty(), "{different:#?}");
    assert_eq!(arrived.len(), sent.len());
}

async fn replay(source: Source, patients: Option<usize>, speed: Speed) -> (ReplayReport, Arc<Taken>) {
    let taken = Arc::new(Taken::default());
    let config = ReplayConfig {
        mqtt: common::mqtt(Arc::clone(&taken)).await,
        mllp: common::mllp(Arc::clone(&taken)).await,
        http: common::http(Arc::clone(&taken)).await,
        patients,
        speed,
        ..ReplayConfig::new(source)
    };
    let mut beats = 0;
    let report = run(config, |_| beats += 1).await.expect("the replay runs");
    assert!(beats > 0, "progress is told");
    assert_eq!((report.refused, report.reconnects), (0, 0));
    assert_eq!(report.acknowledged, report.messages + report.hl7_messages);
    (report, taken)
}

/// What arrived, by device and metric, equal values of one time counted once.
fn arrived(taken: &Taken) -> ByDevice {
    let mut seen = std::collections::HashSet::new();
    let mut counts = ByDevice::new();
    for (topic, payload) in taken.publishes.lock().expect("no panic").iter() {
        let device = topic.split('/').nth(1).expect("a device level").to_owned();
        assert!(topic.ends_with("/recording"));
        let pack: Vec<Value> = serde_json::from_slice(payload).expect("SenML");
        let time = pack[0]["bt"].to_string();
        for record in pack {
            let name = record["n"].as_str().expect("a name");
            let name = name.split('/').next().expect("a part").to_owned();
            let [whole, unit, value, text] = ["n", "u", "v", "vs"].map(|key| record[key].to_string());
            if seen.insert((device.clone(), time.clone(), [whole, unit, value, text])) {
                *counts.entry(device.clone()).or_default().entry(name).or_default() += 1;
            }
        }
    }
    counts
}

fn sent(report: &ReplayReport) -> ByDevice {
    report
        .by_device
        .iter()
        .filter(|(_, counts)| !counts.is_empty())
        .map(|(device, counts)| (device.clone(), counts.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn challenge_2019_arrives_value_by_value() {
    let Some(path) = data("cinc2019/setA.tar.zst") else { return };
    let (report, taken) = replay(Source::Cinc2019(vec![path]), Some(150), Speed::Max).await;
    assert_eq!(report.patients, 150);
    assert!(report.left_out.is_empty());
    assert_eq!(report.values, report.distinct_values);
    same(&arrived(&taken), &sent(&report));
    // The first patient, counted by hand: awk -F'|' 'FNR>1 && $1!="NaN"' p000001.psv | wc -l
    assert_eq!(report.by_device["cinc2019-A-p000001"]["MDC_ECG_HEART_RATE"], 49);
    let requests = taken.requests.lock().expect("no panic");
    let bodies: Vec<&str> = requests
        .iter()
        .filter(|text| text.starts_with("POST /api/v1/associations "))
        .filter_map(|text| text.split_once('\n').map(|(_, body)| body))
        .collect();
    let listed: usize = bodies
        .iter()
        .map(|body| serde_json::from_str::<Vec<Value>>(body).expect("a list").len())
        .sum();
    assert_eq!(listed, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn challenge_2012_arrives_value_by_value() {
    let Some(path) = data("cinc2012/set-a.tar.zst") else { return };
    let (report, taken) = replay(Source::Cinc2012(path), Some(100), Speed::Max).await;
    assert_eq!(report.patients, 100);
    same(&arrived(&taken), &sent(&report));
    assert!(report.left_out.contains_key("ICUType: no metric"));
    assert!(report.left_out.keys().all(|name| !name.starts_with("HR")), "{:?}", report.left_out);
}

#[tokio::test(flavor = "multi_thread")]
async fn mimic_tables_arrive_with_movements_and_limits() {
    let Some(path) = data("mimic3-demo") else { return };
    let (report, taken) = replay(Source::Mimic3(path), None, Speed::Max).await;
    assert_eq!(report.patients, 100);
    assert_eq!(report.hl7_messages, 524, "every row of transfers.csv is a movement");
    assert!(report.limits > 500, "{}", report.limits);
    assert!(report.values > 90_000, "{}", report.values);
    same(&arrived(&taken), &sent(&report));
    let messages = taken.messages.lock().expect("no panic");
    let mut by_trigger: HashMap<&str, u64> = HashMap::new();
    for message in messages.iter() {
        assert!(message.contains("|P^R|"), "movements are marked as recorded");
        *by_trigger.entry(message.split('|').nth(8).unwrap_or_default()).or_default() += 1;
    }
    assert_eq!(by_trigger["ADT^A01^ADT_A01"], 129);
    assert_eq!(by_trigger["ADT^A03^ADT_A01"], 129);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paced_replay_keeps_its_pace() {
    let Some(path) = data("cinc2019/setB.tar.zst") else { return };
    // Eight patients at 360,000 times: an hour takes a hundredth of a second.
    let (report, _) = replay(Source::Cinc2019(vec![path]), Some(8), Speed::Times(360_000.0)).await;
    assert!((0.05..20.0).contains(&report.seconds), "{}", report.seconds);
    assert!(report.by_device.keys().all(|device| device.starts_with("cinc2019-B-p1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn hl7_files_arrive_as_messages() {
    let Some(path) = data("hl7v2/pcd01-waveform-template.hl7") else { return };
    let (report, taken) = replay(Source::Hl7(path), None, Speed::Max).await;
    assert_eq!(report.hl7_messages, 1);
    let messages = taken.messages.lock().expect("no panic");
    assert!(messages[0].starts_with("MSH|^~\\&|SendingApplication|"));
    assert!(messages[0].matches("\rOBX|").count() > 10);
}

/// All of it: `cargo test -p sim --test recordings -- --ignored`. The figures are those of
/// `cat set?/*.psv | awk -F'|' '$1!="HR"{for(i=1;i<=34;i++) if($i!="NaN") n++} END{print n}'`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute or two"]
async fn the_whole_of_challenge_2019_is_sent() {
    let (Some(a), Some(b)) = (data("cinc2019/setA.tar.zst"), data("cinc2019/setB.tar.zst")) else {
        return;
    };
    let (report, _) = replay(Source::Cinc2019(vec![a, b]), None, Speed::Max).await;
    assert_eq!((report.patients, report.values), (32_174, 8_357_062));
    assert_eq!(report.distinct_values, report.values);
    for (metric, count) in [
        ("MDC_ECG_HEART_RATE", 1_114_961),
        ("MDC_TEMP_BODY", 417_241),
        ("MDC_CONC_LACT", 33_222),
        ("MDC_PLTS_CNT", 73_697),
    ] {
        assert_eq!(report.by_metric[metric], count, "{metric}");
    }
}
