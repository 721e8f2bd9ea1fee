//! The present value of each metric of a patient, and whether it may be believed (TI-1).

use serde::{Deserialize, Serialize};
use vitals::time::SECOND;
use vitals::{DeviceId, EffectiveTime, Metric, MetricCode, Quality, ReadingRef, ReceiveTime};

/// Readings of an implausibly changed level in a row after which the new level is believed.
const LEVEL_ACCEPTED_AFTER: u8 = 3;

/// The latest value of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Current {
    /// Of what.
    pub metric: MetricCode,
    /// The number; NaN for a text.
    pub value: f64,
    /// The text of an enumeration or text value.
    pub text: Option<String>,
    /// By which device.
    pub device: DeviceId,
    /// Name of the reading.
    pub reading: ReadingRef,
    /// When it was true.
    pub time: EffectiveTime,
    /// When it was received.
    pub received: ReceiveTime,
    /// What is known against it.
    pub quality: Quality,
    /// When it stops being the present value, on the patient's clock.
    pub stale_at: i64,
    /// The last usable value.
    believed: Option<Believed>,
    /// How many values in a row jumped away from it, to about the same level.
    jumps: u8,
}

/// A value that may be believed, with what names it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Believed {
    /// The number.
    pub value: f64,
    /// When it was true.
    pub time: EffectiveTime,
    /// Name of the reading.
    pub reading: ReadingRef,
}

impl Current {
    /// Whether rules and scores may use it at `now`.
    #[must_use]
    pub fn usable(&self, now: i64) -> bool {
        self.quality.usable() && now < self.stale_at && !self.value.is_nan()
    }

    /// The latest value that could be believed when it came: this one, or one before it. How old
    /// it may be is for whoever asks to say.
    #[must_use]
    pub fn believed(&self) -> Option<&Believed> {
        self.believed.as_ref()
    }
}

/// The latest values of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Values {
    all: Vec<Current>,
}

/// A value that arrives.
pub struct Arriving<'a> {
    /// Of what.
    pub metric: MetricCode,
    /// Its row in the table, if it has one.
    pub row: Option<&'static Metric>,
    /// The number; NaN for a text.
    pub value: f64,
    /// The text, if it is one.
    pub text: Option<&'a str>,
    /// By which device.
    pub device: &'a DeviceId,
    /// Name of the reading.
    pub reading: ReadingRef,
    /// When it was true.
    pub time: EffectiveTime,
    /// When it was received.
    pub received: ReceiveTime,
    /// What is known against it so far.
    pub quality: Quality,
    /// When its device left the patient, if it has (TI-1).
    pub until: Option<EffectiveTime>,
}

impl Values {
    /// Every latest value, by metric code.
    pub fn iter(&self) -> impl Iterator<Item = &Current> {
        self.all.iter()
    }

    /// The latest value of a metric.
    #[must_use]
    pub fn get(&self, metric: MetricCode) -> Option<&Current> {
        self.at(metric).ok().map(|at| &self.all[at])
    }

    /// The latest value of a metric, if it may be used at `now`.
    #[must_use]
    pub fn usable(&self, metric: MetricCode, now: i64) -> Option<&Current> {
        self.get(metric).filter(|current| current.usable(now))
    }

    /// What a score may take for one of its inputs: the first of these metrics that is fresh, else
    /// the first that was ever believed, so that "too old" can be told from "missing".
    #[must_use]
    pub fn first(&self, metrics: &[MetricCode], now: i64) -> Option<&Believed> {
        let fresh = metrics.iter().find_map(|metric| self.usable(*metric, now));
        let any = || metrics.iter().find_map(|metric| self.get(*metric)?.believed());
        fresh.and_then(Current::believed).or_else(any)
    }

