//! Series: each value once, in order, counted exactly, thinned without losing extremes.

use std::path::Path;

use vitals::time::SECOND;
use vitals::{
    DeviceId, EffectiveTime, MetricCode, PatientId, Point, Quality, Rate, ReadingRef, ReceiveTime, SampleArray, Samples, WaveRun, WaveSamples,
    SeriesId, SeriesKey,
};

use super::point;
use crate::series::BLOCK_POINTS;
use crate::{Attachment, Commit, Order, Page, ReadingQuery, SeriesFilter, Span, Store};

const A: SeriesId = SeriesId(1);
const B: SeriesId = SeriesId(2);

pub(super) fn key(subject: Option<&str>, device: &str, metric: u32) -> SeriesKey {
    SeriesKey {
        subject: subject.map(|id| PatientId::new(id).expect("a valid id")),
        device: DeviceId::new(device).expect("a valid id"),
        metric: MetricCode(metric),
        channel: 0,
    }
}

pub(super) fn keys() -> Vec<(SeriesId, SeriesKey)> {
    vec![
        (A, key(Some("p1"), "m1", 147_842)),
        (B, key(None, "m2", 150_456)),
    ]
}

fn put(store: &mut impl Store, checkpoint: u64, points: Vec<(SeriesId, Vec<Point>)>) {
    let commit = Commit {
        checkpoint,
        points,
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
}

fn all(store: &impl Store, series: SeriesId) -> Vec<Point> {
    store
        .reader()
        .points(series, Span::ALL)
        .expect("points can be read")
}

/// Points come back in time order, each value of a time once, also after reopening.
pub(super) fn once_in_order<S: Store>(folder: &Path, make: &impl Fn(&Path) -> S) {
    let mut store = make(folder);
    let first = Commit {
        checkpoint: 1,
        series: keys(),
        points: vec![
            (A, vec![point(3, 80.0, 2), point(1, 81.0, 0)]),
            (A, vec![point(2, 82.0, 1)]),
        ],
        ..Commit::default()
    };
    store.commit(&first).expect("a commit succeeds");
    // The same value again, from a later entry; another value at the same time; 0 and −0.
    put(
        &mut store,
        2,
        vec![(
            A,
            vec![point(2, 82.0, 9), point(2, 83.0, 9), point(4, 0.0, 10)],
        )],
    );
    put(&mut store, 3, vec![(A, vec![point(4, -0.0, 11)])]);
    // A retraction has the value that it retracts.
    let retracted = Point { quality: Quality::AMENDED | Quality::INVALID, ..point(3, 80.0, 12) };
    put(&mut store, 4, vec![(A, vec![retracted])]);
    drop(store);
    let store = make(folder);
    let expected = [
        point(1, 81.0, 0),
        point(2, 82.0, 1),
        point(2, 83.0, 9),
        point(3, 80.0, 2),
        retracted,
        point(4, 0.0, 10),
    ];
    assert_eq!(all(&store, A), expected);
    assert!(all(&store, B).is_empty());
    let reader = store.reader();
    let span = Span {
        from: Some(2_000_000),
        to: Some(3_000_000),
    };
    assert_eq!(
        reader.points(A, span).expect("points can be read"),
        expected[1..3]
    );
    let series = reader
        .series(&SeriesFilter::default())
        .expect("series can be read");
    assert_eq!(
        series.iter().map(|s| (s.id, s.count)).collect::<Vec<_>>(),
        [(A, 6), (B, 0)]
    );
    assert_eq!(series[0].key, keys()[0].1);
    assert_eq!(series[0].first.map(|t| t.0), Some(1_000_000));
}

/// One point a commit ends in few blocks, and nothing is lost on the way.
pub(super) fn small_commits(store: &mut impl Store) {
    let expected: Vec<Point> = (0..600)
        .map(|n| point(n, (n % 7) as f64, n as u64))
        .collect();
    for (at, point) in (1..).zip(&expected) {
        put(store, at, vec![(A, vec![*point])]);
    }
    assert_eq!(all(store, A), expected);
}

/// Points that arrive hours late go where their time belongs.
pub(super) fn late_points(store: &mut impl Store) {
    let count = 3 * BLOCK_POINTS as i64;
    let even: Vec<Point> = (0..count).map(|n| point(2 * n, 60.0, n as u64)).collect();
    let odd: Vec<Point> = (0..count)
        .map(|n| point(2 * n - 1, 61.0, (count + n) as u64))
        .collect();
    put(store, 1, vec![(A, even.clone())]);
    for (at, some) in (2..).zip(odd.chunks(1_000)) {
        // Each with a repeat of what is there already.
        let mut some = some.to_vec();
        some.extend_from_slice(&even[..50]);
        put(store, at, vec![(A, some)]);
    }
    let mut expected = [even, odd].concat();
    expected.sort_by_key(|point| point.time);
    assert_eq!(all(store, A), expected);
}

/// No bucket loses its extremes, for any width, with late and doubtful points.
pub(super) fn thinning(store: &mut impl Store) {
    let mut points: Vec<Point> = (0..5_000_i64)
        .map(|n| point(n, ((n * 7_919) % 101) as f64, n as u64))
        .collect();
    points[1_234].value = 999.0;
    points[1_300].value = -999.0;
    points[1_300].quality = Quality::ARTEFACT;
    put(store, 1, vec![(A, points.clone())]);
    let reader = store.reader();
    for buckets in [1, 7, 100, 1_000, 5_000] {
        let thinned = reader
            .thinned(A, Span::ALL, buckets)
            .expect("thinning succeeds");
        assert!(
            thinned.buckets.len() <= buckets,
            "{} for {buckets}",
            thinned.buckets.len()
        );
        for bucket in &thinned.buckets {
            let within = |p: &&Point| {
                (bucket.start.0..bucket.start.0 + thinned.width_us).contains(&p.time.0)
            };
            let inside: Vec<&Point> = points.iter().filter(within).collect();
            let usable: Vec<f64> = inside
                .iter()
                .filter(|p| p.quality.usable())
                .map(|p| p.value)
                .collect();
            assert_eq!(bucket.count, inside.len() as u64);
            assert_eq!(bucket.doubtful, usable.is_empty());
            if !bucket.doubtful {
                assert_eq!(bucket.max, usable.iter().copied().fold(f64::MIN, f64::max));
                assert_eq!(bucket.min, usable.iter().copied().fold(f64::MAX, f64::min));
                assert_eq!(
                    (Some(&bucket.first), Some(&bucket.last)),
                    (usable.first(), usable.last())
                );
            }
        }
        let count: u64 = thinned.buckets.iter().map(|bucket| bucket.count).sum();
        assert_eq!(count, points.len() as u64);
        assert!(thinned.buckets.iter().any(|bucket| bucket.max == 999.0));
    }
    let span = Span {
        from: Some(100_000_000),
        to: Some(200_000_000),
    };
    let part = reader.thinned(A, span, 10).expect("thinning succeeds");
    assert_eq!((part.buckets.len(), part.width_us), (10, 10_000_000));
    assert_eq!(
        part.buckets.iter().map(|bucket| bucket.count).sum::<u64>(),
        100
    );
}

/// Counts are exact at every bound; lists over series page without gap or repeat.
pub(super) fn counting_and_listing(store: &mut impl Store) {
    let mut a: Vec<Point> = (0..3_000_i64)
        .map(|n| point(n, n as f64, n as u64))
        .collect();
    a[500].received = ReceiveTime(9_000_000_000);
    let b: Vec<Point> = (0..40_i64)
        .map(|n| point(n * 50, n as f64, 5_000 + n as u64))
        .collect();
    let commit = Commit {
        checkpoint: 1,
        series: keys(),
        points: vec![(A, a.clone()), (B, b.clone())],
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let every = SeriesFilter::default();
    let of_p1 = SeriesFilter {
        subjects: vec![PatientId::new("p1").expect("a valid id")],
        ..SeriesFilter::default()
    };
    let nobody = SeriesFilter {
        without_subject: true,
        ..SeriesFilter::default()
    };
    let spans = [
        Span::ALL,
        Span {
            from: Some(7_000_001),
            to: Some(2_500_000_000),
        },
        Span {
            from: Some(7_200_000),
            to: None,
        },
        Span {
            from: None,
            to: Some(0),
        },
    ];
    for filter in [&every, &of_p1, &nobody] {
        for time in spans {
            for received in spans {
                let within = |id, points: &[Point]| {
                    let key = &keys()[if id == A { 0 } else { 1 }].1;
                    let holds = |p: &&Point| time.holds(p.time.0) && received.holds(p.received.0);
                    if filter.takes(id, key) {
                        points.iter().filter(holds).count()
                    } else {
                        0
                    }
                };
                let expected = within(A, &a) + within(B, &b);
                let found = reader
                    .count(filter, time, received)
                    .expect("counting succeeds");
                assert_eq!(found, expected as u64, "{filter:?} {time:?} {received:?}");
            }
        }
    }
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let ask = |skip, limit| {
            let page = Page { skip, limit };
            let query = ReadingQuery {
                order,
                page,
                ..ReadingQuery::default()
            };
            reader.readings(&query).expect("listing succeeds")
        };
        let whole = ask(0, 10_000);
        assert_eq!(whole.len(), 3_040);
        let times: Vec<i64> = whole.iter().map(|(_, point)| point.time.0).collect();
        assert!(match order {
            Order::NewestFirst => times.is_sorted_by(|x, y| x >= y),
            Order::OldestFirst => times.is_sorted(),
        });
        assert_eq!(
            [ask(0, 13), ask(13, 1_000), ask(1_013, 5_000)].concat(),
            whole
        );
        assert!(ask(0, 0).is_empty());
        let page = Page { skip: 0, limit: 10_000 };
        let by_received = ReadingQuery { order, page, by_received: true, ..ReadingQuery::default() };
        let found = reader.readings(&by_received).expect("listing succeeds");
        assert_eq!(found.len(), whole.len());
        let times: Vec<i64> = found.iter().map(|(_, point)| point.received.0).collect();
        assert!(match order {
            Order::NewestFirst => times.is_sorted_by(|x, y| x >= y),
            Order::OldestFirst => times.is_sorted(),
        });
    }
}

/// Texts and waveforms stand beside their points; every value is found by its name.
pub(super) fn attachments_and_names(store: &mut impl Store) {
    let nan = |seconds, offset, index| Point {
        value: f64::NAN,
        index,
        ..point(seconds, 0.0, offset)
    };
    let rate = Rate::new(125, 2).expect("neither is 0");
    let samples = SampleArray::from_values(rate, vec![0.005, -0.25, 1.5, 0.005]);
    let words = "artefact suspected".to_owned();
    let text = Attachment::Text(words.clone());
    let Samples::Counts(counts) = &samples.samples else { panic!("they fit a scale") };
    let run = WaveRun {
        anchor: EffectiveTime(SECOND),
        rate,
        first: 0,
        scale: samples.scale,
        samples: WaveSamples::Counts(counts.as_slice().into()),
        received: ReceiveTime(SECOND),
        offset: 900,
        index: 4,
        quality: Quality::empty(),
    };
    let wave = Attachment::Samples(samples);
    let identifier = (
        "urn:x|42".to_owned(),
        ReadingRef {
            series: A,
            offset: 7,
            index: 3,
        },
    );
    let commit = Commit {
        checkpoint: 1,
        points: vec![(A, (0..200).map(|n| point(n, 1.0, n as u64)).collect())],
        texts: vec![(A, nan(500, 900, 3), words.clone()), (A, nan(500, 901, 0), words)],
        waves: vec![(B, run)],
        identifiers: vec![
            identifier.clone(),
            (
                "urn:x|42".to_owned(),
                ReadingRef {
                    series: B,
                    offset: 8,
                    index: 0,
                },
            ),
        ],
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let name = |series, offset, index| ReadingRef {
        series,
        offset,
        index,
    };
    let value = |name| {
        reader
            .reading(name)
            .expect("a reading can be read")
            .map(|p| p.value)
    };
    assert_eq!(value(name(A, 150, 0)), Some(1.0));
    assert_eq!(value(name(A, 150, 1)), None);
    assert_eq!(value(name(B, 150, 0)), None);
    assert!(value(name(A, 901, 0)).is_some_and(f64::is_nan));
    let beside = |name| reader.attachment(name).expect("an attachment can be read");
    assert_eq!(beside(name(A, 900, 3)), Some(text.clone()));
    assert_eq!(beside(name(B, 900, 4)), Some(wave.clone()));
    assert_eq!(beside(name(A, 0, 0)), None);
    let listed = reader
        .attachments(A, Span::ALL, 10)
        .expect("attachments can be read");
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].1, text);
    assert_eq!(all(store, A).len(), 202);
    let found = reader
        .identified("urn:x|42")
        .expect("identifiers can be read");
    assert_eq!(found, [name(B, 8, 0), identifier.1], "newest first");
    assert_eq!(
        reader
            .identified("urn:x|43")
            .expect("identifiers can be read"),
        []
    );
    assert_eq!(
        reader
            .identifiers(identifier.1)
            .expect("identifiers can be read"),
        ["urn:x|42"]
    );
}
