//! What is known against devices: advisories that the site supplies, matched with its inventory.
//!
//! Nothing is fetched from anywhere: files of manufacturers, CERTs or the site's own security
//! office are imported, so that what counts is what somebody here has read.

mod csaf;
mod list;
mod matching;
mod range;

use serde::{Deserialize, Serialize};

pub use csaf::from_csaf;
pub use list::from_csv;
pub use matching::{Finding, Via, matches};
pub use range::Range;

/// One vulnerability of an advisory with the products that it says something of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// CVE number, or the advisory's own number.
    pub id: String,
    /// The advisory that says so.
    pub advisory: String,
    /// In a line.
    pub title: String,
    /// What is said of which product.
    pub products: Vec<Product>,
}

/// What an advisory says of one product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Manufacturer; may be empty when there is a package.
    pub manufacturer: String,
    /// Model or product name; may be empty when there is a package.
    pub model: String,
    /// Package URL of a component; may be empty.
    pub purl: String,
    /// Of which versions this is said.
    pub versions: Range,
    /// What is said.
    pub status: Status,
    /// CVSS base score, 0 to 10, if there is one.
    pub cvss: Option<f64>,
    /// What to do; may be empty.
    pub remediation: String,
}

/// Whether a product is affected, as in VEX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is.
    Affected,
    /// The maker is looking into it.
    UnderInvestigation,
    /// Not any more.
    Fixed,
    /// It never was.
    NotAffected,
}

impl Status {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::UnderInvestigation => "under-investigation",
            Self::Fixed => "fixed",
            Self::NotAffected => "not-affected",
        }
    }
}

/// CVSS's words for its scores (CVSS 3.1 and 4.0, qualitative severity rating scale).
#[must_use]
pub fn severity(cvss: Option<f64>) -> &'static str {
    match cvss {
        None => "unknown",
        Some(score) if score >= 9.0 => "critical",
        Some(score) if score >= 7.0 => "high",
        Some(score) if score >= 4.0 => "medium",
        Some(score) if score > 0.0 => "low",
        Some(_) => "none",
    }
}
