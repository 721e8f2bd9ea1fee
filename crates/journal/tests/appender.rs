//! The appender: order, lanes, duplicates, back-pressure, failures.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use journal::conformance::event;
use journal::faults::FaultyDisk;
use journal::{
    AckQueue, Appender, Draft, EmbeddedJournal, Entry, JournalError, Lane, Limits, Options, Outcome,
    Trouble,
};
use vitals::ReceiveTime;

fn draft(number: u64, dedup: Option<u128>, lane: Lane) -> Draft {
    Draft {
        event: event(number, 20),
        dedup,
        lane,
    }
}

fn start(disk: &FaultyDisk, limits: Limits, bound: usize) -> (Appender, Receiver<Arc<[Entry]>>) {
    let options = Options {
        segment_bytes: 64 * 1024,
        ..Options::default()
    };
    let journal =
        EmbeddedJournal::open_on(Arc::new(disk.clone()), &PathBuf::from("/journal"), options)
            .expect("the journal opens");
    let (sink, feed) = sync_channel(bound);
    let clock = AtomicI64::new(0);
    let clock = Box::new(move || ReceiveTime(clock.fetch_add(1, Ordering::Relaxed)));
    (
        Appender::start(journal, clock, limits, sink).expect("the appender starts"),
        feed,
    )
}

