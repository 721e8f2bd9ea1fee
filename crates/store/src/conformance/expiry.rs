//! Retention: what is old goes and is counted; what a hold or an alert touches stays.

use vitals::{DeviceId, EffectiveTime, Hold, Offset, Patient, PatientId, ReceiveTime, SeriesId};

use super::points::key;
use super::waves::run;
use super::{directory, point, records};
use crate::{
    AlertQuery, AlertRow, Commit, DirectoryKind, DirectoryRow, Expired, ExpiredRecords, Expiry, Page,
    PatientRow,
    RecordExpiry, Span, Store, WaveStrip,
};

const SECOND: i64 = 1_000_000;
const A: SeriesId = SeriesId(1);
const B: SeriesId = SeriesId(2);
const C: SeriesId = SeriesId(3);
/// All samples are of the time before.
const END: i64 = 3_600 * SECOND;

/// Steps of few series and blocks, until nothing more goes.
fn expire(store: &mut impl Store, before: i64) -> Expired {
    let before = EffectiveTime(before);
    let step = Expiry { waves_before: before, points_before: before, series_max: 2, blocks_max: 3 };
    let (mut all, mut idle) = (Expired::default(), 0);
    while idle < 4 {
        let expired = store.expire(&step).expect("a step succeeds");
        idle = if expired.is_empty() { idle + 1 } else { 0 };
        all.wave_blocks += expired.wave_blocks;
        all.samples += expired.samples;
        all.point_blocks += expired.point_blocks;
        all.points += expired.points;
    }
    all
}

fn times(store: &impl Store, series: SeriesId) -> Vec<(i64, i64)> {
    let strips = store.reader().wave_strip(series, Span::ALL).expect("samples can be read");
    strips.iter().map(|strip: &WaveStrip| (strip.start().0, strip.end().0)).collect()
}

fn covers(stretches: &[(i64, i64)], from: i64, to: i64) -> bool {
    stretches.iter().any(|(start, end)| *start <= from && to <= *end)
}

/// The whole of it.
pub(super) fn retention(store: &mut impl Store) {
    let id = |name: &str| PatientId::new(name).expect("a valid id");
    let waves = |begin: i64| {
        let frames = (0..300).flat_map(move |n| [A, B, C].map(|series| (series, n + begin)));
        frames.map(|(series, n)| (series, run(0, 63 * n as u64, 63, 10 + n as u64))).collect()
    };
    let merged = PatientRow {
        merged_into: Some(id("p3")),
        patient: Patient::unknown(id("p2")),
        updated: ReceiveTime(1),
        version: 1,
    };
    let hold = Hold {
        id: 77,
        patient: id("p3"),
        from: EffectiveTime(2_000 * SECOND),
        to: EffectiveTime(2_100 * SECOND),
        reason: "study".to_owned(),
        by: "ada".to_owned(),
        at: ReceiveTime(5),
        released: None,
    };
    let alert = AlertRow { raised: ReceiveTime(1_500 * SECOND), ..records::alert(9, "p1", 3, false) };
    let first = Commit {
        checkpoint: 1,
        series: vec![(A, key(Some("p1"), "m1", 1)), (B, key(None, "m1", 2)), (C, key(Some("p2"), "m1", 3))],
        alerts: vec![alert],
        directory: vec![DirectoryRow::Patient(merged)],
        holds: vec![hold.clone()],
        points: vec![(A, (-5_000..4_000).map(|n| point(n, 60.0, (n + 5_000) as u64)).collect())],
        ..Commit::default()
    };
    store.commit(&first).expect("a commit succeeds");
    for (at, begin) in (2..).zip((0..3_600).step_by(300)) {
        let commit = Commit { checkpoint: at, waves: waves(begin), ..Commit::default() };
        store.commit(&commit).expect("a commit succeeds");
    }
    assert_eq!(store.reader().holds(&[id("p1"), id("p3")]).expect("holds can be read"), [hold]);
    assert!(expire(store, -5_000 * SECOND).is_empty(), "nothing is that old");
    let expired = expire(store, END);
    // Around the alert, and what is held of the record that the other one went into; whole blocks.
    let (a, b, c) = (times(store, A), times(store, B), times(store, C));
    assert!(covers(&a, 1_470 * SECOND, 1_560 * SECOND), "{a:?}");
    assert!(covers(&c, 2_000 * SECOND, 2_100 * SECOND), "{c:?}");
    for series in [&a, &b, &c] {
        assert!(!covers(series, 100 * SECOND, 200 * SECOND), "{series:?}");
    }
    assert!(b.iter().all(|(_, end)| *end > END), "nobody holds it: {b:?}");
    let reader = store.reader();
    let left = |series| reader.wave_extent(series).expect("it can be read").map_or(0, |extent| extent.samples);
    assert_eq!(expired.samples + left(A) + left(B) + left(C), 3 * 3_600 * 63);
    let points = reader.points(A, Span::ALL).expect("points can be read");
    let values = points.iter().filter(|point| !point.value.is_nan()).count() as u64;
    assert_eq!(expired.points + values, 9_000);
    assert!(expired.points > 4_000, "{}", expired.points);
    let totals = reader.expired().expect("they can be read");
    assert_eq!((totals.samples, totals.wave_blocks, totals.points), (expired.samples, expired.wave_blocks, expired.points));
    assert_eq!(totals.waves_before, Some(EffectiveTime(END)));
    if let Some(extent) = reader.wave_extent(A).expect("it can be read") {
        assert_eq!(Some(extent.first.0), a.first().map(|stretch| stretch.0));
    }
    goes_on(store, &reader, id("p3"));
}

