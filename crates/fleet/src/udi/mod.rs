//! Unique device identifiers (UDI) as read from labels: which model, and which one of it.
//!
//! The three agencies that the FDA accredited (21 CFR 830) each have their form; sources: "UDI
//! Formats by FDA-Accredited Issuing Agency", version 1.3 (FDA, 2017); GS1 General
//! Specifications, section 3 (application identifiers); ANSI/HIBC 2.6 (Supplier Labeling
//! Standard); ISBT 128 Standard Technical Specification, section 2 (data identifiers).

mod gs1;
mod hibcc;
mod iccbba;

use serde::{Deserialize, Serialize};

/// Who issued the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Agency {
    /// GS1: the number is a GTIN.
    Gs1,
    /// HIBCC: labeler, product, unit of measure.
    Hibcc,
    /// ICCBBA: ISBT 128 processor product identification code.
    Iccbba,
}

impl Agency {
    /// As the GUDID names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gs1 => "GS1",
            Self::Hibcc => "HIBCC",
            Self::Iccbba => "ICCBBA",
        }
    }
}

/// A UDI, taken apart. Dates are `YYYY-MM-DD`, or `YYYY-MM` where the label has no day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Udi {
    /// Who issued it.
    pub agency: Agency,
    /// The device identifier (UDI-DI): manufacturer and model, the key of the GUDID.
    pub device: String,
    /// Serial number.
    pub serial: Option<String>,
    /// Lot or batch.
    pub lot: Option<String>,
    /// When it was made.
    pub made: Option<String>,
    /// Until when it may be used.
    pub expires: Option<String>,
    /// Software version, where the label has one (GS1 8012).
    pub software: Option<String>,
    /// Donation identification number (ICCBBA, of human tissue).
    pub donation: Option<String>,
}

impl Udi {
    fn of(agency: Agency, device: &str) -> Self {
        Self {
            agency,
            device: device.to_owned(),
            serial: None,
            lot: None,
            made: None,
            expires: None,
            software: None,
            donation: None,
        }
    }
}

/// Why a text is no UDI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UdiError {
    /// It begins as none of the three forms does.
    #[error("not a UDI: it begins with (01) for GS1, + for HIBCC, =/ for ICCBBA")]
    Form,
    /// A check digit or character is wrong: a letter was misread or mistyped.
    #[error("the check character is wrong: read the label again")]
    Check,
    /// A part is cut off, too long, or has letters that it can't have.
    #[error("part {0} is not as its agency writes it: read the label again")]
    Part(&'static str),
}

/// Longest text taken, bytes; the longest valid one has about 80.
const LONGEST: usize = 256;

/// Takes a UDI apart: with brackets as people read it, or as a scanner gives it (group separators
/// as U+001D, symbology identifier `]d2` and the like in front).
///
/// # Errors
/// [`UdiError`].
pub fn read(text: &str) -> Result<Udi, UdiError> {
    let text = text.trim();
    if text.len() > LONGEST || !text.is_ascii() {
        return Err(UdiError::Form);
    }
    // The symbology identifier of ISO/IEC 15424: `]`, a letter, a digit.
    let text = if text.starts_with(']') { text.get(3..).unwrap_or("") } else { text };
    let text = text.trim_start_matches('\u{1d}');
    if text.starts_with("(01)") || text.starts_with("01") {
        gs1::read(text)
    } else if text.starts_with("=/") || text.starts_with("=+") {
        iccbba::read(text)
    } else if let Some(rest) = text.strip_prefix('+') {
        hibcc::read(rest)
    } else {
        Err(UdiError::Form)
    }
}

/// `YYMMDD` as a date; day 00 is the month. Years go by GS1 7.12: 51 to 99 are of the last century.
fn date(digits: &str, part: &'static str) -> Result<String, UdiError> {
    if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(UdiError::Part(part));
    }
    let (year, month, day) = (&digits[..2], &digits[2..4], &digits[4..]);
    let century = if year > "50" { "19" } else { "20" };
    if !("01"..="12").contains(&month) || day > "31" {
        return Err(UdiError::Part(part));
    }
    Ok(match day {
        "00" => format!("{century}{year}-{month}"),
        day => format!("{century}{year}-{month}-{day}"),
    })
}

