//! Weeks at the place: Monday to Sunday, numbered as ISO 8601 does.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// `2026-W47`.
    pub name: String,
    /// Monday 0:00 at the place, in microseconds since 1970.
    pub from: i64,
    /// The Monday after.
    pub to: i64,
}

/// The week that holds a time, `before` weeks earlier; none for times that no calendar has.
#[must_use]
pub fn week_of(at: i64, before: i32, zone: &TimeZone) -> Option<Week> {
    let local = zone.to_datetime(Timestamp::from_microsecond(at).ok()?);
    let date = local.date().checked_sub((7 * before).days()).ok()?;
    let back = i32::from(date.weekday().to_monday_zero_offset());
    let monday = date.checked_sub(back.days()).ok()?;
    let next = monday.checked_add(7.days()).ok()?;
    let start = |date: jiff::civil::Date| {
        Some(date.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
    };
    let iso = monday.iso_week_date();
    let name = format!("{:04}-W{:02}", iso.year(), iso.week());
    Some(Week { name, from: start(monday)?, to: start(next)? })
}
