//! What keeping the newest samples costs: `cargo run --release -p live --example waves_cost`.
//!
//! A thousand beds (ECG 250 Hz, pleth and pressure 125 Hz, respiration 62.5 Hz), a frame of a second
//! each; a commit takes what came every ten seconds. Prints memory and processor time.

use std::sync::Arc;
use std::time::Instant;

use live::Live;
use vitals::time::SECOND;
use vitals::{EffectiveTime, Quality, Rate, ReceiveTime, Scale, SeriesId, WaveRun, WaveSamples};

const BEDS: u32 = 1_000;
const SECONDS: u64 = 40;
const RATES: [(u32, u32); 4] = [(250, 1), (125, 1), (125, 1), (125, 2)];

/// Resident memory in bytes; 0 where it can't be read.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}

fn main() {
    let live = Live::new(0);
    let waves = live.waves();
    let (before, mut pushing, mut frames) = (resident(), std::time::Duration::ZERO, 0_u64);
    let mut leaving = std::time::Duration::ZERO;
    for second in 0..SECONDS {
        let now = ReceiveTime(second as i64 * SECOND);
        for bed in 0..BEDS {
            for (channel, (n, d)) in RATES.into_iter().enumerate() {
                let Some(rate) = Rate::new(n, d) else { continue };
                let (first, end) = (second * u64::from(n) / u64::from(d), (second + 1) * u64::from(n) / u64::from(d));
                let run = WaveRun {
                    anchor: EffectiveTime(0),
                    rate,
                    first,
                    scale: Scale::ONE,
                    samples: WaveSamples::Counts(Arc::from(vec![bed as i32; (end - first) as usize])),
                    received: now,
                    offset: frames,
                    index: 0,
                    quality: Quality::empty(),
                };
                let begin = Instant::now();
                waves.push(SeriesId(bed * 4 + channel as u32), &run, frames.saturating_sub(80_000));
                pushing += begin.elapsed();
                frames += 1;
            }
        }
        if second % 10 == 9 {
            let begin = Instant::now();
            waves.leave();
            waves.left(frames, now);
            leaving += begin.elapsed();
        }
    }
    let (channels, samples) = waves.kept();
    println!(
        "{channels} channels, {samples} samples kept in {:.1} MB; {:.0} ns a frame; {:.1} ms a commit; {:.2}% of a core",
        resident().saturating_sub(before) as f64 / 1e6,
        pushing.as_nanos() as f64 / frames as f64,
        leaving.as_secs_f64() * 1e3 / (SECONDS / 10) as f64,
        (pushing + leaving).as_secs_f64() / SECONDS as f64 * 100.0,
    );
}
