//! Firmware policy: the oldest version that a model may run.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::version::Version;

/// The oldest version that is good enough for a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minimum {
    /// Manufacturer; compared by [`same_maker`].
    pub manufacturer: String,
    /// Model; compared by [`same_name`].
    pub model: String,
    /// The oldest version that is good enough.
    pub version: String,
}

/// What the policy says of one device's firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// At least the minimum.
    Ok,
    /// Older than this minimum.
    Below(String),
    /// It can't be told.
    Unknown(Unknown),
}

/// Why nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The device has not told its model.
    NoModel,
    /// The policy has no minimum for this model.
    NoMinimum,
    /// The device has not told its version.
    NoVersion,
    /// Version and minimum are of different series: see [`crate::version`].
    NotComparable,
}

impl Verdict {
    /// One word: `ok`, `below`, `unknown`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Below(_) => "below",
            Self::Unknown(_) => "unknown",
        }
    }

    /// What a person reads.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Ok => String::new(),
            Self::Below(minimum) => format!("older than {minimum}"),
            Self::Unknown(Unknown::NoModel) => "the device has not told its model".to_owned(),
            Self::Unknown(Unknown::NoMinimum) => "no minimum set for this model".to_owned(),
            Self::Unknown(Unknown::NoVersion) => "the device has not told its version".to_owned(),
            Self::Unknown(Unknown::NotComparable) => {
                "version and minimum are of different series".to_owned()
            }
        }
    }
}

/// What the policy says of a model that runs `version`. Of several minimums for one model the
/// first one that can be compared counts.
#[must_use]
pub fn judge(minimums: &[Minimum], manufacturer: &str, model: &str, version: &str) -> Verdict {
    if model.trim().is_empty() {
        return Verdict::Unknown(Unknown::NoModel);
    }
    let of_model: Vec<&Minimum> = minimums
        .iter()
        .filter(|m| same_maker(&m.manufacturer, manufacturer) && same_name(&m.model, model))
        .collect();
    if of_model.is_empty() {
        return Verdict::Unknown(Unknown::NoMinimum);
    }
    let Some(running) = Version::read(version) else {
        return Verdict::Unknown(Unknown::NoVersion);
    };
    for minimum in of_model {
        let Some(wanted) = Version::read(&minimum.version) else { continue };
        match running.against(&wanted) {
            Some(Ordering::Less) => return Verdict::Below(minimum.version.clone()),
            Some(_) => return Verdict::Ok,
            None => {}
        }
    }
    Verdict::Unknown(Unknown::NotComparable)
}

/// The words of a name, lower case: letters and digits, whatever stands between them.
pub(crate) fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Whether two names are the same but for case and punctuation.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    let joined = |name: &str| words(name).concat();
    let (a, b) = (joined(a), joined(b));
    !a.is_empty() && a == b
}

/// Forms of companies, which are no part of their names.
const FORMS: [&str; 16] = [
    "inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "llc", "gmbh",
    "ag", "sa", "bv", "kg", "plc", "kgaa",
];

/// Whether two makers are the same but for case, punctuation and the form of the company:
/// `Acme Medical, Inc.` is `ACME Medical`.
#[must_use]
pub fn same_maker(a: &str, b: &str) -> bool {
    let name = |name: &str| {
        let mut words = words(name);
        while words.len() > 1 && words.last().is_some_and(|word| FORMS.contains(&word.as_str())) {
            words.pop();
        }
        words.concat()
    };
    let (a, b) = (name(a), name(b));
    !a.is_empty() && a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let minimum = |manufacturer: &str, model: &str, version: &str| Minimum {
            manufacturer: manufacturer.to_owned(),
            model: model.to_owned(),
            version: version.to_owned(),
        };
        let policy = [
            minimum("Acme Medical", "P-2", "2.4"),
            minimum("Acme Medical", "M3", "G.01.80"),
            minimum("Acme Medical", "M3", "2.0"),
        ];
        for (maker, model, version, expected) in [
            ("Acme Medical, Inc.", "P2", "2.4.0", Verdict::Ok),
            ("ACME MEDICAL", "p 2", "2.3.9", Verdict::Below("2.4".to_owned())),
            ("Acme Medical", "P2", "", Verdict::Unknown(Unknown::NoVersion)),
            ("Acme Medical", "P2", "G.01", Verdict::Unknown(Unknown::NotComparable)),
            ("Acme Medical", "P3", "2.4", Verdict::Unknown(Unknown::NoMinimum)),
            ("Other", "P2", "2.4", Verdict::Unknown(Unknown::NoMinimum)),
            ("", "", "2.4", Verdict::Unknown(Unknown::NoModel)),
            // Two series of one model, each with a minimum.
            ("Acme Medical", "M3", "G.01.75", Verdict::Below("G.01.80".to_owned())),
            ("Acme Medical", "M3", "2.1", Verdict::Ok),
        ] {
            assert_eq!(judge(&policy, maker, model, version), expected, "{maker} {model} {version}");
        }
    }
}
