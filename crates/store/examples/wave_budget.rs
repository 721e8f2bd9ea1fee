//! Measures how the store keeps waveforms: processor time of a thousand beds, bytes of a sample,
//! a random strip and the overview of a day.
//!
//! ```text
//! cargo run --release -p store --example wave_budget                  everything
//! cargo run --release -p store --example wave_budget -- day           one part: load, day, records
//! cargo run --release -p store --example wave_budget -- records DIR   WFDB records of format 212 in DIR
//! ```

use std::path::Path;
use std::time::Instant;

use store::{Commit, Expiry, Span, SqliteStore, Store};
use vitals::{
    DeviceId, EffectiveTime, MetricCode, PatientId, Quality, Rate, ReceiveTime, Scale, SeriesId, SeriesKey, WaveRun, WaveSamples,
};

const SECOND: i64 = 1_000_000;
/// Rates of a bed's channels: ECG, pleth, arterial pressure, respiration.
const CHANNELS: [(u32, u32); 4] = [(250, 1), (125, 1), (125, 1), (125, 2)];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().unwrap_or_default();
    let folder = tempfile::tempdir().expect("a folder");
    if part.is_empty() || part == "load" {
        let beds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1_000);
        load(&folder.path().join("load"), beds, 180);
    }
    if part.is_empty() || part == "day" {
        day(&folder.path().join("day"));
    }
    if part == "records" {
        let records = arguments.next().unwrap_or_else(|| "ds1".to_owned());
        sizes(&folder.path().join("records"), Path::new(&records));
    }
}

/// One frame of a second, or whatever there is of it.
fn run(rate: Rate, first: u64, counts: &[i32], offset: u64) -> WaveRun {
    let start = rate.micros(first);
    WaveRun {
        anchor: EffectiveTime(1_700_000_000 * SECOND),
        rate,
        first,
        scale: Scale { divisor: 200.0, ..Scale::ONE },
        samples: WaveSamples::Counts(counts.into()),
        received: ReceiveTime(1_700_000_000 * SECOND + start + 1_040_000 + (offset as i64 * 7_919) % 9_000),
        offset,
        index: 0,
        quality: Quality::empty(),
    }
}

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

    /// About normal, of standard deviation 1.
    fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.below(1 << 20) as f64 / f64::from(1 << 20)).sum::<f64>() - 6.0
    }
}

/// Ten minutes of a channel, as 200 counts a unit: a beat of five bumps, breath, noise.
fn signal(channel: usize) -> Vec<i32> {
    let rate = f64::from(CHANNELS[channel].0) / f64::from(CHANNELS[channel].1);
    let mut random = Random(0x9e37_79b9 + channel as u64);
    let (mut out, mut phase, mut period) = (Vec::new(), 0.0, 0.8);
    for n in 0..(600.0 * rate) as usize {
        let time = n as f64 / rate;
        phase += 1.0 / (period * rate);
        if phase >= 1.0 {
            phase -= 1.0;
            period = 0.8 + 0.03 * random.noise();
        }
        let bump = |at: f64, width: f64, height: f64| height * (-((phase - at) / width).powi(2) / 2.0).exp();
        let breath = (time * std::f64::consts::TAU / 4.1).sin();
        let (value, noise) = match channel {
            0 => {
                let beat = bump(0.2, 0.03, 0.12) + bump(0.34, 0.008, -0.1) + bump(0.36, 0.011, 1.1)
                    + bump(0.385, 0.009, -0.25) + bump(0.62, 0.055, 0.3);
                (beat + 0.06 * breath, 0.012)
            }
            3 => (breath, 0.01),
            _ => (bump(0.35, 0.1, 1.0) + bump(0.65, 0.12, 0.45) + 0.05 * breath, 0.006),
        };
        out.push(((value + noise * random.noise()) * 200.0).round() as i32);
    }
    out
}

/// Processor time of this thread, in seconds.
fn thread_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// Bytes that this process has had written to the disk.
fn written() -> f64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(f64::NAN)
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |data| data.len())
}

fn open(folder: &Path) -> SqliteStore {
    std::fs::create_dir_all(folder).expect("a folder");
    SqliteStore::open(&folder.join("store.sqlite")).expect("the store opens")
}

