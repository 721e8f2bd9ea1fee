//! Sums over samples, to compare what the journal concludes with what the store holds: the same
//! however frames were divided into blocks and stretches into strips.

use store::{Reader, Span, WaveStrip};
use vitals::{EffectiveTime, SeriesId, WaveRun, WaveSamples};

use crate::RuntimeError;

/// Stored samples are looked at so much time at once.
const PART: i64 = vitals::time::HOUR;

/// Samples of one series from some time on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WaveSum {
    /// How many.
    pub(crate) samples: u64,
    /// Sum over samples of a mixture of time, value, journal entry, reading and quality.
    sum: u64,
}

impl WaveSum {
    /// Takes in the samples of a run that are not before `since`.
    pub(crate) fn add(&mut self, run: &WaveRun, since: EffectiveTime) {
        let frame = mix(run.offset ^ mix(u64::from(run.index) << 16 | u64::from(run.quality.bits())));
        for at in 0..run.samples.len() {
            let time = run.time_of(at as u64);
            if time < since {
                continue;
            }
            let value = match &run.samples {
                WaveSamples::Counts(counts) => run.scale.value(counts[at]),
                WaveSamples::Real(values) => values[at],
            };
            // Any NaN is a missing sample.
            let value = if value.is_nan() { 1 } else { value.to_bits() };
            self.samples += 1;
            self.sum = self.sum.wrapping_add(mix(time.0 as u64 ^ mix(value ^ frame)));
        }
    }

    /// What the store holds of a series from `since` on.
    pub(crate) fn stored(store: &Reader, series: SeriesId, since: EffectiveTime) -> Result<Self, RuntimeError> {
        let mut sum = Self::default();
        let Some(extent) = store.wave_extent(series)? else { return Ok(sum) };
        let mut from = extent.first.max(since).0;
        while from <= extent.last.0 {
            let to = from.saturating_add(PART);
            let strips = store.wave_strip(series, Span { from: Some(from), to: Some(to) })?;
            for run in strips.iter().flat_map(WaveStrip::runs) {
                sum.add(&run, since);
            }
            from = to;
        }
        Ok(sum)
    }
}

/// One number to another, all bits mixed (the finaliser of SplitMix64, Steele and others 2014).
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
