//! Shipped decoders and profiles on uplinks of our own making, and on published payloads with their
//! decoded values where those are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use decoder::{Limits, run};
use mapping::{Decode, DecodeFault, Profiles, RawMessage, Script, Uplink};
use serde_json::{Value, json};
use vitals::{ProblemKind, ReceiveTime};

/// Decodes in the test's own process.
#[derive(Debug)]
struct Here;

impl Decode for Here {
    fn decode(&self, script: &Script, uplink: &Uplink) -> Result<Value, DecodeFault> {
        run(&script.source, uplink, Limits::default())
    }
}

fn shipped(name: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles/lorawan").join(name);
    (format!("lorawan/{name}"), fs::read_to_string(path).expect("a shipped file"))
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}

/// As The Things Stack sends an uplink with this payload.
fn things_stack(payload: &str, count: u64) -> Value {
    json!({
        "end_device_ids": {"device_id": "room-4", "application_ids": {"application_id": "home"},
            "dev_eui": "24e124136b000001", "dev_addr": "260B0001"},
        "received_at": "2023-11-14T22:13:20.500Z",
        "uplink_message": {"session_key_id": "AYr0", "f_port": 85, "f_cnt": count, "frm_payload": payload,
            "version_ids": {"brand_id": "milesight-iot", "model_id": "em300-th"},
            "rx_metadata": [{"gateway_ids": {"gateway_id": "roof", "eui": "0016C001F0000001"}, "rssi": -97, "snr": 4.5},
                {"gateway_ids": {"gateway_id": "yard"}, "time": "2023-11-14T22:13:20.100Z", "rssi": -61, "snr": 9}],
            "received_at": "2023-11-14T22:13:20.300Z"}
    })
}

/// As ChirpStack does.
fn chirpstack(payload: &str) -> Value {
    json!({
        "deduplicationId": "0b6a2a5c", "time": "2023-11-14T22:13:20.200+00:00",
        "deviceInfo": {"applicationName": "home", "deviceProfileName": "em300-th", "deviceName": "room-4",
            "devEui": "24e124136b000001"},
        "devAddr": "01ab", "fCnt": 8, "fPort": 85, "data": payload,
        "rxInfo": [{"gatewayId": "0016c001f0000001", "rssi": -80, "snr": 7.2}]
    })
}

fn check(payload: &Value, expected: &[&str], problems: &[(&str, &str)]) -> Option<u128> {
    let files = [shipped("milesight.js"), shipped("milesight.toml")];
    let (profiles, errors) = Profiles::compile(&files);
    assert_eq!(errors, []);
    let profiles = profiles.decoding_with(Some(Arc::new(Here)));
    let text = payload.to_string();
    let raw = RawMessage {
        topic: "lorawan/site/up",
        payload: text.as_bytes(),
        content_type: None,
        received: ReceiveTime(1_700_000_001_000_000),
    };
    let trace = profiles.trace(&raw);
    let values: Vec<String> = trace.values.iter().map(|v| format!("{} {} {}", v.device, v.metric, v.value)).collect();
    assert_eq!(values, expected, "{trace}");
    let told: Vec<(&str, &str)> = trace.problems.iter().map(|p| (p.kind, p.detail.as_str())).collect();
    assert_eq!(told, problems);
    assert!(trace.profile.starts_with("milesight (milesight.js "), "which version: {}", trace.profile);
    profiles.map(&raw).dedup
}

#[test]
fn an_uplink_becomes_measurements_whichever_server_sends_it() {
    // Battery 92 %, 27.2 °C, 61.5 %.
    let values = [
        "24E124136B000001 MDC_ATTR_VAL_BATT_CHARGE 92",
        "24E124136B000001 MDC_TEMP_AMBIENT 27.2",
        "24E124136B000001 MDC_HUMID 61.5",
    ];
    let with = |strength| [&values[..], &[strength]].concat();
    let payload = "AXVcA2cQAQRoew==";
    let first = check(&things_stack(payload, 7), &with("24E124136B000001 VW_SIGNAL_STRENGTH -61"), &[]);
    check(&chirpstack(payload), &with("24E124136B000001 VW_SIGNAL_STRENGTH -80"), &[]);
    // The same counter again, heard by other gateways: the same uplink.
    let mut again = things_stack(payload, 7);
    again["uplink_message"]["rx_metadata"][1]["rssi"] = json!(-70);
    let second = check(&again, &with("24E124136B000001 VW_SIGNAL_STRENGTH -70"), &[]);
    let third = check(&things_stack(payload, 8), &with("24E124136B000001 VW_SIGNAL_STRENGTH -61"), &[]);
    assert!(first.is_some() && first == second && first != third);
}

#[test]
fn what_the_decoder_refuses_is_a_problem() {
    let refused = "the decoder refuses the payload: channel 01 76 at byte 0 is not known";
    check(&things_stack("AXZc", 7), &[], &[("bad-value", refused)]);
}

#[test]
fn a_decoder_without_an_engine_and_one_that_is_missing_are_told() {
    let (profiles, _) = Profiles::compile(&[shipped("milesight.js"), shipped("milesight.toml")]);
    let text = chirpstack("AXVc").to_string();
    let raw = RawMessage { topic: "lorawan/x/up", payload: text.as_bytes(), content_type: None, received: ReceiveTime(1) };
    let mapped = profiles.map(&raw);
    assert!(mapped.content.is_empty());
    assert_eq!(mapped.problems[0].kind, ProblemKind::Limit);
    let (_, errors) = Profiles::compile(&[shipped("milesight.toml")]);
    assert!(errors[0].to_string().contains("there is no `lorawan/milesight.js`"), "{errors:?}");
}

#[test]
fn published_payloads_decode_to_their_published_values() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("VITALWIRE_DATA").map_or_else(beside, PathBuf::from);
    let file = root.join("lorawan/milesight-uplinks.json");
    let Ok(text) = fs::read_to_string(&file) else {
        println!("skipped: {} is not there", file.display());
        return;
    };
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    let (_, source) = shipped("milesight.js");
    let vectors = vectors["vectors"].as_array().expect("vectors");
    for vector in vectors {
        let port = u8::try_from(vector["fPort"].as_u64().expect("a port")).expect("a port");
        let uplink = Uplink { bytes: bytes(vector["bytes"].as_str().expect("bytes")), port, received_ms: 0 };
        let got = run(&source, &uplink, Limits::default()).expect("decoded");
        assert_eq!(got, vector["data"], "{}", vector["device"]);
    }
    println!("{} published payloads", vectors.len());
}
