//! The published response bands of early-warning scores, as rules that a policy may include by name:
//! `include = ["news2-rcp-2017"]`. A rule of the policy with the same id takes the place of one that
//! is included.
//!
//! Priorities follow the urgency of the published response: an emergency or critical-care response is
//! high, an urgent review medium, one that can wait for an hour low. They apply to the ages for which
//! a score was made, and go down the policy's first chain.

use serde::Deserialize;

use crate::policy::{PolicyError, RuleText};

/// Every set, by name.
const SETS: [(&str, &str); 8] = [
    ("news2-rcp-2017", include_str!("bands/news2-rcp-2017.toml")),
    ("mews-subbe-2001", include_str!("bands/mews-subbe-2001.toml")),
    ("pews-bedside-2011", include_str!("bands/pews-bedside-2011.toml")),
    ("qsofa-sepsis3-2016", include_str!("bands/qsofa-sepsis3-2016.toml")),
    ("sirs-accp-1992", include_str!("bands/sirs-accp-1992.toml")),
    ("shock-index", include_str!("bands/shock-index.toml")),
    ("sofa-sepsis3-2016", include_str!("bands/sofa-sepsis3-2016.toml")),
    ("meows-singh-2012", include_str!("bands/meows-singh-2012.toml")),
];

/// A set of bands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandSet {
    /// What a policy calls it.
    pub name: &'static str,
    /// What people read.
    pub title: String,
    /// The publication.
    pub source: String,
    /// Its rules, as TOML: what a site may copy and change.
    pub text: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetText {
    title: String,
    source: String,
    rule: Vec<RuleText>,
}

/// All sets that a policy may include.
#[must_use]
pub fn band_sets() -> Vec<BandSet> {
    let read = |(name, text)| {
        let set: SetText = toml::from_str(text).expect("the sets are part of the program and read in a test");
        BandSet { name, title: set.title, source: set.source, text }
    };
    SETS.into_iter().map(read).collect()
}

/// The rules of a set.
pub(crate) fn rules(name: &str) -> Result<Vec<RuleText>, PolicyError> {
    let Some((_, text)) = SETS.iter().find(|(other, _)| *other == name) else {
        return Err(PolicyError::Unknown {
            place: "include".to_owned(),
            name: name.to_owned(),
            advice: format!("sets are {}", SETS.map(|(name, _)| name).join(", ")),
        });
    };
    let set: SetText = toml::from_str(text).map_err(|error| PolicyError::Syntax(error.to_string()))?;
    Ok(set.rule)
}

/// The document's rules, with those of the sets that it includes before them.
pub(crate) fn with_included(include: &[String], own: Vec<RuleText>) -> Result<Vec<RuleText>, PolicyError> {
    let mut all = Vec::new();
    for name in include {
        all.extend(rules(name)?.into_iter().filter(|rule| own.iter().all(|other| other.id != rule.id)));
    }
    all.extend(own);
    Ok(all)
}
