//! What a bed under waveform load sends, second by second: pure, so that what must be in the
//! store afterwards can be worked out again from the bed's number alone.

use std::sync::Arc;

use flate2::Crc;
use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::waveform::Lap;
use crate::wire::{frame, senml};

/// Laps that the beds share; each begins somewhere else and is shifted and scaled by itself.
pub const LAPS: usize = 64;

/// The laps of a seed, as many as so many beds need.
#[must_use]
pub fn laps(seed: u64, beds: usize) -> Arc<Vec<Lap>> {
    let all = 0..LAPS.min(beds.max(1)) as u64;
    Arc::new(all.map(|lap| Lap::new(seed * LAPS as u64 + lap)).collect())
}

/// A bed that plays its lap again and again.
#[derive(Debug, Clone)]
pub struct WaveBed {
    /// Its device.
    pub device: String,
    laps: Arc<Vec<Lap>>,
    index: usize,
    /// Time of the first sample, µs since 1970.
    base_us: i64,
}

/// What of one waveform must be in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelManifest {
    /// Reference id of the metric.
    pub metric: String,
    /// Samples a second as a fraction.
    pub rate: (u32, u32),
    /// Number of samples.
    pub samples: u64,
    /// CRC-32 (as in zlib) of the counts, in order, each as a little-endian i32.
    pub crc32: u32,
    /// Time of the first sample, µs since 1970.
    pub first_us: i64,
}

/// What of one bed must be in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BedManifest {
    /// The device.
    pub device: String,
    /// Frames sent at least once.
    pub sent: u64,
    /// Frames acknowledged: all of them from the first on.
    pub acknowledged: u64,
    /// Heartbeats in the acknowledged frames.
    pub beats: u64,
    /// Packs of twelve numerics acknowledged.
    pub numerics: u64,
    /// The waveforms.
    pub channels: Vec<ChannelManifest>,
}

impl WaveBed {
    /// Bed `index`, whose first sample is taken at `base_us`.
    #[must_use]
    pub fn new(prefix: &str, laps: &Arc<Vec<Lap>>, index: usize, base_us: i64) -> Self {
        Self { device: format!("{prefix}-{index}"), laps: Arc::clone(laps), index, base_us }
    }

