//! What is usual for one patient in one metric.

use serde::{Deserialize, Serialize};

use crate::change::{Change, Cusum};
use crate::hours::Hours;
use crate::robust::{halving, median, weighted_median};
use crate::settings::Settings;
use crate::trend::{MOST, Trend};

/// Closed slots kept; the oldest goes first.
pub const SLOTS_MAX: usize = 192;
/// A slot is divided into this many parts; of each, one value counts.
const PARTS: i64 = 16;
/// Makes the median absolute deviation of a normal distribution its standard deviation.
const MAD_TO_SPREAD: f64 = 1.4826;
/// The usual band reaches this many spreads to each side.
const BAND: f64 = 2.0;
/// A deviation from the rhythm of the day, as far as it is known, counts for at most this many spreads:
/// nights may differ from days by much more than values of one hour differ among themselves.
const RHYTHM_CLIP: f64 = 8.0;
/// Values beyond this are none that anything measures.
const LARGEST: f64 = 1e9;

/// What became of a value that was to teach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// Nothing changed: it is late, not a number, or one of too many.
    Nothing,
    /// It was noted in the slot that is filling.
    Noted,
    /// As before, and a slot was closed: what is usual may have moved.
    Closed,
}

/// What is usual at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// The level, in the metric's unit.
    pub centre: f64,
    /// A robust standard deviation, in the metric's unit; above 0.
    pub spread: f64,
    /// Values below this are unusual: two spreads below the level.
    pub low: f64,
    /// Values above this are unusual.
    pub high: f64,
}

/// The state of learning; serialised with whoever keeps it. About 2.5 kB when full.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    /// When it began, in microseconds.
    began: Option<i64>,
    open: Option<Open>,
    /// Closed slots, oldest first.
    slots: Vec<Slot>,
    level: Option<Level>,
    hours: Option<Box<Hours>>,
    cusum: Cusum,
    trend: Option<Trend>,
}

