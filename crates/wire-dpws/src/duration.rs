//! Durations as XML Schema writes them, in milliseconds.

/// Longest duration that is read: ten years. Longer ones are this long.
pub const MAX_MS: u64 = 10 * 365 * DAY;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Reads an `xs:duration` without years and months, which have no fixed length, unless they are nought:
/// milliseconds, cut off at [`MAX_MS`]; finer fractions are cut. None for anything else, negative ones included.
#[must_use]
pub fn read(text: &str) -> Option<u64> {
    let rest = text.trim().strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = parts(date, &[('Y', None), ('M', None), ('D', Some(DAY))])?;
    let time = parts(time, &[('H', Some(HOUR)), ('M', Some(MINUTE)), ('S', Some(SECOND))])?;
    Some(date.saturating_add(time).min(MAX_MS))
}

fn parts(mut text: &str, units: &[(char, Option<u64>)]) -> Option<u64> {
    let mut sum = 0_u64;
    for (letter, length) in units {
        let Some((number, rest)) = text.split_once(*letter) else { continue };
        text = rest;
        let value = match (number.split_once('.'), length) {
            (Some((whole, fraction)), Some(SECOND)) => {
                digits(fraction).filter(|_| !whole.is_empty())?;
                let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
                digits(whole)?.saturating_mul(SECOND).saturating_add(digits(&thousandths)?)
            }
            (None, Some(length)) => digits(number)?.saturating_mul(*length),
            (None, None) => digits(number).filter(|value| *value == 0)?,
            _ => return None,
        };
        sum = sum.saturating_add(value);
    }
    text.is_empty().then_some(sum)
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(MAX_MS))
}

/// Writes milliseconds as an `xs:duration` of seconds.
#[must_use]
pub fn write(ms: u64) -> String {
    match ms % SECOND {
        0 => format!("PT{}S", ms / SECOND),
        rest => format!("PT{}.{rest:03}S", ms / SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, ms) in [
            ("PT15S", Some(15_000)),
            ("PT1H2M3.5S", Some(3_723_500)),
            ("P1DT1S", Some(86_401_000)),
            ("P0Y0M1D", Some(86_400_000)),
            ("PT0.0004S", Some(0)),
            ("PT3600S", Some(3_600_000)),
            ("PT99999999999999999999999S", Some(MAX_MS)),
            ("P1Y", None),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("-PT1S", None),
            ("PT1", None),
            ("PT1S1M", None),
            ("PT.5S", None),
            ("PT5.S", None),
            ("PT1.5M", None),
            ("15", None),
        ] {
            assert_eq!(read(text), ms, "{text}");
        }
        for ms in [0, 1, 999, 1_000, 15_500, 86_400_000] {
            assert_eq!(read(&write(ms)), Some(ms));
        }
    }
}
