//! FHIR dates and times: every precision is an interval of microseconds since 1970, UTC.

use jiff::civil::Date;
use jiff::Timestamp;
use jiff::tz::Offset;
use vitals::time::DAY;

/// What a date or time of some precision covers: from `start` up to but not including `end`,
/// microseconds since 1970, UTC. A date without a time zone is taken as UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// First microsecond.
    pub start: i64,
    /// First microsecond after it.
    pub end: i64,
}

/// A valid FHIR `date`.
pub(crate) fn is_date(text: &str) -> bool {
    date_interval(text).is_some()
}

/// A valid FHIR `dateTime`: with a time there are seconds and a zone.
pub(crate) fn is_date_time(text: &str) -> bool {
    is_date(text) || is_instant(text)
}

/// A valid FHIR `instant`.
pub(crate) fn is_instant(text: &str) -> bool {
    let Some((_, time)) = text.split_once('T') else { return false };
    let Some((clock, zone)) = split_zone(time) else { return false };
    zone.is_some() && clock.len() >= 8 && interval(text).is_some()
}

/// A valid FHIR `time`.
pub(crate) fn is_time(text: &str) -> bool {
    text.len() >= 8 && clock(text).is_some()
}

/// Reads a FHIR `date`, `dateTime` or `instant`, or a search value (which may end at the minute
/// and lack a zone). None: it is none of these, or not a time that exists.
#[must_use]
pub fn interval(text: &str) -> Option<Interval> {
    let Some((date, time)) = text.split_once('T') else { return date_interval(text) };
    if date.len() != 10 {
        return None;
    }
    let day = parse_day(date)?;
    let (time, zone) = split_zone(time)?;
    let (clock, precision) = clock(time)?;
    let zone = zone.unwrap_or(0);
    let start = day_start(day)
        .checked_add(clock)?
        .checked_sub(i64::from(zone).checked_mul(60_000_000)?)?;
    Some(Interval { start, end: start.checked_add(precision)? })
}

/// Microseconds since 1970, UTC, as a FHIR instant with as many decimals as are needed of three
/// or six.
#[must_use]
pub fn format(micros: i64) -> String {
    let Ok(time) = Timestamp::from_microsecond(micros) else {
        // Beyond the year 9999 nothing was measured; the end of the calendar stands in.
        return if micros < 0 { "0001-01-01T00:00:00Z".into() } else { "9999-12-31T23:59:59Z".into() };
    };
    let civil = Offset::UTC.to_datetime(time);
    if civil.year() < 1 {
        return "0001-01-01T00:00:00Z".into();
    }
    let digits = match micros.rem_euclid(1_000_000) {
        0 => String::new(),
        part if part % 1_000 == 0 => format!(".{:03}", part / 1_000),
        part => format!(".{part:06}"),
    };
    format!("{}{digits}Z", civil.strftime("%Y-%m-%dT%H:%M:%S"))
}

fn date_interval(text: &str) -> Option<Interval> {
    let digits = |part: &str, len: usize| {
        (part.len() == len && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i16>().ok())
            .flatten()
    };
    let (start, days) = match text.len() {
        4 => Date::new(digits(text, 4)?, 1, 1).ok().map(|d| (d, i64::from(d.days_in_year())))?,
        7 => {
            let (year, month) = text.split_once('-')?;
            let first = Date::new(digits(year, 4)?, i8::try_from(digits(month, 2)?).ok()?, 1).ok()?;
            (first, i64::from(first.days_in_month()))
        }
        10 => (parse_day(text)?, 1),
        _ => return None,
    };
    if start.year() < 1 {
        return None;
    }
    let start = day_start(start);
    Some(Interval { start, end: start + days * DAY })
}

fn parse_day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
    if !shaped {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?)
        .ok()
        .filter(|date| date.year() >= 1)
}

/// Days since 1970 by the civil calendar, in microseconds: also where a `Timestamp` ends.
fn day_start(day: Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    day.duration_since(epoch).as_secs().saturating_mul(1_000_000)
}

/// The clock text and the zone's offset in minutes east, if there is one.
fn split_zone(time: &str) -> Option<(&str, Option<i32>)> {
    if let Some(clock) = time.strip_suffix('Z') {
        return Some((clock, Some(0)));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, None)) };
    let (clock, zone) = time.split_at(at);
    let (hours, minutes) = zone[1..].split_once(':')?;
    let number = |part: &str| {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let total = hours * 60 + minutes;
    Some((clock, Some(if zone.starts_with('-') { -total } else { total })))
}

/// Microseconds since midnight and the precision in microseconds of `hh:mm[:ss[.fraction]]`. A
/// leap second counts as the second before it.
fn clock(text: &str) -> Option<(i64, i64)> {
    let bytes = text.as_bytes();
    let two = |at: usize| -> Option<i64> {
        let (tens, ones) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        (tens.is_ascii_digit() && ones.is_ascii_digit())
            .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let (hours, minutes) = (two(0)?, two(3)?);
    if bytes[2] != b':' || hours > 23 || minutes > 59 {
        return None;
    }
    let base = (hours * 60 + minutes) * 60_000_000;
    if bytes.len() == 5 {
        return Some((base, 60_000_000));
    }
    let seconds = two(6)?;
    if bytes[5] != b':' || seconds > 60 {
        return None;
    }
    let base = base + seconds.min(59) * 1_000_000;
    if bytes.len() == 8 {
        return Some((base, 1_000_000));
    }
    let fraction = text.get(8..)?.strip_prefix('.')?;
    if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(6)];
    let unit = 10_i64.pow(6 - u32::try_from(kept.len()).ok()?);
    Some((base + kept.parse::<i64>().ok()? * unit, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, start: &str, length_us: i64) {
        let got = interval(text).expect("valid");
        assert_eq!((format(got.start).as_str(), got.end - got.start), (start, length_us), "{text}");
    }

    #[test]
    fn each_precision_is_an_interval() {
        check("2024", "2024-01-01T00:00:00Z", 366 * 86_400_000_000);
        check("2024-02", "2024-02-01T00:00:00Z", 29 * 86_400_000_000);
        check("2024-02-29", "2024-02-29T00:00:00Z", 86_400_000_000);
        check("2024-02-29T10:00", "2024-02-29T10:00:00Z", 60_000_000);
        check("2024-02-29T10:00:01+02:00", "2024-02-29T08:00:01Z", 1_000_000);
        check("2024-02-29T10:00:01.25-01:30", "2024-02-29T11:30:01.250Z", 10_000);
        check("2024-02-29T10:00:01.123456789Z", "2024-02-29T10:00:01.123456Z", 1);
        check("0001", "0001-01-01T00:00:00Z", 365 * 86_400_000_000);
    }

    #[test]
    fn what_does_not_exist_is_refused() {
        for text in [
            "", "24", "2023-02-29", "2024-13", "2024-1-1", "2024-01-01T", "2024-01-01T24:00:00Z",
            "2024-01-01T10:60:00Z", "2024-01-01T10:00:00+15:00", "2024-01-01T10:00:00.Z",
            "2024-01-01 10:00:00Z", "0000", "2024-01-01T10:00:00+1:00", "ÄÖÜß-01-01",
            "2024-01-01T1ä:00:00Z", "2024-01-01T10:00:00é0Z",
        ] {
            assert_eq!(interval(text), None, "{text}");
        }
    }

    #[test]
    fn formatting_never_leaves_the_calendar() {
        for micros in [i64::MIN, -62_135_596_800_000_001, 0, i64::MAX] {
            assert!(is_instant(&format(micros)), "{micros}");
        }
    }
}
