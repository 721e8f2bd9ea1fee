//! HIBCC: ANSI/HIBC 2.6, primary and secondary data in one label, parted by `/`.

use super::{Agency, Udi, UdiError, date, day_of_year, text};

/// The letters of the check character, by value (ANSI/HIBC 2.6, appendix B).
const LETTERS: &[u8; 43] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%";

/// `rest` is what follows the `+`.
pub(super) fn read(rest: &str) -> Result<Udi, UdiError> {
    let (data, check) = rest.split_at(rest.len().saturating_sub(1));
    let value = |letter: u8| LETTERS.iter().position(|l| *l == letter);
    let sum = data.bytes().try_fold(value(b'+').unwrap_or(0), |sum, letter| {
        value(letter).map(|value| sum + value).ok_or(UdiError::Check)
    })?;
    if Some(sum % 43) != check.bytes().next().and_then(value) {
        return Err(UdiError::Check);
    }
    let mut parts = data.split('/');
    let primary = parts.next().unwrap_or("");
    // Labeler (a letter and three more), product 1 to 18, unit of measure.
    let fits = (6..=23).contains(&primary.len())
        && primary.starts_with(|c: char| c.is_ascii_uppercase())
        && primary.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !fits {
        return Err(UdiError::Part("+"));
    }
    let mut udi = Udi::of(Agency::Hibcc, primary);
    for part in parts {
        secondary(&mut udi, part)?;
    }
    Ok(udi)
}

fn secondary(udi: &mut Udi, part: &str) -> Result<(), UdiError> {
    if let Some(rest) = part.strip_prefix("$$+") {
        udi.serial = expiry(udi, rest, "$$+")?;
    } else if let Some(rest) = part.strip_prefix("$$") {
        udi.lot = expiry(udi, rest, "$$")?;
    } else if let Some(rest) = part.strip_prefix("$+") {
        udi.serial = Some(text(rest, 18, "$+")?);
    } else if let Some(rest) = part.strip_prefix('$') {
        udi.lot = Some(text(rest, 18, "$")?);
    } else if let Some(rest) = part.strip_prefix('S') {
        udi.serial = Some(text(rest, 18, "S")?);
    } else if let Some(rest) = part.strip_prefix("16D") {
        udi.made = Some(long_date(rest, "16D")?);
    } else if let Some(rest) = part.strip_prefix("14D") {
        udi.expires = Some(long_date(rest, "14D")?);
    } else if let Some(rest) = part.strip_prefix('Q') {
        text(rest, 5, "Q")?;
    } else {
        return Err(UdiError::Part("/"));
    }
    Ok(())
}

/// Takes quantity and expiry off the front; what follows, if anything does.
fn expiry(udi: &mut Udi, rest: &str, part: &'static str) -> Result<Option<String>, UdiError> {
    let error = UdiError::Part(part);
    // A quantity: 8 and two digits, 9 and five.
    let rest = match rest.as_bytes().first() {
        Some(b'8') => rest.get(3..).ok_or(error)?,
        Some(b'9') => rest.get(6..).ok_or(error)?,
        _ => rest,
    };
    let cut = |at: usize, from: usize| rest.get(at..from).ok_or(error);
    let (expires, after) = match rest.as_bytes().first() {
        // MMYY, the only form without a number of its own: months begin with 0 or 1.
        Some(b'0' | b'1') => (Some(date(&format!("{}{}00", cut(2, 4)?, cut(0, 2)?), part)?), 4),
        Some(b'2') => (Some(date(&format!("{}{}", cut(5, 7)?, cut(1, 5)?), part)?), 7),
        Some(b'3') => (Some(date(cut(1, 7)?, part)?), 7),
        // With the hour, which is not kept.
        Some(b'4') => (Some(date(cut(1, 7)?, part)?), cut(0, 9).map(|_| 9)?),
        Some(b'5') => (Some(julian(cut(1, 6)?, part)?), 6),
        Some(b'6') => (Some(julian(cut(1, 6)?, part)?), cut(0, 8).map(|_| 8)?),
        Some(b'7') => (None, 1),
        _ => return Err(error),
    };
    udi.expires = expires.or(udi.expires.take());
    match &rest[after..] {
        "" => Ok(None),
        value => Ok(Some(text(value, 18, part)?)),
    }
}

/// `YYJJJ`.
fn julian(digits: &str, part: &'static str) -> Result<String, UdiError> {
    let number = digits.parse::<u32>().map_err(|_| UdiError::Part(part))?;
    day_of_year(2_000 + number / 1_000, number % 1_000, part)
}

/// `YYYYMMDD`.
fn long_date(digits: &str, part: &'static str) -> Result<String, UdiError> {
    let short = digits.get(2..).filter(|_| digits.len() == 8).ok_or(UdiError::Part(part))?;
    let checked = date(short, part)?;
    Ok(format!("{}{}", &digits[..2], &checked[2..]))
}
