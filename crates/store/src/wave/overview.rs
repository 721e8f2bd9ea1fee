//! Smallest and largest value column by column, for drawing hours and days.

use std::collections::BTreeMap;

use vitals::{EffectiveTime, Quality};

use super::block::{Block, Outline, Segment};
use super::pyramid::Bin;

/// A column narrower than so many parts is not drawn from them, but from finer ones.
const PARTS_MIN: i64 = 4;

/// What one column of a drawing shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WaveColumn {
    /// Time of its first sample.
    pub start: EffectiveTime,
    /// When the sample after its last one would be.
    pub end: EffectiveTime,
    /// Smallest value, in the metric's unit.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// All flags of the frames that touch it.
    pub quality: Quality,
}

/// From how fine a part of a block columns are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// The block as a whole.
    Head,
    /// Its bins of a second.
    Bins,
    /// Its samples.
    Samples,
}

/// Columns being filled.
pub(crate) struct Columns {
    begin: i64,
    last: i64,
    width: i64,
    columns: BTreeMap<i64, WaveColumn>,
}

impl Columns {
    /// About `columns` columns over `begin ..= last`, in microseconds.
    pub(crate) fn new(begin: i64, last: i64, columns: usize) -> Self {
        let span = last.saturating_sub(begin).saturating_add(1).max(1);
        let count = i64::try_from(columns).unwrap_or(i64::MAX).max(1);
        let width = span / count + i64::from(span % count != 0);
        Self { begin, last, width: width.max(1), columns: BTreeMap::new() }
    }

    /// Which part of a block that spans `first ..= last` to use.
    pub(crate) fn level(&self, first: i64, last: i64) -> Level {
        let whole = first >= self.begin && last <= self.last;
        let parts = |part: i64| self.width / PARTS_MIN >= part;
        if whole && parts(last.saturating_sub(first)) {
            Level::Head
        } else if whole && parts(vitals::time::SECOND) {
            Level::Bins
        } else {
            Level::Samples
        }
    }

    /// Takes in a block by its head alone.
    pub(crate) fn head(&mut self, first: i64, last: i64, value: Option<(f64, f64)>, quality: Quality) {
        if let Some(value) = value {
            self.put(first, last.saturating_add(1), value, quality);
        }
    }

    /// Takes in a block by its bins.
    pub(crate) fn bins(&mut self, outline: &Outline, bins: &[Bin]) {
        let qualities = Qualities::of(outline);
        for bin in bins {
            let segment = &outline.segments[bin.segment];
            if let Some(value) = bin.value {
                let quality = qualities.within(bin.segment, bin.begin, bin.end);
                self.put(segment.time_of(bin.begin).0, segment.time_of(bin.end).0, value, quality);
            }
        }
    }

    /// Takes in a block by its samples.
    pub(crate) fn samples(&mut self, block: &Block) {
        let outline = &block.outline;
        let qualities = Qualities::of(outline);
        let mut base = 0;
        for (at, segment) in outline.segments.iter().enumerate() {
            let within = segment.within(self.begin, self.last);
            let mut begin = within.start;
            while begin < within.end {
                let end = self.column_end(segment, begin).clamp(begin + 1, within.end);
                if let Some(value) = block.data.range(base + begin..base + end, &outline.scale) {
                    let quality = qualities.within(at, begin, end);
                    self.put(segment.time_of(begin).0, segment.time_of(end).0, value, quality);
                }
                begin = end;
            }
            base += segment.samples;
        }
    }

    /// The columns in order of time.
    pub(crate) fn finish(self) -> Vec<WaveColumn> {
        self.columns.into_values().collect()
    }

    fn column(&self, time: i64) -> i64 {
        time.saturating_sub(self.begin).div_euclid(self.width)
    }

    /// Position of the first sample of a segment that is behind the column of sample `begin`.
    fn column_end(&self, segment: &Segment, begin: usize) -> usize {
        let column = self.column(segment.time_of(begin).0);
        let next = column.saturating_add(1).saturating_mul(self.width).saturating_add(self.begin);
        segment.within(next, i64::MAX).start
    }

    fn put(&mut self, start: i64, end: i64, (min, max): (f64, f64), quality: Quality) {
        let (start, end) = (EffectiveTime(start), EffectiveTime(end));
        let column = self.column(start.0);
        let column = self.columns.entry(column).or_insert(WaveColumn { start, end, min, max, quality });
        column.start = column.start.min(start);
        column.end = column.end.max(end);
        column.min = column.min.min(min);
        column.max = column.max.max(max);
        column.quality |= quality;
    }
}

/// What is known against samples, looked up only where there is anything.
struct Qualities {
    /// Segment, first position, position after the last, flags: only frames that have flags.
    flagged: Vec<(usize, usize, usize, Quality)>,
    /// Flags that all frames share.
    common: Quality,
}

impl Qualities {
    fn of(outline: &Outline) -> Self {
        let common = outline.frames.iter().fold(Quality::all(), |all, frame| all & frame.quality);
        let mut flagged = Vec::new();
        let mut frames = outline.frames.iter();
        for (at, segment) in outline.segments.iter().enumerate() {
            let mut begin = 0;
            for frame in frames.by_ref().take(segment.frames) {
                let end = begin + frame.samples as usize;
                if !common.contains(frame.quality) {
                    flagged.push((at, begin, end, frame.quality));
                }
                begin = end;
            }
        }
        Self { flagged, common }
    }

    fn within(&self, segment: usize, begin: usize, end: usize) -> Quality {
        let from = self.flagged.partition_point(|(at, _, last, _)| (*at, *last) <= (segment, begin));
        let touching = self.flagged[from..].iter().take_while(|(at, first, ..)| (*at, *first) < (segment, end));
        touching.fold(self.common, |all, (.., quality)| all | *quality)
    }
}
