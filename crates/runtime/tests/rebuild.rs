//! Store and engine state follow from the journal (EN-1), also where the state has to be made anew,
//! and receivers hear of an episode once at its start and once at its end (AL-4).

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use journal::{Appender, EmbeddedJournal, Encoded, Journal, Limits};
use live::Live;
use runtime::{Compared, Options, Recovered, Retention, Runtime, Webhook, rebuild, rebuild_and_compare};
use store::{AlertQuery, Commit, SeriesFilter, SqliteStore, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use vitals::metric::code::{HEART_RATE, RESP_RATE, SPO2};
use vitals::time::SECOND;
use vitals::{
    Action, Actor, Content, DeviceId, DeviceTime, Event, Measurement, Message, MetricCode, Origin,
    PatientId, Protocol, Quality, Rate, Reading, ReceiveTime, Role, SampleArray, TimeBase, Unit, Value,
};

/// Second 0 of the journals: nothing of our own clock gets into them.
const BEGIN: i64 = 1_767_225_600;

fn now() -> ReceiveTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    ReceiveTime(since.map_or(0, |since| since.as_micros() as i64))
}

fn patient() -> PatientId {
    PatientId::from_identifier("urn:mrn", "a")
}

fn event(second: i64, rate: f64) -> Event {
    let at = (BEGIN + second) * SECOND;
    let values = [(HEART_RATE, rate), (SPO2, 97.0), (RESP_RATE, 15.0)];
    let measurements = values.into_iter().map(|(metric, value)| Measurement {
        metric,
        value: Value::Numeric(value),
        unit: Unit::MMHG,
        device_time: Some(DeviceTime(at)),
        quality: Quality::empty(),
        channel: 0,
    });
    let device = DeviceId::sanitised("m");
    // A waveform beside them, which the store keeps in blocks.
    let rate_hz = Rate::new(125, 2).expect("not 0");
    let first = rate_hz.index_at(second * SECOND);
    let samples = (first..rate_hz.index_at((second + 1) * SECOND)).map(|n| (n * 7 % 50) as f64).collect();
    let wave = Measurement {
        metric: MetricCode(150_452),
        value: Value::SampleArray(SampleArray::from_values(rate_hz, samples)),
        unit: Unit::NONE,
        device_time: Some(DeviceTime(BEGIN * SECOND + rate_hz.micros(first))),
        quality: Quality::empty(),
        channel: 0,
    };
    let measurements = measurements.chain([wave]).collect();
    let reading = Reading { device, patient: None, measurements };
    Event::Message(Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: "vitalwire/m/measurements".into(),
            sender: "m".into(),
            message_id: String::new(),
            profile: "native".into(),
        },
        received: ReceiveTime(at),
        time_base: TimeBase::Live,
        payload: vec![7],
        content: vec![Content::Reading(reading)],
        problems: Vec::new(),
    })
}

/// Writes seconds `from..to` into the journal of a folder: ill between 60 and 200, well around.
fn write(folder: &Path, from: i64, to: i64) {
    let mut journal = EmbeddedJournal::open(&folder.join("journal")).expect("a journal");
    let mut append = |second: i64, event: &Event| {
        let encoded = Encoded::new(event, None).expect("encodable");
        journal.append(ReceiveTime((BEGIN + second) * SECOND), &[encoded]).expect("written");
    };
    if from == 0 {
        let actor = Actor { name: "kim".into(), role: Role::Nurse };
        let device = DeviceId::sanitised("m");
        append(0, &Event::Action(actor, Action::Associate { device, patient: patient(), since: None }));
    }
    for second in from + 1..=to {
        let ill = (second - 60).clamp(0, 4).min((200 - second).clamp(0, 4)) as f64;
        append(second, &event(second, 78.0 + 17.0 * ill));
        append(second, &Event::Tick);
    }
}

