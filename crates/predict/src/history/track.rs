//! One variable of one patient: the hours within the window, and sums over those that left it.

use serde::{Deserialize, Serialize};

use crate::variable::Kind;

/// An hour in which the variable was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    /// Its number in the stay, from 0.
    pub hour: u32,
    count: u32,
    sum: f64,
}

impl Hour {
    /// The hour's value: the mean of its values, the sum of what was collected.
    #[must_use]
    pub fn value(&self, kind: Kind) -> f32 {
        if kind == Kind::Amount { self.sum as f32 } else { (self.sum / f64::from(self.count)) as f32 }
    }
}

/// What is kept of the hours that left the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Gone {
    hours: u32,
    sum: f64,
    low: f32,
    high: f32,
    first: f32,
    /// The newest of them and the one before.
    newest: (u32, f32),
    before: Option<(u32, f32)>,
}

/// One variable of one patient.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Track {
    last: Option<(i64, f32)>,
    gone: Option<Gone>,
    hours: Vec<Hour>,
}

/// A variable that was never measured.
pub(super) static EMPTY: Track = Track { last: None, gone: None, hours: Vec::new() };

/// Statistics over the whole stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whole {
    /// Hours in which it was measured.
    pub hours: u32,
    /// Mean of their values, NaN if none.
    pub mean: f32,
    /// Least of their values, NaN if none.
    pub low: f32,
    /// Greatest of their values, NaN if none.
    pub high: f32,
    /// Value of the first hour that has one, NaN if none.
    pub first: f32,
}

impl Track {
    pub(super) fn take(&mut self, hour: u32, time_us: i64, value: f32) {
        if self.last.is_none_or(|(last_us, _)| last_us <= time_us) {
            self.last = Some((time_us, value));
        }
        let behind = self.hours.iter().rev().take_while(|one| one.hour > hour).count();
        let at = self.hours.len() - behind;
        match at.checked_sub(1).and_then(|at| self.hours.get_mut(at)).filter(|one| one.hour == hour) {
            Some(own) => {
                own.count = own.count.saturating_add(1);
                own.sum += f64::from(value);
            }
            None => self.hours.insert(at, Hour { hour, count: 1, sum: f64::from(value) }),
        }
    }

    /// Hours before `oldest` leave the window.
    pub(super) fn forget_before(&mut self, oldest: u32, kind: Kind) {
        let leaving = self.hours.iter().take_while(|one| one.hour < oldest).count();
        for one in self.hours.drain(..leaving) {
            let value = one.value(kind);
            self.gone = Some(match self.gone {
                None => Gone {
                    hours: 1,
                    sum: f64::from(value),
                    low: value,
                    high: value,
                    first: value,
                    newest: (one.hour, value),
                    before: None,
                },
                Some(gone) => Gone {
                    hours: gone.hours + 1,
                    sum: gone.sum + f64::from(value),
                    low: gone.low.min(value),
                    high: gone.high.max(value),
                    first: gone.first,
                    newest: (one.hour, value),
                    before: Some(gone.newest),
                },
            });
        }
    }

    /// The newest value, NaN if there is none.
    #[must_use]
    pub fn last(&self) -> f32 {
        self.last.map_or(f32::NAN, |(_, value)| value)
    }

    /// Measured hours of the window, oldest first.
    #[must_use]
    pub fn hours(&self) -> &[Hour] {
        &self.hours
    }

    /// The measured hours of the last `hours` hours, oldest first; `now` is the present one.
    #[must_use]
    pub fn recent(&self, now: u32, hours: u32) -> &[Hour] {
        let newer = self.hours.iter().rev().take_while(|one| now.saturating_sub(one.hour) < hours).count();
        &self.hours[self.hours.len() - newer..]
    }

    /// The newest measured hour, also when the window has left it behind.
    #[must_use]
    pub fn newest_hour(&self) -> Option<u32> {
        self.hours.last().map(|one| one.hour).or(self.gone.map(|gone| gone.newest.0))
    }

    /// The measured hour before the newest one, with its value.
    #[must_use]
    pub fn before(&self, kind: Kind) -> Option<(u32, f32)> {
        let gone = self.gone.as_ref();
        match self.hours.as_slice() {
            [] => gone.and_then(|gone| gone.before),
            [_] => gone.map(|gone| gone.newest),
            [.., before, _] => Some((before.hour, before.value(kind))),
        }
    }

    /// Statistics over all measured hours of the stay, in the order of hours.
    #[must_use]
    pub fn whole(&self, kind: Kind) -> Whole {
        let nothing = (0, 0.0, f32::NAN, f32::NAN, f32::NAN);
        let start = self.gone.map_or(nothing, |gone| (gone.hours, gone.sum, gone.low, gone.high, gone.first));
        let (hours, sum, low, high, first) = self.hours.iter().fold(start, |(hours, sum, low, high, first), one| {
            let value = one.value(kind);
            let first = if first.is_nan() { value } else { first };
            (hours + 1, sum + f64::from(value), low.min(value), high.max(value), first)
        });
        Whole { hours, mean: (sum / f64::from(hours)) as f32, low, high, first }
    }
}