    /// Judges a value against the one before it: flags that are to be added. One that is older
    /// than what was believed last cannot be judged so.
    #[must_use]
    pub fn judge(&self, arriving: &Arriving<'_>) -> Quality {
        let mut flags = Quality::empty();
        let Some(row) = arriving.row else { return flags };
        if row.plausible.is_some_and(|(low, high)| !(low..=high).contains(&arriving.value)) {
            flags |= Quality::IMPLAUSIBLE;
        }
        let before = self.get(arriving.metric).filter(|c| c.device == *arriving.device);
        if let Some(current) = before.filter(|_| row.max_step_per_s > 0.0) {
            let settled = current.jumps >= LEVEL_ACCEPTED_AFTER && near(current, arriving, row);
            if !settled && jumped(current, arriving, row) {
                flags |= Quality::ARTEFACT;
            }
        }
        flags
    }

    /// Takes a value in. Returns whether it became the present one: one that is older than what
    /// is there does not, nor does a doubtful one from another device while a good one stands.
    pub fn take(&mut self, arriving: &Arriving<'_>, now: i64) -> bool {
        let keeps = arriving.row.map_or(60, |row| row.stale_after_s);
        let stale_at = arriving.time.0.saturating_add(i64::from(keeps) * SECOND);
        let stale_at = arriving.until.map_or(stale_at, |until| stale_at.min(until.0));
        let (value, time, reading) = (arriving.value, arriving.time, arriving.reading);
        let believed = (arriving.quality.usable() && !value.is_nan())
            .then_some(Believed { value, time, reading });
        let mut next = Current {
            metric: arriving.metric,
            value: arriving.value,
            text: arriving.text.map(str::to_owned),
            device: arriving.device.clone(),
            reading: arriving.reading,
            time: arriving.time,
            received: arriving.received,
            quality: arriving.quality,
            stale_at,
            believed,
            jumps: 0,
        };
        match self.at(arriving.metric) {
            Ok(at) => {
                let current = &self.all[at];
                let same = current.device == *arriving.device;
                let shadowed = !same && !next.quality.usable() && current.usable(now);
                if arriving.time < current.time || shadowed {
                    return false;
                }
                if same {
                    let jumped = next.quality.contains(Quality::ARTEFACT);
                    let again = arriving.row.is_none_or(|row| near(current, arriving, row));
                    next.jumps = match (jumped, again) {
                        (false, _) => 0,
                        (true, true) => current.jumps.saturating_add(1),
                        (true, false) => 1,
                    };
                }
                next.believed = next.believed.or(current.believed);
                self.all[at] = next;
            }
            Err(at) => self.all.insert(at, next),
        }
        true
    }

    /// The device left the patient: none of its values is the present one any more (TI-1).
    pub fn detach(&mut self, device: &DeviceId, now: i64) -> bool {
        let mut any = false;
        for current in self.all.iter_mut().filter(|current| current.device == *device) {
            current.stale_at = current.stale_at.min(now);
            any = true;
        }
        any
    }

    fn at(&self, metric: MetricCode) -> Result<usize, usize> {
        self.all.binary_search_by_key(&metric, |current| current.metric)
    }
}

/// Whether a value lies further from the last believed one than a body moves from one value to the
/// next. Time passed in noise allows nothing more.
fn jumped(current: &Current, arriving: &Arriving<'_>, row: &Metric) -> bool {
    current.believed.is_some_and(|believed| {
        arriving.time >= believed.time
            && !reachable(believed.value, current.time, arriving.value, arriving.time, row)
    })
}

/// Whether a value is at the level of the one before it.
fn near(current: &Current, arriving: &Arriving<'_>, row: &Metric) -> bool {
    reachable(current.value, current.time, arriving.value, arriving.time, row)
}