/// Runs the platform's engine on a folder until everything is in the store.
async fn run(folder: &Path, webhooks: Vec<Webhook>, wait: impl AsyncFnOnce()) -> (Recovered, Live) {
    let journal = EmbeddedJournal::open(&folder.join("journal")).expect("a journal");
    let (sink, feed) = sync_channel(64);
    let appender = Appender::start(journal, Box::new(now), Limits::default(), sink).expect("started");
    let store = SqliteStore::open(&folder.join("store.db")).expect("a store");
    let live = Live::new(1);
    // No ticks of our own: the journal stays what the test wrote.
    // The journal's time is long ago: nothing is too old here.
    let retention = Retention::FOR_EVER;
    let tick_every = Duration::from_secs(86_400);
    let outgoing = outgoing::Client::plain().ok();
    let options = Options { webhooks, outgoing, tick_every, retention, ..Options::default() };
    let (taken, seen) = (appender.clone(), live.clone());
    let runtime = Runtime::start(taken, feed, Box::new(store), seen, now, options).expect("started");
    let recovered = runtime.recovered;
    wait().await;
    appender.close();
    tokio::task::spawn_blocking(move || runtime.stop()).await.expect("stopped");
    (recovered, live)
}

fn compare(folder: &Path) -> (String, Compared) {
    let journal = EmbeddedJournal::open(&folder.join("journal")).expect("a journal");
    let store = SqliteStore::open(&folder.join("store.db")).expect("a store");
    let mut told = String::new();
    let (rebuilt, compared) = rebuild_and_compare(Journal::reader(&journal).as_ref(), &engine::Models::default(), &store.reader(), |at, alert| {
        told.push_str(&format!("{at} {alert:?}\n"));
    })
    .expect("readable");
    let mut again = String::new();
    let second = rebuild(Journal::reader(&journal).as_ref(), &engine::Models::default(), |at, alert| {
        again.push_str(&format!("{at} {alert:?}\n"));
    })
    .expect("readable");
    assert_eq!((&told, &rebuilt), (&again, &second), "EN-1: twice the same");
    (told, compared)
}

/// Samples in the store, over all series.
fn samples(folder: &Path) -> u64 {
    let store = SqliteStore::open(&folder.join("store.db")).expect("a store");
    let reader = store.reader();
    let all = reader.series(&SeriesFilter::default()).expect("readable");
    all.iter().filter_map(|series| reader.wave_extent(series.id).expect("readable")).map(|e| e.samples).sum()
}

/// Samples sent up to a second.
fn taken(to: i64) -> u64 {
    let rate = Rate::new(125, 2).expect("not 0");
    rate.index_at((to + 1) * SECOND) - rate.index_at(SECOND)
}

