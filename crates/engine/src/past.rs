//! The last hour of each vital sign in means of five minutes: what a value is told against.

use alert::slots::{Slots, Sum};
use serde::{Deserialize, Serialize};
use vitals::time::MINUTE;
use vitals::{Metric, MetricCode};

/// Length of a slot.
const SLOT: i64 = 5 * MINUTE;
/// Slots kept: an hour and the one that is filling.
const SLOTS: usize = 13;
/// "Before" is about this many slots back…
const BEFORE: i64 = 6;
/// …and never nearer than this.
const NEAREST: i64 = 2;

/// The recent past of a patient's vital signs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    all: Vec<(MetricCode, Slots<[Sum; SLOTS]>)>,
}

impl Past {
    /// Takes in a value that may be believed; `time` on the patient's clock.
    pub(crate) fn note(&mut self, row: &Metric, value: f64, time: i64) {
        if row.category != "vital" && row.category != "haemodynamic" {
            return;
        }
        let slot = time.div_euclid(SLOT);
        let at = match self.all.binary_search_by_key(&row.code, |(metric, _)| *metric) {
            Ok(at) => at,
            Err(at) => {
                self.all.insert(at, (row.code, Slots::new(slot)));
                at
            }
        };
        self.all[at].1.add(slot, value);
    }

    /// The mean about half an hour ago, and how many minutes ago it was; nearer if nothing is
    /// known from then, none if nothing is from ten minutes ago.
    #[must_use]
    pub fn before(&self, metric: MetricCode, now: i64) -> Option<(i64, f64)> {
        let at = self.all.binary_search_by_key(&metric, |(other, _)| *other).ok()?;
        let slot = now.div_euclid(SLOT);
        let mean = |back: i64| self.all[at].1.mean(slot - back).map(|mean| (back * 5, mean));
        (NEAREST..=BEFORE).rev().find_map(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::metric::code::HEART_RATE;

    #[test]
    fn before_is_half_an_hour_ago_or_what_there_is() {
        let row = HEART_RATE.metric().expect("in the table");
        let mut past = Past::default();
        for minute in 0..120 {
            past.note(row, f64::from(minute), i64::from(minute) * MINUTE);
            let found = past.before(HEART_RATE, i64::from(minute) * MINUTE);
            let expected = match minute {
                0..10 => None,
                10..30 => Some((i64::from(minute / 5) * 5, 2.0)),
                _ => Some((30, f64::from(minute / 5 * 5 - 30 + 2))),
            };
            assert_eq!(found, expected, "at {minute}");
        }
        assert_eq!(past.before(HEART_RATE, 10_000 * MINUTE), None);
        past.note(row, 7.0, 10_000 * MINUTE);
        assert_eq!(past.before(HEART_RATE, 10_010 * MINUTE), Some((10, 7.0)));
    }
}
