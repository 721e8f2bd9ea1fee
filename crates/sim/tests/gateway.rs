//! Load, replay and faults against the real listeners over a real journal: what was acknowledged
//! is there once (DU-1).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gateway::mllp::MllpConfig;
use gateway::mqtt::{MqttLimits, MqttServer};
use gateway::{Doors, OpenDoor};
use journal::{Appender, EmbeddedJournal, Entry, Limits};
use sim::fault::{Faults, Framing, Proxy};
use sim::link::{MllpLink, MqttLink, MqttOptions};
use sim::load::{MllpLoad, MqttLoad, run_mllp, run_mqtt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use vitals::{Event, Message, ReceiveTime};

struct Platform {
    mqtt: String,
    mllp: String,
    appender: Appender,
    _stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl Platform {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = EmbeddedJournal::open(folder.path()).expect("a journal");
        let (sink, feed) = std::sync::mpsc::sync_channel::<Arc<[Entry]>>(64);
        std::thread::spawn(move || feed.iter().for_each(drop));
        let clock = || ReceiveTime(jiff::Timestamp::now().as_microsecond());
        let appender = Appender::start(journal, Box::new(clock), Limits::default(), sink)
            .expect("an appender");
        let (stop, shutdown) = watch::channel(false);
        let profiles = Arc::new(mapping::Profiles::compile(&[]).0);
        let doors = Doors {
            appender: appender.clone(),
            profiles: Arc::new(move || Arc::clone(&profiles)),
            identify: Arc::new(OpenDoor),
            clock,
            shutdown,
        };
        let bind = || async { TcpListener::bind("127.0.0.1:0").await.expect("a port") };
        let (mqtt, mllp) = (bind().await, bind().await);
        let address = |listener: &TcpListener| listener.local_addr().expect("bound").to_string();
        let (mqtt_at, mllp_at) = (address(&mqtt), address(&mllp));
        let server = MqttServer::new(MqttLimits::default(), doors.clone(), None);
        tokio::spawn(async move { server.serve(mqtt).await });
        tokio::spawn(gateway::mllp::serve(MllpConfig::default(), doors, mllp));
        Self { mqtt: mqtt_at, mllp: mllp_at, appender, _stop: stop, _folder: folder }
    }

    fn messages(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        let mut from = 0;
        loop {
            let entries = self.appender.read(from, 16 << 20).expect("readable");
            let Some(last) = entries.last() else { return messages };
            from = last.offset + 1;
            messages.extend(entries.into_iter().filter_map(|entry| match entry.event {
                Event::Message(message) => Some(message),
                _ => None,
            }));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_load_message_is_in_the_journal_once() {
    let platform = Platform::start().await;
    let load = MqttLoad {
        address: platform.mqtt.clone(),
        connections: 200,
        window: 16,
        seconds: 1.0,
        ..MqttLoad::default()
    };
    let mqtt = run_mqtt(load, |_| {}).await.expect("load runs");
    let load = MllpLoad {
        address: platform.mllp.clone(),
        connections: 8,
        window: 8,
        seconds: 1,
        ..MllpLoad::default()
    };
    let mllp = run_mllp(load, |_| {}).await.expect("load runs");
    for report in [&mqtt, &mllp] {
        println!("{}", serde_json::to_string(report).expect("JSON"));
        assert_eq!((report.broken, report.refused), (0, 0));
        assert_eq!(report.sent, report.acknowledged);
    }
    let messages = platform.messages();
    assert_eq!(messages.len() as u64, mqtt.acknowledged + mllp.acknowledged);
    assert!(messages.iter().all(|message| message.problems.is_empty()));
    let values: usize = messages.iter().map(|message| message.readings().count()).sum();
    assert_eq!(values as u64, mqtt.acknowledged + 12 * mllp.acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_cuts_leave_each_reading_once() {
    let platform = Platform::start().await;
    let faults = Faults {
        seed: 9,
        framing: Framing::Mqtt,
        cut: 0.02,
        duplicate: 0.3,
        ..Faults::default()
    };
    let proxy = Proxy::start(&platform.mqtt, faults).await.expect("proxy starts");
    let options = MqttOptions {
        address: proxy.address.clone(),
        client_id: "device".to_owned(),
        credentials: None,
        will: None,
        window: 8,
    };
    let mut link = loop {
        if let Ok(link) = MqttLink::connect(options.clone()).await {
            break link;
        }
    };
    for number in 0..500_i64 {
        let value = sim::wire::senml::Value {
            name: "MDC_ECG_HEART_RATE",
            unit: "/min",
            value: (60 + number % 40) as f64,
        };
        let time_us = 1_767_225_600_000_000 + number * 1_000_000;
        let payload = sim::wire::senml::json(time_us, &[value]);
        let mut sent = link.publish("vitalwire/device/recording", "", &payload).await;
        while sent.is_err() {
            sent = link.reconnect().await;
        }
    }
    while link.drain().await.is_err() {
        while link.reconnect().await.is_err() {}
    }
    assert!(proxy.tally.cuts.load(Ordering::Relaxed) > 0);
    assert!(proxy.tally.duplicates.load(Ordering::Relaxed) > 50);
    let messages = platform.messages();
    let distinct: HashSet<_> = messages.iter().map(|message| message.payload.clone()).collect();
    assert_eq!((distinct.len(), messages.len()), (500, 500));
}

#[tokio::test(flavor = "multi_thread")]
async fn mllp_messages_that_were_cut_are_answered_again_and_stored_once() {
    let platform = Platform::start().await;
    let faults = Faults {
        seed: 4,
        framing: Framing::Mllp,
        cut: 0.1,
        duplicate: 0.0,
        ..Faults::default()
    };
    let proxy = Proxy::start(&platform.mllp, faults).await.expect("proxy starts");
    let mut link = MllpLink::connect(&proxy.address).await.expect("proxy accepts");
    for number in 0..150_i64 {
        let control_id = format!("c{number}");
        let header = sim::wire::hl7::Header {
            application: "TEST",
            control_id: &control_id,
            time_us: 1_767_225_600_000_000 + number * 1_000_000,
            recorded: true,
        };
        let metric = vitals::Metric::by_refid("MDC_RESP_RATE").expect("in the table");
        let values = [sim::wire::hl7::Observation { metric, value: Some(15.0) }];
        let text = sim::wire::hl7::pcd01(&header, None, None, "vent-1", &values);
        let mut answer = match link.send(text.as_bytes()).await {
            Ok(()) => link.acknowledgement().await,
            Err(error) => Err(error),
        };
        while answer.is_err() {
            answer = match link.reconnect().await {
                Ok(()) => link.acknowledgement().await,
                Err(error) => Err(error),
            };
        }
        assert!(answer.expect("answered").accepted());
    }
    assert!(proxy.tally.cuts.load(Ordering::Relaxed) > 5);
    assert_eq!(platform.messages().iter().filter(|m| m.problems.is_empty()).count(), 150);
}