fn alerts(folder: &Path, open: bool) -> u64 {
    let store = SqliteStore::open(&folder.join("store.db")).expect("a store");
    let query = AlertQuery { open: Some(open), ..AlertQuery::default() };
    store.reader().alerts(&query).expect("readable").total
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en_1_a_store_is_what_its_journal_concludes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (from, to) in [(0, 90), (90, 91), (91, 360)] {
        write(folder.path(), from, to);
        let (recovered, _) = run(folder.path(), Vec::new(), async || {}).await;
        assert_eq!(recovered.rebuilt_from, None);
        let (told, compared) = compare(folder.path());
        assert!(matches!(compared, Compared::Equal { .. }), "{compared:?}");
        assert_eq!(told.matches("kind: Raised").count(), 1);
        assert_eq!(samples(folder.path()), taken(to), "every sample once");
    }
    assert_eq!((alerts(folder.path(), true), alerts(folder.path(), false)), (0, 1));
    // A store that says something else is found out.
    let mut store = SqliteStore::open(&folder.path().join("store.db")).expect("a store");
    let reader = store.reader();
    let row = reader.alerts(&AlertQuery::default()).expect("readable").rows.remove(0);
    let checkpoint = reader.checkpoint().expect("readable");
    let changed = store::AlertRow { body: b"{}".to_vec(), ..row };
    let commit = Commit { checkpoint, alerts: vec![changed], ..Commit::default() };
    store.commit(&commit).expect("stored");
    drop((store, reader));
    let (_, compared) = compare(folder.path());
    assert!(matches!(&compared, Compared::Differs(what) if what.starts_with("alert e")), "{compared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn en_1_state_that_cannot_be_read_is_made_anew_and_the_alert_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), 0, 120);
    run(folder.path(), Vec::new(), async || {}).await;
    assert_eq!(alerts(folder.path(), true), 1);
    // As if another version had written it.
    let mut store = SqliteStore::open(&folder.path().join("store.db")).expect("a store");
    let reader = store.reader();
    let checkpoint = reader.checkpoint().expect("readable");
    let parts = vec![("world".to_owned(), vec![99, 1].into()), ("patient/gone".to_owned(), vec![99].into())];
    store.commit(&Commit { checkpoint, engine_state: parts, ..Commit::default() }).expect("stored");
    drop((store, reader));
    write(folder.path(), 120, 130);
    let (recovered, live) = run(folder.path(), Vec::new(), async || {}).await;
    assert_eq!(recovered.rebuilt_from, Some(0));
    assert!(live.notices().iter().any(|text| text.contains("made anew from all")), "{:?}", live.notices());
    assert_eq!((alerts(folder.path(), true), alerts(folder.path(), false)), (1, 0), "the same alert");
    let (_, compared) = compare(folder.path());
    assert!(matches!(compared, Compared::Equal { .. }), "{compared:?}");
    write(folder.path(), 130, 360);
    let (recovered, live) = run(folder.path(), Vec::new(), async || {}).await;
    assert_eq!((recovered.rebuilt_from, live.notices().len()), (None, 0));
    assert_eq!((alerts(folder.path(), true), alerts(folder.path(), false)), (0, 1));
    assert_eq!(samples(folder.path()), taken(360), "every sample once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn al_4_a_receiver_hears_once_of_the_start_and_once_of_the_end_whatever_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let authority = listener.local_addr().expect("bound").to_string();
    let hook = Webhook {
        name: "pager".into(),
        address: outgoing::Address::parse(&format!("http://{authority}/hook")).expect("an address"),
        secret: "secret".into(),
        roles: Vec::new(),
        priority: alert::Priority::Medium,
    };
    let heard: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let taking = Arc::clone(&heard);
    let server = tokio::spawn(async move {
        let mut asked = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = vec![0; 8_192];
            let mut length = 0;
            // One small request: the body ends with the object's brace.
            while !text[..length].ends_with(b"}") {
                match stream.read(&mut text[length..]).await {
                    Ok(read) if read > 0 => length += read,
                    _ => break,
                }
            }
            // A connection that was given up while the platform stopped.
            if length == 0 {
                continue;
            }
            asked += 1;
            let text = String::from_utf8_lossy(&text[..length]).into_owned();
            assert!(text.contains("Vitalwire-Signature: t="), "signed");
            // The first try is refused: it comes again.
            let status = if asked == 1 { "503 Later" } else { "204 Taken" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            if asked > 1 {
                taking.lock().expect("not poisoned").push(text);
            }
        }
    });
    let enough = |events: usize| {
        let heard = Arc::clone(&heard);
        async move || {
            for _ in 0..600 {
                if heard.lock().expect("not poisoned").len() >= events {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    write(folder.path(), 0, 120);
    run(folder.path(), vec![hook.clone()], enough(1)).await;
    write(folder.path(), 120, 121);
    run(folder.path(), vec![hook.clone()], async || {}).await;
    write(folder.path(), 121, 360);
    run(folder.path(), vec![hook], enough(2)).await;
    server.abort();
    let heard = heard.lock().expect("not poisoned");
    let event = |text: &String| {
        ["alert.started", "alert.ended"].into_iter().find(|name| text.contains(name))
    };
    assert_eq!(heard.iter().filter_map(event).collect::<Vec<_>>(), ["alert.started", "alert.ended"], "{heard:#?}");
}
