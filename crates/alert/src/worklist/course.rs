//! The last hours of each vital sign in means of a quarter of an hour, and the line through them.
//!
//! The slope is the median of the slopes between all pairs of means (Theil 1950; Sen, J Am Stat Assoc
//! 1968; 63: 1379–1389): a third of the means may be wrong without moving it far. It counts as a trend
//! only where most pairs agree with its direction (the idea of Kendall's tau).

use serde::{Deserialize, Serialize};
use vitals::MetricCode;
use vitals::time::MINUTE;

use crate::slots::{Slots, Sum};

/// Length of a slot, in microseconds.
const SLOT: i64 = 15 * MINUTE;
/// Slots kept: six hours and the one that is filling.
const SLOTS: usize = 25;
/// A trend has at least this many means…
const MEANS_MIN: usize = 4;
/// …over at least this many slots.
const SPAN_MIN: i64 = 3;
/// The newest mean is no older than this many slots.
const FRESH: i64 = 6;
/// Share of pairs that must agree with the direction.
const AGREE: f64 = 0.7;

/// The recent past of a patient's vital signs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Course {
    all: Vec<(MetricCode, Slots<[Sum; SLOTS]>)>,
}

/// The line through a vital sign's last hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// On the line where it begins.
    pub from: f64,
    /// On the line at its end.
    pub to: f64,
    /// How long it is, in microseconds.
    pub over_us: i64,
    /// Change an hour.
    pub per_hour: f64,
}

impl Course {
    /// Takes in a value that may be believed; `time` in microseconds on the patient's clock.
    pub fn note(&mut self, metric: MetricCode, value: f64, time: i64) {
        let slot = time.div_euclid(SLOT);
        let at = match self.all.binary_search_by_key(&metric, |(other, _)| *other) {
            Ok(at) => at,
            Err(at) => {
                self.all.insert(at, (metric, Slots::new(slot)));
                at
            }
        };
        self.all[at].1.add(slot, value);
    }

    /// The metrics that anything is known of.
    pub fn metrics(&self) -> impl Iterator<Item = MetricCode> {
        self.all.iter().map(|(metric, _)| *metric)
    }

    /// The line through the last `window_us` of a metric; none where there is too little, where it
    /// is too old, or where the values go up and down.
    #[must_use]
    pub fn slope(&self, metric: MetricCode, now: i64, window_us: i64) -> Option<Slope> {
        let at = self.all.binary_search_by_key(&metric, |(other, _)| *other).ok()?;
        let means = means(&self.all[at].1, now.div_euclid(SLOT), window_us / SLOT);
        line(&means)
    }
}

/// Means as `(slot before now, mean)`, oldest first.
fn means(slots: &Slots<[Sum; SLOTS]>, now: i64, back: i64) -> Vec<(i64, f64)> {
    let back = back.clamp(1, SLOTS as i64 - 1);
    (now - back..=now).filter_map(|slot| Some((slot - now, slots.mean(slot)?))).collect()
}

fn line(means: &[(i64, f64)]) -> Option<Slope> {
    let (first, last) = (means.first()?.0, means.last()?.0);
    if means.len() < MEANS_MIN || last - first < SPAN_MIN || last < -FRESH {
        return None;
    }
    let mut slopes = Vec::with_capacity(means.len() * means.len() / 2);
    for (at, (t0, v0)) in means.iter().enumerate() {
        slopes.extend(means[at + 1..].iter().map(|(t1, v1)| (v1 - v0) / (t1 - t0) as f64));
    }
    let slope = median(&mut slopes);
    let agree = slopes.iter().filter(|other| **other * slope > 0.0).count();
    if slope == 0.0 || (agree as f64) < AGREE * slopes.len() as f64 {
        return None;
    }
    let mut ends: Vec<f64> = means.iter().map(|(t, v)| v + slope * (last - t) as f64).collect();
    let to = median(&mut ends);
    let slots_an_hour = (60 * MINUTE / SLOT) as f64;
    Some(Slope {
        from: to - slope * (last - first) as f64,
        to,
        over_us: (last - first) * SLOT,
        per_hour: slope * slots_an_hour,
    })
}

/// Of at least one value; sorts them.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::metric::code::RESP_RATE;

    const HOUR: i64 = 60 * MINUTE;

    /// A value every five minutes, by minute.
    fn course(minutes: i64, value: impl Fn(i64) -> f64) -> Course {
        let mut course = Course::default();
        for minute in (0..=minutes).step_by(5) {
            course.note(RESP_RATE, value(minute), minute * MINUTE);
        }
        course
    }

    fn check(minutes: i64, value: impl Fn(i64) -> f64, expected: Option<(f64, f64)>) {
        let found = course(minutes, value).slope(RESP_RATE, minutes * MINUTE, 4 * HOUR);
        match (found, expected) {
            (Some(found), Some((from, to))) => {
                assert!((found.from - from).abs() < 0.5 && (found.to - to).abs() < 0.5, "{found:?}, not {from}→{to}");
            }
            (None, None) => {}
            (found, expected) => panic!("{found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_steady_rise_is_found_and_nothing_else() {
        check(180, |minute| 16.0 + minute as f64 / 22.5, Some((16.3, 23.9)));
        check(180, |_| 16.0, None);
        check(180, |minute| 16.0 + (minute % 10) as f64 / 5.0, None);
        check(180, |minute| 16.0 + (minute as f64 / 15.0).sin() * 3.0, None);
        check(30, |minute| 16.0 + minute as f64, None);
        // Older than six hours has no part in it.
        check(1_000, |minute| if minute < 600 { 40.0 } else { 16.0 }, None);
    }

    #[test]
    fn one_wrong_stretch_does_not_make_a_trend() {
        check(240, |minute| if (100..120).contains(&minute) { 60.0 } else { 16.0 }, None);
        let wrong = |minute: i64| if (100..115).contains(&minute) { 60.0 } else { 16.0 + minute as f64 / 30.0 };
        check(180, wrong, Some((16.2, 22.0)));
    }

    #[test]
    fn what_was_not_measured_lately_has_no_trend() {
        let course = course(180, |minute| 16.0 + minute as f64 / 22.5);
        assert!(course.slope(RESP_RATE, 200 * MINUTE, 4 * HOUR).is_some());
        assert!(course.slope(RESP_RATE, 300 * MINUTE, 4 * HOUR).is_none());
    }

    proptest::proptest! {
        #[test]
        fn a_steeper_rise_never_ends_lower(base in 10.0..30.0_f64, a in 0.01..0.2_f64, b in 0.01..0.2_f64) {
            let slope = |by: f64| course(240, |minute| base + by * minute as f64).slope(RESP_RATE, 240 * MINUTE, 4 * HOUR);
            let (low, high) = (slope(a.min(b)), slope(a.max(b)));
            let (low, high) = (low.expect("a rise"), high.expect("a rise"));
            proptest::prop_assert!(high.to >= low.to - 1e-3 && high.per_hour >= low.per_hour - 1e-3);
        }

        #[test]
        fn any_values_give_a_line_or_none(values in proptest::collection::vec((0_i64..2_000, -1e6..1e6_f64), 0..200)) {
            let mut course = Course::default();
            for (minute, value) in values {
                course.note(RESP_RATE, value, minute * MINUTE);
            }
            if let Some(line) = course.slope(RESP_RATE, 2_000 * MINUTE, 4 * HOUR) {
                proptest::prop_assert!(line.from.is_finite() && line.to.is_finite());
            }
        }
    }
}
