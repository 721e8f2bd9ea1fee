//! Compares ways to make batches durable: this journal, the same file zero-filled ahead, and
//! SQLite with one row a batch. Then what the appender costs a draft.
//! Run with `cargo run --release -p journal --example compare`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use journal::{AckQueue, Appender, Draft, EmbeddedJournal, Encoded, Entry, Journal, Lane, Limits};
use vitals::metric::code as metric;
use vitals::{
    Content, DeviceId, Event, Measurement, Message, Origin, Protocol, Quality, Reading,
    ReceiveTime, TimeBase, Unit, Value,
};

/// One observation as a monitor sends it over MQTT.
fn observation(number: u64) -> Event {
    let payload = format!(
        "[{{\"n\":\"MDC_ECG_HEART_RATE\",\"v\":{},\"t\":{number}}}]",
        number % 99
    );
    Event::Message(Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: "vitalwire/monitor-17/measurements".to_owned(),
            sender: "monitor-17".to_owned(),
            message_id: String::new(),
            profile: "native".to_owned(),
        },
        received: ReceiveTime(number as i64),
        time_base: TimeBase::Live,
        payload: payload.into_bytes(),
        content: vec![Content::Reading(Reading {
            device: DeviceId::new("monitor-17").expect("a valid id"),
            patient: None,
            measurements: vec![Measurement {
                metric: metric::HEART_RATE,
                value: Value::Numeric((number % 99) as f64),
                unit: Unit::from_ucum("/min").expect("it is in the table"),
                device_time: None,
                quality: Quality::empty(),
                channel: 0,
            }],
        })],
        problems: Vec::new(),
    })
}

/// Processor time of this process in seconds (Linux: clock ticks of 10 ms).
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(12) + ticks(13)) / 100.0
}

