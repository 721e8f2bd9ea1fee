//! Measures the store against its budgets: bytes of a stored numeric, a day of twelve trends,
//! commits of a million points. Run with `cargo run --release -p store --example budget`.

use std::path::Path;
use std::time::Instant;

use store::{Commit, Span, SqliteStore, Store};
use vitals::{
    DeviceId, EffectiveTime, MetricCode, PatientId, Point, Quality, ReceiveTime, SeriesId,
    SeriesKey,
};

/// xorshift64*: repeatable.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// 0 up to `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// A vital sign at 1 Hz that wanders in whole units, or tenths.
struct Walk {
    value: f64,
    low: f64,
    high: f64,
    step: f64,
    chance: u64,
}

impl Walk {
    fn of(series: u64) -> Self {
        match series % 4 {
            0 => Self {
                value: 78.0,
                low: 45.0,
                high: 140.0,
                step: 1.0,
                chance: 3,
            },
            1 => Self {
                value: 96.0,
                low: 85.0,
                high: 100.0,
                step: 1.0,
                chance: 12,
            },
            2 => Self {
                value: 16.0,
                low: 8.0,
                high: 32.0,
                step: 1.0,
                chance: 6,
            },
            _ => Self {
                value: 36.8,
                low: 35.0,
                high: 40.0,
                step: 0.1,
                chance: 20,
            },
        }
    }

    fn next(&mut self, random: &mut Random) -> f64 {
        if random.below(self.chance) == 0 {
            let up = random.below(2) == 0;
            let moved = if up {
                self.value + self.step
            } else {
                self.value - self.step
            };
            self.value = ((moved * 10.0).round() / 10.0).clamp(self.low, self.high);
        }
        self.value
    }
}

fn key(series: u32) -> SeriesKey {
    SeriesKey {
        subject: PatientId::new(&format!("p{}", series / 12)).ok(),
        device: DeviceId::new(&format!("m{}", series / 12)).expect("a valid id"),
        metric: MetricCode(147_842 + series % 12),
        channel: 0,
    }
}

const START: i64 = 1_760_000_000_000_000;

/// Encrypted, unless `--plain` is said.
fn open(file: &Path) -> SqliteStore {
    let plain = std::env::args().any(|argument| argument == "--plain");
    let opened = if plain {
        SqliteStore::open(file)
    } else {
        SqliteStore::open_sealed(file, &seal::Key::new([7; 32]))
    };
    opened.expect("the store opens")
}

/// A day of 1 Hz in `series` series, committed every ten seconds. `live`: the device has no clock,
/// so that the effective time is the jittered receive time in microseconds.
fn day(file: &Path, series: u32, live: bool) -> SqliteStore {
    let mut store = open(file);
    let mut random = Random(7);
    let mut walks: Vec<Walk> = (0..series).map(|s| Walk::of(u64::from(s))).collect();
    let mut offset = 0_u64;
    let mut waiting: Vec<(SeriesId, Vec<Point>)> =
        (0..series).map(|s| (SeriesId(s), Vec::new())).collect();
    for second in 0..86_400_i64 {
        for (slot, walk) in waiting.iter_mut().zip(&mut walks) {
            let due = START + second * 1_000_000 + i64::from(slot.0.0) * 17_000;
            let jitter = (random.below(2_000) + random.below(3_000)) as i64;
            let received = ReceiveTime(due + 5_000 + jitter);
            slot.1.push(Point {
                time: EffectiveTime(if live { received.0 } else { due }),
                received,
                value: walk.next(&mut random),
                offset,
                index: 0,
                quality: if live {
                    Quality::NO_DEVICE_TIME
                } else {
                    Quality::empty()
                },
            });
            // Entries of other devices come between.
            offset += 1 + random.below(2);
        }
        if second % 10 == 9 {
            let points = waiting
                .iter_mut()
                .map(|(id, p)| (*id, std::mem::take(p)))
                .collect();
            let names = if second == 9 {
                (0..series).map(|s| (SeriesId(s), key(s))).collect()
            } else {
                Vec::new()
            };
            let commit = Commit {
                checkpoint: offset,
                series: names,
                points,
                ..Commit::default()
            };
            store.commit(&commit).expect("a commit succeeds");
        }
    }
    store
}

fn bytes_per_numeric(folder: &Path, live: bool) -> f64 {
    let file = folder.join(format!("bytes-{live}.sqlite"));
    drop(day(&file, 50, live));
    let size = std::fs::metadata(&file).expect("the file is there").len();
    size as f64 / (50.0 * 86_400.0)
}

fn trends(folder: &Path, live: bool) -> (f64, f64, u64) {
    let store = day(&folder.join(format!("trend-{live}.sqlite")), 12, live);
    let reader = store.reader();
    let span = Span::effective(EffectiveTime(START), EffectiveTime(START + 86_400_000_000));
    let ask = || {
        let started = Instant::now();
        let buckets: usize = (0..12)
            .map(|s| {
                reader
                    .thinned(SeriesId(s), span, 1_000)
                    .expect("thinning")
                    .buckets
                    .len()
            })
            .sum();
        assert!(buckets > 11_000, "{buckets}");
        started.elapsed().as_secs_f64() * 1e3
    };
    let cold = ask();
    let mut times: Vec<f64> = (0..20).map(|_| ask()).collect();
    times.sort_by(f64::total_cmp);
    let every = store::SeriesFilter::default();
    let count = reader.count(&every, span, Span::ALL).expect("counting");
    (cold, times[10], count)
}

/// A million points over 12,000 series, in one commit.
fn commit_speed(folder: &Path) -> (f64, f64, f64) {
    let mut store = open(&folder.join("commit.sqlite"));
    let mut random = Random(9);
    let mut run = |seconds: std::ops::Range<i64>| {
        let points = (0..12_000_u32)
            .map(|s| {
                let point = |n: i64| Point {
                    time: EffectiveTime(START + n * 1_000_000),
                    received: ReceiveTime(START + n * 1_000_000 + 7_000),
                    value: 60.0 + random.below(40) as f64,
                    offset: (n as u64) * 12_000 + u64::from(s),
                    index: 0,
                    quality: Quality::empty(),
                };
                (SeriesId(s), seconds.clone().map(point).collect())
            })
            .collect();
        let checkpoint = seconds.end as u64;
        let commit = Commit {
            checkpoint,
            points,
            ..Commit::default()
        };
        let started = Instant::now();
        store.commit(&commit).expect("a commit succeeds");
        started.elapsed().as_secs_f64()
    };
    let first = run(0..84);
    let second = run(84..168);
    let steady: f64 = (0..60).map(|n| run(168 + n * 10..178 + n * 10)).sum();
    (first, second, steady / 60.0)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    for live in [false, true] {
        let clock = if live {
            "receive time, µs jitter"
        } else {
            "device time"
        };
        println!(
            "bytes a numeric ({clock}): {:.2}",
            bytes_per_numeric(folder.path(), live)
        );
        let (cold, warm, count) = trends(folder.path(), live);
        println!(
            "24 h × 12 trends to 1,000 buckets ({clock}): first {cold:.1} ms, median {warm:.1} ms, {count} points"
        );
    }
    let (first, second, steady) = commit_speed(folder.path());
    println!("commit of 1,008,000 points in 12,000 series: {first:.2} s, then {second:.2} s");
    println!(
        "commit of 120,000 points (12,000 series, 10 s): {:.0} ms on average",
        steady * 1e3
    );
}
