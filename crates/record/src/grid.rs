//! Channels on a common grid: what formats need that keep all channels in frames of one length.

use vitals::samples::MISSING;
use vitals::{Rate, Scale};

use crate::{Channel, Error, Problem, Recording, decimal};

/// The most samples, of all channels together, that are written.
const MAX_SAMPLES: u64 = 1 << 30;
/// The longest gap that is filled with missing samples between two segments, in samples.
const MAX_BRIDGE: u64 = 1 << 20;

/// Refuses what would be too large to be written: `frames` frames with these many samples each.
pub(crate) fn check_size(frames: u64, a_frame: u64) -> Result<(), Error> {
    match frames.checked_mul(a_frame) {
        Some(samples) if samples <= MAX_SAMPLES => Ok(()),
        _ => Err(Error::too_large("samples to write", MAX_SAMPLES)),
    }
}

/// A row of samples of one channel with one scale, placed on the channel's own grid.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Number of the first sample since the recording's start.
    pub(crate) first: u64,
    /// From counts to values.
    pub(crate) scale: Scale,
    /// Counts.
    pub(crate) samples: Vec<i32>,
}

impl Row {
    /// Number of the sample after the last one.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.samples.len() as u64
    }
}

/// The highest frame rate that gives every channel a whole number of samples in a frame, and those
/// numbers.
pub(crate) fn frames(channels: &[Channel]) -> Result<(Rate, Vec<u32>), Error> {
    let too_odd = || Error::DoesNotFit("the channels' rates have no common frame".to_owned());
    let rates = channels.iter().map(|channel| channel.rate);
    let common = rates.map(Ok).reduce(|a, b| common(a?, b?).ok_or_else(too_odd));
    let common = common.ok_or_else(|| Error::DoesNotFit("the recording has no channel".to_owned()))??;
    let per_frame = |channel: &Channel| {
        let over = u64::from(channel.rate.numerator()) * u64::from(common.denominator());
        let under = u64::from(channel.rate.denominator()) * u64::from(common.numerator());
        u32::try_from(over / under).ok().filter(|count| over % under == 0 && *count <= 1 << 20).ok_or_else(too_odd)
    };
    let counts: Result<Vec<u32>, Error> = channels.iter().map(per_frame).collect();
    Ok((common, counts?))
}

/// The highest rate of which both are whole multiples.
fn common(a: Rate, b: Rate) -> Option<Rate> {
    let (an, ad) = (u64::from(a.numerator()), u64::from(a.denominator()));
    let (bn, bd) = (u64::from(b.numerator()), u64::from(b.denominator()));
    decimal::reduced(decimal::gcd(an * bd, bn * ad), ad.checked_mul(bd)?)
}

/// A channel's samples on its grid: each segment begins at the nearest sample number, and never
/// before the one before it has ended. Segments with the same scale and less than `bridge_us`
/// between them become one row with missing samples in between. Tells how far the farthest was moved.
pub(crate) fn place(channel: &Channel, bridge_us: i64, problems: &mut Vec<Problem>) -> Result<Vec<Row>, Error> {
    let mut rows: Vec<Row> = Vec::new();
    let bridge = u64::try_from(channel.rate.samples_in(bridge_us)).unwrap_or(0).min(MAX_BRIDGE);
    let mut farthest_us = 0;
    for segment in channel.segments.iter().filter(|segment| !segment.samples.is_empty()) {
        let time_us = segment.time_us(channel.rate, 0);
        if time_us < 0 {
            let what = format!("channel `{}` has samples before the recording's start", channel.label);
            return Err(Error::DoesNotFit(what));
        }
        let nearest = u64::try_from(channel.rate.samples_in(time_us)).unwrap_or(0);
        let free = rows.last().map_or(0, Row::end);
        let first = nearest.max(free);
        farthest_us = farthest_us.max((channel.rate.micros(first) - time_us).abs());
        match rows.last_mut().filter(|row| row.scale.is_same(&segment.scale) && first - free < bridge) {
            Some(row) => {
                row.samples.extend(std::iter::repeat_n(MISSING, (first - free) as usize));
                row.samples.extend_from_slice(&segment.samples);
            }
            None => rows.push(Row { first, scale: segment.scale, samples: segment.samples.clone() }),
        }
    }
    // A microsecond is the resolution of times here.
    if farthest_us > 1 {
        let what = format!("samples are up to {:.3} ms off their times, to fit the grid", farthest_us as f64 / 1e3);
        problems.push(Problem::new(&channel.label, what));
    }
    Ok(rows)
}

/// Checks that there is something to write.
pub(crate) fn require_samples(recording: &Recording) -> Result<(), Error> {
    match recording.span_us() {
        Some(_) => Ok(()),
        None => Err(Error::DoesNotFit("the recording has no samples".to_owned())),
    }
}

/// Lowest and highest count that is not missing; none without any.
pub(crate) fn range<'a>(counts: impl Iterator<Item = &'a i32>) -> Option<(i32, i32)> {
    let present = counts.filter(|count| **count != MISSING);
    present.fold(None, |range, count| match range {
        None => Some((*count, *count)),
        Some((low, high)) => Some((low.min(*count), high.max(*count))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(n: u32, d: u32) -> Channel {
        let rate = Rate::new(n, d).expect("not zero");
        Channel { label: String::new(), metric: None, unit: String::new(), rate, segments: Vec::new() }
    }

    #[test]
    fn frames_hold_whole_numbers_of_samples() {
        for (rates, expected, counts) in [
            (&[(250, 1), (125, 1), (125, 2)][..], (125, 2), &[4_u32, 2, 1][..]),
            (&[(360, 1), (125, 1)], (5, 1), &[72, 25]),
            (&[(125, 1), (1, 60)], (1, 60), &[7_500, 1]),
            (&[(1_000, 3), (100, 1)], (100, 3), &[10, 3]),
        ] {
            let channels: Vec<Channel> = rates.iter().map(|(n, d)| channel(*n, *d)).collect();
            let (rate, found) = frames(&channels).expect("a common frame");
            assert_eq!((Rate::new(expected.0, expected.1), found.as_slice()), (Some(rate), counts));
        }
        assert!(frames(&[]).is_err());
        assert!(frames(&[channel(999_983, 1), channel(1, 999_979)]).is_err());
    }

    #[test]
    fn segments_never_overlap_on_the_grid() {
        let mut one = channel(250, 1);
        let segment = |anchor_us, samples| crate::Segment { anchor_us, first: 0, scale: Scale::ONE, samples };
        one.segments = vec![segment(0, vec![1; 4]), segment(15_000, vec![2; 4]), segment(64_000, vec![3; 2])];
        let mut problems = Vec::new();
        let rows = place(&one, 0, &mut problems).expect("placed");
        let spans: Vec<_> = rows.iter().map(|row| (row.first, row.end())).collect();
        assert_eq!((spans, problems.len()), (vec![(0, 4), (4, 8), (16, 18)], 1));
        let rows = place(&one, 1_000_000, &mut problems).expect("placed");
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].samples.iter().filter(|count| **count == MISSING).count(), 8);
        one.segments[0].anchor_us = -5_000;
        assert!(place(&one, 0, &mut problems).is_err());
    }
}
