//! Calibration and doubt, fitted on log-odds by forests that had not seen the patient.

use predict::model::{Band, Calibration, Doubt, Knot};

use crate::measure::{Resamples, cells, logistic};

/// A moment: log-odds, whether the event came, whose it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Log-odds of the forest.
    pub margin: f64,
    /// Whether the event came within the horizon.
    pub event: bool,
    /// Number of the stay.
    pub stay: u32,
}

/// Events that a knot of the curve is made from, at least.
const EVENTS_A_KNOT: usize = 60;
/// Knots at most.
const KNOTS_MAX: usize = 30;
/// Bands of the interval at most.
const BANDS_MAX: usize = 10;
/// Resamples of patients for the interval.
const DRAWS: usize = 200;

/// Neighbouring moments by probability.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    count: f64,
    said: f64,
    events: f64,
}

/// A line in log-odds by logistic regression (Platt), then a curve: isotonic regression over groups with equally many
/// events, or a `smooth` one where events are too few for many groups.
#[must_use]
pub fn calibrate(points: &[Point], smooth: bool, fitted: &str) -> Calibration {
    let (intercept, slope) = logistic(&cells(points.iter().map(|point| (point.margin, point.event, 1.0))), false);
    let mut line = Calibration { intercept, slope, ..Calibration::none() };
    let mut said: Vec<(f64, bool, u32)> =
        points.iter().map(|point| (line.probability(point.margin), point.event, point.stay)).collect();
    said.sort_by(|a, b| a.0.total_cmp(&b.0));
    line.curve = if smooth {
        crate::smooth::curve(&line, points)
    } else {
        let knots = rising(&groups(&said, KNOTS_MAX));
        knots.iter().map(|group| Knot { from: group.said / group.count, to: group.events / group.count }).collect()
    };
    // Beyond the outermost groups it goes straight on to nought and one, so that order is kept.
    line.curve.retain(|knot| knot.from > 0.0 && knot.from < 1.0);
    line.curve.insert(0, Knot { from: 0.0, to: 0.0 });
    line.curve.push(Knot { from: 1.0, to: 1.0 });
    for point in &mut said {
        // The curve rises, so the order stays.
        point.0 = curved(&line, point.0);
    }
    Calibration { interval: bands(&said), fitted: fitted.to_owned(), ..line }
}

/// Calibrated log-odds of a forest's; within ±14, so that what never happened in a group of patients stays a number.
#[must_use]
pub fn said(calibration: &Calibration, margin: f64) -> f64 {
    predict::model::log_odds(calibration.probability(margin).clamp(1e-6, 1.0 - 1e-6))
}

/// The curve's probability for the line's.
fn curved(calibration: &Calibration, line: f64) -> f64 {
    let only = Calibration { intercept: 0.0, slope: 1.0, ..calibration.clone() };
    only.probability(predict::model::log_odds(line.clamp(1e-12, 1.0 - 1e-12)))
}

/// Groups of neighbours with about equally many events.
fn groups(said: &[(f64, bool, u32)], most: usize) -> Vec<Group> {
    let events = said.iter().filter(|point| point.1).count();
    let each = events.div_ceil((events / EVENTS_A_KNOT).clamp(1, most)).max(1) as f64;
    let mut groups = vec![Group::default()];
    for (p, event, _) in said {
        if groups.last().is_some_and(|group| group.events >= each) {
            groups.push(Group::default());
        }
        if let Some(group) = groups.last_mut() {
            group.count += 1.0;
            group.said += p;
            group.events += f64::from(u8::from(*event));
        }
    }
    groups
}

/// Pool adjacent violators (Ayer and others, Ann Math Stat 26 (1955) 641): groups whose frequencies rise, and whose
/// probabilities differ, which those of a coarse forest need not.
fn rising(groups: &[Group]) -> Vec<Group> {
    let mut pooled: Vec<Group> = Vec::new();
    for group in groups {
        let mut group = *group;
        let before = |last: &&Group, group: &Group| {
            last.events / last.count >= group.events / group.count || last.said / last.count >= group.said / group.count
        };
        while let Some(last) = pooled.last().filter(|last| before(last, &group)) {
            group = Group { count: group.count + last.count, said: group.said + last.said, events: group.events + last.events };
            pooled.pop();
        }
        pooled.push(group);
    }
    pooled
}

/// Between what the frequency of the event lies, group by group, when patients are drawn anew.
fn bands(said: &[(f64, bool, u32)]) -> Vec<Band> {
    let sizes: Vec<usize> = groups(said, BANDS_MAX).iter().map(|group| group.count as usize).collect();
    let stays = said.iter().map(|point| point.2 as usize + 1).max().unwrap_or(0);
    let mut number = 0;
    let mut left = sizes.first().copied().unwrap_or(0);
    // What each stay adds to each group.
    let mut parts: Vec<std::collections::BTreeMap<u32, (f64, f64)>> = vec![Default::default(); sizes.len()];
    for (_, event, stay) in said {
        while left == 0 && number + 1 < sizes.len() {
            number += 1;
            left = sizes[number];
        }
        left = left.saturating_sub(1);
        let part = parts[number].entry(*stay).or_default();
        part.0 += 1.0;
        part.1 += f64::from(u8::from(*event));
    }
    let drawn = Resamples::new(stays, DRAWS, 5).measure(1, |times| {
        parts.iter().map(|part| {
            let (mut count, mut events) = (0.0, 0.0);
            for (stay, (own, happened)) in part {
                count += times(*stay as usize) * own;
                events += times(*stay as usize) * happened;
            }
            events / count
        }).collect::<Vec<f64>>()
    });
    let mut start = 0;
    let mut bands: Vec<Band> = Vec::new();
    for (number, size) in sizes.iter().enumerate() {
        let own = &said[start..start + size];
        start += size;
        let at = own.iter().map(|point| point.0).sum::<f64>() / *size as f64;
        let interval = crate::measure::interval(drawn.iter().map(|draw| draw[number]));
        if interval.low.is_finite() && bands.last().is_none_or(|last| last.at < at) {
            bands.push(Band { at, low: interval.low.clamp(0.0, 1.0), high: interval.high.clamp(0.0, 1.0) });
        }
    }
    bands
}

