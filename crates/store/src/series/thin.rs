//! Thinning for drawing: buckets of equal width that keep first, last, smallest and largest.

use vitals::{EffectiveTime, Quality};

use super::{Columns, Head};
use crate::Span;

/// A thinned series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thinned {
    /// Width of a bucket in microseconds.
    pub width_us: i64,
    /// Buckets that have points, in time order.
    pub buckets: Vec<Bucket>,
}

/// What lies within `start ..  start + width`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Where the bucket begins.
    pub start: EffectiveTime,
    /// Points in it.
    pub count: u64,
    /// Smallest value. Doubtful values (see [`Quality::DOUBTFUL`]) count only where the bucket
    /// has no other; NaN if there is no number.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// First value.
    pub first: f64,
    /// Last value.
    pub last: f64,
    /// All flags that any of its points has.
    pub quality: Quality,
    /// Whether all of its numbers are doubtful.
    pub doubtful: bool,
}

/// Gathers the blocks of one series, in time order, into buckets.
#[derive(Debug)]
pub struct Thinner {
    origin: i64,
    width: i64,
    span: Span,
    out: Vec<Bucket>,
}

impl Thinner {
    /// Buckets for `first ..= last`, at most `buckets` of them, and of a width of at least 1 µs.
    /// The width is a whole number of milliseconds if it is over one.
    #[must_use]
    pub fn new(span: Span, first: i64, last: i64, buckets: usize) -> Self {
        let range = last.saturating_sub(first).saturating_add(1).max(1);
        let width = range.saturating_add(buckets.max(1) as i64 - 1) / buckets.max(1) as i64;
        let width = if width > 1_000 {
            width.saturating_add(999) / 1_000 * 1_000
        } else {
            width
        };
        Self {
            origin: first,
            width: width.max(1),
            span,
            out: Vec::new(),
        }
    }

    /// Takes a block from its head alone; false if it has to be decoded.
    pub fn head(&mut self, head: &Head) -> bool {
        let bucket = self.bucket(head.time.0);
        if bucket != self.bucket(head.time.1)
            || !self.span.holds_all(head.time.0, head.time.1)
            || !head.quality.usable()
        {
            return false;
        }
        self.add(
            bucket,
            head.count as u64,
            head.value,
            head.ends,
            head.quality,
            false,
        );
        true
    }

    /// Takes a decoded block.
    pub fn columns(&mut self, columns: &Columns) {
        let times = &columns.times;
        let (from, last) = self.span.ends();
        let mut at = times.partition_point(|time| *time < from);
        let end = times.partition_point(|time| *time <= last);
        while at < end {
            let bucket = self.bucket(times[at]);
            let close = self.start(bucket).saturating_add(self.width - 1);
            let to = at + times[at..end].partition_point(|time| *time <= close);
            self.slice(bucket, &columns.values[at..to], columns.quality_of(at, to));
            at = to;
        }
    }

    /// The buckets.
    #[must_use]
    pub fn finish(self) -> Thinned {
        Thinned {
            width_us: self.width,
            buckets: self.out,
        }
    }

    fn slice(&mut self, bucket: i64, values: &[f64], quality: &[u16]) {
        let ends = (values[0], values[values.len() - 1]);
        let all = quality.iter().fold(0, |all, flags| all | flags);
        let all = Quality::from_bits_retain(all);
        let count = values.len() as u64;
        if all.usable() {
            self.add(bucket, count, extremes(values), ends, all, false);
            return;
        }
        let usable: Vec<f64> = values
            .iter()
            .zip(quality.iter().cycle())
            .filter(|(_, flags)| Quality::from_bits_retain(**flags).usable())
            .map(|(value, _)| *value)
            .collect();
        match (usable.first(), usable.last()) {
            (Some(first), Some(last)) => {
                self.add(
                    bucket,
                    count,
                    extremes(&usable),
                    (*first, *last),
                    all,
                    false,
                );
            }
            _ => self.add(bucket, count, extremes(values), ends, all, true),
        }
    }

    fn add(
        &mut self,
        bucket: i64,
        count: u64,
        (min, max): (f64, f64),
        (first, last): (f64, f64),
        quality: Quality,
        doubtful: bool,
    ) {
        let start = EffectiveTime(self.start(bucket));
        let new = Bucket {
            start,
            count,
            min,
            max,
            first,
            last,
            quality,
            doubtful,
        };
        match self.out.last_mut() {
            Some(have) if have.start == start => {
                let (count, quality) = (have.count + count, have.quality | quality);
                if have.doubtful && !doubtful {
                    *have = new;
                } else if have.doubtful == doubtful {
                    have.min = have.min.min(min);
                    have.max = have.max.max(max);
                    have.last = last;
                }
                (have.count, have.quality) = (count, quality);
            }
            _ => self.out.push(new),
        }
    }

    fn bucket(&self, time: i64) -> i64 {
        time.saturating_sub(self.origin).div_euclid(self.width)
    }

    fn start(&self, bucket: i64) -> i64 {
        self.origin
            .saturating_add(bucket.saturating_mul(self.width))
    }
}

impl Columns {
    /// The flags of some points: all of them, or the one that they share.
    fn quality_of(&self, from: usize, to: usize) -> &[u16] {
        if self.quality.len() == 1 {
            &self.quality
        } else {
            &self.quality[from..to]
        }
    }
}

/// Smallest and largest number; NaN if there is none.
fn extremes(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::NAN, f64::NAN), |(min, max), value| {
            (min.min(*value), max.max(*value))
        })
}
