//! Live waveforms over a real WebSocket: every sample arrives as it was sent, to whoever may see it
//! and to nobody else; a viewer behind a slow link gets less, and nobody else does.

mod waves_support;

use guard::Permission;
use serde_json::json;
use vitals::Role;
use vitals::time::SECOND;
use waves_support::{Frame, frames, house, now};

const ECG: &str = "MDC_ECG_ELEC_POTL_II";

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

macro_rules! headers {
    ($pairs:expr) => {
        &$pairs.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>()
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_arrives_as_it_was_sent() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    // Of a recording, so that no clock is corrected: times are what was sent, too.
    let begin = now().0 - 15 * SECOND;
    let all: Vec<Frame> =
        frames("m1", ECG, 500, 50, begin).into_iter().map(|frame| Frame { recorded: true, ..frame }).collect();
    for frame in &all[..30] {
        house.send(frame).await;
    }
    let series = house.series(&patient, ECG).await;
    let token = house.token(Role::Nurse);
    let mut viewer = house.viewer(headers!(bearer(&token))).await.expect("let in");
    viewer.watch(&[(7, &patient, series)], 300.0).await;
    viewer.until("the newest past", |viewer| viewer.samples(7).len() >= 2_500).await;
    assert_eq!(viewer.samples(7).len(), 2_500, "ten seconds of the fifteen");
    for frame in &all[30..] {
        house.send(frame).await;
    }
    viewer.until("what came since", |viewer| viewer.samples(7).len() >= 2_500 + 20 * 125).await;
    let sent: Vec<i32> = all[10..].iter().flat_map(|frame| frame.counts.clone()).collect();
    assert_eq!(viewer.samples(7), sent);
    // Each message says where it belongs, by counting from the first.
    let mut next_us = (begin + 5 * SECOND) as f64;
    for wave in &viewer.waves {
        assert_eq!((wave.flags, wave.rate, wave.scale, wave.offset), (0, (250, 1), 0.005, 0.0));
        assert!((wave.start_ms * 1_000.0 - next_us).abs() < 1.0, "{} {next_us}", wave.start_ms);
        next_us += wave.raw.len() as f64 * 4_000.0;
    }
    let told = viewer.told("channel").expect("told how it does").clone();
    assert_eq!((&told["view"], &told["state"], &told["thinned"]), (&json!(7), &json!("live"), &json!(1)));
    assert_eq!(told["recorded"], json!(true), "never taken for live");
    assert!(house.audit().contains("/api/v1/waveforms/live"));
    assert!(house.audit().contains(patient.as_str()), "whose waveforms is recorded");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_columns_get_the_extremes() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    let all = frames("m1", ECG, 1_000, 8, now().0 - 8 * SECOND);
    for frame in &all {
        house.send(frame).await;
    }
    let series = house.series(&patient, ECG).await;
    let token = house.token(Role::Physician);
    let mut viewer = house.viewer(headers!(bearer(&token))).await.expect("let in");
    viewer.watch(&[(1, &patient, series)], 25.0).await;
    let pairs = |viewer: &waves_support::Viewer| viewer.waves.iter().map(|wave| wave.raw.len() / 2).sum::<usize>();
    viewer.until("pairs", |viewer| pairs(viewer) >= 200).await;
    let sent: Vec<i32> = all.iter().flat_map(|frame| frame.counts.clone()).collect();
    let expected: Vec<i32> = sent
        .chunks(10)
        .flat_map(|ten| [ten.iter().min().expect("ten"), ten.iter().max().expect("ten")])
        .copied()
        .collect();
    let seen: Vec<i32> = viewer.waves.iter().flat_map(|wave| wave.raw.iter().map(|raw| i32::from(*raw))).collect();
    assert!(viewer.waves.iter().all(|wave| wave.pairs && wave.rate == (25, 1) && wave.flags == 0));
    assert_eq!(seen, expected);
    assert_eq!(viewer.told("channel").expect("told")["thinned"], json!(10));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_see_patients_is_let_in() {
    let house = house().await;
    assert_eq!(house.viewer(&[]).await.err(), Some(401));
    for role in Role::ALL {
        let token = house.token(role);
        let entered = house.viewer(headers!(bearer(&token))).await;
        let expected = (!Permission::SeePatients.granted_to(role)).then_some(403);
        assert_eq!(entered.err(), expected, "{role:?}");
    }
    // A page of another site can't use the session of whoever looks at it.
    house.guard.add_user("ben", Role::Nurse, "a-good-long-one").expect("added");
    let session = house.guard.login("ben", "a-good-long-one", now()).expect("logged in").1;
    let host = house.address.to_string();
    let with = |origin: &str| {
        [("cookie", format!("{}={session}", api::access::COOKIE)), ("host", host.clone()), ("origin", origin.to_owned())]
    };
    assert_eq!(house.viewer(headers!(with("https://evil.example"))).await.err(), Some(403));
    assert!(house.viewer(headers!(with(&format!("http://{host}")))).await.is_ok());
    assert!(house.audit().contains("foreign-page"));
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_waveform_under_another_name() {
    let house = house().await;
    let (ada, ben) = (house.admit("a", "m1").await, house.admit("b", "m2").await);
    for (device, patient) in [("m1", &ada), ("m2", &ben)] {
        house.send(&frames(device, ECG, 1_000, 1, now().0 - SECOND)[0]).await;
        house.series(patient, ECG).await;
    }
    let (of_ada, of_ben) = (house.series(&ada, ECG).await, house.series(&ben, ECG).await);
    let token = house.token(Role::Nurse);
    let mut viewer = house.viewer(headers!(bearer(&token))).await.expect("let in");
    let nobody = vitals::PatientId::from_identifier("urn:mrn", "nobody");
    viewer.watch(&[(1, &ada, of_ben), (2, &nobody, of_ada), (3, &ben, of_ben)], 300.0).await;
    viewer.until("the one that is right", |viewer| !viewer.samples(3).is_empty()).await;
    let gone: Vec<_> = viewer.texts.iter().filter(|told| told["state"] == "gone").map(|told| told["view"].clone()).collect();
    assert_eq!(gone, [json!(1), json!(2)]);
    assert!(viewer.samples(1).is_empty() && viewer.samples(2).is_empty());
    viewer.say(json!({"type": "nonsense"})).await;
    viewer.until("a word on nonsense", |viewer| viewer.told("error").is_some()).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_takes_the_stream_with_it() {
    let house = house().await;
    house.guard.add_user("ben", Role::Nurse, "a-good-long-one").expect("added");
    let session = house.guard.login("ben", "a-good-long-one", now()).expect("logged in").1;
    let cookie = [("cookie", format!("{}={session}", api::access::COOKIE))];
    let mut viewer = house.viewer(headers!(cookie)).await.expect("let in");
    viewer.say(json!({"type": "watch", "channels": []})).await;
    assert_eq!(viewer.next().await, None);
    house.guard.logout(&session);
    let code = loop {
        if let Some(code) = viewer.next().await {
            break code;
        }
    };
    assert_eq!(code, 1008);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_falls_behind_is_thinned_and_nobody_else() {
    let house = std::sync::Arc::new(house().await);
    let patient = house.admit("a", "m1").await;
    let begin = now().0;
    house.send(&frames("m1", ECG, 200, 1, begin)[0]).await;
    let series = house.series(&patient, ECG).await;
    let token = house.token(Role::Nurse);
    let mut slow = house.viewer(headers!(bearer(&token))).await.expect("let in");
    let mut quick = house.viewer(headers!(bearer(&token))).await.expect("let in");
    // One that acknowledges once and then no more: as far as the server knows, nothing arrives.
    slow.watch(&[(1, &patient, series)], 300.0).await;
    slow.until("the first", |viewer| !viewer.waves.is_empty() && viewer.told("channel").is_some()).await;
    slow.acknowledges = true;
    slow.say(json!({"type": "seen", "ms": now().millis()})).await;
    slow.acknowledges = false;
    quick.watch(&[(1, &patient, series)], 300.0).await;
    let sender = std::sync::Arc::clone(&house);
    let sending = tokio::spawn(async move {
        let all = frames("m1", ECG, 200, 1_000, begin);
        for (at, frame) in all.iter().enumerate().skip(1) {
            let due = begin + at as i64 * SECOND / 5;
            while now().0 < due {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            sender.send(frame).await;
        }
    });
    let thinned = |viewer: &waves_support::Viewer| {
        viewer.texts.iter().any(|told| told["why"] == "slow link" && told["thinned"].as_u64() > Some(1))
            && viewer.waves.iter().any(|wave| wave.pairs && wave.flags == 1)
    };
    let reading = tokio::spawn(async move {
        slow.until("being thinned and told so", thinned).await;
        slow
    });
    quick.until("ten seconds", |viewer| viewer.samples(1).len() >= 2_500).await;
    let _slow = reading.await.expect("thinned");
    let expected: Vec<i32> = frames("m1", ECG, 200, 1_000, begin).iter().flat_map(|frame| frame.counts.clone()).collect();
    let seen = quick.samples(1);
    assert_eq!(seen, expected[..seen.len()], "all of it, from the first");
    assert!(quick.waves.iter().all(|wave| wave.flags == 0));
    sending.abort();
    let _ = sending.await;
    let house = std::sync::Arc::into_inner(house).expect("nobody else holds it");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_interval_comes_back_to_the_bit_stored_or_not() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    let token = house.token(Role::Nurse);
    let begin = now().0 - 50 * SECOND;
    let all: Vec<Frame> =
        frames("m1", ECG, 500, 90, begin).into_iter().map(|frame| Frame { recorded: true, ..frame }).collect();
    let sent: Vec<i32> = all.iter().flat_map(|frame| frame.counts.clone()).collect();
    let mut series = 0;
    // While the first half is stored, and the second is not, or is on its way.
    for (at, frame) in all.iter().enumerate() {
        // A second is missing.
        if !(40..42).contains(&at) {
            house.send(frame).await;
        }
        if at == 44 {
            series = house.series(&patient, ECG).await;
            house.api.live.progress().settle(waves_support::LONG).await;
        }
    }
    let path = |query: &str| format!("/api/v1/patients/{patient}/waveforms/{series}?{query}");
    let (from, to) = (begin / 1_000 + 2_000, begin / 1_000 + 40_000);
    for round in 0..20 {
        let messages = house.messages(&path(&format!("from_ms={from}&to_ms={to}")), &token).await;
        let seen: Vec<Vec<i32>> =
            messages.iter().map(|wave| wave.raw.iter().map(|raw| i32::from(*raw)).collect()).collect();
        assert_eq!(seen, [&sent[500..5_000], &sent[5_250..10_000]], "round {round}");
        assert!((messages[0].start_ms - (begin / 1_000 + 2_000) as f64).abs() < 4.0, "{}", messages[0].start_ms);
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    }
    let json = house.json(&path(&format!("from_ms={from}&to_ms={to}")), &token).await;
    let values: Vec<f64> = json["strips"][1]["values"].as_array().expect("values").iter().map(|v| v.as_f64().expect("one")).collect();
    let expected: Vec<f64> = sent[5_250..10_000].iter().map(|count| f64::from(*count) / 200.0).collect();
    assert_eq!(values, expected, "to the last bit");
    // Few columns: none loses its extremes.
    let columns = house.messages(&path(&format!("from_ms={from}&to_ms={to}&columns=100")), &token).await;
    assert_eq!(columns.len(), 2, "the gap is seen");
    assert!(columns.iter().all(|wave| wave.pairs));
    let physical = |wave: &waves_support::Wave, raw: i16| f64::from(raw) * f64::from(wave.scale) + f64::from(wave.offset);
    let ends = |of: fn(f64, f64) -> f64, start: f64| {
        columns.iter().flat_map(|wave| wave.raw.iter().map(|raw| physical(wave, *raw))).fold(start, of)
    };
    assert!((ends(f64::min, 9e9) + 5.0).abs() < 0.01 && (ends(f64::max, -9e9) - 4.995).abs() < 0.01);

    let listed = house.json(&format!("/api/v1/patients/{patient}/waveforms"), &token).await;
    let channel = &listed["channels"][0];
    assert_eq!((&channel["series"], &channel["rate"], &channel["unit"]), (&json!(series), &json!([250, 1]), &json!("mV")));
    assert_eq!(channel["counted"]["wave-gap"], json!(1));
    assert_eq!(channel["first_ms"].as_i64().expect("a time").abs_diff(begin / 1_000), 0);
    // Not under another's name, and not without bounds.
    let ben = house.admit("b", "m2").await;
    house.send(&frames("m2", ECG, 1_000, 1, begin)[0]).await;
    house.series(&ben, ECG).await;
    for (query, expected) in [
        (format!("/api/v1/patients/{ben}/waveforms/{series}?from_ms={from}&to_ms={to}"), 404),
        (path("from_ms=5&to_ms=5"), 400),
        (path("from_ms=0&to_ms=1795262400000"), 200),
    ] {
        let (status, _) = house.ask(axum::http::Request::get(&query), &token, "").await;
        assert_eq!(status, expected, "{query}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beats_are_marked_live_and_later() {
    let house = house().await;
    let patient = house.admit("a", "m1").await;
    let token = house.token(Role::Nurse);
    let begin = now().0 - 50 * SECOND;
    let all = waves_support::heart("m1", 60, begin);
    house.send(&all[0]).await;
    let series = house.series(&patient, ECG).await;
    let mut viewer = house.viewer(headers!(bearer(&token))).await.expect("let in");
    viewer.watch(&[(1, &patient, series)], 300.0).await;
    for frame in &all[1..] {
        house.send(frame).await;
    }
    viewer.until("beats", |viewer| viewer.told("beats").is_some()).await;
    let path = format!(
        "/api/v1/patients/{patient}/beats?from_ms={}&to_ms={}",
        begin / 1_000 + 20_000,
        begin / 1_000 + 50_000
    );
    let page = house.json(&path, &token).await;
    let beats = page["beats"].as_array().expect("beats");
    assert!(beats.len().abs_diff(37) <= 1, "30 s at 75 a minute: {}", beats.len());
    let intervals = beats.windows(2).map(|two| two[1][0].as_i64().expect("ms") - two[0][0].as_i64().expect("ms"));
    assert!(intervals.clone().all(|ms| (780..=820).contains(&ms)), "{:?}", intervals.collect::<Vec<_>>());
    house.stop().await;
}