/// Samples are taken in as before; a hold that ended holds nothing.
fn goes_on(store: &mut impl Store, reader: &crate::Reader, patient: PatientId) {
    let more = vec![(A, run(0, 63 * 3_600, 63, 9_000))];
    let released = vec![(77, "grace".to_owned(), ReceiveTime(9))];
    let commit = Commit { checkpoint: 50, waves: more, holds_released: released, ..Commit::default() };
    store.commit(&commit).expect("a commit succeeds");
    let last = times(store, A).last().copied().expect("something is there");
    assert_eq!(last.1, run(0, 63 * 3_600, 63, 0).end().0);
    expire(store, END);
    assert!(!covers(&times(store, C), 2_000 * SECOND, 2_100 * SECOND), "nothing holds it any more");
    let holds = reader.holds(&[patient]).expect("holds can be read");
    assert_eq!(holds[0].released, Some(("grace".to_owned(), ReceiveTime(9))));
}

/// Alerts that ended, quarantine and older versions go by age; open ones, latest versions and what is
/// held stay.
pub(super) fn rows(store: &mut impl Store) {
    let id = |name: &str| PatientId::new(name).expect("a valid id");
    let hold = |at: Offset, patient: &str, from: i64, to: i64| Hold {
        id: at,
        patient: id(patient),
        from: EffectiveTime(from),
        to: EffectiveTime(to),
        reason: String::new(),
        by: "ada".to_owned(),
        at: ReceiveTime(5),
        released: None,
    };
    let mut of_device = records::alert(400, "p9", 1, false);
    (of_device.patient, of_device.device) = (None, DeviceId::new("m1").ok());
    let alerts: Vec<AlertRow> = (100..400)
        .map(|n| records::alert(n, ["p1", "p2", "p3"][n as usize % 3], 2, n == 150))
        .chain([of_device])
        .collect();
    let events = alerts.iter().map(|alert| records::event(alert.episode, "raised")).collect();
    let quarantine = (0..50).map(|n| records::quarantined(100 + n, "m7", b"MSH|x")).chain([
        records::quarantined(150, "m1", b"of a device on a held patient"),
        records::quarantined(151, "m7", b"PID|||MRN-4711"),
        records::quarantined(152, "m7", b"the last one"),
    ]);
    let directory = (1..=4)
        .flat_map(|version| ["p1", "p2", "p3"].map(|name| directory::patient(name, "Doe", "MRN-4711", version * 100)))
        .map(|mut row| {
            if row.patient.id != id("p1") {
                row.patient.identifiers.clear();
            }
            DirectoryRow::Patient(row)
        })
        .chain([DirectoryRow::Association(directory::on("m1", "p1", 90, Some(500)))]);
    let commit = Commit {
        checkpoint: 1,
        alerts,
        alert_events: events,
        quarantine: quarantine.collect(),
        directory: directory.collect(),
        holds: vec![hold(1, "p1", i64::MIN, i64::MAX), hold(2, "p2", 205, 210)],
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let held = reader.held().expect("it can be read");
    assert_eq!(held.iter().map(|held| held.devices.len()).collect::<Vec<_>>(), [1, 0]);

    assert!(expire_rows(store, i64::MIN).is_empty(), "for ever");
    assert!(expire_rows(store, 100).is_empty(), "nothing is that old");
    let gone = expire_rows(store, 390);
    let all = AlertQuery { page: Page { skip: 0, limit: 1_000 }, ..AlertQuery::default() };
    let left = reader.alerts(&all).expect("they can be read");
    let of = |name: &str| left.rows.iter().filter(|row| row.patient == Some(id(name))).count();
    assert_eq!(gone.alerts + left.total, 301);
    assert_eq!(gone.alerts_before, Some(ReceiveTime(390)));
    assert_eq!(gone.alert_events, gone.alerts);
    assert_eq!(of("p1"), 100, "all of a held patient, open or not");
    // Raised to changed touches 205 to 210, or changed since; of the others only the young.
    assert!((5..15).contains(&of("p2")), "{}", of("p2"));
    assert!(of("p3") < 10, "{}", of("p3"));
    assert!(left.rows.iter().any(|row| row.patient.is_none()), "a device's, while on a held patient");
    let kept = |offset| reader.quarantine_item(offset).expect("it can be read").is_some();
    assert_eq!([120, 150, 151, 152].map(kept), [false, true, true, false]);
    assert_eq!(gone.quarantine, 51);
    let versions = |name: &str| {
        let rows = reader.directory_history(DirectoryKind::Patient, name).expect("it can be read");
        rows.len()
    };
    assert_eq!(["p1", "p2", "p3"].map(versions), [4, 3, 2], "the last of p3, and the one that 400 followed");
    assert_eq!(gone.versions, 3);
    assert_eq!(reader.expired_records().expect("they can be read"), gone);
    let released = vec![(1, "grace".to_owned(), ReceiveTime(9)), (2, "grace".to_owned(), ReceiveTime(9))];
    let commit = Commit { checkpoint: 2, holds_released: released, ..Commit::default() };
    store.commit(&commit).expect("a commit succeeds");
    let gone = expire_rows(store, 1_000);
    let left = reader.alerts(&AlertQuery::default()).expect("they can be read");
    assert_eq!(left.total, 1, "the open one");
    assert_eq!(gone.quarantine, 2);
    assert_eq!(["p1", "p2", "p3"].map(versions), [1, 1, 1]);
}

/// Steps of few rows, until nothing more goes.
fn expire_rows(store: &mut impl Store, before: i64) -> ExpiredRecords {
    let before = ReceiveTime(before);
    let step = RecordExpiry {
        alerts_before: before,
        quarantine_before: before,
        directory_before: before,
        rows_max: 7,
    };
    let (mut all, mut idle) = (ExpiredRecords::default(), 0);
    while idle < 60 {
        let gone = store.expire_records(&step).expect("a step succeeds");
        idle = if gone.is_empty() { idle + 1 } else { 0 };
        all.alerts += gone.alerts;
        all.alert_events += gone.alert_events;
        all.predictions += gone.predictions;
        all.quarantine += gone.quarantine;
        all.versions += gone.versions;
        all.alerts_before = all.alerts_before.max(gone.alerts_before);
        all.quarantine_before = all.quarantine_before.max(gone.quarantine_before);
        all.versions_before = all.versions_before.max(gone.versions_before);
    }
    all
}