/// For each outcome the probabilities that its moments have, but for the share that the level leaves out.
#[must_use]
pub fn doubt(points: &[Point], calibration: &Calibration, level: f64, fitted: &str) -> Doubt {
    let of = |event: bool| {
        let own = points.iter().filter(|point| point.event == event);
        let mut said: Vec<f64> = own.map(|point| calibration.probability(point.margin)).collect();
        said.sort_by(f64::total_cmp);
        said
    };
    let (events, others) = (of(true), of(false));
    // The k-th of n with k = (n + 1)(1 − level), rounded towards leaving out less.
    let left_out = |n: usize| (((n + 1) as f64 * (1.0 - level)).floor() as usize).max(1) - 1;
    let low = events.get(left_out(events.len())).copied().unwrap_or(0.0);
    let high = others.len().checked_sub(1 + left_out(others.len())).and_then(|at| others.get(at)).copied().unwrap_or(1.0);
    Doubt { level: level as f32, event_from: low as f32, none_up_to: high as f32, fitted: fitted.to_owned() }
}

/// The log-odds from which on alarms are worth most in sum, when each row is (log-odds, what an alarm is worth there).
/// Sums over a fifth of a unit are compared, so that one row does not decide.
#[must_use]
pub fn best_threshold(rows: impl Iterator<Item = (f64, f64)>) -> f64 {
    const PER_UNIT: f64 = 20.0;
    const REACH: f64 = 10.0;
    let mut worth = vec![0.0; (2.0 * REACH * PER_UNIT) as usize + 1];
    for (margin, alarm) in rows {
        worth[((margin.clamp(-REACH, REACH) + REACH) * PER_UNIT).floor() as usize] += alarm;
    }
    let mut sum = 0.0;
    for cell in worth.iter_mut().rev() {
        sum += *cell;
        *cell = sum;
    }
    let smooth = |at: usize| worth[at - 2..=at + 2].iter().sum::<f64>();
    let best = (2..worth.len() - 2).reduce(|best, at| if smooth(at) > smooth(best) { at } else { best });
    best.map_or(0.0, |at| at as f64 / PER_UNIT - REACH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;
    use crate::measure::{calibration, cells};
    use predict::model::{log_odds, logistic as p_of};

    /// Moments whose event comes with a probability that is bent against what is said.
    fn bent(count: u32, seed: u64) -> Vec<Point> {
        let mut draw = Draw::new(seed);
        let point = |stay| {
            let margin = draw.unit() * 8.0 - 6.0;
            Point { margin, event: draw.unit() < p_of(0.5 * margin - 1.0).powi(2), stay }
        };
        (0..count).map(point).collect()
    }

    #[test]
    fn the_curve_rises_where_many_moments_have_one_probability() {
        let mut draw = Draw::new(4);
        let point = |stay: u32| {
            let ill = stay % 4 == 0;
            Point { margin: if ill { 1.0 } else { -1.0 }, event: draw.unit() < if ill { 0.6 } else { 0.1 }, stay }
        };
        let points: Vec<Point> = (0..4_000).map(point).collect();
        let curve = calibrate(&points, false, "").curve;
        assert!(curve.len() > 2 && curve.is_sorted_by(|a, b| a.from < b.from && a.to < b.to), "{curve:?}");
    }

    #[test]
    fn what_was_bent_is_straight_on_others() {
        let fitted = calibrate(&bent(60_000, 1), false, "");
        let others = bent(60_000, 2);
        let said = others.iter().map(|point| (log_odds(fitted.probability(point.margin)), point.event, 1.0));
        let got = calibration(&cells(said));
        assert!((got.slope - 1.0).abs() < 0.06 && got.intercept.abs() < 0.06, "{got:?}");
        assert!(fitted.curve.windows(2).all(|two| two[0].from < two[1].from && two[0].to < two[1].to));
        for (margin, share) in [(-5.0, 0.0025), (0.0, 0.0723)] {
            let (low, high) = fitted.interval(fitted.probability(margin));
            assert!(low < share + 0.02 && high > share - 0.002, "{margin}: {low} to {high}");
        }
    }

    #[test]
    fn doubt_covers_what_it_says() {
        let points = bent(20_000, 3);
        let fitted = calibrate(&points, false, "");
        let doubt = doubt(&points, &fitted, 0.9, "");
        let others = bent(20_000, 4);
        let kept = |event: bool| {
            let own: Vec<f32> = others.iter().filter(|point| point.event == event).map(|point| fitted.probability(point.margin) as f32).collect();
            let fits = own.iter().filter(|p| if event { **p >= doubt.event_from } else { **p <= doubt.none_up_to }).count();
            fits as f64 / own.len() as f64
        };
        assert!((kept(true) - 0.9).abs() < 0.02 && (kept(false) - 0.9).abs() < 0.02);
    }

    #[test]
    fn the_threshold_is_where_alarms_begin_to_be_worth_it() {
        let rows = (0..4_000).map(|at| f64::from(at) / 1_000.0 - 2.0).map(|margin| (margin, margin - 0.5));
        assert!((best_threshold(rows) - 0.5).abs() < 0.06);
    }
}
