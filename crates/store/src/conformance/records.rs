//! Checkpoint, state, alerts, quarantine, documents, outbox and settings.

use std::path::Path;

use vitals::{EpisodeId, PatientId, ProblemKind, ReceiveTime};

use super::point;
use crate::{
    AlertEventRow, AlertQuery, AlertRow, Commit, DocumentQuery, DocumentRow, KvRow, OutboxRow,
    QuarantineQuery, QuarantineRow, QuarantineStatus, Span, Store, StoreError,
};

/// All of a commit is there afterwards, or nothing of it.
pub(super) fn checkpoints_and_state<S: Store>(folder: &Path, make: &impl Fn(&Path) -> S) {
    let mut store = make(folder);
    assert_eq!(
        store
            .reader()
            .checkpoint()
            .expect("the checkpoint can be read"),
        0
    );
    let state = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec().into());
    let commit = Commit {
        checkpoint: 10,
        engine_state: vec![state("a", b"1"), state("b", b"2")],
        counters: vec![("late".to_owned(), 3)],
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let next = Commit {
        checkpoint: 12,
        engine_state: vec![state("a", b""), state("b", b"3")],
        counters: vec![("late".to_owned(), 4)],
        ..Commit::default()
    };
    store.commit(&next).expect("a commit succeeds");
    let back = Commit {
        checkpoint: 11,
        points: vec![(vitals::SeriesId(1), vec![point(1, 1.0, 1)])],
        ..Commit::default()
    };
    assert!(matches!(
        store.commit(&back),
        Err(StoreError::Backwards {
            stored: 12,
            offered: 11
        })
    ));
    drop(store);
    let reader = make(folder).reader();
    assert_eq!(reader.checkpoint().expect("the checkpoint can be read"), 12);
    assert_eq!(
        reader.engine_state().expect("state can be read"),
        [("b".to_owned(), b"3".to_vec())]
    );
    assert_eq!(
        reader.counters().expect("counters can be read"),
        [("late".to_owned(), 4)]
    );
    let points = reader
        .points(vitals::SeriesId(1), Span::ALL)
        .expect("points can be read");
    assert!(points.is_empty(), "a refused commit leaves nothing");
}

pub(super) fn alert(offset: u64, patient: &str, priority: u8, open: bool) -> AlertRow {
    AlertRow {
        episode: EpisodeId { offset, index: 1 },
        patient: Some(PatientId::new(patient).expect("a valid id")),
        device: None,
        unit: "ICU".to_owned(),
        condition: "news2-high".to_owned(),
        priority,
        state: if open { "raised" } else { "resolved" }.to_owned(),
        open,
        raised: ReceiveTime(offset as i64),
        changed: ReceiveTime(offset as i64 + 5),
        body: b"{}".to_vec(),
    }
}

pub(super) fn event(episode: EpisodeId, kind: &str) -> AlertEventRow {
    AlertEventRow {
        episode,
        offset: episode.offset,
        index: 0,
        at: ReceiveTime(episode.offset as i64),
        kind: kind.to_owned(),
        actor: "system".to_owned(),
        body: b"{}".to_vec(),
    }
}

/// A message received in the microsecond of its entry.
pub(super) fn quarantined(offset: u64, sender: &str, payload: &[u8]) -> QuarantineRow {
    QuarantineRow {
        offset,
        received: ReceiveTime(offset as i64),
        protocol: "mqtt".to_owned(),
        address: "ward/Scale".to_owned(),
        sender: sender.to_owned(),
        profile: String::new(),
        kinds: vec![ProblemKind::Unmatched],
        status: QuarantineStatus::New,
        resolution: Vec::new(),
        problems: b"[]".to_vec(),
        payload: payload.to_vec(),
    }
}

