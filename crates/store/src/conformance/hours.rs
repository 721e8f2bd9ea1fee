//! What is kept of the alerts of an hour is there exactly as long as none of them changes.

use std::path::Path;

use vitals::time::HOUR;
use vitals::{DeviceId, EpisodeId, PatientId, ReceiveTime};

use super::records::alert;
use crate::{AlertEventRow, AlertHour, Commit, Erasure, Reader, RecordExpiry, Span, Store};

const FORMAT: u8 = 7;

fn commit(store: &mut impl Store, commit: Commit) {
    store.commit(&commit).expect("a commit succeeds");
}

fn raised(offset: u64, patient: &str, hour: i64) -> Commit {
    let mut row = alert(offset, patient, 2, false);
    (row.raised, row.changed) = (ReceiveTime(hour * HOUR + 1), ReceiveTime(hour * HOUR + 2));
    Commit { alerts: vec![row], ..Commit::default() }
}

fn judged(offset: u64) -> Commit {
    let event = AlertEventRow {
        episode: EpisodeId { offset, index: 1 },
        offset: offset + 100,
        index: 0,
        at: ReceiveTime(9 * HOUR),
        kind: "judged".to_owned(),
        actor: "anna".to_owned(),
        body: b"{}".to_vec(),
    };
    Commit { alert_events: vec![event], ..Commit::default() }
}

fn all(reader: &Reader) -> Vec<AlertHour> {
    reader.alert_hours(Span::ALL).expect("hours can be read")
}

fn kept(reader: &Reader) -> Vec<i64> {
    all(reader).into_iter().filter(|one| one.body.is_some()).map(|one| one.hour).collect()
}

fn keep(store: &impl Store, hours: Vec<AlertHour>) {
    let with_body = |one| AlertHour { body: Some(vec![FORMAT, 1]), ..one };
    let hours: Vec<AlertHour> = hours.into_iter().map(with_body).collect();
    store.side().keep_alert_hours(&hours).expect("hours can be kept");
}

pub(super) fn kept_until_something_changes<S: Store>(folder: &Path, make: &impl Fn(&Path) -> S) {
    let mut store = make(folder);
    for (offset, patient, hour) in [(1, "a", 3), (2, "b", 4), (3, "a", 5)] {
        commit(&mut store, raised(offset, patient, hour));
    }
    let reader = store.reader();
    assert_eq!(all(&reader).iter().map(|one| one.hour).collect::<Vec<_>>(), [5, 4, 3], "newest first");
    let span = Span { from: Some(4 * HOUR + 5), to: Some(5 * HOUR) };
    assert_eq!(reader.alert_hours(span).expect("hours can be read").len(), 1, "those that the span touches");

    // What was read before a change is not kept after it.
    let before = all(&reader);
    commit(&mut store, judged(2));
    keep(&store, before);
    assert_eq!(kept(&reader), [5, 3]);
    let without = |format, before| reader.alert_hours_without(format, before).expect("hours can be read").len();
    assert_eq!((without(FORMAT, 9), without(FORMAT + 1, 9), without(FORMAT, 4)), (1, 3, 0));

    // Each change empties its hour and no other: said anew, judged, raised later in the same hour.
    keep(&store, all(&reader));
    assert_eq!(kept(&reader), [5, 4, 3]);
    commit(&mut store, raised(1, "a", 3));
    assert_eq!(kept(&reader), [5, 4]);
    commit(&mut store, judged(3));
    assert_eq!(kept(&reader), [4]);
    commit(&mut store, raised(4, "b", 4));
    assert_eq!(kept(&reader), [0_i64; 0]);

    // Retention removes what ended before the fourth hour.
    keep(&store, all(&reader));
    drop((reader, store));
    let mut store = make(folder);
    let reader = store.reader();
    assert_eq!(kept(&reader), [5, 4, 3], "through a restart");
    let never = ReceiveTime(i64::MIN);
    let expiry = RecordExpiry { alerts_before: ReceiveTime(4 * HOUR), quarantine_before: never, directory_before: never, rows_max: 100 };
    assert_eq!(store.expire_records(&expiry).expect("retention runs").alerts, 1);
    assert_eq!(kept(&reader), [5, 4]);

    // An erasure empties all: somebody may be named in any.
    let erasure = Erasure {
        offset: 50,
        patient: PatientId::new("a").expect("an id"),
        records: vec![PatientId::new("a").expect("an id")],
        devices: Vec::<DeviceId>::new(),
        by: "root".to_owned(),
        reason: String::new(),
        at: ReceiveTime(9 * HOUR),
        words: Vec::new(),
    };
    commit(&mut store, Commit { checkpoint: 51, erasures: vec![erasure], ..Commit::default() });
    assert_eq!(kept(&reader), [0_i64; 0]);
    assert_eq!(reader.alerts(&crate::AlertQuery::default()).expect("alerts can be read").total, 2, "those of b");
}