    /// Appends frame `second` to `out`.
    pub fn frame(&self, second: u64, out: &mut Vec<u8>) {
        let lap_second = self.lap_second(second);
        let mut shifted: [Vec<i32>; 4] = Default::default();
        for (at, into) in shifted.iter_mut().enumerate() {
            into.extend(self.counts(at, second));
        }
        let channels: [frame::Channel<'_>; 4] = std::array::from_fn(|at| {
            let channel = Lap::CHANNELS[at];
            let scale = channel.scale() * (1.0 + 0.05 * (self.index % 7) as f64);
            frame::Channel {
                metric: channel.code(),
                channel: 0,
                rate: channel.rate(),
                delay_us: channel.delay_us(lap_second),
                quality: 0,
                scale,
                offset: -scale * f64::from(self.shift()),
                samples: frame::Samples::Counts(&shifted[at]),
            }
        });
        let time_us = self.base_us + second as i64 * 1_000_000;
        frame::encode(out, second as u32, time_us, &channels);
    }

    /// Twelve numerics that fit the waveforms, at the end of `second`, as SenML.
    #[must_use]
    pub fn numerics(&self, second: u64) -> Vec<u8> {
        let v = &self.lap().vitals;
        let mut random = Random::new((self.index as u64) << 32 | second);
        let mut near = |value: f64, spread: f64| (value + spread * random.normal()).round();
        let values = [
            ("MDC_ECG_HEART_RATE", near(v.heart_rate, 1.0)),
            ("MDC_PULS_OXIM_PULS_RATE", near(v.pulse_rate, 1.0)),
            ("MDC_PULS_OXIM_SAT_O2", near(v.spo2, 0.4).min(100.0)),
            ("MDC_RESP_RATE", near(v.resp_rate, 0.5)),
            ("MDC_TEMP_BODY", v.temperature),
            ("MDC_PRESS_BLD_ART_ABP_SYS", near(v.systolic, 1.5)),
            ("MDC_PRESS_BLD_ART_ABP_DIA", near(v.diastolic, 1.0)),
            ("MDC_PRESS_BLD_ART_ABP_MEAN", near(v.mean, 1.0)),
            ("MDC_AWAY_CO2_ET", near(v.etco2, 0.5)),
            ("MDC_PRESS_BLD_NONINV_SYS", v.systolic.round()),
            ("MDC_PRESS_BLD_NONINV_DIA", v.diastolic.round()),
            ("MDC_PRESS_BLD_NONINV_MEAN", v.mean.round()),
        ];
        let values = values.map(|(name, value)| senml::Value { name, unit: "", value });
        senml::json(self.base_us + (second as i64 + 1) * 1_000_000, &values)
    }

    /// What must be in the store once frames 0 to `acknowledged` − 1 are.
    #[must_use]
    pub fn manifest(&self, sent: u64, acknowledged: u64, numerics: u64) -> BedManifest {
        let channels = (0..Lap::CHANNELS.len()).map(|at| {
            let channel = Lap::CHANNELS[at];
            let (mut crc, mut samples) = (Crc::new(), 0);
            let mut bytes = Vec::with_capacity(1_000);
            for second in 0..acknowledged {
                bytes.clear();
                for count in self.counts(at, second) {
                    bytes.extend(count.to_le_bytes());
                }
                samples += bytes.len() as u64 / 4;
                crc.update(&bytes);
            }
            ChannelManifest {
                metric: channel.refid().to_owned(),
                rate: channel.rate(),
                samples,
                crc32: crc.sum(),
                first_us: self.base_us + i64::from(channel.delay_us(self.lap_second(0))),
            }
        });
        let beats = (0..acknowledged).map(|second| self.beats_in(self.lap_second(second))).sum();
        BedManifest {
            device: self.device.clone(),
            sent,
            acknowledged,
            beats,
            numerics,
            channels: channels.collect(),
        }
    }

    fn beats_in(&self, lap_second: u64) -> u64 {
        let within = lap_second as f64..(lap_second + 1) as f64;
        self.lap().beats.iter().filter(|beat| within.contains(*beat)).count() as u64
    }

    fn counts(&self, at: usize, second: u64) -> impl Iterator<Item = i32> {
        let (channel, lap_second, shift) = (Lap::CHANNELS[at], self.lap_second(second), self.shift());
        let from = channel.first_sample(lap_second) as usize;
        let to = channel.first_sample(lap_second + 1) as usize;
        self.lap().counts[at][from..to].iter().map(move |count| count + shift)
    }

    fn lap(&self) -> &Lap {
        &self.laps[self.index % self.laps.len()]
    }

    fn shift(&self) -> i32 {
        (self.index % 16) as i32
    }

    fn lap_second(&self, second: u64) -> u64 {
        let (lap, round) = (self.index % self.laps.len(), self.index / self.laps.len());
        (second + (11 * lap + 7 * round) as u64) % Lap::SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_reads_what_the_manifest_says() {
        let laps = laps(1, 8);
        let bed = WaveBed::new("t", &laps, 70, 1_700_000_000_000_000);
        let manifest = bed.manifest(130, 130, 0);
        let mut crcs: Vec<(Crc, u64)> = (0..4).map(|_| (Crc::new(), 0)).collect();
        for second in 0..130 {
            let mut bytes = Vec::new();
            bed.frame(second, &mut bytes);
            let (frame, faults) = mapping::frame::decode(&bytes).expect("a frame");
            assert!(faults.is_empty());
            let channels = frame.channels.iter().zip(&mut crcs).zip(&manifest.channels);
            for ((channel, (crc, samples)), expected) in channels {
                // The next sample is where counting says it is.
                let (numerator, denominator) =
                    (i64::from(channel.rate_numerator), i64::from(channel.rate_denominator));
                let first = frame.time.0 + i64::from(channel.delay_us);
                let passed_us = *samples as i64 * denominator * 1_000_000 / numerator;
                assert_eq!(first, expected.first_us + passed_us);
                for count in &channel.samples {
                    crc.update(&count.to_le_bytes());
                }
                *samples += channel.samples.len() as u64;
            }
        }
        for (channel, (crc, samples)) in manifest.channels.iter().zip(&crcs) {
            assert_eq!((channel.samples, channel.crc32), (*samples, crc.sum()));
        }
        let minutes = 130.0 / 60.0;
        let rate = manifest.beats as f64 / minutes;
        assert!((rate / bed.lap().vitals.heart_rate - 1.0).abs() < 0.1, "{rate}");
    }

    #[test]
    fn no_two_beds_send_the_same() {
        let laps = laps(1, 8);
        let sums = (0..200).map(|bed| WaveBed::new("t", &laps, bed, 0).manifest(60, 60, 0).channels[0].crc32);
        assert_eq!(sums.collect::<std::collections::HashSet<_>>().len(), 200);
    }
}
