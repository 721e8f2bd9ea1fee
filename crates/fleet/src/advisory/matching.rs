//! Advisories against the inventory.

use super::{Product, Status, Vulnerability, severity};
use crate::firmware::{same_maker, same_name, words};
use crate::inventory::Known;
use crate::sbom;

/// A vulnerability of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which device.
    pub device: String,
    /// The vulnerability's number.
    pub id: String,
    /// The advisory that says so.
    pub advisory: String,
    /// In a line.
    pub title: String,
    /// How it was found.
    pub via: Via,
    /// The version that the device or its part has; may be empty.
    pub version: String,
    /// What holds for this version.
    pub status: Status,
    /// False when the version is not known or not comparable: the device may be affected.
    pub certain: bool,
    /// CVSS base score.
    pub cvss: Option<f64>,
    /// CVSS's word for it.
    pub severity: &'static str,
    /// What to do.
    pub remediation: String,
}

/// What an advisory was matched with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// Manufacturer and model.
    Model,
    /// A component of the device's SBOM: its name.
    Component(String),
}

/// Every vulnerability of a device: of each number, through each way, the statement about its version that
/// is most favourable to caution. What is fixed or not affected in this version is told as
/// such, so that somebody who looks for a number finds the answer.
#[must_use]
pub fn matches(known: Known<'_>, vulnerabilities: &[Vulnerability]) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for vulnerability in vulnerabilities {
        for product in &vulnerability.products {
            for (via, version) in hits(known, product) {
                if let Some(finding) = judge(known, vulnerability, product, via, &version) {
                    keep(&mut found, finding);
                }
            }
        }
    }
    found
}

/// The ways in which a product is this device or in it, with the version there.
fn hits(known: Known<'_>, product: &Product) -> Vec<(Via, String)> {
    let item = known.item;
    let mut hits = Vec::new();
    let named = !product.model.is_empty() && same_maker(&product.manufacturer, &item.manufacturer);
    if named && is_model(&product.model, item) {
        hits.push((Via::Model, item.firmware.clone()));
    }
    if let Some((package, _)) = sbom::package(&product.purl) {
        let components = known.sbom.into_iter().flat_map(|sbom| &sbom.components);
        for component in components {
            let Some((own, version)) = sbom::package(&component.purl) else { continue };
            if own == package {
                let version = version.unwrap_or(&component.version).to_owned();
                hits.push((Via::Component(component.name.clone()), version));
            }
        }
    }
    hits
}

/// Whether an advisory's product name means this model: the same name, or the model's words in a
/// row in it, as `CARESCAPE B850 monitor` names the `B850`.
fn is_model(name: &str, item: &crate::inventory::Item) -> bool {
    if same_name(name, &item.model) {
        return true;
    }
    let (name, model) = (words(name), words(&item.model));
    !model.is_empty() && model.concat().len() >= 2 && name.windows(model.len()).any(|run| run == model)
}

fn judge(
    known: Known<'_>,
    vulnerability: &Vulnerability,
    product: &Product,
    via: Via,
    version: &str,
) -> Option<Finding> {
    let holds = product.versions.holds(version);
    // An unknown version counts against the device, never for it.
    let (status, certain) = match (holds, product.status) {
        (Some(true), status) => (status, true),
        (None, status @ (Status::Affected | Status::UnderInvestigation)) => (status, false),
        _ => return None,
    };
    Some(Finding {
        device: known.item.device.clone(),
        id: vulnerability.id.clone(),
        advisory: vulnerability.advisory.clone(),
        title: vulnerability.title.clone(),
        via,
        version: version.to_owned(),
        status,
        certain,
        cvss: product.cvss,
        severity: severity(product.cvss),
        remediation: product.remediation.clone(),
    })
}

/// Of two statements about one thing the certain one counts, and of two certain ones the worse.
fn keep(found: &mut Vec<Finding>, new: Finding) {
    let same = |old: &&mut Finding| {
        old.id == new.id && old.via == new.via && old.advisory == new.advisory
    };
    match found.iter_mut().find(same) {
        None => found.push(new),
        Some(old) => {
            let worse = (!new.certain, new.status) < (!old.certain, old.status);
            let higher = (new.certain, new.status) == (old.certain, old.status) && new.cvss > old.cvss;
            if worse || higher {
                *old = new;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Range;
    use crate::inventory::Item;
    use crate::sbom::{Component, Sbom};

    fn product(model: &str, versions: &str, status: Status) -> Product {
        Product {
            manufacturer: "Acme".to_owned(),
            model: model.to_owned(),
            purl: String::new(),
            versions: Range(versions.to_owned()),
            status,
            cvss: Some(8.1),
            remediation: "Install 2.4".to_owned(),
        }
    }

    #[test]
    fn devices_and_their_parts() {
        let library = Product {
            manufacturer: String::new(),
            model: "openssl".to_owned(),
            purl: "pkg:generic/openssl".to_owned(),
            ..product("", "<1.1.1l", Status::Affected)
        };
        let all = [Vulnerability {
            id: "CVE-2099-1".to_owned(),
            advisory: "ACME-7".to_owned(),
            title: String::new(),
            products: vec![
                product("Infuser P2 pump", "<2.4", Status::Affected),
                product("P2", "2.4", Status::Fixed),
                product("P9", "", Status::NotAffected),
                library,
            ],
        }];
        let sbom = Sbom {
            subject: String::new(),
            components: vec![Component {
                name: "openssl".to_owned(),
                version: "1.1.1k".to_owned(),
                purl: "pkg:generic/openssl@1.1.1k".to_owned(),
            }],
        };
        for (maker, model, firmware, with_sbom, expected) in [
            ("Acme Inc.", "P2", "2.3", false, vec!["Model affected true"]),
            ("Acme", "P2", "2.4", false, vec!["Model fixed true"]),
            ("Acme", "P2", "2.5", false, vec![]),
            ("Acme", "P2", "", false, vec!["Model affected false"]),
            ("Acme", "P9", "", false, vec!["Model not-affected true"]),
            ("Acme", "P22", "1", false, vec![]),
            ("Acme", "2", "1", false, vec![]),
            ("Other", "P2", "2.3", false, vec![]),
            ("Other", "X", "1", true, vec!["Component(\"openssl\") affected true"]),
        ] {
            let item = Item {
                device: "m1".to_owned(),
                manufacturer: maker.to_owned(),
                model: model.to_owned(),
                firmware: firmware.to_owned(),
                ..Item::default()
            };
            let known = Known { item: &item, sbom: with_sbom.then_some(&sbom) };
            let found = matches(known, &all);
            let told: Vec<_> =
                found.iter().map(|f| format!("{:?} {} {}", f.via, f.status.name(), f.certain)).collect();
            assert_eq!(told, expected, "{maker} {model} {firmware}");
            assert!(found.iter().all(|f| f.severity == "high"));
        }
    }
}
