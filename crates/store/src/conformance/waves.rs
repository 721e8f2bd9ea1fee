//! Waveforms: every sample once, in order, exactly; drawn without losing extremes; each frame
//! still a reading that can be named (PR-1).

use std::path::Path;
use std::sync::Arc;

use vitals::samples::MISSING;
use vitals::{
    EffectiveTime, Quality, Rate, ReadingRef, ReceiveTime, Samples, Scale, SeriesId, WaveRun, WaveSamples,
};

use crate::{
    Attachment, Commit, Order, Page, Read, ReadingQuery, SeriesFilter, Span, Store, WaveStrip,
};

const A: SeriesId = SeriesId(1);
const B: SeriesId = SeriesId(2);
const SECOND: i64 = 1_000_000;

/// 62.5 counts a second; sample `n` of the stretch is a function of `n`.
fn count_at(n: u64) -> i32 {
    let n = n as i64;
    if n % 997 == 0 { MISSING } else { (((n * 7) % 400 - 200) + (n % 13) * (n % 11)) as i32 }
}

/// A frame of the stretch that began at `anchor`, received 250 ms after its first sample.
pub(super) fn run(anchor: i64, first: u64, samples: u64, offset: u64) -> WaveRun {
    let rate = Rate::new(125, 2).expect("neither is 0");
    let start = anchor + rate.micros(first);
    WaveRun {
        anchor: EffectiveTime(anchor),
        rate,
        first,
        scale: Scale { factor: -1.0, divisor: 200.0, offset: 0.5 },
        samples: WaveSamples::Counts((first..first + samples).map(count_at).collect()),
        received: ReceiveTime(start + 250_000),
        offset,
        index: 3,
        quality: Quality::empty(),
    }
}

fn put(store: &mut impl Store, checkpoint: u64, waves: Vec<(SeriesId, WaveRun)>) {
    let commit = Commit { checkpoint, waves, ..Commit::default() };
    store.commit(&commit).expect("a commit succeeds");
}

fn strips(store: &impl Store, series: SeriesId, span: Span) -> Vec<WaveStrip> {
    store.reader().wave_strip(series, span).expect("samples can be read")
}

fn span(from: i64, to: i64) -> Span {
    Span { from: Some(from), to: Some(to) }
}

/// Frame by frame through reopening and sealing: all samples come back, each once, each with where
/// it came from.
pub(super) fn once_in_order<S: Store>(folder: &Path, make: &impl Fn(&Path) -> S) {
    let anchor = 1_000 * SECOND;
    let given: Vec<WaveRun> = (0..900).map(|n| run(anchor, 63 * n, 63, 10 + n)).collect();
    let mut store = make(folder);
    for (at, some) in (1..).zip(given.chunks(7)) {
        // Each commit repeats the last frame of the one before.
        let again = given[(at - 1) as usize * 7..].iter().take(0).chain(some).chain(&some[..1]);
        put(&mut store, at, again.map(|run| (A, run.clone())).collect());
        if at == 60 {
            drop(store);
            store = make(folder);
            put(&mut store, at, some.iter().map(|run| (A, run.clone())).collect());
        }
    }
    let found = strips(&store, A, Span::ALL);
    assert_eq!(found.len(), 1, "one unbroken stretch");
    assert_eq!(found[0].runs(), given);
    assert!(strips(&store, B, Span::ALL).is_empty());
    let extent = store.reader().wave_extent(A).expect("it can be read").expect("there is something");
    assert_eq!((extent.samples, extent.frames), (63 * 900, 900));
    assert_eq!(extent.first, given[0].start());
    assert_eq!(store.reader().wave_extent(B).expect("it can be read"), None);
    // Any part, sample by sample.
    let rate = given[0].rate;
    for (from, to) in [(0, 1), (16, 17), (700 * SECOND + 5, 712 * SECOND), (899 * SECOND, 1_000 * SECOND)] {
        let within = |n: &u64| (from..to).contains(&rate.micros(*n));
        let expected: Vec<i32> = (0..63 * 900).filter(within).map(count_at).collect();
        let found = strips(&store, A, span(anchor + from, anchor + to));
        let counts: Vec<i32> = found
            .iter()
            .flat_map(|strip| match &strip.samples {
                WaveSamples::Counts(counts) => counts.to_vec(),
                WaveSamples::Real(_) => panic!("counts were stored"),
            })
            .collect();
        assert_eq!(counts, expected, "{from}..{to}");
        for strip in &found {
            let of_frames: usize = strip.frames.iter().map(|frame| frame.samples as usize).sum();
            assert_eq!(of_frames, strip.samples.len());
        }
    }
    assert!(store.reader().checkpoint().expect("it can be read") > 60);
}

