//! GS1: application identifiers, `(01)` first.

use super::{Agency, Udi, UdiError, date, text};

/// Application identifiers that a device label may have: name, whether the length is fixed, and the
/// (largest) length.
const IDENTIFIERS: [(&str, &str, bool, usize); 7] = [
    ("11", "(11)", true, 6),
    ("17", "(17)", true, 6),
    ("10", "(10)", false, 20),
    ("21", "(21)", false, 20),
    ("8012", "(8012)", false, 20),
    // Variant and additional item numbers say nothing that we keep.
    ("20", "(20)", true, 2),
    ("240", "(240)", false, 30),
];

pub(super) fn read(label: &str) -> Result<Udi, UdiError> {
    let bracketed = label.starts_with('(');
    let rest = label.strip_prefix(if bracketed { "(01)" } else { "01" }).ok_or(UdiError::Form)?;
    let number = rest.get(..14).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let number = number.ok_or(UdiError::Part("(01)"))?;
    if !checked(number) {
        return Err(UdiError::Check);
    }
    let mut udi = Udi::of(Agency::Gs1, number);
    let mut rest = &rest[14..];
    while !rest.trim_start_matches('\u{1d}').is_empty() {
        rest = rest.trim_start_matches('\u{1d}');
        rest = part(&mut udi, rest, bracketed)?;
    }
    Ok(udi)
}

/// Takes one part off the front; what is left.
fn part<'a>(udi: &mut Udi, rest: &'a str, bracketed: bool) -> Result<&'a str, UdiError> {
    let found = IDENTIFIERS.iter().find_map(|(ai, name, fixed, length)| {
        let after = rest.strip_prefix(if bracketed { name } else { ai })?;
        Some((*ai, *name, *fixed, *length, after))
    });
    let (ai, name, fixed, length, after) = found.ok_or(UdiError::Part("application identifier"))?;
    let end = match (fixed, bracketed) {
        (true, _) => length.min(after.len()),
        (false, true) => after.find('(').unwrap_or(after.len()),
        (false, false) => after.find('\u{1d}').unwrap_or(after.len()),
    };
    let value = &after[..end];
    match ai {
        "11" => udi.made = Some(date(value, name)?),
        "17" => udi.expires = Some(date(value, name)?),
        "10" => udi.lot = Some(text(value, length, name)?),
        "21" => udi.serial = Some(text(value, length, name)?),
        "8012" => udi.software = Some(text(value, length, name)?),
        _ => drop(text(value, length, name)?),
    }
    Ok(&after[end..])
}

/// The check digit of a GTIN (GS1 General Specifications 7.9): weights 3 and 1 from the left of 14.
fn checked(number: &str) -> bool {
    let weighted = number.bytes().zip([3_u32, 1].into_iter().cycle());
    weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum::<u32>() % 10 == 0
}