/// Runs `step` for two seconds; prints commits a second and processor time a commit.
fn measure(name: &str, batch: usize, bytes: usize, mut step: impl FnMut(u64)) {
    let (started, processor) = (Instant::now(), processor_s());
    let mut commits = 0;
    while started.elapsed() < Duration::from_secs(2) {
        step(commits);
        commits += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let rate = commits as f64 / seconds;
    println!(
        "{name:<28} batch {batch:>4}: {rate:>7.0} commits/s {:>9.0} entries/s {:>6.1} MB/s  {:>5.0} µs processor a commit",
        rate * batch as f64,
        rate * bytes as f64 / 1e6,
        (processor_s() - processor) / commits as f64 * 1e6,
    );
}

fn compare(folder: &Path, batch: usize) {
    let drafts: Vec<Encoded> = (0..batch as u64)
        .map(|n| Encoded::new(&observation(n), Some(u128::from(n))).expect("it can be encoded"))
        .collect();
    let bytes: usize = drafts.iter().map(|draft| draft.bytes.len() + 21).sum();

    let mut journal =
        EmbeddedJournal::open(&folder.join(format!("own-{batch}"))).expect("it opens");
    measure("segment files", batch, bytes, |n| {
        journal
            .append(ReceiveTime(n as i64), &drafts)
            .expect("an append succeeds");
    });

    let blob = vec![7_u8; bytes + 72];
    let file = File::create(folder.join(format!("ahead-{batch}"))).expect("it opens");
    let zeros = vec![0_u8; 4 << 20];
    let (mut at, mut filled) = (0, 0);
    measure("  file, zero-filled ahead", batch, bytes, |_| {
        if at + blob.len() as u64 > filled {
            file.write_all_at(&zeros, filled).expect("a write succeeds");
            filled += zeros.len() as u64;
        }
        file.write_all_at(&blob, at).expect("a write succeeds");
        file.sync_data().expect("a sync succeeds");
        at += blob.len() as u64;
    });

    let database =
        rusqlite::Connection::open(folder.join(format!("log-{batch}.sqlite"))).expect("it opens");
    database
        .pragma_update(None, "journal_mode", "wal")
        .expect("WAL is there");
    database
        .pragma_update(None, "synchronous", "full")
        .expect("it can be set");
    database
        .execute_batch("create table log (first integer primary key, at, frame blob)")
        .expect("a table");
    measure("SQLite, one row a batch", batch, bytes, |n| {
        // The blob is made anew, as the journal makes its frame anew.
        let frame: Vec<u8> = drafts
            .iter()
            .flat_map(|draft| draft.bytes.iter().copied())
            .collect();
        database
            .prepare_cached("insert into log values (?1, ?2, ?3)")
            .and_then(|mut insert| insert.execute(rusqlite::params![n as i64, n as i64, frame]))
            .expect("an insert succeeds");
    });
}

/// Drafts a second through the appender from a number of connections, and what one costs.
fn appender(folder: &Path, connections: u64, window: u64) {
    let journal =
        EmbeddedJournal::open(&folder.join(format!("appender-{connections}"))).expect("it opens");
    let (sink, feed) = sync_channel::<Arc<[Entry]>>(64);
    let engine = std::thread::spawn(move || feed.iter().map(|batch| batch.len()).sum::<usize>());
    let clock = Box::new(|| ReceiveTime(1));
    let appender = Appender::start(journal, clock, Limits::default(), sink).expect("it starts");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let total = 1_000_000;
    let (started, processor) = (Instant::now(), processor_s());
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for connection in 0..connections {
            let appender = appender.clone();
            tasks.push(tokio::spawn(async move {
                let acks = AckQueue::new();
                let (mut sent, mut told) = (0, 0);
                let share = total / connections;
                while told < share {
                    while sent < share && sent - told < window {
                        let key = u128::from(connection << 40 | sent);
                        let event = observation(sent);
                        let draft = Draft {
                            event,
                            dedup: Some(key),
                            lane: Lane::Numeric,
                        };
                        appender
                            .enqueue(draft, sent, &acks)
                            .await
                            .expect("it is open");
                        sent += 1;
                    }
                    told += acks.wait().await.len() as u64;
                }
            }));
        }
        for task in tasks {
            task.await.expect("a connection ended");
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    let used = processor_s() - processor;
    let stats = appender.stats();
    appender.close();
    drop(appender);
    let fed = engine.join().expect("the feed ended");
    println!(
        "appender, {connections} connections × window {window}: {:.0} drafts/s, {:.2} µs processor a draft (making it included), {:.0} a commit, {fed} fed",
        total as f64 / seconds,
        used / total as f64 * 1e6,
        stats.entries as f64 / stats.commits as f64,
    );
}

fn main() {
    let folder = tempfile::tempdir_in(".").expect("a folder on the disk to be measured");
    // With an argument: only the appender.
    let short = std::env::args().len() > 1;
    for batch in [1, 16, 256, 4_096].into_iter().filter(|_| !short) {
        compare(folder.path(), batch);
    }
    let started = Instant::now();
    for number in 0..1_000_000 {
        std::hint::black_box(observation(number));
    }
    println!(
        "making an observation: {:.2} µs",
        started.elapsed().as_secs_f64()
    );
    for (connections, window) in [(1_000, 16), (10_000, 1), (50, 1)] {
        appender(folder.path(), connections, window);
    }
    if short {
        return;
    }
    let large = EmbeddedJournal::open(&folder.path().join("own-4096")).expect("it opens");
    let started = Instant::now();
    let found = large.verify().expect("nothing was altered");
    let seconds = started.elapsed().as_secs_f64();
    println!("verify: {:.0} MB/s", found.bytes as f64 / seconds / 1e6);
    let started = Instant::now();
    let (mut next, end) = (0, found.next_offset.min(1_000_000));
    while next < end {
        next += large
            .read(next, 1 << 20)
            .expect("entries can be read")
            .len() as u64;
    }
    println!(
        "read and decode: {:.0} entries/s",
        next as f64 / started.elapsed().as_secs_f64()
    );
    drop(large);
    let started = Instant::now();
    drop(EmbeddedJournal::open(&folder.path().join("own-4096")).expect("it opens"));
    println!("open: {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
}
