//! CSAF 2.0 (OASIS Standard, 2022): security advisories and VEX, as far as an inventory needs them.

use std::collections::HashMap;

use serde_json::Value;

use super::{Product, Range, Status, Vulnerability};

/// Most products of one document, and how deep its tree may be.
const PRODUCTS_MAX: usize = 50_000;
const DEPTH_MAX: usize = 32;

/// What the tree says of one product.
#[derive(Debug, Clone, Default)]
struct Named {
    vendor: String,
    name: String,
    versions: String,
    purl: String,
}

/// The lists of `product_status` (CSAF 3.2.3.9), and what each says.
const LISTS: [(&str, Status); 7] = [
    ("known_affected", Status::Affected),
    ("first_affected", Status::Affected),
    ("last_affected", Status::Affected),
    ("under_investigation", Status::UnderInvestigation),
    ("fixed", Status::Fixed),
    ("first_fixed", Status::Fixed),
    ("known_not_affected", Status::NotAffected),
];

/// Reads a document of the profiles that name vulnerabilities (security advisory, VEX).
///
/// # Errors
/// What is wrong with it.
pub fn from_csaf(bytes: &[u8]) -> Result<Vec<Vulnerability>, String> {
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|e| format!("not JSON at line {} column {}", e.line(), e.column()))?;
    let head = &document["document"];
    let version = text(head, "csaf_version");
    if !version.starts_with("2.") {
        return Err("document.csaf_version is not 2.x: not a CSAF document".to_owned());
    }
    let advisory = text(&head["tracking"], "id");
    if advisory.is_empty() {
        return Err("document.tracking.id is missing".to_owned());
    }
    if text(&head["tracking"], "status") == "draft" {
        return Err("document.tracking.status is draft: import the final one".to_owned());
    }
    let tree = &document["product_tree"];
    let mut products = HashMap::new();
    branches(&mut products, &tree["branches"], &Named::default(), 0)?;
    for full in list(&tree["full_product_names"]) {
        add(&mut products, full, &Named::default())?;
    }
    for relation in list(&tree["relationships"]) {
        related(&mut products, relation)?;
    }
    let found = list(&document["vulnerabilities"]).enumerate();
    Ok(found.map(|(at, v)| vulnerability(v, at, advisory, text(head, "title"), &products)).collect())
}

fn branches(
    products: &mut HashMap<String, Named>,
    from: &Value,
    above: &Named,
    depth: usize,
) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("product_tree more than {DEPTH_MAX} deep"));
    }
    for branch in list(from) {
        let mut here = above.clone();
        let name = text(branch, "name").to_owned();
        match text(branch, "category") {
            "vendor" => here.vendor = name,
            "product_name" => here.name = name,
            "product_version" | "product_version_range" => here.versions = name,
            _ => {}
        }
        if branch["product"].is_object() {
            add(products, &branch["product"], &here)?;
        }
        branches(products, &branch["branches"], &here, depth + 1)?;
    }
    Ok(())
}

fn add(products: &mut HashMap<String, Named>, product: &Value, here: &Named) -> Result<(), String> {
    if products.len() >= PRODUCTS_MAX {
        return Err(format!("more than {PRODUCTS_MAX} products"));
    }
    let mut named = here.clone();
    if named.name.is_empty() {
        text(product, "name").clone_into(&mut named.name);
    }
    let purl = text(&product["product_identification_helper"], "purl");
    // The version may stand in the package URL alone.
    if named.versions.is_empty()
        && let Some((_, Some(version))) = crate::sbom::package(purl)
    {
        version.clone_into(&mut named.versions);
    }
    purl.clone_into(&mut named.purl);
    products.insert(text(product, "product_id").to_owned(), named);
    Ok(())
}

/// A product that is another one as part of a third (`component_of` and the like): what is said of
/// the pair is said of the third with the version that it has.
fn related(products: &mut HashMap<String, Named>, relation: &Value) -> Result<(), String> {
    let whole = products.get(text(relation, "relates_to_product_reference"));
    let named = whole.or_else(|| products.get(text(relation, "product_reference")));
    let named = named.cloned().unwrap_or_default();
    add(products, &relation["full_product_name"], &named)
}

fn vulnerability(
    from: &Value,
    at: usize,
    advisory: &str,
    title: &str,
    products: &HashMap<String, Named>,
) -> Vulnerability {
    let own = text(from, "cve");
    let other = list(&from["ids"]).map(|id| text(id, "text")).find(|id| !id.is_empty());
    let id = match (own, other) {
        ("", Some(other)) => other.to_owned(),
        ("", None) => format!("{advisory}#{}", at + 1),
        (own, _) => own.to_owned(),
    };
    let mut said = Vec::new();
    for (list_name, status) in LISTS {
        for product in list(&from["product_status"][list_name]).filter_map(Value::as_str) {
            let Some(named) = products.get(product) else { continue };
            said.push(Product {
                manufacturer: named.vendor.clone(),
                model: named.name.clone(),
                purl: named.purl.clone(),
                versions: Range(named.versions.clone()),
                status,
                cvss: score(from, product),
                remediation: remediation(from, product),
            });
        }
    }
    let named = text(from, "title");
    Vulnerability {
        id,
        advisory: advisory.to_owned(),
        title: if named.is_empty() { title } else { named }.to_owned(),
        products: said,
    }
}

