//! Retention: what is old goes and is counted; what a hold or an alert touches stays.

use vitals::{EffectiveTime, Hold, Patient, PatientId, ReceiveTime, SeriesId};

use super::points::key;
use super::waves::run;
use super::{point, records};
use crate::{
    AlertRow, Commit, DirectoryRow, Expired, Expiry, PatientRow, Span, Store, WaveStrip,
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
