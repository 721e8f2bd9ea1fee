//! Any interval of a waveform, from the store and from what it does not hold yet.

use std::collections::BTreeMap;

use live::Live;
use store::{Read, SeriesFilter, Span, StoreError, WaveStrip};
use vitals::{PatientId, SeriesId, SeriesKey, WaveRun, WaveSamples};

use super::strip::{Numbers, Strip};
use super::wire::{self, Head, Kind};

/// Samples of a series within a span, as unbroken stretches in order of time.
pub(crate) fn strips(
    store: &dyn Read,
    live: &Live,
    series: SeriesId,
    span: Span,
) -> Result<Vec<Strip>, StoreError> {
    // What may not be stored yet is asked for first: what is stored in between is then seen twice,
    // and known by its place.
    let fresh = live.waves().since(series, 0);
    let mut strips: Vec<Strip> = store.wave_strip(series, span)?.iter().map(stored).collect();
    for (_, run) in &fresh {
        if let Some(strip) = within(run, span) {
            join(&mut strips, strip);
        }
    }
    strips.sort_by_key(|strip| strip.time_of(strip.first));
    Ok(strips)
}

fn stored(strip: &WaveStrip) -> Strip {
    let WaveStrip { anchor, rate, first, scale, ref samples, .. } = *strip;
    let numbers = match samples {
        WaveSamples::Counts(counts) => Numbers::Counts(counts.to_vec()),
        WaveSamples::Real(values) => Numbers::Real(values.to_vec()),
    };
    Strip { anchor, rate, first, scale, numbers }
}

/// The part of a run within a span.
fn within(run: &WaveRun, span: Span) -> Option<Strip> {
    let end = run.first + run.samples.len() as u64;
    let number = |time: i64| run.rate.index_at(time.saturating_sub(run.anchor.0));
    let from = span.from.map_or(run.first, |from| number(from).max(run.first));
    let to = span.to.map_or(end, |to| number(to).min(end));
    if from >= to {
        return None;
    }
    let mut strip = Strip::of(run);
    strip.take((from - run.first) as usize);
    Some(strip.take((to - from) as usize))
}

/// Puts a part where it belongs, unless it is there.
fn join(strips: &mut Vec<Strip>, part: Strip) {
    let of_stretch = strips.iter_mut().rev().filter(|strip| strip.is_of(&part));
    for strip in of_stretch {
        if (strip.first..strip.end()).contains(&part.first) {
            return;
        }
        if strip.end() == part.first {
            strip.append(part);
            return;
        }
    }
    strips.push(part);
}

/// Lowest and highest value by column, of `width` microseconds each from `from` on.
pub(crate) struct Columns {
    from: i64,
    width: i64,
    ends: BTreeMap<i64, (f64, f64)>,
}

impl Columns {
    /// About `count` columns of a span.
    pub(crate) fn of(
        store: &dyn Read,
        live: &Live,
        series: SeriesId,
        (from, to): (i64, i64),
        count: usize,
    ) -> Result<Self, StoreError> {
        let fresh = live.waves().since(series, 0);
        let span = Span { from: Some(from), to: Some(to) };
        let count_i64 = i64::try_from(count).unwrap_or(i64::MAX).max(1);
        let width = ((to - from - 1) / count_i64 + 1).max(1);
        let mut columns = Self { from, width, ends: BTreeMap::new() };
        for column in store.wave_overview(series, span, count)? {
            let middle = i64::midpoint(column.start.0, column.end.0);
            columns.add(middle, column.min, column.max);
        }
        // What is stored and fresh counts twice, and changes nothing.
        for strip in fresh.iter().filter_map(|(_, run)| within(run, span)) {
            strip.each(|time, value| columns.add(time, value, value));
        }
        Ok(columns)
    }

    fn add(&mut self, time: i64, low: f64, high: f64) {
        if low.is_nan() || high.is_nan() {
            return;
        }
        let column = (time - self.from).div_euclid(self.width);
        let ends = self.ends.entry(column).or_insert((low, high));
        *ends = (ends.0.min(low), ends.1.max(high));
    }