fn committed(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Outcome::Committed(offset) => Some(*offset),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_draft_is_told_once_and_fed_in_order() {
    let (appender, feed) = start(&FaultyDisk::new(), Limits::default(), 1_000);
    let reader = std::thread::spawn(move || {
        feed.iter()
            .flat_map(|batch| batch.to_vec())
            .collect::<Vec<Entry>>()
    });
    let mut tasks = Vec::new();
    for connection in 0..20_u64 {
        let appender = appender.clone();
        tasks.push(tokio::spawn(async move {
            let acks = AckQueue::new();
            for token in 0..500 {
                let draft = draft(connection * 1_000 + token, None, Lane::Numeric);
                appender
                    .enqueue(draft, token, &acks)
                    .await
                    .expect("the journal is open");
            }
            let mut told = Vec::new();
            while told.len() < 500 {
                told.extend(acks.wait().await);
            }
            assert!(acks.take().is_empty());
            // In the order sent, at rising offsets.
            assert!(told.iter().map(|(token, _)| *token).eq(0..500));
            let offsets: Vec<u64> = told.iter().filter_map(|(_, o)| committed(o)).collect();
            assert_eq!(offsets.len(), 500);
            assert!(offsets.is_sorted());
        }));
    }
    for task in tasks {
        task.await.expect("a connection was answered");
    }
    // Senders are told before their places are free again.
    appender.close();
    let stats = appender.stats();
    assert_eq!((stats.entries, stats.queued_bytes), (10_000, [0; journal::LANES]));
    assert!(
        stats.commits < 10_000,
        "commits are shared: {}",
        stats.commits
    );
    drop(appender);
    let entries = reader.join().expect("the feed ended");
    assert!(entries.iter().map(|entry| entry.offset).eq(0..10_000));
    assert!(entries.is_sorted_by_key(|entry| entry.at));
}

#[tokio::test]
async fn a_message_sent_again_is_written_once() {
    let disk = FaultyDisk::new();
    let limits = Limits {
        dedup_keys: 3,
        ..Limits::default()
    };
    let send = async |appender: &Appender, key: u128| {
        let draft = draft(key as u64, Some(key), Lane::Numeric);
        match appender.append(draft).await.expect("the journal is open") {
            Outcome::Committed(offset) => (true, offset),
            Outcome::Duplicate(offset) => (false, offset),
            Outcome::Failed(error) => panic!("{error}"),
        }
    };
    let (appender, feed) = start(&disk, limits.clone(), 100);
    assert_eq!(send(&appender, 1).await, (true, 0));
    assert_eq!(send(&appender, 1).await, (false, 0));
    assert_eq!(send(&appender, 2).await, (true, 1));
    appender.close();
    drop((appender, feed));
    // The window is there again after a restart, and forgets the oldest.
    let (appender, _feed) = start(&disk, limits, 100);
    assert_eq!(send(&appender, 2).await, (false, 1));
    assert_eq!(send(&appender, 3).await, (true, 2));
    assert_eq!(send(&appender, 1).await, (false, 0));
    assert_eq!(send(&appender, 4).await, (true, 3));
    assert_eq!(send(&appender, 1).await, (true, 4));
    assert_eq!(appender.stats().duplicates, 2);
}

#[tokio::test]
async fn a_failed_write_is_told_and_forgotten() {
    let disk = FaultyDisk::new();
    let (appender, _feed) = start(&disk, Limits::default(), 100);
    let send = async || {
        appender
            .append(draft(1, Some(1), Lane::Numeric))
            .await
            .expect("the journal is open")
    };
    disk.set_capacity(Some(10));
    for _ in 0..2 {
        let outcome = send().await;
        let full =
            matches!(&outcome, Outcome::Failed(e) if matches!(**e, JournalError::DiskFull { .. }));
        assert!(full, "{outcome:?}");
        assert_eq!(appender.stats().trouble, Some(Trouble::DiskFull));
    }
    disk.set_capacity(None);
    assert_eq!(committed(&send().await), Some(0));
    assert_eq!((appender.stats().failed, appender.stats().trouble), (2, None));
}

#[tokio::test]
async fn du_1_behind_a_failure_a_connection_writes_nothing_more() {
    let disk = FaultyDisk::new();
    let (appender, _feed) = start(&disk, Limits::default(), 100);
    let (broken, other) = (AckQueue::in_order(), AckQueue::in_order());
    let send = async |number: u64, acks: &Arc<AckQueue>| {
        appender.enqueue(draft(number, None, Lane::Numeric), number, acks).await.expect("it is open");
        let mut told = acks.wait().await;
        assert_eq!(told.len(), 1);
        told.remove(0).1
    };
    disk.set_capacity(Some(10));
    assert!(matches!(send(0, &broken).await, Outcome::Failed(_)));
    // There is room again, and what the same connection had sent meanwhile would come before what it sends again.
    disk.set_capacity(None);
    let behind = send(1, &broken).await;
    assert!(matches!(&behind, Outcome::Failed(error) if matches!(**error, JournalError::Behind)), "{behind:?}");
    assert_eq!(committed(&send(0, &other).await), Some(0));
    assert_eq!(committed(&send(1, &other).await), Some(1));
}

#[tokio::test]
async fn a_full_feed_slows_senders_and_urgent_goes_first() {
    let limits = Limits {
        waveform_bytes: 4_000,
        batch_bytes: 1,
        linger: Duration::ZERO,
        ..Limits::default()
    };
    let (appender, feed) = start(&FaultyDisk::new(), limits, 1);
    let acks = AckQueue::new();
    // Nobody reads the feed: the lane fills, then the sender waits.
    let mut sent = 0;
    while sent < 1_000 {
        let draft = draft(sent, None, Lane::Waveform);
        let waits = appender.enqueue(draft, sent, &acks);
        if tokio::time::timeout(Duration::from_millis(200), waits)
            .await
            .is_err()
        {
            break;
        }
        sent += 1;
    }
    assert!((5..100).contains(&sent), "{sent}");
    let stats = appender.stats();
    assert!(stats.queued_bytes[Lane::Waveform as usize] <= 4_000, "{:?}", stats.queued_bytes);
    // The other lanes still have room, and go before what waits.
    let later = [(5_002, Lane::Numeric), (5_001, Lane::Steady), (5_000, Lane::Urgent)];
    for (number, lane) in later {
        appender
            .enqueue(draft(number, None, lane), number, &acks)
            .await
            .expect("it is open");
    }
    let mut told = Vec::new();
    while told.len() < sent as usize + 3 {
        let _ = feed.recv_timeout(Duration::from_millis(1));
        told.extend(acks.take().into_iter().map(|(token, _)| token));
    }
    let place = |token| told.iter().position(|t| *t == token).expect("it was told");
    assert!(place(5_000) < place(5_001));
    assert!(place(5_001) < place(5_002));
    assert!(place(5_002) < place(sent - 1));
}

#[tokio::test]
async fn many_at_once_keep_their_order_and_their_bound() {
    let limits = Limits { numeric_bytes: 2_000, ..Limits::default() };
    let (appender, feed) = start(&FaultyDisk::new(), limits, 100);
    let acks = AckQueue::new();
    for burst in 0..20 {
        let numbers = burst * 40..(burst + 1) * 40;
        let drafts = numbers.map(|n| (draft(n, None, Lane::Numeric), n)).collect();
        appender.enqueue_all(drafts, &acks).await.expect("it is open");
        assert!(appender.stats().queued_bytes[Lane::Numeric as usize] <= 2_000);
    }
    appender.close();
    let told: Vec<u64> = acks.take().into_iter().map(|(token, _)| token).collect();
    assert_eq!(told, (0..800).collect::<Vec<_>>());
    assert_eq!(feed.iter().map(|batch| batch.len()).sum::<usize>(), 800);
    assert_eq!(appender.stats().queued_bytes, [0; journal::LANES]);
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_takes_no_more() {
    let (appender, feed) = start(&FaultyDisk::new(), Limits::default(), 100);
    let acks = AckQueue::new();
    for token in 0..50 {
        appender
            .enqueue(draft(token, None, Lane::Numeric), token, &acks)
            .await
            .expect("open");
    }
    appender.close();
    let told = acks.take();
    assert_eq!(told.iter().filter_map(|(_, o)| committed(o)).count(), 50);
    assert!(appender.append(draft(1, None, Lane::Urgent)).await.is_err());
    assert_eq!(feed.iter().map(|batch| batch.len()).sum::<usize>(), 50);
    assert_eq!(appender.read(49, 1).expect("entries can be read").len(), 1);
}

#[tokio::test]
async fn retention_keeps_what_was_not_processed() {
    let retention = journal::Retention {
        min_age_us: -1_000_000,
        min_bytes: 0,
        max_bytes: u64::MAX,
    };
    let limits = Limits {
        retention,
        ..Limits::default()
    };
    let (appender, feed) = start(&FaultyDisk::new(), limits, 10_000);
    let send = async |number| {
        let draft = Draft {
            event: event(number, 3_000),
            dedup: None,
            lane: Lane::Numeric,
        };
        appender.append(draft).await.expect("the journal is open");
    };
    for number in 0..100 {
        send(number).await;
    }
    assert_eq!(appender.first_offset(), 0);
    appender.processed(60);
    send(100).await;
    send(101).await;
    let first = appender.first_offset();
    assert!((30..=60).contains(&first), "{first}");
    assert!(matches!(
        appender.read(0, 1),
        Err(JournalError::Gone { .. })
    ));
    assert_eq!(
        appender.verify().expect("nothing was altered").next_offset,
        102
    );
    drop(feed);
}
