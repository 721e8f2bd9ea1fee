//! ICCBBA: ISBT 128 data structures, each with its two data identifiers in front.

use super::{Agency, Udi, UdiError, day_of_year, text};

pub(super) fn read(label: &str) -> Result<Udi, UdiError> {
    let mut device = None;
    let mut udi = Udi::of(Agency::Iccbba, "");
    let mut rest = label;
    // A compound message begins with how many follow.
    if let Some(after) = rest.strip_prefix("=+") {
        rest = after.get(5..).ok_or(UdiError::Part("=+"))?;
    }
    while !rest.is_empty() {
        rest = if let Some(after) = rest.strip_prefix("=/") {
            let (value, after) = cut(after, 16, "=/")?;
            device = Some(value);
            after
        } else if let Some(after) = rest.strip_prefix("=,") {
            let (value, after) = cut(after, 6, "=,")?;
            udi.serial = Some(value);
            after
        } else if let Some(after) = rest.strip_prefix("=>") {
            let (value, after) = cut(after, 6, "=>")?;
            udi.expires = Some(day(&value, "=>")?);
            after
        } else if let Some(after) = rest.strip_prefix("=}") {
            let (value, after) = cut(after, 6, "=}")?;
            udi.made = Some(day(&value, "=}")?);
            after
        } else if let Some(after) = rest.strip_prefix("&,1") {
            let (value, after) = cut(after, 18, "&,1")?;
            udi.lot = Some(value);
            after
        } else if let Some(after) = rest.strip_prefix('=') {
            // A donation number begins with the letter or digit of its facility.
            let (value, after) = cut(after, 15, "=")?;
            udi.donation = Some(value);
            after
        } else {
            return Err(UdiError::Part("data identifier"));
        };
    }
    udi.device = device.ok_or(UdiError::Part("=/"))?;
    Ok(udi)
}

fn cut<'a>(rest: &'a str, length: usize, part: &'static str) -> Result<(String, &'a str), UdiError> {
    let value = rest.get(..length).ok_or(UdiError::Part(part))?;
    if !value.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(UdiError::Part(part));
    }
    Ok((text(value, length, part)?, &rest[length..]))
}

/// `YYYJJJ`: the last three digits of the year, and the day.
fn day(digits: &str, part: &'static str) -> Result<String, UdiError> {
    let number = digits.parse::<u32>().map_err(|_| UdiError::Part(part))?;
    let year = number / 1_000;
    day_of_year(if year > 900 { 1_000 + year } else { 2_000 + year }, number % 1_000, part)
}
