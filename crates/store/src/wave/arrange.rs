//! Frames in order of time, and which of them go together into a block.

use vitals::{EffectiveTime, Offset, Quality, Rate, ReceiveTime, Scale, WaveRun, WaveSamples};

use super::{BLOCK_SAMPLES, GAP_MAX, SPAN_MAX};

/// A longer frame than any door takes is kept in parts; a shorter one, however long, in one block.
const PIECE_SAMPLES: usize = 1 << 19;

/// Samples of one frame, or a part of a long one, in their place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'a> {
    pub(crate) anchor: EffectiveTime,
    pub(crate) rate: Rate,
    pub(crate) first: u64,
    pub(crate) scale: Scale,
    pub(crate) samples: Slice<'a>,
    pub(crate) received: ReceiveTime,
    pub(crate) offset: Offset,
    pub(crate) index: u16,
    pub(crate) quality: Quality,
}

/// Samples that belong to somebody else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Slice<'a> {
    Counts(&'a [i32]),
    Real(&'a [f64]),
}

impl Slice<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Counts(counts) => counts.len(),
            Self::Real(values) => values.len(),
        }
    }
}

impl Piece<'_> {
    pub(crate) fn start(&self) -> EffectiveTime {
        self.time_of(0)
    }

    fn end(&self) -> EffectiveTime {
        self.time_of(self.samples.len())
    }

    fn time_of(&self, at: usize) -> EffectiveTime {
        self.anchor.plus(self.rate.micros(self.first.saturating_add(at as u64)))
    }

    /// Whether both can stand in one block.
    fn is_like(&self, other: &Piece<'_>) -> bool {
        let real = |piece: &Piece<'_>| matches!(piece.samples, Slice::Real(_));
        self.scale.is_same(&other.scale) && real(self) == real(other)
    }
}

/// A run as pieces; almost always one.
pub(crate) fn pieces(run: &WaveRun) -> impl Iterator<Item = Piece<'_>> {
    let in_span = usize::try_from(run.rate.samples_in(SPAN_MAX)).unwrap_or(1);
    let most = in_span.clamp(1, PIECE_SAMPLES);
    (0..run.samples.len()).step_by(most).map(move |begin| {
        let part = begin..run.samples.len().min(begin + most);
        let first = run.first.saturating_add(begin as u64);
        Piece {
            anchor: run.anchor,
            rate: run.rate,
            first,
            scale: run.scale,
            samples: match &run.samples {
                WaveSamples::Counts(counts) => Slice::Counts(&counts[part]),
                WaveSamples::Real(values) => Slice::Real(&values[part]),
            },
            received: run.received,
            offset: run.offset,
            index: run.index,
            quality: run.quality,
        }
    })
}

/// Puts pieces in order of time and divides them: each part fits a block.
pub(crate) fn arrange(mut pieces: Vec<Piece<'_>>) -> Vec<Vec<Piece<'_>>> {
    let key = |piece: &Piece<'_>| (piece.start(), piece.anchor, piece.first, piece.offset, piece.index);
    if !pieces.is_sorted_by_key(key) {
        pieces.sort_by_cached_key(key);
    }
    let mut parts: Vec<Vec<Piece<'_>>> = Vec::new();
    let (mut samples, mut end) = (0, EffectiveTime(i64::MIN));
    for piece in pieces {
        let fits = parts.last().and_then(|part| part.first()).is_some_and(|first| {
            first.is_like(&piece)
                && samples + piece.samples.len() <= BLOCK_SAMPLES
                && piece.start().0.saturating_sub(end.0) <= GAP_MAX
                && piece.end().0.saturating_sub(first.start().0) <= SPAN_MAX
        });
        if !fits {
            (samples, end) = (0, EffectiveTime(i64::MIN));
            parts.push(Vec::new());
        }
        samples += piece.samples.len();
        end = end.max(piece.end());
        if let Some(part) = parts.last_mut() {
            part.push(piece);
        }
    }
    parts
}