/// Day `day` (from 1) of a year.
fn day_of_year(year: u32, day: u32, part: &'static str) -> Result<String, UdiError> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let months = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut left = day;
    for (month, days) in (1..).zip(months) {
        if (1..=days).contains(&left) {
            return Ok(format!("{year:04}-{month:02}-{left:02}"));
        }
        left = left.saturating_sub(days);
    }
    Err(UdiError::Part(part))
}

/// A text of 1 to `most` letters.
fn text(value: &str, most: usize, part: &'static str) -> Result<String, UdiError> {
    let fits = (1..=most).contains(&value.len()) && value.bytes().all(|b| (0x21..0x7f).contains(&b));
    if fits { Ok(value.to_owned()) } else { Err(UdiError::Part(part)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Device identifier and what else is there, as one line.
    fn told(text: &str) -> String {
        match read(text) {
            Err(error) => format!("{error:?}"),
            Ok(udi) => {
                let parts = [
                    ("serial", udi.serial),
                    ("lot", udi.lot),
                    ("made", udi.made),
                    ("expires", udi.expires),
                    ("software", udi.software),
                    ("donation", udi.donation),
                ];
                let parts = parts.into_iter().filter_map(|(name, v)| Some(format!(" {name}={}", v?)));
                format!("{} {}{}", udi.agency.name(), udi.device, parts.collect::<String>())
            }
        }
    }

    #[test]
    fn labels_of_the_three_agencies() {
        for (text, expected) in [
            // The FDA's own examples. The last letter of its HIBC one, C, stands for the check
            // character and is not it: that is H.
            (
                "(01)51022222233336(11)141231(17)150707(10)A213B1(21)1234",
                "GS1 51022222233336 serial=1234 lot=A213B1 made=2014-12-31 expires=2015-07-07",
            ),
            (
                "+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202H",
                "HIBCC H123PARTNO1234567890120 serial=XYZ456789012345678 lot=LOT123456789012345 \
                 made=2013-02-02 expires=2020-02-02",
            ),
            (
                "=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123",
                "ICCBBA A9999XYZ100T0944 serial=000025 lot=000000000000XYZ123 made=2013-02-01 \
                 expires=2014-02-01 donation=A99971312345600",
            ),
            // The same with the header of a compound message (ISBT 128 ST-017, 5).
            (
                "=+06000=/A9999XYZ100T0476=,000025=A99971712345600=>019032=}017032&,1000000000000XYZ123",
                "ICCBBA A9999XYZ100T0476 serial=000025 lot=000000000000XYZ123 made=2017-02-01 \
                 expires=2019-02-01 donation=A99971712345600",
            ),
            // HL7's example of a GS1 label, and the same as a scanner gives it.
            (
                "(01)00643169001763(17)160712(21)21A11F4855",
                "GS1 00643169001763 serial=21A11F4855 expires=2016-07-12",
            ),
            (
                "]d20100643169001763171607122121A11F4855",
                "GS1 00643169001763 serial=21A11F4855 expires=2016-07-12",
            ),
            (
                "0100643169001763102001A\u{1d}21X-7\u{1d}8012G.01.75",
                "GS1 00643169001763 serial=X-7 lot=2001A software=G.01.75",
            ),
            ("(01)00643169001763(17)160700", "GS1 00643169001763 expires=2016-07"),
            // Broken ones.
            ("(01)00643169001764(17)160712", "Check"),
            ("(01)0064316900176", "Part(\"(01)\")"),
            ("(01)00643169001763(17)161312", "Part(\"(17)\")"),
            ("(01)00643169001763(10)", "Part(\"(10)\")"),
            ("(01)00643169001763(10)123456789012345678901", "Part(\"(10)\")"),
            ("+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202C", "Check"),
            ("=/A9999", "Part(\"=/\")"),
            ("=/A9999XYZ100T0944=>014400", "Part(\"=>\")"),
            ("hello", "Form"),
            ("", "Form"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\(01\\)00643169001763|\\+H12|=/A9999XYZ100T0944|0100643169001763)?[ -~\u{1d}ü]{0,40}") {
            let _ = read(&text);
        }
    }
}
