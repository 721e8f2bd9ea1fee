//! Which versions something is said of.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::version::Version;

/// A range of versions, as text: empty is all; `2.4` is that one; `<2.4`, `>=1.0, <2.4` are bounds
/// that all hold; `|` parts alternatives, unless the text is a version range specifier
/// (`vers:generic/>=1.0|<2.4|3.1`), whose `|` parts bounds in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Range(pub String);

/// One comparison with one version.
struct Bound<'a> {
    sign: &'a str,
    version: &'a str,
}

impl Range {
    /// Whether a version is in it; none when that can't be told.
    #[must_use]
    pub fn holds(&self, version: &str) -> Option<bool> {
        let text = self.0.trim();
        if matches!(text, "" | "*" | "all" | "vers:all/*") {
            return Some(true);
        }
        let version = Version::read(version)?;
        match text.strip_prefix("vers:") {
            Some(rest) => specifier(rest.split_once('/')?.1, &version),
            None => {
                let parts = text.split('|').filter(|part| !part.trim().is_empty());
                any(parts.map(|part| every(part.split([',', '&']).map(bound), &version)))
            }
        }
    }
}

/// A comparison; words of makers mean what the signs mean.
fn bound(text: &str) -> Bound<'_> {
    let text = text.trim();
    for (prefix, sign) in [
        (">=", ">="), ("<=", "<="), ("!=", "!="), ("≥", ">="), ("≤", "<="), ("==", "="),
        (">", ">"), ("<", "<"), ("=", "="),
        ("before ", "<"), ("prior to ", "<"), ("up to ", "<="), ("after ", ">"), ("from ", ">="),
    ] {
        if let Some(version) = text.get(..prefix.len()).filter(|p| p.eq_ignore_ascii_case(prefix)) {
            return Bound { sign, version: text[version.len()..].trim() };
        }
    }
    Bound { sign: "=", version: text }
}

fn holds(bound: &Bound<'_>, version: &Version) -> Option<bool> {
    if bound.version == "*" {
        return Some(true);
    }
    let order = version.against(&Version::read(bound.version)?)?;
    Some(match bound.sign {
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        "!=" => order.is_ne(),
        _ => order.is_eq(),
    })
}

/// All of them: false if one is surely false, else unknown if one is unknown.
fn every<'a>(bounds: impl Iterator<Item = Bound<'a>>, version: &Version) -> Option<bool> {
    let mut known = true;
    for bound in bounds.filter(|bound| !bound.version.is_empty()) {
        match holds(&bound, version) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = false,
        }
    }
    known.then_some(true)
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = true;
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = false,
        }
    }
    known.then_some(false)
}

/// VERS: `=`, `!=` and intervals between neighbouring `>`/`<` bounds.
fn specifier(text: &str, version: &Version) -> Option<bool> {
    let bounds: Vec<Bound<'_>> = text.split('|').map(bound).filter(|b| !b.version.is_empty()).collect();
    let (exact, limits): (Vec<_>, Vec<_>) = bounds.iter().partition(|b| matches!(b.sign, "=" | "!="));
    for bound in &exact {
        if let Some(equal) = Version::read(bound.version).and_then(|v| version.against(&v)).map(Ordering::is_eq)
            && equal
        {
            return Some(bound.sign == "=" || bound.version == "*");
        }
        if bound.version == "*" {
            return Some(true);
        }
    }
    let mut found = false;
    let mut at = 0;
    while at < limits.len() {
        let opens = limits[at].sign.starts_with('>');
        let closed_by = limits.get(at + 1).filter(|next| opens && next.sign.starts_with('<'));
        let inside = holds(limits[at], version)?;
        let before_end = closed_by.map_or(Some(true), |end| holds(end, version))?;
        found |= inside && before_end;
        at += 1 + usize::from(closed_by.is_some());
    }
    // Only exclusions: everything else is in.
    Some(found || (limits.is_empty() && !exact.is_empty() && exact.iter().all(|b| b.sign == "!=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_advisories_write_them() {
        for (range, version, expected) in [
            ("", "1", Some(true)),
            ("*", "", Some(true)),
            ("2.4", "2.4.0", Some(true)),
            ("2.4", "2.4.1", Some(false)),
            ("<2.4", "2.3", Some(true)),
            ("<= 2.4", "2.4", Some(true)),
            ("≤2.4", "2.5", Some(false)),
            (">=1.0, <2.4", "0.9", Some(false)),
            (">=1.0, <2.4", "1.7", Some(true)),
            ("<1.0 | >=2.0,<2.2", "2.1", Some(true)),
            ("<1.0 | >=2.0,<2.2", "1.5", Some(false)),
            ("prior to G.01.80", "G.01.75", Some(true)),
            ("Up to 2.4", "2.4", Some(true)),
            ("<2.4", "", None),
            ("<2.4", "G.01", None),
            ("vers:generic/>=1.0|<2.4", "2.0", Some(true)),
            ("vers:generic/>=1.0|<2.4", "2.4", Some(false)),
            ("vers:generic/<1.0|>=2.0|<=2.1|3.3", "0.5", Some(true)),
            ("vers:generic/<1.0|>=2.0|<=2.1|3.3", "1.5", Some(false)),
            ("vers:generic/<1.0|>=2.0|<=2.1|3.3", "2.1", Some(true)),
            ("vers:generic/<1.0|>=2.0|<=2.1|3.3", "3.3", Some(true)),
            ("vers:generic/>=3.0", "9", Some(true)),
            ("vers:generic/!=2.0", "2.0", Some(false)),
            ("vers:all/*", "7", Some(true)),
        ] {
            assert_eq!(Range(range.to_owned()).holds(version), expected, "{version} in {range}");
        }
    }
}
