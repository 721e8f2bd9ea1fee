//! Ward, load and fault proxy against stand-ins that take everything.

mod common;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::Taken;
use sim::fault::{Faults, Framing, Proxy};
use sim::link::{MllpLink, MqttLink, MqttOptions};
use sim::load::{MllpLoad, MqttLoad, run_mllp, run_mqtt};
use sim::ward::{WardConfig, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_ward_opens_speaks_and_closes() {
    let taken = Arc::new(Taken::default());
    let config = WardConfig {
        mqtt: common::mqtt(Arc::clone(&taken)).await,
        mllp: common::mllp(Arc::clone(&taken)).await,
        http: common::http(Arc::clone(&taken)).await,
        duration_s: Some(3),
        ..WardConfig::default()
    };
    let mut beats = 0;
    let report = run(config, |_| beats += 1).await.expect("the ward runs");
    assert_eq!(beats, 3);
    assert_eq!((report.refused, report.overflowed, report.reconnects), (0, 0, 0));
    assert_eq!(report.sent, report.acknowledged);
    let messages = taken.messages.lock().expect("no panic");
    assert_eq!(messages.iter().filter(|text| text.contains("ADT^A01")).count(), 24);
    assert!(messages.iter().any(|text| text.contains("ORU^R01")));
    let requests = taken.requests.lock().expect("no panic");
    assert!(requests.iter().filter(|text| text.contains("/mount ")).count() > 20);
    assert!(requests.iter().any(|text| text.starts_with("POST /fhir ")));
    assert!(requests.iter().any(|text| text.starts_with("POST /fhir/Observation ")));
    assert!(taken.publishes.lock().expect("no panic").len() > 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_load_sends_distinct_messages_and_counts_them() {
    let taken = Arc::new(Taken::default());
    for rate_per_s in [None, Some(2_000.0)] {
        taken.publishes.lock().expect("no panic").clear();
        let load = MqttLoad {
            address: common::mqtt(Arc::clone(&taken)).await,
            connections: 20,
            window: 8,
            seconds: 0.5,
            rate_per_s,
            ..MqttLoad::default()
        };
        let report = run_mqtt(load, |_| {}).await.expect("load runs");
        assert_eq!((report.broken, report.refused), (0, 0));
        assert_eq!(report.sent, report.acknowledged);
        let publishes = taken.publishes.lock().expect("no panic");
        assert_eq!(report.sent, publishes.len() as u64);
        let distinct: HashSet<_> = publishes.iter().collect();
        assert_eq!(distinct.len(), publishes.len());
        for (_, payload) in publishes.iter() {
            serde_json::from_slice::<serde_json::Value>(payload).expect("JSON");
        }
        if rate_per_s.is_some() {
            assert!((800..=1_100).contains(&report.sent), "{}", report.sent);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mllp_load_sends_distinct_messages_and_counts_them() {
    let taken = Arc::new(Taken::default());
    let address = common::mllp(Arc::clone(&taken)).await;
    let load = MllpLoad { address, connections: 4, window: 4, seconds: 1, ..MllpLoad::default() };
    let report = run_mllp(load, |_| {}).await.expect("load runs");
    assert_eq!((report.broken, report.refused), (0, 0));
    assert_eq!(report.sent, report.acknowledged);
    let messages = taken.messages.lock().expect("no panic");
    assert_eq!(report.sent, messages.len() as u64);
    let controls: HashSet<_> = messages.iter().filter_map(|m| m.split('|').nth(9)).collect();
    assert_eq!(controls.len(), messages.len());
    let rows: HashSet<_> =
        messages.iter().flat_map(|m| m.split('\r').filter(|line| line.starts_with("OBX|2|"))).collect();
    assert_eq!(rows.len(), messages.len(), "each message has a time of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_is_sent_again_through_a_bad_network() {
    let taken = Arc::new(Taken::default());
    let target = common::mqtt(Arc::clone(&taken)).await;
    let faults = Faults {
        seed: 3,
        framing: Framing::Mqtt,
        cut: 0.05,
        duplicate: 0.1,
        ..Faults::default()
    };
    let proxy = Proxy::start(&target, faults).await.expect("proxy starts");
    let options = MqttOptions {
        address: proxy.address.clone(),
        client_id: "d".to_owned(),
        credentials: None,
        will: None,
        window: 8,
    };
    let mut link = loop {
        if let Ok(link) = MqttLink::connect(options.clone()).await {
            break link;
        }
    };
    for number in 0..200 {
        let mut sent = link.publish("t", "", format!("{number}").as_bytes()).await;
        while sent.is_err() {
            sent = link.reconnect().await;
        }
    }
    while link.drain().await.is_err() {
        while link.reconnect().await.is_err() {}
    }
    assert!(proxy.tally.cuts.load(Ordering::Relaxed) > 0);
    assert!(proxy.tally.duplicates.load(Ordering::Relaxed) > 0);
    let publishes = taken.publishes.lock().expect("no panic");
    let distinct: HashSet<_> = publishes.iter().map(|(_, payload)| payload.clone()).collect();
    assert_eq!(distinct.len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn mllp_repeats_what_was_cut() {
    let taken = Arc::new(Taken::default());
    let target = common::mllp(Arc::clone(&taken)).await;
    let faults = Faults { seed: 5, framing: Framing::Mllp, cut: 0.1, ..Faults::default() };
    let proxy = Proxy::start(&target, faults).await.expect("proxy starts");
    let mut link = MllpLink::connect(&proxy.address).await.expect("proxy accepts");
    for number in 0..60 {
        let message = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A08|id{number}|P|2.6\r");
        let mut answer = match link.send(message.as_bytes()).await {
            Ok(()) => link.acknowledgement().await,
            Err(error) => Err(error),
        };
        while answer.is_err() {
            answer = match link.reconnect().await {
                Ok(()) => link.acknowledgement().await,
                Err(error) => Err(error),
            };
        }
        assert_eq!(answer.expect("acknowledged").control_id, format!("id{number}"));
    }
    assert!(proxy.tally.cuts.load(Ordering::Relaxed) > 0);
}