/// Frames that come late fill their hole; stretches of other rates and scales, and values that are
/// no counts, stand beside each other.
pub(super) fn late_and_mixed(store: &mut impl Store) {
    let anchor = 50_000 * SECOND;
    let other = 50_200 * SECOND;
    let mut real = run(other, 0, 4, 900);
    real.samples = WaveSamples::Real(Arc::new([1.5, f64::NAN, -0.0, f64::MAX]));
    real.scale = Scale::ONE;
    let mut fast = run(other + 10 * SECOND, 0, 500, 901);
    fast.rate = Rate::new(360, 1).expect("neither is 0");
    fast.samples = WaveSamples::Counts(Arc::new([i32::MAX; 500]));
    fast.quality = Quality::LATE;
    // A correction of the clock: the stretch begins anew 3 ms before the last one ends.
    let corrected = run(anchor + 100 * SECOND - 3_000, 0, 63, 902);
    let hole = run(anchor, 40 * 63, 5 * 63, 903);
    let mut given: Vec<WaveRun> =
        (0..99).filter(|n| !(40..45).contains(n)).map(|n| run(anchor, 63 * n, 63, 10 + n)).collect();
    put(store, 1, given.iter().map(|run| (A, run.clone())).collect());
    let late = [real, fast, corrected, hole];
    for (at, run) in (2..).zip(&late) {
        put(store, at, vec![(A, run.clone())]);
    }
    given.extend(late);
    given.sort_by_key(|run| (run.start(), run.anchor));
    let found = strips(store, A, Span::ALL);
    let runs: Vec<WaveRun> = found.iter().flat_map(WaveStrip::runs).collect();
    // NaN is not equal to itself; everything that is told of a run is in its text.
    assert_eq!(format!("{runs:?}"), format!("{given:?}"));
    assert!(found.is_sorted_by_key(WaveStrip::start));
    let gaps = store.reader().wave_gaps(A, Span::ALL, SECOND).expect("gaps can be read");
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert_eq!(gaps[0].to.0, other);
    let within = span(anchor, anchor + 60 * SECOND);
    assert_eq!(store.reader().wave_gaps(A, within, 0).expect("gaps can be read"), []);
}

/// A drawing keeps every extreme, at whatever width and over whatever span.
pub(super) fn overview(store: &mut impl Store) {
    let anchor = 7_000 * SECOND;
    let mut given: Vec<WaveRun> = (0..2_000).map(|n| run(anchor, 63 * n, 63, 10 + n)).collect();
    given.retain(|run| !(500..520).contains(&(run.offset - 10)));
    given[700].quality = Quality::ARTEFACT;
    for (at, some) in (1..).zip(given.chunks(30)) {
        put(store, at, some.iter().map(|run| (A, run.clone())).collect());
    }
    let end = anchor + 2_016 * SECOND;
    let spans = [
        Span::ALL,
        span(anchor, end),
        span(anchor + 700 * SECOND, anchor + 1_400 * SECOND),
        span(anchor + 100 * SECOND, anchor + 110 * SECOND),
    ];
    for asked in spans {
        for columns in [1, 7, 40, 300, 2_000] {
            check_overview(store.reader().as_ref(), &given, asked, columns);
        }
    }
    let whole = store.reader().wave_overview(A, Span::ALL, 200).expect("it can be drawn");
    let flagged = whole.iter().filter(|column| column.quality.contains(Quality::ARTEFACT)).count();
    assert!((1..=2).contains(&flagged), "{flagged}");
}

fn check_overview(reader: &dyn Read, given: &[WaveRun], asked: Span, columns: usize) {
    let found = reader.wave_overview(A, asked, columns).expect("it can be drawn");
    assert!(found.len() <= columns, "{} for {columns}", found.len());
    assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start), "columns do not overlap");
    let mut shown = 0;
    let mut values = Vec::new();
    for run in given {
        run.values(&mut values);
    }
    let times = given.iter().flat_map(|run| (0..run.samples.len() as u64).map(|at| run.time_of(at).0));
    let all: Vec<(i64, f64)> = times.zip(values).collect();
    for column in &found {
        let inside = all.iter().filter(|(time, _)| (column.start.0..column.end.0).contains(time));
        let (mut min, mut max) = (f64::NAN, f64::NAN);
        for (time, value) in inside {
            assert!(asked.holds(*time));
            (min, max) = (min.min(*value), max.max(*value));
            shown += u64::from(!value.is_nan());
        }
        assert_eq!((column.min, column.max), (min, max), "{asked:?} {columns}");
    }
    let within = all.iter().filter(|(time, value)| asked.holds(*time) && !value.is_nan());
    assert_eq!(shown, within.count() as u64, "{asked:?} {columns}: samples that no column shows");
}

