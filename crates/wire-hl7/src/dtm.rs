//! HL7 times (DTM, TS) and what instant they mean.
//!
//! A time without an offset is in the zone of the message (the offset of MSH-7) or, if that has
//! none either, in the zone that is configured: UTC unless a site says otherwise.
//!
//! Source: HL7 v2.5.1 chapter 2A, DTM: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

/// A time as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dtm {
    civil: DateTime,
    offset: Option<Offset>,
    /// How many digits were given before the fraction: 4 for a year, 14 down to seconds.
    digits: usize,
}

impl Dtm {
    /// Reads a DTM; also the ISO 8601 form (`2015-01-10T17:20:40.960Z`) that some gateways send
    /// instead. None if it is neither or not a time that exists.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let compact = if text.get(4..5) == Some("-") { from_iso(text)? } else { text.to_owned() };
        let (local, offset) = match compact.find(['+', '-', 'Z']) {
            Some(at) => (&compact[..at], Some(parse_offset(&compact[at..])?)),
            None => (compact.as_str(), None),
        };
        let (digits, fraction) = local.split_once('.').unwrap_or((local, ""));
        if !digits.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
            || !matches!(digits.len(), 4 | 6 | 8 | 10 | 12 | 14)
            || (local.contains('.') && (digits.len() != 14 || fraction.len() > 9))
        {
            return None;
        }
        let part = |from: usize, to: usize, missing: i16| {
            digits.get(from..to).map_or(Some(missing), |d| d.parse().ok())
        };
        let small = |from, missing| i8::try_from(part(from, from + 2, missing)?).ok();
        let date = Date::new(part(0, 4, 1)?, small(4, 1)?, small(6, 1)?).ok()?;
        let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
        // A leap second is told as the last moment that our clocks have.
        let second = small(12, 0)?.min(if small(12, 0)? == 60 { 59 } else { i8::MAX });
        let time = Time::new(small(8, 0)?, small(10, 0)?, second, nanos).ok()?;
        Some(Self { civil: date.to_datetime(time), offset, digits: digits.len() })
    }

    /// Whether seconds were given.
    pub(crate) fn has_seconds(&self) -> bool {
        self.digits == 14
    }

    /// The zone that the time names.
    pub(crate) fn zone(&self) -> Option<TimeZone> {
        self.offset.map(TimeZone::fixed)
    }

    /// As ISO 8601, as exactly as it was sent: `2026-01-01`, `2026-01-01T12:00:00+01:00`.
    pub(crate) fn iso(&self) -> String {
        let local = self.civil.to_string();
        match (self.digits, self.offset) {
            (4, _) => local.get(..4).unwrap_or_default().to_owned(),
            (6, _) => local.get(..7).unwrap_or_default().to_owned(),
            (8, _) => local.get(..10).unwrap_or_default().to_owned(),
            (_, None) => local,
            (_, Some(Offset::UTC)) => format!("{local}Z"),
            (_, Some(offset)) => {
                let (sign, minutes) = (if offset.is_negative() { '-' } else { '+' }, offset.seconds().abs() / 60);
                format!("{local}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    /// Microseconds since 1970, UTC. In the hour that a zone repeats, the first one is meant.
    pub(crate) fn micros(&self, zone: &TimeZone) -> Option<i64> {
        let timestamp = match self.offset {
            Some(offset) => offset.to_timestamp(self.civil).ok()?,
            None => zone.to_timestamp(self.civil).ok()?,
        };
        Some(timestamp.as_microsecond())
    }
}

/// The ISO date that an HL7 date means: `1980`, `1980-05` or `1980-05-17`; none if it is no date.
pub(crate) fn iso_date(text: &str) -> Option<String> {
    let dtm = Dtm::parse(text)?;
    let length = match dtm.digits {
        4 => 4,
        6 => 7,
        _ => 10,
    };
    dtm.civil.date().to_string().get(..length).map(str::to_owned)
}

/// Writes an instant as a DTM in UTC with milliseconds: `20260101120000.000+0000`.
pub(crate) fn write(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .map(|t| t.strftime("%Y%m%d%H%M%S.%3f+0000").to_string())
        .unwrap_or_default()
}

fn parse_offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    if hours > 15 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Takes the punctuation out of an ISO 8601 time.
fn from_iso(text: &str) -> Option<String> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    if !date.is_ascii() || !time.is_ascii() {
        return None;
    }
    let at = time.find(['+', '-', 'Z']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(at);
    Some(format!("{}{}{zone}", date.replace('-', ""), clock.replace(':', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_iso_as_exactly_as_sent() {
        for (text, expected) in [
            ("2009", "2009"),
            ("200910", "2009-10"),
            ("20091025", "2009-10-25"),
            ("20091025100000", "2009-10-25T10:00:00"),
            ("20091025100000.5+0000", "2009-10-25T10:00:00.5Z"),
            ("202601011200-0330", "2026-01-01T12:00:00-03:30"),
            ("20260101120000+0100", "2026-01-01T12:00:00+01:00"),
        ] {
            assert_eq!(Dtm::parse(text).map(|dtm| dtm.iso()).as_deref(), Some(expected), "{text}");
        }
    }

    fn check(text: &str, zone: &TimeZone, expected: Option<&str>) {
        let got = Dtm::parse(text)
            .and_then(|d| d.micros(zone))
            .map(|m| jiff::Timestamp::from_microsecond(m).expect("in range").to_string());
        assert_eq!(got.as_deref(), expected, "{text}");
    }

    #[test]
    fn reads_every_precision() {
        let utc = TimeZone::UTC;
        check("2026", &utc, Some("2026-01-01T00:00:00Z"));
        check("202605", &utc, Some("2026-05-01T00:00:00Z"));
        check("20260517", &utc, Some("2026-05-17T00:00:00Z"));
        check("2026051708", &utc, Some("2026-05-17T08:00:00Z"));
        check("202605170830", &utc, Some("2026-05-17T08:30:00Z"));
        check("20260517083015", &utc, Some("2026-05-17T08:30:15Z"));
        check("20260517083015.1234", &utc, Some("2026-05-17T08:30:15.1234Z"));
        check("20260517083015-0500", &utc, Some("2026-05-17T13:30:15Z"));
        check("202605170830+0200", &utc, Some("2026-05-17T06:30:00Z"));
        check("20260517083060", &utc, Some("2026-05-17T08:30:59Z"));
        check("2015-01-10T17:20:40.960", &utc, Some("2015-01-10T17:20:40.96Z"));
        check("2015-01-10T17:20:40+01:00", &utc, Some("2015-01-10T16:20:40Z"));
    }

    #[test]
    fn a_time_without_offset_is_in_the_zone() {
        let zone = TimeZone::fixed(Offset::constant(2));
        check("20260517083015", &zone, Some("2026-05-17T06:30:15Z"));
        check("20260517083015+0000", &zone, Some("2026-05-17T08:30:15Z"));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "x",
            "202",
            "20261301",
            "20260230",
            "2026051725",
            "202605170860",
            "20260517083061",
            "20260517.5",
            "20260517083015+9",
            "20260517083015+2500",
            "+0000",
            "2026-05-ä",
            "99999999999999",
            "20260517083015.12345678901",
        ] {
            check(text, &TimeZone::UTC, None);
        }
    }

    #[test]
    fn birth_dates_keep_their_precision() {
        for (text, expected) in [
            ("1980", Some("1980")),
            ("198005", Some("1980-05")),
            ("19800517", Some("1980-05-17")),
            ("198005170830", Some("1980-05-17")),
            ("1980-05-17", Some("1980-05-17")),
            ("17.05.1980", None),
        ] {
            assert_eq!(iso_date(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = write(1_767_268_800_123_000);
        assert_eq!(text, "20260101120000.123+0000");
        assert_eq!(
            Dtm::parse(&text).and_then(|d| d.micros(&TimeZone::UTC)),
            Some(1_767_268_800_123_000)
        );
    }
}