    /// Runs of columns without a gap: time of the first, and lowest and highest of each.
    pub(crate) fn runs(&self) -> Vec<(i64, Vec<(f64, f64)>)> {
        let mut runs: Vec<(i64, Vec<(f64, f64)>)> = Vec::new();
        let mut next = None;
        for (column, ends) in &self.ends {
            match runs.last_mut() {
                Some((_, run)) if next == Some(*column) => run.push(*ends),
                _ => runs.push((self.from + column * self.width, vec![*ends])),
            }
            next = Some(column + 1);
        }
        runs
    }

    /// Columns a second, as a fraction.
    pub(crate) fn rate(&self) -> (u32, u32) {
        super::strip::fraction(1_000_000, u64::try_from(self.width).unwrap_or(1))
    }

    /// A wave message of one run.
    pub(crate) fn message(&self, view: u32, start_us: i64, run: &[(f64, f64)]) -> Vec<u8> {
        let (low, high) = run.iter().fold((f64::MAX, f64::MIN), |(low, high), ends| {
            (low.min(ends.0), high.max(ends.1))
        });
        let spread = super::strip::Spread::over(low, high);
        let numbers: Vec<i16> =
            run.iter().flat_map(|ends| [spread.number(ends.0), spread.number(ends.1)]).collect();
        let head = Head {
            kind: Kind::Pairs,
            flags: wire::ROUNDED,
            view,
            start_us,
            rate: self.rate(),
            scale: spread.step as f32,
            offset: spread.middle as f32,
        };
        wire::message(&head, &numbers)
    }
}

/// What a series holds, if it is one of these patients'.
pub(crate) fn key_of(
    store: &dyn Read,
    series: SeriesId,
    subjects: Vec<PatientId>,
) -> Result<Option<SeriesKey>, StoreError> {
    let filter = SeriesFilter { ids: vec![series], subjects, ..SeriesFilter::default() };
    Ok(store.series(&filter)?.pop().map(|info| info.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use vitals::{EffectiveTime, Quality, Rate, ReceiveTime, Scale};

    fn run(first: u64, counts: &[i32]) -> WaveRun {
        WaveRun {
            anchor: EffectiveTime(0),
            rate: Rate::new(10, 1).expect("not zero"),
            first,
            scale: Scale::ONE,
            samples: WaveSamples::Counts(Arc::from(counts)),
            received: ReceiveTime(0),
            offset: first,
            index: 0,
            quality: Quality::empty(),
        }
    }

    fn all(strips: &[Strip]) -> Vec<(u64, Numbers)> {
        strips.iter().map(|strip| (strip.first, strip.numbers.clone())).collect()
    }

    #[test]
    fn what_is_stored_and_fresh_is_there_once() {
        let mut strips = vec![Strip::of(&run(0, &[0, 1, 2, 3]))];
        for (first, counts) in [(2, vec![2, 3]), (4, vec![4, 5]), (6, vec![6]), (9, vec![9])] {
            join(&mut strips, Strip::of(&run(first, &counts)));
        }
        let expected = [(0, Numbers::Counts((0..7).collect())), (9, Numbers::Counts(vec![9]))];
        assert_eq!(all(&strips), expected);
        let other = WaveRun { scale: Scale { offset: 1.0, ..Scale::ONE }, ..run(10, &[10]) };
        join(&mut strips, Strip::of(&other));
        assert_eq!(strips.len(), 3, "another scale is another strip");
    }

    #[test]
    fn a_span_cuts_between_samples() {
        let run = run(5, &[5, 6, 7, 8]);
        let cut = |from: i64, to: i64| {
            within(&run, Span { from: Some(from), to: Some(to) }).map(|strip| (strip.first, strip.numbers))
        };
        assert_eq!(cut(0, 600_000), Some((5, Numbers::Counts(vec![5]))));
        assert_eq!(cut(600_001, 800_001), Some((7, Numbers::Counts(vec![7, 8]))));
        assert_eq!(cut(900_000, 2_000_000), None);
    }
}