/// Beds for some time, a commit every ten seconds, each frame a second.
fn load(folder: &Path, beds: u32, seconds: u64) {
    let signals: Vec<Vec<i32>> = (0..4).map(signal).collect();
    let mut store = open(folder);
    let (mut samples, mut cpu, mut wall, mut slowest) = (0_u64, 0.0, 0.0, 0.0_f64);
    let (mut offset, mut wal, mut warm) = (0, 0, (0, 0.0, 0.0));
    for (at, begin) in (1..).zip((0..seconds).step_by(10)) {
        let mut waves = Vec::new();
        for second in begin..begin + 10 {
            for series in 0..beds * 4 {
                let channel = (series % 4) as usize;
                let rate = Rate::new(CHANNELS[channel].0, CHANNELS[channel].1).expect("not 0");
                let (first, end) = (rate.index_at(second as i64 * SECOND), rate.index_at((second as i64 + 1) * SECOND));
                let signal = &signals[channel];
                // Each bed is at another minute of the ten.
                let shift = first + u64::from(series) * 997;
                let counts: Vec<i32> =
                    (0..end - first).map(|n| signal[((shift + n) % signal.len() as u64) as usize]).collect();
                samples += counts.len() as u64;
                waves.push((SeriesId(series), run(rate, first, &counts, offset)));
                offset += 1;
            }
        }
        let series = if at == 1 { keys(beds) } else { Vec::new() };
        let commit = Commit { checkpoint: at, series, waves, ..Commit::default() };
        let (before, began) = (thread_cpu(), Instant::now());
        store.commit(&commit).expect("a commit succeeds");
        let took = began.elapsed().as_secs_f64();
        (cpu, wall, slowest) = (cpu + thread_cpu() - before, wall + took, slowest.max(took));
        wal = wal.max(length(&folder.join("store.sqlite-wal")));
        // Sealing has come to its rhythm after a minute and a half.
        if begin == 80 {
            warm = (samples, cpu, written());
        }
    }
    let per_million = (cpu - warm.1) / ((samples - warm.0) as f64 / 1e6);
    let per_second = f64::from(beds) * 562.5;
    println!("load: {beds} beds, {samples} samples in {seconds} s of their time, committed in {wall:.1} s");
    println!("  processor: {:.1} ms a million samples, {:.2} % of a core at {per_second:.0} samples/s", per_million * 1e3, per_million * per_second / 1e4);
    println!("  slowest commit {:.0} ms, write-ahead log at most {} MiB, memory {} MiB", slowest * 1e3, wal >> 20, memory_mib());
    let disk = (written() - warm.2) / ((samples - warm.0) as f64 / per_second) / 1e6;
    println!("  written to the disk, log and database together: {disk:.1} MB/s of their time");
    drop(store);
    let file = length(&folder.join("store.sqlite"));
    println!("  database {} MiB, {:.3} bytes a sample (what is not sealed yet included)", file >> 20, file as f64 / samples as f64);
    age(open(folder), samples);
}

/// Removes everything again, in steps as the program takes them.
fn age(mut store: SqliteStore, samples: u64) {
    let never = EffectiveTime(i64::MAX);
    let step = Expiry { waves_before: never, points_before: never, series_max: 256, blocks_max: 512 };
    let (mut removed, mut steps, mut slowest) = (0, 0, 0.0_f64);
    let cpu = thread_cpu();
    while removed < samples {
        let began = Instant::now();
        removed += store.expire(&step).expect("a step succeeds").samples;
        slowest = slowest.max(began.elapsed().as_secs_f64());
        steps += 1;
    }
    let per_million = (thread_cpu() - cpu) / (samples as f64 / 1e6);
    println!("  retention: {:.1} ms a million samples removed, {steps} steps, slowest {:.0} ms", per_million * 1e3, slowest * 1e3);
}

fn keys(beds: u32) -> Vec<(SeriesId, SeriesKey)> {
    let key = |series: u32| SeriesKey {
        subject: PatientId::new(&format!("p{}", series / 4)).ok(),
        device: DeviceId::sanitised(&format!("m{}", series / 4)),
        metric: MetricCode(131_330 + series % 4),
        channel: 0,
    };
    (0..beds * 4).map(|series| (SeriesId(series), key(series))).collect()
}

