//! Waveforms as files: what goes out as WFDB, EDF+, CSV, Parquet or FHIR is what came in, and what
//! comes in as EDF+ or WFDB is a recording like any other. Strips that are kept for ever.

mod waves_support;

use axum::http::Request;
use serde_json::{Value as Json, json};
use vitals::time::SECOND;
use vitals::{PatientId, Role};
use waves_support::{Frame, House, frames, house, now};

const ECG: &str = "MDC_ECG_ELEC_POTL_II";
const ABP: &str = "MDC_PRESS_BLD_ART_ABP";

/// Half a minute of an ECG at 250 Hz and a pressure at 62.5 Hz, with a hole; what was sent.
async fn record(house: &House, patient: &PatientId, begin: i64) -> (Vec<i32>, Vec<i32>) {
    let ecg: Vec<Frame> =
        frames("m1", ECG, 1_000, 30, begin).into_iter().map(|frame| Frame { recorded: true, ..frame }).collect();
    let pressure: Vec<Frame> = (0..15)
        .map(|at| Frame {
            metric: ABP,
            rate: (125, 2),
            at_us: begin + at * 2 * SECOND,
            sequence: at as u32,
            counts: (0..125).map(|i| 16_000 + (at as i32 * 125 + i) % 400).collect(),
            ..ecg[0].clone()
        })
        .collect();
    for frame in ecg.iter().enumerate().filter(|(at, _)| *at != 12).map(|(_, frame)| frame).chain(&pressure) {
        house.send(frame).await;
    }
    house.series(patient, ABP).await;
    let all = |frames: &[Frame]| frames.iter().flat_map(|frame| frame.counts.clone()).collect();
    (all(&ecg), all(&pressure))
}

fn export(patient: &PatientId, begin: i64, format: &str) -> String {
    let (from, to) = (begin / 1_000, begin / 1_000 + 30_000);
    format!("/api/v1/patients/{patient}/waveforms/export?from_ms={from}&to_ms={to}&format={format}")
}

