//! A block of samples as it is in memory, and what is known of it without its samples.

use vitals::samples::MISSING;
use vitals::{EffectiveTime, Offset, Quality, Rate, ReceiveTime, Scale};

use super::arrange::{Piece, Slice};

/// A block: samples of one series at one scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// What is known without the samples.
    pub outline: Outline,
    /// The samples of all segments, one after the other.
    pub data: Data,
}

/// Everything but the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// From counts to values in the metric's unit.
    pub scale: Scale,
    /// Parts of unbroken stretches, in order of time.
    pub segments: Vec<Segment>,
    /// The frames that the samples came in, segment by segment.
    pub frames: Vec<Frame>,
}

/// A part of an unbroken stretch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// When the stretch began.
    pub anchor: EffectiveTime,
    /// Its rate.
    pub rate: Rate,
    /// Which sample of the stretch the first one here is.
    pub first: u64,
    /// How many frames.
    pub frames: usize,
    /// How many samples, all frames together.
    pub samples: usize,
}

impl Segment {
    /// When sample `at` of this segment was true.
    #[must_use]
    pub fn time_of(&self, at: usize) -> EffectiveTime {
        self.anchor.plus(self.rate.micros(self.first.saturating_add(at as u64)))
    }

    /// Time of the last sample.
    pub(crate) fn last_time(&self) -> EffectiveTime {
        self.time_of(self.samples.saturating_sub(1))
    }

    /// The samples here whose times lie in `from ..= last`, as positions.
    pub(crate) fn within(&self, from: i64, last: i64) -> std::ops::Range<usize> {
        let position = |time: i64| {
            let index = self.rate.index_at(time.saturating_sub(self.anchor.0));
            usize::try_from(index.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.samples)
        };
        let start = if from <= self.time_of(0).0 { 0 } else { position(from) };
        let end = if last >= self.last_time().0 { self.samples } else { position(last.saturating_add(1)) };
        start.min(end)..end
    }

    /// Whether a segment that begins there goes on where this one ends.
    fn goes_on(&self, piece: &Piece<'_>) -> bool {
        self.anchor == piece.anchor
            && self.rate == piece.rate
            && self.first.checked_add(self.samples as u64) == Some(piece.first)
    }
}

/// One frame: the samples that one reading of one message brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// How many samples.
    pub samples: u32,
    /// Received so many milliseconds after the time of its first sample.
    pub delay_ms: i64,
    /// The journal entry.
    pub offset: Offset,
    /// Which reading of it.
    pub index: u16,
    /// What is known against the samples.
    pub quality: Quality,
}

impl Frame {
    /// When a frame whose first sample was true then was received.
    #[must_use]
    pub fn received(&self, start: EffectiveTime) -> ReceiveTime {
        ReceiveTime(start.0.saturating_add(self.delay_ms.saturating_mul(1_000)))
    }
}

/// The samples of a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Counts; [`MISSING`] where there is none.
    Counts(Vec<i32>),
    /// Values; NaN where there is none.
    Real(Vec<f64>),
}

impl Data {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Counts(counts) => counts.len(),
            Self::Real(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Smallest and largest value of a part, none if all are missing.
    pub(crate) fn range(&self, part: std::ops::Range<usize>, scale: &Scale) -> Option<(f64, f64)> {
        match self {
            Self::Counts(counts) => {
                let (low, high) = range_of_counts(&counts[part])?;
                let (a, b) = (scale.value(low), scale.value(high));
                Some((a.min(b), a.max(b)))
            }
            Self::Real(values) => range_of_values(&values[part]),
        }
    }

    fn append(&mut self, samples: Slice<'_>) {
        match (self, samples) {
            (Self::Counts(all), Slice::Counts(more)) => all.extend_from_slice(more),
            (Self::Real(all), Slice::Real(more)) => all.extend_from_slice(more),
            // Pieces of one block are of one kind: `arrange` sees to it.
            _ => {}
        }
    }
}

/// Lowest and highest count, none if all are missing.
pub(super) fn range_of_counts(counts: &[i32]) -> Option<(i32, i32)> {
    // The missing one is the lowest of all numbers: one below it, it is the highest.
    let (mut low, mut high) = (i32::MAX, MISSING);
    for count in counts {
        low = low.min(count.wrapping_sub(1));
        high = high.max(*count);
    }
    (high != MISSING).then(|| (low.wrapping_add(1), high))
}

/// Lowest and highest value, none if all are missing.
pub(super) fn range_of_values(values: &[f64]) -> Option<(f64, f64)> {
    let range = values.iter().fold((f64::NAN, f64::NAN), |(low, high), value| (low.min(*value), high.max(*value)));
    (!range.0.is_nan()).then_some(range)
}

/// What a row says of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// Time of the first and of the last sample.
    pub time: (i64, i64),
    /// Lowest and highest journal offset.
    pub offset: (u64, u64),
    /// Earliest and latest receive time.
    pub received: (i64, i64),
    /// Number of frames.
    pub frames: usize,
    /// Number of samples.
    pub samples: usize,
    /// All flags that any frame has.
    pub quality: Quality,
}

