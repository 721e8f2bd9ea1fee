//! Stretches as they are read back: exact samples, each frame with where it came from.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use vitals::{
    EffectiveTime, Offset, Point, Quality, Rate, ReceiveTime, SampleArray, Samples, Scale, WaveRun,
    WaveSamples,
};

use super::block::{Block, Data, Outline, Segment};

/// Samples that follow each other without a gap, at one rate and scale.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveStrip {
    /// When the stretch began that this is a part of.
    pub anchor: EffectiveTime,
    /// Its rate.
    pub rate: Rate,
    /// Which sample of the stretch the first one here is.
    pub first: u64,
    /// From counts to values in the metric's unit.
    pub scale: Scale,
    /// The samples; at least one.
    pub samples: WaveSamples,
    /// The frames that they came in, in order; together as many samples as there are here.
    pub frames: Vec<WaveFrame>,
}

/// Where some samples came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaveFrame {
    /// How many samples.
    pub samples: u32,
    /// When they were received, to the millisecond.
    pub received: ReceiveTime,
    /// The journal entry that they came from.
    pub offset: Offset,
    /// Which reading of that entry.
    pub index: u16,
    /// What is known against them.
    pub quality: Quality,
}

impl WaveStrip {
    /// When the first sample was true.
    #[must_use]
    pub fn start(&self) -> EffectiveTime {
        self.time_of(0)
    }

    /// When the sample after the last one would be.
    #[must_use]
    pub fn end(&self) -> EffectiveTime {
        self.time_of(self.samples.len() as u64)
    }

    /// When sample `at` was true.
    #[must_use]
    pub fn time_of(&self, at: u64) -> EffectiveTime {
        self.anchor.plus(self.rate.micros(self.first.saturating_add(at)))
    }

    /// Appends the values in the metric's unit to `out`, NaN where there is none.
    pub fn values(&self, out: &mut Vec<f64>) {
        self.samples.values(&self.scale, out);
    }

    /// Frame by frame, as the samples were given to the store.
    #[must_use]
    pub fn runs(&self) -> Vec<WaveRun> {
        let mut begin = 0;
        self.frames
            .iter()
            .map(|frame| {
                let part = begin..begin + frame.samples as usize;
                let first = self.first.saturating_add(begin as u64);
                begin = part.end;
                WaveRun {
                    anchor: self.anchor,
                    rate: self.rate,
                    first,
                    scale: self.scale,
                    samples: match &self.samples {
                        WaveSamples::Counts(counts) => WaveSamples::Counts(counts[part].into()),
                        WaveSamples::Real(values) => WaveSamples::Real(values[part].into()),
                    },
                    received: frame.received,
                    offset: frame.offset,
                    index: frame.index,
                    quality: frame.quality,
                }
            })
            .collect()
    }
}

/// Anchor, rate, scale, whether values are real, sample.
type Place = (EffectiveTime, Rate, [u64; 3], bool, u64);

/// A strip being put together.
struct Growing {
    strip: WaveStrip,
    data: Data,
}

/// Puts parts of blocks together, where they follow each other.
#[derive(Default)]
pub(crate) struct Strips {
    parts: Vec<Growing>,
}

impl Strips {
    /// Takes from a block what lies in `from ..= last`.
    pub(crate) fn add(&mut self, block: &Block, from: i64, last: i64) {
        let (mut base, mut frame) = (0, 0);
        for segment in &block.outline.segments {
            let within = segment.within(from, last);
            let frames = &block.outline.frames[frame..frame + segment.frames];
            if !within.is_empty() {
                let part = base + within.start..base + within.end;
                let data = match &block.data {
                    Data::Counts(counts) => Data::Counts(counts[part].to_vec()),
                    Data::Real(values) => Data::Real(values[part].to_vec()),
                };
                let strip = WaveStrip {
                    anchor: segment.anchor,
                    rate: segment.rate,
                    first: segment.first.saturating_add(within.start as u64),
                    scale: block.outline.scale,
                    samples: WaveSamples::Counts(Arc::new([])),
                    frames: cut(segment, frames, within),
                };
                self.parts.push(Growing { strip, data });
            }
            base += segment.samples;
            frame += segment.frames;
        }
    }