fn reachable(
    from: f64,
    then: EffectiveTime,
    to: f64,
    now: EffectiveTime,
    row: &Metric,
) -> bool {
    let seconds = ((now.0.saturating_sub(then.0)) as f64 / 1e6).clamp(1.0, 60.0);
    (to - from).abs() <= row.max_step_per_s * seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::SeriesId;
    use vitals::metric::code;

    fn arriving(device: &DeviceId, value: f64, second: i64, quality: Quality) -> Arriving<'_> {
        Arriving {
            metric: code::HEART_RATE,
            row: code::HEART_RATE.metric(),
            value,
            text: None,
            device,
            reading: ReadingRef { series: SeriesId(0), offset: second as u64, index: 0 },
            time: EffectiveTime(second * SECOND),
            received: ReceiveTime(second * SECOND),
            quality,
            until: None,
        }
    }

    #[test]
    fn older_values_and_doubtful_ones_of_other_devices_do_not_take_over() {
        let (a, b) = (DeviceId::sanitised("a"), DeviceId::sanitised("b"));
        let mut values = Values::default();
        assert!(values.take(&arriving(&a, 80.0, 10, Quality::empty()), 10 * SECOND));
        assert!(!values.take(&arriving(&a, 70.0, 9, Quality::empty()), 10 * SECOND));
        assert!(!values.take(&arriving(&b, 99.0, 11, Quality::ARTEFACT), 11 * SECOND));
        assert!(values.take(&arriving(&a, 99.0, 12, Quality::ARTEFACT), 12 * SECOND));
        assert!(values.usable(code::HEART_RATE, 12 * SECOND).is_none());
    }

    #[test]
    fn ti_1_values_go_stale_and_leave_with_their_device() {
        let a = DeviceId::sanitised("a");
        let mut values = Values::default();
        values.take(&arriving(&a, 80.0, 0, Quality::empty()), 0);
        assert!(values.usable(code::HEART_RATE, 59 * SECOND).is_some());
        assert!(values.usable(code::HEART_RATE, 60 * SECOND).is_none());
        values.take(&arriving(&a, 80.0, 100, Quality::empty()), 100 * SECOND);
        values.detach(&a, 101 * SECOND);
        assert!(values.usable(code::HEART_RATE, 101 * SECOND).is_none());
    }

    #[test]
    fn impossible_values_are_flagged() {
        let a = DeviceId::sanitised("a");
        let values = Values::default();
        assert_eq!(values.judge(&arriving(&a, 900.0, 0, Quality::empty())), Quality::IMPLAUSIBLE);
        assert_eq!(values.judge(&arriving(&a, 90.0, 0, Quality::empty())), Quality::empty());
    }

    /// Heart rates a second apart; which of them are taken for artefacts.
    fn artefacts(rates: &[f64]) -> Vec<bool> {
        let a = DeviceId::sanitised("a");
        let mut values = Values::default();
        let judged = rates.iter().zip(100..).map(|(rate, second)| {
            let mut arriving = arriving(&a, *rate, second, Quality::empty());
            arriving.quality = values.judge(&arriving);
            values.take(&arriving, second * SECOND);
            arriving.quality.contains(Quality::ARTEFACT)
        });
        judged.collect()
    }

    #[test]
    fn jumps_that_no_body_makes_are_artefacts_until_the_level_stays() {
        assert_eq!(artefacts(&[80.0, 82.0, 95.0, 110.0]), [false; 4]);
        assert_eq!(artefacts(&[80.0, 240.0, 81.0]), [false, true, false]);
        let level = [80.0, 170.0, 172.0, 169.0, 171.0, 170.0];
        assert_eq!(artefacts(&level), [false, true, true, true, false, false], "a new rhythm");
        let noise = [80.0, 170.0, 250.0, 20.0, 190.0, 60.0, 240.0, 82.0];
        assert_eq!(artefacts(&noise), [false, true, true, true, true, false, true, false]);
    }

    #[test]
    fn a_late_value_is_not_judged_by_a_later_one() {
        let a = DeviceId::sanitised("a");
        let mut values = Values::default();
        values.take(&arriving(&a, 140.0, 1_000, Quality::empty()), 1_000 * SECOND);
        assert_eq!(values.judge(&arriving(&a, 60.0, 500, Quality::empty())), Quality::empty());
    }

    #[test]
    fn ti_1_a_late_value_of_a_device_that_left_is_never_present() {
        let a = DeviceId::sanitised("a");
        let mut values = Values::default();
        let mut late = arriving(&a, 80.0, 100, Quality::LATE);
        late.until = Some(EffectiveTime(110 * SECOND));
        values.take(&late, 111 * SECOND);
        assert!(values.usable(code::HEART_RATE, 111 * SECOND).is_none());
    }
}
