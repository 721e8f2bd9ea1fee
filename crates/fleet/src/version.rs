//! Which of two firmware versions is newer.
//!
//! Makers write versions in many forms: `2.4.1`, `v2.4`, `G.01.75`, `Rev C.02`, `5.2 SP3`, `2.1b`,
//! `3.0.0-rc.1+build5`. One rule reads them all:
//!
//! 1. What follows a `+` is build information and says nothing about age (SemVer 2.0.0, 10).
//! 2. The rest is cut where letters meet digits and at everything that is neither. Leading words
//!    that only announce a version (`v`, `ver`, `version`, `rev`, `fw`, `sw`, `release`…) go.
//! 3. Parts are compared from the left: numbers as numbers, words by the alphabet, case aside. A
//!    missing part is 0: `2.1` is `2.1.0`. At one place the order is: words of things not yet
//!    released (`dev`, `alpha`, `beta`, `pre`, `rc`), then 0 or nothing, then other words (`2.1b`,
//!    `5.2 SP3`), then numbers from 1.
//! 4. Versions that begin in different ways (a number against a word, or two different words of more than a
//!    letter) are different series: neither is newer.
//!
//! For released versions and the usual words this agrees with SemVer; `1.0-5` is a later revision
//! here, not a pre-release, for that is how makers of devices use it.

use std::cmp::Ordering;
use std::fmt;

/// Longest version that is read, bytes; more is no version.
const LONGEST: usize = 128;
/// Words before a version that mean nothing.
const ANNOUNCING: [&str; 11] =
    ["v", "ver", "version", "rev", "revision", "fw", "sw", "firmware", "software", "rel", "release"];
/// Words of what is not released yet, earliest first.
const EARLY: [&str; 7] = ["dev", "snapshot", "alpha", "beta", "pre", "preview", "rc"];

/// A version that can be compared; shows as it was written.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Not yet released: its place in [`EARLY`].
    Early(usize),
    /// Digits without leading zeros; 0 is empty.
    Number(String),
    Word(String),
}

impl Version {
    /// Reads a version; none when there is no digit in it, or it is longer than 128 bytes.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        let released = text.split('+').next().unwrap_or(text);
        let mut parts = parts(released);
        while matches!(parts.first(), Some(Part::Word(word)) if ANNOUNCING.contains(&word.as_str())) {
            parts.remove(0);
        }
        let has_digits = parts.iter().any(|part| matches!(part, Part::Number(_)));
        has_digits.then(|| Self { text: text.to_owned(), parts })
    }

    /// Whether this is older than, the same as or newer than the other; none when they are of
    /// different series.
    #[must_use]
    pub fn against(&self, other: &Self) -> Option<Ordering> {
        match (self.parts.first(), other.parts.first()) {
            (Some(Part::Word(a)), Some(Part::Word(b)))
                if a == b || (a.chars().count() <= 1 && b.chars().count() <= 1) => {}
            (Some(Part::Word(_)), _) | (_, Some(Part::Word(_))) => return None,
            _ => {}
        }
        let zero = Part::Number(String::new());
        let longest = self.parts.len().max(other.parts.len());
        let pairs = (0..longest)
            .map(|at| (self.parts.get(at).unwrap_or(&zero), other.parts.get(at).unwrap_or(&zero)));
        Some(pairs.map(|(a, b)| order(a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parts(text: &str) -> Vec<Part> {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Digits,
        Letters,
        Between,
    }
    let kind = |c: char| match c {
        '0'..='9' => Kind::Digits,
        c if c.is_alphabetic() => Kind::Letters,
        _ => Kind::Between,
    };
    let mut parts = Vec::new();
    let mut run = String::new();
    let mut of = Kind::Between;
    for letter in text.chars().chain(std::iter::once(' ')) {
        let now = kind(letter);
        if now != of {
            match of {
                Kind::Digits => parts.push(Part::Number(run.trim_start_matches('0').to_owned())),
                Kind::Letters => parts.push(word(&run)),
                Kind::Between => {}
            }
            run.clear();
            of = now;
        }
        run.push(letter);
    }
    parts
}

fn word(run: &str) -> Part {
    let word = run.to_lowercase();
    match EARLY.iter().position(|early| *early == word) {
        Some(place) => Part::Early(place),
        None => Part::Word(word),
    }
}

fn order(a: &Part, b: &Part) -> Ordering {
    let class = |part: &Part| match part {
        Part::Early(_) => 0,
        Part::Number(digits) if digits.is_empty() => 1,
        Part::Word(_) => 2,
        Part::Number(_) => 3,
    };
    match (a, b) {
        (Part::Early(a), Part::Early(b)) => a.cmp(b),
        (Part::Word(a), Part::Word(b)) => a.cmp(b),
        (Part::Number(a), Part::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        (a, b) => class(a).cmp(&class(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn against(a: &str, b: &str) -> Option<Ordering> {
        Version::read(a)?.against(&Version::read(b)?)
    }

    #[test]
    fn versions_as_makers_write_them() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expected) in [
            ("2.4.1", "2.4.1", Some(Equal)),
            ("2.4.1", "2.4.10", Some(Less)),
            ("2.4", "2.4.0", Some(Equal)),
            ("v2.4", "2.04", Some(Equal)),
            ("Version 3.1", "FW 3.0.9", Some(Greater)),
            ("G.01.75", "G.01.8", Some(Greater)),
            ("G.01.75", "H.15.40", Some(Less)),
            ("Rev C.02", "rev B.11", Some(Greater)),
            ("5.2 SP3", "5.2", Some(Greater)),
            ("5.2 SP3", "5.2 SP12", Some(Less)),
            ("5.2 SP3", "5.3", Some(Less)),
            ("2.1b", "2.1", Some(Greater)),
            ("2.1b", "2.1a", Some(Greater)),
            ("3.0.0-rc.1", "3.0.0", Some(Less)),
            // The order of SemVer 2.0.0, 11.
            ("1.0.0-alpha", "1.0.0-alpha.1", Some(Less)),
            ("1.0.0-alpha.1", "1.0.0-beta", Some(Less)),
            ("1.0.0-beta.2", "1.0.0-beta.11", Some(Less)),
            ("1.0.0-beta.11", "1.0.0-rc.1", Some(Less)),
            ("1.0.0+5114f85", "1.0.0+21AF26", Some(Equal)),
            ("99999999999999999999999999", "100000000000000000000000000", Some(Less)),
            ("1.0-5", "1.0", Some(Greater)),
            // Different series.
            ("G.01.75", "2.4", None),
            ("ALPHA5 1.0", "KAPPA 2.0", None),
            // No version.
            ("", "1", None),
            ("unknown", "1", None),
        ] {
            assert_eq!(against(a, b), expected, "{a} against {b}");
            assert_eq!(against(b, a), expected.map(Ordering::reverse), "{b} against {a}");
        }
    }

    proptest! {
        #[test]
        fn comparing_never_panics_and_is_an_order(
            a in "[vV]?[0-9a-cR.\\- ]{0,9}", b in "[vV]?[0-9a-cR.\\- ]{0,9}", c in "[vV]?[0-9a-cR.\\- ]{0,9}",
        ) {
            if let (Some(ab), Some(bc), Some(ac)) = (against(&a, &b), against(&b, &c), against(&a, &c)) {
                if ab.is_le() && bc.is_le() {
                    prop_assert!(ac.is_le(), "{} {} {}", a, b, c);
                }
            }
            if Version::read(&a).is_some() {
                prop_assert_eq!(against(&a, &a), Some(Ordering::Equal));
            }
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = Version::read(&text);
        }
    }
}
