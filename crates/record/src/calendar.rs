//! Days of the Gregorian calendar, in UTC, as numbers: what the headers of recordings need.
//!
//! Arithmetic on whole eras of 400 years (146,097 days), with years that begin in March so that the
//! leap day is the last of its year.

const DAY_US: i64 = vitals::time::DAY;

/// Days from 1970-01-01 to the date; none if there is no such day or it is not in the years 1 to 9999.
#[must_use]
pub fn days(year: i64, month: u32, day: u32) -> Option<i64> {
    if !(1..=9_999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if day > length {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// A point in time as its date and what the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999,999.
    pub micros: u32,
}

impl Civil {
    /// What calendar and clock show `micros` microseconds after 1970 began.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        let (days, of_day) = (micros.div_euclid(DAY_US), micros.rem_euclid(DAY_US));
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * of_year + 2) / 153;
        let month = (march + 2) % 12 + 1;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let part = |unit: i64, base: i64| (of_day / unit % base) as u32;
        Self {
            year,
            month: month as u32,
            day: (of_year - (153 * march + 2) / 5 + 1) as u32,
            hour: part(vitals::time::HOUR, 24),
            minute: part(vitals::time::MINUTE, 60),
            second: part(vitals::time::SECOND, 60),
            micros: part(1, 1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        for (date, expected) in [
            ((1970, 1, 1), Some(0)),
            ((1969, 12, 31), Some(-1)),
            ((2000, 2, 29), Some(11_016)),
            ((2026, 11, 21), Some(20_778)),
            ((1900, 2, 29), None),
            ((2023, 4, 31), None),
            ((0, 1, 1), None),
            ((2023, 13, 1), None),
        ] {
            assert_eq!(days(date.0, date.1, date.2), expected, "{date:?}");
        }
    }

    #[test]
    fn dates_come_back() {
        for day in (-719_000..2_900_000).step_by(97) {
            let micros = day * DAY_US + 45_296_000_007;
            let civil = Civil::from_micros(micros);
            assert_eq!(days(civil.year, civil.month, civil.day), Some(day), "{civil:?}");
            assert_eq!((civil.hour, civil.minute, civil.second, civil.micros), (12, 34, 56, 7));
        }
    }
}
