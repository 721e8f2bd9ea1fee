//! The place: its time zone, its shifts, its night.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its name.
    pub name: String,
    /// The hour of the day at which it begins.
    pub from: i8,
}

/// What figures depend on beside the records.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where hours and days are counted.
    pub zone: TimeZone,
    /// Shifts by the hour at which they begin; none: no shifts.
    pub shifts: Vec<Shift>,
    /// The first hour of the night.
    pub night_from: i8,
    /// The first hour after it.
    pub night_to: i8,
}

impl Default for Settings {
    fn default() -> Self {
        let shift = |name: &str, from| Shift { name: name.to_owned(), from };
        Self {
            zone: TimeZone::UTC,
            shifts: vec![shift("early", 7), shift("late", 15), shift("night", 23)],
            night_from: 22,
            night_to: 6,
        }
    }
}

impl Settings {
    /// Weekday (0 is Monday) and hour of a time at the place.
    pub(crate) fn hour(&self, at: i64) -> (usize, i8) {
        let time = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let local = self.zone.to_datetime(time);
        (local.date().weekday().to_monday_zero_offset() as usize, local.hour())
    }

    /// Whether it is night then.
    pub(crate) fn night(&self, at: i64) -> bool {
        let hour = self.hour(at).1;
        if self.night_from <= self.night_to {
            (self.night_from..self.night_to).contains(&hour)
        } else {
            hour >= self.night_from || hour < self.night_to
        }
    }

    /// Name of the shift then; empty without shifts.
    pub(crate) fn shift(&self, at: i64) -> &str {
        let hour = self.hour(at).1;
        let begun = self.shifts.iter().filter(|shift| shift.from <= hour).max_by_key(|shift| shift.from);
        // Before the first of the day the last one of the day before goes on.
        let last = || self.shifts.iter().max_by_key(|shift| shift.from);
        begun.or_else(last).map_or("", |shift| &shift.name)
    }
}
