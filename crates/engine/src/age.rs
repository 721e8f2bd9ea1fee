//! Age from an ISO date of birth, without a calendar library: whole-day arithmetic of the
//! proleptic Gregorian calendar.

use vitals::time::DAY;

/// Age in years at `now` (microseconds since 1970) of somebody born on `birth` (`YYYY`, `YYYY-MM`
/// or `YYYY-MM-DD`; what is missing counts as the middle of the year or month). None when the
/// date can't be read or lies ahead.
pub(crate) fn years(birth: &str, now: i64) -> Option<f64> {
    let mut parts = birth.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let year = parts.next().flatten()?;
    let month = parts.next().unwrap_or(Some(7))?;
    let day = parts.next().unwrap_or(Some(if birth.len() > 4 { 15 } else { 1 }))?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let age = (now.div_euclid(DAY) - days(year, month, day)) as f64 / 365.2425;
    (age >= 0.0).then_some(age)
}

/// Days from 1970-01-01, counting years from March so that leap days fall at their end.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970() {
        for (date, expected) in [((1970, 1, 1), 0), ((2000, 3, 1), 11_017), ((1969, 12, 31), -1)] {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        }
    }

    #[test]
    fn ages_are_in_years() {
        let now = days(2026, 11, 21) * DAY;
        for (birth, low, high) in [("1956-11-21", 69.99, 70.01), ("2026", 0.3, 0.5), ("2010-11", 16.0, 16.1)] {
            let age = years(birth, now).expect("readable");
            assert!((low..=high).contains(&age), "{birth}: {age}");
        }
        for birth in ["", "2030-01-01", "1999-13-01", "x"] {
            assert_eq!(years(birth, now), None, "{birth}");
        }
    }
}