/// A frame is a reading: counted, listed and named like any other, its samples beside it. Also one
/// that is longer than a block.
pub(super) fn frames_are_readings(store: &mut impl Store) {
    let anchor = 3_000 * SECOND;
    let given: Vec<WaveRun> = (0..600).map(|n| run(anchor, 63 * n, 63, 10 + n)).collect();
    for (at, some) in (1..).zip(given.chunks(50)) {
        put(store, at, some.iter().map(|run| (A, run.clone())).collect());
    }
    let long = run(9_000 * SECOND, 5, 300_000, 5_000);
    let series = super::points::keys();
    let waves = vec![(B, long.clone())];
    let commit = Commit { checkpoint: 20, series, waves, ..Commit::default() };
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let of = |id| SeriesFilter { ids: vec![id], ..SeriesFilter::default() };
    assert_eq!(reader.count(&of(A), Span::ALL, Span::ALL).expect("it can be counted"), 600);
    let some = span(anchor + SECOND, anchor + 101 * SECOND);
    let expected = given.iter().filter(|run| some.holds(run.start().0)).count();
    assert_eq!(reader.count(&of(A), some, Span::ALL).expect("it can be counted"), expected as u64);
    let info = reader.series(&of(A)).expect("series can be read");
    assert_eq!((info[0].count, info[0].first), (600, Some(given[0].start())));
    let query = ReadingQuery { series: of(A), time: some, ..ReadingQuery::default() };
    let listed = reader.readings(&query).expect("they can be listed");
    assert_eq!(listed.len(), expected.min(100));
    assert!(listed.iter().all(|(_, point)| point.value.is_nan()));
    assert!(listed.is_sorted_by(|a, b| a.1.time >= b.1.time));
    check_listing(reader.as_ref(), &given);
    for run in [&given[0], &given[333], &given[599]] {
        check_reading(reader.as_ref(), A, run);
    }
    check_reading(reader.as_ref(), B, &long);
    assert_eq!(strips(store, B, Span::ALL)[0].runs(), [long]);
    let absent = ReadingRef { series: A, offset: 5_000, index: 3 };
    assert_eq!(reader.attachment(absent).expect("it can be looked up"), None);
    let beside = reader.attachments(A, some, 5).expect("they can be listed");
    assert_eq!(beside.len(), 5);
    assert!(beside.is_sorted_by_key(|(point, _)| point.time));
}

/// Any page in any order is what sorting everything gives.
fn check_listing(reader: &dyn Read, given: &[WaveRun]) {
    let of_a = SeriesFilter { ids: vec![A], ..SeriesFilter::default() };
    let begin = given[0].start().0;
    for (order, by_received) in
        [(Order::NewestFirst, false), (Order::OldestFirst, false), (Order::NewestFirst, true), (Order::OldestFirst, true)]
    {
        for received in [Span::ALL, span(begin + 90 * SECOND, begin + 400 * SECOND)] {
            let mut expected: Vec<(i64, u64)> = given
                .iter()
                .filter(|run| received.holds(run.received.0))
                .map(|run| (if by_received { run.received.0 } else { run.start().0 }, run.offset))
                .collect();
            expected.sort_unstable();
            if order == Order::NewestFirst {
                expected.reverse();
            }
            for (skip, limit) in [(0, 1), (0, 70), (40, 500), (590, 100)] {
                let (series, page) = (of_a.clone(), Page { skip, limit });
                let query = ReadingQuery { series, received, order, by_received, page, time: Span::ALL };
                let listed = reader.readings(&query).expect("they can be listed");
                let found: Vec<u64> = listed.iter().map(|(_, point)| point.offset).collect();
                let wanted = expected.iter().skip(skip as usize).take(limit as usize);
                assert!(found.iter().eq(wanted.map(|(_, offset)| offset)), "{query:?}: {found:?}");
            }
        }
    }
}

fn check_reading(reader: &dyn Read, series: SeriesId, run: &WaveRun) {
    let name = ReadingRef { series, offset: run.offset, index: run.index };
    let point = reader.reading(name).expect("it can be looked up").expect("it is there");
    assert_eq!((point.time, point.received, point.quality), (run.start(), run.received, run.quality));
    let Some(Attachment::Samples(array)) = reader.attachment(name).expect("it can be looked up") else {
        panic!("samples stand beside a frame");
    };
    assert_eq!((array.rate, array.scale), (run.rate, run.scale));
    let WaveSamples::Counts(counts) = &run.samples else { panic!("counts were given") };
    assert_eq!(array.samples, Samples::Counts(counts.to_vec()));
}