/// The highest base score for a product, of whatever version of CVSS.
fn score(from: &Value, product: &str) -> Option<f64> {
    let of = list(&from["scores"]).filter(|score| names(&score["products"], product));
    of.flat_map(|score| ["cvss_v4", "cvss_v3", "cvss_v2"].map(|v| score[v]["baseScore"].as_f64()))
        .flatten()
        .filter(|score| (0.0..=10.0).contains(score))
        .reduce(f64::max)
}

/// What to do, most final first (CSAF 3.2.3.12.1).
fn remediation(from: &Value, product: &str) -> String {
    let order = |r: &&Value| match text(r, "category") {
        "vendor_fix" => 0,
        "mitigation" => 1,
        "workaround" => 2,
        "no_fix_planned" => 3,
        _ => 4,
    };
    let of = list(&from["remediations"]).filter(|r| names(&r["product_ids"], product));
    of.min_by_key(order).map_or_else(String::new, |best| text(best, "details").to_owned())
}

fn names(products: &Value, product: &str) -> bool {
    list(products).any(|id| id == product)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{
      "document": {"csaf_version": "2.0", "title": "Pumps", "tracking": {"id": "ACME-7", "status": "final"}},
      "product_tree": {"branches": [{"category": "vendor", "name": "Acme", "branches": [
        {"category": "product_name", "name": "P2", "branches": [
          {"category": "product_version_range", "name": "<2.4", "product": {"product_id": "old", "name": "P2 before 2.4"}},
          {"category": "product_version", "name": "2.4", "product": {"product_id": "new", "name": "P2 2.4"}}]}]}],
        "full_product_names": [{"product_id": "lib", "name": "openssl",
          "product_identification_helper": {"purl": "pkg:generic/openssl@1.1.1k"}}],
        "relationships": [{"category": "installed_with", "product_reference": "lib",
          "relates_to_product_reference": "old",
          "full_product_name": {"product_id": "both", "name": "P2 with openssl"}}]},
      "vulnerabilities": [
        {"cve": "CVE-2099-1", "product_status": {"known_affected": ["old"], "fixed": ["new"]},
         "scores": [{"products": ["old"], "cvss_v3": {"baseScore": 8.1}, "cvss_v2": {"baseScore": 7.0}}],
         "remediations": [{"category": "workaround", "details": "Unplug", "product_ids": ["old"]},
           {"category": "vendor_fix", "details": "Install 2.4", "product_ids": ["old"]}]},
        {"ids": [{"system_name": "Acme", "text": "A-9"}], "title": "Library",
         "product_status": {"under_investigation": ["both", "nobody"], "known_affected": ["lib"]}}]}"#;

    #[test]
    fn a_document_of_a_manufacturer() {
        let all = from_csaf(DOCUMENT.as_bytes()).expect("a document");
        let told: Vec<String> = all
            .iter()
            .flat_map(|v| {
                v.products.iter().map(move |p| {
                    let (maker, model, purl) = (&p.manufacturer, &p.model, &p.purl);
                    let (range, status, cvss) = (&p.versions.0, p.status.name(), p.cvss);
                    format!("{} {}|{maker}|{model}|{range}|{purl}|{status}|{cvss:?}|{}", v.id, v.title, p.remediation)
                })
            })
            .collect();
        assert_eq!(told, [
            "CVE-2099-1 Pumps|Acme|P2|<2.4||affected|Some(8.1)|Install 2.4",
            "CVE-2099-1 Pumps|Acme|P2|2.4||fixed|None|",
            "A-9 Library||openssl|1.1.1k|pkg:generic/openssl@1.1.1k|affected|None|",
            "A-9 Library|Acme|P2|<2.4||under-investigation|None|",
        ]);
    }

    #[test]
    fn what_is_no_final_csaf_document_is_refused() {
        for (text, problem) in [
            ("", "not JSON"),
            ("{}", "csaf_version"),
            (r#"{"document":{"csaf_version":"2.0"}}"#, "tracking.id"),
            (r#"{"document":{"csaf_version":"2.0","tracking":{"id":"x","status":"draft"}}}"#, "draft"),
        ] {
            assert!(from_csaf(text.as_bytes()).is_err_and(|e| e.contains(problem)), "{text}");
        }
    }
}
