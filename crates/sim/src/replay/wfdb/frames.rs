//! A record cut into frames of a second.

use vitals::samples::MISSING;

use super::{Track, Wave};
use crate::wire::frame::{self, Channel, Samples};

/// A frame and what it holds.
pub(super) struct Second {
    /// Which second of the record.
    pub(super) number: i64,
    /// The frame; its time is `base_us` + the second.
    pub(super) payload: Vec<u8>,
    /// Samples that are not missing.
    pub(super) samples: usize,
}

/// The frames of a record, in order; seconds without samples have none.
pub(super) struct Frames<'a> {
    waves: &'a [Wave],
    /// Next segment and sample of each wave.
    places: Vec<(usize, usize)>,
    base_us: i64,
    flags: u8,
    sequence: u32,
}

/// Samples of one segment that belong to a second.
struct Part<'a> {
    wave: &'a Wave,
    segment: &'a record::Segment,
    from: usize,
    to: usize,
    gapped: Vec<Option<i32>>,
}

impl<'a> Frames<'a> {
    /// The record's second 0 is at `base_us`, microseconds since 1970.
    pub(super) fn new(track: &'a Track, base_us: i64, flags: u8) -> Self {
        let waves = track.waves.as_slice();
        Self { waves, places: vec![(0, 0); waves.len()], base_us, flags, sequence: 0 }
    }

    fn next_sample_us(&self) -> Option<i64> {
        let next = |(wave, (segment, sample)): (&Wave, &(usize, usize))| {
            let segment = wave.channel.segments.get(*segment)?;
            Some(segment.time_us(wave.channel.rate, *sample as u64))
        };
        self.waves.iter().zip(&self.places).filter_map(next).min()
    }

    /// Takes the samples before `end_us` of one wave.
    fn take(&mut self, at: usize, end_us: i64, parts: &mut Vec<Part<'a>>) {
        let wave = &self.waves[at];
        let (segment_at, sample_at) = &mut self.places[at];
        while let Some(segment) = wave.channel.segments.get(*segment_at) {
            let before_end = wave.channel.rate.index_at(end_us - segment.anchor_us).saturating_sub(segment.first);
            let to = usize::try_from(before_end).unwrap_or(usize::MAX).min(segment.samples.len());
            if to > *sample_at {
                let samples = &segment.samples[*sample_at..to];
                let gapped = if samples.contains(&MISSING) {
                    samples.iter().map(|count| (*count != MISSING).then_some(*count)).collect()
                } else {
                    Vec::new()
                };
                parts.push(Part { wave, segment, from: *sample_at, to, gapped });
                *sample_at = to;
            }
            if *sample_at < segment.samples.len() {
                return;
            }
            (*segment_at, *sample_at) = (*segment_at + 1, 0);
        }
    }
}

impl Iterator for Frames<'_> {
    type Item = Second;

    fn next(&mut self) -> Option<Second> {
        loop {
            let second = self.second()?;
            if second.samples > 0 {
                self.sequence = self.sequence.wrapping_add(1);
                return Some(second);
            }
        }
    }
}

impl<'a> Frames<'a> {
    /// The next second, even if all its samples are missing.
    fn second(&mut self) -> Option<Second> {
        let number = self.next_sample_us()?.div_euclid(1_000_000);
        let (begin_us, end_us) = (number * 1_000_000, (number + 1) * 1_000_000);
        let mut parts = Vec::new();
        for at in 0..self.waves.len() {
            self.take(at, end_us, &mut parts);
        }
        let channels: Vec<Channel<'_>> = parts.iter().map(|part| part.channel(begin_us)).collect();
        let samples = parts.iter().map(Part::present).sum();
        let mut payload = Vec::new();
        frame::encode_flagged(&mut payload, self.flags, self.sequence, self.base_us + begin_us, &channels);
        Some(Second { number, payload, samples })
    }
}

impl Part<'_> {
    fn channel(&self, begin_us: i64) -> Channel<'_> {
        let rate = self.wave.channel.rate;
        let (scale, offset) = self.wave.scale(&self.segment.scale);
        let delay_us = self.segment.time_us(rate, self.from as u64) - begin_us;
        Channel {
            metric: self.wave.metric,
            channel: self.wave.number,
            rate: (rate.numerator(), rate.denominator()),
            delay_us: i32::try_from(delay_us).unwrap_or(0),
            quality: 0,
            scale,
            offset,
            samples: if self.gapped.is_empty() {
                Samples::Counts(&self.segment.samples[self.from..self.to])
            } else {
                Samples::Gapped(&self.gapped)
            },
        }
    }

    fn present(&self) -> usize {
        if self.gapped.is_empty() { self.to - self.from } else { self.gapped.iter().flatten().count() }
    }
}