/// The slot that is filling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    slot: i64,
    hour: u8,
    /// Part, microseconds within it, value: the earliest of each part.
    values: Vec<(u8, u32, f32)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Slot {
    slot: i64,
    hour: u8,
    median: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Level {
    centre: f64,
    spread: f64,
}

impl Normal {
    /// Takes in a value at `time` (microseconds), in `hour` (0 to 23) of the place's clock.
    ///
    /// Within one slot the order of values makes no difference; a value of a slot that was closed
    /// already teaches nothing.
    pub fn observe(&mut self, settings: &Settings, time: i64, hour: u8, value: f64) -> Learned {
        if !value.is_finite() || value.abs() > LARGEST {
            return Learned::Nothing;
        }
        let slot = time.div_euclid(settings.slot());
        if self.newest_end(settings).is_some_and(|end| time.saturating_sub(end) > settings.forget()) {
            *self = Self::default();
        }
        let newest = self.open.as_ref().map(|open| open.slot);
        let newest = newest.or(self.slots.last().map(|slot| slot.slot.saturating_add(1)));
        if newest.is_some_and(|newest| slot < newest) {
            return Learned::Nothing;
        }
        self.began = Some(self.began.map_or(time, |began| began.min(time)));
        let closed = self.open.as_ref().is_some_and(|open| open.slot < slot) && self.close(settings);
        let hour = hour % 24;
        let open = self.open.get_or_insert_with(|| Open { slot, hour, values: Vec::new() });
        match (closed, open.note(time.rem_euclid(settings.slot()), settings.slot(), value as f32)) {
            (true, _) => Learned::Closed,
            (false, true) => Learned::Noted,
            (false, false) => Learned::Nothing,
        }
    }

    /// What is usual in `hour`; none before the warm-up is over, and none long after the last value.
    #[must_use]
    pub fn usual(&self, settings: &Settings, now: i64, hour: u8) -> Option<Usual> {
        let level = self.level.filter(|_| self.known(settings, now))?;
        let offset = self.hours.as_ref().filter(|_| settings.circadian).map_or(0.0, |h| h.offset(hour));
        let centre = level.centre + offset;
        let reach = BAND * level.spread;
        Some(Usual { centre, spread: level.spread, low: centre - reach, high: centre + reach })
    }

    /// Whether enough was seen and it is of the present.
    #[must_use]
    pub fn known(&self, settings: &Settings, now: i64) -> bool {
        let Some((began, end)) = self.began.zip(self.newest_end(settings)) else { return false };
        self.slots.len() >= settings.slots_min.max(2)
            && end.saturating_sub(began) >= settings.warm_up_us
            && now.saturating_sub(end) <= settings.forget()
    }

    /// A lasting change of level, if one was found.
    #[must_use]
    pub fn change(&self, settings: &Settings, now: i64) -> Option<Change> {
        self.cusum.change().filter(|_| self.known(settings, now) && self.fresh(settings, now))
    }

    /// The trend of the last slots, whether or not it is one; none while they are too few or too old.
    #[must_use]
    pub fn trend(&self, settings: &Settings, now: i64) -> Option<Trend> {
        self.trend.filter(|_| self.known(settings, now) && self.fresh(settings, now))
    }

    /// When the first value that counts came, in microseconds.
    #[must_use]
    pub fn began(&self) -> Option<i64> {
        self.began
    }

    /// Slots that had a value; at most [`SLOTS_MAX`].
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Days' worth of values behind the rhythm of the day.
    #[must_use]
    pub fn rhythm_days(&self) -> f64 {
        self.hours.as_ref().map_or(0.0, |hours| hours.days())
    }

    fn newest_end(&self, settings: &Settings) -> Option<i64> {
        Some(self.slots.last()?.slot.saturating_add(1).saturating_mul(settings.slot()))
    }

    fn fresh(&self, settings: &Settings, now: i64) -> bool {
        let end = self.newest_end(settings);
        end.is_some_and(|end| now.saturating_sub(end) <= settings.fresh())
    }

    /// Closes the slot that was filling and judges anew.
    fn close(&mut self, settings: &Settings) -> bool {
        let Some(open) = self.open.take() else { return false };
        let mut values: Vec<f64> = open.values.iter().map(|(.., value)| f64::from(*value)).collect();
        let Some(median) = median(&mut values) else { return false };
        let time = open.slot.saturating_mul(settings.slot());
        if let Some(level) = self.level {
            let deviation = median - level.centre;
            if settings.circadian {
                let share = settings.slot() as f64 / 3.6e9;
                let reach = RHYTHM_CLIP * level.spread;
                let hours = self.hours.get_or_insert_with(Box::default);
                let offset = hours.offset(open.hour);
                let rest = deviation - offset;
                hours.note(open.hour, offset + rest.clamp(-reach, reach), share);
                self.test(settings, rest / level.spread, time);
            } else {
                self.test(settings, deviation / level.spread, time);
            }
        }
        if self.slots.len() >= SLOTS_MAX {
            self.slots.remove(0);
        }
        self.slots.push(Slot { slot: open.slot, hour: open.hour, median: median as f32 });
        self.judge(settings);
        true
    }

    /// The change test begins where something is known to change from.
    fn test(&mut self, settings: &Settings, deviation: f64, time: i64) {
        let began = self.began.unwrap_or(time);
        if self.slots.len() >= settings.slots_min && time.saturating_sub(began) >= settings.warm_up_us {
            self.cusum.step(deviation, time);
        }
    }

    /// Level, spread and trend from the slots that are kept.
    fn judge(&mut self, settings: &Settings) {
        let Some(newest) = self.slots.last().map(|slot| slot.slot) else { return };
        let rhythm = self.hours.as_ref().filter(|_| settings.circadian);
        let plain = |slot: &Slot| {
            f64::from(slot.median) - rhythm.map_or(0.0, |hours| hours.offset(slot.hour))
        };
        let weight = |slot: &Slot| {
            let age = newest.saturating_sub(slot.slot).saturating_mul(settings.slot());
            halving(age, settings.half_life())
        };
        let mut pairs: Vec<(f64, f64)> = self.slots.iter().map(|s| (plain(s), weight(s))).collect();
        let Some(centre) = weighted_median(&mut pairs) else { return };
        let mut apart: Vec<(f64, f64)> = pairs.iter().map(|(v, w)| ((v - centre).abs(), *w)).collect();
        let spread = weighted_median(&mut apart).unwrap_or(0.0) * MAD_TO_SPREAD;
        self.level = Some(Level { centre, spread: spread.max(settings.spread_floor()) });
        let since = newest.saturating_sub(settings.trend_window() / settings.slot());
        let late = self.slots.iter().rev().take(MOST).take_while(|slot| slot.slot > since);
        let points: Vec<(i64, f64)> =
            late.map(|slot| (slot.slot.saturating_mul(settings.slot()), plain(slot))).collect();
        self.trend = Trend::of(&points);
    }
}

impl Open {
    /// Notes a value `within` the slot, if it is the earliest of its part (of two at one moment the
    /// smaller).
    fn note(&mut self, within: i64, slot: i64, value: f32) -> bool {
        let length = (slot / PARTS).max(1);
        let part = (within / length).min(PARTS - 1);
        let (part, at) = (part as u8, (within - part * length) as u32);
        match self.values.iter_mut().find(|(other, ..)| *other == part) {
            Some(noted) if (at, value) < (noted.1, noted.2) => {
                (noted.1, noted.2) = (at, value);
                true
            }
            Some(_) => false,
            None => {
                self.values.push((part, at, value));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const HOUR: i64 = 60 * MINUTE;
    const SETTINGS: Settings = Settings {
        half_life_us: 24 * HOUR,
        warm_up_us: 8 * HOUR,
        slots_min: 8,
        spread_min: 1.0,
        circadian: false,
    };

    fn fed(values: impl Iterator<Item = (i64, f64)>) -> Normal {
        let mut normal = Normal::default();
        for (time, value) in values {
            normal.observe(&SETTINGS, time, 0, value);
        }
        normal
    }

    #[test]
    fn it_is_silent_until_warm_and_robust_then() {
        let value = |minute: i64| if minute % 5 == 0 { 240.0 } else { 80.0 + (minute % 3) as f64 };
        let normal = |hours: i64| fed((0..hours * 60).map(|m| (m * MINUTE, value(m))));
        assert_eq!(normal(8).usual(&SETTINGS, 8 * HOUR, 0), None);
        let usual = normal(10).usual(&SETTINGS, 10 * HOUR, 0).expect("warm");
        assert!((80.0..=82.0).contains(&usual.centre) && usual.spread <= 2.0, "{usual:?}");
        assert_eq!(normal(10).usual(&SETTINGS, 200 * HOUR, 0), None, "four half-lives later");
    }

    #[test]
    fn it_is_slow() {
        let step = |minute: i64| if minute < 48 * 60 { 80.0 } else { 110.0 };
        let centre = |hours: i64| {
            let normal = fed((0..hours * 60).map(|m| (m * MINUTE, step(m))));
            normal.usual(&SETTINGS, hours * HOUR, 0).map(|usual| usual.centre)
        };
        assert_eq!(centre(56), Some(80.0), "eight hours of another level move nothing");
        assert_eq!(centre(96), Some(110.0), "two days do");
    }

    #[test]
    fn a_change_and_a_trend_are_told() {
        let noise = |m: i64| ((m * 7_919) % 13) as f64 / 3.0;
        let shift = |m: i64| 80.0 + noise(m) + if m < 24 * 60 { 0.0 } else { 15.0 };
        let normal = fed((0..30 * 60).map(|m| (m * MINUTE, shift(m))));
        let change = normal.change(&SETTINGS, 30 * HOUR).expect("found");
        assert_eq!(change.direction, crate::Direction::Up);
        assert!((change.since - 24 * HOUR).abs() <= HOUR, "{change:?}");
        let rising = |m: i64| 80.0 + noise(m) + m as f64 / 60.0;
        let normal = fed((0..14 * 60).map(|m| (m * MINUTE, rising(m))));
        let trend = normal.trend(&SETTINGS, 14 * HOUR).expect("enough");
        assert!(trend.holds(1.0) && (trend.slope_per_h - 1.0).abs() < 0.2, "{trend:?}");
    }

    #[test]
    fn nights_are_learnt() {
        let settings = Settings { circadian: true, half_life_us: 14 * 24 * HOUR, ..SETTINGS };
        let mut normal = Normal::default();
        for hour in 0..24 * 20_i64 {
            let of_day = (hour % 24) as u8;
            let value = if of_day < 7 { 58.0 } else { 76.0 } + (hour % 3) as f64;
            normal.observe(&settings, hour * HOUR, of_day, value);
        }
        let at = |hour| normal.usual(&settings, 480 * HOUR, hour).map_or(0.0, |usual| usual.centre);
        assert!(at(15) - at(3) > 12.0, "{} {}", at(3), at(15));
        assert!(normal.change(&settings, 480 * HOUR).is_none(), "a rhythm is no change");
    }
}