/// An alert is one row however often it changes; its events are kept in order.
pub(super) fn alerts_and_events(store: &mut impl Store) {
    let rows = [
        alert(1, "p1", 3, true),
        alert(2, "p2", 2, true),
        alert(3, "p1", 1, false),
    ];
    let mut before = rows[2].clone();
    before.state = "raised".to_owned();
    before.open = true;
    let event = |offset, index, kind: &str| AlertEventRow {
        episode: rows[0].episode,
        offset,
        index,
        at: ReceiveTime(offset as i64),
        kind: kind.to_owned(),
        actor: "system".to_owned(),
        body: b"{}".to_vec(),
    };
    let events = vec![
        event(9, 1, "worsened"),
        event(9, 0, "acknowledged"),
        event(1, 0, "raised"),
    ];
    let mut alerts = vec![before];
    alerts.extend(rows.iter().cloned());
    let commit = Commit {
        alerts,
        alert_events: events.clone(),
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let check = |query: AlertQuery, expected: &[&AlertRow]| {
        let found = reader.alerts(&query).expect("alerts can be read");
        assert_eq!(found.rows.iter().collect::<Vec<_>>(), expected, "{query:?}");
        assert_eq!(found.total, expected.len() as u64);
    };
    let any = AlertQuery::default;
    check(any(), &[&rows[2], &rows[1], &rows[0]]);
    check(
        AlertQuery {
            open: Some(true),
            urgent_first: true,
            ..any()
        },
        &[&rows[0], &rows[1]],
    );
    check(
        AlertQuery {
            patient: rows[0].patient.clone(),
            ..any()
        },
        &[&rows[2], &rows[0]],
    );
    check(
        AlertQuery {
            states: vec!["resolved".into()],
            ..any()
        },
        &[&rows[2]],
    );
    check(
        AlertQuery {
            priority_min: 2,
            ..any()
        },
        &[&rows[1], &rows[0]],
    );
    check(
        AlertQuery {
            unit: Some("ward".into()),
            ..any()
        },
        &[],
    );
    let early = Span {
        from: None,
        to: Some(2),
    };
    check(
        AlertQuery {
            raised: early,
            ..any()
        },
        &[&rows[0]],
    );
    assert_eq!(
        reader.alert(rows[1].episode).expect("an alert can be read"),
        Some(rows[1].clone())
    );
    let kept = reader
        .alert_events(rows[0].episode)
        .expect("events can be read");
    assert_eq!(kept, events.into_iter().rev().collect::<Vec<_>>());
    let of_several = [rows[1].episode, rows[0].episode];
    assert_eq!(
        reader.alert_histories(&of_several).expect("histories can be read"),
        [reader.alert_events(rows[1].episode).expect("events can be read"), kept]
    );
}

/// Whole, with the reason, and once dealt with still there (DU-2).
pub(super) fn quarantine(store: &mut impl Store) {
    let row = QuarantineRow {
        offset: 7,
        received: ReceiveTime(70),
        protocol: "mqtt".to_owned(),
        address: "ward/Scale".to_owned(),
        sender: "c1".to_owned(),
        profile: String::new(),
        kinds: vec![ProblemKind::Unmatched, ProblemKind::BadTime],
        status: QuarantineStatus::New,
        resolution: Vec::new(),
        problems: b"[]".to_vec(),
        payload: vec![0, 255, 1],
    };
    let later = QuarantineRow {
        offset: 8,
        kinds: vec![ProblemKind::Syntax],
        ..row.clone()
    };
    let rows = vec![row.clone(), later.clone()];
    store
        .commit(&Commit {
            quarantine: rows,
            ..Commit::default()
        })
        .expect("a commit succeeds");
    let dealt = QuarantineRow {
        status: QuarantineStatus::Released,
        resolution: b"{}".to_vec(),
        payload: Vec::new(),
        ..row.clone()
    };
    let change = Commit {
        quarantine: vec![dealt.clone()],
        ..Commit::default()
    };
    store.commit(&change).expect("a commit succeeds");
    let reader = store.reader();
    let offsets = |query: QuarantineQuery| {
        let found = reader.quarantine(&query).expect("quarantine can be read");
        assert!(found.rows.iter().all(|row| row.payload.is_empty()));
        found.rows.iter().map(|row| row.offset).collect::<Vec<_>>()
    };
    let any = QuarantineQuery::default;
    assert_eq!(offsets(any()), [8, 7]);
    assert_eq!(
        offsets(QuarantineQuery {
            status: Some(QuarantineStatus::New),
            ..any()
        }),
        [8]
    );
    assert_eq!(
        offsets(QuarantineQuery {
            kind: Some(ProblemKind::BadTime),
            ..any()
        }),
        [7]
    );
    assert_eq!(
        offsets(QuarantineQuery {
            text: Some("scale".into()),
            ..any()
        }),
        [8, 7]
    );
    assert_eq!(
        offsets(QuarantineQuery {
            protocol: Some("mllp".into()),
            ..any()
        }),
        [0_u64; 0]
    );
    let kinds = |status| reader.quarantine_kinds(status).expect("quarantine can be read");
    assert_eq!(kinds(QuarantineStatus::New), [(ProblemKind::Syntax, 1)]);
    let released = [(ProblemKind::Unmatched, 1), (ProblemKind::BadTime, 1)];
    assert_eq!(kinds(QuarantineStatus::Released), released);
    let item = reader.quarantine_item(7).expect("an item can be read");
    assert_eq!(
        item,
        Some(QuarantineRow {
            payload: row.payload,
            ..dealt
        })
    );
}

/// Versions, tokens, deletion.
pub(super) fn documents(store: &mut impl Store) {
    let document = |version, body: &str, token: &str| DocumentRow {
        kind: "Observation".to_owned(),
        id: "o1".to_owned(),
        version,
        updated: ReceiveTime(version as i64),
        body: body.as_bytes().to_vec(),
        tokens: vec![("code".to_owned(), token.to_owned())],
    };
    let put = |store: &mut dyn Store, row: DocumentRow| {
        store
            .commit(&Commit {
                documents: vec![row],
                ..Commit::default()
            })
            .expect("a commit succeeds");
    };
    put(store, document(1, "{1}", "x|1"));
    put(store, document(2, "{2}", "x|2"));
    let reader = store.reader();
    let find = |token: &str| {
        let tokens = vec![("code".to_owned(), token.to_owned())];
        let query = DocumentQuery {
            kind: "Observation".into(),
            tokens,
            ..DocumentQuery::default()
        };
        reader
            .documents(&query)
            .expect("documents can be read")
            .total
    };
    assert_eq!((find("x|1"), find("x|2")), (0, 1));
    let latest = reader
        .document("Observation", "o1")
        .expect("a document can be read");
    assert_eq!(latest, Some(document(2, "{2}", "x|2")));
    put(store, document(3, "", "x|2"));
    assert_eq!(find("x|2"), 0);
    let history = reader
        .document_history("Observation", "o1")
        .expect("history can be read");
    assert_eq!(
        history.iter().map(|row| row.version).collect::<Vec<_>>(),
        [3, 2, 1]
    );
    assert_eq!(
        reader
            .document("Observation", "o2")
            .expect("a document can be read"),
        None
    );
}

/// Notifications wait until they are delivered; settings are set and removed.
pub(super) fn outbox_and_settings(store: &mut impl Store) {
    let row = |id: &str, next_at| OutboxRow {
        id: id.to_owned(),
        target: "pager".to_owned(),
        body: b"{}".to_vec(),
        created: ReceiveTime(1),
        attempts: 0,
        next_at: ReceiveTime(next_at),
        last_error: String::new(),
    };
    let commit = Commit {
        outbox: vec![row("n1", 5), row("n2", 50), row("n1", 7)],
        kv: vec![KvRow {
            bucket: "s".into(),
            key: "k".into(),
            value: Some(vec![1]),
        }],
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let (reader, side) = (store.reader(), store.side());
    let due = |now| {
        let rows = reader
            .outbox_due(ReceiveTime(now), 10)
            .expect("the outbox can be read");
        rows.into_iter()
            .map(|row| (row.id, row.attempts))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(5), [("n1".to_owned(), 0)]);
    side.outbox_retry("n1", 1, ReceiveTime(60), "refused")
        .expect("a retry is kept");
    assert_eq!(due(50), [("n2".to_owned(), 0)]);
    side.outbox_done("n2").expect("a delivery is kept");
    assert_eq!(due(60), [("n1".to_owned(), 1)]);
    assert_eq!(reader.outbox_len().expect("the outbox can be read"), 1);

    assert_eq!(
        reader.kv("s", "k").expect("settings can be read"),
        Some(vec![1])
    );
    let rows = [
        KvRow {
            bucket: "s".into(),
            key: "k".into(),
            value: None,
        },
        KvRow {
            bucket: "s".into(),
            key: "l".into(),
            value: Some(vec![2]),
        },
    ];
    side.put(&rows).expect("settings can be written");
    assert_eq!(reader.kv("s", "k").expect("settings can be read"), None);
    assert_eq!(
        reader.kv_all("s").expect("settings can be read"),
        [("l".to_owned(), vec![2])]
    );
    assert!(reader.kv_all("t").expect("settings can be read").is_empty());
}