    /// The strips in order of time.
    pub(crate) fn finish(mut self) -> Vec<WaveStrip> {
        self.parts.sort_by_key(|part| {
            let strip = &part.strip;
            (strip.start(), strip.anchor, strip.first, strip.frames.first().map(|f| (f.offset, f.index)))
        });
        let mut joined: Vec<Growing> = Vec::new();
        // Where a strip would go on: not always the one before, since stretches may overlap.
        let mut ends: HashMap<Place, usize> = HashMap::new();
        for mut part in self.parts {
            let (begin, end) = (part.place(part.strip.first), part.end());
            let at = match ends.remove(&begin) {
                Some(at) => {
                    joined[at].append(&mut part);
                    at
                }
                None => {
                    joined.push(part);
                    joined.len() - 1
                }
            };
            ends.insert(end, at);
        }
        let finished = joined.into_iter().map(|part| WaveStrip {
            samples: match part.data {
                Data::Counts(counts) => WaveSamples::Counts(counts.into()),
                Data::Real(values) => WaveSamples::Real(values.into()),
            },
            ..part.strip
        });
        finished.collect()
    }
}

impl Growing {
    /// Stretch, scale and kind, and a sample of it: where that is the same, samples follow.
    fn place(&self, sample: u64) -> Place {
        let WaveStrip { anchor, rate, scale, .. } = self.strip;
        let scale = [scale.factor, scale.divisor, scale.offset].map(f64::to_bits);
        (anchor, rate, scale, matches!(self.data, Data::Real(_)), sample)
    }

    fn end(&self) -> Place {
        self.place(self.strip.first.saturating_add(self.data.len() as u64))
    }

    fn append(&mut self, next: &mut Self) {
        match (&mut self.data, &mut next.data) {
            (Data::Counts(all), Data::Counts(more)) => all.append(more),
            (Data::Real(all), Data::Real(more)) => all.append(more),
            _ => {}
        }
        let mut more = next.strip.frames.drain(..).peekable();
        // A long frame was kept in parts.
        if let Some((last, first)) = self.strip.frames.last_mut().zip(more.peek())
            && (last.offset, last.index) == (first.offset, first.index)
            && let Some(samples) = last.samples.checked_add(first.samples)
        {
            last.samples = samples;
            more.next();
        }
        self.strip.frames.extend(more);
    }
}

/// The frames of a segment, as far as they lie within.
fn cut(segment: &Segment, frames: &[super::Frame], within: Range<usize>) -> Vec<WaveFrame> {
    let mut begin = 0;
    let mut out = Vec::with_capacity(frames.len());
    for frame in frames {
        let end = begin + frame.samples as usize;
        let samples = end.min(within.end).saturating_sub(begin.max(within.start));
        if samples > 0 {
            out.push(WaveFrame {
                samples: samples as u32,
                received: frame.received(segment.time_of(begin)),
                offset: frame.offset,
                index: frame.index,
                quality: frame.quality,
            });
        }
        begin = end;
    }
    out
}

/// The frames of a block as readings without a number, in order of segments. A frame that was
/// divided appears once for each part.
pub(crate) fn frame_points(outline: &Outline, mut take: impl FnMut(Point)) {
    outline.each_frame(|segment, position, _, frame| {
        let time = segment.time_of(position);
        take(Point {
            time,
            received: frame.received(time),
            value: f64::NAN,
            offset: frame.offset,
            index: frame.index,
            quality: frame.quality,
        });
    });
}

/// Appends the samples that one reading left in this block to an array of them.
pub(crate) fn run_of(block: &Block, offset: Offset, index: u16, array: &mut Option<SampleArray>) {
    block.outline.each_frame(|segment, _, begin, frame| {
        if (frame.offset, frame.index) != (offset, index) {
            return;
        }
        let part = begin..begin + frame.samples as usize;
        let array = array.get_or_insert_with(|| SampleArray {
            rate: segment.rate,
            scale: block.outline.scale,
            sequence: None,
            samples: match block.data {
                Data::Counts(_) => Samples::Counts(Vec::new()),
                Data::Real(_) => Samples::Real(Vec::new()),
            },
        });
        match (&mut array.samples, &block.data) {
            (Samples::Counts(all), Data::Counts(counts)) => all.extend_from_slice(&counts[part]),
            (Samples::Real(all), Data::Real(values)) => all.extend_from_slice(&values[part]),
            _ => {}
        }
    });
}
