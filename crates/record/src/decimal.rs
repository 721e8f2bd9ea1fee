//! Rates written as decimal numbers, as exact fractions.

use vitals::Rate;

/// The rate that a decimal number means: exactly the number that is written, or, where that has
/// nine or more digits behind the point and can only be a rounded one (`0.0166666666667`), the
/// simplest fraction that rounds to it. None if it is no rate.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) {
        return rate_from_float(text);
    }
    let part = part.trim_end_matches('0');
    if part.len() >= 9 || whole.len() > 9 {
        return rate_from_float(text);
    }
    let denominator = 10_u64.pow(part.len() as u32);
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let behind: u64 = if part.is_empty() { 0 } else { part.parse().ok()? };
    reduced(whole.checked_mul(denominator)?.checked_add(behind)?, denominator)
}

/// The rate `numerator ÷ denominator`, if its lowest terms have 32 bits.
pub(crate) fn reduced(numerator: u64, denominator: u64) -> Option<Rate> {
    let divisor = gcd(numerator, denominator);
    if divisor == 0 {
        return None;
    }
    let numerator = u32::try_from(numerator / divisor).ok()?;
    Rate::new(numerator, u32::try_from(denominator / divisor).ok()?)
}

/// Greatest common divisor.
pub(crate) const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn rate_from_float(text: &str) -> Option<Rate> {
    Rate::from_hz(text.parse().ok()?)
}

/// A rate as the shortest decimal number that [`rate`] reads as the same rate.
pub(crate) fn text(rate: Rate) -> String {
    rate.hz().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_fractions() {
        for (text, expected) in [
            ("250", Rate::new(250, 1)),
            ("62.5", Rate::new(125, 2)),
            ("62.4725", Rate::new(24_989, 400)),
            ("0.0166666666667", Rate::new(1, 60)),
            ("125.000", Rate::new(125, 1)),
            ("1e2", Rate::new(100, 1)),
            (".5", Rate::new(1, 2)),
            ("0", None),
            ("", None),
            ("-5", None),
            ("nan", None),
            ("99999999999", None),
        ] {
            assert_eq!(rate(text), expected, "{text}");
        }
    }

    #[test]
    fn rates_are_read_as_they_were_written() {
        for (n, d) in [(250, 1), (125, 2), (1, 60), (1_000, 3), (24_989, 400), (500, 7), (1, 3_600)] {
            let expected = Rate::new(n, d).expect("not zero");
            assert_eq!(rate(&text(expected)), Some(expected));
        }
    }
}
