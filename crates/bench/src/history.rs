//! A day of twelve trends: how fast it is answered, and what a stored numeric takes.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use sim::random::Random;
use store::{Commit, SqliteStore, Store};
use vitals::{
    DeviceId, EffectiveTime, Metric, Point, Quality, ReceiveTime, SeriesId, SeriesKey,
};

use crate::device::Device;
use crate::report::{Budget, Report};
use crate::server::Server;
use crate::ward::{self, Bed, CONTINUOUS, NUMERICS};
use crate::Bench;

/// Seconds of recording in one message.
const PER_MESSAGE: i64 = 30;
/// Intervals asked for: what a wide screen can draw.
const POINTS: usize = 1_000;
/// Queries timed.
const QUERIES: usize = 41;

/// 24 hours of 12 trends for one patient over HTTP.
///
/// # Errors
/// When the platform fails or not all of the day is answered.
pub async fn trends(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let (server, _) = Server::start(&bench.binary, folder.path()).await?;
    let seconds = 86_400_i64;
    let from = ward::now_us() / 1_000_000 - seconds - 60;
    ward::admit(&server, "day", 1, Some(from * 1_000 - 1_000)).await?;
    let mut device = Device::connect(&server.mqtt, "day-0", "recording").await?;
    let mut bed = Bed::new(3);
    for start in (0..seconds).step_by(PER_MESSAGE as usize) {
        device.send(&recording(&mut bed, from + start)).await?;
        device.settle(8).await?;
    }
    device.settle(0).await?;
    let values = seconds as u64 * 12;
    // Scores that the day gave rise to are stored beside the values.
    let stored = server.stored_at_least(values).await?;
    let metrics: Vec<&str> = NUMERICS.iter().map(|(name, _)| *name).collect();
    let path = format!(
        "/api/v1/patients/{}/trends?metrics={}&from={}&to={}&points={POINTS}",
        ward::patient("day", 0),
        metrics.join(","),
        from * 1_000,
        (from + seconds) * 1_000,
    );
    let mut times = Vec::with_capacity(QUERIES);
    let before = server.usage().cpu_s;
    for _ in 0..QUERIES {
        let asked = Instant::now();
        let answer = server.http.get(&path).await?;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        ensure!(answer.len() > 100_000, "the day was not answered in full");
    }
    let (first, cpu) = (times[0], (server.usage().cpu_s - before) / QUERIES as f64 * 1e3);
    times.sort_by(f64::total_cmp);
    report.note(format!(
        "trends: {stored} readings stored; the first query took {first:.1} ms; {cpu:.1} ms of \
         processor time each"
    ));
    report.against(
        "trends_24h_12_ms",
        "24 h of 12 trends for one patient, whole HTTP answer, median",
        times[QUERIES / 2],
        "ms",
        Budget::AtMost(10.0),
    );
    Ok(())
}

/// Half a minute of twelve numerics as one SenML pack.
fn recording(bed: &mut Bed, start: i64) -> Vec<u8> {
    let mut text = String::from("[");
    for second in 0..PER_MESSAGE {
        for ((name, _), value) in NUMERICS.iter().zip(bed.next()) {
            let first = text.len() == 1;
            let base = if first { format!("\"bt\":{start},") } else { String::new() };
            let comma = if first { "" } else { "," };
            text.push_str(&format!("{comma}{{{base}\"n\":\"{name}\",\"t\":{second},\"v\":{value}}}"));
        }
    }
    text.push(']');
    text.into_bytes()
}

/// Bytes of a stored numeric: virtual patients' continuous numerics at 1 Hz, committed every ten
/// seconds as the platform does it, with and without a clock in the device.
///
/// # Errors
/// When the store fails.
pub async fn bytes(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder()?;
    let hours = if bench.quick { 2 } else { 12 };
    let mut runs = Vec::new();
    for clock in [true, false] {
        let file = folder.path().join(format!("clock-{clock}.db"));
        runs.push(tokio::task::spawn_blocking(move || per_numeric(&file, clock, hours)));
    }
    let mut found = Vec::new();
    for run in runs {
        found.push(run.await??);
    }
    report.against(
        "bytes_per_numeric",
        "bytes of a stored numeric, with everything around it",
        found[0],
        "B",
        Budget::AtMost(2.5),
    );
    report.against(
        "bytes_per_numeric_without_clock",
        "… from a device without a clock",
        found[1],
        "B",
        Budget::AtMost(2.5),
    );
    Ok(())
}

const PATIENTS: u32 = 4;

fn per_numeric(file: &Path, clock: bool, hours: i64) -> anyhow::Result<f64> {
    let mut store = SqliteStore::open_sealed(file, &seal::Key::new([11; 32]))?;
    let mut random = Random::new(11);
    let mut beds: Vec<Bed> = (0..PATIENTS).map(|at| Bed::new(u64::from(at) + 1)).collect();
    let series = PATIENTS * CONTINUOUS as u32;
    let mut commit = Commit { series: (0..series).map(key).collect::<Result<_, _>>()?, ..Commit::default() };
    let mut waiting: Vec<Vec<Point>> = vec![Vec::new(); series as usize];
    let start = ward::now_us() / 1_000_000 * 1_000_000 - hours * 3_600_000_000;
    let (mut offset, mut count) = (0, 0_u64);
    for second in 0..hours * 3_600 {
        for (at, bed) in beds.iter_mut().enumerate() {
            let due = start + second * 1_000_000 + at as i64 * 137_911;
            // A network's delay: 5 ms, and what chance adds.
            let received = due + 5_000 + (random.uniform() * 2_000.0 + random.uniform() * 3_000.0) as i64;
            let time = if clock { due } else { received };
            let quality = if clock { Quality::empty() } else { Quality::NO_DEVICE_TIME };
            for (index, value) in (0_u16..).zip(bed.next().into_iter().take(CONTINUOUS)) {
                waiting[at * CONTINUOUS + usize::from(index)].push(Point {
                    time: EffectiveTime(time),
                    received: ReceiveTime(received),
                    value,
                    offset,
                    index,
                    quality,
                });
                count += 1;
            }
            // Messages of other devices come between.
            offset += 1 + u64::from(random.uniform() < 0.5);
        }
        if second % 10 == 9 {
            commit.checkpoint = offset;
            let moved = waiting.iter_mut().zip(0..);
            commit.points = moved.map(|(p, id)| (SeriesId(id), std::mem::take(p))).collect();
            store.commit(&commit)?;
            commit.series.clear();
        }
    }
    drop(store);
    let size = std::fs::metadata(file).context("the store's file is gone")?.len();
    Ok(size as f64 / count as f64)
}

fn key(series: u32) -> anyhow::Result<(SeriesId, SeriesKey)> {
    let (bed, at) = (series / CONTINUOUS as u32, series as usize % CONTINUOUS);
    let key = SeriesKey {
        subject: Some(ward::patient("bytes", bed as usize)),
        device: DeviceId::new(&format!("bytes-{bed}"))?,
        metric: Metric::by_refid(NUMERICS[at].0).context("a metric of the table")?.code,
        channel: 0,
    };
    Ok((SeriesId(series), key))
}