/// A day of one ECG at 250 Hz among three others.
fn day(folder: &Path) {
    let signals: Vec<Vec<i32>> = (0..4).map(signal).collect();
    let mut store = open(folder);
    let mut samples = 0_u64;
    for (at, begin) in (1..).zip((0..86_400_u64).step_by(10)) {
        let mut waves = Vec::new();
        for second in begin..begin + 10 {
            for (channel, signal) in signals.iter().enumerate() {
                let rate = Rate::new(CHANNELS[channel].0, CHANNELS[channel].1).expect("not 0");
                let (first, end) = (rate.index_at(second as i64 * SECOND), rate.index_at((second as i64 + 1) * SECOND));
                let counts: Vec<i32> = (first..end).map(|n| signal[(n % signal.len() as u64) as usize]).collect();
                samples += counts.len() as u64;
                waves.push((SeriesId(channel as u32), run(rate, first, &counts, second * 4_000 + channel as u64)));
            }
        }
        store.commit(&Commit { checkpoint: at, waves, ..Commit::default() }).expect("a commit succeeds");
    }
    let reader = store.reader();
    let origin = 1_700_000_000 * SECOND;
    let span = |from: i64, seconds: i64| Span { from: Some(from), to: Some(from + seconds * SECOND) };
    let mut random = Random(7);
    let mut times: Vec<f64> = (0..500)
        .map(|_| {
            let from = origin + random.below(86_390 * SECOND as u64) as i64;
            let began = Instant::now();
            let strips = reader.wave_strip(SeriesId(0), span(from, 10)).expect("samples can be read");
            assert_eq!(strips.iter().map(|strip| strip.samples.len()).sum::<usize>(), 2_500);
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("day: a random strip of 10 s of ECG at 250 Hz: median {:.2} ms, 99th {:.2} ms, slowest {:.2} ms", times[250], times[495], times[499]);
    for (name, seconds, columns) in [("day", 86_400, 1_920), ("hour", 3_600, 1_920), ("ten minutes", 600, 1_920)] {
        let mut times: Vec<f64> = (0..21)
            .map(|_| {
                let began = Instant::now();
                let found = reader.wave_overview(SeriesId(0), span(origin, seconds), columns);
                assert!(found.expect("it can be drawn").len() > 1_800);
                began.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("  overview of {name} in {columns} columns: median {:.1} ms, slowest {:.1} ms", times[10], times[20]);
    }
    drop((reader, store));
    let file = length(&folder.join("store.sqlite"));
    println!("  a bed-day of four channels: {samples} samples in {} MiB, {:.3} bytes a sample", file >> 20, file as f64 / samples as f64);
}

/// Every record of a folder: what the database takes, as one object.
fn sizes(folder: &Path, records: &Path) {
    let mut store = open(folder);
    let (mut samples, mut checkpoint) = (0, 0);
    let mut names: Vec<_> = std::fs::read_dir(records)
        .expect("the folder of records can be read")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "dat"))
        .collect();
    names.sort();
    let rate = Rate::new(360, 1).expect("not 0");
    let began = thread_cpu();
    for (number, name) in (0_u32..).zip(&names) {
        let leads = format_212(&std::fs::read(name).expect("a record can be read"));
        samples += leads.iter().map(Vec::len).sum::<usize>();
        for begin in (0..leads[0].len()).step_by(3_600) {
            let mut waves = Vec::new();
            for (lead, counts) in (0..).zip(&leads) {
                let end = counts.len().min(begin + 3_600);
                for first in (begin..end).step_by(360) {
                    let counts = &counts[first..end.min(first + 360)];
                    let offset = 4_000 * first as u64 / 360 + lead;
                    waves.push((SeriesId(2 * number + lead as u32), run(rate, first as u64, counts, offset)));
                }
            }
            checkpoint += 1;
            store.commit(&Commit { checkpoint, waves, ..Commit::default() }).expect("a commit succeeds");
        }
    }
    let cpu = thread_cpu() - began;
    drop(store);
    let database = length(&folder.join("store.sqlite"));
    let file = rusqlite::Connection::open(folder.join("store.sqlite")).expect("the database opens");
    let blocks: i64 = file
        .query_row(
            "select (select sum(length(data)) from wave_blocks) + \
             (select coalesce(sum(length(data)), 0) from wave_fresh)",
            [],
            |row| row.get(0),
        )
        .expect("blocks can be counted");
    let beside: i64 = file
        .query_row("select sum(length(outline)) + sum(length(pyramid)) from wave_blocks", [], |row| row.get(0))
        .expect("blocks can be counted");
    println!(
        "{{\"records\":{},\"samples\":{samples},\"database_bytes\":{database},\"block_bytes\":{},\"data_bytes\":{blocks},\
         \"cpu_s\":{cpu:.2}}}",
        names.len(),
        blocks + beside
    );
}

/// The two leads of WFDB's format 212: two samples of 12 bits in three bytes.
fn format_212(bytes: &[u8]) -> [Vec<i32>; 2] {
    let mut leads = [Vec::new(), Vec::new()];
    for group in bytes.chunks_exact(3) {
        let signed = |low: u8, high: u8| (i32::from(low) | i32::from(high) << 8) << 20 >> 20;
        leads[0].push(signed(group[0], group[1] & 15));
        leads[1].push(signed(group[2], group[1] >> 4));
    }
    leads
}
