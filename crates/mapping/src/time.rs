//! Reading device times in the ways that devices write them, exact to the microsecond.

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, civil};
use serde_json::Value;
use vitals::DeviceTime;

/// How a device writes time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// RFC 3339 / ISO 8601; without an offset, in the profile's zone.
    Rfc3339,
    /// A number of these since 1970: the power of ten that leads to microseconds.
    Unix(i32),
    /// A `strptime` pattern.
    Pattern(String),
}

impl TimeFormat {
    /// The names that profiles use.
    pub(crate) const NAMES: [&'static str; 5] =
        ["rfc3339", "unix_s", "unix_ms", "unix_us", "unix_ns"];

    /// The format of that name; anything with a `%` is a pattern.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "rfc3339" => Some(Self::Rfc3339),
            "unix_s" => Some(Self::Unix(6)),
            "unix_ms" => Some(Self::Unix(3)),
            "unix_us" => Some(Self::Unix(0)),
            "unix_ns" => Some(Self::Unix(-3)),
            pattern if pattern.contains('%') => Some(Self::Pattern(pattern.to_owned())),
            _ => None,
        }
    }

    /// Reads a time.
    ///
    /// # Errors
    /// A sentence that does not repeat the value.
    pub(crate) fn read(&self, value: &Value, zone: &TimeZone) -> Result<DeviceTime, String> {
        match (self, value) {
            (Self::Unix(power), Value::Number(number)) => unix(&number.to_string(), *power),
            (Self::Unix(power), Value::String(text)) => unix(text.trim(), *power),
            (Self::Rfc3339, Value::String(text)) => rfc3339(text.trim(), zone),
            (Self::Pattern(pattern), Value::String(text)) => strptime(pattern, text.trim(), zone),
            (Self::Pattern(pattern), Value::Number(number)) => {
                strptime(pattern, &number.to_string(), zone)
            }
            _ => Err("the time is neither a text nor a number as its format asks".to_owned()),
        }
    }
}

/// The time zone of that IANA name (`UTC`, `Europe/Berlin`), from the table built in.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    TimeZoneDatabase::bundled().get(name).ok()
}

fn unix(text: &str, power: i32) -> Result<DeviceTime, String> {
    decimal_to_int(text, power)
        .map(DeviceTime)
        .ok_or_else(|| "the time is not a decimal number in range".to_owned())
}

fn rfc3339(text: &str, zone: &TimeZone) -> Result<DeviceTime, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(DeviceTime(time.as_microsecond()));
    }
    let civil: civil::DateTime =
        text.parse().map_err(|_| "the time is not as RFC 3339 writes it".to_owned())?;
    in_zone(civil, zone)
}

fn strptime(pattern: &str, text: &str, zone: &TimeZone) -> Result<DeviceTime, String> {
    let mismatch = || format!("the time does not look like `{pattern}`");
    let parsed = BrokenDownTime::parse(pattern, text).map_err(|_| mismatch())?;
    if let Ok(time) = parsed.to_timestamp() {
        return Ok(DeviceTime(time.as_microsecond()));
    }
    let civil = parsed
        .to_datetime()
        .or_else(|_| parsed.to_date().map(|date| date.at(0, 0, 0, 0)))
        .map_err(|_| mismatch())?;
    in_zone(civil, zone)
}

fn in_zone(civil: civil::DateTime, zone: &TimeZone) -> Result<DeviceTime, String> {
    zone.to_timestamp(civil)
        .map(|time| DeviceTime(time.as_microsecond()))
        .map_err(|_| "the time is out of range".to_owned())
}

/// The decimal number `text` times 10^`power`, rounded half away from zero, without going
/// through floating point; none when it is no number or leaves the range.
pub(crate) fn decimal_to_int(text: &str, power: i32) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Digits to keep: those whose place, after scaling, is at or above one.
    let keep = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(power);
    let mut value: i128 = 0;
    let mut round_up = false;
    let mut seen: i64 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        if seen < keep {
            value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        } else if seen == keep {
            round_up = byte >= b'5';
        }
        seen += 1;
    }
    // A number that is all zeros stays zero however far it is scaled.
    if value != 0 {
        for _ in seen..keep {
            value = value.checked_mul(10)?;
        }
    }
    value = value.checked_add(i128::from(round_up))?;
    i64::try_from(if negative { -value } else { value }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(format: &str, zone_name: &str, value: &Value, expected: Option<i64>) {
        let format = TimeFormat::from_name(format).expect("a known format");
        let zone = zone(zone_name).expect("a known zone");
        assert_eq!(format.read(value, &zone).ok().map(|t| t.0), expected, "{format:?} {value}");
    }

    #[test]
    fn times_are_read_exactly() {
        check("unix_s", "UTC", &json!(1_700_000_000.123_456), Some(1_700_000_000_123_456));
        check("unix_s", "UTC", &json!("1700000000.1234565"), Some(1_700_000_000_123_457));
        check("unix_ms", "UTC", &json!(1_700_000_000_123_i64), Some(1_700_000_000_123_000));
        check("unix_us", "UTC", &json!(-5), Some(-5));
        check("unix_ns", "UTC", &json!("1700000000123456789"), Some(1_700_000_000_123_457));
        check("unix_s", "UTC", &json!("1.7e9"), Some(1_700_000_000_000_000));
        check("unix_s", "UTC", &json!("soon"), None);
        check("unix_s", "UTC", &json!(1e300), None);
        check("rfc3339", "UTC", &json!("2024-03-01T12:00:00Z"), Some(1_709_294_400_000_000));
        check("rfc3339", "UTC", &json!("2024-03-01T13:00:00.5+01:00"), Some(1_709_294_400_500_000));
        check("rfc3339", "Europe/Berlin", &json!("2024-03-01T13:00:00"), Some(1_709_294_400_000_000));
        check("rfc3339", "UTC", &json!("2024-02-30T13:00:00Z"), None);
        check("%d.%m.%Y %H:%M:%S", "Europe/Berlin", &json!("01.07.2024 14:00:00"), Some(1_719_835_200_000_000));
        check("%Y%m%d%H%M%S%z", "UTC", &json!("20240301130000+0100"), Some(1_709_294_400_000_000));
        check("%Y-%m-%d", "UTC", &json!("2024-03-01"), Some(1_709_251_200_000_000));
        check("%Y-%m-%d", "UTC", &json!(true), None);
    }

    #[test]
    fn decimals_round_half_away_from_zero() {
        for (text, power, expected) in [
            ("0.0000005", 6, Some(1)),
            ("-0.0000005", 6, Some(-1)),
            ("0.00000049", 6, Some(0)),
            ("12e-1", 0, Some(1)),
            ("15e-1", 0, Some(2)),
            ("0e2000000000", 6, Some(0)),
            ("1e2000000000", 6, None),
            ("1e-2000000000", 6, Some(0)),
            ("", 0, None),
            (".", 0, None),
            ("1.2.3", 0, None),
        ] {
            assert_eq!(decimal_to_int(text, power), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whole_microseconds_survive(micros in -4_000_000_000_000_000_i64..4_000_000_000_000_000) {
            let sign = if micros < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{:06}", micros.abs() / 1_000_000, micros.abs() % 1_000_000);
            proptest::prop_assert_eq!(decimal_to_int(&text, 6), Some(micros));
        }
    }
}