impl Block {
    /// A block of pieces that [`super::arrange`] put together; at least one.
    pub(crate) fn of(pieces: &[Piece<'_>]) -> Self {
        let total = pieces.iter().map(|piece| piece.samples.len()).sum();
        let data = match pieces[0].samples {
            Slice::Counts(_) => Data::Counts(Vec::with_capacity(total)),
            Slice::Real(_) => Data::Real(Vec::with_capacity(total)),
        };
        let outline = Outline { scale: pieces[0].scale, segments: Vec::new(), frames: Vec::new() };
        let mut block = Self { outline, data };
        for piece in pieces {
            block.push(piece);
        }
        block
    }

    fn push(&mut self, piece: &Piece<'_>) {
        let segments = &mut self.outline.segments;
        if !segments.last().is_some_and(|last| last.goes_on(piece)) {
            let Piece { anchor, rate, first, .. } = *piece;
            segments.push(Segment { anchor, rate, first, frames: 0, samples: 0 });
        }
        if let Some(segment) = segments.last_mut() {
            segment.frames += 1;
            segment.samples += piece.samples.len();
        }
        self.outline.frames.push(Frame {
            samples: piece.samples.len() as u32,
            delay_ms: delay_ms(piece.received, piece.start()),
            offset: piece.offset,
            index: piece.index,
            quality: piece.quality,
        });
        self.data.append(piece.samples);
    }

    /// The frames again, each with its samples.
    pub(crate) fn pieces(&self) -> Vec<Piece<'_>> {
        let mut out = Vec::with_capacity(self.outline.frames.len());
        self.outline.each_frame(|segment, position, begin, frame| {
            let part = begin..begin + frame.samples as usize;
            out.push(Piece {
                anchor: segment.anchor,
                rate: segment.rate,
                first: segment.first.saturating_add(position as u64),
                scale: self.outline.scale,
                samples: match &self.data {
                    Data::Counts(counts) => Slice::Counts(&counts[part]),
                    Data::Real(values) => Slice::Real(&values[part]),
                },
                received: frame.received(segment.time_of(position)),
                offset: frame.offset,
                index: frame.index,
                quality: frame.quality,
            });
        });
        out
    }

}

impl Outline {
    /// Number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.segments.iter().map(|segment| segment.samples).sum()
    }

    /// Calls `take` with each frame: its segment, the position of its first sample in the segment,
    /// that in the block, and the frame.
    pub(crate) fn each_frame(&self, mut take: impl FnMut(&Segment, usize, usize, &Frame)) {
        let (mut begin, mut frames) = (0, self.frames.iter());
        for segment in &self.segments {
            let mut position = 0;
            for frame in frames.by_ref().take(segment.frames) {
                take(segment, position, begin, frame);
                position += frame.samples as usize;
                begin += frame.samples as usize;
            }
        }
    }

    /// What its row says.
    pub(crate) fn head(&self) -> Head {
        let mut head = Head {
            time: (i64::MAX, i64::MIN),
            offset: (u64::MAX, 0),
            received: (i64::MAX, i64::MIN),
            frames: self.frames.len(),
            samples: self.samples(),
            quality: Quality::empty(),
        };
        for segment in &self.segments {
            head.time.0 = head.time.0.min(segment.time_of(0).0);
            head.time.1 = head.time.1.max(segment.last_time().0);
        }
        self.each_frame(|segment, position, _, frame| {
            let received = frame.received(segment.time_of(position)).0;
            head.received = (head.received.0.min(received), head.received.1.max(received));
            head.offset = (head.offset.0.min(frame.offset), head.offset.1.max(frame.offset));
            head.quality |= frame.quality;
        });
        head
    }
}

/// Receive time minus the time of the first sample, in milliseconds, rounded to the nearest.
fn delay_ms(received: ReceiveTime, start: EffectiveTime) -> i64 {
    received.0.saturating_sub(start.0).saturating_add(500).div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_one_is_neither_low_nor_high() {
        assert_eq!(range_of_counts(&[MISSING, 3, -7, MISSING]), Some((-7, 3)));
        assert_eq!(range_of_counts(&[i32::MAX, -i32::MAX]), Some((-i32::MAX, i32::MAX)));
        assert_eq!(range_of_counts(&[MISSING, MISSING]), None);
        assert_eq!(range_of_counts(&[]), None);
        assert_eq!(range_of_values(&[f64::NAN, 2.0]), Some((2.0, 2.0)));
    }
}