/// The values of a metric in an interval, stretch by stretch.
async fn values(house: &House, patient: &PatientId, metric: &str, begin: i64, token: &str) -> Vec<Vec<f64>> {
    let series = house.series(patient, metric).await;
    let (from, to) = (begin / 1_000 - 1_000, begin / 1_000 + 40_000);
    let path = format!("/api/v1/patients/{patient}/waveforms/{series}?from_ms={from}&to_ms={to}");
    let json = house.json(&path, token).await;
    let strips = json["strips"].as_array().expect("strips").iter();
    let numbers = |strip: &Json| {
        let values = strip["values"].as_array().expect("values").iter();
        values.map(|value| value.as_f64().unwrap_or(f64::NAN)).collect()
    };
    strips.map(numbers).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_out_and_come_in_unchanged() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    let (reader, sender) = (house.token(Role::Physician), house.token(Role::Service));
    let begin = (now().0 / SECOND - 100) * SECOND;
    let begin = begin + 60 * SECOND;
    let (ecg, pressure) = record(&house, &patient, begin).await;
    let sent = values(&house, &patient, ECG, begin, &reader).await;
    let expected: Vec<f64> = ecg.iter().map(|count| f64::from(*count) / 200.0).collect();
    assert_eq!(sent, [&expected[..3_000], &expected[3_250..]]);

    for (at, format) in ["edf", "wfdb"].into_iter().enumerate() {
        let (status, file) = house.ask(Request::get(export(&patient, begin, format)), &reader, "").await;
        assert_eq!(status, 200, "{format}: {}", String::from_utf8_lossy(&file));
        let other = house.admit(&format!("other-{at}"), &format!("n{at}")).await;
        let import = format!("/api/v1/patients/{other}/waveforms/import");
        let (refused, _) = house.ask(Request::post(&import), &reader, file.clone()).await;
        assert_eq!(refused, 403, "who only looks sends nothing");
        for round in 0..2 {
            let (status, report) = house.ask(Request::post(&import), &sender, file.clone()).await;
            assert_eq!(status, 200, "{format}: {}", String::from_utf8_lossy(&report));
            let report: Json = serde_json::from_slice(&report).expect("JSON");
            assert_eq!(report["channels"].as_array().expect("channels").len(), 2, "{report}");
            assert_eq!(report["from_ms"], json!(begin / 1_000), "round {round}");
            let there = |strips: Vec<Vec<f64>>| -> Vec<f64> {
                strips.into_iter().flatten().filter(|value| value.is_finite()).collect()
            };
            let back = there(values(&house, &other, ECG, begin, &reader).await);
            let expected = there(sent.clone());
            assert_eq!(back.len(), expected.len(), "{format}, round {round}");
            let close = back.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(close, "{format}: the ECG is another one");
            let back = there(values(&house, &other, ABP, begin, &reader).await);
            assert_eq!(back.len(), pressure.len(), "{format}, round {round}");
        }
        let seen = house.api.live.patient(&other).expect("known");
        assert!(seen.devices.iter().all(|(id, ..)| !id.as_str().starts_with("recording")), "a file is on nobody");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_bundles_hold_the_same() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    let token = house.token(Role::Physician);
    let begin = (now().0 / SECOND - 40) * SECOND;
    let (ecg, pressure) = record(&house, &patient, begin).await;
    let (status, csv) = house.ask(Request::get(export(&patient, begin, "csv")), &token, "").await;
    let csv = String::from_utf8(csv.to_vec()).expect("text");
    assert_eq!((status, csv.lines().count()), (200, 1 + ecg.len() - 250 + pressure.len()));
    let counts = |channel: &str| -> Vec<i32> {
        let lines = csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        lines.filter(|cells| cells[2] == channel).map(|cells| cells[5].parse().expect("a count")).collect()
    };
    assert_eq!(counts("0"), [&ecg[..3_000], &ecg[3_250..]].concat());
    assert_eq!(counts("1"), pressure);
    let (status, parquet) = house.ask(Request::get(export(&patient, begin, "parquet")), &token, "").await;
    assert_eq!((status, &parquet[..4]), (200, &b"PAR1"[..]));

    let (status, bundle) = house.ask(Request::get(export(&patient, begin, "fhir")), &token, "").await;
    let bundle: Json = serde_json::from_slice(&bundle).expect("JSON");
    assert_eq!((status, &bundle["type"]), (200, &json!("collection")));
    let entries = bundle["entry"].as_array().expect("entries");
    assert_eq!(entries.len(), 3, "two stretches of the ECG, one of the pressure");
    for entry in entries {
        let issues = wire_fhir::validate(&entry["resource"], "Observation");
        assert!(issues.is_empty(), "{issues:?}");
    }
    let sampled = &entries[0]["resource"]["valueSampledData"];
    assert_eq!(sampled["period"], json!(4.0));
    let data: Vec<f64> = sampled["data"].as_str().expect("data").split(' ').map(|v| v.parse().expect("a number")).collect();
    let expected: Vec<f64> = ecg[..3_000].iter().map(|count| f64::from(*count) / 200.0).collect();
    assert_eq!(data, expected);

    // What is too much, or nothing, is said to be so.
    for (path, expected, word) in [
        (export(&patient, begin - 3_600 * SECOND, "csv"), 404, "no such waveform"),
        (export(&patient, begin, "xlsx"), 400, "format"),
        (format!("{}&series=x", export(&patient, begin, "csv")), 400, "series"),
    ] {
        let (status, text) = house.ask(Request::get(&path), &token, "").await;
        assert_eq!(status, expected, "{path}");
        assert!(String::from_utf8_lossy(&text).contains(word), "{}", String::from_utf8_lossy(&text));
    }
    let sender = house.token(Role::Service);
    for (body, word) in [(&b"hello"[..], "EDF"), (b"PK\x03\x04zzz", "zip"), (b"0       short", "can't be read")] {
        let import = format!("/api/v1/patients/{patient}/waveforms/import");
        let (status, text) = house.ask(Request::post(&import), &sender, body).await;
        assert_eq!(status, 400);
        assert!(String::from_utf8_lossy(&text).contains(word), "{}", String::from_utf8_lossy(&text));
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strip_is_kept_until_somebody_lets_it_go() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    let (nurse, engineer) = (house.token(Role::Nurse), house.token(Role::Engineer));
    house.send(&frames("m1", ECG, 1_000, 1, now().0 - SECOND)[0]).await;
    house.series(&patient, ECG).await;
    let path = format!("/api/v1/patients/{patient}/holds");
    let hold = |reason: &str| json!({"from_ms": 1_000, "to_ms": 61_000, "reason": reason}).to_string();
    let post = || Request::post(&path).header("content-type", "application/json");
    assert_eq!(house.ask(post(), &engineer, hold("x")).await.0, 403);
    let (status, made) = house.ask(post(), &nurse, hold("run of VT")).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&made));
    let made: Json = serde_json::from_slice(&made).expect("JSON");
    let listed = house.json(&path, &nurse).await;
    assert_eq!(listed["holds"], json!([made]));
    assert_eq!((&made["reason"], &made["from_ms"], &made["to_ms"]), (&json!("run of VT"), &json!(1_000), &json!(61_000)));
    let backwards = json!({"from_ms": 5, "to_ms": 5}).to_string();
    assert_eq!(house.ask(post(), &nurse, backwards).await.0, 400);
    let one = format!("{path}/{}", made["id"].as_str().expect("a name"));
    assert_eq!(house.ask(Request::delete(&one), &nurse, "").await.0, 204);
    assert_eq!(house.ask(Request::delete(&one), &nurse, "").await.0, 404);
    assert_eq!(house.json(&path, &nurse).await["holds"], json!([]));
    house.stop().await;
}
