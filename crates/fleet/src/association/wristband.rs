//! What a scanner reads from a patient's wristband: a GS1 element string with the patient's global
//! service relation number (GSRN, application identifier 8018; GS1 General Specifications 3.9, "GS1
//! AIDC healthcare: patient identification"), or the record number as it is.

/// What a wristband says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wristband {
    /// The number that names the patient: a GSRN, or a record number.
    pub number: String,
    /// Which wristband of this patient it is (GS1 8019), if it says.
    pub instance: Option<String>,
}

/// Why a text is no wristband.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WristbandError {
    /// Empty, too long, or with letters that no wristband has.
    #[error("no wristband: 1 to 64 printable characters")]
    Form,
    /// The code names a thing, not a patient.
    #[error("this is the label of a device or a product, not a patient's wristband")]
    Thing,
    /// The check digit is wrong: a digit was misread or mistyped.
    #[error("the check digit is wrong: scan the wristband again")]
    Check,
}

/// Longest text taken.
const LONGEST: usize = 64;
/// Digits of a GSRN.
const GSRN: usize = 18;

/// Takes a wristband apart: with brackets as people read it, as a scanner gives it, or a record number.
///
/// # Errors
/// [`WristbandError`].
pub fn read(text: &str) -> Result<Wristband, WristbandError> {
    let text = text.trim();
    let text = if text.starts_with(']') { text.get(3..).ok_or(WristbandError::Form)? } else { text };
    let text = text.trim_start_matches('\u{1d}');
    let plain = |c: char| !c.is_control() || c == '\u{1d}';
    if text.is_empty() || text.chars().count() > LONGEST || !text.chars().all(plain) {
        return Err(WristbandError::Form);
    }
    if let Some(rest) = text.strip_prefix("(8018)") {
        return gs1(rest, "(8019)");
    }
    // Without brackets, only as long as such a string is: a record number may begin with 8018.
    if let Some(rest) = text.strip_prefix("8018").filter(|rest| rest.len() >= GSRN) {
        return gs1(rest, "8019");
    }
    if text.starts_with("(01)") || text.starts_with("=/") || crate::udi::read(text).is_ok() {
        return Err(WristbandError::Thing);
    }
    Ok(Wristband { number: text.to_owned(), instance: None })
}

fn gs1(rest: &str, instance: &str) -> Result<Wristband, WristbandError> {
    let number = rest.get(..GSRN).filter(|n| n.bytes().all(|b| b.is_ascii_digit())).ok_or(WristbandError::Form)?;
    // Weights 3 and 1 from the left of 18 digits (GS1 General Specifications 7.9).
    let weighted = number.bytes().zip([3_u32, 1].into_iter().cycle());
    if weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum::<u32>() % 10 != 0 {
        return Err(WristbandError::Check);
    }
    let rest = rest[GSRN..].trim_start_matches('\u{1d}');
    let instance = match rest.strip_prefix(instance) {
        Some(digits) if (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.to_owned())
        }
        None if rest.is_empty() => None,
        _ => return Err(WristbandError::Form),
    };
    Ok(Wristband { number: number.to_owned(), instance })
}
